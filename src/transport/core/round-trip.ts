// Mean and deviation of the round trip, in fractions of a millisecond.
// SPEC §6.2 · idea: RFC 6298 §2, gains 1/8 and 1/4 as in ENet. C ENet rounds to whole milliseconds and can stick 7 ms off.

import { DEFAULT_ROUND_TRIP_MS } from './constants.ts'

export class RoundTrip {
  /** Smoothed mean, ms; 500 before the first sample. */
  mean = DEFAULT_ROUND_TRIP_MS
  /** Smoothed mean deviation, ms. */
  deviation = 0
  /** Smallest sample, ms; `Infinity` before the first. */
  min = Infinity
  /** Latest sample, ms. */
  last = DEFAULT_ROUND_TRIP_MS
  /** How many samples there were. */
  samples = 0

  /** False before the first sample. */
  get sampled(): boolean {
    return this.samples > 0
  }

  /** @param sampleMs from sending a datagram to its acknowledgement */
  sample(sampleMs: number): void {
    const sample = Math.max(0, sampleMs)
    this.last = sample
    if (sample < this.min) this.min = sample
    if (this.samples++ === 0) {
      this.mean = sample
      this.deviation = sample / 2
      return
    }
    this.deviation += (Math.abs(sample - this.mean) - this.deviation) / 4
    this.mean += (sample - this.mean) / 8
  }
}
