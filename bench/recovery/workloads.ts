// The workloads on which loss recovery is measured, in virtual time. Each returns latencies in ms and counts.

import { Host } from '../../src/transport/core/host.ts'
import type { HostOptions } from '../../src/transport/core/options.ts'
import type { Endpoint, Millis } from '../../src/transport/endpoint.ts'
import { Link, Network } from '../../src/transport/simulator/index.ts'
import type { Conditions } from '../../src/transport/simulator/index.ts'
import type { HostEvent, Peer } from '../../src/transport/types.ts'
import { SeededRandom } from '../../src/util/random.ts'
import { CoarseTimers } from './coarse.ts'
import { OracleSender } from './oracles.ts'
import type { OracleDatagram, OracleKind } from './oracles.ts'

const TICK_MS = 1000 / 60
const RELIABLE_BYTES = 64
const STATE_BYTES = 200
const WARM_MS = 3_000

/** Who sends: ours with certain options, or an oracle, or something else that behaves like a host. */
export interface Contestant {
  readonly name: string
  /** Makes a host; absent for oracles. `close` is called when it has done its part. */
  readonly host?: (seed: number) => Playable & { close?(): void }
  readonly oracle?: OracleKind
}

/** What a workload needs of a host, ours or another's. */
export interface Playable extends Endpoint<HostEvent> {
  wake: (() => void) | null
  connect(to: { address: string; port: number }, options: { channels?: number; data?: number }): Peer
}

export const ours = (name: string, options: HostOptions = {}): Contestant => ({
  name,
  host: (seed) => new Host({ seed, connectTimeoutMs: 60_000, ...options }),
})

export interface GameResult {
  readonly latenciesMs: number[]
  /** Reliable messages sent after warming up that never arrived. */
  readonly missing: number
  /** Bytes of UDP payload on both links. */
  readonly bytes: number
  /** Reliable messages sent. */
  readonly sent: number
  /** Reliable commands sent again; 0 where nobody counts. */
  readonly retransmissions: number
}

export interface GameCell {
  readonly rttMs: number
  readonly conditions: Conditions
  /** Of the way back, where it differs. */
  readonly back?: Conditions
  readonly durationMs: number
  readonly seed: number
  /** Service interval of the accepting side (and of the connecting side of a C host); 0: at once. */
  readonly pollMs?: number
  /** Chance that a tick carries reliable messages at all. */
  readonly busyRatio?: number
  /** Whose latencies count. @default 'both' */
  readonly measured?: 'both' | 'towards the server'
  /** Who accepts. @default the same contestant */
  readonly server?: Contestant
}

const link = (cell: GameCell, back = false): Conditions => ({
  latencyMs: cell.rttMs / 2, rateBytesPerSecond: 2_500_000, queueBytes: 100_000,
  ...(back && cell.back !== undefined ? cell.back : cell.conditions),
})

/** 60 Hz both ways: two 64-byte reliable ordered messages and one unreliable state a tick. */
export const game = (contestant: Contestant, cell: GameCell): GameResult =>
  contestant.oracle !== undefined ? oracleGame(contestant.oracle, cell) : hostGame(contestant, cell)

const oracleGame = (kind: OracleKind, cell: GameCell): GameResult => {
  const latenciesMs: number[] = []
  let bytes = 0
  for (const direction of cell.measured === 'towards the server' ? [0] : [0, 1]) {
    const wire = new Link<OracleDatagram>(link(cell, direction === 1), { seed: cell.seed * 2 + direction, startMs: 0 })
    const sender = new OracleSender(kind, wire, cell.rttMs / 2)
    const chance = new SeededRandom(cell.seed * 31 + direction)
    const phase = new SeededRandom(cell.seed + direction).unit() * TICK_MS
    let counted = 0
    for (let tick = 0; ; tick++) {
      const now = 50 + phase + tick * TICK_MS
      if (now > cell.durationMs) break
      for (let at = sender.deadline; at <= now; at = sender.deadline) sender.advance(at)
      if (cell.busyRatio === undefined || chance.chance(cell.busyRatio)) {
        for (let i = 0; i < 2; i++) sender.send(RELIABLE_BYTES, now)
        if (now < WARM_MS) counted += 2
      }
      sender.state(STATE_BYTES)
      sender.tick(now)
    }
    for (let at = sender.deadline; at < Infinity; at = sender.deadline) sender.advance(at)
    latenciesMs.push(...sender.latenciesMs.slice(counted))
    bytes += wire.ledger.bytesSent
  }
  return { latenciesMs, missing: 0, bytes, sent: latenciesMs.length, retransmissions: 0 }
}

const hostGame = (contestant: Contestant, cell: GameCell): GameResult => {
  const make = contestant.host as (seed: number) => Playable
  const makeServer = (cell.server ?? contestant).host as (seed: number) => Playable
  const network = new Network({ seed: cell.seed, hash: false, path: { to: link(cell), from: link(cell, true) } })
  const phase = new SeededRandom(cell.seed + 77)
  const hosts = [make(cell.seed * 2 + 1), makeServer(cell.seed * 2 + 2)]
  const nodes = hosts.map((host, i) =>
    network.add(i === 0 ? 'client' : 'server', new CoarseTimers(host, 1, phase.unit()), {
      ...(cell.pollMs !== undefined && cell.pollMs > 0 && i === 1
        ? { serviceEveryMs: cell.pollMs, servicePhaseMs: phase.unit() * cell.pollMs }
        : {}),
    }),
  )
  const latenciesMs: number[] = []
  const peers: (Peer | null)[] = [null, null]
  const sentAt: Millis[][] = [[], []]
  const received = [0, 0]
  nodes.forEach((node, i) => {
    node.onEvent = (event) => {
      if (event.type === 'connect') {
        peers[i] = event.peer
        // On bad paths C ENet's own commands wait for so long that it gives the connection up.
        event.peer.setTimeout({ limit: 1 << 20, minimumMs: 600_000, maximumMs: 1_200_000 })
      }
      if (event.type === 'disconnect') throw new Error(`${contestant.name}: lost the connection (${event.reason}) at ${network.now} ms`)
      if (event.type !== 'receive' || event.channel !== 0) return
      const number = new DataView(event.bytes.buffer, event.bytes.byteOffset).getUint32(0)
      if (number !== received[i]) throw new Error(`${contestant.name}: message ${number} came instead of ${received[i]}`)
      received[i] = number + 1
      const at = (sentAt[1 - i] as Millis[])[number] as Millis
      if (at >= WARM_MS && (i === 1 || cell.measured !== 'towards the server')) latenciesMs.push(network.now - at)
    }
  })
  ;(hosts[0] as Playable).connect(nodes[1]!.address, { channels: 3 })
  network.runUntil(() => peers[0] !== null && peers[1] !== null, { limitMs: 40_000, what: 'both sides to be connected' })
  const from = network.now + 50
  const message = new Uint8Array(RELIABLE_BYTES)
  const state = new Uint8Array(STATE_BYTES)
  for (const i of [0, 1]) {
    const chance = new SeededRandom(cell.seed * 31 + i)
    network.every(
      TICK_MS,
      () => {
        if (network.now > from + cell.durationMs) return
        const peer = peers[i] as Peer
        if (cell.busyRatio === undefined || chance.chance(cell.busyRatio)) {
          for (let k = 0; k < 2; k++) {
            new DataView(message.buffer).setUint32(0, (sentAt[i] as Millis[]).length)
            ;(sentAt[i] as Millis[]).push(network.now)
            peer.send(0, message, 'reliable')
          }
        }
        peer.send(1, state, 'unreliable')
      },
      { firstMs: 50 + phase.unit() * TICK_MS },
    )
  }
  network.runFor(cell.durationMs + 50)
  const bytes = network.link('client', 'server').ledger.bytesSent + network.link('server', 'client').ledger.bytesSent
  network.runFor(8_000)
  const sent = (sentAt[0] as Millis[]).length + (sentAt[1] as Millis[]).length
  const retransmissions = peers.reduce((sum, peer) => sum + (peer?.stats?.retransmissions ?? 0), 0)
  for (const host of hosts) release(host)
  return { latenciesMs, missing: sent - (received[0] as number) - (received[1] as number), bytes, sent, retransmissions }
}

/** Ends what a contestant holds outside of virtual time; hosts of our own hold nothing, and their `close` says goodbye. */
export const release = (host: Playable): void => {
  if (!(host instanceof Host)) (host as { close?(): void }).close?.()
}

/** The value below which a share of the sorted numbers lies. */
export const percentile = (values: readonly number[], share: number): number => {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN
}
