// Two reports: what changed, and whether that is more than noise. Exact figures differ or do not; rounds on a clock must lie apart.

import type { Report, Row, Table } from '../lib/report.ts'
import { spread } from '../lib/statistics.ts'
import { digits } from './svg.ts'

/** One figure in both reports. */
export interface Change {
  readonly table: string
  readonly row: string
  readonly contestant: string
  readonly before: number
  readonly after: number
  readonly unit: string
  /** after ÷ before. */
  readonly ratio: number
  readonly verdict: 'better' | 'worse' | 'changed' | 'noise' | 'same'
}

/** On a clock, less than this is never called a change, however steady the rounds were. */
const LEAST_CLOCK_CHANGE = 0.05
/** What one round says nothing about: its own spread. */
const ONE_ROUND_CHANGE = 0.25

export const compare = (before: Report, after: Report): Change[] => {
  const noisy = before.noise?.quiet === false || after.noise?.quiet === false
  return before.tables.flatMap((table) => {
    const other = after.tables.find(({ id }) => id === table.id)
    return other === undefined ? [] : table.rows.flatMap((row) => changesOf(table, row, other.rows.find(({ id }) => id === row.id), noisy))
  })
}

const changesOf = (table: Table, row: Row, other: Row | undefined, noisy: boolean): Change[] =>
  Object.entries(row.values).flatMap(([contestant, rounds]) => {
    const later = other?.values[contestant]
    if (later === undefined) return []
    const [a, b] = [spread(rounds), spread(later)]
    const base = { table: table.title, row: row.label, contestant, before: a.median, after: b.median, unit: row.unit,
      ratio: a.median === 0 ? NaN : b.median / a.median }
    if (a.median === b.median) return { ...base, verdict: 'same' }
    const direction = row.better === 'neither' ? 'changed' : b.median < a.median === (row.better === 'lower') ? 'better' : 'worse'
    if (table.kind === 'exact') return { ...base, verdict: direction }
    const apart = a.high < b.low || b.high < a.low
    const least = a.rounds === 1 || b.rounds === 1 || noisy ? ONE_ROUND_CHANGE : LEAST_CLOCK_CHANGE
    return { ...base, verdict: apart && Math.abs(base.ratio - 1) > least ? direction : 'noise' }
  })

/** For people: what is more than noise, and how much was not. */
export const comparisonText = (before: Report, after: Report): string => {
  const changes = compare(before, after)
  const real = changes.filter(({ verdict }) => verdict !== 'same' && verdict !== 'noise')
  const lines = real.map(({ table, row, contestant, before: a, after: b, unit, ratio, verdict }) =>
    `${verdict.padEnd(7)} ${Number.isNaN(ratio) ? '     ' : `×${ratio.toFixed(2)}`}  ${table} · ${row} · ${contestant}: ${digits(a)} → ` +
      `${digits(b)} ${unit}`)
  const count = (verdict: string): number => changes.filter((change) => change.verdict === verdict).length
  const quiet = [before, after].map(({ noise }) => noise?.quiet !== false)
  return [
    `${before.machine.commit} (${before.machine.date}) → ${after.machine.commit} (${after.machine.date})`,
    ...(before.machine.cpu !== after.machine.cpu || before.machine.node !== after.machine.node
      ? ['different machines or versions of Node: only exact figures compare'] : []),
    ...(quiet.every(Boolean) ? [] : ['a machine was busy: clock figures count as changed only beyond 25 %']),
    '',
    ...lines,
    '',
    `${count('better')} better, ${count('worse')} worse, ${count('changed')} changed; ${count('noise')} within noise, ${count('same')} ` +
      `the same`,
    '',
  ].join('\n')
}
