// One lane: the packets of one channel that wait to leave, in order, and the numbers they get when they do.
// A channel has a lane for what is sequenced and one for what is not, so that neither blocks the other.
//
// Numbers are given at the first transmission, not when the application queues: what expires or is replaced while it
// waits then leaves no hole. The receiver cannot tell; the order within a lane is the same. SPEC §5.1.

import type { Millis } from '../endpoint.ts'
import type { DeliveryOutcome } from '../types.ts'
import { PEER_CHANNEL } from './constants.ts'
import type { Redundancy } from './copies.ts'
import { Kind } from './message.ts'
import type { Message, ReliableCommand } from './message.ts'
import { Fifo, SequenceRing } from './ring.ts'
import { next, Place, placeOf } from './sequence.ts'

/** How long an unreliable packet that cannot leave is worth waiting for, ms. */
export const DEFAULT_FRESHNESS_MS = 50

export class Lane {
  readonly channel: number
  /** False for the lane of unsequenced packets. */
  readonly sequenced: boolean
  /** What waits, whole packets; the first one may have left in part. */
  readonly queue = new Fifo<Message>()
  /** Reliable commands that have left and are not acknowledged. */
  readonly sent = new SequenceRing<ReliableCommand>(8)
  /** Reliable packets that have begun to leave and are not acknowledged whole, oldest first. */
  readonly #unfinished = new Fifo<Message>()
  /** Waiting packets by key, for "latest wins". */
  #byKey: Map<string | number, Message> | null = null
  /** The last reliable and unreliable number used. */
  reliableNumber = 0
  unreliableNumber = 0
  // Scheduling: see schedule.ts.
  level: number
  weight: number
  /** Everything on it waits for the controller's window, however small. */
  bulk = false
  /** How often first transmissions are doubled; `undefined`: as the host says. */
  redundancy: Redundancy | undefined = undefined
  /** How long an unreliable packet may be held back before it is dropped for newer ones, ms; 0: for ever. */
  freshnessMs = DEFAULT_FRESHNESS_MS
  smallServed = 0
  largeServed = 0
  scheduled = false
  /** The datagram being built in which this lane was found blocked. */
  blockedIn = -1

  constructor(channel: number, sequenced: boolean, level: number, weight: number) {
    this.channel = channel
    this.sequenced = sequenced
    this.level = level
    this.weight = weight
  }

  /** True when it has neither anything waiting nor anything unacknowledged. */
  get idle(): boolean {
    return this.queue.length === 0 && this.sent.count === 0
  }

  /**
   * Queues a packet, or puts it in the place of a waiting one with the same key.
   * @returns the packet whose place it took, or `null`
   */
  push(message: Message): Message | null {
    if (message.key !== undefined) {
      this.#byKey ??= new Map()
      const waiting = this.#byKey.get(message.key)
      if (waiting !== undefined && waiting.begun === 0) return replace(waiting, message)
      this.#byKey.set(message.key, message)
    }
    this.queue.push(message)
    return null
  }

  /** The waiting packet with the same key: where `push` put it. */
  waitingWith(message: Message): Message {
    return (message.key === undefined ? undefined : this.#byKey?.get(message.key)) ?? message
  }

  /** Takes the first packet out of the queue: it has left whole, or is given up. */
  shift(): Message | undefined {
    const message = this.queue.shift()
    if (message?.key !== undefined && this.#byKey?.get(message.key) === message) this.#byKey.delete(message.key)
    return message
  }

  /** The reliable number that the next piece of the first packet gets. */
  nextReliable(message: Message): number {
    return message.begun === 0 ? next(this.reliableNumber) : (message.start + message.begun) & 0xffff
  }

  /**
   * May a reliable command with this number leave? Never further ahead of the oldest unfinished packet than every
   * receiver accepts: beyond that C ENet first stays silent and then acknowledges what it throws away. SPEC §5.2.
   */
  withinReach(sequence: number): boolean {
    const oldest = this.#unfinished.peek()
    return oldest === undefined || placeOf(sequence, (oldest.start - 1) & 0xffff) === Place.acceptable
  }

  /** Gives the first packet its numbers: it begins to leave. */
  number(message: Message): void {
    if (message.reliable) {
      message.start = next(this.reliableNumber)
      this.reliableNumber = (this.reliableNumber + message.pieces) & 0xffff
      this.unreliableNumber = 0
      message.missing = message.pieces
      this.#unfinished.push(message)
    } else if (message.kind !== Kind.unsequenced) {
      message.start = ++this.unreliableNumber
      message.behind = this.reliableNumber
    }
  }

  /** An unreliable number does not wrap; the packet after number 65,535 has to be reliable, which restarts the count. */
  get unreliableExhausted(): boolean {
    return this.unreliableNumber >= 0xffff
  }

  /** A command of this lane was acknowledged. */
  acknowledged(command: ReliableCommand): void {
    this.sent.delete(command.sequence)
    if (this.channel === PEER_CHANNEL) return
    for (let first = this.#unfinished.peek(); first !== undefined && first.missing === 0; first = this.#unfinished.peek()) {
      this.#unfinished.shift()
    }
  }

  /** Takes out what has waited too long. Rare, so it may walk the queue. */
  expire(now: Millis): Message[] {
    const expired: Message[] = []
    const kept: Message[] = []
    for (const message of this.queue) (message.begun === 0 && message.expiresAt <= now ? expired : kept).push(message)
    if (expired.length === 0) return expired
    this.queue.clear()
    for (const message of kept) this.queue.push(message)
    for (const { key } of expired) if (key !== undefined) this.#byKey?.delete(key)
    return expired
  }

  /** Everything that waits or is unacknowledged, once each, for settling it when the connection ends. */
  *remaining(): IterableIterator<Message> {
    for (const message of this.#unfinished) if (message.missing > 0) yield message
    for (const message of this.queue) if (!message.reliable || message.begun === 0) yield message
  }

  clear(): void {
    this.queue.clear()
    this.#unfinished.clear()
    this.#byKey = null
    for (const command of this.sent) command.message = null
  }
}

// The waiting record keeps its place in the queue and takes over everything else; what is returned stands for the old one.
const replace = (waiting: Message, message: Message): Message => {
  const settled: ((outcome: DeliveryOutcome) => void) | null = waiting.onSettled
  const bytes = waiting.bytes
  waiting.bytes = message.bytes
  waiting.kind = message.kind
  waiting.pieces = message.pieces
  waiting.pieceBytes = message.pieceBytes
  waiting.missing = message.missing
  waiting.ttlMs = message.ttlMs
  waiting.expiresAt = message.expiresAt
  waiting.freshUntil = Infinity
  waiting.onSettled = message.onSettled
  message.bytes = bytes
  message.onSettled = settled
  return message
}
