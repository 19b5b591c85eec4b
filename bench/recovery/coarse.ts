// An endpoint whose timers fire on a grid of one millisecond, as those of an operating system do: virtual time alone would
// flatter us.

import type { Address, Datagram, Endpoint, Millis } from '../../src/transport/endpoint.ts'

export class CoarseTimers<Event> implements Endpoint<Event> {
  readonly #inner: Endpoint<Event> & { wake?: (() => void) | null }
  readonly #gridMs: Millis
  readonly #phaseMs: Millis

  constructor(inner: Endpoint<Event>, gridMs: Millis, phaseMs: Millis) {
    this.#inner = inner
    this.#gridMs = gridMs
    this.#phaseMs = phaseMs
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
    return tick < at ? tick + this.#gridMs : tick
  }
}
