// How long reliable ordered messages take on bad networks, in virtual time: even loss and bursts at two round trips, and how much
// one channel's loss holds up the others.

import type { Conditions } from '../../src/transport/simulator/index.ts'
import { CURVE_PERCENTILES, TableBuilder } from '../lib/report.ts'
import type { Settings, Table } from '../lib/report.ts'
import { at } from '../lib/statistics.ts'
import { stage } from '../lib/virtual.ts'
import type { VirtualContestant } from '../lib/virtual.ts'

const MESSAGE_BYTES = 64
const RATE_HZ = 60
/** What never arrives, because the connection was lost, counts as this late. */
const NEVER_MS = 15_000

/** One-way latencies of messages that one client sends at 60 Hz by a fixed schedule, sorted, ms; and what the wire carried. */
export const latencies = (
  contestant: VirtualContestant, path: Conditions, options: { seed: number; seconds: number; channels?: number; bytes?: number },
): {
  readonly sorted: number[]; readonly missing: number; readonly bytesOnWire: number; readonly datagrams: number; readonly messages: number } => {
  const { seed, seconds, channels = 1, bytes = MESSAGE_BYTES } = options
  const play = stage(contestant, { seed, path, clients: 1, channels: Math.max(channels, 1) })
  const { network, server, clients } = play
  const client = clients[0] as (typeof clients)[0]
  const sentAt: number[] = []
  const taken: number[] = []
  server.onEvent = (event) => {
    if (event.type !== 'receive') return
    const number = new DataView(event.bytes.buffer, event.bytes.byteOffset).getUint32(0)
    // The first three seconds are for the round trip to be learned.
    if ((sentAt[number] as number) >= start + 3000) taken.push(network.now - (sentAt[number] as number))
  }
  let lost = false
  client.node.onEvent = (event) => {
    if (event.type === 'disconnect') lost = true
  }
  const start = network.now
  const total = Math.round((seconds + 3) * RATE_HZ)
  const message = new Uint8Array(bytes)
  const there = network.link('client 0', 'server').ledger
  const back = network.link('server', 'client 0').ledger
  const before = { bytes: there.bytesSent + back.bytesSent, datagrams: there.sent + back.sent }
  for (let i = 0; i < total; i++) {
    // The schedule does not wait for anything: a message that could not leave is late, not absent.
    network.at(start + (i * 1000) / RATE_HZ, () => {
      new DataView(message.buffer).setUint32(0, i)
      sentAt[i] = network.now
      if (lost) return
      try {
        client.peer.send(i % channels, message, 'reliable')
      } catch {
        // The connection has ended; what was to come never arrives.
        lost = true
      }
      client.node.wake()
    })
  }
  network.runFor((total * 1000) / RATE_HZ)
  const after = { bytes: there.bytesSent + back.bytesSent, datagrams: there.sent + back.sent }
  network.runFor(15_000)
  play.close()
  const expected = sentAt.filter((atMs) => atMs >= start + 3000).length
  const missing = expected - taken.length
  for (let i = 0; i < missing; i++) taken.push(NEVER_MS)
  return {
    missing,
    sorted: taken.sort((a, b) => a - b),
    bytesOnWire: after.bytes - before.bytes, datagrams: after.datagrams - before.datagrams, messages: total,
  }
}

const PATHS: readonly { readonly id: string; readonly label: string; readonly conditions: Conditions }[] = [
  ...[0, 1, 5, 10, 20].map((percent) => ({ id: `${percent}`, label: `${percent} %`, conditions: { lossRatio: percent / 100 } })),
  { id: 'burst', label: '5 % in bursts of 50 ms', conditions: { burstLoss: { lossRatio: 0.05, meanBurstMs: 50 } } },
]

export const latencyAgainstLoss = (contestants: readonly VirtualContestant[], { quick, seed, progress }: Settings): Table[] => {
  const tables: Table[] = []
  const seconds = quick ? 20 : 40
  const seeds = quick ? 1 : 2
  for (const roundTripMs of quick ? [100] : [50, 100]) {
    const table = new TableBuilder({
      id: `latency-loss-${roundTripMs}`,
      title: `Reliable, ordered: latency against loss, round trip ${roundTripMs} ms`,
      about: `One-way latency of ${MESSAGE_BYTES}-byte reliable ordered messages at ${RATE_HZ} Hz, loss in both directions, over ` +
        `${seconds * seeds} s of virtual time by a fixed schedule. The least possible is ${roundTripMs / 2} ms; what never arrived, because ` +
        `the connection was lost, counts as ${NEVER_MS / 1000} s.`,
      kind: 'exact',
    })
    const curve: { name: string; points: [number, number][] }[] = []
    const bursts: typeof curve = []
    const against: { name: string; points: [string, number][] }[] = contestants.map(({ name }) => ({ name, points: [] }))
    for (const { id, label, conditions } of PATHS) {
      for (const [index, contestant] of contestants.entries()) {
        progress(`latency at ${label}, ${roundTripMs} ms: ${contestant.name}`)
        const runs = Array.from({ length: seeds }, (_, run) =>
          latencies(contestant, { latencyMs: roundTripMs / 2, keepOrder: true, ...conditions }, { seed: seed + run, seconds }))
        const sorted = runs.flatMap((run) => run.sorted).sort((a, b) => a - b)
        for (const percent of [50, 99, 99.9]) {
          table.add(`${id}-p${percent}`, `${label} loss, p${percent}`, 'ms', 'lower', contestant.name, at(sorted, percent))
        }
        const missing = runs.reduce((sum, run) => sum + run.missing, 0)
        if (missing > 0) table.add(`${id}-missing`, `${label} loss, never arrived`, '%', 'lower', contestant.name,
          (100 * missing) / sorted.length)
        const points = CURVE_PERCENTILES.map((percent): [number, number] => [percent, at(sorted, percent)])
        if (id === 'burst') bursts.push({ name: contestant.name, points })
        else against[index]?.points.push([label, at(sorted, 99)])
        if (id === '5') curve.push({ name: contestant.name, points })
      }
    }
    table.plots.push(
      { kind: 'lines', title: 'p99 against loss', xLabel: 'loss in each direction', yLabel: 'ms', logY: true, series: against },
      { kind: 'percentiles', title: 'At 5 % loss', xLabel: 'percentile', yLabel: 'ms', logY: true, series: curve },
      { kind: 'percentiles', title: 'At 5 % loss in bursts of 50 ms', xLabel: 'percentile', yLabel: 'ms', logY: true, series: bursts },
    )
    tables.push(table.build())
  }
  return tables
}

export const headOfLine = (contestants: readonly VirtualContestant[], { quick, seed, progress }: Settings): Table => {
  const table = new TableBuilder({
    id: 'head-of-line',
    title: 'Head-of-line blocking across channels',
    about: `The same ${RATE_HZ} messages a second on one channel, and dealt out over eight: a lost message holds up only its own ` +
      `channel. ` +
      'Round trip 100 ms, 5 % loss. One-way latency in virtual time.',
    kind: 'exact',
  })
  const seconds = quick ? 20 : 60
  const points: { name: string; points: [number, number][] }[] = []
  for (const contestant of contestants) {
    for (const channels of [1, 8]) {
      progress(`head-of-line, ${channels} channels: ${contestant.name}`)
      const { sorted } = latencies(contestant, { latencyMs: 50, lossRatio: 0.05 }, { seed, seconds, channels })
      const mean = sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length
      const label = channels === 1 ? 'one channel' : 'eight channels'
      table.add(`${channels}-mean`, `${label}, mean`, 'ms', 'lower', contestant.name, mean)
      table.add(`${channels}-p99`, `${label}, p99`, 'ms', 'lower', contestant.name, at(sorted, 99))
      points.push({ name: `${contestant.name}, ${label}`, points: CURVE_PERCENTILES.map((percent) => [percent, at(sorted, percent)]) })
    }
  }
  table.plots.push({ kind: 'percentiles', title: 'One channel (solid) and eight (dashed)', xLabel: 'percentile', yLabel: 'ms',
    logY: true, series: points })
  return table.build()
}

export const bytesOnWire = (contestants: readonly VirtualContestant[], { seed, progress }: Settings): Table => {
  const table = new TableBuilder({
    id: 'wire-bytes',
    title: 'Bytes on the wire per message',
    about: `What reliable messages at ${RATE_HZ} Hz cost both directions together, UDP payload and 28 bytes of IPv4 and UDP headers per ` +
      `datagram, ` +
      'acknowledgements and repeats included. Virtual time.',
    kind: 'exact',
  })
  for (const contestant of contestants) {
    for (const [bytes, loss] of [[8, 0], [20, 0], [64, 0], [64, 5], [600, 0]] as const) {
      progress(`bytes on the wire, ${bytes} B at ${loss} %: ${contestant.name}`)
      const run = latencies(contestant, { latencyMs: 25, lossRatio: loss / 100 }, { seed, seconds: 10, bytes })
      const id = `${bytes}-${loss}`
      const label = `${bytes} B${loss === 0 ? '' : `, ${loss} % loss`}`
      table.add(`${id}-bytes`, label, 'bytes', 'lower', contestant.name, (run.bytesOnWire + 28 * run.datagrams) / run.messages)
      table.add(`${id}-datagrams`, `${label}, datagrams`, '', 'lower', contestant.name, run.datagrams / run.messages)
    }
  }
  return table.build()
}
