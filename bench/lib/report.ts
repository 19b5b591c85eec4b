// The form of all results: tables of rows, one value per contestant, and plots. Terminal, JSON, HTML and comparison read it; no behaviour
// but small builders.

import type { Machine, Noise } from './machine.ts'

/** Everything that one run of the suite measured. */
export interface Report {
  readonly format: 1
  readonly machine: Machine
  readonly settings: { readonly quick: boolean; readonly seed: number; readonly suites: readonly string[]; readonly seconds: number }
  /** Null when nothing depended on the clock. */
  readonly noise: Noise | null
  readonly contestants: readonly { readonly name: string; readonly about: string; readonly missing: string | null }[]
  /** What a contestant could not do, and why; its other figures stand. */
  readonly failures?: readonly Failure[]
  readonly tables: readonly Table[]
}

export interface Failure {
  readonly contestant: string
  readonly what: string
  readonly why: string
}

export interface Table {
  /** Stable: comparisons find tables by it. */
  readonly id: string
  readonly title: string
  /** What was done and how to read it, one or two sentences. */
  readonly about: string
  /** `exact`: virtual time or counts, the same on every machine. `clock`: wall clock or CPU time of this machine. */
  readonly kind: 'exact' | 'clock'
  readonly rows: readonly Row[]
  readonly plots: readonly Plot[]
}

export interface Row {
  readonly id: string
  readonly label: string
  readonly unit: string
  readonly better: 'lower' | 'higher' | 'neither'
  /** Rounds by contestant; one of exact figures. */
  readonly values: Readonly<Record<string, readonly number[]>>
}

/** A picture beside a table. */
export interface Plot {
  /** `percentiles`: x is a percentile below 100, drawn by how rare it is. `lines`: numbers or words on x. `bars`: one value per series. */
  readonly kind: 'percentiles' | 'lines' | 'bars'
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly logY?: boolean
  readonly series: readonly { readonly name: string; readonly points: readonly (readonly [x: number | string, y: number])[] }[]
}

/** Collects rounds while a table is being measured. */
export class TableBuilder {
  readonly #head: Omit<Table, 'rows' | 'plots'>
  readonly #rows = new Map<string, Row & { values: Record<string, number[]> }>()
  readonly plots: Plot[] = []

  constructor(head: Omit<Table, 'rows' | 'plots'>) {
    this.#head = head
  }

  /** Adds a round. The first call for an id gives the row its label and unit. */
  add(id: string, label: string, unit: string, better: Row['better'], contestant: string, value: number): void {
    let row = this.#rows.get(id)
    if (row === undefined) this.#rows.set(id, (row = { id, label, unit, better, values: {} }))
    ;(row.values[contestant] ??= []).push(value)
  }

  rounds(id: string, contestant: string): readonly number[] {
    return this.#rows.get(id)?.values[contestant] ?? []
  }

  build(): Table {
    return { ...this.#head, rows: [...this.#rows.values()], plots: this.plots }
  }
}

/** The percentiles that tables show and curves are drawn through. */
export const CURVE_PERCENTILES: readonly number[] = [
  0, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 96, 97, 98, 99, 99.25, 99.5, 99.75, 99.9, 99.95, 99.99,
]

/** What every scenario is told. */
export interface Settings {
  readonly quick: boolean
  readonly seed: number
  /** Says what is being measured, for people who wait. */
  readonly progress: (text: string) => void
  /** Takes down what a contestant could not do. A rival that fails stops nobody else. */
  readonly failed: (contestant: string, what: string, error: unknown) => void
}
