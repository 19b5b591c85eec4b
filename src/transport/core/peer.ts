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
import { ControlNumbers } from './control-numbers.ts'
import { Copies } from './copies.ts'
import type { Dialect } from './dialect.ts'
import { Reports } from './extension.ts'
import { Pace, Throttle } from './flow.ts'
import type { Attempt } from './handshake.ts'
import type { Host } from './host.ts'
import { compact, IncomingChannel } from './incoming.ts'
import type { Inbox } from './incoming.ts'
import { Lane } from './lane.ts'
import { createLedger } from './ledger.ts'
import { Liveness } from './liveness.ts'
import { ReliableCommand } from './message.ts'
import { PendingAcks } from './pending-acks.ts'
import { Pacing } from './pacing.ts'
import { PIECE_CHARGE } from './reassembly.ts'
import { ReceiveBudget } from './receive-budget.ts'
import { Recovery } from './recovery.ts'
import { Fifo } from './ring.ts'
import { SendQueue } from './send-queue.ts'
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

/** Unreliable packets may leave so far ahead of the path's rate, in ms of it and in bytes, while bulk waits. */
const MAX_DEBT_MS = 50
const MAX_DEBT_BYTES = 16_384
const DEBT_LOOK_MS = 5
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
  /** Packets of the application that wait. */
  readonly sending: SendQueue
  readonly recovery: Recovery
  readonly throttle = new Throttle()
  /** The other side's stated limit. */
  readonly pace = new Pace()
  /** The controller's rate, for bulk. */
  readonly pacing: Pacing
  readonly acks = new PendingAcks()
  unsequencedGroup = 0
  order = 0
  // -- receiving
  readonly channels: (IncomingChannel | undefined)[] = []
  readonly unsequenced = new UnsequencedWindow()
  readonly controlNumbers = new ControlNumbers()
  readonly budget: ReceiveBudget
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
  challenge: { readonly sequence: number; readonly token: number; answered: boolean } | null = null
  // -- time
  armedAt: Millis = Infinity
  queued = false
  /** It is in the host's list of those that `stamp` will be called for. */
  awaitsTime = false
  /** It is in the queue of those that the host's outgoing limit holds back. */
  awaitsPace = false
  connectedAt: Millis = 0
  readonly liveness: Liveness
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
    this.followTrace()
    this.pacing = new Pacing(options.mtu)
    this.sending = new SendQueue(this)
    this.budget = new ReceiveBudget(host, options)
    this.liveness = new Liveness(options, now)
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
        if (outcome === 'delivered') resolve()
        else if (outcome === 'disconnected') reject(new VaivenError('ERR_DISCONNECTED', 'the connection ended before the packet was acknowledged'))
        else reject(new VaivenError('ERR_NOT_DELIVERED', `the packet was given up: ${outcome}`))
        // Last, since it may throw, and the promise must not hang for that.
        onSettled?.(outcome)
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
    return this.alive ? this.sending.drained(options.signal) : Promise.reject(notConnected(this))
  }

  disconnect(data = 0): void {
    this.#leave(data, 'local')
  }

  disconnectPlain(data = 0): void {
    checkData(data)
    if (this.state === 'disconnecting') return
    if (this.state !== 'connected' && this.state !== 'disconnect-later') return this.disconnectNow(data)
    this.#endData = data
    this.#sayGoodbye()
    this.sending.drop()
    this.host.attention(this)
  }

  disconnectNow(data = 0): void {
    this.leaveNow(data, 'local')
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
    this.liveness.hold(durationMs)
    this.host.attention(this)
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
    this.liveness.setTimeout(timeout)
    this.host.attention(this)
  }

  get pingIntervalMs(): number {
    return this.liveness.pingIntervalMs
  }

  set pingIntervalMs(intervalMs: number) {
    if (!(intervalMs >= 50 && intervalMs <= 3_600_000)) throw outOfRange('pingIntervalMs', intervalMs, 'from 50 to 3,600,000', 'ERR_ARGUMENT')
    this.liveness.pingIntervalMs = intervalMs
    // The next ping may be due earlier than the timer knows.
    this.host.attention(this)
  }

  setChannelPriority(channel: number, priority: ChannelPriority): void {
    this.#checkChannel(channel)
    this.sending.setPriority(channel, priority)
  }

  get queuedBytes(): number {
    return this.sending.bytes
  }

  get stats(): PeerStats {
    const { roundTrip } = this.recovery
    return {
      roundTripMs: roundTrip.mean,
      roundTripDeviationMs: roundTrip.deviation,
      minRoundTripMs: roundTrip.min,
      lastRoundTripMs: roundTrip.last,
      lossRatio: this.recovery.lossRatio,
      queuedBytes: this.sending.bytes,
      queuedMessages: this.sending.messages,
      inFlightBytes: this.recovery.inTransitBytes,
      windowBytes: this.window,
      waitingBytes: this.budget.bytes,
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

  /**
   * More has left than the path takes while bulk waits for it: unreliable packets wait, too, and go stale, instead of queueing
   * up on the path.
   */
  get crowded(): boolean {
    const { congestion, idle } = this.recovery
    if (congestion === null || idle || congestion.state === 'startup' || this.host.options.throttle === 'enet') return false
    return this.pacing.debt > Math.max(MAX_DEBT_BYTES, congestion.rate * MAX_DEBT_MS)
  }

  /** The host's `trace` was set or taken away. */
  followTrace(): void {
    const { trace } = this.host
    this.recovery.trace = trace === null ? null : (what, { lane, sequence, transmissions, sentAt }, datagram, at) =>
      trace({ what, at, peer: this, channel: lane.channel, sequence, datagram, transmissions, sentAt })
  }

  /** May so many more reliable payload bytes leave now? */
  windowAllows(bytes: number, urgent: boolean): boolean {
    const reserve = urgent && this.recovery.congestion !== null ? Math.max(URGENT_DATAGRAMS * this.mtu, this.window / 4) : 0
    return this.recovery.inTransitBytes + bytes <= this.window + reserve
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
    this.liveness.begin(now)
    this.recovery.begin(now)
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
    const roomy = this.sending.push(channel, bytes, options)
    this.host.attention(this)
    return roomy
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

  /** True when nothing waits to leave and nothing is unacknowledged. */
  get quiet(): boolean {
    return this.sending.messages === 0 && !this.awaitsAcknowledgement
  }

  /** True when something of ours is under way, or about to be, that will show whether the other side is still there. */
  get awaitsAcknowledgement(): boolean {
    return this.controlQueue.length > 0 || this.recovery.busy || this.recovery.again.any
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
    if (recovery.onTimer(now, host.live)) {
      host.ready(this)
      // A receiver without room acknowledges nothing but a ping, and a slow application is not a dead one.
      const silent = now - recovery.lastAcknowledgedAt >= this.liveness.silenceMs
      if (silent && this.controlQueue.length === 0 && this.state !== 'disconnecting') this.controlQueue.push(this.composePing(true))
    }
    if (host.live >= this.liveness.deadAt(recovery, this.state === 'disconnecting')) {
      return this.finish(this.state === 'connected' ? 'timeout' : this.#endReason, 0)
    }
    if (now >= this.sending.nextExpiry) this.sending.expire(now)
    if (recovery.copies.due(now) || (this.reports !== null && this.reports.dueAt <= now)) host.ready(this)
    if (this.state === 'connected' && this.pingDue(now)) this.queuePing()
    if (this.controlQueue.length > 0 || this.sending.messages > 0 || recovery.again.any) host.ready(this)
    this.continueLeaving()
    if (!this.queued) this.rearm(now)
  }

  pingDue(now: Millis): boolean {
    // Also while packets wait: unreliable ones that a limit holds back may do so for as long as new ones come.
    return this.state === 'connected' && now >= this.liveness.pingAt(now, this.reports !== null) && !this.awaitsAcknowledgement
  }

  /** Sets the timer to whatever is due first. */
  rearm(now: Millis): void {
    if (this.attempt !== null) return this.host.timers.arm(this, this.attempt.dueAt)
    if (!this.alive) return
    const { recovery } = this
    let at = Math.min(recovery.deadline, this.sending.nextExpiry, this.reports?.dueAt ?? Infinity)
    // What was sent in answer to an event of this very step, and could not leave: when it expires is known at the next one.
    if (this.sending.hasUnstamped && this.sending.messages > 0) at = now
    const copyAt = recovery.copies.deadline
    if (copyAt > now) at = Math.min(at, copyAt)
    if (copyAt <= now || this.sending.messages > 0 || recovery.again.peekBulk() !== null) {
      // It may be a limit that holds them back: the host's, where others wait as well, or the other side's.
      const opensAt = this.pace.opensAt(now)
      if (!this.host.pace.allows(now)) this.host.paceQueue.wait(this, now)
      else if (opensAt > now) at = Math.min(at, Math.max(now + 0.5, opensAt))
      // A copy that is due and could not leave for another reason is tried again, but not at once.
      else if (copyAt <= now) at = Math.min(at, now + 1)
    }
    if (this.state === 'connected' && !this.awaitsAcknowledgement) {
      at = Math.min(at, Math.max(this.liveness.pingAt(now, this.reports !== null), now + 1))
    }
    if (recovery.congestion !== null && !this.pacing.open && recovery.bulkAllowed(this.mtu) && this.#bulkWaits) {
      at = Math.min(at, this.pacing.opensAt(recovery.congestion.rate))
    }
    if (this.crowded) at = Math.min(at, now + DEBT_LOOK_MS)
    const dead = this.liveness.deadAt(recovery, this.state === 'disconnecting')
    if (dead !== Infinity) at = Math.min(at, Math.max(now + 1, dead + this.host.now - this.host.live))
    this.host.timers.arm(this, at)
  }

  /** Something counts from the next step of time, because what we know of time may be old when the application calls. */
  get hasUnstamped(): boolean {
    return this.sending.hasUnstamped || this.liveness.hasUnstamped
  }

  /** Time is known again. */
  stamp(now: Millis): void {
    this.awaitsTime = false
    this.sending.stamp(now)
    this.liveness.stamp(this.host.live)
    this.rearm(now)
  }

  /** The connection is over: settles everything, frees everything, tells the application. */
  finish(reason: EndReason, data: number): void {
    if (this.state === 'disconnected') return
    this.state = 'disconnected'
    this.attempt = null
    this.sending.drop()
    this.controlQueue.clear()
    this.acks.clear()
    this.recovery.clear()
    for (const channel of this.channels) channel?.clear()
    this.channels.length = 0
    this.sending.abandon(new VaivenError('ERR_DISCONNECTED', `peer ${this.id} disconnected (${reason})`, { data }))
    this.host.timers.disarm(this)
    this.host.ended(this, reason, data)
  }

  /** Ends gracefully for the given reason. */
  leave(data: number, reason: EndReason): void {
    this.#leave(data, reason)
  }

  /** Ends at once for the given reason. */
  leaveNow(data: number, reason: EndReason): void {
    checkData(data)
    if (this.state === 'disconnected') return
    if (this.state !== 'connecting') {
      // A goodbye that was begun may not have left, or may be lost: it is said again with its own data.
      const said = this.state === 'disconnecting' ? this.#endData : data
      this.host.depart(this, encodeDisconnect(this.nextControl(), said, false))
    }
    this.finish(reason, 0)
    this.host.attention(null)
  }

  /** What the other side's DISCONNECT means for us: `local` when we had asked first. */
  get endReasonOnDisconnect(): EndReason {
    if (this.state === 'connecting') return 'refused'
    return this.state === 'disconnecting' ? this.#endReason : 'remote'
  }

  // ---------------------------------------------------------------- Inbox

  reserve(bytes: number, essential: boolean): boolean {
    return this.budget.reserve(bytes, essential)
  }

  release(bytes: number): void {
    this.budget.release(bytes)
  }

  count(cause: keyof Ledger): void {
    this.ledger[cause]++
    this.host.ledger[cause]++
  }

  /** A packet is complete and its turn has come. Its bytes have been reserved. */
  delivered(channel: number, bytes: Uint8Array, delivery: Delivery): void {
    this.messagesReceived++
    this.liveness.lastApplicationAt = this.host.now
    this.budget.delivered(bytes.length)
    this.host.emit({ type: 'receive', peer: this, channel, bytes: this.budget.backlogged ? compact(bytes) : bytes, delivery })
  }

  /** Room for a packet that goes to the application at once. */
  reserveDelivery(bytes: number): boolean {
    return this.budget.reserve(bytes + PIECE_CHARGE, false)
  }

  releaseDelivery(bytes: number): void {
    this.budget.release(bytes + PIECE_CHARGE)
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



  #tellAcknowledged(command: ReliableCommand): void {
    if (command.onAcknowledged === null) return
    try {
      command.onAcknowledged(command)
    } catch (error) {
      this.host.listenerFailed(error)
    }
  }

  get #bulkWaits(): boolean {
    return this.recovery.again.peekBulk() !== null || this.sending.schedule.hasBulk
  }

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
