// The bench's judgement: what counts as noise, what counts as a change, and a report that needs nothing but itself.

import t from 'tap'
import { judgeNoise } from '../../bench/lib/machine.ts'
import { TableBuilder } from '../../bench/lib/report.ts'
import type { Report, Table } from '../../bench/lib/report.ts'
import { at, median, percentile, ratios, spread } from '../../bench/lib/statistics.ts'
import { compare, comparisonText } from '../../bench/report/compare.ts'
import { htmlReport } from '../../bench/report/html.ts'
import { terminalReport } from '../../bench/report/terminal.ts'

const machine = { node: 'v20.20.2', cpu: 'a <processor>', cores: 2, memoryGb: 4, system: 'linux 6', commit: 'abc1234',
  date: '2026-01-01T00:00Z' }
const quiet = judgeNoise([{ busy: 0.01, workMs: 10 }, { busy: 0.02, workMs: 10.1 }])

const reportOf = (tables: Table[], noise = quiet): Report => ({
  format: 1, machine, settings: { quick: true, seed: 1, suites: ['virtual'], seconds: 1 }, noise,
  contestants: [{ name: 'vaiven', about: 'ours', missing: null }, { name: 'enet', about: 'C', missing: 'no compiler' }], tables,
})

const tableOf = (kind: 'exact' | 'clock', rounds: readonly number[], better: 'lower' | 'higher' = 'lower'): Table => {
  const table = new TableBuilder({ id: 'a', title: 'A table', about: 'About it', kind })
  for (const value of rounds) table.add('row', 'A row', 'ms', better, 'vaiven', value)
  table.add('row', 'A row', 'ms', better, 'enet', 77)
  table.plots.push(
    { kind: 'percentiles', title: 'Curve', xLabel: 'percentile', yLabel: 'ms', logY: true,
      series: [{ name: 'vaiven', points: [[0, 1], [50, 2], [99.9, 30]] }] },
    { kind: 'lines', title: 'Lines', xLabel: 'loss', yLabel: 'ms', series: [{ name: 'vaiven', points: [['0 %', 1], ['5 %', 4]] }] },
    { kind: 'bars', title: 'Bars', xLabel: '', yLabel: 'MB/s',
      series: [{ name: 'vaiven', points: [['vaiven', 4]] }, { name: 'enet', points: [['enet', 8]] }] },
  )
  return table.build()
}

const verdict = (before: Table, after: Table, noise = quiet): string | undefined =>
  compare(reportOf([before], noise), reportOf([after], noise)).find(({ contestant }) => contestant === 'vaiven')?.verdict

t.test('percentiles are the nearest rank, medians the middle', (t) => {
  t.equal(percentile([5, 1, 4, 2, 3], 50), 3)
  t.equal(at([1, 2, 3, 4], 100), 4)
  t.equal(at([1, 2, 3, 4], 0), 1)
  t.equal(at([], 50), 0)
  t.equal(median([4, 1, 3, 2]), 2.5)
  t.same(spread([3, 1, 2]), { median: 2, low: 1, high: 3, rounds: 3 })
  t.same(ratios([2, 6], [1, 2]), { median: 2.5, low: 2, high: 3, rounds: 2 })
  t.end()
})

t.test('a machine that does other things, or changes its speed, is called busy', (t) => {
  t.ok(quiet.quiet)
  t.notOk(judgeNoise([{ busy: 0.5, workMs: 10 }, { busy: 0.6, workMs: 10 }, { busy: 0, workMs: 10 }]).quiet)
  t.notOk(judgeNoise([{ busy: 0, workMs: 10 }, { busy: 0, workMs: 14 }]).quiet)
  t.match(judgeNoise([{ busy: 0.5, workMs: 10 }]).verdict, /TOO BUSY/)
  t.end()
})

t.test('what a contestant could not do is said in every report, and its other figures stand', (t) => {
  const report = { ...reportOf([tableOf('clock', [1, 2])]), failures: [{ contestant: 'enet', what: 'bulk, round 2', why: 'it <ended>' }] }
  t.match(terminalReport(report), /failed: enet at bulk, round 2: it <ended>/)
  const html = htmlReport(report)
  t.match(html, 'failed at bulk, round 2: it &lt;ended&gt;')
  t.match(html, '77')
  t.end()
})

t.test('exact figures differ or do not', (t) => {
  t.equal(verdict(tableOf('exact', [100]), tableOf('exact', [100])), 'same')
  t.equal(verdict(tableOf('exact', [100]), tableOf('exact', [100.1])), 'worse')
  t.equal(verdict(tableOf('exact', [100]), tableOf('exact', [99.9])), 'better')
  t.equal(verdict(tableOf('exact', [100], 'higher'), tableOf('exact', [99.9], 'higher')), 'worse')
  t.end()
})

t.test('rounds on a clock must lie apart, by more than their spread and five per cent', (t) => {
  t.equal(verdict(tableOf('clock', [100, 102, 98]), tableOf('clock', [110, 112, 111])), 'worse')
  t.equal(verdict(tableOf('clock', [100, 102, 98]), tableOf('clock', [101, 112, 111])), 'noise', 'rounds overlap')
  t.equal(verdict(tableOf('clock', [100, 100.5, 99.5]), tableOf('clock', [102, 102.5, 101.5])), 'noise', 'apart, but too little')
  t.equal(verdict(tableOf('clock', [100]), tableOf('clock', [120])), 'noise', 'a single round knows nothing of its spread')
  t.equal(verdict(tableOf('clock', [100]), tableOf('clock', [140])), 'worse')
  const busy = judgeNoise([{ busy: 0.9, workMs: 10 }])
  t.equal(verdict(tableOf('clock', [100, 102, 98]), tableOf('clock', [110, 112, 111]), busy), 'noise', 'on a busy machine more is needed')
  t.end()
})

t.test('the comparison says what changed, and how much was noise', (t) => {
  const text = comparisonText(reportOf([tableOf('exact', [100])]), reportOf([tableOf('exact', [150])]))
  t.match(text, 'worse   ×1.50  A table · A row · vaiven: 100 → 150 ms')
  t.match(text, '0 better, 1 worse, 0 changed; 0 within noise, 1 the same')
  t.end()
})

t.test('the report is one file that fetches nothing, and says what is in it', (t) => {
  const html = htmlReport(reportOf([tableOf('clock', [100, 120])]))
  t.notMatch(html, /(src|href)="(?!#)|@import|url\(|https?:/, 'nothing is loaded from anywhere')
  t.equal(html.match(/<svg /g)?.length, 3)
  t.match(html, 'a &lt;processor&gt;', 'what comes from outside is text')
  t.notMatch(html, /NaN|undefined|Infinity/)
  t.match(html, /class="best">77/, 'the best of a row stands out, whoever it is')
  t.match(html, 'not measured: no compiler')
  t.match(html, 'prefers-color-scheme:dark')
  t.match(htmlReport(reportOf([], judgeNoise([{ busy: 0.9, workMs: 10 }]))), 'Busy machine')
  t.end()
})

t.test('the terminal shows medians with their spread', (t) => {
  const text = terminalReport(reportOf([tableOf('clock', [100, 120])]))
  t.match(text, /A row\s+110 \(100–120\)\s+77\s+ms/)
  t.match(text, 'not measured: enet, no compiler')
  t.end()
})
