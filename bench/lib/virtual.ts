// Contestants in virtual time: ours, and the stock C library run by the oracle of the interoperability tests. The same figures on
// every machine.

import { Host } from '../../src/transport/index.ts'
import type { Endpoint, HostOptions, Millis } from '../../src/transport/index.ts'
import type { Delivery } from '../../src/transport/types.ts'
import { Network } from '../../src/transport/simulator/index.ts'
import type { NetworkNode, PathConditions } from '../../src/transport/simulator/index.ts'
import { CoarseTimers } from '../recovery/coarse.ts'

/** What a scenario needs of a connection. */
export interface VirtualPeer {
  send(channel: number, bytes: Uint8Array, delivery: Delivery): unknown
}

/** Of a host's events, what scenarios look at. */
export type VirtualEvent =
  | { readonly type: 'connect'; readonly peer: VirtualPeer }
  | { readonly type: 'receive'; readonly peer: VirtualPeer; readonly channel: number; readonly bytes: Uint8Array }
  | { readonly type: 'disconnect' | 'drain' | 'diagnostic' }

export interface VirtualHost extends Endpoint<VirtualEvent> {
  connect(to: { address: string; port: number }, options: { channels?: number }): VirtualPeer
  broadcast(channel: number, bytes: Uint8Array, delivery: Delivery): unknown
}

/** Who plays in virtual time. */
export interface VirtualContestant {
  readonly name: string
  readonly about: string
  /** @param phase 0 to 1: where in the millisecond its timers fire */
  make(seed: number, options: { maxPeers: number }): { host: VirtualHost; endpoint: Endpoint<VirtualEvent>; close(): void }
}

/** Ours with some options. Its timers fire on a grid of a millisecond, as those of Node do: virtual time alone would flatter us. */
export const ours = (name: string, about: string, options: HostOptions = {}): VirtualContestant => ({
  name,
  about,
  make(seed, { maxPeers }) {
    const host = new Host({ seed, maxPeers, connectTimeoutMs: 60_000, ...options })
    const virtual = host as unknown as VirtualHost
    const phase = ((seed * 7919) % 1000) / 1000
    return { host: virtual, endpoint: new CoarseTimers(virtual as never, 1, phase) as Endpoint<VirtualEvent>, close() {} }
  },
})

/** The stock library, served by its program every millisecond, which is more often than games do; null where it is not installed. */
export const enetInVirtualTime = async (): Promise<VirtualContestant | null> => {
  const { skipReason } = await import('../../test/interop/support/native.ts')
  if (skipReason !== false) return null
  const { OracleHost } = await import('../../test/interop/support/oracle.ts')
  return {
    name: 'enet',
    about: 'C ENet 1.3.17 in virtual time, serviced every millisecond',
    make(seed, { maxPeers }) {
      const host = new OracleHost({ seed, maxPeers, pollMs: 1 })
      return { host: host as unknown as VirtualHost, endpoint: host as unknown as Endpoint<VirtualEvent>, close: () => host.close() }
    },
  }
}

/** A server and clients of one contestant in a network, connected. */
export interface Stage {
  readonly network: Network
  readonly server: NetworkNode<VirtualEvent>
  readonly serverHost: VirtualHost
  readonly clients: readonly { readonly node: NetworkNode<VirtualEvent>; readonly peer: VirtualPeer; readonly host: VirtualHost }[]
  /** What the server calls each client, in the order in which they came. */
  readonly served: readonly VirtualPeer[]
  /** How long it took each client to be connected, ms. */
  readonly connectMs: readonly Millis[]
  close(): void
}

/** Puts a server and `count` clients into a network and lets time pass until all are connected. */
export const stage = (contestant: VirtualContestant,
  options: { seed: number; path: PathConditions; clients: number; channels?: number }): Stage => {
  const { seed, path, clients: count, channels = 8 } = options
  const network = new Network({ seed, path, hash: false })
  const made = contestant.make(seed * 1000 + 1, { maxPeers: Math.max(1, count) })
  const closers = [made.close]
  const served: VirtualPeer[] = []
  const server = network.add<VirtualEvent>('server', made.endpoint, {
    onEvent: (event) => {
      if (event.type === 'connect') served.push(event.peer)
    },
  })
  const connectMs: number[] = []
  const clients = Array.from({ length: count }, (_, i) => {
    const { host, endpoint, close } = contestant.make(seed * 1000 + 2 + i, { maxPeers: 1 })
    closers.push(close)
    const node = network.add<VirtualEvent>(`client ${i}`, endpoint)
    const client = { node, host, peer: null as unknown as VirtualPeer }
    // Not all at one moment: nobody's ticks are in step.
    const startMs = (i * 17) % 500
    let came = false
    const connect = (): void => {
      client.peer = host.connect(server.address, { channels })
      node.wake()
    }
    network.at(startMs, connect)
    node.onEvent = (event) => {
      if (event.type === 'connect') {
        if (!came) connectMs.push(network.now - startMs)
        came = true
      }
      // Given up: tried again, as a player would, and the time goes on counting.
      if (event.type === 'disconnect') network.at(network.now, connect)
    }
    return client
  })
  network.runUntil(() => connectMs.length === count && served.length >= count, { limitMs: 300_000, what: 'everybody to be connected' })
  for (const { node } of clients) node.onEvent = () => {}
  return {
    network, server, serverHost: made.host, clients, served, connectMs,
    close() {
      for (const close of closers) close()
    },
  }
}
