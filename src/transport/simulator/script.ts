// Actions at given virtual times: once, or again and again.

import type { Millis } from '../endpoint.ts'
import type { Schedule, Scheduled } from './schedule.ts'

export class Script {
  readonly #schedule: Schedule
  readonly #afterAction: () => void
  #made = 0

  /** @param afterAction called after each action: it may have given endpoints something to do */
  constructor(schedule: Schedule, afterAction: () => void) {
    this.#schedule = schedule
    this.#afterAction = afterAction
  }

  once(atMs: Millis, action: () => void): () => void {
    return this.#add(atMs, action, () => Infinity)
  }

  every(firstMs: Millis, intervalMs: Millis, action: () => void): () => void {
    // Counted, not added up: rounding must not make the thousandth time drift.
    let times = 0
    return this.#add(firstMs, action, () => firstMs + ++times * intervalMs)
  }

  #add(firstMs: Millis, action: () => void, next: () => Millis): () => void {
    // Actions come before anything else that happens at their time, in the order in which they were made.
    const item: Scheduled = {
      place: -1,
      rank: this.#made++,
      run: () => {
        // Before the action, so that the action can call itself off.
        this.#schedule.set(item, next())
        try {
          action()
        } finally {
          this.#afterAction()
        }
      },
    }
    this.#schedule.set(item, firstMs)
    return () => { this.#schedule.set(item, Infinity) }
  }
}
