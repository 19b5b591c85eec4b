// What the tests of this folder need to know about a host, whichever implementation it is: the stock C library or ours.

import type { Address, Endpoint } from '../../../src/transport/endpoint.ts'
import type { Delivery, EndReason, SendOptions } from '../../../src/transport/types.ts'

/** A connection, seen from one side. The words are those of `Peer`. */
export interface AnyPeer {
  readonly id: number
  readonly channelCount: number
  send(channel: number, bytes: Uint8Array, options?: Delivery | SendOptions): boolean
  disconnect(data?: number): void
  disconnectPlain(data?: number): void
  disconnectNow(data?: number): void
  reset(): void
  ping(): void
  throttleConfigure(intervalMs: number, acceleration: number, deceleration: number): void
  setTimeout(timeout: { limit?: number; minimumMs?: number; maximumMs?: number }): void
  pingIntervalMs: number
}

/** What happens to a host. C hosts cannot tell why a connection ended: their `reason` is null. */
export type AnyEvent =
  | { readonly type: 'connect'; readonly peer: AnyPeer; readonly data: number }
  | { readonly type: 'receive'; readonly peer: AnyPeer; readonly channel: number; readonly bytes: Uint8Array; readonly delivery: Delivery }
  | { readonly type: 'disconnect'; readonly peer: AnyPeer; readonly data: number; readonly reason: EndReason | null }
  | { readonly type: 'diagnostic'; readonly code: string; readonly message: string }
  | { readonly type: 'drain' }

/** One type of event. */
export type EventOf<Type extends AnyEvent['type']> = Extract<AnyEvent, { type: Type }>

/** A host: an endpoint with the commands that the tests give. */
export interface AnyHost extends Endpoint<AnyEvent> {
  connect(to: Address, options?: { channels?: number; data?: number }): AnyPeer
  broadcast(channel: number, bytes: Uint8Array, options?: Delivery | SendOptions): unknown
  setBandwidth(incomingBytesPerSecond: number, outgoingBytesPerSecond: number): void
}

/** Which implementation. */
export type Kind = 'ours' | 'c'

/** What a test can ask of a host of either kind. */
export interface AnyOptions {
  maxPeers?: number
  channels?: number
  mtu?: number
  incomingBandwidthBytesPerSecond?: number
  outgoingBandwidthBytesPerSecond?: number
  /** `fnv` stands for any checksum of one's own. */
  checksum?: 'none' | 'crc32' | 'fnv'
  /** `runLengths` stands for any compressor of one's own. */
  compression?: 'none' | 'rangeCoder' | 'runLengths'
  seed?: number
  /** Ours only; see `HostOptions`. */
  throttle?: 'none' | 'enet'
  sentTime?: 'unique' | 'clock'
  /** C only: how often its program calls enet_host_service, ms. */
  pollMs?: number
  /** C only: what the library's 32-bit clock shows when the world begins. */
  clockStartMs?: number
}
