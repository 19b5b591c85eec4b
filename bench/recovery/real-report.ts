// What the real-time comparison says: a table as Markdown, and p99 against loss as a picture of its own. Knows nothing of how it was
// measured.

import type { machine } from '../lib/machine.ts'
import type { Plot } from '../lib/report.ts'
import { drawPlot } from '../report/svg.ts'

/** Latencies of one pairing under one condition. */
export interface GameRow {
  readonly condition: string
  readonly rttMs: number
  readonly loss: string
  readonly name: string
  /** p50, p95, p99, p99.9, one way. */
  readonly ms: readonly number[]
  readonly messages: number
}

/** How long transfers took. */
export interface BulkRow {
  readonly name: string
  readonly loss: number
  /** Sorted. */
  readonly ms: readonly number[]
}

/** Everything that was measured in one run. */
export interface RealReport {
  readonly machine: ReturnType<typeof machine>
  /** The command that measured it. */
  readonly command: string
  readonly seconds: number
  /** Pairings that ran at the same time. */
  readonly atOnce: number
  readonly rows: readonly GameRow[]
  readonly bulk: readonly BulkRow[]
  readonly idealBulkMs: number
  /** Rivals that are not installed, or did not run, and why. */
  readonly absent: readonly string[]
}

/** What lean is to reach at RTT 50: p99 in ms by loss. */
const TARGETS: Readonly<Record<string, number>> = { '1 %': 80, '5 %': 85, '10 %': 95, '20 %': 130 }

const milliseconds = (value: number): string => value.toFixed(value < 10 ? 1 : 0)

export const markdown = ({ machine: where, command, seconds, atOnce, rows, bulk, idealBulkMs, absent }: RealReport): string => {
  const lean = Object.keys(TARGETS).map((loss) => rows.find((row) => row.rttMs === 50 && row.loss === loss && row.name === 'ours, lean'))
  return [
    '# Loss recovery in real time',
    '',
    `\`${command}\`, ${where.date}, Node ${where.node}, ${where.cpu} (${where.cores} cores), commit ${where.commit}.`,
    'One-way delivery in ms of two 64-byte reliable ordered messages a tick at 60 Hz, both ways, over real sockets through a relay with',
    `the same loss in each direction, ${seconds} s each. C programs are served every millisecond; they and ours also send a 200-byte`,
    `unreliable state each tick. ${atOnce} rows ran at the same time; all rows of a condition have the same seed. Where the receiver is`,
    'a C program, only what it received counts. The rows without loss show how late the processes of this machine wake: nothing else',
    'delays them.',
    ...absent.map((why) => `Absent: ${why}.`),
    '',
    '| condition | who | p50 | p95 | p99 | p99.9 |',
    '|---|---|---|---|---|---|',
    ...rows.map(({ condition, name, ms }) => `| ${condition} | ${name} | ${ms.map(milliseconds).join(' | ')} |`),
    '',
    ...(lean.every((row) => row !== undefined)
      ? [`At RTT 50 lean is to reach a p99 of ${Object.values(TARGETS).join(' / ')} ms at ${Object.keys(TARGETS).join(' / ')} loss; ` +
        `here ${lean.map((row) => milliseconds(row?.ms[2] ?? 0)).join(' / ')}.`, '']
      : []),
    `4 MB through 20 Mbit/s and 60 ms, as multiples of the ideal (${idealBulkMs} ms: the bottleneck's rate and half a round trip; at`,
    'most 1.15 at 0 and 1 %), sorted; one transfer at a time, the relay watching the clock:',
    '',
    '| loss | who | |',
    '|---|---|---|',
    ...bulk.map(({ loss, name, ms }) => `| ${loss * 100} % | ${name} | ${ms.map((one) => (one / idealBulkMs).toFixed(2)).join(', ')} |`),
    '',
    '![p99 against loss](recovery-real.svg)',
    '',
  ].join('\n')
}

const COLOURS = ['#868e96', '#d9480f', '#2b8a3e', '#1864ab', '#862e9c', '#e67700', '#0b7285', '#a61e4d', '#5c7c0a']
const PANEL = { width: 560, height: 300 }
const KEYS_IN_A_ROW = 5

/** p99 against loss, one panel for each round trip, as a file of its own. */
export const svg = (rows: readonly GameRow[]): string => {
  const names = [...new Set(rows.map(({ name }) => name))]
  const panels = [...new Set(rows.map(({ rttMs }) => rttMs))].map((rttMs): Plot => ({
    kind: 'lines', title: `Round trip ${rttMs} ms`, xLabel: `loss in each direction, round trip ${rttMs} ms`, yLabel: 'p99, ms', logY: true,
    series: names.map((name) => ({
      name,
      points: rows.filter((row) => row.rttMs === rttMs && row.name === name).map((row) => [row.loss, row.ms[2] as number] as const),
    })),
  }))
  const style = 'text{font:11px sans-serif;fill:#444}.grid{stroke:#e3e0d9}.line{fill:none;stroke-width:2}' +
    COLOURS.map((colour, i) => `.line.c${i}{stroke:${colour}}.dot.c${i},.key.c${i}{fill:${colour}}`).join('')
  const width = PANEL.width * panels.length
  const keyWidth = width / KEYS_IN_A_ROW
  const height = PANEL.height + 14 + 16 * Math.ceil(names.length / KEYS_IN_A_ROW)
  const inner = panels.map((plot, i) => drawPlot(plot, (name) => names.indexOf(name))
    .replace('<svg ', `<svg x="${PANEL.width * i}" width="${PANEL.width}" height="${PANEL.height}" `))
  const key = names.map((name, i) => {
    const x = 20 + (i % KEYS_IN_A_ROW) * keyWidth
    const y = PANEL.height + 12 + 16 * Math.floor(i / KEYS_IN_A_ROW)
    return `<rect class="key c${i}" x="${x}" y="${y}" width="14" height="4"/><text x="${x + 20}" y="${y + 6}">${name}</text>`
  })
  const paper = `<rect width="${width}" height="${height}" fill="#fff"/>`
  const body = [`<style>${style}</style>`, paper, ...inner, ...key].join('')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}">${body}</svg>\n`
}
