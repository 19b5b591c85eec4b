// What a row of the table is: a bar, and cells measured against it; and how a table looks as text and as JSON. Measures nothing.

/** One measurement against its bar. */
export interface Cell {
  readonly name: string
  readonly value: number
  readonly atMost?: number
  readonly atLeast?: number
  /** Other figures of the same run. */
  readonly detail?: string
}

export interface Row {
  /** Word by which `--only` finds it. */
  readonly key: string
  readonly what: string
  readonly bar: string
  readonly unit: string
  measure(): Cell[]
  /** Why cells that fall short do, where we know. */
  readonly known?: string
}

/** A row after measuring. */
export interface MeasuredRow {
  readonly key: string
  readonly what: string
  readonly bar: string
  readonly unit: string
  readonly cells: readonly Cell[]
  readonly short: readonly Cell[]
  readonly worst: Cell | null
  readonly known: string
}

/** How far a cell is on the wrong side of its bar, as a factor: above 1 is short. */
export const strain = ({ value, atMost, atLeast }: Cell): number => {
  if (!Number.isFinite(value)) return Infinity
  const above = atMost === undefined ? 0 : atMost === 0 ? (value > 0 ? Infinity : 1) : value / atMost
  const below = atLeast === undefined ? 0 : value <= 0 ? Infinity : atLeast / value
  return Math.max(above, below)
}

/** Beyond the last digit that is shown. */
export const holds = (cell: Cell): boolean => strain(cell) <= 1.0005

export const measured = (row: Row): MeasuredRow => {
  const { key, what, bar, unit } = row
  const cells = row.measure()
  const sorted = [...cells].sort((a, b) => strain(b) - strain(a))
  return { key, what, bar, unit, cells, short: cells.filter((cell) => !holds(cell)), worst: sorted[0] ?? null, known: row.known ?? '' }
}

const shown = (value: number): string => value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 3)

/** One line for the row, one for each cell that falls short, and all of them on request. */
export const asText = (row: MeasuredRow, all: boolean): string => {
  const { cells, short, worst, unit } = row
  const verdict = cells.length === 0 ? 'not measured' : short.length === 0 ? 'holds' : `falls short in ${short.length} of ${cells.length}`
  const extreme = worst === null ? '-' : `${shown(worst.value)}${unit} (${worst.name})`
  const head = `${row.what}\n    bar ${row.bar}   ${verdict}   worst ${extreme}`
  const listed = all ? cells : short
  const lines = listed.map((cell) => `      ${holds(cell) ? ' ' : '!'} ${cell.name}: ${shown(cell.value)}${unit}   ${cell.detail ?? ''}`.trimEnd())
  const why = short.length > 0 && row.known !== '' ? [`      ${row.known}`] : []
  return [head, ...lines, ...why].join('\n')
}

/** The same as a table for a document. */
export const asMarkdown = (rows: readonly MeasuredRow[]): string =>
  [
    '| what | bar | cells | worst cell | value | |',
    '|---|---|---|---|---|---|',
    ...rows.map(({ what, bar, cells, short, worst, unit }) => {
      const verdict = short.length === 0 ? 'holds' : `short in ${short.length}`
      const value = worst === null ? '-' : shown(worst.value) + unit
      return `| ${[what, bar, cells.length, worst?.name ?? '-', value, verdict].join(' | ')} |`
    }),
  ].join('\n')
