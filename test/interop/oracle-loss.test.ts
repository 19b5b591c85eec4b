// Random conversations between our host and the C library over random bad networks. Whatever the network does: reliable
// packets all, once, in order, byte for byte; unreliable ones never backwards; nothing twice.

import t from 'tap'
import type { PathConditions } from '../../src/transport/simulator/conditions.ts'
import { SeededRandom } from '../../src/util/random.ts'
import type { AnyOptions } from './support/any.ts'
import { profiles } from '../../src/transport/simulator/profiles.ts'
import { bothWays, closeHosts, connectedPair } from './support/hosts.ts'
import type { Pair } from './support/hosts.ts'
import { skipReason } from './support/native.ts'
import { converse } from './support/traffic.ts'
import type { TrafficOptions } from './support/traffic.ts'

t.afterEach(closeHosts)
const skip = { skip: skipReason }

/** Runs of this many seeds from this one on; a failure names its seed, and FIRST_SEED=that SEEDS=1 repeats it alone. */
const firstSeed = Number(process.env['FIRST_SEED'] ?? 100)
const seeds = Array.from({ length: Number(process.env['SEEDS'] ?? 12) }, (_, i) => firstSeed + i)

const named: readonly {
  title: string
  conditions: PathConditions
  both?: AnyOptions
  traffic?: Partial<TrafficOptions>
}[] = [
  { title: '5 % loss', conditions: { latencyMs: 25, lossRatio: 0.05 } },
  { title: '20 % loss', conditions: { latencyMs: 25, jitterMs: 10, lossRatio: 0.2 } },
  { title: '30 % of all datagrams doubled', conditions: { latencyMs: 25, jitterMs: 5, duplicateRatio: 0.3 } },
  {
    title: 'datagrams overtaking each other by up to 200 ms',
    conditions: { latencyMs: 20, jitterMs: 15, keepOrder: false, reorderRatio: 0.3, reorderByMs: [0, 200] },
  },
  {
    title: 'loss, doubling and reordering at once',
    conditions: {
      latencyMs: 40,
      jitterMs: 30,
      keepOrder: false,
      lossRatio: 0.1,
      duplicateRatio: 0.1,
      reorderRatio: 0.1,
      reorderByMs: [0, 150],
    },
  },
  { title: 'bursts of loss of 200 ms', conditions: { latencyMs: 20, burstLoss: { lossRatio: 0.1, meanBurstMs: 200 } } },
  { title: 'a path of 30 kB a second with a short queue', conditions: { latencyMs: 20, rateBytesPerSecond: 30_000, queueBytes: 15_000 } },
  {
    title: 'damage that CRC-32 must find',
    conditions: { latencyMs: 20, corruptRatio: 0.1, truncateRatio: 0.05, extendRatio: 0.05 },
    both: { checksum: 'crc32' },
  },
  { title: 'old datagrams that come again and again', conditions: { latencyMs: 20, replayRatio: 0.5, lossRatio: 0.05 } },
  { title: 'a train in the country', conditions: profiles.lteTrain },
  { title: 'a round trip of 600 ms with 10 % loss', conditions: { latencyMs: 300, lossRatio: 0.1 } },
  {
    title: '10 % loss, CRC-32 and the range coder',
    conditions: { latencyMs: 20, lossRatio: 0.1 },
    both: { checksum: 'crc32', compression: 'rangeCoder' },
    // The C library crashes when it compresses an empty packet.
    traffic: { minBytes: 1 },
  },
  { title: '10 % loss and C programs that look every 33 ms', conditions: { latencyMs: 20, lossRatio: 0.1 }, both: { pollMs: 33 } },
  {
    title: '10 % loss and only large packets in flight',
    conditions: { latencyMs: 20, lossRatio: 0.1 },
    traffic: { maxBytes: 60_000, packets: 120, deliveries: ['reliable', 'unreliable'] },
  },
]

/** How soon the C library gives up is not the question here: its repeats double their distance without end, so that with a fifth of
 * all datagrams lost it would, in one conversation of a hundred. */
function bePatient(pair: Pair): void {
  for (const peer of [pair.clientPeer, pair.serverPeer]) peer.setTimeout({ limit: 1_024, minimumMs: 30_000, maximumMs: 60_000 })
}

for (const roles of bothWays) {
  for (const { title, conditions, both = {}, traffic } of named) {
    t.test(`${roles.title}: conversation through ${title}`, skip, (t) => {
      const pair = connectedPair(roles, { seed: 17, conditions, both })
      bePatient(pair)
      const books = converse(pair, { seed: 17, packets: 400, channels: 4, ...traffic })
      t.same([...books.up.wrong, ...books.down.wrong], [])
      t.same([books.up.owed, books.down.owed], [0, 0], 'everything reliable has come')
      t.same([pair.client.of('disconnect').length, pair.server.of('disconnect').length], [0, 0])
      const { up, down } = books
      t.ok(up.received.unreliable >= 10 && down.received.unreliable >= 10, 'and some of what is not')
      t.end()
    })
  }

  for (const seed of seeds) {
    t.test(`${roles.title}: random conversation on a random network, seed ${seed}`, skip, (t) => {
      const random = new SeededRandom(seed)
      const pick = <T>(...from: readonly T[]): T => from[random.below(from.length)]!
      const both: AnyOptions = {
        mtu: pick(576, 800, 1200, 1400, 2000),
        checksum: pick('none', 'none', 'crc32', 'fnv'),
        compression: pick('none', 'none', 'rangeCoder', 'runLengths'),
        pollMs: pick(1, 5, 16, 33),
        throttle: pick('none', 'enet'),
        sentTime: pick('unique', 'clock'),
        incomingBandwidthBytesPerSecond: pick(0, 0, 40_000, 500_000),
        outgoingBandwidthBytesPerSecond: pick(0, 0, 40_000, 500_000),
      }
      const conditions = {
        latencyMs: random.below(80),
        jitterMs: random.below(60),
        keepOrder: random.chance(0.5),
        lossRatio: random.unit() * 0.18,
        duplicateRatio: random.unit() * 0.2,
        reorderRatio: random.unit() * 0.2,
        reorderByMs: [0, random.below(200)] as const,
      }
      const channels = pick(1, 2, 4, 16, 255)
      const pair = connectedPair(roles, { seed, both, conditions, channels })
      bePatient(pair)
      const packets = 100 + random.below(200)
      const minBytes = both.compression === 'none' ? 0 : 1
      const books = converse(pair, { seed, packets, channels, minBytes, maxBytes: pick(200, 3_000, 30_000) })
      const setting = JSON.stringify({ seed, both, conditions, channels, packets })
      t.same([...books.up.wrong, ...books.down.wrong], [], setting)
      t.same([books.up.owed, books.down.owed], [0, 0], setting)
      t.end()
    })
  }
}
