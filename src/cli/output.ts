// What commands print: lines for people, or one JSON object per line for machines. Never both.

import { createHistogram } from 'node:perf_hooks'
import type { Io, Output } from './io.ts'

/** Prints lines of one kind: a command says each thing in both ways, and the person's choice decides. */
export class Printer {
  readonly json: boolean
  readonly #out: Output

  constructor(io: Io, json: boolean | undefined) {
    this.json = json === true
    this.#out = io.stdout
  }

  /** `event` and `fields` for machines, `text` for people; an empty text prints nothing. */
  line(event: string, fields: Record<string, unknown>, text: string): void {
    if (this.json) this.#out.write(`${JSON.stringify({ event, ...fields })}\n`)
    else if (text !== '') this.#out.write(`${text}\n`)
  }
}

/** Durations in milliseconds and what is to be said about them. */
export class Latencies {
  // Microseconds: the histogram takes whole numbers; three figures are exact enough to 0.1 %.
  readonly #micros = createHistogram({ lowest: 1, highest: 600_000_000, figures: 3 })
  #sum = 0

  add(ms: number): void {
    this.#micros.record(Math.min(600_000_000, Math.max(1, Math.round(ms * 1000))))
    this.#sum += ms
  }

  get count(): number {
    return this.#micros.count
  }

  /** Milliseconds with microseconds behind the point; zeros when nothing was added. */
  get summary(): { minMs: number; meanMs: number; p50Ms: number; p95Ms: number; p99Ms: number; maxMs: number } {
    const { count } = this
    const at = (percent: number): number => (count === 0 ? 0 : this.#micros.percentile(percent) / 1000)
    return {
      minMs: count === 0 ? 0 : this.#micros.min / 1000,
      meanMs: count === 0 ? 0 : Math.round((this.#sum / count) * 1000) / 1000,
      p50Ms: at(50),
      p95Ms: at(95),
      p99Ms: at(99),
      maxMs: count === 0 ? 0 : this.#micros.max / 1000,
    }
  }

  /** The same for people. */
  get text(): string {
    const { minMs, p50Ms, p95Ms, p99Ms, maxMs } = this.summary
    return `min ${ms(minMs)}, p50 ${ms(p50Ms)}, p95 ${ms(p95Ms)}, p99 ${ms(p99Ms)}, max ${ms(maxMs)} ms`
  }
}

/** A number of milliseconds with as many digits as mean something. */
export const ms = (value: number): string => (value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0))

/** Bytes in the unit that a person would choose. */
export const bytes = (count: number): string =>
  count < 10_000 ? `${count} B` : count < 10_000_000 ? `${(count / 1000).toFixed(1)} kB` : `${(count / 1_000_000).toFixed(1)} MB`

/** `1 packet`, `2 packets`. */
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

/** Resolves when the signal fires. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
