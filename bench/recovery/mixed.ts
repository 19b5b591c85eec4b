// Small reliable messages at 60 Hz beside a bulk transfer that never ends, on another channel of the same connection, in
// virtual time: what one queue for all would do to them.

import type { Conditions } from '../../src/transport/simulator/index.ts'
import { Network } from '../../src/transport/simulator/index.ts'
import type { HostEvent, Peer } from '../../src/transport/types.ts'
import { SeededRandom } from '../../src/util/random.ts'
import { pathOf } from './bulk.ts'
import { CoarseTimers } from './coarse.ts'
import { release } from './workloads.ts'
import type { Contestant, Playable } from './workloads.ts'

export interface MixedCell {
  readonly mbitPerSecond: number
  readonly rttMs: number
  readonly bufferBdp: number
  readonly conditions: Conditions
  readonly durationMs: number
  readonly seed: number
}

export interface MixedResult {
  /** Of the small messages, from the connecting side. */
  readonly latenciesMs: number[]
  readonly bulkMbit: number
}

const TICK_MS = 1000 / 60
const SMALL_BYTES = 64
const CHUNK_BYTES = 250_000
/** Chunks that wait at most: there is always more than the path takes. */
const CHUNKS = 4
const WARM_MS = 3_000

export const mixed = (sender: Contestant, receiver: Contestant, cell: MixedCell): MixedResult => {
  const network = new Network({ seed: cell.seed, hash: false, path: pathOf(cell) })
  const phase = new SeededRandom(cell.seed)
  const hosts = [sender, receiver].map((one, i) => (one.host as (seed: number) => Playable)(cell.seed * 2 + 1 + i))
  const [client, server] = hosts.map((host, i) =>
    network.add<HostEvent>(i === 0 ? 'client' : 'server', new CoarseTimers(host, 1, phase.unit())))
  const sentAt: number[] = []
  const latenciesMs: number[] = []
  let peer: Peer | null = null
  let ready = 0
  let bulkBytes = 0
  let chunks = 0
  client!.onEvent = (event) => {
    if (event.type !== 'connect') return
    peer = event.peer
    ready++
  }
  server!.onEvent = (event) => {
    if (event.type === 'connect') ready++
    if (event.type !== 'receive') return
    if (event.channel === 2) {
      bulkBytes += event.bytes.length
      chunks--
      return
    }
    const at = sentAt[new DataView(event.bytes.buffer, event.bytes.byteOffset).getUint32(0)] as number
    if (at >= startAt + WARM_MS) latenciesMs.push(network.now - at)
  }
  ;(hosts[0] as Playable).connect(server!.address, { channels: 3 })
  network.runUntil(() => ready === 2, { limitMs: 60_000 })
  const startAt = network.now + 500
  const small = new Uint8Array(SMALL_BYTES)
  const chunk = new Uint8Array(CHUNK_BYTES)
  network.every(TICK_MS, () => {
    if (network.now > startAt + cell.durationMs) return
    for (; network.now > startAt && chunks < CHUNKS; chunks++) (peer as Peer | null)?.send(2, chunk, 'reliable')
    new DataView(small.buffer).setUint32(0, sentAt.length)
    sentAt.push(network.now)
    ;(peer as Peer | null)?.send(0, small, 'reliable')
  }, { firstMs: phase.unit() * TICK_MS })
  network.runFor(500 + cell.durationMs)
  const bulkMbit = (bulkBytes * 8) / cell.durationMs / 1000
  for (const host of hosts) release(host)
  return { latenciesMs, bulkMbit }
}
