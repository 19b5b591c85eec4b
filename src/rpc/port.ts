// What rpc needs from below. A session fits, a room fits, and in tests two arrays do.

import type { CallDelivery } from './contract.ts'

/** A pending deadline; opaque. */
export type Deadline = unknown

/** Something worth counting about a peer. */
export interface RpcViolation {
  readonly peer: number
  readonly kind: 'shape' | 'size' | 'rate' | 'caller' | 'unknown'
  readonly node?: string
  readonly method?: string
}

/** A member that the two sides declare differently. */
export interface RpcDifference {
  readonly peer: number
  readonly node: string
  readonly method: string
  readonly ours: string | null
  readonly theirs: string | null
  readonly error: Error
}

/** The layer below. */
export interface RpcPort {
  /** Our own id; 0 when not connected. */
  readonly id: number
  readonly isServer: boolean
  /** Everybody else who can be reached, ascending. */
  readonly peerIds: readonly number[]
  has(peer: number): boolean
  /** The dialect through which a peer is reached; null when it is not here. */
  dialectOf(peer: number): string | null
  now(): number
  /**
   * Sends to a target (0: all, n, −n: all but n, or a list of ids). `dialect`: only to peers that speak it (server).
   * @throws VaivenError when it cannot be sent
   */
  send(target: number | readonly number[], payload: Uint8Array, delivery: CallDelivery, channel: number | undefined, dialect: string): void
  setDeadline(at: number, run: () => void): Deadline
  clearDeadline(deadline: Deadline): void
  /** A handler failed. */
  report(error: unknown, context: { peer?: number; node?: string; method?: string }): void
  /** `weight` 0: tell, but do not hold it against the peer. */
  violation(violation: RpcViolation, weight: number): void
  contractMismatch(difference: RpcDifference): void
}
