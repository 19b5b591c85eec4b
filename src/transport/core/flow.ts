// How much may leave: ENet's window and packet throttle, and the bandwidth limits that the two sides told each other.
// SPEC §7.1 to §7.3, in ENet's own integer arithmetic where a C peer could see the difference.

import type { Millis } from '../endpoint.ts'
import {
  DEFAULT_THROTTLE_ACCELERATION,
  DEFAULT_THROTTLE_DECELERATION,
  DEFAULT_THROTTLE_INTERVAL_MS,
  MAX_WINDOW_BYTES,
  MIN_WINDOW_BYTES,
  THROTTLE_COUNTER,
  THROTTLE_SCALE,
  WINDOW_SCALE,
} from './constants.ts'

export const clampWindow = (bytes: number): number => Math.min(MAX_WINDOW_BYTES, Math.max(MIN_WINDOW_BYTES, bytes))

const scaled = (bandwidth: number): number => Math.floor(bandwidth / WINDOW_SCALE) * MIN_WINDOW_BYTES

/** What we offer in CONNECT: from our own outgoing limit (0: none). */
export const offeredWindow = (outgoing: number): number => (outgoing === 0 ? MAX_WINDOW_BYTES : clampWindow(scaled(outgoing)))

/** What a server grants in VERIFY_CONNECT: its own incoming limit and the offer. */
export const grantedWindow = (incoming: number, offered: number): number =>
  clampWindow(Math.min(incoming === 0 ? MAX_WINDOW_BYTES : scaled(incoming), offered))

/** The sending window that follows from our outgoing limit and the other side's incoming one. */
export const sendingWindow = (outgoing: number, peerIncoming: number): number => {
  if (outgoing === 0 && peerIncoming === 0) return MAX_WINDOW_BYTES
  if (outgoing === 0 || peerIncoming === 0) return clampWindow(scaled(Math.max(outgoing, peerIncoming)))
  return clampWindow(scaled(Math.min(outgoing, peerIncoming)))
}

/** ENet's packet throttle: rises and falls with the round trip, scales the window, and drops unreliable packets. */
export class Throttle {
  /** 0 to 32: how many of 32 unreliable packets pass. */
  value = THROTTLE_SCALE
  /** What bandwidth limits allow at most. */
  limit = THROTTLE_SCALE
  intervalMs = DEFAULT_THROTTLE_INTERVAL_MS
  acceleration = DEFAULT_THROTTLE_ACCELERATION
  deceleration = DEFAULT_THROTTLE_DECELERATION
  #counter = 0
  #epoch: Millis = 0
  #last = 500
  #lastDeviation = 0
  #lowest = 500
  #highestDeviation = 0
  #first = true

  /** A round trip was measured; `mean` and `deviation` are the smoothed values after it. SPEC §7.2. */
  sample(roundTripMs: number, mean: number, deviation: number, now: Millis): void {
    const sample = Math.max(1, Math.floor(roundTripMs))
    if (!this.#first) {
      if (this.#last <= this.#lastDeviation) this.value = this.limit
      else if (sample <= this.#last) this.value = Math.min(this.value + this.acceleration, this.limit)
      else if (sample > this.#last + 2 * this.#lastDeviation) this.value = Math.max(0, this.value - this.deceleration)
    }
    this.#first = false
    this.#lowest = Math.min(this.#lowest, mean)
    this.#highestDeviation = Math.max(this.#highestDeviation, deviation)
    if (this.#epoch === 0 || now - this.#epoch >= this.intervalMs) {
      this.#last = this.#lowest
      this.#lastDeviation = Math.max(this.#highestDeviation, 1)
      this.#lowest = mean
      this.#highestDeviation = deviation
      this.#epoch = now
    }
  }

  /** True when the next unreliable packet is to be dropped. */
  drops(): boolean {
    this.#counter = (this.#counter + THROTTLE_COUNTER) % THROTTLE_SCALE
    return this.#counter > this.value
  }
}

/** A token bucket: a limit in bytes per second, spent by datagrams. */
export class Pace {
  #bytesPerMs = Infinity
  #burst = 0
  #budget = 0
  #at: Millis = 0

  /** @param bytesPerSecond 0: no limit */
  setRate(bytesPerSecond: number, mtu: number, now: Millis): void {
    this.#bytesPerMs = bytesPerSecond === 0 ? Infinity : bytesPerSecond / 1000
    // A timer that fires late may use what it missed, up to this.
    this.#burst = bytesPerSecond === 0 ? 0 : Math.max(3 * mtu, this.#bytesPerMs * 10)
    this.#budget = this.#burst
    this.#at = now
  }

  get limited(): boolean {
    return this.#bytesPerMs !== Infinity
  }

  /** May something leave now? */
  allows(now: Millis): boolean {
    if (!this.limited) return true
    this.#refill(now)
    return this.#budget > 0
  }

  /** A datagram leaves. What must leave at any rate (acknowledgements) may put the budget below zero. */
  spend(bytes: number): void {
    if (this.limited) this.#budget -= bytes
  }

  /** When `allows` will next say yes. */
  opensAt(now: Millis): Millis {
    if (!this.limited || this.#budget > 0) return now
    return now + (1 - this.#budget) / this.#bytesPerMs
  }

  #refill(now: Millis): void {
    this.#budget = Math.min(this.#burst, this.#budget + (now - this.#at) * this.#bytesPerMs)
    this.#at = now
  }
}
