// The narrowest place of a path: it sends one datagram after the other at its rate, and those that have to wait stand in a
// queue that takes only so many. Also where datagrams are held back during a blackout that holds.

import { blackoutEnd, type Rules } from './rules.ts'

export class Bottleneck {
  /** When what has been accepted so far will have left. */
  #freeAtMs = -Infinity
  // The queue: when each datagram leaves, and its bytes. A ring; the capacity is a power of two.
  #leavesAtMs = new Float64Array(16)
  #sizes = new Float64Array(16)
  #head = 0
  #waiting = 0
  #waitingBytes = 0

  /** Datagrams that wait or are being sent, as of the latest `pass`. */
  get waiting(): number { return this.#waiting }

  /**
   * When a datagram that reaches the place at `nowMs` will have left it, or -1 when the queue is full.
   * @param startMs the time from which the times of blackouts count
   */
  pass(rules: Rules, bytes: number, nowMs: number, startMs: number): number {
    if (rules.rateBytesPerMs === 0 && !rules.holds && this.#freeAtMs <= nowMs) {
      if (this.#waiting > 0) this.#leave(nowMs)
      return nowMs
    }
    this.#leave(nowMs)
    const size = bytes + rules.overheadBytes
    const full = this.#waiting >= rules.queueDatagrams || this.#waitingBytes + size > rules.queueBytes
    if (this.#waiting > 0 && full) return -1
    let begins = Math.max(nowMs, this.#freeAtMs)
    if (rules.holds) begins = startMs + releasedAt(rules, begins - startMs)
    // Not before the clock, whatever subtracting and adding the start has done to the last digit.
    begins = Math.max(nowMs, begins)
    const leaves = rules.rateBytesPerMs === 0 ? begins : begins + size / rules.rateBytesPerMs
    this.#freeAtMs = leaves
    if (leaves > nowMs) this.#queue(leaves, size)
    return leaves
  }

  #leave(nowMs: number): void {
    const mask = this.#sizes.length - 1
    while (this.#waiting > 0 && this.#leavesAtMs[this.#head]! <= nowMs) {
      this.#waitingBytes -= this.#sizes[this.#head]!
      this.#head = (this.#head + 1) & mask
      this.#waiting--
    }
  }

  #queue(leavesAtMs: number, size: number): void {
    if (this.#waiting === this.#sizes.length) this.#grow()
    const slot = (this.#head + this.#waiting++) & (this.#sizes.length - 1)
    this.#leavesAtMs[slot] = leavesAtMs
    this.#sizes[slot] = size
    this.#waitingBytes += size
  }

  #grow(): void {
    const doubled = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const grown = new Float64Array(old.length * 2)
      for (let i = 0; i < old.length; i++) grown[i] = old[(this.#head + i) & (old.length - 1)]!
      return grown
    }
    this.#leavesAtMs = doubled(this.#leavesAtMs)
    this.#sizes = doubled(this.#sizes)
    this.#head = 0
  }
}

/** The end of the holding blackouts that follow each other without a gap from `elapsedMs` on. */
const releasedAt = (rules: Rules, elapsedMs: number): number => {
  // One more round than there are blackouts is enough unless they cover all of time; then the datagram leaves at some end of one.
  for (let round = 0; round <= rules.blackouts.length; round++) {
    const end = blackoutEnd(rules.blackouts, true, elapsedMs)
    if (end === elapsedMs) break
    elapsedMs = end
  }
  return elapsedMs
}
