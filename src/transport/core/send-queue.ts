// Packets of the application that wait to leave: how they travel, how much may wait, and what becomes of those that do not
// leave. The order is the schedule's, the numbers are the lanes'. SPEC §7.5, §7.6.

import { aborted, outOfRange, VaivenError } from '../../util/errors.ts'
import type { Millis } from '../endpoint.ts'
import type { ChannelPriority, Delivery, DeliveryOutcome, SendOptions } from '../types.ts'
import { Lane } from './lane.ts'
import { Kind, Message } from './message.ts'
import { resolvePriority } from './options.ts'
import type { PeerCore } from './peer.ts'
import { Fifo } from './ring.ts'
import { Schedule } from './schedule.ts'

interface Waiter {
  resolve: () => void
  reject: (error: Error) => void
  stop: () => void
}

export class SendQueue {
  /** By channel: the sequenced lane of each, and the unsequenced one. Made when first used. */
  readonly lanes: (Lane | undefined)[] = []
  readonly #unsequencedLanes: (Lane | undefined)[] = []
  readonly schedule = new Schedule()
  bytes = 0
  messages = 0
  /** The earliest time at which something expires. */
  nextExpiry: Millis = Infinity
  /** Packets that may expire and were queued since time was last known. */
  #unstamped: Fifo<Message> | null = null
  #drainWanted = false
  #waiters: Waiter[] = []
  readonly #peer: PeerCore

  constructor(peer: PeerCore) {
    this.#peer = peer
  }

  lane(channel: number, sequenced: boolean): Lane {
    const lanes = sequenced ? this.lanes : this.#unsequencedLanes
    const known = lanes[channel]
    if (known !== undefined) return known
    const priority = this.#peer.host.options.channelPriorities.get(channel)
    const lane = new Lane(channel, sequenced, priority?.level ?? 4, priority?.weight ?? 10)
    lane.bulk = priority?.bulk ?? false
    lane.redundancy = priority?.redundancy
    if (priority !== undefined) lane.freshnessMs = priority.freshnessMs
    return (lanes[channel] = lane)
  }

  setPriority(channel: number, priority: ChannelPriority): void {
    const { level, weight, bulk, redundancy, freshnessMs } = resolvePriority('priority', priority)
    for (const lane of [this.lane(channel, true), this.lane(channel, false)]) {
      this.schedule.move(lane, level, weight)
      lane.bulk = bulk
      lane.redundancy = redundancy
      lane.freshnessMs = freshnessMs
    }
  }

  /**
   * What waits could not leave now. Unreliable packets that have been held back for too long are dropped in favour of newer
   * ones; those that were held back for the first time begin to age. Costs nothing where everything leaves at once.
   */
  age(now: Millis): void {
    for (const lane of this.#all()) {
      if (lane.freshnessMs === 0 || lane.queue.length === 0) continue
      while (isStale(lane, now)) this.giveUp(lane.shift() as Message, 'throttled')
      for (let i = lane.queue.length - 1; i >= 0; i--) {
        const message = lane.queue.at(i) as Message
        if (message.reliable || message.freshUntil !== Infinity) break
        // A limit of the application's own takes the place of this one.
        message.freshUntil = message.ttlMs > 0 ? Number.MAX_VALUE : now + lane.freshnessMs
      }
    }
  }

  /**
   * Queues a packet whose bytes nobody else will change.
   * @returns false when the queue is above its high mark
   * @throws VaivenError ERR_QUEUE_FULL, ERR_PACKET_SIZE, ERR_ARGUMENT
   */
  push(channel: number, bytes: Uint8Array, options: Delivery | SendOptions | undefined): boolean {
    const peer = this.#peer
    const { sendCapBytes, sendHighMarkBytes } = peer.host.options
    const message = this.#compose(bytes, typeof options === 'string' ? { delivery: options } : options ?? {})
    if (this.messages > 0 && this.bytes + bytes.length > sendCapBytes) {
      if (message.reliable) {
        throw new VaivenError(
          'ERR_QUEUE_FULL',
          `peer ${peer.id} has ${this.bytes} bytes queued, the cap is ${sendCapBytes}; wait for drained() before sending more`,
        )
      }
      peer.count('queueFull')
      this.#settle(message, 'queue-full')
      return false
    }
    const lane = this.lane(channel, message.kind !== Kind.unsequenced)
    const replaced = lane.push(message)
    this.bytes += bytes.length
    this.messages++
    if (replaced !== null) {
      this.bytes -= replaced.bytes.length
      this.messages--
      peer.count('superseded')
      this.#settle(replaced, 'superseded')
    }
    // What took the place of another lives on in that one's record.
    if (message.ttlMs > 0) (this.#unstamped ??= new Fifo()).push(replaced === null ? message : lane.waitingWith(message))
    this.schedule.add(lane)
    if (this.bytes <= sendHighMarkBytes) return true
    this.#drainWanted = true
    return false
  }

  /** So many bytes (and whole packets) have left or were given up. */
  left(bytes: number, messages: number): void {
    this.bytes -= bytes
    this.messages -= messages
    const { host } = this.#peer
    if (this.bytes > host.options.sendLowMarkBytes) return
    if (this.#drainWanted) {
      this.#drainWanted = false
      host.emit({ type: 'drain', peer: this.#peer })
    }
    if (this.#waiters.length > 0) this.#settleWaiters(null)
  }

  /** A waiting packet is given up. */
  giveUp(message: Message, cause: 'expired' | 'throttled'): void {
    this.#peer.count(cause)
    this.left(message.bytes.length - message.begun * message.pieceBytes, 1)
    this.#settle(message, cause)
  }

  /** Resolves when the queue is at or below its low mark. */
  drained(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(aborted('drained', signal))
    if (this.bytes <= this.#peer.host.options.sendLowMarkBytes) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { resolve, reject, stop: () => signal?.removeEventListener('abort', onAbort) }
      const onAbort = (): void => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter)
        reject(aborted('drained', signal as AbortSignal))
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiters.push(waiter)
    })
  }

  /** Packets that may expire wait to learn what time it is. */
  get hasUnstamped(): boolean {
    return this.#unstamped !== null
  }

  /** Time is known again. */
  stamp(now: Millis): void {
    const unstamped = this.#unstamped
    if (unstamped === null) return
    this.#unstamped = null
    for (let message = unstamped.shift(); message !== undefined; message = unstamped.shift()) {
      // A newer one with its key may have no time limit.
      if (message.ttlMs === 0) continue
      message.expiresAt = now + message.ttlMs
      this.nextExpiry = Math.min(this.nextExpiry, message.expiresAt)
    }
  }

  /** Gives up what has waited too long. */
  expire(now: Millis): void {
    const expired: Message[] = []
    let next = Infinity
    for (const lane of this.#all()) {
      for (const message of lane.expire(now)) expired.push(message)
      for (const message of lane.queue) if (message.begun === 0) next = Math.min(next, message.expiresAt)
      if (lane.queue.length === 0) this.schedule.remove(lane)
    }
    this.nextExpiry = next
    if (expired.length === 0) return
    for (const { bytes } of expired) {
      this.#peer.count('expired')
      this.bytes -= bytes.length
    }
    this.left(0, expired.length)
    // Told when all are accounted for: a listener may end the connection.
    for (const message of expired) this.#settle(message, 'expired')
  }

  /** The connection is ending: nothing that waits or is unacknowledged will arrive. */
  drop(): void {
    const dropped: Message[] = []
    for (const lane of this.#all()) {
      for (const message of lane.remaining()) dropped.push(message)
      // Wherever they are: in flight, waiting to be sent again, or in a datagram of which a part was acknowledged.
      for (const command of lane.sent) this.#peer.recovery.forget(command)
      lane.clear()
      this.schedule.remove(lane)
    }
    this.#unstamped = null
    this.nextExpiry = Infinity
    this.bytes = this.messages = 0
    // Told last: a listener may end the connection once more.
    for (const message of dropped) {
      this.#peer.count('disconnected')
      this.#settle(message, 'disconnected')
    }
  }

  /** Whoever waits for room will wait in vain. */
  abandon(error: Error): void {
    if (this.#waiters.length > 0) this.#settleWaiters(error)
  }

  *#all(): IterableIterator<Lane> {
    for (const lane of this.lanes) if (lane !== undefined) yield lane
    for (const lane of this.#unsequencedLanes) if (lane !== undefined) yield lane
  }

  #settle(message: Message, outcome: DeliveryOutcome): void {
    message.settle(outcome, this.#peer.host.listenerFailed)
  }

  #settleWaiters(error: Error | null): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) {
      waiter.stop()
      if (error === null) waiter.resolve()
      else waiter.reject(error)
    }
  }

  // SPEC §5.6: what fits into one command, what goes in fragments, and of which kind.
  #compose(bytes: Uint8Array, options: SendOptions): Message {
    const delivery = options.delivery ?? 'reliable'
    const { pieceBytes } = this.#peer
    const long = bytes.length > pieceBytes
    let kind: Kind
    if (delivery === 'reliable') kind = long ? Kind.fragment : Kind.reliable
    else if (delivery !== 'unreliable' && delivery !== 'unsequenced') {
      throw outOfRange('delivery', delivery, "'reliable', 'unreliable' or 'unsequenced'", 'ERR_ARGUMENT')
    } else if (!long) kind = delivery === 'unreliable' ? Kind.unreliable : Kind.unsequenced
    else if (options.fragment === 'reliable') kind = Kind.fragment
    else if (options.fragment === false) {
      throw new VaivenError(
        'ERR_PACKET_SIZE',
        `the ${delivery} packet has ${bytes.length} bytes; one datagram of this connection carries ${pieceBytes}, and fragments are switched off for it`,
      )
    } else kind = Kind.unreliableFragment
    const message = new Message(bytes, kind)
    if (long) {
      message.pieceBytes = pieceBytes
      message.pieces = message.missing = Math.ceil(bytes.length / pieceBytes)
    }
    if (options.expiresMs !== undefined) {
      if (!(options.expiresMs >= 1 && options.expiresMs <= 86_400_000)) throw outOfRange('expiresMs', options.expiresMs, 'from 1 to 86,400,000', 'ERR_ARGUMENT')
      message.ttlMs = options.expiresMs
    }
    message.key = options.key
    message.onSettled = options.onSettled ?? null
    return message
  }
}

/** The first packet of a lane is unreliable, was held back for too long, and a newer one waits behind it. */
export const isStale = ({ queue }: Lane, now: Millis): boolean => {
  const first = queue.peek()
  return first !== undefined && !first.reliable && first.begun === 0 && first.freshUntil <= now && queue.at(1)?.reliable === false
}
