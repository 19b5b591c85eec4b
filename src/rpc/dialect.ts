// The seam for ways of writing calls: the dispatcher decides what is called and who may; a dialect only knows the bytes.
// Ours is native-dialect.ts; Godot's plugs in here.

import type { CallDelivery, NodeContract } from './contract.ts'
import type { MemberEntry, Registry } from './registry.ts'

/** A call, a request or a property on its way out. */
export interface Outgoing {
  readonly path: string
  readonly name: string
  /** Our own declaration; null for calls by name of nodes that are not attached here. */
  readonly entry: MemberEntry | null
  /** Travel by name, with self-describing values. */
  readonly named: boolean
  /** 0, n, −n, or a list of ids; own id never included. */
  readonly target: number | readonly number[]
  readonly args: readonly unknown[]
  readonly delivery: CallDelivery
  readonly channel: number | undefined
}

/** An open request of ours. */
export interface Pending {
  readonly id: number
  readonly peer: number
  readonly path: string
  readonly name: string
  readonly entry: MemberEntry | null
}

/** What a dialect may ask of, and tell, the dispatcher. Everything here may come from a stranger. */
export interface Inbound {
  readonly registry: Registry
  /** May this call run? Counts it when not. `bytes`: size of the arguments. */
  admits(entry: MemberEntry, sender: number, bytes: number): boolean
  /** Runs a method. */
  runCall(entry: MemberEntry, sender: number, args: readonly unknown[]): void
  /** Runs a method and has its answer written. */
  runRequest(entry: MemberEntry, sender: number, id: number, args: readonly unknown[], answer: Answer): void
  /** Sets a property. */
  set(entry: MemberEntry, sender: number, value: unknown): void
  /** An open request that `peer` may answer. */
  pending(peer: number, id: number): Pending | undefined
  resolve(pending: Pending, value: unknown): void
  reject(pending: Pending, code: number, text: string, details: unknown): void
  /** The caller of a request no longer waits. */
  cancelled(sender: number, id: number): void
  /** Bytes that are no message, or whose values do not fit (`shape`); a node or method that is not here (`unknown`). */
  refuse(sender: number, kind: 'shape' | 'unknown', node?: string, method?: string): void
  /** The contracts differ: told, and our own calls of that member to that peer are no longer sent. */
  difference(peer: number, node: string, method: string, ours: string | null, theirs: string | null): void
}

/** How the answer to a request is written. */
export interface Answer {
  reply(value: unknown): void
  fail(code: number, text: string, details: unknown): void
}

/** A way of writing calls. */
export interface Dialect {
  readonly name: string
  /** A payload has arrived. Never throws. */
  receive(source: number, payload: Uint8Array, delivery: CallDelivery): void
  peerConnected(peer: number, direct: boolean): void
  peerDisconnected(peer: number): void
  /** A node was attached; `first`: the first one with its contract. */
  attached(contract: NodeContract, first: boolean): void
  /** @throws VaivenError when a value does not fit, or the dialect cannot say it */
  call(outgoing: Outgoing): void
  /** @throws VaivenError the same; ERR_ARGUMENT in dialects without requests */
  request(outgoing: Outgoing, id: number): void
  set(outgoing: Outgoing): void
  cancel(pending: Pending): void
  /**
   * What a message that is only passing through says, for saying it in another dialect: who it is for is known from
   * outside. Null: nothing that could be (an answer, a foreign method).
   */
  parse(payload: Uint8Array): Passing | null
  /** The same message in this dialect; null when it cannot be said. */
  compose(passing: Passing): readonly Uint8Array[] | null
}

/** A call or a property on its way from one client to another, between dialects. */
export interface Passing {
  readonly kind: 'call' | 'set'
  readonly entry: MemberEntry
  readonly args: readonly unknown[]
}
