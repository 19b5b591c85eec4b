// A TCP-like bulk flow to share a bottleneck with: CUBIC's window with HyStart's way out of slow start (RFC 9406 in its
// simple form), delayed acknowledgements, loss by three later acknowledgements, a retransmission timer of at least 200 ms,
// no pacing: what a common operating system does. Its window arithmetic is the core's.

import type { Address, Datagram, Endpoint, Millis } from '../../src/transport/endpoint.ts'
import { Cubic } from '../../src/transport/core/cubic.ts'

const PACKET = 1200
const DELAYED_ACK_MS = 40

/** Receives packets, acknowledges every second one at once and a single one after 40 ms, one that leaves a gap at once. */
export class CubicReceiver implements Endpoint<never> {
  received = 0
  #expected = 0
  #waiting: { numbers: number[]; to: Address; dueAt: Millis } | null = null
  #now: Millis = 0

  receive(bytes: Uint8Array, from: Address, now: Millis): void {
    this.received += bytes.length
    const number = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
    const waiting = (this.#waiting ??= { numbers: [], to: { address: from.address, port: from.port }, dueAt: now + DELAYED_ACK_MS })
    waiting.numbers.push(number)
    if (waiting.numbers.length >= 2 || number !== this.#expected) waiting.dueAt = now
    this.#expected = number + 1
    this.#now = now
  }

  advance(now: Millis): void {
    this.#now = now
  }

  pollEvent(): null {
    return null
  }

  pollTransmit(out: Datagram): boolean {
    const waiting = this.#waiting
    if (waiting === null || waiting.dueAt > this.#now) return false
    this.#waiting = null
    const view = new DataView(out.bytes.buffer, out.bytes.byteOffset)
    waiting.numbers.forEach((number, i) => view.setUint32(4 * i, number))
    out.length = 4 * waiting.numbers.length
    out.address = waiting.to.address
    out.port = waiting.to.port
    return true
  }

  deadline(): Millis {
    return this.#waiting?.dueAt ?? Infinity
  }
}

/** Sends without end. */
export class CubicSender implements Endpoint<never> {
  readonly #to: Address
  readonly #cubic = new Cubic(10 * PACKET, PACKET)
  #slowStart = true
  #now: Millis = 0
  #next = 0
  #inFlight = 0
  #largest = -1
  #smoothed = 0
  #least = Infinity
  #deviation = 0
  #recoverUntil = -1
  #lastHeard: Millis = 0
  readonly #sent = new Map<number, Millis>()

  constructor(to: Address) {
    this.#to = to
  }

  receive(bytes: Uint8Array, _from: Address, now: Millis): void {
    this.#now = now
    this.#lastHeard = now
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    for (let at = 0; at + 4 <= bytes.length; at += 4) this.#acknowledged(view.getUint32(at), now)
    for (const other of this.#sent.keys()) {
      if (other + 3 > this.#largest) break
      this.#lose(other)
    }
  }

  advance(now: Millis): void {
    this.#now = now
    const timeout = Math.max(200, this.#smoothed + 4 * this.#deviation)
    if (this.#sent.size === 0 || now - this.#lastHeard < timeout) return
    this.#lastHeard = now
    for (const other of [...this.#sent.keys()]) this.#lose(other)
  }

  pollEvent(): null {
    return null
  }

  pollTransmit(out: Datagram): boolean {
    if (this.#inFlight + PACKET > this.#cubic.window) return false
    if (this.#sent.size === 0) this.#lastHeard = this.#now
    const number = this.#next++
    this.#sent.set(number, this.#now)
    this.#inFlight += PACKET
    new DataView(out.bytes.buffer, out.bytes.byteOffset).setUint32(0, number)
    out.length = PACKET
    out.address = this.#to.address
    out.port = this.#to.port
    return true
  }

  deadline(): Millis {
    return this.#sent.size === 0 ? Infinity : this.#lastHeard + Math.max(200, this.#smoothed + 4 * this.#deviation)
  }

  #acknowledged(number: number, now: Millis): void {
    const sentAt = this.#sent.get(number)
    if (sentAt === undefined) return
    this.#sent.delete(number)
    this.#inFlight -= PACKET
    const trip = now - sentAt
    this.#least = Math.min(this.#least, trip)
    if (this.#smoothed === 0) {
      this.#smoothed = trip
      this.#deviation = trip / 2
    } else {
      this.#deviation += (Math.abs(trip - this.#smoothed) - this.#deviation) / 4
      this.#smoothed += (trip - this.#smoothed) / 8
    }
    const { window } = this.#cubic
    if (!this.#slowStart) this.#cubic.acknowledged(PACKET, this.#smoothed, now)
    else if (window > 16 * PACKET && trip > this.#least + Math.min(16, Math.max(4, this.#least / 8))) this.#slowStart = false
    else this.#cubic.window += PACKET
    if (number > this.#largest) this.#largest = number
  }

  // One cut per round trip, whatever is lost in it.
  #lose(number: number): void {
    this.#sent.delete(number)
    this.#inFlight -= PACKET
    if (number <= this.#recoverUntil) return
    this.#recoverUntil = this.#next
    this.#slowStart = false
    this.#cubic.lost()
  }
}
