// Any endpoint on a worse network: what goes in and out passes through two links. For playing a real game over a real socket
// as if on bad wifi; the driver above and the endpoint below notice nothing.

import type { Address, Datagram, Endpoint, Millis } from '../endpoint.ts'
import { directions, type PathConditions } from './conditions.ts'
import { Link, type LinkLedger, type LinkOptions } from './link.ts'
import { isWakeable, type Wakeable } from './wakeable.ts'

/**
 * Wraps an endpoint so that its datagrams suffer the given conditions, on top of what the real network does: those going out
 * the direction `to`, those coming in the direction `from`.
 *
 * ```ts
 * const endpoint = new ImpairedEndpoint(host, profiles.hotelWifi, { seed: 7 })
 * ```
 *
 * All addresses share the two links: it is this end's access that is bad, whoever is at the other end.
 */
export class ImpairedEndpoint<Event = unknown> implements Endpoint<Event>, Wakeable {
  readonly #inner: Endpoint<Event>
  readonly #outward: Link<Address>
  readonly #inward: Link<Address>
  #conditions: PathConditions
  /** The latest time that anyone told us; `pollTransmit` is told none. */
  #now: Millis = -Infinity
  #wake: (() => void) | null = null

  /** @throws VaivenError `ERR_OPTION_RANGE` */
  constructor(inner: Endpoint<Event>, conditions: PathConditions, options: LinkOptions = {}) {
    const { to, from } = directions(conditions)
    const seed = options.seed ?? 1
    this.#inner = inner
    this.#conditions = conditions
    this.#outward = new Link<Address>(to, { ...options, seed })
    this.#inward = new Link<Address>(from, { ...options, seed: ~seed })
    if (isWakeable(inner)) inner.wake = () => this.#wake?.()
  }

  /** The conditions; may be replaced while running. @throws VaivenError `ERR_OPTION_RANGE` when set */
  get conditions(): PathConditions { return this.#conditions }
  set conditions(conditions: PathConditions) {
    const { to, from } = directions(conditions)
    const before = this.#outward.conditions
    this.#outward.conditions = to
    try {
      this.#inward.conditions = from
    } catch (error) {
      // Both or neither.
      this.#outward.conditions = before
      throw error
    }
    this.#conditions = conditions
  }

  /** What became of every datagram, by direction. */
  get ledger(): { readonly to: Readonly<LinkLedger>; readonly from: Readonly<LinkLedger> } {
    return { to: this.#outward.ledger, from: this.#inward.ledger }
  }

  /** The two links, for `onDrop`, `filter` and `up`. */
  get links(): { readonly to: Link<Address>; readonly from: Link<Address> } {
    return { to: this.#outward, from: this.#inward }
  }

  /** Set by a driver; handed on to the endpoint inside. */
  get wake(): (() => void) | null { return this.#wake }
  set wake(wake: (() => void) | null) { this.#wake = wake }

  receive(bytes: Uint8Array, from: Address, now: Millis): void {
    this.#tick(now)
    this.#inward.send(bytes, this.#now, from)
    this.#deliver()
  }

  advance(now: Millis): void {
    this.#tick(now)
    this.#deliver()
    this.#inner.advance(this.#now)
  }

  pollEvent(): Event | null { return this.#inner.pollEvent() }

  pollTransmit(out: Datagram): boolean {
    if (this.#now === -Infinity) return false
    // First everything that the endpoint has to say goes into the link, with `out` as scratch; then what is due comes out.
    while (this.#inner.pollTransmit(out)) {
      this.#outward.send(out.bytes, this.#now, { address: out.address, port: out.port }, out.length)
    }
    const arrival = this.#outward.poll(this.#now)
    if (arrival === null) return false
    const { bytes, tag } = arrival
    out.bytes.set(bytes)
    out.length = bytes.length
    out.address = tag.address
    out.port = tag.port
    return true
  }

  deadline(): Millis {
    return Math.min(this.#inner.deadline(), this.#inward.deadline(), this.#outward.deadline())
  }

  #tick(now: Millis): void { if (now > this.#now) this.#now = now }

  #deliver(): void {
    for (let arrival = this.#inward.poll(this.#now); arrival !== null; arrival = this.#inward.poll(this.#now)) {
      this.#inner.receive(arrival.bytes, arrival.tag, this.#now)
    }
  }
}
