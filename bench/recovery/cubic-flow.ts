// A TCP-like bulk flow to share a bottleneck with: CUBIC's window, an acknowledgement per packet, loss by three later
// acknowledgements, a retransmission timer of at least 200 ms, no pacing. Its window arithmetic is the core's.

import type { Address, Datagram, Endpoint, Millis } from '../../src/transport/endpoint.ts'
import { Cubic } from '../../src/transport/core/cubic.ts'

const PACKET = 1200
const ACK = 12

/** Receives packets, acknowledges each. */
export class CubicReceiver implements Endpoint<never> {
  received = 0
  readonly #answers: { number: number; to: Address }[] = []
  receive(bytes: Uint8Array, from: Address): void {
    this.received += bytes.length
    this.#answers.push({ number: new DataView(bytes.buffer, bytes.byteOffset).getUint32(0), to: { address: from.address, port: from.port } })
  }
  advance(): void {}
  pollEvent(): null {
    return null
  }
  pollTransmit(out: Datagram): boolean {
    const answer = this.#answers.shift()
    if (answer === undefined) return false
    new DataView(out.bytes.buffer, out.bytes.byteOffset).setUint32(0, answer.number)
    out.length = ACK
    out.address = answer.to.address
    out.port = answer.to.port
    return true
  }
  deadline(): Millis {
    return Infinity
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
    const number = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
    const sentAt = this.#sent.get(number)
    if (sentAt === undefined) return
    this.#sent.delete(number)
    this.#inFlight -= PACKET
    const trip = now - sentAt
    if (this.#smoothed === 0) {
      this.#smoothed = trip
      this.#deviation = trip / 2
    } else {
      this.#deviation += (Math.abs(trip - this.#smoothed) - this.#deviation) / 4
      this.#smoothed += (trip - this.#smoothed) / 8
    }
    if (this.#slowStart) this.#cubic.window += PACKET
    else this.#cubic.acknowledged(PACKET, this.#smoothed, now)
    if (number > this.#largest) this.#largest = number
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
