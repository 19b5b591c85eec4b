// The host as a whole: time as it is told, chance as it is given, books that add up, many idle peers, limits.

import t from 'tap'
import { Host } from '../../../src/transport/core/host.ts'
import { Network } from '../../../src/transport/simulator/network.ts'
import type { HostEvent } from '../../../src/transport/types.ts'
import { command, datagram, drain, eventsOf, Puppet } from '../../support/puppet.ts'
import { packet, pair, range, Side, strangers } from '../../support/pair.ts'
import { watched } from '../../support/watched.ts'

// ---------------------------------------------------------------- time

t.test('any origin of the clock is as good as any other: the same run, shifted', (t) => {
  const run = (clockOffsetMs: number): unknown => {
    const { a, b, network } = pair({ seed: 3, path: { latencyMs: 20, jitterMs: 10, lossRatio: 0.1 }, nodeA: { clockOffsetMs },
      nodeB: { clockOffsetMs } })
    const times: unknown[] = []
    b.onEvent = (event) => { if (event.type === 'receive') times.push([Math.round(network.now * 100), event.channel, [...event.bytes]]) }
    for (let i = 0; i < 50; i++) network.at(1_000 + i * 25, () => a.peer.send(i % 4, packet(i), i % 3 === 0 ? 'unreliable' : 'reliable'))
    network.runFor(20_000)
    a.peer.disconnect()
    network.runFor(1_000)
    return [times, b.of('disconnect').map(({ reason }) => reason)]
  }
  const plain = run(0)
  // Whole milliseconds that floating point can tell apart: the wraps of 16 and 32 bits, beyond them, and far from everything.
  for (const offset of [65_536 - 1_500, 2 ** 31 - 1_200, 2 ** 32 - 1_300, 2 ** 40]) t.same(run(offset), plain, `${offset}`)
  t.end()
})

t.test('a clock that starts at a huge number, is negative, or runs crooked works', (t) => {
  for (const nodeA of [{ clockOffsetMs: 1e14 }, { clockOffsetMs: -1e9 }, { clockRate: 1.02 },
    { clockOffsetMs: 4_294_960_000, clockRate: 0.97 }]) {
    const { a, b, network } = pair({ nodeA, path: { latencyMs: 20, lossRatio: 0.1 } })
    for (let i = 0; i < 50; i++) network.at(network.now + i * 200, () => {
      a.peer.send(0, packet(i))
      b.peer.send(0, packet(i))
    })
    network.runFor(30_000)
    t.same([a.numbers, b.numbers], [range(50), range(50)], JSON.stringify(nodeA))
    t.same([a.of('disconnect'), b.of('disconnect')], [[], []])
    t.ok(a.peer.stats.roundTripMs > 38 && a.peer.stats.roundTripMs < 80, `${a.peer.stats.roundTripMs}`)
  }
  t.end()
})

t.test('a clock that jumps ahead by a minute is a stall, and costs no connection', (t) => {
  const { a, b, network } = pair()
  network.runFor(1_000)
  network.adjustClock('b', { jumpMs: 60_000 })
  for (let i = 0; i < 10; i++) network.at(network.now + i * 100, () => b.peer.send(0, packet(i)))
  network.runFor(10_000)
  t.same([a.of('disconnect'), b.of('disconnect'), a.numbers], [[], [], range(10)])
  t.equal(b.of('diagnostic').length, 1)
  t.end()
})

t.test('time that runs backwards stands still', (t) => {
  const host = new Host({ seed: 1 })
  const client = new Puppet(host, undefined, 10_000)
  const peer = client.connect()
  client.pass(1_000, 10)
  for (const now of [5_000, 0, -1, NaN, 10_999]) {
    host.advance(now)
    host.receive(datagram(client.peerId, client.session, client.sentTime++, command('ping', { channel: 255, sequence: 2 })), client.address,
      now)
    t.ok(host.deadline() > 10_900, `${now}: deadline ${host.deadline()}`)
    drain(host)
  }
  peer.send(0, packet(1))
  host.advance(3)
  t.equal(drain(host).length, 1)
  t.same([host.peerCount, peer.state, host.stats.stalledMs], [1, 'connected', 0])
  t.end()
})

t.test('pumping without need changes nothing', (t) => {
  const { a, b, network } = pair()
  for (let i = 0; i < 5; i++) a.peer.send(0, packet(i))
  network.runUntil(() => b.received.length === 5)
  network.runFor(200)
  const deadline = a.host.deadline()
  for (let i = 0; i < 100; i++) a.host.advance(network.now)
  t.same([a.host.deadline(), a.host.pollEvent(), drain(a.host)], [deadline, null, []])
  t.end()
})

t.test('wake is called by every command that makes work, so that a sleeping driver looks', (t) => {
  const { a, b, network } = pair()
  network.runFor(100)
  let woken = 0
  a.host.wake = () => { woken++ }
  const commands: readonly (readonly [string, () => unknown])[] = [
    ['send', () => a.peer.send(0, packet(1))], ['broadcast', () => a.host.broadcast(0, packet(2))], ['ping', () => a.peer.ping()],
    ['throttleConfigure', () => a.peer.throttleConfigure(1, 2, 3)], ['setBandwidth', () => a.host.setBandwidth(0, 1_000_000)],
    ['connect', () => a.host.connect(b.address)], ['disconnect', () => a.peer.disconnect()],
      ['disconnectPlain', () => a.peer.disconnectPlain()],
    ['disconnectNow', () => a.peer.disconnectNow()], ['close', () => a.host.close()],
  ]
  for (const [name, call] of commands) {
    const before = woken
    call()
    t.ok(woken > before, name)
  }
  t.end()
})

// ---------------------------------------------------------------- chance

t.test('while the core runs nobody else is asked for time, chance or timers', (t) => {
  const forbidden = (name: string) => (): never => { throw new Error(`${name} was used`) }
  const saved = { now: Date.now, random: Math.random, performance: performance.now, timeout: globalThis.setTimeout,
    interval: globalThis.setInterval,
    immediate: globalThis.setImmediate, values: crypto.getRandomValues }
  const { a, b, network } = pair({ path: { latencyMs: 20, jitterMs: 10, lossRatio: 0.1, corruptRatio: 0.05 } })
  Date.now = forbidden('Date.now')
  Math.random = forbidden('Math.random')
  performance.now = forbidden('performance.now')
  globalThis.setTimeout = forbidden('setTimeout') as unknown as typeof setTimeout
  globalThis.setInterval = forbidden('setInterval') as unknown as typeof setInterval
  globalThis.setImmediate = forbidden('setImmediate') as unknown as typeof setImmediate
  crypto.getRandomValues = forbidden('getRandomValues')
  try {
    for (let i = 0; i < 100; i++) {
      network.at(network.now + i * 10, () => a.peer.send(i % 4, packet(i, i * 40), i % 2 === 0 ? 'reliable' : 'unreliable'))
    }
    network.runFor(3_000)
    b.peer.disconnect()
    const again = a.connect(b)
    network.runFor(3_000)
    again.disconnectNow()
    network.runFor(10_000)
  } finally {
    Date.now = saved.now
    Math.random = saved.random
    performance.now = saved.performance
    globalThis.setTimeout = saved.timeout
    globalThis.setInterval = saved.interval
    globalThis.setImmediate = saved.immediate
    crypto.getRandomValues = saved.values
  }
  t.ok(b.received.length > 40)
  t.end()
})

t.test('all chance comes from options.random: the same bytes make the same run, others make another', (t) => {
  const hash = (random: (bytes: Uint8Array) => void): string => {
    const { a, network } = pair({ hash: true, both: { random } })
    a.peer.send(0, packet(1))
    network.runFor(1_000)
    return network.hash
  }
  const constant = (value: number) => (bytes: Uint8Array): void => { bytes.fill(value) }
  t.equal(hash(constant(7)), hash(constant(7)))
  t.not(hash(constant(7)), hash(constant(8)))
  t.end()
})

t.test('numbers are still unique when chance has run dry', (t) => {
  const { a, b, network } = strangers({ b: { random: (bytes) => { bytes.fill(0) } } })
  for (let i = 0; i < 12; i++) {
    a.connect(b)
    network.runUntil(() => b.of('connect').length === i + 1)
  }
  t.equal(new Set(b.host.peers.map((peer) => (peer as typeof b.peer).wireId)).size, 12)
  b.host.peers.forEach((peer, i) => peer.send(0, packet(i)))
  network.runFor(500)
  t.same([...a.numbers].sort((x, y) => x - y), range(12))
  t.end()
})

t.test('the same seed gives the same run, bit for bit; another one another', (t) => {
  const run = (seed: number): string => {
    const { a, b, network } = pair({ seed, hash: true,
      path: { latencyMs: 30, jitterMs: 30, lossRatio: 0.1, duplicateRatio: 0.05, reorderRatio: 0.1 } })
    for (let i = 0; i < 200; i++) network.at(network.now + i * 10, () => {
      a.peer.send(i % 4, packet(i, (i * 97) % 3_000), (['reliable', 'unreliable', 'unsequenced'] as const)[i % 3]!)
      if (i % 5 === 0) b.peer.send(0, packet(i, 10_000))
    })
    network.runFor(10_000)
    return network.hash
  }
  t.equal(run(5), run(5))
  t.not(run(5), run(6))
  t.end()
})

// ---------------------------------------------------------------- the books

t.test('what the host counts is what went over the wire', (t) => {
  const { a, b, network } = pair({ path: { latencyMs: 20, lossRatio: 0.1, duplicateRatio: 0.1 } })
  for (let i = 0; i < 100; i++) a.peer.send(0, packet(i, i * 20), i % 2 === 0 ? 'reliable' : 'unreliable')
  network.runFor(3_000)
  const [to, from] = [network.link('a', 'b').ledger, network.link('b', 'a').ledger]
  t.match(a.host.stats, { datagramsSent: to.sent, bytesSent: to.bytesSent, datagramsReceived: from.delivered + from.copiesDelivered,
    bytesReceived: from.bytesDelivered })
  t.match(b.host.stats, { datagramsSent: from.sent, bytesSent: from.bytesSent, datagramsReceived: to.delivered + to.copiesDelivered,
    bytesReceived: to.bytesDelivered })
  t.equal(a.host.stats.peers, 1)
  const { stats } = a.peer
  t.equal(stats.messagesSent + a.peer.ledger.throttled, 100)
  t.equal(b.peer.stats.messagesReceived, b.received.length)
  t.equal(stats.bytesSent <= to.bytesSent, true)
  t.ok(stats.lossRatio > 0 && stats.lossRatio < 0.4, `${stats.lossRatio}`)
  t.ok(stats.retransmissions > 0)
  t.end()
})

t.test('the numbers of a connection mean what their names say', (t) => {
  const { a, network } = pair({ path: { to: { latencyMs: 30 }, from: { latencyMs: 20 } }, startMs: 5_000 })
  const fresh = strangers()
  fresh.a.connect(fresh.b)
  t.match(fresh.a.peer.stats, { roundTripMs: 500, connectedMs: 0, messagesPerDatagram: 0, mtu: 1200, minRoundTripMs: Infinity })
  for (let i = 0; i < 60; i++) network.at(network.now + i * 50, () => a.peer.send(0, packet(i)))
  network.runFor(4_000)
  const { stats } = a.peer
  t.ok(Math.abs(stats.roundTripMs - 50) < 0.5 && stats.roundTripDeviationMs < 1, `${stats.roundTripMs} ± ${stats.roundTripDeviationMs}`)
  t.ok(Math.abs(stats.minRoundTripMs - 50) < 0.2 && Math.abs(stats.lastRoundTripMs - 50) < 1)
  t.ok(Math.abs(stats.connectedMs - 4_000) < 600, `${stats.connectedMs}`)
  t.same([stats.lossRatio, stats.retransmissions, stats.inFlightBytes, stats.queuedBytes], [0, 0, 0, 0])
  t.end()
})

t.test('waiting bytes are what the application has not taken, and zero when it has', (t) => {
  const host = new Host({ seed: 1 })
  const client = new Puppet(host)
  const peer = client.connect()
  client.say(command('sendReliable', { sequence: 1 }, new Uint8Array(100)))
  t.equal(peer.stats.waitingBytes, 228)
  client.say(command('sendReliable', { sequence: 3 }, new Uint8Array(50)))
  t.equal(peer.stats.waitingBytes, 228 + 178, 'what waits for a gap counts as well')
  t.equal(host.stats.waitingBytes, 228 + 178)
  eventsOf(host)
  t.equal(peer.stats.waitingBytes, 178)
  client.say(command('sendReliable', { sequence: 2 }))
  eventsOf(host)
  t.same([peer.stats.waitingBytes, host.stats.waitingBytes], [0, 0])
  t.end()
})

t.test('a host that the application does not empty takes no more than its budget, and goes on when it does', (t) => {
  const { b, a, network } = strangers({ b: { receiveBudgetBytes: 100_000, maxPacketBytes: 100_000 }, a: { maxPacketBytes: 100_000 } })
  const lazy = watched(b.host)
  network.replace('b', lazy)
  a.connect(b)
  network.runUntil(() => b.of('connect').length === 1)
  lazy.asleep = true
  for (let i = 0; i < 200; i++) a.peer.send(0, packet(i, 5_000))
  network.runFor(5_000)
  t.ok(b.peer.stats.waitingBytes <= 300_000, `${b.peer.stats.waitingBytes}`)
  t.ok(b.host.ledger.budget > 0)
  t.equal(b.received.length, 0)
  t.equal(a.of('disconnect').length, 0, 'a slow consumer is not a dead peer')
  lazy.asleep = false
  lazy.wake?.()
  network.runUntil(() => b.received.length === 200)
  t.same(b.numbers, range(200))
  t.equal(b.host.stats.waitingBytes, 0)
  t.end()
})

t.test('the budget of the host is shared by its peers', (t) => {
  const host = new Host({ seed: 1, hostReceiveBudgetBytes: 65_536 })
  const clients = range(3).map((i) => new Puppet(host, { address: `192.0.2.${i}`, port: 5 }))
  for (const client of clients) client.connect()
  const gaps = (client: Puppet, from: number): void => {
    for (let i = 0; i < 40; i++) client.say(command('sendReliable', { sequence: from + i }, new Uint8Array(1_000)))
  }
  gaps(clients[0]!, 2)
  gaps(clients[1]!, 2)
  t.ok(host.stats.waitingBytes <= 65_536 && host.stats.waitingBytes > 60_000, `${host.stats.waitingBytes}`)
  t.ok(host.ledger.budget > 0)
  clients[2]!.say(command('sendReliable', { sequence: 1 }, 'next in order'))
  t.match(eventsOf(host), [{ type: 'receive' }], 'what is next in order is always taken')
  clients[0]!.mutter(command('disconnect', { channel: 255, sequence: 2 }, '', 0x44))
  clients[1]!.mutter(command('disconnect', { channel: 255, sequence: 2 }, '', 0x44))
  eventsOf(host)
  t.equal(host.stats.waitingBytes, 0)
  t.end()
})

// ---------------------------------------------------------------- limits

t.test('a stated limit is kept to, whoever states it, and everything reliable arrives', (t) => {
  for (const [a, b] of [[{ outgoingBandwidthBytesPerSecond: 50_000 }, {}], [{}, { incomingBandwidthBytesPerSecond: 50_000 }]] as const) {
    const sides = pair({ a, b, path: { latencyMs: 20 } })
    const { network } = sides
    for (let i = 0; i < 300; i++) {
      sides.a.peer.send(i % 2, packet(i, 900), i % 3 === 0 ? { delivery: 'unreliable', expiresMs: 60_000 } : 'reliable')
    }
    const began = network.now
    network.runUntil(() => sides.b.received.length >= 300, { limitMs: 30_000 })
    const seconds = (network.now - began) / 1_000
    const rate = network.link('a', 'b').ledger.bytesSent / seconds
    t.ok(rate <= 56_000 && rate > 40_000, `${Math.round(rate)} bytes per second`)
    t.equal(sides.b.received.filter(({ delivery }) => delivery === 'reliable').length, 200)
  }
  t.end()
})

t.test('a limit can be changed, told to all peers, and lifted', (t) => {
  const { a, b, network } = pair()
  b.host.setBandwidth(40_000, 0)
  network.runFor(200)
  const before = network.link('a', 'b').ledger.bytesSent
  a.peer.send(0, new Uint8Array(200_000))
  network.runFor(2_000)
  const limited = network.link('a', 'b').ledger.bytesSent - before
  t.ok(limited < 100_000 && limited > 60_000, `${limited} in two seconds`)
  b.host.setBandwidth(0, 0)
  network.runUntil(() => b.received.length === 1, { limitMs: 1_000 })
  t.pass('without a limit the rest takes less than a second')
  t.end()
})

t.test('an incoming limit is shared between the peers that there are', (t) => {
  const { a, b, network } = pair({ b: { incomingBandwidthBytesPerSecond: 60_000 } })
  a.connect(b)
  network.runFor(3_000)
  const told = a.of('connect').map(({ peer }) => (peer as typeof a.peer).peerIncomingBandwidth)
  t.same(told, [30_000, 30_000])
  a.peer.disconnect()
  network.runFor(3_000)
  t.same((a.of('connect')[0]?.peer as typeof a.peer).peerIncomingBandwidth, 60_000)
  t.end()
})

t.test('BANDWIDTH_LIMIT and THROTTLE_CONFIGURE are acknowledged, applied once, and never by an older one', (t) => {
  const host = new Host({ seed: 1, extension: false })
  const client = new Puppet(host)
  const peer = client.connect()
  const limit = (sequence: number, incomingBandwidth: number): Uint8Array =>
    command('bandwidthLimit', { channel: 255, sequence, incomingBandwidth })
  t.match(client.say(limit(3, 200_000)), [{ commands: [{ name: 'acknowledge', acknowledged: 3 }] }])
  t.equal(peer.stats.windowBytes, 12_288)
  t.match(client.say(limit(2, 70_000)), [{ commands: [{ name: 'acknowledge' }] }], 'overtaken: acknowledged')
  t.equal(peer.stats.windowBytes, 12_288, 'and not applied')
  client.say(limit(3, 70_000))
  t.equal(peer.stats.windowBytes, 12_288, 'nor is one with a number that has been seen')
  client.say(limit(3 + 1_025, 70_000))
  t.equal(peer.stats.windowBytes, 12_288, 'nor one too far ahead')
  client.say(limit(4, 0))
  t.ok(peer.stats.windowBytes > 1_000_000, 'no limit')
  t.match(client.say(command('throttleConfigure',
    { channel: 255, sequence: 5, throttleInterval: 9, throttleAcceleration: 8, throttleDeceleration: 7 })),
    [{ commands: [{ name: 'acknowledge' }] }])
  t.match(peer.throttle, { intervalMs: 9, acceleration: 8, deceleration: 7 })
  t.end()
})

t.test('strictWindow keeps to ENet\'s 64 KiB in flight; without it the path is filled', (t) => {
  for (const strictWindow of [true, false]) {
    const { a, b, network } = pair({ both: { strictWindow }, path: { latencyMs: 100 } })
    let most = 0
    network.every(5, () => { most = Math.max(most, a.peer.stats.inFlightBytes) })
    a.peer.send(0, new Uint8Array(1_000_000))
    network.runUntil(() => b.received.length === 1)
    t.ok(strictWindow ? most <= 65_536 : most > 100_000, `${most} in flight`)
    t.ok(most <= a.peer.stats.windowBytes)
  }
  t.end()
})

t.test('a window that the other side states is kept to by bulk; small packets may go a little beyond', (t) => {
  const { a, b, network } = pair({ b: { incomingBandwidthBytesPerSecond: 131_072 }, path: { latencyMs: 50 } })
  let most = 0
  network.every(1, () => { most = Math.max(most, a.peer.stats.inFlightBytes) })
  a.peer.send(0, new Uint8Array(100_000))
  network.runFor(1_000)
  t.ok(most <= 8_192, `${most} of 8,192`)
  for (let i = 0; i < 100; i++) a.peer.send(1, packet(i, 400))
  network.runUntil(() => b.received.length === 101, { limitMs: 20_000 })
  t.ok(most <= 8_192 + 4_800, `${most} with small packets`)
  t.end()
})

t.test('ENet\'s throttle, on request, drops unreliable packets when the round trip rises, and counts them', (t) => {
  const { a, b, network } = pair({ both: { throttle: 'enet' } })
  a.peer.throttleConfigure(8_000, 2, 4)
  for (let i = 0; i < 600; i++) {
    network.at(network.now + i * 20, () => {
      a.peer.send(0, packet(i), 'unreliable')
      a.peer.send(1, packet(i))
    })
  }
  network.at(network.now + 9_000, () => network.path('a', 'b', { latencyMs: 40 }))
  network.runFor(20_000)
  t.ok(a.peer.ledger.throttled > 20, `${a.peer.ledger.throttled}`)
  const unreliable = b.received.filter(({ channel }) => channel === 0).length
  t.equal(unreliable + a.peer.ledger.throttled, 600)
  t.equal(b.received.filter(({ channel }) => channel === 1).length, 600)
  t.end()
})

// ---------------------------------------------------------------- many

t.test('idle peers cost next to nothing: 4,000 of them, datagrams and wake-ups for each virtual second', (t) => {
  const network = new Network({ seed: 1, path: { latencyMs: 10 }, hash: false })
  const server = new Side(network, 'server', { seed: 1, maxPeers: 4_000 }, {})
  const counted = watched(server.host)
  network.replace('server', counted)
  const clients = range(8).map((i) => new Side(network, `client ${i}`, { seed: 10 + i, maxPeers: 500, connectTimeoutMs: 60_000 }, {}))
  for (const client of clients) for (let i = 0; i < 500; i++) client.connect(server)
  network.runUntil(() => server.host.peers.length === 4_000, { limitMs: 60_000 })
  network.runFor(20_000)
  const before = { sent: server.node.datagramsSent, advances: counted.advances }
  network.runFor(20_000)
  const perPeerSecond = (server.node.datagramsSent - before.sent) / 4_000 / 20
  t.ok(perPeerSecond < 0.6, `${perPeerSecond} datagrams for each peer and second`)
  t.ok((counted.advances - before.advances) / 20 < 3_000, `${(counted.advances - before.advances) / 20} wake-ups a second`)
  t.equal(server.host.peerCount, 4_000)
  t.equal(server.of('disconnect').length, 0)
  t.end()
})

t.test('a busy peer among many idle ones is served as if it were alone', (t) => {
  const network = new Network({ seed: 1, path: { latencyMs: 10 }, hash: false })
  const server = new Side(network, 'server', { seed: 1, maxPeers: 1_001 }, {})
  server.onEvent = (event) => { if (event.type === 'receive') event.peer.send(0, event.bytes) }
  const crowd = new Side(network, 'crowd', { seed: 2, maxPeers: 1_000, connectTimeoutMs: 60_000 }, {})
  for (let i = 0; i < 1_000; i++) crowd.connect(server)
  const client = new Side(network, 'client', { seed: 3 }, {})
  client.connect(server)
  network.runUntil(() => server.host.peers.length === 1_001)
  for (let i = 0; i < 50; i++) {
    client.peer.send(0, packet(i))
    t.equal(network.runUntil(() => client.received.length === i + 1), 20)
  }
  t.end()
})

t.test('idle connections are pinged, less and less, and stay', (t) => {
  const { a, b, network } = pair()
  const perSecond: number[] = []
  for (let i = 0; i < 30; i++) {
    const before = a.node.datagramsSent + b.node.datagramsSent
    network.runFor(1_000)
    perSecond.push(a.node.datagramsSent + b.node.datagramsSent - before)
  }
  t.ok(perSecond.slice(5).every((count) => count <= 4) && perSecond.slice(10).some((count) => count > 0), `${perSecond}`)
  t.same([a.of('disconnect'), b.of('disconnect')], [[], []])
  a.peer.pingIntervalMs = 100
  network.runFor(10_000)
  const busy = a.node.datagramsSent
  a.peer.ping()
  network.runFor(50)
  t.ok(a.node.datagramsSent > busy, 'a ping on request leaves at once')
  t.end()
})

t.test('a ping can be asked for its answer', (t) => {
  const { a, network } = pair({ path: { latencyMs: 25 } })
  network.runFor(1_000)
  const answers: { roundTripMs: number; transmissions: number }[] = []
  a.peer.ping((answer) => answers.push(answer))
  network.runFor(200)
  t.equal(answers.length, 1)
  t.ok(Math.abs((answers[0]?.roundTripMs ?? 0) - 50) < 1)
  t.equal(answers[0]?.transmissions, 1)
  const errors: unknown[] = []
  a.host.onListenerError = (error) => errors.push(error)
  a.peer.ping(() => { throw new Error('mine') })
  network.runFor(200)
  t.match(errors, [{ message: 'mine' }])
  t.end()
})

t.test('channels beyond the agreed ones do not exist, in either direction', (t) => {
  const host = new Host({ seed: 1 })
  const client = new Puppet(host)
  const peer = client.connect({ channelCount: 3 })
  client.say(command('sendReliable', { channel: 2, sequence: 1 }, 'last'))
  t.equal(eventsOf(host).length, 1)
  for (const name of ['sendReliable', 'sendUnreliable', 'sendUnsequenced'] as const) {
    client.say(command(name, { channel: 3, sequence: 1, second: 1 }, 'x'))
  }
  t.same([eventsOf(host), peer.ledger.malformedCommand], [[], 3])
  t.end()
})

t.test('bytes of strangers do no harm: the posted answers and the table stay bounded', (t) => {
  const host = new Host({ seed: 1, refuseConnections: true })
  for (let i = 0; i < 10_000; i++) new Puppet(host, { address: `192.0.2.${i & 255}`, port: 1 + i }).host.receive(
    datagram(0xfff, 0, 1, command('connect',
      { channel: 255, sequence: 1, peerId: 5, mtu: 1400, windowBytes: 65536, channelCount: 1, connectId: i })),
    { address: '192.0.2.1', port: 1 + i }, 0)
  t.ok(drain(host).length <= 4_096)
  t.equal(host.ledger.refusedConnect, 10_000)
  const types = new Set(eventsOf(host).map((event: HostEvent) => event.type))
  t.same([...types], [])
  t.end()
})
