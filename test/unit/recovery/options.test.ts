// Options that change what leaves: each does what it says, and data still arrives.

import t from 'tap'
import { describeDatagram } from '../../../src/transport/core/describe.ts'
import { Host } from '../../../src/transport/core/host.ts'
import type { HostOptions } from '../../../src/transport/core/options.ts'
import { Network } from '../../../src/transport/simulator/index.ts'
import type { Conditions } from '../../../src/transport/simulator/index.ts'
import type { HostEvent, Peer } from '../../../src/transport/types.ts'

interface Scene {
  readonly network: Network
  readonly peer: Peer
  readonly host: Host
  readonly sent: { at: number; bytes: Uint8Array }[]
  readonly received: { at: number; channel: number; bytes: Uint8Array }[]
}

const scene = (sender: HostOptions, receiver: HostOptions = {}, path: Conditions = { latencyMs: 25 }): Scene => {
  const sent: Scene['sent'] = []
  const received: Scene['received'] = []
  const network = new Network({ seed: 5, path, hash: false, trace: (event) => {
    if (event.type === 'sent' && event.from === 'sender') sent.push({ at: event.atMs, bytes: event.bytes.slice() })
  } })
  const host = new Host({ seed: 1, ...sender })
  network.add<HostEvent>('sender', host)
  const far = network.add<HostEvent>('receiver', new Host({ seed: 2, ...receiver }), {
    onEvent: (event) => {
      if (event.type === 'receive') received.push({ at: network.now, channel: event.channel, bytes: event.bytes })
    },
  })
  const peer = host.connect(far.address, { channels: 4 })
  network.runFor(1000)
  sent.length = 0
  return { network, peer, host, sent, received }
}

/** The largest amount of reliable payload under way while so much is sent. */
const mostInFlight = ({ network, peer, received }: Scene, bytes: number): number => {
  peer.send(0, new Uint8Array(bytes))
  let most = 0
  while (received.length === 0 && network.now < 60_000) {
    network.runFor(1)
    most = Math.max(most, peer.stats.inFlightBytes)
  }
  t.equal(received[0]?.bytes.length, bytes)
  return most
}

t.test('a window that says no limit is none, unless strictWindow says so', (t) => {
  const path = { latencyMs: 50, rateBytesPerSecond: 10_000_000 }
  t.ok(mostInFlight(scene({}, {}, path), 4_000_000) > 300_000)
  const strict = mostInFlight(scene({ strictWindow: true }, {}, path), 1_000_000)
  t.ok(strict <= 65_536 && strict > 50_000, `${strict} with strictWindow`)
  t.end()
})

t.test('a smaller window is a wish of the other side, and kept to', (t) => {
  // 256 KiB/s incoming: a window of 16 KiB.
  const one = scene({}, { incomingBandwidthBytesPerSecond: 262_144 })
  t.ok(one.peer.stats.windowBytes <= 16_384, `${one.peer.stats.windowBytes}`)
  t.ok(mostInFlight(one, 400_000) <= 16_384)
  t.end()
})

t.test('maxInFlightBytes bounds what is under way', (t) => {
  const path = { latencyMs: 100, rateBytesPerSecond: 10_000_000 }
  t.ok(mostInFlight(scene({ maxInFlightBytes: 100_000 }, {}, path), 2_000_000) <= 100_000)
  t.end()
})

t.test("the other side's incoming limit, and our outgoing one, are rates that are not exceeded", (t) => {
  for (const [sender, receiver] of [
    [{}, { incomingBandwidthBytesPerSecond: 100_000 }],
    [{ outgoingBandwidthBytesPerSecond: 100_000 }, {}],
  ] as [HostOptions, HostOptions][]) {
    const one = scene(sender, receiver)
    one.peer.send(0, new Uint8Array(1_000_000))
    one.network.runFor(5_000)
    const bytes = one.sent.reduce((sum, datagram) => sum + datagram.bytes.length, 0)
    t.ok(bytes <= 1.03 * 100_000 * 5 && bytes > 0.7 * 100_000 * 5, `${bytes} bytes in 5 s`)
  }
  t.end()
})

t.test('without congestion control the window alone decides, as in C', (t) => {
  const one = scene({ congestionControl: false, strictWindow: true })
  one.peer.send(0, new Uint8Array(300_000))
  one.network.runFor(1)
  const bytes = one.sent.reduce((sum, datagram) => sum + datagram.bytes.length, 0)
  t.ok(bytes > 60_000 && bytes < 70_000, `${bytes} bytes at once`)
  one.network.runFor(3_000)
  t.equal(one.received.length, 1)
  t.end()
})

t.test("sentTime 'clock' puts the milliseconds into the header, and recovers all the same", (t) => {
  const one = scene({ sentTime: 'clock' }, {}, { latencyMs: 25, lossRatio: 0.1 })
  for (let i = 0; i < 300; i++) {
    one.peer.send(0, new Uint8Array(40).fill(i))
    one.network.runFor(7)
  }
  for (const { at, bytes } of one.sent) {
    const sentTime = describeDatagram(bytes).header?.sentTime ?? null
    if (sentTime !== null) t.equal((sentTime - Math.floor(at)) & 0xffff, 0)
  }
  one.network.runFor(2_000)
  t.same(one.received.map(({ bytes }) => bytes[0]), Array.from({ length: 300 }, (_, i) => i & 0xff))
  t.end()
})

t.test('redundancy is a matter of each channel', (t) => {
  const one = scene({ channelPriorities: { 1: { redundancy: 2 } } })
  const count = (channel: number): number => {
    const before = one.sent.length
    one.peer.send(channel, new Uint8Array(64))
    one.network.runFor(45)
    const carries = (bytes: Uint8Array): boolean => describeDatagram(bytes).commands.some(({ fields }) => fields['channel'] === channel)
    return one.sent.slice(before).filter(({ bytes }) => carries(bytes)).length
  }
  t.equal(count(0), 1)
  t.equal(count(1), 3)
  one.peer.setChannelPriority(1, { redundancy: 'off' })
  t.equal(count(1), 1)
  t.equal(one.received.length, 3, 'each delivered once')
  t.end()
})

t.test("throttle 'enet' drops by ENet's rule and by no other", (t) => {
  const drops = (throttle: 'none' | 'enet'): number => {
    const one = scene({ throttle }, {}, { latencyMs: 25 })
    for (let i = 0; i < 600; i++) {
      // The round trip rises, as behind a queue.
      one.network.link('sender', 'receiver').conditions = { latencyMs: 25 + 0.25 * i }
      one.peer.send(0, new Uint8Array(20))
      one.peer.send(1, new Uint8Array(100), 'unreliable')
      one.network.runFor(16)
    }
    return one.host.ledger.throttled
  }
  t.equal(drops('none'), 0)
  t.ok(drops('enet') > 50)
  t.end()
})
