// One command in words: its fields by the names of SPEC §3, and a line of text. Knows layouts, not meaning.

import { Command, FLAG_ACKNOWLEDGE, FLAG_UNSEQUENCED } from './constants.ts'
import type { CommandRecord } from './wire.ts'

/** A command as people and programs read it. */
export interface CommandDescription {
  /** ENet's name: `SEND_RELIABLE`. */
  readonly name: string
  /** Where it begins in the uncompressed body of its datagram. */
  readonly at: number
  /** Bytes that it takes there, payload included. */
  readonly bytes: number
  /** The command byte: number and flags. */
  readonly byte: number
  /** `+A` wants an acknowledgement, `+U` unsequenced, `+10`, `+20` or `+30` the reserved bits (hex). */
  readonly flags: string
  /** The fields behind the command byte, in wire order. The connect id is a string: its bytes in hex, never a number. */
  readonly fields: Readonly<Record<string, number | string>>
  /** What the application sent: a view of the datagram (or of its uncompressed form); null for commands without any. */
  readonly payload: Uint8Array | null
  /** All of it in one line; a long payload is cut. */
  readonly text: string
}

/** Names by number, as C ENet has them (without `ENET_PROTOCOL_COMMAND_`). */
export const COMMAND_NAMES: readonly string[] = [
  'NONE', 'ACKNOWLEDGE', 'CONNECT', 'VERIFY_CONNECT', 'DISCONNECT', 'PING', 'SEND_RELIABLE', 'SEND_UNRELIABLE',
  'SEND_FRAGMENT', 'SEND_UNSEQUENCED', 'BANDWIDTH_LIMIT', 'THROTTLE_CONFIGURE', 'SEND_UNRELIABLE_FRAGMENT',
]

/**
 * Describes a command that `decodeCommand` has just read.
 *
 * @param body the bytes that it was read from
 * @param base where the body of the datagram begins in them
 * @param at where the command begins in them
 * @param bytes what `decodeCommand` returned
 */
export const describeCommand = (body: Uint8Array, base: number, at: number, bytes: number, record: CommandRecord): CommandDescription => {
  const byte = body[at] ?? 0
  const name = COMMAND_NAMES[record.number] ?? ''
  const flags = flagText(byte)
  const fields = fieldsOf(record)
  const payload = carriesPayload(record.number) ? body.subarray(record.payloadStart, record.payloadEnd) : null
  const parts = [name + flags]
  for (const [key, value] of Object.entries(fields)) parts.push(`${key}=${value}`)
  if (payload !== null && payload.length > 0) parts.push(previewBytes(payload))
  return { name, at: at - base, bytes, byte, flags, fields, payload, text: parts.join(' ') }
}

/** Text in quotes when all of it is printable ASCII, hex otherwise; cut after `limit` bytes. */
export const previewBytes = (bytes: Uint8Array, limit = 24): string => {
  const shown = bytes.subarray(0, limit)
  const more = bytes.length > limit ? '…' : ''
  if (bytes.every((byte) => byte >= 0x20 && byte < 0x7f)) return JSON.stringify(String.fromCharCode(...shown)) + more
  return toHex(shown) + more
}

/** Two lower-case digits for each byte. */
export const toHex = (bytes: Uint8Array): string => {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}

/** A 32-bit value as its four bytes appear on the wire. */
export const hex32 = (value: number): string => value.toString(16).padStart(8, '0')

const flagText = (byte: number): string =>
  ((byte & FLAG_ACKNOWLEDGE) !== 0 ? '+A' : '') +
  ((byte & FLAG_UNSEQUENCED) !== 0 ? '+U' : '') +
  ((byte & RESERVED_BITS) !== 0 ? `+${(byte & RESERVED_BITS).toString(16)}` : '')

const RESERVED_BITS = 0x30

const carriesPayload = (number: number): boolean =>
  (number >= Command.sendReliable && number <= Command.sendUnsequenced) || number === Command.sendUnreliableFragment

const fieldsOf = (r: CommandRecord): Record<string, number | string> => {
  const fields: Record<string, number | string> = { channel: r.channel, sequence: r.sequence }
  const length = r.payloadEnd - r.payloadStart
  switch (r.number) {
    case Command.acknowledge:
      return Object.assign(fields, { acknowledged: r.acknowledged, echo: r.echo })
    case Command.connect:
    case Command.verifyConnect:
      Object.assign(fields, {
        peerId: r.peerId,
        incomingSession: r.incomingSession,
        outgoingSession: r.outgoingSession,
        mtu: r.mtu,
        windowBytes: r.windowBytes,
        channelCount: r.channelCount,
        incomingBandwidth: r.incomingBandwidth,
        outgoingBandwidth: r.outgoingBandwidth,
        throttleInterval: r.throttleInterval,
        throttleAcceleration: r.throttleAcceleration,
        throttleDeceleration: r.throttleDeceleration,
        connectId: hex32(r.connectId),
      })
      if (r.number === Command.connect) fields['data'] = r.data
      return fields
    case Command.disconnect:
      return Object.assign(fields, { data: r.data })
    case Command.sendReliable:
      return Object.assign(fields, { length })
    case Command.sendUnreliable:
      return Object.assign(fields, { unreliableSequence: r.second, length })
    case Command.sendUnsequenced:
      return Object.assign(fields, { group: r.second, length })
    case Command.sendFragment:
    case Command.sendUnreliableFragment:
      return Object.assign(fields, {
        startSequence: r.second,
        length,
        fragmentCount: r.fragmentCount,
        fragmentNumber: r.fragmentNumber,
        totalLength: r.totalLength,
        offset: r.offset,
      })
    case Command.bandwidthLimit:
      return Object.assign(fields, { incomingBandwidth: r.incomingBandwidth, outgoingBandwidth: r.outgoingBandwidth })
    case Command.throttleConfigure:
      return Object.assign(fields, {
        throttleInterval: r.throttleInterval,
        throttleAcceleration: r.throttleAcceleration,
        throttleDeceleration: r.throttleDeceleration,
      })
    default:
      return fields
  }
}
