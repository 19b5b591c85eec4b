// Framing: how a session's messages travel inside packets of the transport: who speaks, who is meant, and which part of the
// program takes it. One interface, so that foreign sessions (Godot) plug into the same session manager. No state here.

import type { Delivery, Peer } from '../transport/types.ts'
import type { ResolvedTarget } from './ids.ts'
import type { SystemMessage } from './system-messages.ts'

/** Which part of the program a message is for. */
export type Lane = 'message' | 'rpc' | 'system'

/** How a message travels, in Godot's words. */
export type MessageDelivery =
  /** Arrives, once and in order within its channel. */
  | 'reliable'
  /** May be lost, never twice, in any order. */
  | 'unreliable'
  /** May be lost, never twice, late ones are dropped. */
  | 'unreliableOrdered'

/** The transport's word for each of ours. Godot's "unreliable" is ENet's unsequenced. */
export const TRANSPORT_DELIVERY: Readonly<Record<MessageDelivery, Delivery>> = {
  reliable: 'reliable',
  unreliable: 'unsequenced',
  unreliableOrdered: 'unreliable',
}

/** Our word for each of the transport's. */
export const MESSAGE_DELIVERY: Readonly<Record<Delivery, MessageDelivery>> = {
  reliable: 'reliable',
  unsequenced: 'unreliable',
  unreliable: 'unreliableOrdered',
}

/** One message of a session. */
export interface Packet {
  readonly lane: Lane
  /** 0 is the session itself, above are rooms. */
  readonly scope: number
  /** 0: somebody who is not here any more. */
  readonly source: number
  readonly target: ResolvedTarget
  /** For the lanes `message` and `rpc`; empty for `system`. */
  readonly payload: Uint8Array
  /** For the lane `system`. */
  readonly system: SystemMessage | null
}

/** The short numbers by which a framing may call peers; never given twice in a session's life. */
export interface Seats {
  /** 0 when there is no such peer. */
  seatOf(id: number): number
  /** 0 when nobody has, or nobody has any more, that seat. */
  idOf(seat: number): number
}

/** What `decode` is told about the connection that a packet came through. */
export interface FramingContext {
  /** Our own id. */
  readonly ownId: number
  /** Who is at the other end of the connection. */
  readonly linkId: number
  /** The roster that a scope number means, or null. */
  seatsOf(scope: number): Seats | null
}

/** How one kind of peer writes its packets. Implementations are stateless; the session keeps what belongs to a connection. */
export interface Framing {
  /** Names the dialect for RPC as well: 'vaiven', 'godot3'. */
  readonly name: string
  /** Channels that a connection must have at least. */
  readonly minChannels: number
  /** The channel of each lane and delivery when the caller names none. */
  readonly reliableChannel: number
  readonly unreliableChannel: number
  readonly systemChannel: number
  /** Game channels begin here; below are the framing's own. */
  readonly firstFreeChannel: number
  /**
   * True: a client says HELLO, has joined when it hears WELCOME, and tells which introductions it has SEEN.
   * False: it has joined when the transport is connected.
   */
  readonly handshake: boolean
  /** False: a list of ids has no words towards a server; each of them gets a packet of its own. @default true */
  readonly sets?: boolean
  /**
   * How long the other side needs to look at what it has acknowledged, before a goodbye may follow, ms: a program that empties
   * its event queue once per frame may throw away what came in the same frame as the goodbye. @default 0
   */
  readonly goodbyeDelayMs?: number
  /** A transport connection to such a peer stands: sets what it needs there. */
  prepare?(peer: Peer): void
  /** The 32 bits that a client puts into its CONNECT. */
  connectData(id: number): number
  /** The id that such 32 bits claim; 0 when they are not of this framing. */
  claimedId(data: number): number
  /** Writes a packet of the lanes `message` and `rpc`. `seats` belong to the packet's scope. */
  encode(packet: Packet, toServer: boolean, seats: Seats): Uint8Array
  /** Writes a system message; null when this framing has no words for it. */
  encodeSystem(message: SystemMessage, scope: number, toServer: boolean): Uint8Array | null
  /** Reads a packet; null for anything that is none. Never throws. */
  decode(channel: number, bytes: Uint8Array, context: FramingContext): Packet | null
}
