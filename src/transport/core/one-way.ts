// How much longer than at best our datagrams take to the other side, from the arrival times in its reports. The clocks have
// nothing in common, so only differences count; and they drift, so the best is forgotten after a while.
// It tells a queue on our way from one on the way back, which a round trip cannot.

import type { Millis } from '../endpoint.ts'

/** Arrival times wrap after so many milliseconds. */
const WRAP_MS = 8192
const WINDOW_MS = 10_000

export class OneWay {
  #best = Infinity
  #bestBefore = Infinity
  #windowEnds: Millis = -Infinity
  #offset = 0
  #last = NaN

  /** @returns ms above the best of the last 10 to 20 seconds */
  sample(sentAt: Millis, arrivedMs: number, now: Millis): number {
    // Unwrapped against the last one: a difference of half a wrap would be a jump of four seconds.
    let value = arrivedMs - (sentAt % WRAP_MS)
    if (Number.isNaN(this.#last)) this.#last = value
    value += this.#offset
    while (value - this.#last > WRAP_MS / 2) {
      value -= WRAP_MS
      this.#offset -= WRAP_MS
    }
    while (this.#last - value > WRAP_MS / 2) {
      value += WRAP_MS
      this.#offset += WRAP_MS
    }
    this.#last = value
    if (now >= this.#windowEnds) {
      this.#bestBefore = this.#best
      this.#best = value
      this.#windowEnds = now + WINDOW_MS
    } else if (value < this.#best) this.#best = value
    return Math.max(0, value - Math.min(this.#best, this.#bestBefore))
  }
}
