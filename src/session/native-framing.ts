// Our own framing: one byte in front of what goes between a client and its server, two or three when it is relayed.
// SPEC §13.3 and §13.4.
//
//   byte 0   bits 0-1  lane: 0 message, 1 rpc, 2 system
//            bits 2-4  address: 0 direct, 1 one peer, 2 everybody, 3 everybody but one, 4 a set
//            bit  5    a room's scope number follows
//            bits 6-7  0
//   then     varint    scope number, if bit 5
//            varint    seat of the peer (address 1 and 3), or a count and so many seats (address 4)
//   then               the payload, or a system message
//
// Towards the server a seat is a target; from the server it is the source. "Direct" means: meant for the server, or from it.

import { ByteReader, ByteWriter } from '../util/bytes.ts'
import { LEAVE_REASONS } from './endings.ts'
import type { Framing, FramingContext, Lane, Seats } from './framing.ts'
import { isClientId, SERVER_ID } from './ids.ts'
import type { ResolvedTarget } from './ids.ts'
import { clipText, MAX_HELLO_BYTES, MAX_NAME_BYTES, MAX_TEXT_BYTES } from './system-messages.ts'
import type { SystemMessage } from './system-messages.ts'

/** The version in HELLO and WELCOME. Other versions are refused, with words. */
export const NATIVE_VERSION = 1
/** The server's seat; clients' seats are 2, 3, … in the order of joining, and none is given twice. */
export const SERVER_SEAT = 1
/** Set in the CONNECT data of our own clients: to a Godot server such an id is negative, so it turns us away at once. */
const NATIVE_BIT = 0x80000000

const LANES: readonly Lane[] = ['message', 'rpc', 'system']
const Address = { direct: 0, one: 1, all: 2, allBut: 3, set: 4 } as const
const SCOPE_BIT = 0x20
/** A set longer than this is an attack: a server has at most 4,095 peers. */
const MAX_SET = 4095

/** The wire's numbers of the system messages. */
const Kind = {
  hello: 1,
  welcome: 2,
  add: 3,
  remove: 4,
  bye: 5,
  drain: 6,
  roomJoined: 7,
  roomLeft: 8,
  clockAsk: 9,
  clockAnswer: 10,
  seen: 11,
} as const

const writer = new ByteWriter()

/** The framing of sessions among vaiven programs. */
export const nativeFraming: Framing = {
  name: 'vaiven',
  minChannels: 3,
  // What is reliable shares a channel with joins and leaves, so that their order is the order in which they were said.
  systemChannel: 1,
  reliableChannel: 1,
  unreliableChannel: 2,
  firstFreeChannel: 3,
  handshake: true,

  connectData: (id) => (id | NATIVE_BIT) >>> 0,

  claimedId: (data) => {
    if ((data & NATIVE_BIT) === 0) return 0
    const id = data & 0x7fffffff
    return isClientId(id) ? id : 0
  },

  encode(packet, toServer, seats) {
    const lane = LANES.indexOf(packet.lane)
    writer.reset()
    if (toServer) writeTarget(lane, packet.scope, packet.target, seats)
    else writeHeader(lane, packet.scope, packet.source === SERVER_ID ? Address.direct : Address.one)
    if (!toServer && packet.source !== SERVER_ID) writer.varint(seats.seatOf(packet.source))
    return writer.raw(packet.payload).take()
  },

  encodeSystem(message, scope) {
    writer.reset()
    writeHeader(2, scope, Address.direct)
    writeSystem(message)
    return writer.take()
  },

  decode(_channel, bytes, context) {
    const reader = new ByteReader(bytes)
    const head = reader.u8()
    const lane = LANES[head & 3]
    const address = (head >> 2) & 7
    if (lane === undefined || address > Address.set || head > 0x3f) return null
    const scope = head & SCOPE_BIT ? reader.varint() : 0
    if (lane === 'system') {
      if (address !== Address.direct) return null
      const system = readSystem(reader)
      return reader.finished && system !== null
        ? { lane, scope, source: context.linkId, target: context.ownId, payload: reader.rest(), system }
        : null
    }
    const packet = context.linkId === SERVER_ID ? readSource(reader, address, scope, context) : readTarget(reader, address, scope, context)
    if (packet === null || reader.failed) return null
    return { lane, scope, ...packet, payload: reader.rest(), system: null }
  },
}

const writeHeader = (lane: number, scope: number, address: number): void => {
  writer.u8(lane | (address << 2) | (scope === 0 ? 0 : SCOPE_BIT))
  if (scope !== 0) writer.varint(scope)
}

const writeTarget = (lane: number, scope: number, target: ResolvedTarget, seats: Seats): void => {
  if (typeof target !== 'number') {
    writeHeader(lane, scope, Address.set)
    writer.varint(target.length)
    for (const id of target) writer.varint(seats.seatOf(id))
  } else if (target === SERVER_ID) writeHeader(lane, scope, Address.direct)
  else if (target === 0) writeHeader(lane, scope, Address.all)
  else {
    writeHeader(lane, scope, target > 0 ? Address.one : Address.allBut)
    writer.varint(seats.seatOf(Math.abs(target)))
  }
}

type Ends = { readonly source: number; readonly target: ResolvedTarget }

/** At a client: the server names the source. */
const readSource = (reader: ByteReader, address: number, scope: number, context: FramingContext): Ends | null => {
  if (address === Address.direct) return { source: SERVER_ID, target: context.ownId }
  if (address !== Address.one) return null
  // 0: somebody who has left meanwhile.
  return { source: context.seatsOf(scope)?.idOf(reader.varint()) ?? 0, target: context.ownId }
}

/** At the server: the source is whoever owns the connection, so it cannot be forged; the client names the target. */
const readTarget = (reader: ByteReader, address: number, scope: number, context: FramingContext): Ends | null => {
  const source = context.linkId
  if (address === Address.direct) return { source, target: SERVER_ID }
  if (address === Address.all) return { source, target: 0 }
  const seats = context.seatsOf(scope)
  if (seats === null) return null
  if (address === Address.set) {
    const count = reader.varint()
    // Each seat takes a byte at least: checked before anything is allocated.
    if (count > MAX_SET || count > reader.left) return null
    const ids = new Set<number>()
    for (let index = 0; index < count; index++) {
      const id = seats.idOf(reader.varint())
      if (id !== 0) ids.add(id)
    }
    return reader.failed ? null : { source, target: [...ids] }
  }
  const id = seats.idOf(reader.varint())
  // All but somebody who has left meanwhile means all; one who has left means nobody.
  if (id === 0) return { source, target: address === Address.allBut ? 0 : [] }
  return { source, target: address === Address.one ? id : -id }
}

const writeSystem = (message: SystemMessage): void => {
  writer.u8(Kind[message.kind])
  switch (message.kind) {
    case 'hello':
      writer.u8(message.version).raw(message.data)
      break
    case 'welcome':
      writer.u8(message.version).varint(message.seat).u8(message.relay ? 1 : 0)
      break
    case 'add':
      writer.u32(message.id).varint(message.seat)
      break
    case 'remove':
      writer.varint(message.seat).u8(LEAVE_REASONS.indexOf(message.reason)).u32(message.data).text(clipText(message.text))
      break
    case 'bye':
      writer.u32(message.code).text(clipText(message.text))
      break
    case 'drain':
      writer.varint(message.withinMs).text(clipText(message.text))
      break
    case 'roomJoined':
      writer.text(message.name)
      break
    case 'roomLeft':
      writer.text(clipText(message.text))
      break
    case 'seen':
      writer.varint(message.count)
      break
    case 'clockAsk':
      writer.u32(message.token)
      break
    case 'clockAnswer':
      writer.u32(message.token).f64(message.timeMs)
      break
  }
}

const readSystem = (reader: ByteReader): SystemMessage | null => {
  switch (reader.u8()) {
    case Kind.hello: {
      const version = reader.u8()
      return reader.left > MAX_HELLO_BYTES ? null : { kind: 'hello', version, data: reader.rest() }
    }
    case Kind.welcome:
      return { kind: 'welcome', version: reader.u8(), seat: reader.varint(), relay: (reader.u8() & 1) === 1 }
    case Kind.add: {
      const id = reader.u32()
      const seat = reader.varint()
      return isClientId(id) && seat > SERVER_SEAT ? { kind: 'add', id, seat } : null
    }
    case Kind.remove: {
      const seat = reader.varint()
      const reason = LEAVE_REASONS[reader.u8()]
      const data = reader.u32()
      const text = reader.text(MAX_TEXT_BYTES)
      return reason === undefined ? null : { kind: 'remove', id: 0, seat, reason, data, text }
    }
    case Kind.bye:
      return { kind: 'bye', code: reader.u32(), text: reader.text(MAX_TEXT_BYTES) }
    case Kind.drain:
      return { kind: 'drain', withinMs: reader.varint(), text: reader.text(MAX_TEXT_BYTES) }
    case Kind.roomJoined:
      return { kind: 'roomJoined', name: reader.text(MAX_NAME_BYTES) }
    case Kind.roomLeft:
      return { kind: 'roomLeft', text: reader.text(MAX_TEXT_BYTES) }
    case Kind.seen:
      return { kind: 'seen', count: reader.varint() }
    case Kind.clockAsk:
      return { kind: 'clockAsk', token: reader.u32() }
    case Kind.clockAnswer: {
      const token = reader.u32()
      const timeMs = reader.f64()
      return Number.isFinite(timeMs) && timeMs >= 0 ? { kind: 'clockAnswer', token, timeMs } : null
    }
    default:
      return null
  }
}
