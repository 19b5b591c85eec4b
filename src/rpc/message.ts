// The header around the values: what a message of the rpc lane is, byte by byte. SPEC §14.2. No state, no policy.
//
//   byte 0  bits 0-2  kind
//           bit  3    an instance follows (call, request, set)
//           bit  4    by name, with self-describing values (call, request, set; in a reply: its value is self-describing)
//           bits 5-7  0

import { ByteReader, ByteWriter } from '../util/bytes.ts'
import { MAX_NAME_BYTES } from './contract.ts'

/** Kinds of messages, as on the wire. */
export const Kind = { call: 0, request: 1, reply: 2, failure: 3, cancel: 4, set: 5, contract: 6 } as const

const INSTANCE_BIT = 0x08
const NAMED_BIT = 0x10

/** Which method or property is meant: by its number, or by name. */
export type MemberAddress =
  | { readonly key: number; readonly instance: number }
  | { readonly path: string; readonly name: string }

/** Why a request failed at the other side. */
export const FailureCode = {
  /** Its handler threw; `text` and `details` are what it wanted to be known. */
  handler: 1,
  /** There is no such method, or nobody serves it. */
  unknown: 2,
  /** The mode or a guard says no. */
  notAllowed: 3,
  /** Too many requests of ours are open there. */
  busy: 4,
  /** The arguments do not fit the schema there. */
  arguments: 5,
  /** Too often, or too large. */
  limit: 6,
} as const

/** A member in a contract's details. */
export interface MemberText {
  readonly key: number
  readonly name: string
  readonly signature: string
}

/** A message of the rpc lane. `values` are encoded arguments, a value, or a reply. */
export type RpcMessage =
  | { readonly kind: 'call'; readonly member: MemberAddress; readonly values: Uint8Array }
  | { readonly kind: 'request'; readonly member: MemberAddress; readonly id: number; readonly values: Uint8Array }
  | { readonly kind: 'reply'; readonly id: number; readonly named: boolean; readonly values: Uint8Array }
  | { readonly kind: 'failure'; readonly id: number; readonly code: number; readonly text: string; readonly details: Uint8Array }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'set'; readonly member: MemberAddress; readonly values: Uint8Array }
  | { readonly kind: 'offer'; readonly contracts: readonly { readonly name: string; readonly fingerprint: number }[] }
  | { readonly kind: 'details'; readonly node: string; readonly members: readonly MemberText[] }

/** Bounds of a contract message: a stranger writes it. */
export const MAX_CONTRACTS = 1024
export const MAX_MEMBERS = 256
const MAX_SIGNATURE_BYTES = 512
const MAX_FAILURE_TEXT_BYTES = 256

const writer = new ByteWriter()

/** Bytes of a message. Texts must be within their bounds. */
export const encodeMessage = (message: RpcMessage): Uint8Array => {
  writer.reset()
  switch (message.kind) {
    case 'call':
    case 'set':
      writeMember(Kind[message.kind], message.member)
      writer.raw(message.values)
      break
    case 'request':
      writeMember(Kind.request, message.member)
      writer.varint(message.id).raw(message.values)
      break
    case 'reply':
      writer.u8(Kind.reply | (message.named ? NAMED_BIT : 0)).varint(message.id).raw(message.values)
      break
    case 'failure':
      writer.u8(Kind.failure).varint(message.id).u8(message.code).text(clip(message.text, MAX_FAILURE_TEXT_BYTES)).raw(message.details)
      break
    case 'cancel':
      writer.u8(Kind.cancel).varint(message.id)
      break
    case 'offer':
      writer.u8(Kind.contract).u8(0).varint(message.contracts.length)
      for (const { name, fingerprint } of message.contracts) writer.text(name).u32(fingerprint)
      break
    case 'details':
      writer.u8(Kind.contract).u8(1).text(message.node).varint(message.members.length)
      for (const { key, name, signature } of message.members) writer.u24(key).text(name).text(clip(signature, MAX_SIGNATURE_BYTES))
      break
  }
  return writer.take()
}

/** A message from bytes, or null. Never throws. Values are views, not decoded. */
export const decodeMessage = (bytes: Uint8Array): RpcMessage | null => {
  const reader = new ByteReader(bytes)
  const head = reader.u8()
  if (reader.failed || head > 0x1f) return null
  const message = readMessage(reader, head)
  return reader.failed ? null : message
}

const readMessage = (reader: ByteReader, head: number): RpcMessage | null => {
  const kind = head & 7
  const flags = head & ~7
  switch (kind) {
    case Kind.call:
    case Kind.set: {
      const member = readMember(reader, head)
      return member && { kind: kind === Kind.call ? 'call' : 'set', member, values: reader.rest() }
    }
    case Kind.request: {
      const member = readMember(reader, head)
      return member && { kind: 'request', member, id: reader.varint(), values: reader.rest() }
    }
    case Kind.reply:
      return (flags & ~NAMED_BIT) === 0 ? { kind: 'reply', named: flags !== 0, id: reader.varint(), values: reader.rest() } : null
    case Kind.failure:
      if (flags !== 0) return null
      return { kind: 'failure', id: reader.varint(), code: reader.u8(), text: reader.text(MAX_FAILURE_TEXT_BYTES), details: reader.rest() }
    case Kind.cancel: {
      const id = reader.varint()
      return flags === 0 && reader.finished ? { kind: 'cancel', id } : null
    }
    case Kind.contract:
      return flags === 0 ? readContract(reader) : null
    default:
      return null
  }
}

const writeMember = (kind: number, member: MemberAddress): void => {
  if ('path' in member) writer.u8(kind | NAMED_BIT).text(member.path).text(member.name)
  else if (member.instance === 0) writer.u8(kind).u24(member.key)
  else writer.u8(kind | INSTANCE_BIT).u24(member.key).varint(member.instance)
}

const readMember = (reader: ByteReader, head: number): MemberAddress | null => {
  if ((head & NAMED_BIT) === 0) {
    const key = reader.u24()
    const instance = (head & INSTANCE_BIT) === 0 ? 0 : reader.varint()
    return (head & INSTANCE_BIT) !== 0 && instance === 0 ? null : { key, instance }
  }
  if ((head & INSTANCE_BIT) !== 0) return null
  // A path is a node's name, and an instance of at most ten digits behind a slash.
  return { path: reader.text(MAX_NAME_BYTES + 11), name: reader.text(MAX_NAME_BYTES) }
}

const readContract = (reader: ByteReader): RpcMessage | null => {
  const sub = reader.u8()
  if (sub === 0) {
    const count = reader.varint()
    // A contract, and a member of one, takes five bytes at least: the count is believed only if they are there.
    if (count > MAX_CONTRACTS || count * 5 > reader.left) return null
    const contracts = Array.from({ length: count }, () => ({ name: reader.text(MAX_NAME_BYTES), fingerprint: reader.u32() }))
    return reader.finished ? { kind: 'offer', contracts } : null
  }
  if (sub !== 1) return null
  const node = reader.text(MAX_NAME_BYTES)
  const count = reader.varint()
  if (count > MAX_MEMBERS || count * 5 > reader.left) return null
  const members = Array.from({ length: count }, () => ({
    key: reader.u24(),
    name: reader.text(MAX_NAME_BYTES),
    signature: reader.text(MAX_SIGNATURE_BYTES),
  }))
  return reader.finished ? { kind: 'details', node, members } : null
}

/** Cuts a text to so many bytes of UTF-8, never inside a character. */
const clip = (text: string, maxBytes: number): string => {
  const bytes = new TextEncoder().encode(text)
  if (bytes.length <= maxBytes) return text
  let end = maxBytes
  // Bytes 10xxxxxx continue a character.
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--
  return new TextDecoder().decode(bytes.subarray(0, end))
}
