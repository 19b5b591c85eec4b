// What round trips say about a path: its propagation delay, how far its delays scatter without a queue, and how much queue stands.
//
// Theory. The smallest round trip is the way alone (RFC 6817 §2; BBR's RTprop). The smallest of one round, above it, is a queue that
// never drained in that round. What the mean of a round lies above its smallest is scatter: a receiver that polls, a wireless link.
// SPEC §7.4.

import type { Millis } from '../endpoint.ts'

/** Before the first bulk transfer fewer round trips than this say nothing about how far they scatter. */
const SCATTER_SAMPLES = 4
/** Of so many round trips the smallest shows a queue within a round. */
const RECENT = 8

export class PathDelay {
  /** The smallest round trip known, ms; `Infinity` before the first. */
  propagation = Infinity
  /** When one about as small was last seen. */
  propagationAt: Millis = 0
  /** Delay variation that is not a queue: polling receivers, wireless. */
  jitter = 0
  /** The smallest round trip of this round so far, and of the last one. */
  roundMin = Infinity
  lastMin = Infinity
  /** How far the largest of this and the last round was above a path without queue. */
  rise = 0
  #roundMax = 0
  #lastMax = 0
  readonly #recent = new Float64Array(RECENT)
  #recentCount = 0
  #residence = 0
  #residences = 0
  #scatterMin = Infinity

  /** What a round trip takes without a queue, ms. */
  get base(): number {
    return this.propagation + this.jitter
  }

  /** Less than this is no queue to speak of, ms. */
  get alpha(): number {
    return Math.max(4, 0.06 * this.propagation)
  }

  /** Queue that stood all through the last round, ms. */
  get queue(): number {
    return this.lastMin - this.propagation
  }

  /** The smallest of the last eight round trips; `Infinity` while there are fewer. */
  get recentMin(): number {
    if (this.#recentCount < RECENT) return Infinity
    let least = Infinity
    for (let i = 0; i < RECENT; i++) least = Math.min(least, this.#recent[i] as number)
    return least
  }

  /** The smallest of this round and the last one. */
  get latelyMin(): number {
    return Math.min(this.roundMin, this.lastMin)
  }

  /** @returns true when the propagation delay was taken for much longer until now: a queue stood where we saw none */
  sample(trip: Millis, now: Millis): boolean {
    const { propagation } = this
    if (trip <= propagation + Math.max(0.3, 0.02 * propagation)) this.propagationAt = now
    const mistaken = trip < propagation && propagation - trip > Math.max(1, this.alpha / 2) && propagation !== Infinity
    if (trip < propagation) this.propagation = trip
    if (trip < this.roundMin) this.roundMin = trip
    if (trip > this.#roundMax) this.#roundMax = trip
    this.#recent[this.#recentCount++ % RECENT] = trip
    return mistaken
  }

  /** How long each newly acknowledged datagram was under way, its acknowledgement's waiting included. */
  residence(ms: number): void {
    this.#residence += ms
    this.#residences++
  }

  /** @param sparse rounds may consist of a few small messages */
  endRound(sparse: boolean): void {
    this.lastMin = this.roundMin
    this.#learnJitter(sparse)
    this.roundMin = Infinity
    // What a receiver's polling adds is no queue. Its acknowledgements come in one datagram per poll, and a lost one looks like the loss of
    // all that it acknowledged: taken for congestion, that cost a fifth of the rate at 5 %.
    this.rise = Math.max(this.#roundMax, this.#lastMax) - this.propagation - this.jitter
    this.#lastMax = this.#roundMax
    this.#roundMax = 0
  }

  /** The path may have changed: what was seen lately is its propagation delay now. */
  relearn(now: Millis): void {
    this.propagationAt = now
    const least = this.latelyMin
    if (least < Infinity) this.propagation = least
  }

  // A round of small messages has one or two round trips, which show no scatter: taken for none, they made the first bulk transfer end its
  // start-up at the first late acknowledgement.
  #learnJitter(sparse: boolean): void {
    this.#scatterMin = Math.min(this.#scatterMin, this.roundMin)
    if (sparse && this.#residences < SCATTER_SAMPLES) return
    const mean = this.#residences > 0 ? this.#residence / this.#residences : this.#scatterMin
    this.jitter += (1.5 * Math.max(0, mean - this.#scatterMin) - this.jitter) / 4
    this.#residence = this.#residences = 0
    this.#scatterMin = Infinity
  }
}
