// Queues → one datagram out. Order inside a datagram: acknowledgements, what is sent again, commands of the peer channel,
// then new packets as the schedule says. SPEC §7.5.

import type { Datagram, Millis } from '../endpoint.ts'
import { HEADER_SENT_TIME, HEADER_SESSION_SHIFT, MAX_COMMANDS_SENT, PEER_CHANNEL } from './constants.ts'
import type { Host } from './host.ts'
import type { Lane } from './lane.ts'
import { Kind, ReliableCommand } from './message.ts'
import type { Message } from './message.ts'
import { channelOf, echoOf, sequenceOf } from './pending-acks.ts'
import type { PeerCore } from './peer.ts'
import type { SentDatagram } from './recovery.ts'
import { encodeAcknowledge, encodeHead, put16, put32 } from './wire.ts'

/** Largest payload of a packet that may leave although the window is full. SPEC §7.1. */
const URGENT_BYTES = 1000

/** The datagram that is being built; one record for all, since only one is built at a time. */
class Builder {
  bytes: Uint8Array = new Uint8Array(0)
  at = 0
  end = 0
  commands = 0
  record: SentDatagram | null = null
  messages = 0
  /** Identifies the datagram to lanes that find themselves blocked in it. */
  stamp = 0

  fits(size: number): boolean {
    return this.commands < MAX_COMMANDS_SENT && this.end - this.at >= size
  }
}

const builder = new Builder()

/**
 * Builds the next datagram of a peer.
 * @returns false when there is nothing to send
 */
export const transmit = (host: Host, peer: PeerCore, out: Datagram, now: Millis): boolean => {
  if (peer.state === 'disconnected' || peer.state === 'connecting') return false
  const headerBytes = peer.dialect.checksum === null ? 4 : 8
  builder.bytes = out.bytes
  builder.at = headerBytes
  // Counted as ENet does: the header as if it had a sent time, and no checksum.
  builder.end = headerBytes + peer.mtu - 4
  builder.commands = 0
  builder.record = null
  builder.messages = 0
  builder.stamp++
  const hadAcks = writeAcknowledgements(peer)
  writeAgain(peer, now)
  writeControl(peer, now)
  if (peer.queuedMessages > 0 && peer.pace.allows(now) && host.pace.allows(now)) writePackets(host, peer, now)
  if (builder.commands === 0) return false
  if (!hadAcks || builder.commands > 1) repeatVerifyEcho(peer)

  let word = peer.outgoingId | (peer.outgoingSession << HEADER_SESSION_SHIFT)
  let start = headerBytes
  const record = builder.record as SentDatagram | null
  if (record === null) {
    // Nothing to be acknowledged inside, so no sent time: the header is two bytes shorter.
    out.bytes.copyWithin(headerBytes - 2, headerBytes, builder.at)
    builder.at -= 2
    start -= 2
  } else {
    word |= HEADER_SENT_TIME
    put16(out.bytes, 2, record.token)
  }
  out.length = host.sealer.seal(out.bytes, word, start, builder.at, peer.dialect, peer.connectId)
  out.address = peer.address
  out.port = peer.port
  if (record !== null) peer.recovery.commit(record, now, out.length)
  peer.pace.spend(out.length)
  host.pace.spend(out.length)
  peer.datagramsSent++
  peer.bytesSent += out.length
  if (builder.messages > 0) {
    peer.messageDatagrams++
    peer.messagesBegun += builder.messages
  }
  peer.continueLeaving()
  peer.rearm(now)
  return true
}

const writeAcknowledgements = (peer: PeerCore): boolean => {
  const { acks } = peer
  const any = acks.length > 0
  while (acks.length > 0 && builder.fits(8)) {
    const packed = acks.shift()
    encodeAcknowledge(builder.bytes, builder.at, channelOf(packed), sequenceOf(packed), echoOf(packed))
    builder.at += 8
    builder.commands++
  }
  return any
}

// A server that has not seen our acknowledgement of VERIFY_CONNECT hears nothing else, so it rides along until something
// comes back (the first one was queued like any other). C measures its first round trip by it, hence not too often.
const repeatVerifyEcho = (peer: PeerCore): void => {
  const echo = peer.verifyEcho
  if (echo === null || echo.sent > 3) return
  if (echo.sent++ === 0 || !builder.fits(8)) return
  const start = peer.dialect.checksum === null ? 4 : 8
  builder.bytes.copyWithin(start + 8, start, builder.at)
  encodeAcknowledge(builder.bytes, start, PEER_CHANNEL, echo.sequence, echo.token)
  builder.at += 8
  builder.commands++
}

const writeAgain = (peer: PeerCore, now: Millis): void => {
  const { recovery } = peer
  for (let command = recovery.peekAgain(); command !== null; command = recovery.peekAgain()) {
    const { message } = command
    const size = command.encoded?.length ?? headBytes((message as Message).kind) + command.payloadBytes
    if (!builder.fits(size)) return
    recovery.takeAgain(command)
    if (command.encoded !== null) writeEncoded(command.encoded)
    else writeReliable(command, message as Message)
    carry(peer, command, now)
  }
}

const writeControl = (peer: PeerCore, now: Millis): void => {
  const { controlQueue } = peer
  for (let command = controlQueue.peek(); command !== undefined; command = controlQueue.peek()) {
    const encoded = command.encoded as Uint8Array
    if (!builder.fits(encoded.length)) return
    controlQueue.shift()
    peer.control.sent.set(command)
    writeEncoded(encoded)
    carry(peer, command, now)
  }
}

const writePackets = (host: Host, peer: PeerCore, now: Millis): void => {
  const { schedule } = peer
  for (;;) {
    const lane = schedule.next(builder.stamp)
    if (lane === null) return
    const message = lane.queue.peek()
    if (message === undefined) {
      schedule.remove(lane)
      continue
    }
    if (message.begun === 0 && message.expiresAt <= now) {
      lane.shift()
      peer.giveUp(message, 'expired')
      continue
    }
    // The count of unreliable numbers is used up: a reliable packet restarts it.
    if (message.kind === Kind.unreliable && lane.unreliableExhausted) message.kind = Kind.reliable
    if (message.kind === Kind.unreliableFragment && message.begun === 0 && lane.unreliableExhausted) message.kind = Kind.fragment
    const length = Math.min(message.pieceBytes, message.bytes.length - message.begun * message.pieceBytes)
    const size = headBytes(message.kind) + length
    if (message.reliable) {
      const urgent = message.pieces === 1 && length <= URGENT_BYTES
      if (!lane.withinReach(lane.nextReliable(message)) || !peer.windowAllows(length, urgent)) {
        lane.blockedIn = builder.stamp
        continue
      }
    }
    if (!builder.fits(size)) return
    if (!message.reliable && message.begun === 0 && host.options.throttle === 'enet' && peer.throttle.drops()) {
      lane.shift()
      peer.giveUp(message, 'throttled')
      continue
    }
    writePiece(host, peer, lane, message, length, now)
    schedule.charge(lane, size)
  }
}

const writePiece = (host: Host, peer: PeerCore, lane: Lane, message: Message, length: number, now: Millis): void => {
  if (message.begun === 0) {
    lane.number(message)
    if (message.kind === Kind.unsequenced) message.start = peer.unsequencedGroup = (peer.unsequencedGroup + 1) & 0xffff
    builder.messages++
  }
  const piece = message.begun++
  if (message.reliable) {
    const sequence = (message.start + piece) & 0xffff
    const command = new ReliableCommand(lane, sequence, message, piece, null, length, peer.order++)
    lane.sent.set(command)
    writeReliable(command, message)
    carry(peer, command, now)
  } else writeUnreliable(lane.channel, message, piece, length)
  const whole = message.begun === message.pieces
  if (whole) {
    lane.shift()
    peer.messagesSent++
    peer.lastApplicationAt = now
  }
  peer.unqueue(length, whole ? 1 : 0)
  if (whole && !message.reliable) message.settle('delivered', host.listenerFailed)
}

const carry = (peer: PeerCore, command: ReliableCommand, now: Millis): void => {
  const record = (builder.record ??= peer.recovery.open(now))
  peer.recovery.carry(record, command, (command.message?.pieces ?? 1) > 1)
}

const writeEncoded = (encoded: Uint8Array): void => {
  builder.bytes.set(encoded, builder.at)
  builder.at += encoded.length
  builder.commands++
}

const writeReliable = (command: ReliableCommand, message: Message): void => {
  const { bytes, at } = builder
  encodeHead(bytes, at, message.kind, command.lane.channel, command.sequence)
  if (message.kind === Kind.reliable) {
    put16(bytes, at + 4, command.payloadBytes)
    return writePayload(at + 6, message, command.piece, command.payloadBytes)
  }
  writeFragmentFields(at, message, command.piece, command.payloadBytes)
}

const writeUnreliable = (channel: number, message: Message, piece: number, length: number): void => {
  const { bytes, at } = builder
  encodeHead(bytes, at, message.kind, channel, message.kind === Kind.unsequenced ? 0 : message.behind)
  if (message.kind === Kind.unreliableFragment) return writeFragmentFields(at, message, piece, length)
  put16(bytes, at + 4, message.start)
  put16(bytes, at + 6, length)
  writePayload(at + 8, message, 0, length)
}

const writeFragmentFields = (at: number, message: Message, piece: number, length: number): void => {
  const { bytes } = builder
  put16(bytes, at + 4, message.start)
  put16(bytes, at + 6, length)
  put32(bytes, at + 8, message.pieces)
  put32(bytes, at + 12, piece)
  put32(bytes, at + 16, message.bytes.length)
  put32(bytes, at + 20, piece * message.pieceBytes)
  writePayload(at + 24, message, piece, length)
}

const writePayload = (at: number, message: Message, piece: number, length: number): void => {
  const from = piece * message.pieceBytes
  const source = message.bytes
  // A view costs more than a short copy.
  if (length <= 24) for (let i = 0; i < length; i++) builder.bytes[at + i] = source[from + i] as number
  else builder.bytes.set(message.pieces === 1 ? source : source.subarray(from, from + length), at)
  builder.at = at + length
  builder.commands++
}

const headBytes = (kind: Kind): number => {
  switch (kind) {
    case Kind.reliable:
      return 6
    case Kind.unreliable:
    case Kind.unsequenced:
      return 8
    default:
      return 24
  }
}

