// The share of datagrams found lost, smoothed over the last hundred or so, and over the last five hundred.

const GAIN = 1 / 96
const SLOW_GAIN = 1 / 512

export class LossRate {
  /** Smoothed over about a hundred datagrams. */
  fast = 0
  #slow = 0
  #outcomes = 0

  /** What copies follow: the slower of the two, too, since at 1 % the fast one has forgotten each loss before the next one comes. */
  get cautious(): number {
    return Math.max(this.fast, this.#slow)
  }

  outcome(lost: boolean): void {
    const value = lost ? 1 : 0
    this.fast += Math.max(GAIN, 1 / (this.#outcomes + 4)) * (value - this.fast)
    this.#outcomes++
    this.#slow += Math.max(SLOW_GAIN, 1 / (this.#outcomes + 4)) * (value - this.#slow)
  }

  /** A loss turned out to be none (Eifel, RFC 3522). */
  undo(): void {
    this.fast = Math.max(0, this.fast - GAIN)
  }
}
