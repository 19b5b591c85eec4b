// Two senders that know what no sender can know: floors to measure against.
//
// Feedback oracle: learns that a datagram was lost at the moment at which feedback about it could first have come back
// (the time at which it would have arrived, plus the way back), never loses that feedback, and sends the messages again
// once. No scheme that sends one copy at a time can do better.
// Repeat oracle: also sends every message that has not arrived again in every later tick, and stops by magic when it has.
// No redundancy on the application's grid of ticks can do better.
//
// They send over the very links that the real senders are measured on, with bytes of the same size as ENet's.

import type { Millis } from '../../src/transport/endpoint.ts'
import { Link } from '../../src/transport/simulator/index.ts'

/** One message of the workload. */
export interface OracleMessage {
  readonly sentAt: Millis
  readonly bytes: number
  readonly order: number
  arrived: boolean
}

export interface OracleDatagram {
  readonly messages: OracleMessage[]
}

const MTU = 1200
const HEADER = 4
const RELIABLE = 6
const UNRELIABLE = 8

export type OracleKind = 'feedback' | 'repeat'

/** One direction of the game workload, sent by an oracle. Latencies are from sending to delivery in order. */
export class OracleSender {
  readonly latenciesMs: Millis[] = []
  readonly #kind: OracleKind
  readonly #link: Link<OracleDatagram>
  readonly #returnMs: Millis
  #waiting: OracleMessage[] = []
  #open: OracleMessage[] = []
  readonly #again: { atMs: Millis; messages: OracleMessage[] }[] = []
  readonly #held = new Map<number, OracleMessage>()
  #nextOrder = 0
  #delivered = 0
  #stateBytes = 0
  readonly #filler = new Uint8Array(MTU)

  constructor(kind: OracleKind, link: Link<OracleDatagram>, returnMs: Millis) {
    this.#kind = kind
    this.#link = link
    this.#returnMs = returnMs
  }

  /** The application sends a reliable message now; it leaves with `tick`. */
  send(bytes: number, now: Millis): void {
    this.#waiting.push({ sentAt: now, bytes, order: this.#nextOrder++, arrived: false })
  }

  state(bytes: number): void {
    this.#stateBytes += bytes
  }

  /** The end of a tick of the application: everything leaves. */
  tick(now: Millis): void {
    if (this.#kind === 'repeat') {
      this.#open = this.#open.filter((message) => !message.arrived)
      this.#transmit([...this.#open, ...this.#waiting], now)
      this.#open.push(...this.#waiting)
    } else this.#transmit(this.#waiting, now)
    this.#waiting = []
  }

  /** When `advance` has something to do. */
  get deadline(): Millis {
    let at = this.#link.deadline()
    for (const again of this.#again) at = Math.min(at, again.atMs)
    return at
  }

  advance(now: Millis): void {
    for (let arrival = this.#link.poll(now); arrival !== null; arrival = this.#link.poll(now)) {
      for (const message of arrival.tag.messages) this.#receive(message, now)
    }
    for (let i = this.#again.length - 1; i >= 0; i--) {
      const again = this.#again[i] as { atMs: Millis; messages: OracleMessage[] }
      if (again.atMs > now) continue
      this.#again.splice(i, 1)
      const missing = again.messages.filter((message) => !message.arrived)
      if (missing.length > 0) this.#transmit(missing, now)
    }
  }

  #transmit(messages: OracleMessage[], now: Millis): void {
    let state = this.#stateBytes > 0 ? this.#stateBytes + UNRELIABLE : 0
    this.#stateBytes = 0
    const left = [...messages]
    while (left.length > 0 || state > 0) {
      let size = HEADER
      const carried: OracleMessage[] = []
      for (let first = left[0]; first !== undefined && size + RELIABLE + first.bytes <= MTU; first = left[0]) {
        size += RELIABLE + first.bytes
        carried.push(first)
        left.shift()
      }
      if (state > 0 && size + state <= MTU) {
        size += state
        state = 0
      }
      this.#send(carried, size, now)
    }
  }

  #send(messages: OracleMessage[], size: number, now: Millis): void {
    const arrivesAt = this.#link.send(this.#filler, now, { messages }, size)
    if (arrivesAt !== Infinity || messages.length === 0) return
    // The link does not say when a lost datagram would have arrived; on a constant delay that is known.
    this.#again.push({ atMs: now + 2 * this.#returnMs, messages })
  }

  #receive(message: OracleMessage, now: Millis): void {
    if (message.arrived) return
    message.arrived = true
    this.#held.set(message.order, message)
    for (let next = this.#held.get(this.#delivered); next !== undefined; next = this.#held.get(this.#delivered)) {
      this.#held.delete(this.#delivered++)
      this.latenciesMs.push(now - next.sentAt)
    }
  }
}
