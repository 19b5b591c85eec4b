// Loss recovery in real time: real sockets on loopback through the impairment relay, ours beside C ENet programs that are served
// every millisecond and, where bench/peers is installed, rivals, all in one run. One-way delivery of two
// 64-byte reliable ordered messages a tick at 60 Hz, both ways; and 4 MB through 20 Mbit/s.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Conditions } from '../../src/transport/simulator/index.ts'
import { machine } from '../lib/machine.ts'
import { packageRoot } from '../lib/package-root.ts'
import { Talker } from '../lib/processes.ts'
import { at } from '../lib/statistics.ts'
import { signalledPath, udpPath } from './real-path.ts'
import type { RealPath, RelaySettings } from './real-path.ts'
import { markdown, svg } from './real-report.ts'
import type { BulkRow, GameRow, RealReport } from './real-report.ts'

export const help = `usage: npm run bench -- recovery-real [OPTIONS]

Loss recovery over real sockets through the impairment relay, ours beside C ENet and rivals, in real time.

  --quick           two conditions, short runs
  --seconds N       length of each run (default 30)
  --only TEXT       only conditions whose name contains TEXT, such as "RTT 50" or "bulk"
  --at-once N       pairings that run at the same time (default 2)
  --json FILE       write the figures there
  --out FOLDER      write recovery-real.md and recovery-real.svg there
`

/** A program in either role. */
interface Program {
  readonly file: string
  readonly args: (role: readonly string[]) => string[]
}

interface Pairing {
  readonly name: string
  readonly sender: Program
  readonly receiver: Program
  /** Whose latencies count: at the accepting side only, where the two differ. */
  readonly both: boolean
  readonly bulk: boolean
  readonly path: (port: number, settings: RelaySettings) => Promise<RealPath>
}

const peerFile = fileURLToPath(new URL('./real-peer.js', import.meta.url))
const inNode = (which: string): Program => ({ file: process.execPath, args: (role) => [peerFile, which, ...role] })

const compiled = (): Program | null => {
  const source = join(packageRoot, 'bench', 'native', 'real.c')
  const folder = join(packageRoot, 'node_modules', '.cache', 'vaiven-bench')
  const file = join(folder, `real-${createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16)}`)
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true })
    const mine = `${file}.${process.pid}`
    if (spawnSync('cc', ['-std=gnu11', '-O2', '-o', mine, source, '-lenet']).status !== 0) return null
    renameSync(mine, file)
  }
  return { file, args: (role) => [...role] }
}

/** Rivals of bench/peers whose datagrams can be led through the relay. */
const RIVALS = [
  { name: 'udx-native', file: 'udx.js', path: udpPath },
  { name: 'node-kcp', file: 'kcp.js', path: udpPath },
  { name: 'raknet-native', file: 'raknet.js', path: udpPath },
  { name: 'node-datachannel', file: 'datachannel.js', path: signalledPath },
] as const

/** Everyone who takes part, and why others do not. */
const pairingsHere = (): { pairings: Pairing[]; absent: string[] } => {
  const c = compiled()
  const lean = inNode('{}')
  const redundant = inNode('{"redundancy":"auto"}')
  const pairings: Pairing[] = [
    { name: 'ours, lean', sender: lean, receiver: lean, both: true, bulk: true, path: udpPath },
    { name: 'ours, redundant', sender: redundant, receiver: redundant, both: true, bulk: false, path: udpPath },
  ]
  const absent: string[] = []
  if (c === null) absent.push('C ENet (needs a C compiler and libenet-dev)')
  else {
    pairings.unshift({ name: 'C ENet', sender: c, receiver: c, both: true, bulk: true, path: udpPath })
    pairings.push({ name: 'ours, lean → C receiver', sender: lean, receiver: c, both: false, bulk: true, path: udpPath },
      { name: 'ours, redundant → C receiver', sender: redundant, receiver: c, both: false, bulk: false, path: udpPath })
  }
  const peers = join(packageRoot, 'bench', 'peers')
  for (const { name, file, path } of RIVALS) {
    if (!existsSync(join(peers, 'node_modules', name))) {
      absent.push(`${name} (npm ci in bench/peers)`)
      continue
    }
    const program = inNode(join(peers, 'contestants', file))
    pairings.push({ name, sender: program, receiver: program, both: true, bulk: true, path })
  }
  return { pairings, absent }
}

interface Weather {
  readonly name: string
  readonly rttMs: number
  readonly loss: string
  readonly conditions: Conditions
}

const CONDITIONS: readonly Weather[] = [50, 100].flatMap((rttMs) => [
  ...[0, 0.01, 0.05, 0.1, 0.2].map((lossRatio) => {
    const loss = `${lossRatio * 100} %`
    return { name: `RTT ${rttMs}, ${loss}`, rttMs, loss, conditions: { latencyMs: rttMs / 2, lossRatio } }
  }),
  {
    name: `RTT ${rttMs}, 5 % in bursts of 40 ms`, rttMs, loss: 'bursts',
    conditions: { latencyMs: rttMs / 2, burstLoss: { lossRatio: 0.05, meanBurstMs: 40 } },
  },
])
const QUICK = new Set(['RTT 50, 5 %', 'RTT 100, 10 %'])
const SHARES = [50, 95, 99, 99.9] as const

const game = async (
  { sender, receiver, both, path }: Pairing, conditions: Conditions, seconds: number, seed: number,
): Promise<number[]> => {
  const server = new Talker(receiver.file, receiver.args(['server', String(seconds)]))
  try {
    const { port } = await server.next<{ port: number }>('listening')
    const way = await path(port, { conditions, seed, precise: false })
    const client = new Talker(sender.file, sender.args(['client', String(seconds), String(way.port)]))
    try {
      const limit = (seconds + 60) * 1000
      const [there, back] = await Promise.all([server, client].map((one) => one.next<{ microseconds: number[] }>('done', limit)))
      return [...there!.microseconds, ...(both ? back!.microseconds : [])].map((us) => us / 1000).sort((a, b) => a - b)
    } finally {
      await client.stop()
      await way.close()
    }
  } finally {
    await server.stop()
  }
}

const BULK_LIMIT_MS = 120_000

const bulk = async ({ sender, receiver, path }: Pairing, lossRatio: number, seed: number): Promise<number> => {
  const sink = new Talker(receiver.file, receiver.args(['sink']))
  try {
    const { port } = await sink.next<{ port: number }>('listening')
    const conditions = { latencyMs: 30, lossRatio, rateBytesPerSecond: 2_500_000, queueBytes: 150_000 }
    const way = await path(port, { conditions, seed, precise: true })
    const source = new Talker(sender.file, sender.args(['source', String(way.port), '4000000']))
    try {
      return (await sink.next<{ ms: number }>('bulk', BULK_LIMIT_MS)).ms
    } finally {
      await source.stop()
      await way.close()
    }
  } finally {
    await sink.stop()
  }
}

export const run = async (args: string[]): Promise<number> => {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false }, seconds: { type: 'string' }, only: { type: 'string' }, 'at-once': { type: 'string' },
      json: { type: 'string' }, out: { type: 'string' },
    },
  })
  const { quick, only } = values
  const seconds = Number(values.seconds ?? (quick ? 12 : 30))
  const atOnce = Number(values['at-once'] ?? 2)
  const { pairings, absent } = pairingsHere()
  for (const why of absent) process.stdout.write(`absent: ${why}\n`)
  const wanted = (name: string): boolean => only === undefined ? !quick || QUICK.has(name) : name.includes(only)

  const rows: GameRow[] = []
  for (const [index, { name: condition, rttMs, loss, conditions }] of CONDITIONS.entries()) {
    if (!wanted(condition)) continue
    process.stdout.write(`${condition}\n`)
    // Some at the same time, each through a relay of its own with the same seed; more would wait for each other's turn at the processor.
    for (let i = 0; i < pairings.length; i += atOnce) {
      const some = pairings.slice(i, i + atOnce)
      const all = await Promise.all(some.map((pairing) => game(pairing, conditions, seconds, 100 + index)))
      for (const [j, sorted] of all.entries()) {
        const name = (some[j] as Pairing).name
        const ms = SHARES.map((share) => at(sorted, share))
        rows.push({ condition, rttMs, loss, name, ms, messages: sorted.length })
        process.stdout.write(`  ${name.padEnd(30)} ${ms.map((value) => value.toFixed(0).padStart(6)).join('')}   (${sorted.length})\n`)
      }
    }
  }

  const idealBulkMs = 4_000_000 / 2_500 + 30
  const bulkRows: BulkRow[] = []
  const losses = only !== undefined && !'bulk'.includes(only) ? [] : quick ? [0.01] : [0, 0.01, 0.03]
  if (losses.length > 0) process.stdout.write(`4 MB through 20 Mbit/s, 60 ms; ideal ${idealBulkMs} ms\n`)
  for (const loss of losses) {
    const carriers = pairings.filter((pairing) => pairing.bulk)
    const all = carriers.map((): number[] => [])
    // In turns, so that what disturbs the machine for a while does not hit one of them alone.
    for (let round = 0; round < (quick ? 1 : 3); round++) {
      for (const [i, pairing] of carriers.entries()) all[i]?.push(await bulk(pairing, loss, 7 + round))
    }
    for (const [i, { name }] of carriers.entries()) {
      const ms = (all[i] as number[]).sort((a, b) => a - b)
      bulkRows.push({ name, loss, ms })
      const figures = ms.map((one) => `${(one / idealBulkMs).toFixed(2)} x`).join('  ')
      process.stdout.write(`  ${`${loss * 100} %, ${name}`.padEnd(34)} ${figures}\n`)
    }
  }

  const command = ['npm run bench -- recovery-real', ...(values.seconds === undefined ? [] : [`--seconds ${seconds}`]),
    ...(values['at-once'] === undefined ? [] : [`--at-once ${atOnce}`])].join(' ')
  const report: RealReport = { machine: machine(), command, seconds, atOnce, rows, bulk: bulkRows, idealBulkMs, absent }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`)
  if (values.out !== undefined) {
    writeFileSync(join(values.out, 'recovery-real.md'), markdown(report))
    writeFileSync(join(values.out, 'recovery-real.svg'), svg(rows))
  }
  return 0
}
