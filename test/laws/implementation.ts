// What an implementation of ENet must offer to be put under the laws: an endpoint (datagrams and time in, datagrams and
// events out, src/transport/endpoint.ts) with a handful of commands. Nothing here knows how it is made.

import type { Address, Endpoint } from '../../src/transport/endpoint.ts'
import type { Delivery } from '../../src/transport/types.ts'

/** One side of a connection. */
export interface TestedPeer {
  send(channel: number, bytes: Uint8Array, delivery: Delivery): unknown
  /** Ends it gracefully: what was sent is delivered first. */
  disconnect(data?: number): void
  /** Ends it at once. */
  disconnectNow(data?: number): void
}

/** What a host tells. Events of other types are allowed, and ignored. */
export type TestedEvent =
  | { readonly type: 'connect'; readonly peer: TestedPeer; readonly data: number }
  | {
      readonly type: 'receive'
      readonly peer: TestedPeer
      readonly channel: number
      readonly bytes: Uint8Array
      readonly delivery: Delivery
    }
  | { readonly type: 'disconnect'; readonly peer: TestedPeer; readonly data: number }
  | { readonly type: 'diagnostic' | 'drain' }

/** A host under test. */
export interface TestedHost extends Endpoint<TestedEvent> {
  connect(to: Address, options: { channels: number; data: number }): TestedPeer
  /** Frees what the host holds outside of the process, if anything. */
  close?(): void
}

export interface OpenOptions {
  /** All chance must come from it. */
  seed: number
  /** UDP payload, bytes, 576 to 4096. */
  mtu: number
  checksum: 'none' | 'crc32'
  compression: 'none' | 'rangeCoder'
}

/** An implementation; the default export of a module given to `npm run properties -- --with FILE`. */
export interface Implementation {
  /** For the names of laws. */
  readonly name: string
  open(options: OpenOptions): TestedHost
  /** It runs in this process and is fast: laws are tried more often. @default false */
  readonly quick?: boolean
}
