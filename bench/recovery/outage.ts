// A dead time in the middle of game traffic, in virtual time: the worst latency of anything sent in it or just before it.

import { Network } from '../../src/transport/simulator/index.ts'
import type { HostEvent, Peer } from '../../src/transport/types.ts'
import { CoarseTimers } from './coarse.ts'
import type { Contestant, Playable } from './workloads.ts'

export interface OutageCell {
  readonly rttMs: number
  readonly deadMs: number
  /** Both ways, or only the way of the messages. */
  readonly both: boolean
  readonly seed: number
}

const TICK_MS = 1000 / 60
const AT_MS = 5_000

/** What the bar of the issue allows: max(one-way + RTT + 5 ms, 1.1 T + one-way). */
export const outageBarMs = ({ rttMs, deadMs }: OutageCell): number => Math.max(1.5 * rttMs + 5, 1.1 * deadMs + rttMs / 2)

export const outage = (sender: Contestant, receiver: Contestant, cell: OutageCell): number => {
  const calm = { latencyMs: cell.rttMs / 2 }
  const dead = { ...calm, blackouts: [{ atMs: AT_MS, durationMs: cell.deadMs }] }
  const network = new Network({ seed: cell.seed, hash: false, path: cell.both ? dead : { to: dead, from: calm } })
  const hosts = [sender, receiver].map((one, i) => (one.host as (seed: number) => Playable)(cell.seed * 2 + i))
  const sentAt: number[] = []
  let worst = 0
  let missing = 0
  network.add<HostEvent>('client', new CoarseTimers(hosts[0] as Playable, 1, 0.3))
  const server = network.add<HostEvent>('server', new CoarseTimers(hosts[1] as Playable, 1, 0.7), {
    onEvent: (event) => {
      if (event.type !== 'receive') return
      missing--
      const at = sentAt[new DataView(event.bytes.buffer, event.bytes.byteOffset).getUint32(0)] as number
      if (at >= AT_MS - cell.rttMs) worst = Math.max(worst, network.now - at)
    },
  })
  const peer: Peer = (hosts[0] as Playable).connect(server.address, { channels: 1 })
  network.runFor(1_000)
  const message = new Uint8Array(64)
  network.every(TICK_MS, () => {
    if (network.now > AT_MS + cell.deadMs + 2_000) return
    for (let i = 0; i < 2; i++) {
      new DataView(message.buffer).setUint32(0, sentAt.length)
      sentAt.push(network.now)
      missing++
      peer.send(0, message, 'reliable')
    }
  })
  network.runFor(AT_MS + cell.deadMs + 5_000)
  return missing === 0 ? worst : Infinity
}
