// Eight hosts with eight sets of options play with each other while connections come and go, paths die and processes stall.
// What must hold does not depend on luck: order, one end for each connection, nothing left over when all have gone.
// VAIVEN_SOAK_MINUTES makes it longer; hours of it were run before the bounds here were set.

import t from 'tap'
import { Host } from '../../src/transport/core/host.ts'
import type { HostOptions } from '../../src/transport/core/options.ts'
import type { Delivery, Peer } from '../../src/transport/types.ts'
import { Network } from '../../src/transport/simulator/network.ts'
import { SeededRandom } from '../../src/util/random.ts'
import { VaivenError } from '../../src/util/errors.ts'

const KINDS: readonly HostOptions[] = [
  {}, { redundancy: 'auto' }, { sentTime: 'clock' }, { extension: false }, { congestionControl: false }, { checksum: 'crc32' },
  { compression: 'rangeCoder' }, { throttle: 'enet', outgoingBandwidthBytesPerSecond: 300_000 },
]

/** What one connection has received. */
interface Heard {
  readonly reliable: Map<number, number>
  readonly unreliable: Map<number, number>
}

const minutes = Number(process.env['VAIVEN_SOAK_MINUTES'] ?? 1)

for (const seed of minutes > 1 ? [1] : [1, 2]) {
  t.test(`${minutes} minutes of eight hosts, seed ${seed}`, (t) => {
    const random = new SeededRandom(seed)
    const chance = (): number => random.unit()
    const path = { latencyMs: 30, jitterMs: 10, lossRatio: 0.02, duplicateRatio: 0.01, reorderRatio: 0.02, rateBytesPerSecond: 2_000_000 }
    const network = new Network({ seed, hash: false, path })
    const wrong: string[] = []
    let connects = 0
    let ends = 0
    let received = 0
    const players = KINDS.map((kind, i) => {
      const host = new Host({ seed: seed * 100 + i, maxPeers: 16, ...kind })
      const node = network.add(`player ${i}`, host)
      const heard = new Map<Peer, Heard>()
      node.onEvent = (event) => {
        if (event.type === 'connect') {
          connects++
          if (heard.has(event.peer)) wrong.push('a second connect event')
          heard.set(event.peer, { reliable: new Map(), unreliable: new Map() })
        } else if (event.type === 'disconnect') {
          if (heard.delete(event.peer)) ends++
          else if (!['connect-timeout', 'refused', 'local', 'host-closed'].includes(event.reason)) wrong.push(`${event.reason} of no connection`)
        } else if (event.type === 'receive') {
          received++
          const so = heard.get(event.peer)
          if (so === undefined) return void wrong.push('a packet of no connection')
          const number = new DataView(event.bytes.buffer, event.bytes.byteOffset).getUint32(0)
          if (event.delivery === 'reliable') {
            const expected = so.reliable.get(event.channel) ?? 0
            if (number !== expected) wrong.push(`channel ${event.channel}: ${number} instead of ${expected}`)
            so.reliable.set(event.channel, number + 1)
          } else if (event.delivery === 'unreliable') {
            if (number <= (so.unreliable.get(event.channel) ?? -1)) wrong.push(`channel ${event.channel}: ${number} is not newer`)
            so.unreliable.set(event.channel, number)
          }
        }
      }
      return { host, node }
    })
    const send = (peer: Peer, channel: number, delivery: Delivery, size: number): void => {
      const counts = (peer.userData ??= new Map<string, number>()) as Map<string, number>
      const number = counts.get(delivery + channel) ?? 0
      const bytes = new Uint8Array(Math.max(4, size))
      new DataView(bytes.buffer).setUint32(0, number)
      peer.send(channel, bytes, delivery)
      counts.set(delivery + channel, number + 1)
    }
    const somebody = (): (typeof players)[number] => players[Math.floor(chance() * players.length)]!

    const calls = [
      network.every(50, () => {
        for (const { host } of players) {
          for (const peer of host.peers) {
            send(peer, 0, 'unreliable', 60 + chance() * 100)
            if (chance() < 0.3) send(peer, 1, 'reliable', 10 + chance() * 200)
            if (chance() < 0.05) send(peer, 2, 'unsequenced', 30)
            if (chance() < 0.002) send(peer, 3, 'reliable', 50_000 * chance())
            if (chance() < 0.005) send(peer, 3, 'unreliable', 3_000)
          }
        }
      }),
      network.every(300, () => {
        const [one, other] = [somebody(), somebody()]
        if (one === other || one.host.peerCount >= 8) return
        try {
          one.host.connect(other.node.address, { channels: 4 })
        } catch (error) {
          if ((error as VaivenError).code !== 'ERR_NO_SLOT') throw error
        }
      }),
      network.every(400, () => {
        const peers = somebody().host.peers
        const peer = peers[Math.floor(chance() * peers.length)]
        const way = chance()
        if (way < 0.5) peer?.disconnect(7)
        else if (way < 0.7) peer?.disconnectPlain()
        else if (way < 0.9) peer?.disconnectNow(3)
        else peer?.reset()
      }),
      network.every(15_000, () => {
        const { node } = somebody()
        network.partition(node)
        network.at(network.now + (chance() < 0.2 ? 40_000 : 3_000 * chance()), () => network.heal(node))
      }),
      network.every(20_000, () => network.stall(somebody().node, 2_000 * chance())),
    ]
    for (let minute = 0; minute < minutes; minute++) {
      network.runFor(60_000)
      for (const { host } of players) {
        t.ok(host.timers.length < 2 * (2 * 16 + 20) + 64, `${host.timers.length} timers`)
        t.ok(host.waitingBytes < 4_000_000, `${host.waitingBytes} bytes held`)
      }
    }
    for (const stop of calls) stop()
    for (const { host } of players) host.close()
    network.heal()
    network.runFor(60_000)
    t.same(wrong.slice(0, 5), [])
    t.equal(ends, connects, 'every connection has ended once')
    t.ok(connects > 100 * minutes && received > 10_000 * minutes, `${connects} connects, ${received} packets`)
    for (const { host } of players) {
      const { closed, waitingBytes, timers, stats } = host
      t.same([closed, waitingBytes, timers.deadline, timers.length, stats.halfOpen, host.deadline()], [true, 0, Infinity, 0, 0, Infinity])
    }
    t.end()
  })
}
