// Pacing: bulk data leaves at the controller's rate instead of in bursts that a shallow buffer on the path would drop.
// Whatever else leaves is charged to the same budget, so that bulk makes room for it. SPEC §7.4.

import type { Millis } from '../endpoint.ts'

/** A timer that fires late may use the credit of so many milliseconds at once. */
const BURST_MS = 2

export class Pacing {
  #budget: number
  #at: Millis = -1
  readonly #mtu: number

  constructor(mtu: number) {
    this.#mtu = mtu
    this.#budget = 4 * mtu
  }

  /** Time goes on; `rate` in bytes per ms. */
  refill(now: Millis, rate: number): void {
    const cap = rate === Infinity ? 12 * this.#mtu : Math.max(3 * this.#mtu, rate * BURST_MS)
    if (this.#at < 0 || rate === Infinity) this.#budget = Math.max(this.#budget, this.#at < 0 ? 4 * this.#mtu : cap)
    this.#budget = Math.min(cap, this.#budget + (rate === Infinity || this.#at < 0 ? 0 : rate * (now - this.#at)))
    this.#at = now
  }

  /** May a datagram of bulk data leave? */
  get open(): boolean {
    return this.#budget > 0
  }

  /** How far the budget has been overdrawn by what is not paced, bytes. */
  get debt(): number {
    return Math.max(0, -this.#budget)
  }

  spend(bytes: number): void {
    this.#budget -= bytes
  }

  /** A probe that must leave now gets credit. */
  grant(bytes: number): void {
    this.#budget = Math.max(this.#budget, bytes)
  }

  /** When `open` will be true. */
  opensAt(rate: number): Millis {
    return this.#budget > 0 || rate === Infinity ? this.#at : this.#at + (1 - this.#budget) / rate
  }
}
