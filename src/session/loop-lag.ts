// How late our own loop ran, kept apart from the network's delays (★15): what we did at a deadline, minus the deadline.

import type { Millis } from '../transport/endpoint.ts'

/** Lateness of our own loop, ms. */
export interface LoopLagStats {
  /** Smoothed over about 16 deadlines. */
  readonly meanMs: Millis
  /** Worst of the last ten seconds or so. */
  readonly maxMs: Millis
  /** Lateness of the latest deadline. */
  readonly lastMs: Millis
}

const WINDOW_MS = 5_000

export class LoopLag implements LoopLagStats {
  meanMs = 0
  lastMs = 0
  #windowStart = 0
  /** The worst of this window and of the one before. */
  #current = 0
  #previous = 0

  get maxMs(): Millis {
    return Math.max(this.#current, this.#previous)
  }

  /** Something due at `deadline` ran at `now`. */
  note(deadline: Millis, now: Millis): void {
    const late = Math.max(0, now - deadline)
    this.lastMs = late
    this.meanMs += (late - this.meanMs) / 16
    if (now - this.#windowStart > WINDOW_MS) {
      this.#previous = now - this.#windowStart > 2 * WINDOW_MS ? 0 : this.#current
      this.#current = 0
      this.#windowStart = now
    }
    this.#current = Math.max(this.#current, late)
  }
}
