// Bandwidth limits hold packets back, but nobody for ever, nobody more than others, and not the knowledge of who is still there.

import t from 'tap'
import { Network } from '../../../src/transport/simulator/network.ts'
import type { HostOptions } from '../../../src/transport/core/options.ts'
import type { PeerCore } from '../../../src/transport/core/peer.ts'
import { packet, pair, Side } from '../../support/pair.ts'

/** A server with clients that have been connected for two seconds. @returns with the server's connections, in their order */
const star = (clients: number, server: HostOptions, seed = 1): { network: Network; sides: Side[]; peers: PeerCore[] } => {
  const network = new Network({ seed, path: { latencyMs: 20 }, hash: false })
  const hub = new Side(network, 'hub', { seed: 99, ...server }, {})
  const sides = Array.from({ length: clients }, (_, i) => new Side(network, `client ${i}`, { seed: 100 + i }, {}))
  for (const side of sides) side.connect(hub)
  network.runUntil(() => hub.of('connect').length === clients, { what: 'all connects' })
  network.runFor(2_000)
  const peers = sides.map(({ address }) => hub.of('connect').find(({ peer }) => peer.address === address.address && peer.port === address.port)!.peer as PeerCore)
  return { network, sides, peers }
}

t.test('what was lost is sent again although others use up all that the host may send', (t) => {
  for (let seed = 1; seed <= 12; seed++) {
    const { network, sides, peers } = star(3, { outgoingBandwidthBytesPerSecond: 200_000 }, seed)
    let large = 0
    network.link('hub', 'client 0').filter = (bytes) => bytes.length < 700 || ++large <= seed || large > seed + 6
    for (const peer of peers.slice(1)) peer.send(0, new Uint8Array(3_000_000))
    peers[0]!.send(0, new Uint8Array(14_000))
    network.runUntil(() => sides[0]!.received.length === 1, { limitMs: 10_000, what: `the packet with pieces ${seed} to ${seed + 5} lost` })
  }
  t.end()
})

t.test('peers share what the host may send equally, reliable or not', (t) => {
  for (const count of [2, 4, 8]) {
    for (const delivery of ['reliable', 'unreliable'] as const) {
      const { network, peers } = star(count, { outgoingBandwidthBytesPerSecond: 100_000 })
      const before = peers.map(({ bytesSent }) => bytesSent)
      network.every(20, () => { for (const peer of peers) for (let i = 0; i < 5; i++) peer.send(0, packet(i, 500), delivery) })
      network.runFor(10_000)
      const sent = peers.map(({ bytesSent }, i) => bytesSent - before[i]!)
      t.ok(Math.max(...sent) < 1.1 * Math.min(...sent), `${count} peers, ${delivery}: ${sent.join(' ')}`)
      const sum = sent.reduce((a, b) => a + b, 0)
      t.ok(sum > 980_000 && sum < 1_020_000, `${sum} bytes in 10 s`)
    }
  }
  t.end()
})

t.test('a peer that dies is noticed although unreliable packets always wait to leave', (t) => {
  const ways: HostOptions[] = [{}, { throttle: 'enet' }, { congestionControl: false }, { channelPriorities: { 0: { freshnessMs: 0 } } }]
  for (const options of ways) {
    const { network, a } = pair({ path: { latencyMs: 20 }, a: options, b: { incomingBandwidthBytesPerSecond: 5_000 } })
    network.every(20, () => { if (a.peer.state === 'connected') for (let i = 0; i < 3; i++) a.peer.send(0, packet(i, 200), 'unreliable') })
    network.runFor(5_000)
    network.partition('a')
    const ms = network.runUntil(() => a.of('disconnect').length > 0, { limitMs: 40_000, what: `the end with ${JSON.stringify(options)}` })
    t.ok(ms > 5_000 && ms < 7_000, `${ms} ms`)
  }
  t.end()
})

t.test('a limit that is lifted soon after the handshake, or during it, is lifted for the other side, too', (t) => {
  for (const afterMs of [0, 5, 15, 25, 100, 500, 2_000]) {
    const { network, a, b } = pair({ path: { latencyMs: 10 }, b: { incomingBandwidthBytesPerSecond: 50_000 } })
    // Another one, whose handshake may be under way.
    const c = new Side(network, 'c', { seed: 77 }, {})
    c.connect(b)
    network.runFor(afterMs)
    b.host.setBandwidth(0, 0)
    network.runFor(3_000)
    for (const { peer } of [a, c]) {
      t.same([peer.peerIncomingBandwidth, peer.windowBytes], [0, 65_536], `after ${afterMs} ms`)
    }
  }
  t.end()
})

t.test('what waits for a limit leaves at once when it is lifted', (t) => {
  const { network, a, b } = pair({ path: { latencyMs: 10 }, a: { outgoingBandwidthBytesPerSecond: 100 } })
  network.runFor(2_000)
  for (let i = 0; i < 20; i++) a.peer.send(0, packet(i, 900))
  network.runFor(100)
  t.ok(b.received.length < 10)
  a.host.setBandwidth(0, 0)
  network.runFor(100)
  t.equal(b.received.length, 20)
  t.end()
})
