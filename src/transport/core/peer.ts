// One connection: its state, its lanes and channels, and what an application can ask of it. How its datagrams are built
// is in transmit.ts, how they are read in receive.ts, how it came to be in handshake.ts.

import { aborted, outOfRange, VaivenError } from '../../util/errors.ts'
import type { Millis } from '../endpoint.ts'
import type {
  ChannelPriority,
  Delivery,
  DeliveryOutcome,
  EndReason,
  Ledger,
  Peer,
  PeerState,
  PeerStats,
  PingAnswer,
  SendOptions,
} from '../types.ts'
import { Command, FLAG_ACKNOWLEDGE, FLAG_UNSEQUENCED, MAX_FRAGMENTS, MAX_WINDOW_BYTES, NO_PEER, PEER_CHANNEL } from './constants.ts'
import { Congestion } from './congestion.ts'
import { Copies } from './copies.ts'
import type { Dialect } from './dialect.ts'
import { Reports } from './extension.ts'
import { Pace, Throttle } from './flow.ts'
import type { Attempt } from './handshake.ts'
import type { Host } from './host.ts'
import { IncomingChannel } from './incoming.ts'
import type { Inbox } from './incoming.ts'
import { Lane } from './lane.ts'
import { createLedger } from './ledger.ts'
import { Kind, Message, ReliableCommand } from './message.ts'
import { integerOption, resolvePriority } from './options.ts'
import { PendingAcks } from './pending-acks.ts'
import { Pacing } from './pacing.ts'
import { PIECE_CHARGE } from './reassembly.ts'
import { Recovery } from './recovery.ts'
import { Fifo } from './ring.ts'
import { Schedule } from './schedule.ts'
import type { Timed } from './timers.ts'
import { UnsequencedWindow } from './unsequenced.ts'
import { encodeHead, put32 } from './wire.ts'

/** What the handshake agreed on. */
export interface Terms {
  readonly outgoingId: number
  readonly incomingSession: number
  readonly outgoingSession: number
  readonly mtu: number
  readonly windowBytes: number
  readonly channelCount: number
  readonly peerIncomingBandwidth: number
  readonly peerOutgoingBandwidth: number
}

/** An idle connection whose other side keeps talking is pinged this much more rarely. */
const IDLE_PING_STRETCH = 8
/** Numbers ahead of the last one seen that a command of the peer channel may have. C counts them one by one. */
const CONTROL_REACH = 1024
/** Small packets may go beyond the window by this many datagrams, or a quarter of it. */
const URGENT_DATAGRAMS = 4

export class PeerCore implements Peer, Inbox, Timed {
  readonly kind = 'peer'
  readonly host: Host
  readonly id: number
  readonly address: string
  readonly port: number
  state: PeerState
  userData: unknown = undefined
  connectData: number
  // -- identity on the wire
  /** What the other side puts into headers: 12 bits, unpredictable. */
  readonly wireId: number
  nextSameId: unknown = null
  outgoingId = NO_PEER
  incomingSession = 0
  outgoingSession = 0
  readonly connectId: number
  readonly dialect: Dialect
  // -- terms
  mtu: number
  windowBytes: number
  channelCount: number
  peerIncomingBandwidth = 0
  peerOutgoingBandwidth = 0
  // -- sending
  readonly control: Lane
  readonly controlQueue = new Fifo<ReliableCommand>()
  readonly lanes: (Lane | undefined)[] = []
  readonly unsequencedLanes: (Lane | undefined)[] = []
  readonly schedule = new Schedule()
  readonly recovery: Recovery
  readonly throttle = new Throttle()
  /** The other side's stated limit. */
  readonly pace = new Pace()
  /** The controller's rate, for bulk. */
  readonly pacing: Pacing
  readonly acks = new PendingAcks()
  unsequencedGroup = 0
  order = 0
  queuedBytes = 0
  queuedMessages = 0
  #drainWanted = false
  #drainWaiters: Waiter[] = []
  // -- receiving
  readonly channels: (IncomingChannel | undefined)[] = []
  readonly unsequenced = new UnsequencedWindow()
  /** The highest number seen on the peer channel. */
  controlSeen = 0
  /** Which of the 32 numbers before it have been seen; the ones before the first count as seen. */
  #controlBehind = 0xffffffff
  readonly #newestOfKind = new Map<number, number>()
  waitingBytes = 0
  #undeliveredBytes = 0
  // -- the extension between hosts of our own (extension.ts)
  /** We have announced it. */
  announced = false
  /** The other side has, too: it is told of whole datagrams, and tells us. */
  reports: Reports | null = null
  // -- handshake, connecting side
  attempt: Attempt | null = null
  /** The acknowledgement of VERIFY_CONNECT, repeated until the server shows that it has it. */
  verifyEcho: { sequence: number; token: number; sent: number } | null = null
  /** Accepting side: the challenge whose acknowledgement made this peer; copies of it may still come. */
  challenge: { readonly sequence: number; readonly token: number } | null = null
  // -- time
  armedAt: Millis = Infinity
  queued = false
  connectedAt: Millis = 0
  pingIntervalMs: number
  lastAckAt: Millis
  lastReceiveAt: Millis
  lastApplicationAt: Millis
  #holdUntil: Millis = -Infinity
  #timeoutLimit: number
  #timeoutMinimumMs: number
  #timeoutMaximumMs: number
  #timed: Fifo<Message> | null = null
  #nextExpiry: Millis = Infinity
  // -- ending
  #endReason: EndReason = 'local'
  #endData = 0
  // -- numbers
  readonly ledger: Ledger = createLedger()
  datagramsSent = 0
  datagramsReceived = 0
  bytesSent = 0
  bytesReceived = 0
  messagesSent = 0
  messagesReceived = 0
  messageDatagrams = 0
  messagesBegun = 0

  constructor(
    host: Host,
    identity: { id: number; wireId: number; address: string; port: number; connectId: number; connectData: number },
    dialect: Dialect,
    controlStart: number,
    state: PeerState,
    channelCount: number,
    now: Millis,
  ) {
    const { options } = host
    this.host = host
    this.id = identity.id
    this.wireId = identity.wireId
    this.address = identity.address
    this.port = identity.port
    this.connectId = identity.connectId
    this.connectData = identity.connectData
    this.dialect = dialect
    this.state = state
    this.mtu = options.mtu
    this.windowBytes = 0
    this.channelCount = channelCount
    this.control = new Lane(PEER_CHANNEL, true, 7, 1)
    this.control.reliableNumber = controlStart
    const congestion = options.congestionControl ? new Congestion(options.mtu) : null
    const copies = new Copies(options.redundancy, options.redundancyBytes)
    this.recovery = new Recovery(host.random16(), now, options.sentTime === 'clock', congestion, copies, host.listenerFailed)
    this.pacing = new Pacing(options.mtu)
    this.pingIntervalMs = options.pingIntervalMs
    this.lastAckAt = this.lastReceiveAt = this.lastApplicationAt = now
    this.#timeoutLimit = options.timeoutLimit
    this.#timeoutMinimumMs = options.timeoutMinimumMs
    this.#timeoutMaximumMs = options.timeoutMaximumMs
  }

  // ---------------------------------------------------------------- for the application

  send(channel: number, bytes: Uint8Array, options?: Delivery | SendOptions): boolean {
    if (!(bytes instanceof Uint8Array)) throw outOfRange('bytes', typeof bytes, 'a Uint8Array', 'ERR_ARGUMENT')
    this.checkSend(channel, bytes.length)
    return this.queue(channel, bytes.slice(), options)
  }

  deliver(channel: number, bytes: Uint8Array, options?: Delivery | (SendOptions & { signal?: AbortSignal })): Promise<void> {
    const { signal, onSettled, ...rest } = typeof options === 'string' ? { delivery: options } as SendOptions & { signal?: AbortSignal } : options ?? {}
    if (signal?.aborted === true) return Promise.reject(aborted('deliver', signal))
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(aborted('deliver', signal as AbortSignal))
      signal?.addEventListener('abort', onAbort, { once: true })
      const settled = (outcome: DeliveryOutcome): void => {
        signal?.removeEventListener('abort', onAbort)
        onSettled?.(outcome)
        if (outcome === 'delivered') resolve()
        else if (outcome === 'disconnected') reject(new VaivenError('ERR_DISCONNECTED', 'the connection ended before the packet was acknowledged'))
        else reject(new VaivenError('ERR_NOT_DELIVERED', `the packet was given up: ${outcome}`))
      }
      try {
        this.send(channel, bytes, { ...rest, onSettled: settled })
      } catch (error) {
        signal?.removeEventListener('abort', onAbort)
        reject(error as Error)
      }
    })
  }

  drained(options: { signal?: AbortSignal } = {}): Promise<void> {
    const { signal } = options
    if (signal?.aborted === true) return Promise.reject(aborted('drained', signal))
    if (this.queuedBytes <= this.host.options.sendLowMarkBytes) {
      return this.alive ? Promise.resolve() : Promise.reject(notConnected(this))
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { resolve, reject, stop: () => signal?.removeEventListener('abort', onAbort) }
      const onAbort = (): void => {
        this.#drainWaiters = this.#drainWaiters.filter((other) => other !== waiter)
        reject(aborted('drained', signal as AbortSignal))
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#drainWaiters.push(waiter)
    })
  }

  disconnect(data = 0): void {
    this.#leave(data, 'local')
  }

  disconnectPlain(data = 0): void {
    checkData(data)
    if (this.state !== 'connected' && this.state !== 'disconnect-later') return this.disconnectNow(data)
    this.#endData = data
    this.#dropOutgoing()
    this.#sayGoodbye()
    this.host.attention(this)
  }

  disconnectNow(data = 0): void {
    checkData(data)
    if (this.state === 'disconnected') return
    const parting = this.state === 'connected' || this.state === 'disconnect-later'
    if (parting) this.host.depart(this, encodeDisconnect(this.nextControl(), data, false))
    this.finish('local', 0)
    this.host.attention(null)
  }

  reset(): void {
    if (this.state === 'disconnected') return
    this.finish('local', 0)
    this.host.attention(null)
  }

  ping(onAnswered?: (answer: PingAnswer) => void): void {
    this.#requireConnected()
    const command = this.composePing(false)
    if (onAnswered !== undefined) {
      command.onAcknowledged = ({ sentAt, transmissions }) => onAnswered({ roundTripMs: this.host.now - sentAt, transmissions })
    }
    this.controlQueue.push(command)
    this.host.attention(this)
  }

  hold(durationMs: number): void {
    if (!(durationMs >= 0 && durationMs <= 86_400_000)) throw outOfRange('durationMs', durationMs, 'from 0 to 86,400,000', 'ERR_ARGUMENT')
    this.#holdUntil = Math.max(this.#holdUntil, this.host.live + durationMs)
  }

  throttleConfigure(intervalMs: number, acceleration: number, deceleration: number): void {
    this.#requireConnected()
    for (const [name, value] of Object.entries({ intervalMs, acceleration, deceleration })) {
      if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) throw outOfRange(name, value, 'an integer from 0 to 4294967295', 'ERR_ARGUMENT')
    }
    Object.assign(this.throttle, { intervalMs, acceleration, deceleration })
    const encoded = new Uint8Array(16)
    encodeHead(encoded, 0, Command.throttleConfigure | FLAG_ACKNOWLEDGE, PEER_CHANNEL, this.nextControl())
    put32(encoded, 4, intervalMs)
    put32(encoded, 8, acceleration)
    put32(encoded, 12, deceleration)
    this.queueControl(encoded)
    this.host.attention(this)
  }

  setTimeout(timeout: { limit?: number; minimumMs?: number; maximumMs?: number }): void {
    this.#timeoutLimit = integerOption('timeout.limit', timeout.limit, 2, 1 << 20, this.#timeoutLimit)
    this.#timeoutMinimumMs = integerOption('timeout.minimumMs', timeout.minimumMs, 100, 86_400_000, this.#timeoutMinimumMs)
    this.#timeoutMaximumMs = integerOption('timeout.maximumMs', timeout.maximumMs, 100, 86_400_000, this.#timeoutMaximumMs)
  }

  setChannelPriority(channel: number, priority: ChannelPriority): void {
    this.#checkChannel(channel)
    const { level, weight, bulk, redundancy } = resolvePriority('priority', priority)
    for (const lane of [this.lane(channel, true), this.lane(channel, false)]) {
      this.schedule.move(lane, level, weight)
      lane.bulk = bulk
      lane.redundancy = redundancy
    }
  }

  get stats(): PeerStats {
    const { roundTrip } = this.recovery
    return {
      roundTripMs: roundTrip.mean,
      roundTripDeviationMs: roundTrip.deviation,
      minRoundTripMs: roundTrip.min,
      lastRoundTripMs: roundTrip.last,
      lossRatio: this.recovery.lossRatio,
      queuedBytes: this.queuedBytes,
      queuedMessages: this.queuedMessages,
      inFlightBytes: this.recovery.inTransitBytes,
      windowBytes: this.window,
      waitingBytes: this.waitingBytes,
      mtu: this.mtu,
      datagramsSent: this.datagramsSent,
      datagramsReceived: this.datagramsReceived,
      bytesSent: this.bytesSent,
      bytesReceived: this.bytesReceived,
      messagesSent: this.messagesSent,
      messagesReceived: this.messagesReceived,
      retransmissions: this.recovery.retransmissions,
      messagesPerDatagram: this.messageDatagrams === 0 ? 0 : this.messagesBegun / this.messageDatagrams,
      connectedMs: this.connectedAt === 0 ? 0 : this.host.now - this.connectedAt,
    }
  }

  // ---------------------------------------------------------------- for the host

  /** Not ended, and not yet saying its last word. */
  get alive(): boolean {
    return this.state !== 'disconnected'
  }

  /** Payload that fits into one command: longer packets go in fragments. SPEC §5.6. */
  get pieceBytes(): number {
    return this.mtu - (this.dialect.checksum === null ? 28 : 32)
  }

  /** Reliable payload bytes that may be unacknowledged. SPEC §7.1. */
  get window(): number {
    const { throttle, strictWindow, maxInFlightBytes } = this.host.options
    // The largest window there is means that the other side states no limit; the controller finds the path's.
    if (this.windowBytes === MAX_WINDOW_BYTES && !strictWindow) return maxInFlightBytes
    const scaled = throttle === 'enet' ? Math.floor((this.windowBytes * this.throttle.value) / 32) : this.windowBytes
    return Math.max(scaled, this.mtu)
  }

  /** May so many more reliable payload bytes leave now? */
  windowAllows(bytes: number, urgent: boolean): boolean {
    const reserve = urgent && this.recovery.congestion !== null ? Math.max(URGENT_DATAGRAMS * this.mtu, this.window / 4) : 0
    return this.recovery.inTransitBytes + bytes <= this.window + reserve
  }

  lane(channel: number, sequenced: boolean): Lane {
    const lanes = sequenced ? this.lanes : this.unsequencedLanes
    const known = lanes[channel]
    if (known !== undefined) return known
    const priority = this.host.options.channelPriorities.get(channel)
    const lane = new Lane(channel, sequenced, priority?.level ?? 4, priority?.weight ?? 10)
    lane.bulk = priority?.bulk ?? false
    lane.redundancy = priority?.redundancy
    return (lanes[channel] = lane)
  }

  incoming(channel: number): IncomingChannel {
    return (this.channels[channel] ??= new IncomingChannel(channel, this))
  }

  /** The handshake is over. */
  connected(terms: Terms, now: Millis): void {
    this.state = 'connected'
    this.outgoingId = terms.outgoingId
    this.incomingSession = terms.incomingSession
    this.outgoingSession = terms.outgoingSession
    this.mtu = terms.mtu
    this.windowBytes = terms.windowBytes
    this.channelCount = terms.channelCount
    this.peerIncomingBandwidth = terms.peerIncomingBandwidth
    this.peerOutgoingBandwidth = terms.peerOutgoingBandwidth
    this.connectedAt = now
    this.lastAckAt = this.lastReceiveAt = this.lastApplicationAt = now
    this.attempt = null
    this.repace(now)
    this.rearm(now)
  }

  /** The limits that pace this peer have changed. */
  repace(now: Millis): void {
    this.pace.setRate(this.peerIncomingBandwidth, this.mtu, now)
  }

  /** Queues a packet whose bytes nobody else will change. */
  queue(channel: number, bytes: Uint8Array, options?: Delivery | SendOptions): boolean {
    const chosen: SendOptions = typeof options === 'string' ? { delivery: options } : options ?? {}
    const message = this.#compose(bytes, chosen)
    const { sendCapBytes, sendHighMarkBytes } = this.host.options
    if (this.queuedMessages > 0 && this.queuedBytes + bytes.length > sendCapBytes) {
      if (message.reliable) {
        throw new VaivenError(
          'ERR_QUEUE_FULL',
          `peer ${this.id} has ${this.queuedBytes} bytes queued, the cap is ${sendCapBytes}; wait for drained() before sending more`,
        )
      }
      this.count('queueFull')
      message.settle('queue-full', this.host.listenerFailed)
      return false
    }
    const lane = this.lane(channel, message.kind !== Kind.unsequenced)
    const replaced = lane.push(message)
    this.queuedBytes += bytes.length
    this.queuedMessages++
    if (replaced !== null) {
      this.queuedBytes -= replaced.bytes.length
      this.queuedMessages--
      this.count('superseded')
      replaced.settle('superseded', this.host.listenerFailed)
    }
    if (message.ttlMs > 0) (this.#timed ??= new Fifo()).push(message)
    this.schedule.add(lane)
    this.host.attention(this)
    if (this.queuedBytes <= sendHighMarkBytes) return true
    this.#drainWanted = true
    return false
  }

  /** So many queued bytes (and whole messages) have left or were given up. */
  unqueue(bytes: number, messages: number): void {
    this.queuedBytes -= bytes
    this.queuedMessages -= messages
    if (this.queuedBytes > this.host.options.sendLowMarkBytes) return
    if (this.#drainWanted) {
      this.#drainWanted = false
      this.host.emit({ type: 'drain', peer: this })
    }
    if (this.#drainWaiters.length > 0) this.#settleDrain(null)
  }

  /** The next number on the peer channel. */
  nextControl(): number {
    return (this.control.reliableNumber = (this.control.reliableNumber + 1) & 0xffff)
  }

  queueControl(encoded: Uint8Array): void {
    const sequence = ((encoded[2] as number) << 8) | (encoded[3] as number)
    this.controlQueue.push(new ReliableCommand(this.control, sequence, null, 0, encoded, 0, this.order++, true))
  }

  queuePing(): void {
    this.controlQueue.push(this.composePing(false))
  }

  /** @param once it serves its acknowledgement only, and is not repeated */
  composePing(once: boolean): ReliableCommand {
    const encoded = new Uint8Array(4)
    const sequence = this.nextControl()
    encodeHead(encoded, 0, Command.ping | FLAG_ACKNOWLEDGE, PEER_CHANNEL, sequence)
    return new ReliableCommand(this.control, sequence, null, 0, encoded, 0, this.order++, true, once)
  }

  /**
   * Is this number of the other side's peer channel new and plausible? They count up one by one, so forgeries rarely fit;
   * one that was overtaken is as good as the others, but none counts twice.
   */
  plausibleControl(sequence: number): boolean {
    const lead = (sequence - this.controlSeen) & 0xffff
    if (lead === 0) return false
    if (lead <= CONTROL_REACH) {
      this.#controlBehind = lead > 32 ? 0 : lead === 32 ? 0x80000000 : ((this.#controlBehind << lead) | (1 << (lead - 1))) >>> 0
      this.controlSeen = sequence
      return true
    }
    const behind = 0x10000 - lead
    if (behind > 32 || (this.#controlBehind & (1 << (behind - 1))) !== 0) return false
    this.#controlBehind = (this.#controlBehind | (1 << (behind - 1))) >>> 0
    return true
  }

  /** Is it later than every command of its kind before it? An overtaken limit is out of date. */
  isNewest(command: number, sequence: number): boolean {
    const last = this.#newestOfKind.get(command)
    if (last !== undefined && ((sequence - last) & 0xffff) >= 0x8000) return false
    this.#newestOfKind.set(command, sequence)
    return true
  }

  /** True when nothing waits to leave and nothing is unacknowledged. */
  get quiet(): boolean {
    return this.queuedMessages === 0 && this.controlQueue.length === 0 && !this.recovery.busy && !this.recovery.hasAgain
  }

  /** `disconnect-later` goes on once everything has arrived. */
  continueLeaving(): void {
    if (this.state === 'disconnect-later' && this.quiet) this.#sayGoodbye()
  }

  /** Both sides have announced the extension. */
  extend(): void {
    if (this.reports !== null) return
    this.reports = new Reports()
    this.recovery.copies.forwardOnly = true
  }

  readonly onReported = (command: ReliableCommand): void => this.released(command)

  /** A command of ours was acknowledged for the first time. */
  released(command: ReliableCommand): void {
    command.lane.acknowledged(command)
    const { message } = command
    if (message === null) {
      this.#tellAcknowledged(command)
      if (this.state === 'disconnecting' && command.encoded !== null && ((command.encoded[0] ?? 0) & 0x0f) === Command.disconnect) {
        this.finish(this.#endReason, 0)
      }
      return
    }
    command.message = null
    if (--message.missing > 0) return
    command.lane.acknowledged(command)
    message.settle('delivered', this.host.listenerFailed)
  }

  /** Time has come: see what is due. */
  due(now: Millis): void {
    const { host, recovery } = this
    if (this.attempt !== null) return host.handshake.retry(this, this.attempt, now)
    if (!this.alive) return
    if (recovery.onTimer(now, host.live)) host.ready(this)
    if (this.#isDead(host.live)) {
      return this.finish(this.state === 'connected' ? 'timeout' : this.#endReason, 0)
    }
    if (now >= this.#nextExpiry) this.#expire(now)
    if (recovery.copies.due(now) || (this.reports !== null && this.reports.dueAt <= now)) host.ready(this)
    if (this.state === 'connected' && this.pingDue(now)) this.queuePing()
    if (this.controlQueue.length > 0 || this.queuedMessages > 0 || recovery.hasAgain) host.ready(this)
    this.continueLeaving()
    if (!this.queued) this.rearm(now)
  }

  pingDue(now: Millis): boolean {
    return this.state === 'connected' && now >= this.#pingAt() && this.quiet
  }

  /** Sets the timer to whatever is due first. */
  rearm(now: Millis): void {
    if (this.attempt !== null) return this.host.timers.arm(this, this.attempt.dueAt)
    if (!this.alive) return
    const { recovery } = this
    let at = Math.min(recovery.deadline, this.#nextExpiry, this.reports?.dueAt ?? Infinity)
    // A copy that is due and could not leave (a limit of the other side) is tried again, but not at once.
    const copyAt = recovery.copies.deadline
    const opensAt = Math.max(this.pace.opensAt(now), this.host.pace.opensAt(now))
    at = Math.min(at, copyAt <= now ? Math.max(now + 1, opensAt) : copyAt)
    if (this.state === 'connected' && this.quiet) at = Math.min(at, Math.max(this.#pingAt(), now + 1))
    if (recovery.congestion !== null && !this.pacing.open && recovery.bulkAllowed(this.mtu) && this.#bulkWaits) {
      at = Math.min(at, this.pacing.opensAt(recovery.congestion.rate))
    }
    if (this.queuedMessages > 0 && opensAt > now) at = Math.min(at, Math.max(now + 0.5, opensAt))
    const dead = this.#deadAt()
    if (dead !== Infinity) at = Math.min(at, Math.max(now + 1, dead + this.host.now - this.host.live))
    this.host.timers.arm(this, at)
  }

  /** Messages that may expire wait to learn what time it is. */
  get hasUnstamped(): boolean {
    return this.#timed !== null
  }

  /** Stamps messages that may expire: time is known again. */
  stamp(now: Millis): void {
    const timed = this.#timed
    if (timed === null) return
    for (let message = timed.shift(); message !== undefined; message = timed.shift()) {
      message.expiresAt = now + message.ttlMs
      if (message.expiresAt < this.#nextExpiry) this.#nextExpiry = message.expiresAt
    }
    this.#timed = null
    this.rearm(now)
  }

  /** A waiting packet is given up. */
  giveUp(message: Message, cause: 'expired' | 'throttled'): void {
    this.count(cause)
    this.unqueue(message.bytes.length - message.begun * message.pieceBytes, 1)
    message.settle(cause, this.host.listenerFailed)
  }

  /** The connection is over: settles everything, frees everything, tells the application. */
  finish(reason: EndReason, data: number): void {
    if (this.state === 'disconnected') return
    this.state = 'disconnected'
    this.attempt = null
    this.#dropOutgoing()
    this.controlQueue.clear()
    this.acks.clear()
    this.recovery.clear()
    for (const channel of this.channels) channel?.clear()
    this.channels.length = 0
    if (this.#drainWaiters.length > 0) this.#settleDrain(new VaivenError('ERR_DISCONNECTED', `peer ${this.id} disconnected (${reason})`, { data }))
    this.host.timers.disarm(this)
    this.host.ended(this, reason, data)
  }

  /** Ends gracefully for the given reason. */
  leave(data: number, reason: EndReason): void {
    this.#leave(data, reason)
  }

  /** What the other side's DISCONNECT means for us: `local` when we had asked first. */
  get endReasonOnDisconnect(): EndReason {
    if (this.state === 'connecting') return 'refused'
    return this.state === 'disconnecting' ? this.#endReason : 'remote'
  }

  // ---------------------------------------------------------------- Inbox

  reserve(bytes: number, essential: boolean): boolean {
    const { receiveBudgetBytes, hostReceiveBudgetBytes, maxPacketBytes } = this.host.options
    if (essential) {
      // What is next in order makes everything behind it deliverable: refused only when the application takes nothing,
      // or when several unfinished packets together have used up even this reserve.
      if (this.#undeliveredBytes > receiveBudgetBytes || this.waitingBytes + bytes > receiveBudgetBytes + maxPacketBytes) return false
    } else if (this.waitingBytes + bytes > receiveBudgetBytes || this.host.waitingBytes + bytes > hostReceiveBudgetBytes) return false
    this.waitingBytes += bytes
    this.host.waitingBytes += bytes
    return true
  }

  release(bytes: number): void {
    this.waitingBytes -= bytes
    this.host.waitingBytes -= bytes
  }

  count(cause: keyof Ledger): void {
    this.ledger[cause]++
    this.host.ledger[cause]++
  }

  /** A packet is complete and its turn has come. Its bytes have been reserved. */
  delivered(channel: number, bytes: Uint8Array, delivery: Delivery): void {
    this.messagesReceived++
    this.lastApplicationAt = this.host.now
    this.#undeliveredBytes += bytes.length + PIECE_CHARGE
    this.host.emit({ type: 'receive', peer: this, channel, bytes, delivery })
  }

  /** Room for a packet that goes to the application at once. */
  reserveDelivery(bytes: number): boolean {
    return this.reserve(bytes + PIECE_CHARGE, false)
  }

  releaseDelivery(bytes: number): void {
    this.release(bytes + PIECE_CHARGE)
  }

  /** The application has taken a packet. */
  taken(bytes: number): void {
    this.#undeliveredBytes -= bytes + PIECE_CHARGE
    this.release(bytes + PIECE_CHARGE)
  }

  // ---------------------------------------------------------------- private

  /** Throws what `send` throws for a packet of this length. */
  checkSend(channel: number, length: number): void {
    this.#requireConnected()
    this.#checkChannel(channel)
    const max = this.maxPacketBytes
    if (length > max) {
      throw new VaivenError('ERR_PACKET_SIZE', `the packet has ${length} bytes; this connection carries at most ${max} (MTU ${this.mtu}); split it`)
    }
  }

  /** Largest packet that this connection carries. */
  get maxPacketBytes(): number {
    return Math.min(this.host.options.maxPacketBytes, MAX_FRAGMENTS * this.pieceBytes)
  }

  #checkChannel(channel: number): void {
    if (!Number.isInteger(channel) || channel < 0 || channel >= this.channelCount) {
      throw outOfRange('channel', channel, `an integer from 0 to ${this.channelCount - 1} (channels agreed on: ${this.channelCount})`, 'ERR_ARGUMENT')
    }
  }

  #requireConnected(): void {
    if (this.state !== 'connected') throw notConnected(this)
  }

  #compose(bytes: Uint8Array, options: SendOptions): Message {
    const delivery = options.delivery ?? 'reliable'
    const long = bytes.length > this.pieceBytes
    let kind: Kind
    if (delivery === 'reliable') kind = long ? Kind.fragment : Kind.reliable
    else if (delivery !== 'unreliable' && delivery !== 'unsequenced') {
      throw outOfRange('delivery', delivery, "'reliable', 'unreliable' or 'unsequenced'", 'ERR_ARGUMENT')
    } else if (!long) kind = delivery === 'unreliable' ? Kind.unreliable : Kind.unsequenced
    else if (options.fragment === 'reliable') kind = Kind.fragment
    else if (options.fragment === false) {
      throw new VaivenError('ERR_PACKET_SIZE', `the ${delivery} packet has ${bytes.length} bytes; one datagram of this connection carries ${this.pieceBytes}, and fragments are switched off for it`)
    } else kind = Kind.unreliableFragment
    const message = new Message(bytes, kind)
    if (long) {
      message.pieceBytes = this.pieceBytes
      message.pieces = message.missing = Math.ceil(bytes.length / this.pieceBytes)
    }
    if (options.expiresMs !== undefined) {
      if (!(options.expiresMs >= 1 && options.expiresMs <= 86_400_000)) throw outOfRange('expiresMs', options.expiresMs, 'from 1 to 86,400,000', 'ERR_ARGUMENT')
      message.ttlMs = options.expiresMs
    }
    message.key = options.key
    message.onSettled = options.onSettled ?? null
    return message
  }

  #leave(data: number, reason: EndReason): void {
    checkData(data)
    if (this.state === 'disconnected' || this.state === 'disconnecting') return
    this.#endReason = reason
    if (this.state === 'connecting') {
      this.finish(reason, 0)
      return this.host.attention(null)
    }
    this.#endData = data
    this.state = 'disconnect-later'
    this.continueLeaving()
    this.host.attention(this)
  }

  #sayGoodbye(): void {
    this.state = 'disconnecting'
    this.queueControl(encodeDisconnect(this.nextControl(), this.#endData, true))
    this.host.ready(this)
  }

  #dropOutgoing(): void {
    for (const lane of [...this.lanes, ...this.unsequencedLanes]) {
      if (lane === undefined) continue
      for (const message of lane.remaining()) {
        this.count('disconnected')
        message.settle('disconnected', this.host.listenerFailed)
      }
      lane.clear()
      this.schedule.remove(lane)
    }
    this.recovery.forgetPackets()
    this.#timed = null
    this.#nextExpiry = Infinity
    this.queuedBytes = this.queuedMessages = 0
  }

  #settleDrain(error: Error | null): void {
    const waiters = this.#drainWaiters
    this.#drainWaiters = []
    for (const waiter of waiters) {
      waiter.stop()
      if (error === null) waiter.resolve()
      else waiter.reject(error)
    }
  }

  #pingAt(): Millis {
    const interval = this.pingIntervalMs
    const idle = this.lastApplicationAt <= this.lastAckAt - 2 * interval || this.host.now - this.lastApplicationAt > 2 * interval
    // While the other side's own pings arrive it is alive; ours would only double the traffic.
    if (idle && this.lastReceiveAt > this.host.now - 2 * interval) {
      return Math.min(this.lastAckAt + IDLE_PING_STRETCH * interval, Math.max(this.lastReceiveAt, this.lastAckAt) + interval)
    }
    return this.lastAckAt + interval
  }

  #deadAt(): Millis {
    const since = this.recovery.overdueSince
    if (since < 0) return Infinity
    // Nobody waits for the acknowledgement of our goodbye but we: C sends it once only, and is gone.
    if (this.state === 'disconnecting') return since + Math.min(this.#timeoutMinimumMs, Math.max(1_000, 8 * this.recovery.tailMs))
    const patience = 1 << Math.min(this.recovery.probes, 30) >= this.#timeoutLimit ? this.#timeoutMinimumMs : this.#timeoutMaximumMs
    return Math.max(since + patience, this.#holdUntil)
  }

  #tellAcknowledged(command: ReliableCommand): void {
    if (command.onAcknowledged === null) return
    try {
      command.onAcknowledged(command)
    } catch (error) {
      this.host.listenerFailed(error)
    }
  }

  get #bulkWaits(): boolean {
    return this.recovery.peekAgainBulk() !== null || this.schedule.hasBulk
  }

  #isDead(live: Millis): boolean {
    return live >= this.#deadAt()
  }

  #expire(now: Millis): void {
    let nextExpiry = Infinity
    for (const lane of [...this.lanes, ...this.unsequencedLanes]) {
      if (lane === undefined) continue
      for (const message of lane.expire(now)) this.giveUp(message, 'expired')
      for (const message of lane.queue) if (message.begun === 0) nextExpiry = Math.min(nextExpiry, message.expiresAt)
      if (lane.queue.length === 0) this.schedule.remove(lane)
    }
    this.#nextExpiry = nextExpiry
  }
}

interface Waiter {
  resolve: () => void
  reject: (error: Error) => void
  stop: () => void
}

const notConnected = (peer: PeerCore): VaivenError =>
  new VaivenError('ERR_NOT_CONNECTED', `peer ${peer.id} is ${peer.state}; packets can be sent between its connect and its disconnect event`)

const checkData = (data: number): void => {
  if (!Number.isInteger(data) || data < 0 || data > 0xffffffff) throw outOfRange('data', data, 'an integer from 0 to 4294967295 (32 bits)', 'ERR_ARGUMENT')
}

/** A DISCONNECT; without an acknowledgement asked for it is the last word (0x44). */
export const encodeDisconnect = (sequence: number, data: number, acknowledged: boolean): Uint8Array => {
  const encoded = new Uint8Array(8)
  encodeHead(encoded, 0, Command.disconnect | (acknowledged ? FLAG_ACKNOWLEDGE : FLAG_UNSEQUENCED), PEER_CHANNEL, sequence)
  put32(encoded, 4, data)
  return encoded
}
