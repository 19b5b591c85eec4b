// Two hosts of ours on the simulator's network: a client `a` that has connected to a server `b`, their events by side, and
// the virtual clock. A test names only what matters to it.

import { Host } from '../../src/transport/core/host.ts'
import type { HostOptions } from '../../src/transport/core/options.ts'
import type { PeerCore } from '../../src/transport/core/peer.ts'
import type { Address } from '../../src/transport/endpoint.ts'
import type { TraceEvent } from '../../src/transport/simulator/carrier.ts'
import type { PathConditions } from '../../src/transport/simulator/conditions.ts'
import { Network } from '../../src/transport/simulator/network.ts'
import type { NetworkNode, NodeOptions } from '../../src/transport/simulator/node.ts'
import type { HostEvent } from '../../src/transport/types.ts'

/** One kind of event. */
export type EventOf<Type extends HostEvent['type']> = Extract<HostEvent, { type: Type }>

/** One host on the network, and all that it has told. */
export class Side {
  readonly name: string
  readonly host: Host
  readonly node: NetworkNode<HostEvent>
  /** Every event so far. */
  readonly events: HostEvent[] = []
  /** Called for each event as it happens. */
  onEvent: ((event: HostEvent) => void) | null = null
  #peer: PeerCore | null = null

  constructor(network: Network, name: string, options: HostOptions, nodeOptions: NodeOptions<HostEvent>) {
    this.name = name
    this.host = new Host(options)
    this.node = network.add<HostEvent>(name, this.host, nodeOptions)
    this.node.onEvent = (event) => {
      this.events.push(event)
      this.onEvent?.(event)
    }
  }

  get address(): Address { return this.node.address }

  of<Type extends HostEvent['type']>(type: Type): EventOf<Type>[] {
    return this.events.filter((event): event is EventOf<Type> => event.type === type)
  }

  /** What has arrived. */
  get received(): EventOf<'receive'>[] { return this.of('receive') }

  /** The first bytes of what has arrived, as numbers (see `packet`). */
  get numbers(): number[] { return this.received.map(({ bytes }) => numberOf(bytes)) }

  /** The connection: what `connect` returned, or the one of the latest connect event. */
  get peer(): PeerCore {
    const found = this.#peer ?? (this.of('connect').at(-1)?.peer as PeerCore | undefined)
    if (found === undefined) throw new Error(`${this.name} has no connection`)
    return found
  }

  connect(to: Side, options: { channels?: number; data?: number } = {}): PeerCore {
    return (this.#peer = this.host.connect(to.address, options) as PeerCore)
  }
}

export interface PairOptions {
  /** Of the network; the hosts get seeds that follow from it. @default 1 */
  seed?: number
  /** What lies between them; `to` runs from `a`. @default 10 ms each way */
  path?: PathConditions
  both?: HostOptions
  a?: HostOptions
  b?: HostOptions
  nodeA?: NodeOptions<HostEvent>
  nodeB?: NodeOptions<HostEvent>
  /** Channels that `a` asks for. @default 4 */
  channels?: number
  /** Connect data. @default 0 */
  data?: number
  startMs?: number
  hash?: boolean
  trace?: (event: TraceEvent) => void
}

export interface Pair {
  readonly network: Network
  readonly a: Side
  readonly b: Side
}

/** Two hosts that do not know each other yet. */
export const strangers = (options: PairOptions = {}): Pair => {
  const { seed = 1, path = { latencyMs: 10 }, both = {}, startMs = 0, hash = false, trace } = options
  const network = new Network({ seed, path, startMs, hash, ...(trace === undefined ? {} : { trace }) })
  const a = new Side(network, 'a', { seed: seed * 2 + 1, ...both, ...options.a }, options.nodeA ?? {})
  const b = new Side(network, 'b', { seed: seed * 2 + 2, ...both, ...options.b }, options.nodeB ?? {})
  return { network, a, b }
}

/** Two hosts of which both know that they are connected. */
export const pair = (options: PairOptions = {}): Pair => {
  const all = strangers(options)
  const { network, a, b } = all
  a.connect(b, { channels: options.channels ?? 4, data: options.data ?? 0 })
  network.runUntil(() => a.of('connect').length > 0 && b.of('connect').length > 0, { what: 'both connect events' })
  return all
}

/** A packet that begins with its number, in two bytes. */
export const packet = (number: number, length = 8): Uint8Array => {
  const bytes = new Uint8Array(Math.max(2, length)).fill(number * 31 + length)
  bytes[0] = number >>> 8
  bytes[1] = number
  return bytes
}

/** The number of such a packet. */
export const numberOf = (bytes: Uint8Array): number => ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)

/** 0 to count - 1. */
export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
