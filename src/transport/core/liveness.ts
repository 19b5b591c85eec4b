// Is the other side still there? When to ask it, and when to give it up. SPEC §6.7 to §6.9.

import { outOfRange } from '../../util/errors.ts'
import type { Millis } from '../endpoint.ts'
import { integerOption } from './options.ts'
import type { ResolvedHostOptions } from './options.ts'
import type { Recovery } from './recovery.ts'

/** An idle connection whose other side keeps talking is pinged this much more rarely. */
const IDLE_PING_STRETCH = 8
/** Two hosts of our own leave each other in peace for so many intervals: both know that the other does not mind. */
const OWN_IDLE_STRETCH = 4

export class Liveness {
  pingIntervalMs: number
  lastAckAt: Millis
  lastReceiveAt: Millis
  /** When an application on either side last sent something. */
  lastApplicationAt: Millis
  /** Live time until which silence does not count, and for how long from the next step of time. */
  #holdUntil: Millis = -Infinity
  #holdFor = 0
  #limit: number
  #minimumMs: number
  #maximumMs: number

  constructor(options: ResolvedHostOptions, now: Millis) {
    this.pingIntervalMs = options.pingIntervalMs
    this.lastAckAt = this.lastReceiveAt = this.lastApplicationAt = now
    this.#limit = options.timeoutLimit
    this.#minimumMs = options.timeoutMinimumMs
    this.#maximumMs = options.timeoutMaximumMs
  }

  /** The connection begins now. */
  begin(now: Millis): void {
    this.lastAckAt = this.lastReceiveAt = this.lastApplicationAt = now
  }

  /** @throws VaivenError ERR_ARGUMENT */
  hold(durationMs: number): void {
    if (!(durationMs >= 0 && durationMs <= 86_400_000)) throw outOfRange('durationMs', durationMs, 'from 0 to 86,400,000', 'ERR_ARGUMENT')
    this.#holdFor = Math.max(this.#holdFor, durationMs)
  }

  get hasUnstamped(): boolean {
    return this.#holdFor > 0
  }

  /** Time is known again. */
  stamp(live: Millis): void {
    if (this.#holdFor === 0) return
    this.#holdUntil = Math.max(this.#holdUntil, live + this.#holdFor)
    this.#holdFor = 0
  }

  /** @throws VaivenError ERR_OPTION_RANGE */
  setTimeout(timeout: { limit?: number; minimumMs?: number; maximumMs?: number }): void {
    const limit = integerOption('timeout.limit', timeout.limit, 2, 1 << 20, this.#limit)
    const minimumMs = integerOption('timeout.minimumMs', timeout.minimumMs, 100, 86_400_000, this.#minimumMs)
    const maximumMs = integerOption('timeout.maximumMs', timeout.maximumMs, 100, 86_400_000, Math.max(minimumMs, this.#maximumMs))
    if (maximumMs < minimumMs) throw outOfRange('timeout.maximumMs', maximumMs, `at least timeout.minimumMs (${minimumMs})`)
    this.#limit = limit
    this.#minimumMs = minimumMs
    this.#maximumMs = maximumMs
  }

  /** After so long without an acknowledgement a ping goes with every probe. */
  get silenceMs(): number {
    return Math.min(1_000, this.#minimumMs / 4)
  }

  /**
   * When the next ping is due, if nothing else gets acknowledged until then.
   * @param own the other side is a host of our own
   */
  pingAt(now: Millis, own: boolean): Millis {
    const interval = this.pingIntervalMs
    const idle = this.lastApplicationAt <= this.lastAckAt - 2 * interval || now - this.lastApplicationAt > 2 * interval
    // While the other side's own pings arrive it is alive; ours would only double the traffic.
    const patience = own ? OWN_IDLE_STRETCH * interval : interval
    if (idle && this.lastReceiveAt > now - patience - interval) {
      return Math.min(this.lastAckAt + IDLE_PING_STRETCH * interval, Math.max(this.lastReceiveAt, this.lastAckAt) + patience)
    }
    return this.lastAckAt + interval
  }

  /**
   * Live time at which the peer is given up unless something is acknowledged first; `Infinity` while nothing is overdue.
   * @param leaving we have said goodbye: nobody but us waits for its acknowledgement, which C sends once only
   */
  deadAt(recovery: Recovery, leaving: boolean): Millis {
    const since = recovery.overdueSince
    if (since < 0) return Infinity
    if (leaving) return since + Math.min(this.#minimumMs, Math.max(1_000, 8 * recovery.tailMs))
    const persistent = 1 << Math.min(recovery.probes, 30) >= this.#limit
    return Math.max(since + (persistent ? this.#minimumMs : this.#maximumMs), this.#holdUntil)
  }
}
