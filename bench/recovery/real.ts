// Loss recovery in real time: real sockets on loopback through an impairment relay, ours beside C ENet programs that are served
// every millisecond, all in one run. One-way delivery of two 64-byte reliable ordered messages a tick at 60 Hz, both ways;
// and 4 MB through 20 Mbit/s.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Conditions } from '../../src/transport/simulator/index.ts'
import { openRelay } from '../../test/interop/support/relay.ts'
import { machine } from '../lib/machine.ts'
import { packageRoot } from '../lib/package-root.ts'
import { Talker } from '../lib/processes.ts'
import type { Plot } from '../lib/report.ts'
import { at } from '../lib/statistics.ts'
import { drawPlot } from '../report/svg.ts'

export const help = `usage: npm run bench -- recovery-real [OPTIONS]

Loss recovery over real sockets through an impairment relay, ours beside C ENet, in real time.

  --quick           two conditions, short runs
  --seconds N       length of each run (default 30)
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
}

const peerFile = fileURLToPath(new URL('./real-peer.js', import.meta.url))
const oursWith = (options: object): Program => ({ file: process.execPath, args: (role) => [peerFile, ...role, JSON.stringify(options)] })

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

const game = async ({ sender, receiver, both }: Pairing, conditions: Conditions, seconds: number, seed: number): Promise<number[]> => {
  const server = new Talker(receiver.file, receiver.args(['server', String(seconds)]))
  try {
    const { port } = await server.next<{ port: number }>('listening')
    const relay = await openRelay(port, conditions, seed)
    const client = new Talker(sender.file, sender.args(['client', String(seconds), String(relay.port)]))
    try {
      const limit = (seconds + 60) * 1000
      const [there, back] = await Promise.all([server, client].map((one) => one.next<{ microseconds: number[] }>('done', limit)))
      return [...there!.microseconds, ...(both ? back!.microseconds : [])].map((us) => us / 1000).sort((a, b) => a - b)
    } finally {
      await client.stop()
      await relay.close()
    }
  } finally {
    await server.stop()
  }
}

const bulk = async ({ sender, receiver }: Pairing, lossRatio: number, seed: number): Promise<number> => {
  const sink = new Talker(receiver.file, receiver.args(['sink']))
  try {
    const { port } = await sink.next<{ port: number }>('listening')
    const path = { latencyMs: 30, lossRatio, rateBytesPerSecond: 2_500_000, queueBytes: 150_000 }
    const relay = await openRelay(port, path, seed)
    const source = new Talker(sender.file, sender.args(['source', String(relay.port), '4000000']))
    try {
      return (await sink.next<{ ms: number }>('bulk', 120_000)).ms
    } finally {
      await source.stop()
      await relay.close()
    }
  } finally {
    await sink.stop()
  }
}

export const run = async (args: string[]): Promise<number> => {
  const { values } = parseArgs({
    args,
    options: { quick: { type: 'boolean', default: false }, seconds: { type: 'string' }, json: { type: 'string' }, out: { type: 'string' } },
  })
  const seconds = Number(values.seconds ?? (values.quick ? 12 : 30))
  const c = compiled()
  const lean = oursWith({})
  const redundant = oursWith({ redundancy: 'auto' })
  const pairings: Pairing[] = [
    ...(c === null ? [] : [{ name: 'C ENet', sender: c, receiver: c, both: true }]),
    { name: 'ours, lean', sender: lean, receiver: lean, both: true },
    { name: 'ours, redundant', sender: redundant, receiver: redundant, both: true },
    ...(c === null ? [] : [
      { name: 'ours, lean → C receiver', sender: lean, receiver: c, both: false },
      { name: 'ours, redundant → C receiver', sender: redundant, receiver: c, both: false },
    ]),
  ]
  const rows: { condition: string; rttMs: number; loss: string; name: string; ms: number[] }[] = []
  for (const [index, { name: condition, rttMs, loss, conditions }] of CONDITIONS.entries()) {
    if (values.quick && !QUICK.has(condition)) continue
    // Two at the same time, each through a relay of its own with the same seed: more would wait for each other's turn at the processor.
    const all: number[][] = []
    for (let i = 0; i < pairings.length; i += 2) {
      all.push(...(await Promise.all(pairings.slice(i, i + 2).map((pairing) => game(pairing, conditions, seconds, 100 + index)))))
    }
    process.stdout.write(`${condition}\n`)
    pairings.forEach(({ name }, i) => {
      const ms = SHARES.map((share) => at(all[i] as number[], share))
      rows.push({ condition, rttMs, loss, name, ms })
      const figures = ms.map((value) => value.toFixed(0).padStart(6)).join('')
      process.stdout.write(`  ${name.padEnd(30)} ${figures}   (${(all[i] as number[]).length})\n`)
    })
  }
  const ideal = 4_000_000 / 2_500 + 30
  const bulkRows: { name: string; loss: number; ms: number[] }[] = []
  process.stdout.write(`4 MB through 20 Mbit/s, 60 ms; ideal ${ideal} ms\n`)
  for (const loss of values.quick ? [0.01] : [0, 0.01, 0.03]) {
    for (const pairing of pairings.filter(({ name }) => !name.includes('redundant'))) {
      const ms: number[] = []
      for (let i = 0; i < (values.quick ? 1 : 3); i++) ms.push(await bulk(pairing, loss, 7 + i))
      ms.sort((a, b) => a - b)
      bulkRows.push({ name: pairing.name, loss, ms })
      const figures = ms.map((one) => `${(one / ideal).toFixed(2)} x`).join('  ')
      process.stdout.write(`  ${`${loss * 100} %, ${pairing.name}`.padEnd(34)} ${figures}\n`)
    }
  }
  const report = { machine: machine(), seconds, rows, bulk: bulkRows, idealBulkMs: ideal }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`)
  if (values.out !== undefined) {
    writeFileSync(join(values.out, 'recovery-real.md'), markdown(report))
    writeFileSync(join(values.out, 'recovery-real.svg'), svg(rows, pairings.map(({ name }) => name)))
  }
  return 0
}

interface Report {
  readonly machine: ReturnType<typeof machine>
  readonly seconds: number
  readonly rows: readonly { condition: string; name: string; ms: number[] }[]
  readonly bulk: readonly { name: string; loss: number; ms: number[] }[]
  readonly idealBulkMs: number
}

const markdown = ({ machine: where, seconds, rows, bulk: transfers, idealBulkMs }: Report): string =>
  [
    '# Loss recovery in real time',
    '',
    `\`npm run bench -- recovery-real\`, ${where.date}, Node ${where.node}, ${where.cpu} (${where.cores} cores), commit ${where.commit}.`,
    'One-way delivery in ms of two 64-byte reliable ordered messages a tick at 60 Hz over real sockets through a relay with loss each',
    `way, ${seconds} s each, C programs served every millisecond. Two rows ran at the same time; all of a condition have the same seed.`,
    '',
    '| condition | who | p50 | p95 | p99 | p99.9 |',
    '|---|---|---|---|---|---|',
    ...rows.map(({ condition, name, ms }) => `| ${condition} | ${name} | ${ms.map((value) => value.toFixed(0)).join(' | ')} |`),
    '',
    `4 MB through 20 Mbit/s and 60 ms, as multiples of the ideal (${idealBulkMs} ms), three runs each:`,
    '',
    '| loss | who | |',
    '|---|---|---|',
    ...transfers.map(({ loss, name, ms }) => {
      const figures = ms.map((one) => (one / idealBulkMs).toFixed(2)).join(', ')
      return `| ${loss * 100} % | ${name} | ${figures} |`
    }),
    '',
    '![p99 against loss](recovery-real.svg)',
    '',
  ].join('\n')

/** p99 against loss, one panel for each round trip, as a file of its own. */
const svg = (rows: readonly { rttMs: number; loss: string; name: string; ms: number[] }[], names: readonly string[]): string => {
  const panels = [...new Set(rows.map(({ rttMs }) => rttMs))].map((rttMs): Plot => ({
    kind: 'lines', title: `Round trip ${rttMs} ms`, xLabel: `loss in each direction, round trip ${rttMs} ms`, yLabel: 'p99, ms', logY: true,
    series: names.map((name) => ({
      name,
      points: rows.filter((row) => row.rttMs === rttMs && row.name === name).map((row) => [row.loss, row.ms[2] as number] as const),
    })),
  }))
  const colours = ['#868e96', '#d9480f', '#2b8a3e', '#1864ab', '#862e9c']
  const style = 'text{font:11px sans-serif;fill:#444}.grid{stroke:#e3e0d9}.line{fill:none;stroke-width:2}' +
    colours.map((colour, i) => `.line.c${i}{stroke:${colour}}.dot.c${i},.key.c${i}{fill:${colour}}`).join('')
  const width = 560 * panels.length
  const inner = panels.map((plot, i) =>
    drawPlot(plot, (name) => names.indexOf(name)).replace('<svg ', `<svg x="${560 * i}" width="560" height="300" `))
  const key = names.map((name, i) =>
    `<rect class="key c${i}" x="${20 + i * 200}" y="312" width="14" height="4"/><text x="${40 + i * 200}" y="318">${name}</text>`)
  const paper = `<rect width="${width}" height="330" fill="#fff"/>`
  const body = [`<style>${style}</style>`, paper, ...inner, ...key].join('')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} 330">${body}</svg>\n`
}
