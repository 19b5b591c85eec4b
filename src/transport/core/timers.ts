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

export class Timers {
  readonly #heap = new MinHeap<Timed>()

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
    timed.armedAt = at
    this.#heap.push(at, timed)
  }

  disarm(timed: Timed): void {
    timed.armedAt = Infinity
  }

  /** Wakes everything due at or before `now`. What is due again at once waits for the next run. */
  run(now: Millis): void {
    let guard = this.#heap.length
    while (this.deadline <= now && guard-- > 0) {
      const timed = this.#heap.pop() as Timed
      timed.armedAt = Infinity
      timed.due(now)
    }
  }
}
