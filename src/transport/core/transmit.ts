// Queues → one datagram out. Order inside a datagram: acknowledgements, what is sent again, commands of the peer channel,
// then new packets as the schedule says. SPEC §7.5.

import type { Datagram, Millis } from '../endpoint.ts'
import { HEADER_SENT_TIME, HEADER_SESSION_SHIFT, MAX_COMMANDS_SENT, PEER_CHANNEL } from './constants.ts'
import { MAX_REPORT_BYTES } from './extension.ts'
import type { Reports } from './extension.ts'
import type { Host } from './host.ts'
import type { Lane } from './lane.ts'
import { MAX_COPY_BYTES } from './copies.ts'
import { Kind, ReliableCommand } from './message.ts'
import type { Message } from './message.ts'
import { channelOf, echoOf, sequenceOf } from './pending-acks.ts'
import type { PeerCore } from './peer.ts'
import type { SentDatagram } from './sent-datagrams.ts'
import { isSmall } from './schedule.ts'
import { isStale } from './send-queue.ts'
import { encodeAcknowledge, encodeHead, put16, put32 } from './wire.ts'

/** Blocks of reports in one datagram. */
const MAX_REPORTS = 4
/** A host of our own reads up to 300. */
const MAX_COMMANDS_TO_OURS = 250

/** The datagram that is being built; one record for all, since only one is built at a time. */
class Builder {
  bytes: Uint8Array = new Uint8Array(0)
  at = 0
  end = 0
  commands = 0
  maxCommands = MAX_COMMANDS_SENT
  record: SentDatagram | null = null
  messages = 0
  copyBytes = 0
  /** Identifies the datagram to lanes that find themselves blocked in it. */
  stamp = 0

  fits(size: number): boolean {
    return this.commands < this.maxCommands && this.end - this.at >= size
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
  builder.copyBytes = 0
  const { recovery, pacing, reports } = peer
  // Reports come last, behind everything that ENet knows: their room is kept free.
  const blocks = reports === null ? 0 : Math.min(reports.pending, MAX_REPORTS)
  builder.end -= blocks * MAX_REPORT_BYTES
  builder.maxCommands = reports === null ? MAX_COMMANDS_SENT : MAX_COMMANDS_TO_OURS
  if (recovery.congestion !== null) pacing.refill(now, recovery.congestion.rate)
  // A report that may wait rides along, but does not make a datagram.
  const reporting = blocks > 0 && (reports as Reports).dueAt <= now
  const hadAcks = writeAcknowledgements(peer)
  const urgent = recovery.urgentAllowed(peer.mtu)
  if (urgent) writeAgain(peer, true)
  writeControl(peer)
  if (peer.pace.allows(now) && host.pace.allows(now)) {
    writePackets(host, peer, now, urgent, true)
    // What is urgent and does not fit leaves with the next datagram; copies must not take its place.
    if (recovery.again.peekUrgent() === null) writeCopies(peer, reporting, now)
    writeBulk(host, peer, now, urgent)
  }
  // What a listener heard of a packet that was given up made it end the connection.
  if (!peer.alive) return false
  if (builder.commands === 0 && !reporting) {
    if (peer.sending.messages > 0 && host.options.throttle === 'none') peer.sending.age(now)
    return false
  }
  if (builder.record === null && builder.commands > 0) followUp(peer, now)
  repeatVerifyEcho(peer, hadAcks)
  for (let i = 0; i < blocks; i++) builder.at += (reports as Reports).write(builder.bytes, builder.at, now)

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
  if (record !== null) recovery.commit(record, now, out.length)
  pacing.spend(out.length + 28)
  recovery.copies.earn(out.length - builder.copyBytes)
  peer.pace.spend(out.length)
  host.pace.spend(out.length)
  peer.datagramsSent++
  peer.bytesSent += out.length
  if (builder.messages > 0) {
    peer.messageDatagrams++
    peer.messagesBegun += builder.messages
  }
  peer.continueLeaving()
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
const repeatVerifyEcho = (peer: PeerCore, hadAcks: boolean): void => {
  const echo = peer.verifyEcho
  if (echo === null || echo.sent > 3) return
  // The first acknowledgement of a connection is this one. A datagram that is nothing but acknowledgements stays that.
  if (echo.sent === 0 || (hadAcks && builder.commands === 1)) {
    if (hadAcks && echo.sent === 0) echo.sent = 1
    return
  }
  echo.sent++
  if (!builder.fits(8)) return
  const start = peer.dialect.checksum === null ? 4 : 8
  builder.bytes.copyWithin(start + 8, start, builder.at)
  encodeAcknowledge(builder.bytes, start, PEER_CHANNEL, echo.sequence, echo.token)
  builder.at += 8
  builder.commands++
}

// What is known or suspected to be lost, in its old order.
const writeAgain = (peer: PeerCore, urgent: boolean): void => {
  const { recovery } = peer
  for (;;) {
    const command = urgent ? recovery.again.peekUrgent() : recovery.again.peekBulk()
    if (command === null || !builder.fits(command.wireBytes)) return
    if (!urgent && !bulkMayLeave(peer, command.payloadBytes)) return
    recovery.again.take(command)
    writeCommand(command)
    carry(peer, command, false)
  }
}

// Copies ride on whatever leaves; alone only when one has waited long enough.
const writeCopies = (peer: PeerCore, leaving: boolean, now: Millis): void => {
  const { copies, roundTrip, probes, lastAcknowledgedAt } = peer.recovery
  if (builder.commands === 0 && !leaving && !copies.due(now)) return
  for (;;) {
    // One copy always fits; several together only up to the limit.
    const room = Math.min(builder.end - builder.at, builder.copyBytes === 0 ? Infinity : MAX_COPY_BYTES - builder.copyBytes)
    const command = builder.fits(0) ? copies.next(now, builder.record?.number ?? -1, room, bulkMayLeave(peer, peer.mtu)) : null
    if (command === null) return
    writeCommand(command)
    builder.copyBytes += command.wireBytes
    carry(peer, command, true)
    copies.copied(command, now, roundTrip.mean, probes, lastAcknowledgedAt)
  }
}

// Pieces of large packets: lost ones first, then new ones, as window, controller and pacing allow.
const writeBulk = (host: Host, peer: PeerCore, now: Millis, urgent: boolean): void => {
  writeAgain(peer, false)
  if (peer.recovery.again.peekBulk() === null) writePackets(host, peer, now, urgent, false)
  // Whether the application or the path is the limit decides what the controller may learn from this datagram.
  peer.recovery.idle = !peer.sending.schedule.hasBulk
  peer.recovery.appLimited = peer.recovery.idle && peer.recovery.again.peekBulk() === null
}

const bulkMayLeave = (peer: PeerCore, bytes: number): boolean => {
  const { recovery, pacing } = peer
  if (recovery.congestion === null) return true
  return recovery.bulkAllowed(builder.at + bytes) && (pacing.open || recovery.forcedBulk > 0)
}

// An unreliable datagram proves nothing by itself. While the newest reliable one is unacknowledged and the round trip
// varies too much for a tight tail timer, or nothing was acknowledged for long, a ping makes its arrival known. SPEC §6.5.
const followUp = (peer: PeerCore, now: Millis): void => {
  const { recovery } = peer
  if (recovery.congestion === null || builder.messages === 0 || !builder.fits(4) || !peer.recovery.roundTrip.sampled) return
  const wanted = recovery.followUps > 0 && 4 * recovery.roundTrip.deviation > 6
  if (!wanted && now - recovery.lastElicitedAt <= 100) return
  if (recovery.followUps > 0) recovery.followUps--
  const command = peer.composePing(true)
  peer.control.sent.set(command)
  const { followUps } = recovery
  writeCommand(command)
  carry(peer, command, false)
  recovery.followUps = followUps
}

const writeControl = (peer: PeerCore): void => {
  const { controlQueue } = peer
  for (let command = controlQueue.peek(); command !== undefined; command = controlQueue.peek()) {
    if (!builder.fits(command.wireBytes)) return
    controlQueue.shift()
    peer.control.sent.set(command)
    writeCommand(command)
    carry(peer, command, false)
  }
}

/**
 * New packets, as the schedule says.
 * @param urgent urgent reliable packets may leave
 * @param small only what is small; false: what is left
 */
const writePackets = (host: Host, peer: PeerCore, now: Millis, urgent: boolean, small: boolean): void => {
  const { schedule } = peer.sending
  while (peer.sending.messages > 0) {
    const lane = schedule.next(builder.stamp)
    if (lane === null) return
    const message = lane.queue.peek()
    if (message === undefined) {
      schedule.remove(lane)
      continue
    }
    if (message.begun === 0 && message.expiresAt <= now) {
      lane.shift()
      peer.sending.giveUp(message, 'expired')
      continue
    }
    if (isStale(lane, now)) {
      lane.shift()
      peer.sending.giveUp(message, 'throttled')
      continue
    }
    if (!message.reliable && peer.crowded) {
      lane.blockedIn = builder.stamp
      continue
    }
    const isUrgent = isSmall(lane)
    // Bulk comes after the copies: the caller will be back for it.
    if (small && !isUrgent && message.reliable) return
    // The count of unreliable numbers is used up: a reliable packet restarts it.
    if (message.begun === 0 && lane.unreliableExhausted) {
      if (message.kind === Kind.unreliable) message.kind = Kind.reliable
      else if (message.kind === Kind.unreliableFragment) message.kind = Kind.fragment
    }
    const length = Math.min(message.pieceBytes, message.bytes.length - message.begun * message.pieceBytes)
    const size = message.headBytes + length
    if (message.reliable) {
      const free = isUrgent ? urgent : bulkMayLeave(peer, size)
      if (!free || !lane.withinReach(lane.nextReliable(message)) || !peer.windowAllows(length, isUrgent)) {
        lane.blockedIn = builder.stamp
        continue
      }
    }
    if (!builder.fits(size)) return
    if (!message.reliable && message.begun === 0 && host.options.throttle === 'enet' && peer.throttle.drops()) {
      lane.shift()
      peer.sending.giveUp(message, 'throttled')
      continue
    }
    writePiece(host, peer, lane, message, length, isUrgent, now)
    schedule.charge(lane, size, isUrgent)
  }
}

const writePiece = (host: Host, peer: PeerCore, lane: Lane, message: Message, length: number, urgent: boolean, now: Millis): void => {
  if (message.begun === 0) {
    lane.number(message)
    if (message.kind === Kind.unsequenced) message.start = peer.unsequencedGroup = (peer.unsequencedGroup + 1) & 0xffff
    builder.messages++
  }
  const piece = message.begun++
  if (message.reliable) {
    const sequence = (message.start + piece) & 0xffff
    const command = new ReliableCommand(lane, sequence, message, piece, null, length, peer.order++, urgent)
    lane.sent.set(command)
    writeReliable(command, message)
    carry(peer, command, false)
  } else {
    writeUnreliable(lane.channel, message, piece, length)
    // Its sender wants to know, and the other side reports datagrams: this one gets a number.
    if (message.onSettled !== null && peer.reports !== null) (builder.record ??= peer.recovery.open(now)).addUnreliable(message)
  }
  const whole = message.begun === message.pieces
  if (whole) {
    lane.shift()
    peer.messagesSent++
    peer.liveness.lastApplicationAt = now
  }
  peer.sending.left(length, whole ? 1 : 0)
  if (whole && !message.reliable && peer.reports === null) message.settle('delivered', host.listenerFailed)
}

const carry = (peer: PeerCore, command: ReliableCommand, copy: boolean): void => {
  const { recovery } = peer
  const record = (builder.record ??= recovery.open(peer.host.now))
  recovery.carry(record, command, copy)
  recovery.followUps = 2
}

const writeCommand = (command: ReliableCommand): void => {
  const { encoded } = command
  if (encoded === null) return writeReliable(command, command.message as Message)
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
