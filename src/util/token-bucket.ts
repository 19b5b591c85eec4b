// How often is too often: a bucket that fills at a steady rate and is emptied by events.

/** Allows `perSecond` events in the long run and `burst` at once. Knows no clock: time is an argument. */
export class TokenBucket {
  readonly #perMs: number
  readonly #burst: number
  #tokens: number
  #at: number

  constructor(perSecond: number, burst: number, now: number) {
    this.#perMs = perSecond / 1000
    this.#burst = burst
    this.#tokens = burst
    this.#at = now
  }

  /** Takes `count` tokens if they are there. */
  take(now: number, count = 1): boolean {
    if (now > this.#at) {
      this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs)
      this.#at = now
    }
    if (this.#tokens < count) return false
    this.#tokens -= count
    return true
  }
}
