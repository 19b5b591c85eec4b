// The packets of Godot 3's MultiplayerAPI ↔ bytes: call, set, simplify path, confirm path, raw. No state: which path an id
// means is kept in paths.ts, who may call what in multiplayer.ts. Numbers are little-endian. SPEC §16.3.
//
//   call (0)                              set (1)                               simplify path (2)
//   0  u8    0                            0  u8    1                            0  u8    2
//   1  u32   node                         1  u32   node                         1  u32   id, from 1
//   5  text  method                       5  text  property                     5  text  path
//   …  u8    number of arguments          …        one Variant
//   …        so many Variants             …  text  path, if bit 31 of node      confirm path (3)
//   …  text  path, if bit 31 of node                                            0  u8    3
//                                         raw (4)                               1  text  path
//   text: UTF-8 and a zero byte           0  u8    4
//                                         1  …     bytes, at least one
//
//   node: bit 31 clear, the id of a path; bit 31 set, where in this packet the path begins (counted from byte 0)

import { VaivenError } from '../util/errors.ts'
import { BoundedWriter } from './bounded-writer.ts'
import { decodeUtf8, isWellFormed } from './utf8.ts'
import { VariantDecoder } from './variant-decode.ts'
import type { VariantDecodeOptions, VariantFailure } from './variant-decode.ts'
import { VariantEncoder } from './variant-encode.ts'
import { resolveVariantLimits } from './variant-limits.ts'
import type { ResolvedVariantLimits } from './variant-limits.ts'
import type { Variant } from './variant-types.ts'

/** The first byte of a packet. Godot 3 has no flags in it. */
export const PacketType = { call: 0, set: 1, simplifyPath: 2, confirmPath: 3, raw: 4 } as const

/** Most arguments of a call: their number is one byte. */
export const MAX_ARGUMENTS = 255

const PATH_APPENDED = 0x80000000

/** The node of a call or set: its path in words (`lobby/table`), or the number that its sender gave to the path. */
export type NodeReference = number | string

/** What arrived. The values of calls and sets are still encoded: they are read only once the method is known and allowed. */
export type GodotPacket =
  | { readonly type: 'call'; readonly node: NodeReference; readonly method: string; readonly count: number; readonly values: Uint8Array }
  | { readonly type: 'set'; readonly node: NodeReference; readonly property: string; readonly values: Uint8Array }
  | { readonly type: 'simplifyPath'; readonly id: number; readonly path: string }
  | { readonly type: 'confirmPath'; readonly path: string }
  | { readonly type: 'raw'; readonly bytes: Uint8Array }

/** Why bytes are not a packet. */
export type PacketFailure =
  /** Shorter than any packet of its type, or a name without its end. */
  | 'truncated'
  /** A first byte beyond 4: a later engine, or nonsense. Godot ignores it without a word. */
  | 'unknown-command'
  /** A name or path that is not UTF-8. */
  | 'bad-text'
  /** The path is said to begin outside the packet. */
  | 'bad-offset'

/** What came of reading a packet. */
export type PacketResult = { readonly ok: true; readonly packet: GodotPacket } | { readonly ok: false; readonly reason: PacketFailure }

const fail = (reason: PacketFailure): PacketResult => ({ ok: false, reason })

/** Reads one packet: the bytes after the header of source and target. Never throws; byte views of `bytes` are handed out. */
export const decodePacket = (bytes: Uint8Array): PacketResult => {
  switch (bytes[0]) {
    case PacketType.call:
    case PacketType.set:
      return decodeCallOrSet(bytes)
    case PacketType.simplifyPath: {
      if (bytes.length < 5) return fail('truncated')
      // The engine does not ask for the zero at the end of a path, neither here nor below.
      const path = decodeUtf8(bytes, 5, bytes.length)
      return path === null ? fail('bad-text') : { ok: true, packet: { type: 'simplifyPath', id: u32(bytes, 1), path } }
    }
    case PacketType.confirmPath: {
      if (bytes.length < 2) return fail('truncated')
      const path = decodeUtf8(bytes, 1, bytes.length)
      return path === null ? fail('bad-text') : { ok: true, packet: { type: 'confirmPath', path } }
    }
    case PacketType.raw:
      return bytes.length < 2 ? fail('truncated') : { ok: true, packet: { type: 'raw', bytes: bytes.subarray(1) } }
    default:
      return fail(bytes.length === 0 ? 'truncated' : 'unknown-command')
  }
}

const decodeCallOrSet = (bytes: Uint8Array): PacketResult => {
  if (bytes.length < 6) return fail('truncated')
  let node: NodeReference = u32(bytes, 1)
  if (node >= PATH_APPENDED) {
    const offset = node - PATH_APPENDED
    if (offset >= bytes.length) return fail('bad-offset')
    const path = decodeUtf8(bytes, offset, bytes.length)
    if (path === null) return fail('bad-text')
    node = path
  }
  const end = bytes.indexOf(0, 5)
  // Something has to follow the name: a count or a value.
  if (end === -1 || end + 1 >= bytes.length) return fail('truncated')
  const name = decodeUtf8(bytes, 5, end)
  if (name === null) return fail('bad-text')
  // What follows the values (the path, or anything) is left alone, as the engine does.
  return bytes[0] === PacketType.set
    ? { ok: true, packet: { type: 'set', node, property: name, values: bytes.subarray(end + 1) } }
    : { ok: true, packet: { type: 'call', node, method: name, count: bytes[end + 1]!, values: bytes.subarray(end + 2) } }
}

/** What came of reading the values of a call or set. */
export type ValuesResult = { readonly ok: true; readonly values: Variant[] } | { readonly ok: false; readonly reason: VariantFailure }

/**
 * Reads the values of a call or set, all against one set of limits. Never throws for the bytes.
 * @throws VaivenError ERR_OPTION_RANGE for a limit outside its range
 */
export const decodeValues = (packet: Extract<GodotPacket, { type: 'call' | 'set' }>, options: VariantDecodeOptions = {}): ValuesResult => {
  const decoder = new VariantDecoder(packet.values, 0, resolveVariantLimits(options), options)
  const count = packet.type === 'call' ? packet.count : 1
  const values: Variant[] = []
  for (let i = 0; i < count; i++) {
    const value = decoder.read()
    if (value === undefined) return { ok: false, reason: decoder.failure! }
    values.push(value)
  }
  return { ok: true, values }
}

/**
 * A call of `method` on `node` with `args`.
 * @throws VaivenError ERR_ARGUMENT (more than 255 arguments, a name that is empty or no text), ERR_ENCODE (an argument
 *   that does not fit; the message says which)
 */
export const encodeCall = (node: NodeReference, method: string, args: readonly Variant[], limits?: ResolvedVariantLimits): Uint8Array => {
  if (args.length > MAX_ARGUMENTS) {
    throw new VaivenError('ERR_ARGUMENT', `${method}: ${args.length} arguments; Godot takes at most ${MAX_ARGUMENTS}`)
  }
  return encodeCallOrSet(PacketType.call, node, method, args, limits)
}

/**
 * An assignment of `value` to `property` of `node`.
 * @throws VaivenError ERR_ARGUMENT (a name that is empty or no text), ERR_ENCODE (a value that does not fit)
 */
export const encodeSet = (node: NodeReference, property: string, value: Variant, limits?: ResolvedVariantLimits): Uint8Array =>
  encodeCallOrSet(PacketType.set, node, property, [value], limits)

const encodeCallOrSet = (
  type: 0 | 1,
  node: NodeReference,
  name: string,
  values: readonly Variant[],
  limits: ResolvedVariantLimits = resolveVariantLimits(),
): Uint8Array => {
  const out = new BoundedWriter(limits.maxBytes)
  out.u8(type)
  out.u32(typeof node === 'number' ? node : 0)
  text(out, name, type === PacketType.call ? 'method' : 'property')
  if (type === PacketType.call) out.u8(values.length)
  const encoder = new VariantEncoder(out, limits)
  values.forEach((value, i) => encoder.write(value, type === PacketType.call ? `${name}(), argument ${i}` : name))
  if (typeof node === 'string') {
    out.patchU32(1, (PATH_APPENDED | out.length) >>> 0)
    text(out, node, 'path')
  }
  return out.copy()
}

/** "From now on I may say `id` for this path." @throws VaivenError ERR_ARGUMENT */
export const encodeSimplifyPath = (id: number, path: string): Uint8Array => {
  const out = new BoundedWriter(MAX_PATH_PACKET_BYTES)
  out.u8(PacketType.simplifyPath)
  out.u32(id)
  text(out, path, 'path')
  return out.copy()
}

/** "I know now which path your id means." @throws VaivenError ERR_ARGUMENT */
export const encodeConfirmPath = (path: string): Uint8Array => {
  const out = new BoundedWriter(MAX_PATH_PACKET_BYTES)
  out.u8(PacketType.confirmPath)
  text(out, path, 'path')
  return out.copy()
}

/** Raw bytes, delivered by Godot as the signal `network_peer_packet`. @throws VaivenError ERR_ARGUMENT when there are none */
export const encodeRaw = (bytes: Uint8Array): Uint8Array => {
  if (bytes.length === 0) throw new VaivenError('ERR_ARGUMENT', 'a raw packet of no bytes; Godot drops it, so send at least one')
  const packet = new Uint8Array(bytes.length + 1)
  packet[0] = PacketType.raw
  packet.set(bytes, 1)
  return packet
}

const MAX_PATH_PACKET_BYTES = 65_536

const text = (out: BoundedWriter, value: string, what: string): void => {
  if (value === '' && what !== 'path') throw new VaivenError('ERR_ARGUMENT', `the name of a ${what} is empty`)
  if (value.includes('\0') || !isWellFormed(value)) {
    throw new VaivenError('ERR_ARGUMENT', `the ${what} ${JSON.stringify(value)} is no text that Godot can read`)
  }
  out.text(value)
  out.u8(0)
}

const u32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
