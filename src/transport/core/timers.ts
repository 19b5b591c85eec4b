// Who wants to be woken when. One heap for a host: an idle peer costs nothing until its time comes.

import type { Millis } from '../endpoint.ts'
import { MinHeap } from './ring.ts'

/** Something with one timer. */
export interface Timed {
  /** When it will be woken; belongs to `Timers`. */
  armedAt: Millis
  /** Its time has come. */
  due(now: Millis): void
}

/** So many entries may be left over before they are looked for. */
const SPARE = 64

export class Timers {
  readonly #heap = new MinHeap<Timed>()
  /** How many are armed. */
  #armed = 0

  /** Entries kept, left-over ones included. */
  get length(): number {
    return this.#heap.length
  }

  /** The earliest time at which something may be due; `Infinity` when nothing ever is. */
  get deadline(): Millis {
    for (;;) {
      const first = this.#heap.peek()
      if (first === undefined) return Infinity
      if (first.armedAt === this.#heap.minKey) return first.armedAt
      // Left over from an arming that was replaced by an earlier one or disarmed.
      this.#heap.pop()
    }
  }

  /** Sets when `timed` is woken. A later time than before takes effect when the earlier one comes: that is cheaper. */
  arm(timed: Timed, at: Millis): void {
    if (at >= timed.armedAt) return
    if (timed.armedAt === Infinity) this.#armed++
    timed.armedAt = at
    this.#heap.push(at, timed)
    // Whoever is woken early again and again leaves its later times behind, up to an hour ahead.
    if (this.#heap.length > 2 * this.#armed + SPARE) this.#sweep()
  }

  disarm(timed: Timed): void {
    if (timed.armedAt !== Infinity) this.#armed--
    timed.armedAt = Infinity
  }

  /** Wakes everything due at or before `now`. What is due again at once waits for the next run. */
  run(now: Millis): void {
    let guard = this.#heap.length
    while (this.deadline <= now && guard-- > 0) {
      const timed = this.#heap.pop() as Timed
      this.disarm(timed)
      timed.due(now)
    }
  }

  #sweep(): void {
    const kept = new Set<Timed>()
    this.#heap.retain((timed, at) => {
      if (timed.armedAt !== at || kept.has(timed)) return false
      kept.add(timed)
      return true
    })
  }
}
