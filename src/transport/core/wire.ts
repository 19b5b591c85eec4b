// The twelve commands ↔ bytes. No state; SPEC §3, same names.
// Decoding reads only inside the given range, allocates nothing and never throws.

import { Command, COMMAND_BYTES, FLAG_ACKNOWLEDGE } from './constants.ts'

/** Reads big-endian numbers; the caller has checked the bounds, so a read beyond them is a bug (and gives 0). */
export const u16 = (b: Uint8Array, at: number): number => ((b[at] ?? 0) << 8) | (b[at + 1] ?? 0)
export const u32 = (b: Uint8Array, at: number): number =>
  (((b[at] ?? 0) << 24) | ((b[at + 1] ?? 0) << 16) | ((b[at + 2] ?? 0) << 8) | (b[at + 3] ?? 0)) >>> 0

export const put16 = (b: Uint8Array, at: number, value: number): void => {
  b[at] = value >>> 8
  b[at + 1] = value
}
export const put32 = (b: Uint8Array, at: number, value: number): void => {
  b[at] = value >>> 24
  b[at + 1] = value >>> 16
  b[at + 2] = value >>> 8
  b[at + 3] = value
}

/**
 * One decoded command. One record is reused for all; which fields mean something depends on `number`.
 * Fields keep the SPEC's names.
 */
export class CommandRecord {
  /** 1 to 12. */
  number = 0
  /** The other side wants an acknowledgement. */
  acknowledge = false
  channel = 0
  /** The reliable sequence number field of the common header. */
  sequence = 0
  /** acknowledge: the acknowledged number and the echoed sent time. */
  acknowledged = 0
  echo = 0
  /** connect, verifyConnect. */
  peerId = 0
  incomingSession = 0
  outgoingSession = 0
  mtu = 0
  windowBytes = 0
  channelCount = 0
  incomingBandwidth = 0
  outgoingBandwidth = 0
  throttleInterval = 0
  throttleAcceleration = 0
  throttleDeceleration = 0
  connectId = 0
  /** connect, disconnect: application data. */
  data = 0
  /** sendUnreliable: number; sendUnsequenced: group; fragments: start number. */
  second = 0
  /** Fragments. */
  fragmentCount = 0
  fragmentNumber = 0
  totalLength = 0
  offset = 0
  /** Payload range in the decoded bytes; empty for commands without one. */
  payloadStart = 0
  payloadEnd = 0
}

/** Why `decodeCommand` stopped. */
export const DecodeEnd = {
  /** Fewer than four bytes left. */
  short: 0,
  /** A command number that ENet 1.3 does not define: an extension, or nonsense. */
  unknown: -1,
  /** The command, or its payload, goes beyond the datagram. */
  truncated: -2,
} as const

/**
 * Decodes the command at `at` into `out`.
 * @returns the bytes it takes, payload included; or one of `DecodeEnd` (0 or below)
 */
export const decodeCommand = (b: Uint8Array, at: number, end: number, out: CommandRecord): number => {
  if (end - at < 4) return DecodeEnd.short
  const byte = b[at] ?? 0
  const number = byte & 0x0f
  const size = COMMAND_BYTES[number] ?? 0
  if (size === 0) return DecodeEnd.unknown
  if (end - at < size) return DecodeEnd.truncated
  out.number = number
  out.acknowledge = (byte & FLAG_ACKNOWLEDGE) !== 0
  out.channel = b[at + 1] ?? 0
  out.sequence = u16(b, at + 2)
  out.payloadStart = out.payloadEnd = at + size
  let length = 0
  switch (number) {
    case Command.acknowledge:
      out.acknowledged = u16(b, at + 4)
      out.echo = u16(b, at + 6)
      break
    case Command.connect:
    case Command.verifyConnect:
      out.peerId = u16(b, at + 4)
      out.incomingSession = b[at + 6] ?? 0
      out.outgoingSession = b[at + 7] ?? 0
      out.mtu = u32(b, at + 8)
      out.windowBytes = u32(b, at + 12)
      out.channelCount = u32(b, at + 16)
      out.incomingBandwidth = u32(b, at + 20)
      out.outgoingBandwidth = u32(b, at + 24)
      out.throttleInterval = u32(b, at + 28)
      out.throttleAcceleration = u32(b, at + 32)
      out.throttleDeceleration = u32(b, at + 36)
      out.connectId = u32(b, at + 40)
      out.data = number === Command.connect ? u32(b, at + 44) : 0
      break
    case Command.disconnect:
      out.data = u32(b, at + 4)
      break
    case Command.sendReliable:
      length = u16(b, at + 4)
      break
    case Command.sendUnreliable:
    case Command.sendUnsequenced:
      out.second = u16(b, at + 4)
      length = u16(b, at + 6)
      break
    case Command.sendFragment:
    case Command.sendUnreliableFragment:
      out.second = u16(b, at + 4)
      length = u16(b, at + 6)
      out.fragmentCount = u32(b, at + 8)
      out.fragmentNumber = u32(b, at + 12)
      out.totalLength = u32(b, at + 16)
      out.offset = u32(b, at + 20)
      break
    case Command.bandwidthLimit:
      out.incomingBandwidth = u32(b, at + 4)
      out.outgoingBandwidth = u32(b, at + 8)
      break
    case Command.throttleConfigure:
      out.throttleInterval = u32(b, at + 4)
      out.throttleAcceleration = u32(b, at + 8)
      out.throttleDeceleration = u32(b, at + 12)
      break
  }
  if (end - out.payloadStart < length) return DecodeEnd.truncated
  out.payloadEnd += length
  return size + length
}

/** Writes the common command header. */
export const encodeHead = (b: Uint8Array, at: number, byte: number, channel: number, sequence: number): void => {
  b[at] = byte
  b[at + 1] = channel
  put16(b, at + 2, sequence)
}

/** Writes an ACKNOWLEDGE (8 bytes). */
export const encodeAcknowledge = (b: Uint8Array, at: number, channel: number, sequence: number, echo: number): void => {
  encodeHead(b, at, Command.acknowledge, channel, sequence)
  put16(b, at + 4, sequence)
  put16(b, at + 6, echo)
}

/** What CONNECT and VERIFY_CONNECT have in common, in wire order. */
export interface ConnectFields {
  readonly peerId: number
  readonly incomingSession: number
  readonly outgoingSession: number
  readonly mtu: number
  readonly windowBytes: number
  readonly channelCount: number
  readonly incomingBandwidth: number
  readonly outgoingBandwidth: number
  readonly throttleInterval: number
  readonly throttleAcceleration: number
  readonly throttleDeceleration: number
  readonly connectId: number
}

/** Writes a VERIFY_CONNECT (44 bytes), or with `data` a CONNECT (48). Returns the size. */
export const encodeConnect = (b: Uint8Array, at: number, sequence: number, fields: ConnectFields, data: number | null): number => {
  encodeHead(b, at, (data === null ? Command.verifyConnect : Command.connect) | FLAG_ACKNOWLEDGE, 0xff, sequence)
  put16(b, at + 4, fields.peerId)
  b[at + 6] = fields.incomingSession
  b[at + 7] = fields.outgoingSession
  put32(b, at + 8, fields.mtu)
  put32(b, at + 12, fields.windowBytes)
  put32(b, at + 16, fields.channelCount)
  put32(b, at + 20, fields.incomingBandwidth)
  put32(b, at + 24, fields.outgoingBandwidth)
  put32(b, at + 28, fields.throttleInterval)
  put32(b, at + 32, fields.throttleAcceleration)
  put32(b, at + 36, fields.throttleDeceleration)
  put32(b, at + 40, fields.connectId)
  if (data === null) return 44
  put32(b, at + 44, data)
  return 48
}

/**
 * Writes any command with its payload: what `decodeCommand` reads, byte for byte. For tools and tests; the paths on which
 * speed counts write their few bytes themselves.
 *
 * @param byte the command byte: number and flags
 * @param fields those of `CommandRecord` that the command has; the others are ignored
 * @param payload for the commands that carry one, at most 65,535 bytes
 * @returns the bytes written; 0 when `byte` names no command
 */
export const encodeCommand = (b: Uint8Array, at: number, byte: number, fields: Readonly<CommandRecord>, payload: Uint8Array): number => {
  const number = byte & 0x0f
  const size = COMMAND_BYTES[number] ?? 0
  if (size === 0) return 0
  encodeHead(b, at, byte, fields.channel, fields.sequence)
  switch (number) {
    case Command.acknowledge:
      put16(b, at + 4, fields.acknowledged)
      put16(b, at + 6, fields.echo)
      return size
    case Command.connect:
    case Command.verifyConnect:
      encodeConnect(b, at, fields.sequence, fields, number === Command.connect ? fields.data : null)
      encodeHead(b, at, byte, fields.channel, fields.sequence)
      return size
    case Command.disconnect:
      put32(b, at + 4, fields.data)
      return size
    case Command.ping:
      return size
    case Command.bandwidthLimit:
      put32(b, at + 4, fields.incomingBandwidth)
      put32(b, at + 8, fields.outgoingBandwidth)
      return size
    case Command.throttleConfigure:
      put32(b, at + 4, fields.throttleInterval)
      put32(b, at + 8, fields.throttleAcceleration)
      put32(b, at + 12, fields.throttleDeceleration)
      return size
    case Command.sendReliable:
      put16(b, at + 4, payload.length)
      break
    default:
      put16(b, at + 4, fields.second)
      put16(b, at + 6, payload.length)
      if (size === 24) {
        put32(b, at + 8, fields.fragmentCount)
        put32(b, at + 12, fields.fragmentNumber)
        put32(b, at + 16, fields.totalLength)
        put32(b, at + 20, fields.offset)
      }
  }
  b.set(payload, at + size)
  return size + payload.length
}
