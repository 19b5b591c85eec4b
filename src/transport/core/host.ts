// A host: all peers behind one address, as a pure endpoint. It finds the peer of each datagram, keeps the order of events,
// decides whose turn it is to send, and knows what time it is because it is told.

import { outOfRange, VaivenError } from '../../util/errors.ts'
import { MAX_DATAGRAM_BYTES } from '../endpoint.ts'
import type { Address, Datagram, Endpoint, Millis } from '../endpoint.ts'
import type { Delivery, DeliveryTrace, Diagnostic, EndReason, HostEvent, Ledger, Peer, SendOptions } from '../types.ts'
import { Bandwidth } from './bandwidth.ts'
import { HEADER_SENT_TIME, HEADER_SESSION_SHIFT, MAX_CHANNELS, MIN_CHANNELS, NO_PEER } from './constants.ts'
import { Departed } from './departed.ts'
import { Sealer } from './dialect.ts'
import type { Dialect, OpenFailure } from './dialect.ts'
import { EndCode } from './endings.ts'
import { Report } from './extension.ts'
import { Pace } from './flow.ts'
import { HalfOpen, Handshake } from './handshake.ts'
import { createLedger } from './ledger.ts'
import { resolveHostOptions } from './options.ts'
import type { HostOptions, ResolvedHostOptions } from './options.ts'
import { PaceQueue } from './pace-queue.ts'
import { PeerCore } from './peer.ts'
import { receiveDatagram } from './receive.ts'
import type { ReceiveBudget } from './receive-budget.ts'
import { Fifo } from './ring.ts'
import { Timers } from './timers.ts'
import { transmit } from './transmit.ts'
import { CommandRecord, put16, u16 } from './wire.ts'

/** Numbers about a host. A snapshot: units are in the names. */
export interface HostStats {
  /** Slots in use, connecting ones included. */
  readonly peers: number
  readonly halfOpen: number
  readonly datagramsSent: number
  readonly datagramsReceived: number
  /** UDP payload bytes. */
  readonly bytesSent: number
  readonly bytesReceived: number
  /** Bytes that peers make this host hold, counting 128 for each piece. */
  readonly waitingBytes: number
  /** Time in which our own loop stood still, altogether; not charged to any peer. */
  readonly stalledMs: number
}

/** Whoever datagrams with a certain peer number may be meant for. */
type Addressee = PeerCore | HalfOpen | Departed

/** Own small datagrams (answers to strangers, goodbyes) that may wait at once; more are dropped. */
const MAX_POSTED = 4096
/** Connections that have ended and are remembered for a few seconds. */
const MAX_DEPARTED = 4096
/** One diagnostic of a kind per address in this time. */
const DIAGNOSTIC_INTERVAL_MS = 10_000
/** And so many in all; the ledger counts the rest. */
const MAX_DIAGNOSED = 32
/** Peer numbers that are looked at for one that is free at an address, once none is free at all. */
const MAX_CANDIDATES = 16

export class Host implements Endpoint<HostEvent> {
  readonly options: ResolvedHostOptions
  readonly ledger: Ledger = createLedger()
  /** Set by a driver: called when a command of the application has made work to do. */
  wake: (() => void) | null = null
  /** Refuse every connect from now on. The refusal reaches the client at once. */
  refuseConnections: boolean
  /** Told of what a listener given to `send` threw; without it the error is thrown in a microtask of its own. */
  onListenerError: ((error: unknown) => void) | null = null

  #trace: ((step: DeliveryTrace) => void) | null = null

  // ---- shared by the files of the core; not part of the public surface
  /** @internal */ readonly sealer = new Sealer()
  /** @internal */ readonly scratchCommand = new CommandRecord()
  /** @internal */ readonly scratchReport = new Report()
  /** @internal */ readonly timers = new Timers()
  /** @internal */ readonly handshake: Handshake
  /** @internal */ readonly pace = new Pace()
  /** @internal */ readonly paceQueue = new PaceQueue(this)
  /** @internal */ now: Millis = 0
  /** @internal */ waitingBytes = 0
  /** @internal */ beyondBudget: ReceiveBudget | null = null
  /** @internal */ outgoingBandwidth: number
  /** @internal */ incomingBandwidth: number
  /** @internal */ closing = false

  readonly #slots: (PeerCore | undefined)[] = []
  #peerCount = 0
  /** Chains of addressees by the 12 bits of the header. */
  readonly #byWireId: (Addressee | null)[] = new Array<Addressee | null>(NO_PEER).fill(null)
  readonly #ready = new Fifo<PeerCore>()
  readonly #posted = new Fifo<{ bytes: Uint8Array; address: string; port: number }>()
  readonly #events = new Fifo<HostEvent>()
  readonly #unstamped: PeerCore[] = []
  readonly #bandwidth: Bandwidth
  readonly #departed = new Set<Departed>()
  readonly #diagnosed = new Map<string, Millis>()
  readonly #random16 = new Uint8Array(2)
  #promised: Millis = Infinity
  #stalledMs = 0
  #stallEndedAt: Millis = -Infinity
  #started = false
  #datagramsSent = 0
  #datagramsReceived = 0
  #bytesSent = 0
  #bytesReceived = 0

  /** @throws VaivenError ERR_OPTION_RANGE */
  constructor(options: HostOptions = {}) {
    this.options = resolveHostOptions(options)
    this.refuseConnections = this.options.refuseConnections
    this.outgoingBandwidth = this.options.outgoingBandwidth
    this.incomingBandwidth = this.options.incomingBandwidth
    this.handshake = new Handshake(this)
    this.#bandwidth = new Bandwidth(this)
    this.pace.setRate(this.outgoingBandwidth, this.options.mtu, 0)
  }

  // ---------------------------------------------------------------- Endpoint

  receive(bytes: Uint8Array, from: Address, now: Millis): void {
    this.#step(now)
    this.#datagramsReceived++
    this.#bytesReceived += bytes.length
    if (bytes.length < 2 || bytes.length > MAX_DATAGRAM_BYTES) return void this.ledger.malformedDatagram++
    const word = u16(bytes, 0)
    if ((word & HEADER_SENT_TIME) !== 0 && bytes.length < 4) return void this.ledger.malformedDatagram++
    const wireId = word & 0x0fff
    if (wireId === NO_PEER) return this.handshake.receive(bytes, from, this.now)
    const session = (word >> HEADER_SESSION_SHIFT) & 3
    let found = this.#byWireId[wireId] as Addressee | null
    while (found !== null && !isFor(found, from, session)) found = found.nextSameId as Addressee | null
    if (found === null) return void this.ledger.unknownPeer++
    if (found.kind === 'departed') {
      this.ledger.closing++
      return found.answer(bytes)
    }
    if (found.kind === 'half-open') {
      // Proved: the datagram is read again, now for the peer that it has made.
      const peer = this.handshake.prove(found, bytes, this.now)
      if (peer !== null) receiveDatagram(this, peer, bytes, this.now)
      return
    }
    receiveDatagram(this, found, bytes, this.now)
  }

  advance(now: Millis): void {
    this.#step(now)
    if (this.#unstamped.length > 0) {
      for (const peer of this.#unstamped) peer.stamp(this.now)
      this.#unstamped.length = 0
    }
    this.timers.run(this.now)
    this.#promised = this.timers.deadline
  }

  pollEvent(): HostEvent | null {
    const event = this.#events.shift()
    if (event === undefined) return null
    if (event.type === 'receive') (event.peer as PeerCore).budget.taken(event.bytes.length)
    return event
  }

  pollTransmit(out: Datagram): boolean {
    const posted = this.#posted.shift()
    if (posted !== undefined) {
      out.bytes.set(posted.bytes)
      out.length = posted.bytes.length
      out.address = posted.address
      out.port = posted.port
      this.#sent(out.length)
      return true
    }
    // One datagram per peer and round, until nobody has more: nobody waits behind another's transfer.
    for (let peer = this.#ready.shift(); peer !== undefined; peer = this.#ready.shift()) {
      peer.queued = false
      if (!transmit(this, peer, out, this.now)) {
        // Nothing more for now: what it waits for is known only here.
        peer.rearm(this.now)
        continue
      }
      this.ready(peer)
      this.#sent(out.length)
      return true
    }
    return false
  }

  deadline(): Millis {
    // Peers whose datagrams were not fetched yet have not set their timers.
    for (const peer of this.#ready) peer.rearm(this.now)
    return (this.#promised = this.timers.deadline)
  }

  // ---------------------------------------------------------------- for the application

  /**
   * Begins a connect; its outcome is a `connect` or a `disconnect` event of the returned peer.
   * @param options.channels channels to ask for, 1 to 255, default 1
   * @param options.data 32 bits for the other side's connect event, default 0
   * @throws VaivenError ERR_NO_SLOT, ERR_ARGUMENT, ERR_CLOSED
   */
  connect(to: Address, options: { channels?: number; data?: number } = {}): Peer {
    const { channels = 1, data = 0 } = options
    if (!Number.isInteger(channels) || channels < MIN_CHANNELS || channels > MAX_CHANNELS) {
      throw outOfRange('channels', channels, 'an integer from 1 to 255', 'ERR_ARGUMENT')
    }
    if (!Number.isInteger(data) || data < 0 || data > 0xffffffff) throw outOfRange('data', data, 'an integer from 0 to 4294967295', 'ERR_ARGUMENT')
    if (!Number.isInteger(to.port) || to.port < 1 || to.port > 65535) throw outOfRange('port', to.port, 'an integer from 1 to 65535', 'ERR_ARGUMENT')
    if (this.closing) throw new VaivenError('ERR_CLOSED', 'the host is closed; create another one')
    if (this.#peerCount >= this.options.maxPeers) {
      throw new VaivenError('ERR_NO_SLOT', `all ${this.options.maxPeers} slots are taken; raise options.maxPeers or wait until a peer has left`)
    }
    const identity = {
      id: this.takeSlot(),
      wireId: this.drawWireId(to),
      address: to.address,
      port: to.port,
      connectId: (this.random16() * 0x10000 + this.random16()) >>> 0,
      connectData: data,
    }
    const dialect: Dialect = { checksum: this.options.checksum, compressor: this.options.compressor }
    const peer = new PeerCore(this, identity, dialect, 1, 'connecting', channels, this.now)
    this.register(peer)
    this.handshake.begin(peer, data)
    this.attention(null)
    return peer
  }

  /**
   * Sends one packet to every connected peer that has the channel, copying the bytes once for all.
   * @param except a peer, or several, to leave out
   * @returns to how many
   * @throws what `send` throws, after all the others have been served
   */
  broadcast(channel: number, bytes: Uint8Array, options?: Delivery | SendOptions, except?: Peer | ReadonlySet<Peer>): number {
    const copy = bytes.slice()
    let count = 0
    let failure: unknown = null
    for (const peer of this.#slots) {
      if (peer === undefined || peer.state !== 'connected' || channel >= peer.channelCount) continue
      if (peer === except || (except instanceof Set && except.has(peer))) continue
      try {
        peer.checkSend(channel, copy.length)
        peer.queue(channel, copy, options)
        count++
      } catch (error) {
        failure ??= error
      }
    }
    if (failure !== null) throw failure
    return count
  }

  /** The connected peers, by id. */
  get peers(): Peer[] {
    return this.#slots.filter((peer): peer is PeerCore => peer !== undefined && peer.state === 'connected')
  }

  /**
   * Told of every step of every reliable command: sent, repeated, copied, suspected, lost, acknowledged, with times. It shows
   * why a message was late. It runs in the middle of the core: it must be quick, must not throw, and must not call the host.
   * `null`, the default, costs nothing.
   */
  get trace(): ((step: DeliveryTrace) => void) | null {
    return this.#trace
  }

  set trace(trace: ((step: DeliveryTrace) => void) | null) {
    this.#trace = trace
    for (const peer of this.#slots) peer?.followTrace()
  }

  /** Slots in use: connected, connecting and disconnecting. */
  get peerCount(): number {
    return this.#peerCount
  }

  /** New limits in bytes per second, 0 for none; every peer is told. @throws VaivenError ERR_ARGUMENT */
  setBandwidth(incomingBytesPerSecond: number, outgoingBytesPerSecond: number): void {
    for (const [name, value] of Object.entries({ incomingBytesPerSecond, outgoingBytesPerSecond })) {
      if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) throw outOfRange(name, value, 'an integer from 0 to 4294967295', 'ERR_ARGUMENT')
    }
    this.incomingBandwidth = incomingBytesPerSecond
    this.outgoingBandwidth = outgoingBytesPerSecond
    this.pace.setRate(outgoingBytesPerSecond, this.options.mtu, this.now)
    this.#bandwidth.changed()
    this.paceQueue.release()
    this.attention(null)
  }

  get stats(): HostStats {
    return {
      peers: this.#peerCount,
      halfOpen: this.handshake.halfOpenCount,
      datagramsSent: this.#datagramsSent,
      datagramsReceived: this.#datagramsReceived,
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
      waitingBytes: this.waitingBytes,
      stalledMs: this.#stalledMs,
    }
  }

  /** Refuses newcomers and ends every connection gracefully. Done when `closed`; `destroy()` does not wait. */
  close(data: number = EndCode.closing): void {
    this.closing = true
    for (const peer of [...this.#slots]) peer?.leave(data, 'host-closed')
  }

  /** True once `close` or `destroy` was called and nobody is left. */
  get closed(): boolean {
    return this.closing && this.#peerCount === 0
  }

  /** Ends every connection at once with an unacknowledged goodbye. */
  destroy(data: number = EndCode.closing): void {
    this.closing = true
    for (const peer of [...this.#slots]) peer?.leaveNow(data, 'host-closed')
  }

  /** A driver could not send a datagram that `pollTransmit` gave it. */
  noteSocketLoss(): void {
    this.ledger.socket++
  }

  // ---------------------------------------------------------------- for the core

  /** @internal Time with our own stalls taken out: what silence is measured by. */
  get live(): Millis {
    return this.now - this.#stalledMs
  }

  /** @internal When our loop last stood still: round trips that began before say nothing about the path. */
  get stallEndedAt(): Millis {
    return this.#stallEndedAt
  }

  /** @internal 16 bits of chance. */
  random16(): number {
    this.options.random(this.#random16)
    return u16(this.#random16, 0)
  }

  /** @internal A peer number that nobody at this address has, and if possible nobody at all. */
  drawWireId(to: Address): number {
    let candidate = 0
    for (let tries = 0; tries < 32; tries++) {
      candidate = this.random16() & 0x0fff
      if (candidate !== NO_PEER && this.#byWireId[candidate] === null) return candidate
    }
    // If somebody takes very many at one address the session tells them apart, or nothing does: that is nobody else's harm.
    for (let i = 0; i < MAX_CANDIDATES; i++) {
      candidate = (candidate + 1) % NO_PEER
      let other = this.#byWireId[candidate] as Addressee | null
      while (other !== null && !(other.address === to.address && other.port === to.port)) other = other.nextSameId as Addressee | null
      if (other === null) break
    }
    return candidate
  }

  /** @internal The lowest free slot. */
  takeSlot(): number {
    let slot = 0
    while (this.#slots[slot] !== undefined) slot++
    return slot
  }

  /** @internal */
  register(who: Addressee): void {
    who.nextSameId = this.#byWireId[who.wireId] ?? null
    this.#byWireId[who.wireId] = who
    if (who.kind !== 'peer') return
    this.#slots[who.id] = who
    this.#peerCount++
  }

  /** @internal */
  unregister(who: Addressee): void {
    let at = this.#byWireId[who.wireId] as Addressee | null
    if (at === who) this.#byWireId[who.wireId] = who.nextSameId as Addressee | null
    else {
      while (at !== null && at.nextSameId !== who) at = at.nextSameId as Addressee | null
      if (at !== null) at.nextSameId = who.nextSameId
    }
    who.nextSameId = null
  }

  /** @internal The other side reuses the number that an older connection of the same address has: that one is dead. */
  replaceStale(peer: PeerCore): void {
    for (const other of this.#slots) {
      if (other === undefined || other === peer || other.port !== peer.port || other.address !== peer.address) continue
      if (other.outgoingId === peer.outgoingId && other.state !== 'connecting') other.finish('remote', 0)
    }
  }

  /** @internal A handshake has succeeded. */
  connected(peer: PeerCore, data: number): void {
    this.emit({ type: 'connect', peer, data })
    this.#bandwidth.joined()
    this.ready(peer)
  }

  /** @internal A peer is over: its slot is free from here on. */
  ended(peer: PeerCore, reason: EndReason, data: number): void {
    this.unregister(peer)
    this.#slots[peer.id] = undefined
    this.#peerCount--
    this.handshake.ended(peer)
    this.#bandwidth.left()
    this.emit({ type: 'disconnect', peer, reason, data })
  }

  /** @internal Keeps the memory of a connection that ends, with a last datagram to send. */
  depart(peer: PeerCore, lastWord: Uint8Array | null, repeat = true): void {
    if (lastWord !== null && !repeat) {
      this.post(lastWord, peer.outgoingId | (peer.outgoingSession << HEADER_SESSION_SHIFT), -1, peer.dialect, peer.connectId, peer)
    }
    const departed = new Departed(this, peer, repeat ? lastWord : null)
    this.register(departed)
    this.#departed.add(departed)
    // Oldest first. Who comes and goes for nothing but this does not make us remember more.
    if (this.#departed.size > MAX_DEPARTED) for (const oldest of this.#departed) return this.forget(oldest)
  }

  /** @internal The memory of a connection has faded. */
  forget(departed: Departed): void {
    this.unregister(departed)
    this.#departed.delete(departed)
    this.timers.disarm(departed)
  }

  /** @internal */
  emit(event: HostEvent): void {
    this.#events.push(event)
  }

  /** @internal This peer may have something to send. */
  ready(peer: PeerCore): void {
    if (peer.queued || !peer.alive) return
    peer.queued = true
    this.#ready.push(peer)
  }

  /** @internal A command of the application has made work. */
  attention(peer: PeerCore | null): void {
    if (peer !== null) {
      this.ready(peer)
      if (peer.hasUnstamped && !peer.awaitsTime) {
        peer.awaitsTime = true
        this.#unstamped.push(peer)
      }
    }
    this.wake?.()
  }

  /**
   * @internal Sends one command in a datagram of its own, outside any peer's order.
   * @param token the sent time, or -1 for none
   */
  post(command: Uint8Array, word: number, token: number, dialect: Dialect, connectId: number, to: Address): void {
    if (this.#posted.length >= MAX_POSTED) return
    const headerBytes = (token < 0 ? 2 : 4) + (dialect.checksum === null ? 0 : 4)
    const bytes = new Uint8Array(headerBytes + command.length)
    if (token >= 0) put16(bytes, 2, token)
    bytes.set(command, headerBytes)
    const length = this.sealer.seal(bytes, word | (token < 0 ? 0 : HEADER_SENT_TIME), headerBytes, bytes.length, dialect, connectId)
    this.#posted.push({ bytes: bytes.subarray(0, length), address: to.address, port: to.port })
  }

  /** @internal Says, now and then, what is wrong with datagrams from somewhere. */
  diagnose(failure: Exclude<OpenFailure, null> | 'fork', from: Address): void {
    if (failure === 'malformedDatagram') return
    const code = `dialect-${failure}` as const
    const key = `${code}|${from.address}`
    const last = this.#diagnosed.get(key)
    if (last !== undefined && this.now - last < DIAGNOSTIC_INTERVAL_MS) return
    // Strangers choose the keys: who invents addresses must neither make us remember them nor fill somebody's log.
    if (this.#diagnosed.size >= MAX_DIAGNOSED) {
      for (const [old, at] of this.#diagnosed) if (this.now - at >= DIAGNOSTIC_INTERVAL_MS) this.#diagnosed.delete(old)
      if (this.#diagnosed.size >= MAX_DIAGNOSED) return
    }
    this.#diagnosed.set(key, this.now)
    this.emit({ type: 'diagnostic', code, message: explain(code, from, this.options), from: { address: from.address, port: from.port }, at: this.now })
  }

  /** @internal */
  readonly listenerFailed = (error: unknown): void => {
    if (this.onListenerError !== null) return this.onListenerError(error)
    // The core must go on; the error must not vanish.
    queueMicrotask(() => {
      throw error
    })
  }

  #sent(bytes: number): void {
    this.#datagramsSent++
    this.#bytesSent += bytes
  }

  // Time goes on. If it goes on long after we had asked to be woken, our own loop stood still.
  #step(now: Millis): void {
    if (!(now > this.now) && this.#started) return
    const late = now - Math.max(this.now, this.#promised)
    if (this.#started && late > this.options.stallMs) {
      this.#stalledMs += late
      this.#stallEndedAt = now
      this.emit({
        type: 'diagnostic',
        code: 'stall',
        message: `the event loop stood still for ${Math.round(late)} ms; that time is not held against any peer`,
        from: null,
        at: now,
      })
    }
    this.#started = true
    this.now = now
  }
}

const isFor = (who: Addressee, from: Address, session: number): boolean =>
  who.port === from.port &&
  who.address === from.address &&
  // Before VERIFY_CONNECT nobody has told us a session.
  ((who.kind === 'peer' && who.state === 'connecting') || who.incomingSession === session)

const explain = (code: Diagnostic['code'], from: Address, options: ResolvedHostOptions): string => {
  const who = `${from.address}:${from.port}`
  if (code === 'dialect-checksum') {
    return options.requireChecksum
      ? `${who} sends without the checksum that this host requires, or with another one; switch it on there, or drop { require } here`
      : `${who} sends a checksum that does not fit: another function than CRC-32, or damaged datagrams; give the function as options.checksum`
  }
  if (code === 'dialect-fork') {
    return `${who} speaks a fork of ENet with other header flags (ENet-CSharp and its kin), which no ENet 1.3 understands; use stock ENet there`
  }
  const names = options.compressors.map((compressor) => compressor.name).join(', ')
  return `${who} sends compressed datagrams that none of options.compressors (${names || 'none'}) can undo; add its compressor`
}
