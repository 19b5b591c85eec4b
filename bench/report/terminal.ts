// A report as text for terminals: one table after the other, columns aligned, rounds as median and spread.

import type { Report, Table } from '../lib/report.ts'
import { spread } from '../lib/statistics.ts'
import { digits } from './svg.ts'

export const terminalTable = (table: Table): string => {
  const names = [...new Set(table.rows.flatMap(({ values }) => Object.keys(values)))]
  const cells = table.rows.map(({ label, unit, values }) => [
    label,
    ...names.map((name) => {
      const rounds = values[name]
      if (rounds === undefined) return '–'
      const { median, low, high } = spread(rounds)
      return rounds.length < 2 ? digits(median) : `${digits(median)} (${digits(low)}–${digits(high)})`
    }),
    unit,
  ])
  const rows = [['', ...names, ''], ...cells]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const text = rows.map((row) =>
    `  ${row.map((cell, i) => (i === 0 || i === row.length - 1 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ' +
    '')}`.trimEnd())
  return `${table.title}${table.kind === 'exact' ? '  [exact]' : ''}\n${text.join('\n')}\n`
}

export const terminalReport = ({ machine, noise, tables, contestants, failures = [] }: Report): string => [
  ...tables.map(terminalTable),
  ...contestants.filter(({ missing }) => missing !== null).map(({ name, missing }) => `not measured: ${name}, ${missing}`),
  ...failures.map(({ contestant, what, why }) => `failed: ${contestant} at ${what}: ${why}`),
  `Node ${machine.node}, ${machine.cores} × ${machine.cpu}, commit ${machine.commit}, ${machine.date}`,
  ...(noise === null ? [] : [`machine: ${noise.verdict}`]),
  '',
].join('\n')
