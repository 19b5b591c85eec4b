// Coming and going in virtual time: how long a connect takes on bad networks, what a connection costs in datagrams, and what idle
// peers cost.

import { Host } from '../../src/transport/index.ts'
import type { HostEvent } from '../../src/transport/index.ts'
import { Network } from '../../src/transport/simulator/index.ts'
import { TableBuilder } from '../lib/report.ts'
import type { Settings, Table } from '../lib/report.ts'
import { at } from '../lib/statistics.ts'
import { stage } from '../lib/virtual.ts'
import type { VirtualContestant } from '../lib/virtual.ts'

export const connecting = (contestants: readonly VirtualContestant[], { quick, seed, progress }: Settings): Table => {
  const table = new TableBuilder({
    id: 'connecting',
    title: 'Connecting',
    about: 'From the call of connect to the connect event, round trip 50 ms; many clients, one after the other. The least possible is ' +
      'one round trip. Virtual time.',
    kind: 'exact',
  })
  const count = quick ? 20 : 60
  for (const contestant of contestants) {
    for (const loss of [0, 5, 20]) {
      progress(`connecting at ${loss} %: ${contestant.name}`)
      const times: number[] = []
      // A C host is a process: a few dozen at once are enough.
      for (let run = 0; run < count / 10; run++) {
        const play = stage(contestant, { seed: seed + run, path: { latencyMs: 25, lossRatio: loss / 100 }, clients: 10 })
        times.push(...play.connectMs)
        play.close()
      }
      times.sort((a, b) => a - b)
      table.add(`${loss}-p50`, `${loss} % loss, p50`, 'ms', 'lower', contestant.name, at(times, 50))
      table.add(`${loss}-max`, `${loss} % loss, slowest of ${times.length}`, 'ms', 'lower', contestant.name, at(times, 100))
    }
  }
  return table.build()
}

/** What a server with idle peers does in ten seconds, per second. */
export const idle = (seed: number, peers: number): { runs: number; datagrams: number; bytes: number } => {
  const network = new Network({ seed, path: { latencyMs: 20 }, hash: false })
  let runs = 0
  class Counted extends Host {
    override advance(now: number): void {
      runs += 1
      super.advance(now)
    }
  }
  const server = new Counted({ seed, maxPeers: Math.max(peers, 1) })
  const node = network.add<HostEvent>('server', server, { onEvent: () => {} })
  const crowd = new Host({ seed: seed + 1, maxPeers: Math.max(peers, 1) })
  network.add<HostEvent>('crowd', crowd, { onEvent: () => {} })
  for (let i = 0; i < peers; i++) network.at((i * 2000) / peers, () => void crowd.connect(node.address, { channels: 2 }))
  network.runFor(5000)
  const before = { runs, sent: network.ledger.sent, bytes: network.ledger.bytesSent }
  network.runFor(10_000)
  const { sent, bytesSent } = network.ledger
  return { runs: (runs - before.runs) / 10, datagrams: (sent - before.sent) / 10, bytes: (bytesSent - before.bytes) / 10 }
}

export const idlePeers = ({ quick, seed, progress }: Settings): Table => {
  const table = new TableBuilder({
    id: 'idle',
    title: 'Idle peers: counts',
    about: 'What connections that say nothing cost, per second, both directions together: pings every 500 ms and their ' +
      'acknowledgements. Virtual time.',
    kind: 'exact',
  })
  for (const peers of quick ? [1000] : [0, 1000, 4000]) {
    progress(`idle peers: ${peers}`)
    const { runs, datagrams, bytes } = idle(seed, peers)
    table.add(`${peers}-runs`, `${peers} peers, runs of the server`, '/s', 'lower', 'vaiven', runs)
    table.add(`${peers}-datagrams`, `${peers} peers, datagrams`, '/s', 'lower', 'vaiven', datagrams)
    table.add(`${peers}-bytes`, `${peers} peers, payload bytes`, '/s', 'lower', 'vaiven', bytes)
  }
  return table.build()
}
