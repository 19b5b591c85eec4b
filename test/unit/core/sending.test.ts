// What an application can ask of a peer when it sends: deliveries of every size, to be told, to wait, to give up, to go first.

import t from 'tap'
import { Host } from '../../../src/transport/core/host.ts'
import type { Delivery, DeliveryOutcome, SendOptions } from '../../../src/transport/types.ts'
import { drain, Puppet } from '../../support/puppet.ts'
import { numberOf, packet, pair, range } from '../../support/pair.ts'

const outcome = (promise: Promise<unknown>): { value: string } => {
  const box = { value: 'pending' }
  promise.then(() => { box.value = 'resolved' }, (error: { code?: string }) => { box.value = error.code ?? String(error) })
  return box
}
/** Lets promises settle. */
const turn = async (): Promise<void> => { for (let i = 0; i < 10; i++) await undefined }

// ---------------------------------------------------------------- sizes

t.test('packets of every size around the borders arrive whole, in every delivery and at every MTU', (t) => {
  for (const mtu of [576, 1200, 1400, 4096]) {
    for (const checksum of ['none', 'crc32'] as const) {
      if (mtu === 4096 && checksum === 'crc32') continue
      const { a, b, network } = pair({ both: { mtu, checksum } })
      let largest = 0
      network.link('a', 'b').filter = (bytes) => {
        largest = Math.max(largest, bytes.length)
        return true
      }
      const piece = mtu - (checksum === 'none' ? 28 : 32)
      const sizes = [0, 1, 2, 3, 24, 25, 999, 1000, 1001, piece - 1, piece, piece + 1, 2 * piece - 1, 2 * piece, 2 * piece + 1, 30_000]
      for (const delivery of ['reliable', 'unreliable', 'unsequenced'] as const) {
        for (const size of sizes) a.peer.send(1, Uint8Array.from({ length: size }, (_, i) => size + i * 7), delivery)
        network.runFor(2_000)
        const got = b.events.splice(0).filter((event) => event.type === 'receive')
        t.same(got.map(({ bytes }) => bytes.length).sort((x, y) => x - y), [...sizes].sort((x, y) => x - y),
          `${delivery}, MTU ${mtu}, ${checksum}`)
        t.ok(got.every(({ bytes }) => bytes.every((byte, i) => byte === ((bytes.length + i * 7) & 0xff))), 'byte for byte')
        // Pieces of an unsequenced packet make it sequenced: it must hold together somewhere.
        t.ok(got.every((event) => event.delivery === delivery || (delivery === 'unsequenced' && event.bytes.length > piece)))
      }
      t.ok(largest <= mtu + (checksum === 'none' ? 0 : 4) && largest > mtu - 30, `${largest} bytes at MTU ${mtu}`)
    }
  }
  t.end()
})

t.test('the largest packet is taken, one byte more is not', (t) => {
  const { a, b, network } = pair({ both: { mtu: 576 } })
  const most = 24_576 * 548
  t.throws(() => a.peer.send(0, new Uint8Array(most + 1)), { code: 'ERR_PACKET_SIZE', message: /at most 13467648 \(MTU 576\)/ })
  const bytes = new Uint8Array(most)
  bytes[most - 1] = 9
  a.peer.send(0, bytes)
  network.runUntil(() => b.received.length === 1, { limitMs: 300_000 })
  t.equal(b.received[0]?.bytes.length, most)
  t.equal(b.received[0]?.bytes[most - 1], 9)
  const { a: large } = pair({ both: { mtu: 4096 } })
  t.throws(() => large.peer.send(0, new Uint8Array(32 * 1024 * 1024 + 1)), { code: 'ERR_PACKET_SIZE', message: /at most 33554432/ })
  const { a: limited } = pair({ both: { maxPacketBytes: 100 } })
  t.throws(() => limited.peer.send(0, new Uint8Array(101)), { code: 'ERR_PACKET_SIZE' })
  t.equal(limited.peer.send(0, new Uint8Array(100)), true)
  t.end()
})

t.test('255 channels, each in its own order', (t) => {
  const { a, b, network } = pair({ channels: 255, path: { latencyMs: 10, jitterMs: 10, lossRatio: 0.1, keepOrder: false } })
  for (let i = 0; i < 4; i++) for (let channel = 0; channel < 255; channel++) a.peer.send(channel, packet(i * 255 + channel))
  network.runUntil(() => b.received.length === 1020)
  for (let channel = 0; channel < 255; channel++) {
    const mine = b.received.filter((event) => event.channel === channel).map(({ bytes }) => numberOf(bytes))
    if (mine.join() !== range(4).map((i) => i * 255 + channel).join()) t.fail(`channel ${channel}: ${mine}`)
  }
  t.throws(() => a.peer.send(255, packet(0)), { code: 'ERR_ARGUMENT' })
  t.end()
})

t.test('an unreliable packet that is too long goes as it was asked to', (t) => {
  for (const [fragment, delivered] of [[undefined, 'unreliable'], [true, 'unreliable'], ['reliable', 'reliable']] as const) {
    const { a, b, network } = pair()
    a.peer.send(0, new Uint8Array(5_000), { delivery: 'unreliable', ...(fragment === undefined ? {} : { fragment }) })
    network.runUntil(() => b.received.length === 1)
    t.equal(b.received[0]?.delivery, delivered)
  }
  const { a } = pair()
  t.throws(() => a.peer.send(0, new Uint8Array(5_000), { delivery: 'unreliable', fragment: false }),
    { code: 'ERR_PACKET_SIZE', message: /1172/ })
  t.equal(a.peer.send(0, new Uint8Array(1_172), { delivery: 'unreliable', fragment: false }), true)
  t.end()
})

t.test('the bytes are copied: what the caller does to them afterwards changes nothing', (t) => {
  const { a, b, network } = pair()
  const bytes = new Uint8Array(3000).fill(7)
  a.peer.send(0, bytes)
  a.host.broadcast(1, bytes)
  bytes.fill(0)
  network.runUntil(() => b.received.length === 2)
  t.ok(b.received.every((event) => event.bytes.every((byte) => byte === 7)))
  t.end()
})

t.test('small packets of one tick share datagrams', (t) => {
  const { a, b, network } = pair()
  network.runFor(100)
  const before = a.node.datagramsSent
  for (let i = 0; i < 30; i++) a.peer.send(i % 4, packet(i), i % 2 === 0 ? 'reliable' : 'unsequenced')
  network.runUntil(() => b.received.length === 30)
  t.equal(a.node.datagramsSent - before, 1)
  t.ok(a.peer.stats.messagesPerDatagram > 10, `${a.peer.stats.messagesPerDatagram}`)
  t.end()
})

t.test('towards a host that is not ours a datagram has at most 32 commands', (t) => {
  const host = new Host({ seed: 1 })
  const client = new Puppet(host)
  const peer = client.connect()
  for (let i = 0; i < 100; i++) peer.send(0, new Uint8Array(2))
  host.advance(1)
  const counts = drain(host).map(({ commands }) => commands.length)
  t.same(counts, [32, 32, 32, 4])
  t.end()
})

// ---------------------------------------------------------------- being told

t.test('a listener hears once what became of its message', (t) => {
  const { a, b, network } = pair({ path: { latencyMs: 20, lossRatio: 0.2 } })
  const told: Record<number, DeliveryOutcome[]> = {}
  const deliveries: readonly Delivery[] = ['reliable', 'unreliable', 'unsequenced']
  for (let i = 0; i < 90; i++) {
    network.at(network.now + i * 20, () => a.peer.send(
      0, packet(i, i % 9 === 0 ? 5_000 : 20), { delivery: deliveries[i % 3]!, onSettled: (o) => (told[i] ??= []).push(o) }))
  }
  network.runFor(10_000)
  t.equal(Object.keys(told).length, 90)
  const arrived = new Set(b.numbers)
  for (let i = 0; i < 90; i++) {
    const got = told[i]
    if (got?.length !== 1) t.fail(`${i}: ${got}`)
    if (i % 3 === 0) t.equal(got?.[0], 'delivered')
    // Between hosts of our own "delivered" is a promise for unreliable ones as well; "lost" may be said too early.
    else if (got?.[0] === 'delivered' && !arrived.has(i)) {
      t.equal(b.host.ledger.stale + b.host.ledger.incomplete > 0, true, `${i} was overtaken`)
    }
    else if (got?.[0] === 'lost') t.equal(i % 3 > 0, true)
  }
  t.ok(Object.values(told).some(([o]) => o === 'lost'))
  t.end()
})

t.test('towards a C peer an unreliable message is delivered when it has left', (t) => {
  const host = new Host({ seed: 1 })
  const client = new Puppet(host)
  const peer = client.connect()
  const told: DeliveryOutcome[] = []
  peer.send(0, new Uint8Array(10), { delivery: 'unreliable', onSettled: (o) => told.push(o) })
  t.same(told, [])
  host.advance(1)
  drain(host)
  t.same(told, ['delivered'])
  t.end()
})

t.test('what a listener throws does not reach the core, and does not vanish', (t) => {
  const { a, b, network } = pair()
  const errors: unknown[] = []
  a.host.onListenerError = (error) => errors.push(error)
  for (let i = 0; i < 3; i++) a.peer.send(0, packet(i), { onSettled: () => { throw new Error(`mine ${i}`) } })
  network.runFor(500)
  t.same(b.numbers, [0, 1, 2])
  t.match(errors, [{ message: 'mine 0' }, { message: 'mine 1' }, { message: 'mine 2' }])
  t.end()
})

t.test('deliver resolves on acknowledgement, and rejects with a reason in every other case', async (t) => {
  const { a, b, network } = pair()
  const good = outcome(a.peer.deliver(0, packet(1)))
  network.runFor(5)
  await turn()
  t.equal(good.value, 'pending')
  network.runFor(100)
  await turn()
  t.equal(good.value, 'resolved')

  t.rejects(a.peer.deliver(9, packet(1)), { code: 'ERR_ARGUMENT' })
  t.rejects(a.peer.deliver(0, new Uint8Array(40_000_000)), { code: 'ERR_PACKET_SIZE' })
  const expired = outcome(a.peer.deliver(0, packet(2), { expiresMs: 1, delivery: 'unreliable', key: 'k' }))
  const superseded = outcome(a.peer.deliver(1, packet(3), { key: 'k' }))
  const newer = outcome(a.peer.deliver(1, packet(4), { key: 'k' }))
  network.stall('a', 200)
  network.runFor(400)
  await turn()
  t.same([superseded.value, newer.value], ['ERR_NOT_DELIVERED', 'resolved'])
  t.not(expired.value, 'pending')

  const lost = outcome(a.peer.deliver(0, packet(5)))
  b.peer.disconnectNow()
  network.partition('a', 'b')
  network.runFor(60_000)
  await turn()
  t.equal(lost.value, 'ERR_DISCONNECTED')
  const late = outcome(a.peer.deliver(0, packet(6)))
  await turn()
  t.equal(late.value, 'ERR_NOT_CONNECTED')
})

t.test('deliver and drained settle in every ending', async (t) => {
  for (const end of ['disconnectPlain', 'disconnectNow', 'reset', 'close', 'destroy', 'remote', 'timeout'] as const) {
    const { a, b, network } = pair({ both: { sendHighMarkBytes: 1000 } })
    network.partition('a', 'b')
    const all = [outcome(a.peer.deliver(0, new Uint8Array(100_000))), outcome(a.peer.deliver(1, packet(1), 'unreliable')),
      outcome(a.peer.drained())]
    if (end === 'close' || end === 'destroy') a.host[end]()
    else if (end === 'remote') {
      network.heal()
      b.peer.disconnectNow()
    } else if (end !== 'timeout') a.peer[end]()
    network.runFor(60_000)
    await turn()
    t.ok(all.every(({ value }) => value !== 'pending'), `${end}: ${all.map(({ value }) => value)}`)
    t.equal(all[0]?.value, 'ERR_DISCONNECTED', end)
    t.equal(all[2]?.value, 'ERR_DISCONNECTED', end)
    await t.rejects(a.peer.drained(), { code: 'ERR_NOT_CONNECTED' })
  }
})

t.test('an AbortSignal ends the wait, not the message', async (t) => {
  const { a, b, network } = pair({ both: { sendHighMarkBytes: 1000 } })
  const aborted = AbortSignal.abort(new Error('before'))
  await t.rejects(a.peer.deliver(0, packet(1), { signal: aborted }), { code: 'ERR_ABORTED', cause: { message: 'before' } })
  await t.rejects(a.peer.drained({ signal: aborted }), { code: 'ERR_ABORTED' })
  const controller = new AbortController()
  const { signal } = controller
  const waits = [outcome(a.peer.deliver(0, packet(2, 5_000), { signal })), outcome(a.peer.drained({ signal }))]
  controller.abort()
  await turn()
  t.same(waits.map(({ value }) => value), ['ERR_ABORTED', 'ERR_ABORTED'])
  network.runFor(1_000)
  t.same(b.numbers, [2], 'the one that was aborted before it was sent was not sent')
  await turn()
  t.same(waits.map(({ value }) => value), ['ERR_ABORTED', 'ERR_ABORTED'])
})

t.test('a listener given to deliver is told as well; if it throws, the promise settles all the same', async (t) => {
  const { a, network } = pair()
  a.host.onListenerError = () => {}
  const told: string[] = []
  const good = outcome(a.peer.deliver(0, packet(1), { onSettled: (o) => told.push(o) }))
  const thrown = outcome(a.peer.deliver(0, packet(2), { onSettled: () => { throw new Error('mine') } }))
  network.runFor(200)
  await turn()
  t.same([told, good.value, thrown.value], [['delivered'], 'resolved', 'resolved'])
})

// ---------------------------------------------------------------- back-pressure

t.test('send answers false above the high mark, and drain follows once at the low mark', async (t) => {
  const { a, b, network } = pair({ both: { sendHighMarkBytes: 10_000, sendLowMarkBytes: 4_000 },
    path: { latencyMs: 10, rateBytesPerSecond: 100_000 } })
  const answers: boolean[] = []
  for (let i = 0; i < 20; i++) answers.push(a.peer.send(0, packet(i, 1_000)))
  t.same(answers, range(20).map((i) => (i + 1) * 1_000 <= 10_000))
  const drained = outcome(a.peer.drained())
  const queued: number[] = []
  a.onEvent = (event) => { if (event.type === 'drain') queued.push(a.peer.queuedBytes) }
  network.runUntil(() => b.received.length === 20)
  await turn()
  t.equal(queued.length, 1)
  t.ok((queued[0] ?? 0) <= 4_000)
  t.equal(drained.value, 'resolved')
  t.equal(outcome(a.peer.drained()).value, 'pending')
  a.peer.send(0, packet(0))
  network.runFor(200)
  t.equal(queued.length, 1, 'none without a false before')
  t.end()
})

t.test('above the cap reliable packets are refused with an error, unreliable ones dropped and counted', (t) => {
  const { a, b, network } = pair({ both: { sendHighMarkBytes: 1_000, sendCapBytes: 10_000 } })
  for (let i = 0; i < 10; i++) a.peer.send(0, packet(i, 1_000))
  t.throws(() => a.peer.send(0, packet(10, 1)), { code: 'ERR_QUEUE_FULL', message: /10000 bytes queued, the cap is 10000/ })
  const told: string[] = []
  t.equal(a.peer.send(0, packet(11), { delivery: 'unreliable', onSettled: (o) => told.push(o) }), false)
  t.same([told, a.peer.ledger.queueFull, a.host.ledger.queueFull], [['queue-full'], 1, 1])
  network.runFor(2_000)
  t.equal(b.received.length, 10)
  t.equal(a.peer.send(0, packet(0, 50_000)), false, 'one packet is always admitted to an empty queue')
  network.runFor(2_000)
  t.equal(b.received.length, 11)
  t.end()
})

t.test('queued bytes and messages are counted down to zero', (t) => {
  const { a, network } = pair({ path: { latencyMs: 10, lossRatio: 0.1 } })
  for (let i = 0; i < 50; i++) a.peer.send(i % 4, packet(i, 3_000), i % 2 === 0 ? 'reliable' : 'unreliable')
  t.same([a.peer.stats.queuedBytes, a.peer.stats.queuedMessages, a.peer.queuedBytes], [150_000, 50, 150_000])
  network.runFor(5_000)
  t.same([a.peer.stats.queuedBytes, a.peer.stats.queuedMessages, a.peer.stats.inFlightBytes], [0, 0, 0])
  t.end()
})

// ---------------------------------------------------------------- order

t.test('a channel of a higher level goes first, even if it was queued last', (t) => {
  const { a, b, network } = pair({ channels: 3, both: { channelPriorities: { 0: { level: 1 }, 2: { level: 6 } } },
    path: { latencyMs: 10, rateBytesPerSecond: 50_000, queueBytes: 1e6 } })
  for (const channel of [0, 1, 2]) for (let i = 0; i < 20; i++) a.peer.send(channel, packet(i, 500))
  network.runUntil(() => b.received.length === 60)
  t.same(b.received.map(({ channel }) => channel),
    [...new Array<number>(20).fill(2), ...new Array<number>(20).fill(1), ...new Array<number>(20).fill(0)])
  t.end()
})

t.test('channels of one level share by weight while both have something large to send', (t) => {
  const { a, b, network } = pair({ channels: 2, path: { latencyMs: 10, rateBytesPerSecond: 200_000, queueBytes: 1e6 } })
  a.peer.setChannelPriority(1, { weight: 30 })
  for (let i = 0; i < 40; i++) for (const channel of [0, 1]) a.peer.send(channel, packet(i, 5_000))
  network.runUntil(() => b.received.filter(({ channel }) => channel === 1).length === 30)
  const first = b.received.filter(({ channel }) => channel === 0).length
  t.ok(first >= 7 && first <= 13, `${first} of channel 0 for 30 of channel 1`)
  t.end()
})

t.test('a small packet does not wait behind a large transfer, on its own channel or another', (t) => {
  const { a, b, network } = pair({ channels: 3, path: { latencyMs: 20, rateBytesPerSecond: 500_000 } })
  network.runFor(500)
  a.peer.send(0, new Uint8Array(3_000_000))
  network.runFor(2_000)
  const took: number[] = []
  b.onEvent = (event) => { if (event.type === 'receive' && event.channel === 1) took.push(network.now) }
  for (let i = 0; i < 20; i++) {
    const at = network.now
    a.peer.send(1, packet(i))
    network.runUntil(() => took.length === i + 1, { limitMs: 5_000 })
    took[i] = took[i]! - at
    network.runFor(37)
  }
  t.ok(Math.max(...took) < 120, `${Math.max(...took)} ms over a path of 20`)
  t.equal(b.received.some(({ channel }) => channel === 0), false, 'the transfer was going on all the time')
  t.end()
})

// ---------------------------------------------------------------- giving up

t.test('a message that has waited too long is given up, one that has begun to leave is not', (t) => {
  const { a, b, network } = pair({ channels: 2, path: { latencyMs: 10, rateBytesPerSecond: 100_000 } })
  network.runFor(100)
  const told: Record<string, string> = {}
  const send = (name: string, size: number, options: SendOptions): void => {
    a.peer.send(0, packet(name.length, size), { ...options, onSettled: (o) => { told[name] = o } })
  }
  send('large', 200_000, { expiresMs: 5 })
  for (const [name, expiresMs] of [['short', 50], ['long', 60_000]] as const) send(name, 5_000, { expiresMs })
  send('unreliable', 5_000, { expiresMs: 50, delivery: 'unreliable' })
  send('eternal', 5_000, {})
  network.runFor(20_000)
  t.same(told, { large: 'delivered', short: 'expired', long: 'delivered', unreliable: 'expired', eternal: 'delivered' })
  t.equal(a.peer.ledger.expired, 2)
  t.equal(b.received.length, 3)
  t.same([a.peer.queuedBytes, a.peer.stats.queuedMessages], [0, 0])
  t.end()
})

t.test('time to live counts from the call, also on a host that has slept before it', (t) => {
  const { a, b, network } = pair()
  network.runFor(3_000)
  a.peer.send(0, packet(1), { expiresMs: 20, delivery: 'unreliable' })
  network.runFor(500)
  t.same(b.numbers, [1])
  network.partition('a', 'b')
  t.end()
})

t.test('a queue of what may expire does not hold anything up when it has', (t) => {
  const { a, b, network } = pair({ both: { strictWindow: true }, path: { latencyMs: 100 } })
  // The window is full for a round trip: what waits behind it expires, what comes later does not.
  for (let i = 0; i < 100; i++) a.peer.send(0, packet(i, 5_000), i < 30 ? {} : { expiresMs: 30 })
  network.runFor(60)
  a.peer.send(0, packet(777))
  network.runFor(5_000)
  t.equal(b.numbers.at(-1), 777)
  t.ok(a.peer.ledger.expired > 0)
  t.equal(a.peer.ledger.expired + b.received.length, 101)
  t.end()
})

t.test('the latest message of a key wins in its place; the receiver sees no gap', (t) => {
  const { a, b, network } = pair()
  network.runFor(100)
  network.stall('a', 0)
  for (let i = 0; i < 10; i++) {
    a.peer.send(0, packet(i), { key: 'position', delivery: 'unreliable' })
    a.peer.send(0, packet(100 + i))
    a.peer.send(1, packet(200 + i), { key: 7 })
  }
  network.runFor(200)
  t.same(b.received.filter(({ channel }) => channel === 0).map(({ bytes }) => numberOf(bytes)), [9, ...range(10).map((i) => 100 + i)])
  t.same(b.received.filter(({ channel }) => channel === 1).map(({ bytes }) => numberOf(bytes)), [209])
  t.equal(a.peer.ledger.superseded, 18)
  t.equal(b.host.ledger.stale, 0)
  t.end()
})

t.test('a replaced message frees its bytes, and may differ in size and delivery', (t) => {
  const { a, b, network } = pair()
  network.runFor(100)
  a.peer.send(0, packet(1, 50_000), { key: 1 })
  a.peer.send(0, packet(2, 10), { key: 1, delivery: 'unreliable' })
  t.same([a.peer.queuedBytes, a.peer.stats.queuedMessages], [10, 1])
  a.peer.send(0, packet(3, 20_000), { key: 1 })
  t.same([a.peer.queuedBytes, a.peer.stats.queuedMessages], [20_000, 1])
  network.runFor(500)
  t.same(b.received.map(({ bytes, delivery }) => [numberOf(bytes), bytes.length, delivery]), [[3, 20_000, 'reliable']])
  t.end()
})

t.test('a key and an expiry together: the newest one\'s time counts', (t) => {
  const { a, b, network } = pair()
  network.runFor(100)
  a.peer.send(0, packet(1), { key: 1, expiresMs: 1 })
  a.peer.send(0, packet(2), { key: 1 })
  network.stall('a', 100)
  network.runFor(300)
  t.same(b.numbers, [2])
  a.peer.send(0, packet(3), { key: 1 })
  a.peer.send(0, packet(4), { key: 1, expiresMs: 60_000 })
  network.runFor(300)
  t.same(b.numbers, [2, 4])
  t.equal(a.peer.ledger.expired, 0)
  t.end()
})

// ---------------------------------------------------------------- everybody

t.test('broadcast reaches every connected peer that has the channel, but for the exceptions', (t) => {
  const { a, b, network } = pair({ channels: 1 })
  const wide = a.connect(b, { channels: 5 })
  network.runUntil(() => b.of('connect').length === 2)
  const [one, two] = b.host.peers
  t.equal(b.host.broadcast(0, packet(1)), 2)
  t.equal(b.host.broadcast(3, packet(2)), 1, 'only one has channel 3')
  t.equal(b.host.broadcast(0, packet(3), 'reliable', one), 1)
  t.equal(b.host.broadcast(0, packet(4), { delivery: 'unreliable' }, new Set([one!, two!])), 0)
  network.runFor(200)
  t.same(a.received.filter(({ peer }) => peer === wide).map(({ bytes }) => numberOf(bytes)).includes(2), true)
  t.same([...a.numbers].sort(), [1, 1, 2, 3])
  t.end()
})

t.test('one peer that cannot take a broadcast does not keep the others from it', (t) => {
  const { a, b, network } = pair({ both: { sendHighMarkBytes: 1_000, sendCapBytes: 2_000 } })
  for (let i = 0; i < 2; i++) a.connect(b, { channels: 4 })
  network.runUntil(() => b.of('connect').length === 3)
  b.host.peers[1]?.send(0, new Uint8Array(2_000))
  t.throws(() => b.host.broadcast(0, packet(1, 10)), { code: 'ERR_QUEUE_FULL' })
  network.runFor(300)
  t.same(a.numbers.filter((number) => number === 1), [1, 1])
  t.end()
})

// ---------------------------------------------------------------- mistakes

t.test('mistakes at a call are errors with a code that name what is legal', (t) => {
  const { a, network } = pair({ channels: 2 })
  const bytes = packet(1)
  const mistakes: readonly (readonly [() => unknown, string, RegExp])[] = [
    [() => a.peer.send(2, bytes), 'ERR_ARGUMENT', /channel is 2; it must be an integer from 0 to 1/],
    [() => a.peer.send(-1, bytes), 'ERR_ARGUMENT', /channel is -1/],
    [() => a.peer.send(0.5, bytes), 'ERR_ARGUMENT', /channel is 0\.5/],
    [() => a.peer.send(0, 'text' as unknown as Uint8Array), 'ERR_ARGUMENT', /bytes is string; it must be a Uint8Array/],
    [() => a.peer.send(0, bytes, 'sometimes' as Delivery), 'ERR_ARGUMENT',
      /delivery is sometimes; it must be 'reliable', 'unreliable' or 'unsequenced'/],
    [() => a.peer.send(0, bytes, { expiresMs: 0 }), 'ERR_ARGUMENT', /expiresMs is 0; it must be from 1 to 86,400,000/],
    [() => a.peer.send(0, bytes, { expiresMs: NaN }), 'ERR_ARGUMENT', /expiresMs is NaN/],
    [() => a.peer.disconnect(-1), 'ERR_ARGUMENT', /data is -1; it must be an integer from 0 to 4294967295/],
    [() => a.peer.disconnectNow(2 ** 32), 'ERR_ARGUMENT', /data/],
    [() => a.peer.disconnectPlain(0.5), 'ERR_ARGUMENT', /data/],
    [() => a.peer.hold(-1), 'ERR_ARGUMENT', /durationMs is -1/],
    [() => a.peer.hold(1e9), 'ERR_ARGUMENT', /86,400,000/],
    [() => a.peer.throttleConfigure(-1, 0, 0), 'ERR_ARGUMENT', /intervalMs is -1/],
    [() => a.peer.throttleConfigure(1, 0.1, 0), 'ERR_ARGUMENT', /acceleration is 0\.1/],
    [() => a.peer.setTimeout({ limit: 1 }), 'ERR_OPTION_RANGE', /timeout\.limit is 1; it must be an integer from 2 to 1048576/],
    [() => { a.peer.pingIntervalMs = 1 }, 'ERR_ARGUMENT', /pingIntervalMs is 1; it must be from 50 to 3,600,000/],
    [() => a.peer.setChannelPriority(9, {}), 'ERR_ARGUMENT', /channel is 9/],
    [() => a.peer.setChannelPriority(0, { level: 8 }), 'ERR_OPTION_RANGE', /priority\.level is 8; it must be an integer from 0 to 7/],
    [() => a.host.setBandwidth(-1, 0), 'ERR_ARGUMENT', /incomingBytesPerSecond is -1/],
    [() => a.host.setBandwidth(0, 0.5), 'ERR_ARGUMENT', /outgoingBytesPerSecond is 0\.5/],
    [() => a.host.connect({ address: '192.0.2.1', port: 0 }), 'ERR_ARGUMENT', /port is 0; it must be an integer from 1 to 65535/],
    [() => a.host.connect({ address: '192.0.2.1', port: 1 }, { channels: 256 }), 'ERR_ARGUMENT',
      /channels is 256; it must be an integer from 1 to 255/],
    [() => a.host.connect({ address: '192.0.2.1', port: 1 }, { data: -1 }), 'ERR_ARGUMENT', /data is -1/],
  ]
  for (const [call, code, message] of mistakes) t.throws(call, { code, message }, String(message))
  network.runFor(100)
  t.match([a.peer.state, a.peer.queuedBytes, a.host.peerCount], ['connected', 0, 1], 'and change nothing')
  const full = new Host({ maxPeers: 1 })
  full.connect({ address: '192.0.2.1', port: 1 })
  t.throws(() => full.connect({ address: '192.0.2.1', port: 1 }),
    { code: 'ERR_NO_SLOT', message: /all 1 slots are taken; raise options\.maxPeers/ })
  const waiting = full.connect.length
  t.ok(waiting >= 1)
  t.end()
})

t.test('before its connect event a peer cannot send', (t) => {
  const host = new Host()
  const peer = host.connect({ address: '192.0.2.1', port: 1 })
  for (const call of [() => peer.send(0, packet(1)), () => peer.ping(), () => peer.throttleConfigure(1, 1, 1)]) {
    t.throws(call, { code: 'ERR_NOT_CONNECTED', message: /peer 0 is connecting/ })
  }
  t.end()
})
