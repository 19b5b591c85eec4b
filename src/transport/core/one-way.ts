// How much longer than at best our datagrams take to the other side, from the arrival times in its reports. The clocks have
// nothing in common, so only differences count. It tells a queue on our way from one on the way back, which a round trip
// cannot.
//
// The clocks drift, too (some 0.1 ms per second), so the best is measured anew whenever a round trip was as short as the
// path allows: then nothing waited on either way. It is not forgotten by time alone: a queue that stands for long would
// become the best, and could no longer be seen.

import type { Millis } from '../endpoint.ts'

/** Arrival times wrap after so many milliseconds. */
const WRAP_MS = 8192
/** A round trip within so much of the shortest one says that nothing waited. */
const EMPTY_MS = 0.5

export class OneWay {
  #best = Infinity
  #offset = 0
  #last = NaN

  /**
   * @param sentAt by our clock
   * @param arrivedMs by the other side's clock, wrapping at 8,192
   * @param waitedMs how much longer than at best the whole round trip was
   * @returns ms that our way took longer than at best
   */
  sample(sentAt: Millis, arrivedMs: number, waitedMs: number): number {
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
    if (value < this.#best || waitedMs < EMPTY_MS) this.#best = value
    return value - this.#best
  }
}
