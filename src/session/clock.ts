// The session's clock: the same time everywhere, within a stated error, never running backwards. SPEC §13.7.
//
// A client asks "what time is it" at t0 (its clock), the server answers ts (session time), and the answer is taken at t3. Whatever
// the network did, the answer was written between t0 and t3, so the true offset (session time minus our clock) lies in
// [ts - t3, ts - t0]. Intersecting these intervals over many answers leaves the quickest way out and the quickest way back;
// the offset is taken in the middle, and half the width is the bound. No assumption of symmetric paths is needed. The two
// clocks drift apart, so an old interval is widened by the worst drift of two quartz clocks.

import type { Millis } from '../transport/endpoint.ts'

/** Two quartz clocks at 50 ppm each. */
const MAX_DRIFT = 100e-6
/** How fast the shown time is corrected: it runs at 0.9 to 1.1 of real speed, so it never runs backwards. */
const SLEW = 0.1
/** Asks that may be unanswered; older ones are forgotten. */
const MAX_ASKED = 8
/** Ask often at first, then every two seconds. */
const FIRST_INTERVALS_MS: readonly Millis[] = [50, 100, 200, 400, 800]
const INTERVAL_MS: Millis = 2000

/** Session time for programs. */
export interface SessionClock {
  /** Milliseconds since the server opened the session; never decreases. 0 on a client before the first answer. */
  now(): Millis
  /** Largest possible difference to the server's clock at this moment, ms; 0 at the server, Infinity before the first answer. */
  readonly errorMs: Millis
  /** The session time at which something on our own monotonic clock (`performance.now()`) happened or will happen. */
  fromLocal(local: Millis): Millis
}

/** The server's clock is session time itself. */
export class ServerClock implements SessionClock {
  readonly errorMs = 0
  readonly #local: () => Millis
  readonly #epoch: Millis

  constructor(local: () => Millis) {
    this.#local = local
    this.#epoch = local()
  }

  now(): Millis {
    return this.#local() - this.#epoch
  }

  fromLocal(local: Millis): Millis {
    return local - this.#epoch
  }
}

/** A client's estimate of it. */
export class ClientClock implements SessionClock {
  readonly #local: () => Millis
  readonly #asked = new Map<number, Millis>()
  #nextToken = 1
  #answers = 0
  /** The true offset was in [low, high] at local time `at`. */
  #low = -Infinity
  #high = Infinity
  #at: Millis = 0
  /** The offset that `now()` uses, and since when. */
  #shown = 0
  #shownAt: Millis = 0
  #latest: Millis = 0

  constructor(local: () => Millis) {
    this.#local = local
  }

  get synchronised(): boolean {
    return this.#answers > 0
  }

  now(): Millis {
    if (!this.synchronised) return 0
    const local = this.#local()
    this.#slew(local)
    // The slew keeps it monotonic; the maximum keeps it so when our own clock repeats a reading.
    this.#latest = Math.max(this.#latest, local + this.#shown, 0)
    return this.#latest
  }

  fromLocal(local: Millis): Millis {
    return local + this.#shown
  }

  get errorMs(): Millis {
    if (!this.synchronised) return Infinity
    const local = this.#local()
    this.#slew(local)
    const drift = (local - this.#at) * MAX_DRIFT
    const middle = (this.#low + this.#high) / 2
    return (this.#high - this.#low) / 2 + drift + Math.abs(this.#shown - middle)
  }

  /** A question to send now. @returns its token */
  ask(): number {
    const token = this.#nextToken
    this.#nextToken = (this.#nextToken + 1) >>> 0
    this.#asked.set(token, this.#local())
    if (this.#asked.size > MAX_ASKED) this.#asked.delete(this.#asked.keys().next().value!)
    return token
  }

  /** How long to wait before the next question. */
  get intervalMs(): Millis {
    return FIRST_INTERVALS_MS[Math.min(this.#nextToken - 2, FIRST_INTERVALS_MS.length)] ?? INTERVAL_MS
  }

  /** The server's answer. Unknown tokens (late, doubled, made up) are ignored. */
  answer(token: number, timeMs: Millis): void {
    const t0 = this.#asked.get(token)
    if (t0 === undefined) return
    this.#asked.delete(token)
    const t3 = this.#local()
    const drift = (t3 - this.#at) * MAX_DRIFT
    let low = Math.max(this.#low - drift, timeMs - t3)
    let high = Math.min(this.#high + drift, timeMs - t0)
    if (low > high) {
      // A clock jumped, or drifts more than quartz does: only the newest answer can be believed.
      low = timeMs - t3
      high = timeMs - t0
    }
    this.#low = low
    this.#high = high
    this.#at = t3
    this.#answers++
    if (this.#answers === 1) {
      this.#shown = (low + high) / 2
      this.#shownAt = t3
    } else this.#slew(t3)
  }

  #slew(local: Millis): void {
    const most = Math.max(0, local - this.#shownAt) * SLEW
    const wanted = (this.#low + this.#high) / 2 - this.#shown
    this.#shown += Math.max(-most, Math.min(most, wanted))
    this.#shownAt = local
  }
}
