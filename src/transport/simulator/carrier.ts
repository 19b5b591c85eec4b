// How datagrams get from node to link and from link to node, and who is told: the fingerprint of the run and the trace.

import type { Address, Datagram, Millis } from '../endpoint.ts'
import type { DropCause, Link } from './link.ts'
import type { NetworkNode } from './node.ts'
import type { Routes } from './routes.ts'
import type { RunHash } from './run-hash.ts'
import type { Schedule } from './schedule.ts'

/** A datagram, at one point of its way. */
export interface TraceEvent {
  readonly atMs: Millis
  /** `unroutable`: sent to, or arriving at, an address that nobody has. */
  readonly type: 'sent' | 'arrived' | 'dropped' | 'unroutable'
  /** Name of the sending node. */
  readonly from: string
  /** Name of the other node; for `unroutable` when sent, the address. */
  readonly to: string
  /** Valid only during the call; copy what you keep. */
  readonly bytes: Uint8Array
  /** For `dropped`. */
  readonly cause?: DropCause
}

export class Carrier {
  /** Datagrams to addresses that nobody has (any more). */
  unroutable = 0

  readonly #routes: Routes
  readonly #schedule: Schedule
  readonly #hash: RunHash | null
  readonly #trace: ((event: TraceEvent) => void) | null

  constructor(routes: Routes, schedule: Schedule, hash: RunHash | null, trace: ((event: TraceEvent) => void) | null) {
    this.#routes = routes
    this.#schedule = schedule
    this.#hash = hash
    this.#trace = trace
  }

  /** A node sends. */
  transmit(from: NetworkNode, out: Datagram, now: Millis): void {
    const to = this.#routes.find(out.address, out.port)
    if (this.#hash !== null) {
      this.#hash.number(now)
      this.#hash.word(from.rank)
      this.#hash.bytes(out.bytes, out.length)
    }
    if (to === undefined) {
      this.unroutable++
      if (this.#trace !== null) this.#tell(now, 'unroutable', from.name, `${out.address}:${out.port}`, out.bytes.subarray(0, out.length))
      return
    }
    const wire = this.#routes.wire(from, to)
    wire.link.send(out.bytes, now, from.address, out.length)
    this.#schedule.set(wire, wire.link.deadline())
    if (this.#trace !== null) {
      const bytes = out.bytes.subarray(0, out.length)
      this.#tell(now, 'sent', from.name, to.name, bytes)
      if (wire.link.lastDrop !== null) this.#tell(now, 'dropped', from.name, to.name, bytes, wire.link.lastDrop)
    }
  }

  /** What is due on a link arrives. */
  deliver(from: NetworkNode, to: NetworkNode, link: Link<Address>, now: Millis): void {
    for (let arrival = link.poll(now); arrival !== null; arrival = link.poll(now)) {
      const { bytes, tag } = arrival
      if (this.#hash !== null) {
        // Its content was taken in when it was sent; damage shows in the length or in what the receiver makes of it.
        this.#hash.number(now)
        this.#hash.word(to.rank)
        this.#hash.word(bytes.length)
      }
      if (this.#trace !== null) this.#tell(now, to.gone ? 'unroutable' : 'arrived', from.name, to.name, bytes)
      if (to.gone) this.unroutable++
      else to.accept(bytes, tag)
    }
  }

  #tell(atMs: Millis, type: TraceEvent['type'], from: string, to: string, bytes: Uint8Array, cause?: DropCause): void {
    this.#trace!(cause === undefined ? { atMs, type, from, to, bytes } : { atMs, type, from, to, bytes, cause })
  }
}
