// A game server in virtual time: every client sends its input each tick, the server broadcasts the state. Counts are exact; the time
// that one tick takes is this machine's.

import { TableBuilder } from '../lib/report.ts'
import type { Settings, Table } from '../lib/report.ts'
import { median } from '../lib/statistics.ts'
import { stage } from '../lib/virtual.ts'
import type { VirtualContestant } from '../lib/virtual.ts'

const INPUT_BYTES = 20
const STATE_BYTES = 200

/** What a few seconds of play cost. */
export interface Play {
  readonly datagramsPerTick: number
  readonly bytesPerTick: number
  readonly delivered: number
  readonly expected: number
  /** Wall time of both ends and the network together for one tick and one client, µs. */
  readonly microsPerClientTick: number
}

export const play = (contestant: VirtualContestant, options: { seed: number; clients: number; hz: number; seconds: number }): Play => {
  const { seed, clients: count, hz, seconds } = options
  const party = stage(contestant, { seed, path: { latencyMs: 20, jitterMs: 2, lossRatio: 0.01 }, clients: count, channels: 2 })
  const { network, server, serverHost, clients } = party
  let delivered = 0
  server.onEvent = (event) => {
    if (event.type === 'receive') delivered += 1
  }
  for (const { node } of clients) node.onEvent = (event) => {
    if (event.type === 'receive') delivered += 1
  }
  const input = new Uint8Array(INPUT_BYTES)
  const state = new Uint8Array(STATE_BYTES)
  const ticks = hz * seconds
  const start = network.now
  const before = network.ledger
  const beforeBytes = before.bytesSent
  const beforeSent = before.sent
  for (let tick = 0; tick < ticks; tick++) {
    network.at(start + (tick * 1000) / hz, () => {
      serverHost.broadcast(1, state, 'unreliable')
      server.wake()
    })
    for (const [i, client] of clients.entries()) {
      // Clients' frames are spread over the tick, as their clocks are.
      network.at(start + ((tick + i / count) * 1000) / hz, () => {
        client.peer.send(0, input, 'reliable')
        client.node.wake()
      })
    }
  }
  const wall = performance.now()
  network.runFor(seconds * 1000)
  const took = performance.now() - wall
  const { sent, bytesSent } = network.ledger
  network.runFor(2000)
  party.close()
  return {
    datagramsPerTick: (sent - beforeSent) / ticks,
    bytesPerTick: (bytesSent - beforeBytes + 28 * (sent - beforeSent)) / ticks,
    delivered,
    expected: 2 * ticks * count,
    microsPerClientTick: (took * 1000) / (ticks * count),
  }
}

export const gameTick = (contestants: readonly VirtualContestant[], { quick, seed, progress }: Settings): Table[] => {
  const exact = new TableBuilder({
    id: 'game-tick',
    title: 'Game tick: counts',
    about: `Each client sends ${INPUT_BYTES} reliable bytes a tick, the server broadcasts ${STATE_BYTES} unreliable ones; 40 ms round ` +
      `trip, jitter, 1 % loss. ` +
      'Datagrams and bytes (with 28 of headers) of both directions, per tick and client. Virtual time.',
    kind: 'exact',
  })
  const cpu = new TableBuilder({
    id: 'game-tick-cpu',
    title: 'Game tick: time',
    about: 'How long this machine took for one tick of one client: server, client and the simulated network together, without sockets.',
    kind: 'clock',
  })
  for (const contestant of contestants.filter(({ name }) => name === 'vaiven')) {
    for (const [clients, hz] of quick ? [[100, 30]] as const : [[100, 30], [500, 30], [2000, 20]] as const) {
      progress(`game tick, ${clients} clients: ${contestant.name}`)
      const runs = Array.from({ length: 1 }, () => play(contestant, { seed, clients, hz, seconds: quick ? 3 : 5 }))
      const first = runs[0] as Play
      const label = `${clients} clients at ${hz} Hz`
      exact.add(`${clients}-datagrams`, `${label}, datagrams`, '', 'lower', contestant.name, first.datagramsPerTick / clients)
      exact.add(`${clients}-bytes`, `${label}, bytes`, 'bytes', 'lower', contestant.name, first.bytesPerTick / clients)
      exact.add(`${clients}-delivered`, `${label}, delivered`, '%', 'higher', contestant.name, (100 * first.delivered) / first.expected)
      cpu.add(`${clients}-cpu`, label, 'µs', 'lower', contestant.name, median(runs.map(({ microsPerClientTick }) => microsPerClientTick)))
    }
  }
  return [exact.build(), cpu.build()]
}
