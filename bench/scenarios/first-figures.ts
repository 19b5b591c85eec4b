// The first figures of the transport, measured side by side in one run: ours, bare node:dgram and C ENet on loopback, in interleaved
// rounds, a process for each server and client. `npm run bench -- first-figures [--quick] [--json FILE]`

import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Host } from '../../src/transport/index.ts'
import type { HostEvent } from '../../src/transport/index.ts'
import { Network } from '../../src/transport/simulator/index.ts'
import dgram from '../contestants/dgram.ts'
import enet from '../contestants/enet.ts'
import vaiven from '../contestants/vaiven.ts'
import { judgeNoise, machine, sampleNoise } from '../lib/machine.ts'
import type { NoiseSample } from '../lib/machine.ts'
import { runClient, startServer, Talker } from '../lib/processes.ts'
import type { Entry } from '../lib/processes.ts'
import { percentile, ratios, spread } from '../lib/statistics.ts'
import type { Spread } from '../lib/statistics.ts'

const fileOf = (name: string): string => fileURLToPath(new URL(`../contestants/${name}.js`, import.meta.url))
const OURS: Entry = { contestant: vaiven, file: fileOf('vaiven') }
const BARE: Entry = { contestant: dgram, file: fileOf('dgram') }
const ENET: Entry = { contestant: enet, file: fileOf('enet') }

/** Measurements of one contestant: a list of rounds for each quantity. */
type Rounds = Record<string, Record<string, number[]>>

/** @returns the figures as Markdown */
export const firstFigures = async (options: { rounds: number; progress: (text: string) => void }): Promise<string> => {
  const contestants = [OURS, BARE, ...(enet.unavailable() === null ? [ENET] : [])]
  const rounds: Rounds = {}
  const note = (entry: Entry, quantity: string, value: number): void => {
    ;((rounds[quantity] ??= {})[entry.contestant.name] ??= []).push(value)
  }
  const noise: NoiseSample[] = []
  for (let round = 0; round < options.rounds; round++) {
    noise.push(await sampleNoise())
    // Another order in each round: who goes first finds other caches and another clock rate.
    const order = contestants.map((_, i) => contestants[(i + round) % contestants.length] as Entry)
    for (const entry of order) {
      options.progress(`round ${round + 1} of ${options.rounds}: ${entry.contestant.name}`)
      await oneRound(entry, (quantity, value) => note(entry, quantity, value))
    }
  }
  const idle: string[] = []
  for (const entry of contestants.filter(({ contestant }) => contestant.reliable !== false)) {
    options.progress(`idle peers: ${entry.contestant.name}`)
    idle.push(...(await idlePeers(entry)))
  }
  options.progress('idle peers in virtual time')
  const { node, cpu, cores, system, commit, date } = machine()
  const about = `Node ${node}, ${cores} × ${cpu}, ${system}; commit ${commit}, ${date}; ${options.rounds} interleaved rounds.`
  return [`${about} The machine: ${judgeNoise(noise).verdict}.`, '', table(rounds, contestants), '', '### Idle peers', '', ...idle,
    ...virtualIdle()].join('\n')
}

const oneRound = async (entry: Entry, note: (quantity: string, value: number) => void): Promise<void> => {
  const server = await startServer(entry)
  try {
    const echo = await runClient(entry, server.port, 'echo', { size: 64, count: 12_000 })
    note('echo p50, µs', percentile(echo.samplesNs ?? [], 50) / 1000)
    note('echo p99, µs', percentile(echo.samplesNs ?? [], 99) / 1000)

    const bare = entry.contestant.reliable === false
    let before = await server.usage()
    const small = await runClient(entry, server.port, 'stream',
      bare ? { size: 20, count: 150_000, batch: 20, window: 400, every: 20 }
        : { size: 20, count: 600_000, batch: 20, window: 4000, every: 100 })
    let cpu = small.cpuMs + (await server.usage()).cpuMs - before.cpuMs
    note('small messages, thousands/s', small.messages / (small.ms as number))
    note('CPU per small message, both ends, µs', (cpu * 1000) / small.messages)

    before = await server.usage()
    const size = bare ? 1392 : 1_000_000
    const bulk = await runClient(entry, server.port, 'stream',
      bare ? { size, count: 150_000, batch: 20, window: 400, every: 20 } : { size, count: 200, batch: 1, window: 4, every: 1 })
    cpu = bulk.cpuMs + (await server.usage()).cpuMs - before.cpuMs
    note('bulk, MB/s', (bulk.messages * size) / (bulk.ms as number) / 1000)
    note('CPU per bulk MB, both ends, ms', cpu / ((bulk.messages * size) / 1e6))
  } finally {
    await server.stop()
  }
}

const CROWD = fileURLToPath(new URL('../lib/crowd.js', import.meta.url))

const idlePeers = async (entry: Entry): Promise<string[]> => {
  const lines: string[] = []
  for (const count of [1000, 4000]) {
    const server = await startServer(entry, count === 1000 ? 1000 : 4095)
    const crowd = new Talker(process.execPath, [CROWD, String(server.port), String(count)])
    try {
      const empty = (await server.usage()).heapBytes
      await crowd.next('connected', 120_000)
      await sleep(2_000)
      const before = await server.usage()
      const began = performance.now()
      const seconds = 6
      await sleep(seconds * 1000)
      const after = await server.usage()
      const elapsed = performance.now() - began
      const perPeer = (before.heapBytes / before.peers / 1000).toFixed(2)
      const core = (((after.cpuMs - before.cpuMs) / elapsed) * 100).toFixed(1)
      const rate = ((Number(after.datagramsReceived) - Number(before.datagramsReceived)) / (elapsed / 1000)).toFixed(0)
      lines.push(`- ${entry.contestant.name}, ${after.peers} connected: ${perPeer} kB per peer (host with room for them, empty: ` +
        `${(empty / 1000).toFixed(0)} kB), ${core} % of one core, ${rate} datagrams/s received`)
    } finally {
      await crowd.stop()
      await server.stop()
    }
  }
  return lines
}

/** Exact: what an idle server does in ten seconds, counted in virtual time. */
const virtualIdle = (): string[] => {
  const PEERS = 4000
  const network = new Network({ seed: 1, path: { latencyMs: 20 }, hash: false })
  let runs = 0
  class Counted extends Host {
    override advance(now: number): void {
      runs += 1
      super.advance(now)
    }
  }
  const server = new Counted({ seed: 1, maxPeers: 4095 })
  const serverNode = network.add<HostEvent>('server', server, { onEvent: () => {} })
  for (let i = 0; i < 4; i++) {
    const client = new Host({ seed: 2 + i, maxPeers: PEERS / 4 })
    network.add<HostEvent>(`crowd ${i}`, client, { onEvent: () => {} })
    // Spread over two seconds, as no crowd comes at one moment.
    for (let k = 0; k < PEERS / 4; k++) network.at(k * 2, () => void client.connect(serverNode.address, { channels: 2 }))
  }
  network.runUntil(() => [...server.peers].length === PEERS, { limitMs: 30_000 })
  network.runFor(5_000)
  const before = { runs, sent: serverNode.datagramsSent, received: serverNode.datagramsReceived, cpu: process.cpuUsage() }
  network.runFor(10_000)
  const { user } = process.cpuUsage(before.cpu)
  const per = (count: number): string => (count / 10).toFixed(0)
  return [
    `- vaiven in virtual time, ${PEERS} idle peers, 20 ms away: per second ${per(runs - before.runs)} runs, ` +
      `${per(serverNode.datagramsReceived - before.received)} datagrams received, ${per(serverNode.datagramsSent - before.sent)} sent; ` +
      `${(user / 1e6 / 10 * 100).toFixed(1)} % of one core for both ends and the simulator`,
  ]
}

const digits = (value: number): string => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2))
const range = ({ median, low, high }: Spread): string => `${digits(median)} (${digits(low)}–${digits(high)})`

const table = (rounds: Rounds, contestants: readonly Entry[]): string => {
  const names = contestants.map(({ contestant }) => contestant.name)
  const rivals = names.slice(1)
  const rows = Object.entries(rounds).map(([quantity, values]) => {
    const ours = values['vaiven'] ?? []
    return [
      quantity,
      ...names.map((name) => range(spread(values[name] ?? []))),
      ...rivals.map((name) => range(ratios(ours, values[name] ?? []))),
    ]
  })
  const head = ['', ...names, ...rivals.map((name) => `vaiven ÷ ${name}`)]
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

export const help = `first-figures: echo, small messages, bulk, memory and idle peers on loopback, beside bare dgram and C ENet.
  --rounds N    interleaved rounds, 1 to 50 (default: 5; 2 with --quick)
`

/** Of bench/run.ts. */
export const run = async (args: string[]): Promise<number> => {
  const { values } = parseArgs({ args, options: { quick: { type: 'boolean' }, rounds: { type: 'string' }, json: { type: 'string' } } })
  const rounds = Number(values.rounds ?? (values.quick === true ? 2 : 5))
  process.stdout.write(`${await firstFigures({ rounds, progress: (text) => process.stderr.write(`${text}\n`) })}\n`)
  return 0
}
