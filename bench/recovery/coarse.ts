// An endpoint whose timers fire on a grid of one millisecond, as those of an operating system do, and a little late by chance:
// virtual time alone would flatter us, and keep the steps of several flows in a tune that no network knows (phase effects,
// Floyd and Jacobson, 1992).

import type { Address, Datagram, Endpoint, Millis } from '../../src/transport/endpoint.ts'
import { SeededRandom } from '../../src/util/random.ts'

export class CoarseTimers<Event> implements Endpoint<Event> {
  readonly #inner: Endpoint<Event> & { wake?: (() => void) | null }
  readonly #gridMs: Millis
  readonly #phaseMs: Millis
  readonly #lateness: { chance: SeededRandom; maxMs: Millis } | null
  #of: Millis = -1
  #late: Millis = 0

  /** @param lateness how late a timer may fire, beyond the grid, evenly; absent: never */
  constructor(inner: Endpoint<Event>, gridMs: Millis, phaseMs: Millis, lateness?: { seed: number; maxMs: Millis }) {
    this.#inner = inner
    this.#gridMs = gridMs
    this.#phaseMs = phaseMs
    this.#lateness = lateness === undefined ? null : { chance: new SeededRandom(lateness.seed), maxMs: lateness.maxMs }
  }

  get wake(): (() => void) | null {
    return this.#inner.wake ?? null
  }

  set wake(wake: (() => void) | null) {
    if ('wake' in this.#inner) this.#inner.wake = wake
  }

  receive(bytes: Uint8Array, from: Address, now: Millis): void {
    this.#inner.receive(bytes, from, now)
  }

  advance(now: Millis): void {
    this.#inner.advance(now)
  }

  pollEvent(): Event | null {
    return this.#inner.pollEvent()
  }

  pollTransmit(out: Datagram): boolean {
    return this.#inner.pollTransmit(out)
  }

  deadline(): Millis {
    const at = this.#inner.deadline()
    if (!Number.isFinite(at)) return at
    const tick = Math.ceil((at - this.#phaseMs) / this.#gridMs - 1e-9) * this.#gridMs + this.#phaseMs
    // Rounding must not make it fire before it is due.
    const due = tick < at ? tick + this.#gridMs : tick
    if (this.#lateness === null) return due
    if (due !== this.#of) {
      this.#of = due
      this.#late = this.#lateness.chance.unit() * this.#lateness.maxMs
    }
    return due + this.#late
  }
}
