// Bulk transfers, alone, beside small messages, and beside each other, in virtual time.

import type { Millis } from '../../src/transport/endpoint.ts'
import { Network } from '../../src/transport/simulator/index.ts'
import type { Conditions } from '../../src/transport/simulator/index.ts'
import type { HostEvent, Peer } from '../../src/transport/types.ts'
import { SeededRandom } from '../../src/util/random.ts'
import { CoarseTimers } from './coarse.ts'
import { release } from './workloads.ts'
import type { Contestant, Playable } from './workloads.ts'

export interface BulkCell {
  readonly mbitPerSecond: number
  readonly rttMs: number
  /** Buffer before the bottleneck, in bandwidth-delay products. */
  readonly bufferBdp: number
  readonly conditions: Conditions
  readonly bytes: number
  readonly seed: number
  /** Service interval of the receiver, ms; 0: at once. */
  readonly pollMs?: number
  readonly limitMs?: number
  /** Small messages at 60 Hz for so long before it, s. */
  readonly playSeconds?: number
}

export interface BulkResult {
  /** Payload bits per millisecond / 1000 = Mbit/s; 0 when it did not finish. */
  readonly goodputMbit: number
  /** What the bound allows: rate × payload share × (1 − loss). */
  readonly boundMbit: number
  /** Time that datagrams waited before the bottleneck, ms, one sample per datagram. */
  readonly queueMs: number[]
  readonly dropped: number
}

const bytesPerMs = (mbit: number): number => mbit * 125

/** Loopback-free path: the bottleneck is in both directions, its buffer in BDPs. */
export const pathOf = (cell: { mbitPerSecond: number; rttMs: number; bufferBdp: number; conditions: Conditions }): Conditions => ({
  latencyMs: cell.rttMs / 2,
  rateBytesPerSecond: bytesPerMs(cell.mbitPerSecond) * 1000,
  queueBytes: Math.max(15_000, bytesPerMs(cell.mbitPerSecond) * cell.rttMs * cell.bufferBdp),
  ...cell.conditions,
})

const MTU_SHARE = (1200 - 28) / (1200 + 28)

/** One large packet (or several of 1 MB) from the connecting side. */
export const bulk = (sender: Contestant, receiver: Contestant, cell: BulkCell): BulkResult => {
  const path = pathOf(cell)
  const queueMs: number[] = []
  const onTheWay: Millis[] = []
  const rate = bytesPerMs(cell.mbitPerSecond)
  // On a path that keeps order, what a datagram took beyond the propagation and its own sending is its time in the queue.
  const network = new Network({
    seed: cell.seed,
    hash: false,
    path,
    trace: (event) => {
      if (event.from !== 'client') return
      if (event.type === 'sent') onTheWay.push(event.atMs)
      else if (event.type === 'dropped') onTheWay.pop()
      else if (event.type === 'arrived') {
        const took = event.atMs - (onTheWay.shift() as Millis) - cell.rttMs / 2
        queueMs.push(Math.max(0, took - (event.bytes.length + 28) / rate))
      }
    },
  })
  const phase = new SeededRandom(cell.seed)
  const a = (sender.host as (seed: number) => Playable)(cell.seed * 2 + 1)
  const b = (receiver.host as (seed: number) => Playable)(cell.seed * 2 + 2)
  const clientNode = network.add<HostEvent>('client', new CoarseTimers(a, 1, phase.unit()))
  const serverNode = network.add<HostEvent>('server', new CoarseTimers(b, 1, phase.unit()), {
    ...(cell.pollMs !== undefined && cell.pollMs > 0 ? { serviceEveryMs: cell.pollMs } : {}),
  })
  let peer: Peer | null = null
  let ready = 0
  let got = 0
  let doneAt = 0
  let lost: string | null = null
  clientNode.onEvent = (event) => {
    if (event.type === 'connect') {
      peer = event.peer
      ready++
    } else if (event.type === 'disconnect') lost = event.reason
  }
  serverNode.onEvent = (event) => {
    if (event.type === 'connect') ready++
    else if (event.type === 'receive' && event.channel === 0) {
      got += event.bytes.length
      doneAt = network.now
    }
  }
  a.connect(serverNode.address, { channels: 2 })
  network.runUntil(() => ready === 2, { limitMs: 60_000 })
  // One message first, so that a round trip is known, as in any real connection.
  ;(peer as Peer | null)?.send(1, new Uint8Array(50), 'reliable')
  network.runFor(500)
  for (let tick = 0; tick < 60 * (cell.playSeconds ?? 0); tick++) {
    ;(peer as Peer | null)?.send(1, new Uint8Array(50), tick % 3 === 0 ? 'reliable' : 'unreliable')
    network.runFor(1000 / 60)
  }
  const startAt = network.now
  const chunk = 1_000_000
  for (let at = 0; at < cell.bytes; at += chunk) {
    (peer as Peer | null)?.send(0, new Uint8Array(Math.min(chunk, cell.bytes - at)), 'reliable')
  }
  const link = network.link('client', 'server')
  queueMs.length = 0
  const limit = startAt + (cell.limitMs ?? 240_000)
  while (got < cell.bytes && network.now < limit && lost === null) network.runFor(20)
  const elapsed: Millis = doneAt - startAt
  for (const host of [a, b]) release(host)
  const loss = cell.conditions.lossRatio ?? 0
  return {
    goodputMbit: got >= cell.bytes ? (cell.bytes * 8) / elapsed / 1000 : 0,
    boundMbit: cell.mbitPerSecond * MTU_SHARE * (1 - loss),
    queueMs,
    dropped: link.ledger.queueDropped,
  }
}
