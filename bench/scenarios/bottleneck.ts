// Bulk through a narrow place with loss, in virtual time: how much of 20 Mbit/s arrives, and how long the queue gets.

import type { Conditions } from '../../src/transport/simulator/index.ts'
import { TableBuilder } from '../lib/report.ts'
import type { Settings, Table } from '../lib/report.ts'
import { stage } from '../lib/virtual.ts'
import type { VirtualContestant } from '../lib/virtual.ts'

const MBIT = 20
const PACKET_BYTES = 250_000

/** @returns payload Mbit/s from the first send to the last packet's arrival */
export const goodput = (contestant: VirtualContestant, path: Conditions, options: { seed: number; bytes: number }): number => {
  const play = stage(contestant, { seed: options.seed, path, clients: 1 })
  const { network, server, clients } = play
  const client = clients[0] as (typeof clients)[0]
  const count = Math.ceil(options.bytes / PACKET_BYTES)
  let arrived = 0
  server.onEvent = (event) => {
    if (event.type === 'receive') arrived += 1
  }
  const start = network.now
  const packet = new Uint8Array(PACKET_BYTES)
  for (let i = 0; i < count; i++) client.peer.send(0, packet, 'reliable')
  client.node.wake()
  // What takes longer than this is as good as nothing, and is reported as what arrived by then.
  const limitMs = 60_000
  try {
    network.runUntil(() => arrived === count, { limitMs })
  } catch {
    // Not all arrived; counted below.
  }
  play.close()
  return (arrived * PACKET_BYTES * 8) / 1000 / (network.now - start)
}

export const bottleneck = (contestants: readonly VirtualContestant[], { quick, seed, progress }: Settings): Table => {
  const table = new TableBuilder({
    id: 'bottleneck',
    title: `Bulk through ${MBIT} Mbit/s`,
    about: `Payload rate of ${quick ? 5 : 20} MB over a path of ${MBIT} Mbit/s, round trip 60 ms, a queue of one bandwidth-delay ` +
      `product, with even loss. ` +
      'Virtual time; slow start included. At most 19.1 of the 20 can be payload.',
    kind: 'exact',
  })
  const series = contestants.map(({ name }) => ({ name, points: [] as [string, number][] }))
  for (const loss of quick ? [0, 1, 5] : [0, 0.1, 1, 2, 5]) {
    for (const [index, contestant] of contestants.entries()) {
      progress(`bottleneck at ${loss} %: ${contestant.name}`)
      const path: Conditions = { latencyMs: 30, rateBytesPerSecond: MBIT * 125_000, queueBytes: MBIT * 125 * 60, lossRatio: loss / 100 }
      const rate = goodput(contestant, path, { seed, bytes: quick ? 5_000_000 : 20_000_000 })
      table.add(`loss-${loss}`, `${loss} % loss`, 'Mbit/s', 'higher', contestant.name, rate)
      series[index]?.points.push([`${loss} %`, rate])
    }
  }
  table.plots.push({ kind: 'lines', title: 'Goodput against loss', xLabel: 'loss', yLabel: 'Mbit/s', series })
  return table.build()
}
