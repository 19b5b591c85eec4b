// One datagram in → state changes, for a peer that is known. The checks come in the order of SPEC §8; the first failed one
// drops the rest of the datagram and adds one to a counter.

import type { Millis } from '../endpoint.ts'
import { Command, MAX_COMMANDS_RECEIVED, MAX_FRAGMENTS_FORMAL, PEER_CHANNEL } from './constants.ts'
import { lastAcknowledgement } from './departed.ts'
import { decodeReport, isAnnounce } from './extension.ts'
import { sendingWindow } from './flow.ts'
import { sentTimeOf } from './handshake.ts'
import type { Host } from './host.ts'
import { Receipt } from './incoming.ts'
import type { PeerCore } from './peer.ts'
import { Acknowledged } from './recovery.ts'
import { Group } from './unsequenced.ts'
import { decodeCommand, DecodeEnd } from './wire.ts'
import type { CommandRecord } from './wire.ts'

/** Takes a datagram whose header names this peer, from its address and in its session. */
export const receiveDatagram = (host: Host, peer: PeerCore, bytes: Uint8Array, now: Millis): void => {
  const failure = host.sealer.open(bytes, peer.dialect, host.options.compressors, peer.connectId)
  if (failure !== null) {
    peer.count(failure)
    return host.diagnose(failure, peer)
  }
  const { opened } = host.sealer
  if (!isWhole(opened.bytes, opened.start, opened.end, host.scratchCommand)) return peer.count('malformedCommand')
  peer.datagramsReceived++
  peer.bytesReceived += bytes.length
  peer.liveness.lastReceiveAt = now
  const sentTime = sentTimeOf(bytes)
  peer.recovery.beginBatch()
  const acksBefore = peer.acks.length
  const whole = readCommands(host, peer, opened.bytes, opened.start, opened.end, opened.scratch, sentTime, now)
  if (!peer.alive) return
  const { reports } = peer
  if (reports !== null && whole && sentTime >= 0) {
    // Everything in it was taken: one report for the datagram says so, even if the next one is lost.
    const eliciting = peer.acks.length > acksBefore
    const noted = reports.note(sentTime, now, eliciting ? 0 : UNHURRIED_REPORT_MS)
    if (noted) peer.acks.takeBack(peer.acks.length - acksBefore)
  }
  const before = peer.recovery.roundTrip.samples
  if (peer.recovery.endBatch(now, host.stallEndedAt)) host.ready(peer)
  const { roundTrip } = peer.recovery
  if (roundTrip.samples !== before) peer.throttle.sample(roundTrip.last, roundTrip.mean, roundTrip.deviation, now)
  // Acknowledgements may have opened the window.
  if (peer.acks.length > 0 || (peer.reports !== null && peer.reports.dueAt <= now) || peer.sending.messages > 0 || peer.controlQueue.length > 0) host.ready(peer)
  peer.continueLeaving()
  // One that has something to send sets its timer when it has sent it.
  if (!peer.queued) peer.rearm(now)
}

// A datagram that is cut off inside a command came damaged: nothing of it takes effect.
const isWhole = (bytes: Uint8Array, start: number, end: number, command: CommandRecord): boolean => {
  let at = start
  for (let i = 0; i < MAX_COMMANDS_RECEIVED; i++) {
    const size = decodeCommand(bytes, at, end, command)
    if (size === DecodeEnd.truncated) return false
    if (size <= 0) return true
    at += size
  }
  return true
}

/** Reports read from one datagram; each is about 65 datagrams, and a sender of ours writes four. */
const MAX_REPORTS_RECEIVED = 16
/** How long the report about an unreliable datagram waits for company. */
const UNHURRIED_REPORT_MS = 25

/** @returns true when everything in the datagram was accepted */
const readCommands = (
  host: Host,
  peer: PeerCore,
  bytes: Uint8Array,
  start: number,
  end: number,
  scratch: boolean,
  sentTime: number,
  now: Millis,
): boolean => {
  const command = host.scratchCommand
  let at = start
  let whole = true
  let verified = false
  for (let i = 0; at < end; i++) {
    const size = i === MAX_COMMANDS_RECEIVED ? DecodeEnd.truncated : decodeCommand(bytes, at, end, command)
    // What follows an unknown command is a tail: ours, an extension that we do not know, or nonsense.
    if (size === DecodeEnd.unknown && readTail(host, peer, bytes, at, end, verified, now)) return whole
    if (size <= 0) {
      peer.count(size === DecodeEnd.truncated ? 'malformedCommand' : 'unknownCommand')
      return false
    }
    at += size
    const receipt = apply(host, peer, bytes, command, scratch, sentTime, now)
    if (!peer.alive) return false
    // Without a sent time there is nothing to echo: C stops here, and so do we.
    if (receipt === Receipt.malformed || (command.acknowledge && sentTime < 0)) {
      peer.count('malformedCommand')
      return false
    }
    if (!command.acknowledge) continue
    if (receipt === Receipt.refused) whole = false
    // The sent time of a VERIFY_CONNECT is a challenge, not a datagram number.
    else if (command.number === Command.verifyConnect) {
      whole = false
      verified = true
      peer.acks.push(command.channel, command.sequence, sentTime)
    } else peer.acks.push(command.channel, command.sequence, sentTime)
  }
  return whole
}

/**
 * @param verified it follows a VERIFY_CONNECT that fits, whose connect id nobody else knows: only there an announcement is
 *   believed. A server that understands no reports would never again hear an acknowledgement from us.
 * @returns true when it is a tail of ours, which is taken care of
 */
const readTail = (host: Host, peer: PeerCore, bytes: Uint8Array, start: number, end: number, verified: boolean, now: Millis): boolean => {
  // The server's announcement; a copy of it says nothing new.
  if (isAnnounce(bytes, start, end)) {
    if (!peer.announced || !verified) return false
    peer.extend()
    return true
  }
  if (peer.reports === null) return false
  let at = start
  for (let i = 0; i < MAX_REPORTS_RECEIVED; i++) {
    const size = decodeReport(bytes, at, end, host.scratchReport)
    if (size === 0) break
    at += size
    if (!peer.recovery.reported(host.scratchReport, now, peer.onReported)) {
      peer.count('strayAcknowledgement')
      continue
    }
    peer.liveness.lastAckAt = now
    if (peer.verifyEcho !== null) peer.verifyEcho.sent = Infinity
    if (!peer.alive) return true
  }
  return at === end
}

const apply = (
  host: Host,
  peer: PeerCore,
  bytes: Uint8Array,
  command: CommandRecord,
  scratch: boolean,
  sentTime: number,
  now: Millis,
): Receipt => {
  switch (command.number) {
    case Command.acknowledge:
      return acknowledge(peer, command, now)
    case Command.verifyConnect:
      if (peer.state === 'connecting') {
        host.handshake.verified(peer, command, sentTime, now)
        return peer.state === 'connecting' ? Receipt.malformed : Receipt.taken
      }
      // A copy: the server has not seen our acknowledgement.
      return peer.verifyEcho !== null && command.connectId === peer.connectId ? Receipt.known : Receipt.malformed
    case Command.disconnect:
      return disconnect(host, peer, command, sentTime)
    case Command.connect:
      return Receipt.malformed
  }
  // Everything else needs a connection. Before VERIFY_CONNECT nothing does; while we are leaving only what was sent
  // before the other side knew still comes.
  if (peer.state !== 'connected' && peer.state !== 'disconnect-later') {
    if (peer.state === 'disconnecting') {
      if (isPacket(command.number)) peer.count('closing')
      return Receipt.refused
    }
    return Receipt.malformed
  }
  switch (command.number) {
    case Command.ping:
      peer.controlNumbers.accept(command.sequence)
      return Receipt.taken
    case Command.bandwidthLimit:
      if (!peer.controlNumbers.accept(command.sequence) || !peer.controlNumbers.isNewest(Command.bandwidthLimit, command.sequence)) return Receipt.known
      peer.peerIncomingBandwidth = command.incomingBandwidth
      peer.peerOutgoingBandwidth = command.outgoingBandwidth
      peer.windowBytes = sendingWindow(host.outgoingBandwidth, command.incomingBandwidth)
      peer.repace(now)
      return Receipt.taken
    case Command.throttleConfigure:
      if (!peer.controlNumbers.accept(command.sequence) || !peer.controlNumbers.isNewest(Command.throttleConfigure, command.sequence)) return Receipt.known
      peer.throttle.intervalMs = command.throttleInterval
      peer.throttle.acceleration = command.throttleAcceleration
      peer.throttle.deceleration = command.throttleDeceleration
      return Receipt.taken
  }
  // Packets.
  const length = command.payloadEnd - command.payloadStart
  if (command.channel >= peer.channelCount || length > host.options.maxPacketBytes) return Receipt.malformed
  const payload = (): Uint8Array =>
    scratch ? bytes.slice(command.payloadStart, command.payloadEnd) : bytes.subarray(command.payloadStart, command.payloadEnd)
  switch (command.number) {
    case Command.sendReliable:
      return peer.incoming(command.channel).reliable(command.sequence, payload())
    case Command.sendUnreliable:
      return peer.incoming(command.channel).unreliable(command.sequence, command.second, payload())
    case Command.sendUnsequenced:
      return unsequenced(peer, command, payload)
    case Command.sendFragment:
    case Command.sendUnreliableFragment:
      return fragment(host, peer, command, length, payload)
  }
  return Receipt.malformed
}

const acknowledge = (peer: PeerCore, command: CommandRecord, now: Millis): Receipt => {
  const { recovery } = peer
  const lane = command.channel === PEER_CHANNEL ? peer.control : peer.sending.lanes[command.channel]
  const sent = lane?.sent.get(command.acknowledged)
  const result = recovery.acknowledge(command.channel, command.acknowledged, command.echo, sent, now)
  if (result === Acknowledged.stray) {
    const { challenge } = peer
    const copy = challenge !== null && command.acknowledged === challenge.sequence && command.echo === challenge.token
    if (copy && !challenge.answered) challenge.answered = true
    else peer.count(copy ? 'duplicate' : 'strayAcknowledgement')
    return Receipt.known
  }
  peer.liveness.lastAckAt = now
  // Whoever acknowledges us is connected to us: the acknowledgement of VERIFY_CONNECT need not be repeated any more.
  if (peer.verifyEcho !== null) peer.verifyEcho.sent = Infinity
  if (result === Acknowledged.first && sent !== undefined) peer.released(sent)
  return Receipt.known
}

const disconnect = (host: Host, peer: PeerCore, command: CommandRecord, sentTime: number): Receipt => {
  if (peer.state !== 'connecting' && !peer.controlNumbers.accept(command.sequence)) {
    peer.count('malformedCommand')
    return Receipt.refused
  }
  const reason = peer.endReasonOnDisconnect
  const goodbye = command.acknowledge && sentTime >= 0 ? lastAcknowledgement(command.channel, command.sequence, sentTime) : null
  if (reason !== 'refused') host.depart(peer, goodbye, false)
  // What the other side said is no answer to a goodbye of ours that crossed it.
  peer.finish(reason, reason === 'remote' || reason === 'refused' ? command.data : 0)
  return Receipt.taken
}

const unsequenced = (peer: PeerCore, command: CommandRecord, payload: () => Uint8Array): Receipt => {
  const length = command.payloadEnd - command.payloadStart
  // Room first: a group that was noted and then not delivered would be lost even if it came again.
  if (!peer.reserveDelivery(length)) {
    peer.count('budget')
    return Receipt.refused
  }
  const group = peer.unsequenced.accept(command.second)
  if (group !== Group.fresh) {
    peer.releaseDelivery(length)
    peer.count(group === Group.duplicate ? 'duplicate' : 'stale')
    return Receipt.known
  }
  peer.delivered(command.channel, payload(), 'unsequenced')
  return Receipt.taken
}

const fragment = (host: Host, peer: PeerCore, command: CommandRecord, length: number, payload: () => Uint8Array): Receipt => {
  const { fragmentCount: count, fragmentNumber: number, totalLength: total, offset } = command
  if (
    count === 0 ||
    count > MAX_FRAGMENTS_FORMAL ||
    number >= count ||
    total > host.options.maxPacketBytes ||
    total < count - 1 ||
    offset > total ||
    length > total - offset
  ) {
    return Receipt.malformed
  }
  const channel = peer.incoming(command.channel)
  return command.number === Command.sendFragment
    ? channel.fragment(command.second, number, count, offset, total, length, payload)
    : channel.unreliableFragment(command.sequence, command.second, number, count, offset, total, length, payload)
}

const isPacket = (number: number): boolean =>
  number >= Command.sendReliable && number !== Command.bandwidthLimit && number !== Command.throttleConfigure
