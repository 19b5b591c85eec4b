// Virtual time: does what is due, in order, and jumps to the next thing. Knows nothing of networks.

import type { Millis } from '../endpoint.ts'
import { VaivenError } from '../../util/errors.ts'
import { Schedule } from './schedule.ts'

/** Steps in one moment from which on it is a loop without end: two endpoints that echo each other without latency, say. */
const STUCK_STEPS = 1_000_000
/** Moments less than this apart count as one: time that crawls is stuck as well. */
const MOMENT_MS = 0.001

export class Clockwork {
  readonly schedule = new Schedule()
  /** Virtual time. */
  now: Millis
  /** Who has been busiest, for the error when time stands still. */
  readonly #suspects: () => string
  #running = false
  #steps = 0
  #momentMs: Millis

  constructor(startMs: Millis, suspects: () => string) {
    this.now = startMs
    this.#momentMs = startMs
    this.#suspects = suspects
  }

  /**
   * Lets time pass until `untilMs`, or until `predicate`, asked after each step, is true.
   * @returns whether it became true
   * @throws VaivenError `ERR_ARGUMENT` when called from inside a run, or when time stands still; and whatever a step throws
   */
  run(untilMs: Millis, predicate: (() => boolean) | null): boolean {
    if (this.#running) throw new VaivenError('ERR_ARGUMENT', 'the network is running already; use at() from inside a run')
    this.#running = true
    const { schedule } = this
    try {
      if (predicate !== null && predicate()) return true
      for (let dueMs = schedule.firstDueMs; dueMs <= untilMs; dueMs = schedule.firstDueMs) {
        if (dueMs > this.now) this.now = dueMs
        this.#guard()
        schedule.first!.run(this.now)
        if (predicate !== null && predicate()) return true
      }
      this.now = untilMs
      return false
    } finally {
      this.#running = false
    }
  }

  #guard(): void {
    if (this.now - this.#momentMs >= MOMENT_MS) {
      this.#momentMs = this.now
      this.#steps = 0
    } else if (++this.#steps > STUCK_STEPS) {
      this.#steps = 0
      throw new VaivenError('ERR_ARGUMENT', `virtual time stands still at ${this.now} ms: more than ${STUCK_STEPS} steps; ` +
        `busiest: ${this.#suspects()}`)
    }
  }
}
