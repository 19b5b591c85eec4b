// Contestants on real sockets of this machine, in interleaved rounds: echo, an open-model load, small messages, bulk; then through
// the impairment relay. Knows workloads and tables; how a contestant is run is the business of processes.ts.

import { createHistogram } from 'node:perf_hooks'
import type { RecordableHistogram } from 'node:perf_hooks'
import { ImpairRelay } from '../../src/cli/impair-relay.ts'
import type { Conditions } from '../../src/transport/simulator/index.ts'
import { openLoopbackRelay } from '../lib/loopback-relay.ts'
import { sampleNoise } from '../lib/machine.ts'
import type { NoiseSample } from '../lib/machine.ts'
import { runClient, startServer } from '../lib/processes.ts'
import type { ClientResult, Entry } from '../lib/processes.ts'
import { CURVE_PERCENTILES, TableBuilder } from '../lib/report.ts'
import type { Settings, Table } from '../lib/report.ts'
import { median, percentile } from '../lib/statistics.ts'

/** Latencies of all rounds of one contestant. */
class Latencies {
  readonly #histogram: RecordableHistogram = createHistogram({ lowest: 1, highest: 120_000_000_000, figures: 3 })

  add(samplesNs: readonly number[]): void {
    for (const ns of samplesNs) this.#histogram.record(Math.min(120_000_000_000, Math.max(1, Math.round(ns))))
  }

  /** µs at the percentiles of a curve. */
  get curve(): [number, number][] {
    if (this.#histogram.count === 0) return []
    return CURVE_PERCENTILES.map((percent) => [percent, (percent === 0 ? this.#histogram.min : this.#histogram.percentile(percent)) / 1000])
  }
}

/** Which workloads a contestant can do, and how large. */
const limits = ({ contestant }: Entry, size: number, window: number): { size: number; window: number } => ({
  size: Math.min(size, contestant.maxMessageBytes ?? Infinity),
  window: Math.min(window, contestant.maxWindow ?? Infinity),
})

const OPEN_RATE = 2000

export const loopback = async (entries: readonly Entry[], settings: Settings, noise: NoiseSample[]): Promise<Table[]> => {
  const { quick, progress, failed } = settings
  const rounds = quick ? 2 : 4
  const echo = new TableBuilder({
    id: 'echo', kind: 'clock', title: 'Echo on loopback',
    about: 'Round trips of 64-byte messages, one at a time: the next leaves when the last is back. A process for each side. CPU is both ' +
      'sides together.',
  })
  const open = new TableBuilder({
    id: 'open', kind: 'clock', title: `Echo at ${OPEN_RATE} messages a second`,
    about: 'Open model: 64-byte messages leave by a fixed schedule whether or not earlier ones are back, and a latency counts from the ' +
      'scheduled moment, so that a stall is felt by everything that it delays. The client watches the clock instead of sleeping.',
  })
  const small = new TableBuilder({
    id: 'small', kind: 'clock', title: 'Small messages',
    about: '20-byte messages one way, 20 per flush, at most 4,000 unanswered (dgram: 400, a datagram each). CPU of both sides per message.',
  })
  const bulk = new TableBuilder({
    id: 'bulk', kind: 'clock', title: 'Bulk on loopback',
    about: '1 MB packets one way, four at a time (dgram: 1,400-byte datagrams). CPU of both sides per megabyte.',
  })
  const curves = new Map<string, { echo: Latencies; open: Latencies }>(entries.map(({ contestant }) =>
    [contestant.name, { echo: new Latencies(), open: new Latencies() }]))

  for (let round = 0; round < rounds; round++) {
    noise.push(await sampleNoise())
    for (let i = 0; i < entries.length; i++) {
      // Another order in each round: who goes first finds other caches and another clock rate.
      const entry = entries[(i + round) % entries.length] as Entry
      const { name } = entry.contestant
      let doing = 'starting its server'
      const now = (what: string): void => {
        doing = `${what}, round ${round + 1}`
        progress(`loopback, round ${round + 1} of ${rounds}: ${name}, ${what}`)
      }
      let server: Awaited<ReturnType<typeof startServer>> | null = null
      try {
        const running = await startServer(entry)
        server = running
        const measured = async (
          workload: 'echo' | 'open' | 'stream', options: Record<string, number>,
        ): Promise<{ result: ClientResult; cpuMs: number }> => {
          const before = await running.usage()
          const result = await runClient(entry, running.port, workload, options)
          return { result, cpuMs: result.cpuMs + (await running.usage()).cpuMs - before.cpuMs }
        }
        now('echo')
        const count = quick ? 5_000 : 15_000
        const trips = await measured('echo', { size: 64, count })
        const samples = trips.result.samplesNs ?? []
        curves.get(name)?.echo.add(samples)
        for (const percent of [50, 99, 99.9]) echo.add(`p${percent}`, `p${percent}`, 'µs', 'lower', name,
          percentile(samples, percent) / 1000)
        echo.add('max', 'slowest', 'µs', 'lower', name, percentile(samples, 100) / 1000)
        echo.add('cpu', 'CPU per round trip', 'µs', 'lower', name, (trips.cpuMs * 1000) / (trips.result.trips ?? count))

        now('open model')
        const seconds = quick ? 1.5 : 4
        const load = await measured('open', { size: 64, rate: OPEN_RATE, seconds, spin: 1 })
        const late = load.result.samplesNs ?? []
        curves.get(name)?.open.add(late)
        for (const percent of [50, 99, 99.9]) open.add(`p${percent}`, `p${percent}`, 'µs', 'lower', name, percentile(late, percent) / 1000)
        open.add('max', 'slowest', 'µs', 'lower', name, percentile(late, 100) / 1000)
        open.add('missing', 'never came back', '', 'lower', name, load.result.missing ?? 0)

        now('small messages')
        const slow = entry.contestant.reliable === false
        const few = limits(entry, 20, 4000)
        const messages = quick ? (slow ? 60_000 : 200_000) : slow ? 150_000 : 600_000
        const stream = await measured('stream', { size: 20, count: messages, batch: 20, window: slow ? 400 : few.window,
          every: slow ? 20 : 100 })
        small.add('rate', 'messages', 'thousands/s', 'higher', name, messages / (stream.result.ms ?? Infinity))
        small.add('cpu', 'CPU per message', 'µs', 'lower', name, (stream.cpuMs * 1000) / messages)

        now('bulk')
        const { size } = limits(entry, 1_000_000, 4)
        const total = quick ? 60_000_000 : 200_000_000
        const chunks = Math.ceil(total / size / 20) * 20
        const large = await measured('stream', size < 100_000
          ? { size, count: chunks, batch: 20, window: slow ? 400 : Math.min(few.window, 3000), every: 20 }
          : { size, count: chunks, batch: 1, window: 4, every: 1 })
        bulk.add('rate', 'payload', 'MB/s', 'higher', name, (chunks * size) / 1000 / (large.result.ms ?? Infinity))
        bulk.add('cpu', 'CPU per MB', 'ms', 'lower', name, large.cpuMs / ((chunks * size) / 1e6))
      } catch (error) {
        failed(name, doing, error)
      } finally {
        await server?.stop()
      }
    }
  }
  const names = entries.map(({ contestant }) => contestant.name)
  const series = (which: 'echo' | 'open') => names
    .map((name) => ({ name, points: curves.get(name)?.[which].curve ?? [] }))
    .filter(({ points }) => points.length > 0)
  const bars = (table: TableBuilder, row: string) => names.filter((name) => table.rounds(row, name).length > 0)
    .map((name) => ({ name, points: [[name, median(table.rounds(row, name))] as [string, number]] }))
  echo.plots.push({ kind: 'percentiles', title: 'Round trip', xLabel: 'percentile', yLabel: 'µs', logY: true, series: series('echo') })
  open.plots.push({ kind: 'percentiles', title: 'Latency from the scheduled moment', xLabel: 'percentile', yLabel: 'µs', logY: true,
    series: series('open') })
  small.plots.push({ kind: 'bars', title: 'Messages a second', xLabel: '', yLabel: 'thousands/s', series: bars(small, 'rate') })
  small.plots.push({ kind: 'bars', title: 'CPU per message', xLabel: '', yLabel: 'µs', series: bars(small, 'cpu') })
  bulk.plots.push({ kind: 'bars', title: 'Payload', xLabel: '', yLabel: 'MB/s', series: bars(bulk, 'rate') })
  return [echo.build(), open.build(), small.build(), bulk.build()]
}

// -- through the relay

export const throughRelay = async (entries: readonly Entry[], settings: Settings, noise: NoiseSample[]): Promise<Table[]> => {
  const { quick, seed, progress, failed } = settings
  const able = entries.filter(({ contestant }) => contestant.reliable !== false && contestant.udp !== false)
  const table = new TableBuilder({
    id: 'relay', kind: 'clock', title: 'Echo through a bad network, on real sockets',
    about: 'Open model, 64-byte messages 100 times a second through the impairment relay: round trip 50 ms, loss in both directions. ' +
      'The relay adds up to 2 ms of its own. Two contestants at a time. TCP cannot pass a UDP relay.',
  })
  const rounds = quick ? 1 : 3
  const seconds = quick ? 5 : 6
  const series = able.map(({ contestant }) => ({ name: contestant.name, points: [] as [string, number][] }))
  const measure = async (entry: Entry, loss: number, round: number): Promise<void> => {
    const { name } = entry.contestant
    let server: Awaited<ReturnType<typeof startServer>> | null = null
    let relay: ImpairRelay | null = null
    try {
      server = await startServer(entry)
      const conditions: Conditions = { latencyMs: 25, lossRatio: loss / 100 }
      relay = await openLoopbackRelay(server.port, { conditions, seed: seed + round, maxClients: 8, precise: false })
      const { samplesNs = [], missing = 0 } = await runClient(entry, relay.address.port, 'open', { size: 64, rate: 100, seconds })
      for (const percent of [50, 99]) table.add(`${loss}-p${percent}`, `${loss} % loss, p${percent}`, 'ms', 'lower', name,
        percentile(samplesNs, percent) / 1e6)
      if (missing > 0) table.add(`${loss}-missing`, `${loss} % loss, not back after 10 s`, '', 'lower', name, missing)
    } catch (error) {
      failed(name, `${loss} % loss through the relay`, error)
    } finally {
      await relay?.close()
      await server?.stop()
    }
  }
  for (const loss of quick ? [0, 5] : [0, 1, 5, 10, 20]) {
    for (let round = 0; round < rounds; round++) {
      noise.push(await sampleNoise())
      // Two at a time, each with a relay of its own, in another order in each round: the load is light, the waiting long.
      for (let i = 0; i < able.length; i += 2) {
        const pair = [i, i + 1].filter((at) => at < able.length).map((at) => able[(at + round) % able.length] as Entry)
        progress(`relay at ${loss} % loss, round ${round + 1} of ${rounds}: ${pair.map(({ contestant }) => contestant.name).join(', ')}`)
        await Promise.all(pair.map((entry) => measure(entry, loss, round)))
      }
    }
    for (const { name, points } of series) {
      const found = table.rounds(`${loss}-p99`, name)
      if (found.length > 0) points.push([`${loss} %`, median(found)])
    }
  }
  table.plots.push({ kind: 'lines', title: 'p99 against loss', xLabel: 'loss in each direction', yLabel: 'ms', logY: true, series })
  return [table.build(), await relayItself(settings)]
}

/** How late the relay itself is: 64 clients, 2,000 datagrams a second in all, a stranger's program behind it. */
const relayItself = async ({ quick, seed, progress }: Settings): Promise<Table> => {
  const table = new TableBuilder({
    id: 'relay-error', kind: 'clock', title: 'What the relay adds',
    about: 'How late datagrams leave the relay: 64 clients, 2,000 datagrams a second in all, latency and jitter. `vaiven impair`, and ' +
      'with --precise.',
  })
  const { crowdOfDatagrams } = await import('../lib/datagram-crowd.ts')
  for (const precise of [false, true]) {
    progress(`relay itself${precise ? ', precise' : ''}`)
    const crowd = await crowdOfDatagrams({ clients: 64, perSecond: 1000 })
    const relay = await ImpairRelay.open({
      listen: { host: '127.0.0.1', port: 0 }, to: { address: '127.0.0.1', port: crowd.echoPort },
      conditions: { to: { latencyMs: 20, jitterMs: 10 }, from: { latencyMs: 20 } }, seed, maxClients: 64, precise,
    })
    crowd.start(relay.address.port)
    await new Promise((resolve) => setTimeout(resolve, 700))
    relay.lateMicros.reset()
    await new Promise((resolve) => setTimeout(resolve, quick ? 2000 : 5000))
    const name = precise ? '--precise' : 'impair'
    for (const percent of [50, 99]) table.add(`p${percent}`, `p${percent}`, 'ms', 'lower', name,
      relay.lateMicros.percentile(percent) / 1000)
    table.add('max', 'latest', 'ms', 'lower', name, relay.lateMicros.max / 1000)
    await crowd.stop()
    await relay.close()
  }
  return table.build()
}
