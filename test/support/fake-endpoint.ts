// Small endpoints for tests of what drives endpoints (simulator, drivers): no protocol, only datagrams.

import type { Address, Datagram, Endpoint, Millis } from '../../src/transport/endpoint.ts'

/** A datagram as an event. */
export interface Received {
  readonly type: 'received'
  readonly bytes: Uint8Array
  readonly from: Address
  readonly at: Millis
}

/** Reports what arrives and sends what it is told to, with a `wake` as `Host` has it. */
export class FakeEndpoint implements Endpoint<Received> {
  wake: (() => void) | null = null
  /** Every datagram so far. */
  readonly received: Received[] = []
  /** The times at which `advance` was called. */
  readonly advanced: Millis[] = []
  readonly #events: Received[] = []
  readonly #outgoing: { bytes: Uint8Array; to: Address }[] = []

  send(to: Address, bytes: Uint8Array | string): void {
    this.#outgoing.push({ bytes: typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes, to })
    this.wake?.()
  }

  receive(bytes: Uint8Array, from: Address, now: Millis): void {
    const event: Received = { type: 'received', bytes, from, at: now }
    this.received.push(event)
    this.#events.push(event)
  }

  advance(now: Millis): void { this.advanced.push(now) }
  pollEvent(): Received | null { return this.#events.shift() ?? null }

  pollTransmit(out: Datagram): boolean {
    const next = this.#outgoing.shift()
    if (next === undefined) return false
    out.bytes.set(next.bytes)
    out.length = next.bytes.length
    out.address = next.to.address
    out.port = next.to.port
    return true
  }

  deadline(): Millis { return Infinity }

  /** What arrived, as texts. */
  get texts(): string[] { return this.received.map(({ bytes }) => new TextDecoder().decode(bytes)) }
}

/** Sends every datagram back to where it came from. */
export class EchoEndpoint extends FakeEndpoint {
  override receive(bytes: Uint8Array, from: Address, now: Millis): void {
    super.receive(bytes, from, now)
    this.send(from, bytes)
  }
}

/** Sends a numbered datagram (its number as 32 bits, then padding) every `everyMs`, by its own deadline. */
export class CounterEndpoint extends FakeEndpoint {
  to: Address | null = null
  sent = 0
  readonly #everyMs: Millis
  readonly #bytes: number
  #nextMs: Millis | null = null

  constructor(everyMs: Millis, bytes = 4) {
    super()
    this.#everyMs = everyMs
    this.#bytes = bytes
  }

  override advance(now: Millis): void {
    super.advance(now)
    if (this.to === null) return
    this.#nextMs ??= now
    while (this.#nextMs <= now) {
      const bytes = new Uint8Array(this.#bytes)
      new DataView(bytes.buffer).setUint32(0, this.sent++)
      this.send(this.to, bytes)
      this.#nextMs += this.#everyMs
    }
  }

  override deadline(): Millis { return this.to === null ? Infinity : this.#nextMs ?? Infinity }

  /** The numbers in what arrived. */
  get numbers(): number[] {
    return this.received.map(({ bytes }) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0))
  }
}
