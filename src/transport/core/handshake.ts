// How a connection begins. SPEC §4.
//
// Connecting side: CONNECT is repeated early and often with one connect id; a VERIFY_CONNECT that does not fit is ignored.
// Accepting side: a CONNECT takes no slot. It makes a half-open entry with a challenge — a peer number, a session, a
// sequence number and a sent time, all unpredictable — and is answered once. Only the acknowledgement of that answer,
// which repeats all four, proves that somebody is really there; then the peer comes to be. C ENet gives the slot away at
// once, for 31 seconds, and sends six answers to whoever was named as the sender.

import type { Address, Millis } from '../endpoint.ts'
import type { ConnectRequest } from '../types.ts'
import {
  Command,
  FLAG_UNSEQUENCED,
  HEADER_SENT_TIME,
  HEADER_SESSION_SHIFT,
  MAX_CHANNELS,
  MAX_MTU,
  MIN_CHANNELS,
  MIN_MTU,
  NO_PEER,
  PEER_CHANNEL,
} from './constants.ts'
import { looksLikeFork } from './dialect.ts'
import type { Dialect } from './dialect.ts'
import { EndCode } from './endings.ts'
import { ANNOUNCE_BYTES, encodeAnnounce, isAnnounce } from './extension.ts'
import { clampWindow, grantedWindow, offeredWindow, sendingWindow } from './flow.ts'
import type { Host } from './host.ts'
import { PeerCore } from './peer.ts'
import type { Terms } from './peer.ts'
import type { Timed } from './timers.ts'
import { decodeCommand, encodeConnect, encodeHead, put32, u16 } from './wire.ts'
import type { CommandRecord, ConnectFields } from './wire.ts'

/** Times of CONNECT after the first, ms; then every second. C ENet: 500, doubling. */
const CONNECT_REPEATS_MS = [100, 250, 500, 1_000, 2_000]
/** A half-open entry lives this long after the last datagram of its sender. */
const HALF_OPEN_MS = 5_000
const VERIFY_BYTES = 44
/** Wrong answers after which an entry is burnt. */
const MAX_WRONG = 3
/** Never more bytes to an unproved address than this times what came from it. */
const AMPLIFICATION = 3

/** A connect of ours that is not answered yet. */
export interface Attempt {
  readonly fields: ConnectFields
  readonly data: number
  startedAt: Millis
  dueAt: Millis
  tries: number
  token: number
  sentAt: Millis
}

/** Somebody asked to connect and has not proved yet that it is there. */
export class HalfOpen {
  readonly kind = 'half-open'
  readonly key: string
  readonly wireId: number
  readonly address: string
  readonly port: number
  /** The session that we expect in its datagrams. */
  readonly incomingSession: number
  nextSameId: unknown = null
  readonly outgoingSession: number
  readonly dialect: Dialect
  readonly connectId: number
  readonly data: number
  readonly outgoingId: number
  readonly terms: Terms
  /** The client's throttle parameters, which we adopt for our sending. */
  readonly throttle: { intervalMs: number; acceleration: number; deceleration: number }
  /** The challenge: the number of our VERIFY_CONNECT and the sent time of its datagram. */
  readonly sequence: number
  readonly token: number
  readonly verify: Uint8Array
  /** Both sides have announced the extension. */
  readonly extended: boolean
  /** When VERIFY_CONNECT left; -1 once it left more than once, since then nobody knows which one was answered. */
  verifySentAt: Millis = -1
  answers = 0
  lastAt: Millis
  bytesIn = 0
  bytesOut = 0
  wrong = 0

  constructor(
    key: string,
    from: Address,
    challenge: { wireId: number; incomingSession: number; outgoingSession: number; sequence: number; token: number },
    command: CommandRecord,
    dialect: Dialect,
    terms: Terms,
    verify: Uint8Array,
    now: Millis,
  ) {
    this.key = key
    this.address = from.address
    this.port = from.port
    this.wireId = challenge.wireId
    this.incomingSession = challenge.incomingSession
    this.outgoingSession = challenge.outgoingSession
    this.sequence = challenge.sequence
    this.token = challenge.token
    this.dialect = dialect
    this.connectId = command.connectId
    this.data = command.data
    this.outgoingId = command.peerId
    this.terms = terms
    this.throttle = {
      intervalMs: command.throttleInterval,
      acceleration: command.throttleAcceleration,
      deceleration: command.throttleDeceleration,
    }
    this.verify = verify
    this.extended = verify.length > VERIFY_BYTES
    this.lastAt = now
  }
}

export class Handshake implements Timed {
  armedAt: Millis = Infinity
  readonly #host: Host
  /** By address, port and connect id; oldest first. Strings, so that nobody chooses colliding numbers. */
  readonly #halfOpen = new Map<string, HalfOpen>()
  /** Connections that came out of a connect to us, under the same keys. */
  readonly #connected = new Map<string, PeerCore>()

  constructor(host: Host) {
    this.#host = host
  }

  /** Half-open entries at the moment. */
  get halfOpenCount(): number {
    return this.#halfOpen.size
  }

  // ---------------------------------------------------------------- connecting side

  /** Begins a connect: the first CONNECT leaves at the next step of time. */
  begin(peer: PeerCore, data: number): void {
    const { options } = this.#host
    const fields: ConnectFields = {
      peerId: peer.wireId,
      incomingSession: 0xff,
      outgoingSession: 0xff,
      mtu: options.mtu,
      windowBytes: offeredWindow(options.outgoingBandwidth),
      channelCount: peer.channelCount,
      incomingBandwidth: options.incomingBandwidth,
      outgoingBandwidth: options.outgoingBandwidth,
      throttleInterval: peer.throttle.intervalMs,
      throttleAcceleration: peer.throttle.acceleration,
      throttleDeceleration: peer.throttle.deceleration,
      connectId: peer.connectId,
    }
    peer.windowBytes = fields.windowBytes
    peer.announced = options.extension
    peer.attempt = { fields, data, startedAt: -1, dueAt: -Infinity, tries: 0, token: 0, sentAt: -1 }
    this.#host.timers.arm(peer, -Infinity)
  }

  /** A connect of ours is due: CONNECT goes out again, or we give up. */
  retry(peer: PeerCore, attempt: Attempt, now: Millis): void {
    const host = this.#host
    if (attempt.tries === 0) attempt.startedAt = now
    const endsAt = attempt.startedAt + host.options.connectTimeoutMs
    if (now >= endsAt) return peer.finish('connect-timeout', 0)
    const command = new Uint8Array(48 + (peer.announced ? ANNOUNCE_BYTES : 0))
    encodeConnect(command, 0, 1, attempt.fields, attempt.data)
    if (peer.announced) encodeAnnounce(command, 48)
    attempt.token = host.random16()
    attempt.sentAt = now
    host.post(command, NO_PEER, attempt.token, peer.dialect, 0, peer)
    peer.datagramsSent++
    const { tries } = attempt
    attempt.tries++
    const next = CONNECT_REPEATS_MS[tries]
    const step = next ?? (CONNECT_REPEATS_MS.at(-1) as number) + 1_000 * (tries + 1 - CONNECT_REPEATS_MS.length)
    attempt.dueAt = Math.min(Math.max(attempt.startedAt + step, now + 50), endsAt)
    host.timers.arm(peer, attempt.dueAt)
  }

  /** VERIFY_CONNECT for a connect of ours. One that does not fit is ignored: anybody could have sent it. */
  verified(peer: PeerCore, command: CommandRecord, token: number, now: Millis): void {
    const { attempt } = peer
    if (attempt === null) return
    const { fields } = attempt
    const fits =
      command.connectId === fields.connectId &&
      command.peerId < NO_PEER &&
      command.channelCount >= MIN_CHANNELS &&
      command.channelCount <= MAX_CHANNELS &&
      command.throttleInterval === fields.throttleInterval &&
      command.throttleAcceleration === fields.throttleAcceleration &&
      command.throttleDeceleration === fields.throttleDeceleration &&
      command.incomingSession <= 3 &&
      command.outgoingSession <= 3
    if (!fits) return
    const exact = attempt.tries === 1
    peer.controlNumbers.highest = command.sequence
    peer.verifyEcho = { sequence: command.sequence, token, sent: 0 }
    peer.connected(
      {
        outgoingId: command.peerId,
        incomingSession: command.incomingSession,
        outgoingSession: command.outgoingSession,
        // A server older than 1.3.6 writes the MTU into the wrong half: a huge value is no opinion.
        mtu: Math.min(peer.mtu, Math.max(MIN_MTU, command.mtu > 0xffff ? MAX_MTU : Math.min(MAX_MTU, command.mtu))),
        windowBytes: Math.min(fields.windowBytes, clampWindow(command.windowBytes)),
        channelCount: Math.min(peer.channelCount, command.channelCount),
        peerIncomingBandwidth: command.incomingBandwidth,
        peerOutgoingBandwidth: command.outgoingBandwidth,
      },
      now,
    )
    if (exact) peer.recovery.roundTrip.sample(now - attempt.sentAt)
    this.#host.connected(peer, 0)
  }

  // ---------------------------------------------------------------- accepting side

  /** A datagram without a peer number: only a CONNECT makes sense. */
  receive(bytes: Uint8Array, from: Address, now: Millis): void {
    const host = this.#host
    const { sealer, options, scratchCommand: command, ledger } = host
    const dialect = sealer.detect(bytes, options)
    if (typeof dialect === 'string') {
      ledger[dialect]++
      return host.diagnose(looksLikeFork(bytes) ? 'fork' : dialect, from)
    }
    const { opened } = sealer
    const size = decodeCommand(opened.bytes, opened.start, opened.end, command)
    if (size <= 0) return void ledger.malformedDatagram++
    const extended = options.extension && isAnnounce(opened.bytes, opened.start + size, opened.end)
    if (options.requireChecksum && dialect.checksum === null) {
      ledger.checksum++
      return host.diagnose('checksum', from)
    }
    const legal = command.channelCount >= MIN_CHANNELS && command.channelCount <= MAX_CHANNELS && command.peerId < NO_PEER
    if (!legal) return void ledger.malformedCommand++
    const key = `${from.address}|${from.port}|${command.connectId}`
    // The client has its VERIFY_CONNECT and this is a copy that was still under way.
    if (this.#connected.has(key)) return void ledger.duplicate++
    let entry = this.#halfOpen.get(key)
    if (entry === undefined) {
      const refusal = this.#refusal(command, from)
      if (refusal >= 0) {
        ledger.refusedConnect++
        return this.#refuse(command, dialect, from, refusal)
      }
      entry = this.#open(key, command, dialect, from, extended, now)
      this.#halfOpen.set(key, entry)
      host.register(entry)
      if (this.#halfOpen.size > options.maxHalfOpen) this.#evictOldest()
    } else {
      // Most recent last.
      this.#halfOpen.delete(key)
      this.#halfOpen.set(key, entry)
    }
    entry.lastAt = now
    entry.bytesIn += bytes.length
    this.#answer(entry, now)
    host.timers.arm(this, now + HALF_OPEN_MS)
  }

  /**
   * A datagram from the address of a half-open entry, with its peer number and session.
   * @returns the peer, when the datagram proves that the challenge arrived
   */
  prove(entry: HalfOpen, bytes: Uint8Array, now: Millis): PeerCore | null {
    const host = this.#host
    const failure = host.sealer.open(bytes, entry.dialect, host.options.compressors, entry.connectId)
    if (failure !== null) {
      host.ledger[failure]++
      return null
    }
    const { opened } = host.sealer
    const command = host.scratchCommand
    entry.bytesIn += bytes.length
    entry.lastAt = now
    // Most recent last.
    this.#halfOpen.delete(entry.key)
    this.#halfOpen.set(entry.key, entry)
    let sawAcknowledge = false
    for (let at = opened.start; ; ) {
      const size = decodeCommand(opened.bytes, at, opened.end, command)
      if (size <= 0) break
      if (command.number === Command.acknowledge && command.channel === PEER_CHANNEL) {
        if (command.acknowledged === entry.sequence && command.echo === entry.token) return this.#promote(entry, now)
        sawAcknowledge = true
      }
      at += size
    }
    if (sawAcknowledge) {
      host.ledger.strayAcknowledgement++
      if (++entry.wrong >= MAX_WRONG) this.#remove(entry)
      return null
    }
    // The client is ahead of us: its acknowledgement was lost. Ask again; it repeats it.
    host.ledger.unknownPeer++
    this.#answer(entry, now)
    return null
  }

  /** A connection that came from a connect to us has ended. */
  ended(peer: PeerCore): void {
    const key = keyOf(peer)
    if (this.#connected.get(key) === peer) this.#connected.delete(key)
  }

  due(now: Millis): void {
    for (const entry of this.#halfOpen.values()) {
      if (entry.lastAt + HALF_OPEN_MS > now) {
        this.#host.timers.arm(this, entry.lastAt + HALF_OPEN_MS)
        break
      }
      this.#remove(entry)
    }
  }

  #refusal(command: CommandRecord, from: Address): number {
    const { options, closing, refuseConnections, peerCount } = this.#host
    if (closing) return EndCode.closing
    if (refuseConnections) return EndCode.refusing
    if (peerCount >= options.maxPeers) return EndCode.full
    if (options.accept === null) return -1
    const request: ConnectRequest = {
      address: from.address,
      port: from.port,
      data: command.data,
      channelCount: Math.min(command.channelCount, options.channels),
    }
    try {
      const verdict = options.accept(request)
      return verdict === true ? -1 : verdict >>> 0
    } catch (error) {
      // A mistake of the application's that a stranger may cause must not end the host.
      this.#host.listenerFailed(error)
      return EndCode.refusing
    }
  }

  // SPEC §4.8: stateless, and smaller than what it answers.
  #refuse(command: CommandRecord, dialect: Dialect, to: Address, data: number): void {
    const encoded = new Uint8Array(8)
    encodeHead(encoded, 0, Command.disconnect | FLAG_UNSEQUENCED, PEER_CHANNEL, 1)
    put32(encoded, 4, data)
    this.#host.post(encoded, command.peerId, -1, { checksum: dialect.checksum, compressor: null }, command.connectId, to)
  }

  #open(key: string, command: CommandRecord, dialect: Dialect, from: Address, extended: boolean, now: Millis): HalfOpen {
    const host = this.#host
    const { options } = host
    const challenge = {
      wireId: host.drawWireId(from),
      incomingSession: otherSession(host.random16(), command.outgoingSession),
      outgoingSession: otherSession(host.random16(), command.incomingSession),
      sequence: host.random16(),
      token: host.random16(),
    }
    const mtu = Math.min(options.mtu, Math.max(MIN_MTU, Math.min(dialect.checksum === null ? MAX_MTU : MAX_MTU - 4, command.mtu)))
    const channelCount = Math.min(command.channelCount, options.channels)
    const terms: Terms = {
      outgoingId: command.peerId,
      incomingSession: challenge.incomingSession,
      outgoingSession: challenge.outgoingSession,
      mtu,
      windowBytes: sendingWindow(options.outgoingBandwidth, command.incomingBandwidth),
      channelCount,
      peerIncomingBandwidth: command.incomingBandwidth,
      peerOutgoingBandwidth: command.outgoingBandwidth,
    }
    // Never longer than the CONNECT: its announcement has the same length.
    const verify = new Uint8Array(VERIFY_BYTES + (extended ? ANNOUNCE_BYTES : 0))
    if (extended) encodeAnnounce(verify, VERIFY_BYTES)
    encodeConnect(
      verify,
      0,
      challenge.sequence,
      {
        peerId: challenge.wireId,
        incomingSession: challenge.outgoingSession,
        outgoingSession: challenge.incomingSession,
        mtu,
        windowBytes: grantedWindow(options.incomingBandwidth, command.windowBytes),
        channelCount,
        incomingBandwidth: options.incomingBandwidth,
        outgoingBandwidth: options.outgoingBandwidth,
        throttleInterval: command.throttleInterval,
        throttleAcceleration: command.throttleAcceleration,
        throttleDeceleration: command.throttleDeceleration,
        connectId: command.connectId,
      },
      null,
    )
    return new HalfOpen(key, from, challenge, command, dialect, terms, verify, now)
  }

  // In answer to a datagram only, and never so much that somebody else could be flooded with it.
  #answer(entry: HalfOpen, now: Millis): void {
    const bytes = entry.verify.length + (entry.dialect.checksum === null ? 4 : 8)
    if (entry.bytesOut + bytes > AMPLIFICATION * entry.bytesIn) return
    entry.bytesOut += bytes
    entry.verifySentAt = entry.answers++ === 0 ? now : -1
    const word = entry.outgoingId | (entry.outgoingSession << HEADER_SESSION_SHIFT)
    this.#host.post(entry.verify, word, entry.token, entry.dialect, entry.connectId, entry)
  }

  #promote(entry: HalfOpen, now: Millis): PeerCore | null {
    const host = this.#host
    this.#remove(entry)
    if (host.peerCount >= host.options.maxPeers || host.closing) {
      host.ledger.refusedConnect++
      const encoded = new Uint8Array(8)
      encodeHead(encoded, 0, Command.disconnect | FLAG_UNSEQUENCED, PEER_CHANNEL, (entry.sequence + 1) & 0xffff)
      put32(encoded, 4, host.closing ? EndCode.closing : EndCode.full)
      host.post(encoded, entry.outgoingId | (entry.outgoingSession << HEADER_SESSION_SHIFT), -1, entry.dialect, entry.connectId, entry)
      return null
    }
    const identity = {
      id: host.takeSlot(),
      wireId: entry.wireId,
      address: entry.address,
      port: entry.port,
      connectId: entry.connectId,
      connectData: entry.data,
    }
    const peer = new PeerCore(host, identity, entry.dialect, entry.sequence, 'connecting', entry.terms.channelCount, now)
    // A client numbers its peer channel from 1, and its CONNECT was that.
    peer.controlNumbers.highest = 1
    peer.challenge = { sequence: entry.sequence, token: entry.token, answered: false }
    Object.assign(peer.throttle, entry.throttle)
    peer.announced = entry.extended
    if (entry.extended) peer.extend()
    host.register(peer)
    this.#connected.set(entry.key, peer)
    peer.connected(entry.terms, now)
    if (entry.verifySentAt >= 0) peer.recovery.roundTrip.sample(now - entry.verifySentAt)
    host.replaceStale(peer)
    host.connected(peer, entry.data)
    return peer
  }

  #evictOldest(): void {
    for (const entry of this.#halfOpen.values()) {
      this.#host.ledger.refusedConnect++
      return this.#remove(entry)
    }
  }

  #remove(entry: HalfOpen): void {
    this.#halfOpen.delete(entry.key)
    this.#host.unregister(entry)
  }
}

// Unpredictable, but never the one that the same slot of a C client had before: its number stays the same, so the session
// is all that keeps leftovers of its last connection out.
const otherSession = (chance: number, before: number): number => (before > 3 ? chance & 3 : (before + 1 + (chance % 3)) & 3)

const keyOf = (peer: PeerCore): string => `${peer.address}|${peer.port}|${peer.connectId}`

/** The sent time in a datagram's header, or -1. */
export const sentTimeOf = (bytes: Uint8Array): number => ((u16(bytes, 0) & HEADER_SENT_TIME) === 0 ? -1 : u16(bytes, 2))
