// How late an acknowledgement may be before its datagram is suspected: learned, so that a path that reorders or scatters does not
// cause repeats without end, and one that does not is not waited for.
//
// Theory. Each tolerance climbs by a step when an acknowledgement came later than it allowed, and sinks by a small share of a step
// otherwise: it then settles where that share of all acknowledgements comes later (a stochastic quantile; as RFC 8985 §6.2 widens its
// reordering window on proof of a wrong guess and lets it shrink again). SPEC §6.3 and §6.4.

import type { Millis } from '../endpoint.ts'

/** Share of wrong suspicions that is aimed at. */
const WRONG_GUESS_SHARE = 0.019
const SHRINK = WRONG_GUESS_SHARE / (1 - WRONG_GUESS_SHARE)

export class Tolerances {
  /** How much later than the tail time acknowledgements may still come, ms. */
  slack = 0
  /** How far datagrams overtake each other, ms: for suspicion. */
  tight = 0
  /** The same, for certainty. */
  wide = 0

  /** One acknowledgement. @param residenceMs from sending to it @param tailMs what was expected at most when it left */
  answered(residenceMs: Millis, tailMs: Millis, meanMs: Millis): void {
    const step = Math.max(0.5, meanMs / 32)
    this.slack = residenceMs > tailMs ? Math.min(meanMs, this.slack + step) : Math.max(0, this.slack - step * SHRINK)
  }

  /** One datagram came so much later than those sent after it. */
  overtaken(lateMs: Millis, meanMs: Millis): void {
    const step = Math.max(0.1, meanMs / 32)
    if (lateMs > this.tight) this.tight = Math.min(meanMs, this.tight + step)
    this.wide = Math.min(meanMs, Math.max(this.wide, 1.25 * lateMs + 0.5))
  }

  /** The end of a batch of acknowledgements. */
  shrink(meanMs: Millis): void {
    const step = Math.max(0.1, meanMs / 32)
    this.tight = Math.max(0, this.tight - step * SHRINK)
    this.wide *= 0.9995
  }
}
