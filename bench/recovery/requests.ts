// Request and response, idle between calls, in virtual time: 200 bytes there, 600 bytes back, a pause of 270 ms on average.
// Nothing later proves a loss here, and nothing else carries copies.

import { Link, Network } from '../../src/transport/simulator/index.ts'
import type { Conditions } from '../../src/transport/simulator/index.ts'
import type { HostEvent, Peer } from '../../src/transport/types.ts'
import { SeededRandom } from '../../src/util/random.ts'
import { CoarseTimers } from './coarse.ts'
import { OracleSender } from './oracles.ts'
import type { OracleDatagram } from './oracles.ts'
import type { Contestant, GameCell, Playable } from './workloads.ts'

const REQUEST_BYTES = 200
const RESPONSE_BYTES = 600
const PAUSE_MS = 20
const MEAN_THINK_MS = 250
const WARM_MS = 3_000

/** Completion times, ms. */
export const requests = (contestant: Contestant, cell: GameCell): number[] =>
  contestant.oracle === undefined ? ofHosts(contestant, cell) : ofOracle(cell)

// Any spread with that mean will do; a triangle needs no logarithm.
const think = (chance: SeededRandom): number => PAUSE_MS + MEAN_THINK_MS * (chance.unit() + chance.unit())

const conditionsOf = ({ rttMs, conditions }: GameCell): Conditions => ({
  latencyMs: rttMs / 2, rateBytesPerSecond: 2_500_000, queueBytes: 100_000, ...conditions,
})

const ofHosts = (contestant: Contestant, cell: GameCell): number[] => {
  const network = new Network({ seed: cell.seed, hash: false, path: conditionsOf(cell) })
  const phase = new SeededRandom(cell.seed + 5)
  const chance = new SeededRandom(cell.seed + 6)
  const hosts = [0, 1].map((i) => (contestant.host as (seed: number) => Playable)(cell.seed * 2 + i))
  const [client, server] = hosts.map((host, i) =>
    network.add<HostEvent>(i === 0 ? 'client' : 'server', new CoarseTimers(host, 1, phase.unit())))
  const times: number[] = []
  let askedAt = 0
  const request = new Uint8Array(REQUEST_BYTES)
  const response = new Uint8Array(RESPONSE_BYTES)
  const ask = (peer: Peer): void => {
    if (network.now > cell.durationMs) return
    network.at(network.now + think(chance), () => {
      askedAt = network.now
      peer.send(0, request, 'reliable')
      client!.wake()
    })
  }
  client!.onEvent = (event) => {
    if (event.type === 'connect') ask(event.peer)
    else if (event.type === 'receive') {
      if (askedAt > WARM_MS) times.push(network.now - askedAt)
      ask(event.peer)
    }
  }
  server!.onEvent = (event) => {
    if (event.type === 'receive') event.peer.send(0, response, 'reliable')
  }
  ;(hosts[0] as Playable).connect(server!.address, { channels: 1 })
  network.runFor(cell.durationMs + 20_000)
  return times
}

const ofOracle = (cell: GameCell): number[] => {
  const chance = new SeededRandom(cell.seed + 6)
  const ways = [0, 1].map((i) => {
    const wire = new Link<OracleDatagram>(conditionsOf(cell), { seed: cell.seed * 2 + i, startMs: 0 })
    return new OracleSender('feedback', wire, cell.rttMs / 2)
  })
  const times: number[] = []
  const deliver = (way: OracleSender, bytes: number, now: number): number => {
    way.send(bytes, now)
    way.tick(now)
    for (let at = way.deadline; at < Infinity; at = way.deadline) way.advance(at)
    return now + (way.latenciesMs.pop() as number)
  }
  for (let now = 50; now < cell.durationMs; now += think(chance)) {
    const done = deliver(ways[1] as OracleSender, RESPONSE_BYTES, deliver(ways[0] as OracleSender, REQUEST_BYTES, now))
    if (now > WARM_MS) times.push(done - now)
    now = done
  }
  return times
}
