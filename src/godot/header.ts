// What Godot 3's NetworkedMultiplayerENet puts around packets: eight bytes that say from whom and for whom, and the two
// messages of channel 0 about who is there. No state. Numbers are little-endian. SPEC §16.2.
//
//   channels 1 and up                             channel 0 (system), server → client only
//   0  u32  source id                             0  u32  0 add peer, 1 remove peer
//   4  i32  target: 0 everybody, n > 0 peer n,    4  i32  id
//           n < 0 everybody but −n                8  …    ignored
//   8  …    packet (packets.ts)

/** The bytes in front of every packet on channels 1 and up. */
export const HEADER_BYTES = 8

/** The largest id: 31 bits, so that −id is one as well. */
export const MAX_ID = 0x7fffffff

/** From whom and for whom a packet is. */
export interface GodotHeader {
  /** 1 is the server, others are clients. */
  readonly source: number
  /** 0 everybody, n > 0 peer n, n < 0 everybody but −n. */
  readonly target: number
}

/** Reads the eight bytes; null when there are fewer. The packet is what follows them. */
export const decodeHeader = (bytes: Uint8Array): GodotHeader | null =>
  bytes.length < HEADER_BYTES ? null : { source: i32(bytes, 0) >>> 0, target: i32(bytes, 4) }

/** A packet with the eight bytes in front. */
export const encodeWithHeader = (source: number, target: number, packet: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(HEADER_BYTES + packet.length)
  putI32(bytes, 0, source)
  putI32(bytes, 4, target)
  bytes.set(packet, HEADER_BYTES)
  return bytes
}

/** A message of channel 0. */
export interface GodotSystemMessage {
  readonly kind: 'add' | 'remove'
  readonly id: number
}

/** Reads a message of channel 0; null for anything else. */
export const decodeSystemMessage = (bytes: Uint8Array): GodotSystemMessage | null => {
  if (bytes.length < 8) return null
  const kind = i32(bytes, 0)
  const id = i32(bytes, 4)
  if (kind !== 0 && kind !== 1) return null
  return { kind: kind === 0 ? 'add' : 'remove', id }
}

/** Writes a message of channel 0. */
export const encodeSystemMessage = ({ kind, id }: GodotSystemMessage): Uint8Array => {
  const bytes = new Uint8Array(8)
  putI32(bytes, 0, kind === 'add' ? 0 : 1)
  putI32(bytes, 4, id)
  return bytes
}

const i32 = (bytes: Uint8Array, at: number): number => bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)

const putI32 = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}
