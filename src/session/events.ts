// What a session tells the program, with the names of Godot's signals beside. Types only.

import type { VaivenError } from '../util/errors.ts'
import type { Ending } from './endings.ts'
import type { MessageDelivery } from './framing.ts'
import type { ErrorEvents } from './guarded-emitter.ts'
import type { SessionPeer } from './peers.ts'

/** Somebody left, and why. */
export interface Departure extends Ending {
  /** Who; nobody can be called by it any more. */
  readonly id: number
}

/** How a raw message came. */
export interface MessageInfo {
  /** As it was sent. */
  readonly delivery: MessageDelivery
  /** The channel that it came on, 1 or above. */
  readonly channel: number
}

/** Something a peer should not have sent. */
export interface Violation {
  readonly peer: number
  /**
   * `shape`: bytes that are no message, or arguments outside their schema. `size`: larger than the method allows. `rate`: too
   * often. `caller`: not allowed to call that. `unknown`: no such node or method here. `target`: relayed to nobody.
   * `flood`: more than may wait.
   */
  readonly kind: 'shape' | 'size' | 'rate' | 'caller' | 'unknown' | 'target' | 'flood'
  readonly node?: string
  readonly method?: string
  /** Violations of this peer that count towards a kick, so far in the current window. */
  readonly count: number
}

/** A method or property that the two sides declare differently. */
export interface ContractDifference {
  readonly peer: number
  readonly node: string
  readonly method: string
  /** Our declaration in words; null: we have none. */
  readonly ours: string | null
  /** Theirs. */
  readonly theirs: string | null
  /** The whole in a sentence, with code ERR_CONTRACT. */
  readonly error: VaivenError
}

/** Events of a scope: of the session itself, and of each room. */
export interface ScopeEvents extends ErrorEvents {
  /** Somebody is here and can be called. On clients first for 1, the server. [network_peer_connected] */
  peerConnected: [peer: SessionPeer]
  /** Somebody is gone and cannot be called any more. Never for 1. [network_peer_disconnected] */
  peerDisconnected: [departure: Departure]
  /** A raw message. [network_peer_packet] */
  message: [sender: number, bytes: Uint8Array, info: MessageInfo]
  /** A peer sent something that it should not have. */
  violation: [violation: Violation]
  /** The two sides' contracts differ; only the methods named are affected. */
  contractMismatch: [difference: ContractDifference]
}

/** Events of a session. `Room` is what its rooms are. */
export interface SessionEvents<Room = unknown> extends ScopeEvents {
  /** Client: we are in. Right after `peerConnected` for 1. [connected_to_server] */
  connectedToServer: []
  /** Client: we never got in. [connection_failed] */
  connectionFailed: [error: VaivenError]
  /** Client: the connection is gone. The session is over; nobody else's `peerDisconnected` follows. [server_disconnected] */
  serverDisconnected: [ending: Ending]
  /** Client: the server will close in about so many milliseconds. Server: it has begun to drain. */
  draining: [notice: { readonly withinMs: number; readonly text: string }]
  /** Client: the server put us into a room. */
  roomJoined: [room: Room]
  /** Client: the server took us out of a room, or closed it. */
  roomLeft: [room: Room, text: string]
  /** The session is over and has let go of everything. */
  closed: []
}
