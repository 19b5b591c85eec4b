// Connecting to and from the C library: what is agreed on, what a lost or doubled datagram does to it, and how it fails.

import t from 'tap'
import { bothWays, closeHosts, connectedPair, openHost, unconnectedPair } from './support/hosts.ts'
import type { Kind } from './support/any.ts'
import { skipReason } from './support/native.ts'
import { OraclePeer } from './support/oracle.ts'
import { payload } from './support/payload.ts'
import { converse } from './support/traffic.ts'
import { World } from './support/world.ts'

t.afterEach(closeHosts)
const skip = { skip: skipReason }

for (const roles of bothWays) {
  const who = roles.title

  t.test(`${who}: the 32 bits of the connect arrive with the server's event, and the client's has none`, skip, (t) => {
    const { client, server } = connectedPair(roles, { data: 0xfedcba98 })
    t.equal(server.of('connect')[0]?.data, 0xfedcba98)
    t.equal(client.of('connect')[0]?.data, 0)
    t.end()
  })

  t.test(`${who}: both sides count as many channels as were asked for, up to 255`, skip, (t) => {
    for (const channels of [1, 2, 255]) {
      const { world, clientPeer, serverPeer, server } = connectedPair(roles, { channels, both: { channels: 255 } })
      t.same([clientPeer.channelCount, serverPeer.channelCount], [channels, channels])
      clientPeer.send(channels - 1, payload(1, 1, 20), 'reliable')
      world.runFor(200)
      t.equal(server.of('receive')[0]?.channel, channels - 1)
    }
    t.end()
  })

  t.test(`${who}: a server that allows fewer channels grants fewer, and both sides keep to that`, skip, (t) => {
    const { clientPeer, serverPeer } = connectedPair(roles, { channels: 40, serverOptions: { channels: 3 } })
    t.same([clientPeer.channelCount, serverPeer.channelCount], [3, 3])
    t.end()
  })

  for (const mtu of [576, 1400, 4092]) {
    t.test(`${who}: with MTU ${mtu} at both ends datagrams use it and never exceed it`, skip, (t) => {
      const pair = connectedPair(roles, { both: { mtu } })
      pair.world.keepTraces = true
      const books = converse(pair, { seed: mtu, packets: 40, channels: 4, maxBytes: 30_000, deliveries: ['reliable', 'unreliable'] })
      t.same([...books.up.wrong, ...books.down.wrong, books.up.owed, books.down.owed], [0, 0])
      for (const from of ['client', 'server']) {
        const largest = Math.max(...pair.world.traces.filter((trace) => trace.from === from).map((trace) => trace.bytes.length))
        t.ok(largest <= mtu && largest > mtu - 40, `${from}: ${largest} bytes at most`)
      }
      t.end()
    })
  }

  t.test(`${who}: the smaller MTU of the two counts`, skip, (t) => {
    // A C server of 1.3.17 grants whatever the client asks for; so it is the client's that can be the smaller one.
    const pair = connectedPair(roles, { clientOptions: { mtu: 700 }, serverOptions: { mtu: 1400 } })
    pair.world.keepTraces = true
    converse(pair, { seed: 2, packets: 20, channels: 4, maxBytes: 9_000 })
    const largest = Math.max(...pair.world.traces.map((trace) => trace.bytes.length))
    t.ok(largest <= 700 && largest > 660, `${largest} bytes at most`)
    t.end()
  })

  for (const [what, victim] of [
    ['CONNECT', { from: 'client', nth: 0 }],
    ['VERIFY_CONNECT', { from: 'server', nth: 0 }],
    ["acknowledgement of VERIFY_CONNECT", { from: 'client', nth: 1 }],
  ] as const) {
    t.test(`${who}: a lost ${what} is repaired, and what was sent meanwhile arrives`, skip, (t) => {
      const { world, client, server } = unconnectedPair(roles)
      const seen: Record<string, number> = {}
      world.loses = (_, from) => {
        const nth = (seen[from.name] = (seen[from.name] ?? -1) + 1)
        return from.name === victim.from && nth === victim.nth
      }
      const peer = client.host.connect(server.address, { channels: 2 })
      client.onEvent = (event) => {
        if (event.type === 'connect') for (let i = 0; i < 5; i++) peer.send(1, payload(1, i, 100), 'reliable')
      }
      t.ok(world.runUntil(() => server.of('receive').length === 5, 4_000), 'within 4 s')
      t.equal(world.lost, 1)
      t.same([client.of('connect').length, server.of('connect').length], [1, 1], 'each side is told once')
      t.end()
    })
  }

  t.test(`${who}: a handshake whose every datagram comes twice, and old ones once more, makes one connection`, skip, (t) => {
    const conditions = { latencyMs: 5, duplicateRatio: 1, duplicateByMs: [1, 25] as const, replayRatio: 1 }
    const { world, client, server } = unconnectedPair(roles, { conditions })
    const peer = client.host.connect(server.address, { channels: 2 })
    world.runFor(1_000)
    t.same([client.of('connect').length, server.of('connect').length], [1, 1])
    peer.send(0, payload(1, 0, 50), 'reliable')
    server.peer.send(0, payload(1, 1, 50), 'unsequenced')
    world.runFor(500)
    t.same([client.of('receive').length, server.of('receive').length, client.of('disconnect').length], [1, 1, 0])
    t.end()
  })

  t.test(`${who}: five connections in a row through one slot each all work`, skip, (t) => {
    const { world, client, server } = unconnectedPair(roles, { both: { maxPeers: 1 } })
    for (let round = 1; round <= 5; round++) {
      const peer = client.host.connect(server.address, { channels: 2, data: round })
      const isUp = (): boolean => client.of('connect').length === round && server.of('connect').length === round
      t.ok(world.runUntil(isUp, 3_000), `connection ${round}`)
      t.equal(server.of('connect').at(-1)?.data, round)
      peer.send(1, payload(9, round, 3_000), 'reliable')
      server.peer.send(0, payload(9, round, 30), 'unreliable')
      world.runFor(300)
      t.same([server.of('receive').length, client.of('receive').length], [round, round])
      peer.disconnect(round)
      world.runFor(1_000)
      t.same([client.of('disconnect').length, server.of('disconnect').length], [round, round])
    }
    t.end()
  })

  t.test(`${who}: datagrams of an earlier connection do not disturb the one that follows`, skip, (t) => {
    const { world, client, server } = unconnectedPair(roles, { both: { maxPeers: 1 } })
    world.keepTraces = true
    const first = client.host.connect(server.address, { channels: 2 })
    world.runFor(500)
    for (let i = 0; i < 20; i++) first.send(0, payload(1, i, 40), i % 2 ? 'reliable' : 'unsequenced')
    world.runFor(500)
    first.disconnect(5)
    world.runFor(2_000)
    const old = [...world.traces]
    const second = client.host.connect(server.address, { channels: 2 })
    world.runFor(500)
    const before = [client.events.length, server.events.length]
    for (const { bytes, from } of old.slice(1)) {
      if (from === 'client') world.inject(bytes, client.address, server)
      else world.inject(bytes, server.address, client)
    }
    world.runFor(500)
    t.same([client.events.length, server.events.length], before, 'nothing happens')
    second.send(1, payload(1, 100, 40), 'reliable')
    server.peer.send(1, payload(1, 101, 40), 'reliable')
    world.runFor(500)
    t.same([client.of('receive').at(-1)?.bytes, server.of('receive').at(-1)?.bytes], [payload(1, 101, 40), payload(1, 100, 40)])
    t.end()
  })

  t.test(`${who}: a connect that nobody answers ends with an event`, skip, (t) => {
    const { world, client, server } = unconnectedPair(roles)
    world.loses = () => true
    client.host.connect(server.address, { channels: 2 })
    t.ok(world.runUntil(() => client.of('disconnect').length === 1, 40_000))
    t.equal(client.of('connect').length, 0)
    if (roles.client === 'ours') t.equal(client.of('disconnect')[0]?.reason, 'connect-timeout')
    t.end()
  })

  t.test(`${who}: both sides connecting to each other at once get two connections that work`, skip, (t) => {
    const { world, client, server } = unconnectedPair(roles)
    const there = client.host.connect(server.address, { channels: 2, data: 1 })
    const back = server.host.connect(client.address, { channels: 2, data: 2 })
    world.runFor(1_000)
    t.same(client.of('connect').map(({ data }) => data).sort(), [0, 2])
    t.same(server.of('connect').map(({ data }) => data).sort(), [0, 1])
    there.send(0, payload(1, 1, 10), 'reliable')
    back.send(1, payload(1, 2, 10), 'reliable')
    world.runFor(300)
    t.same([client.of('receive')[0]?.bytes, server.of('receive')[0]?.bytes], [payload(1, 2, 10), payload(1, 1, 10)])
    t.end()
  })
}

const ourServer: Kind = process.env['VAIVEN_INTEROP'] === 'c' ? 'c' : 'ours'

t.test('eight C clients at our server: each gets what was sent to it, and broadcasts reach all', skip, (t) => {
  const world = new World(4, { latencyMs: 15, jitterMs: 10 })
  const server = world.add('server', openHost(ourServer, { maxPeers: 8 }))
  const clients = Array.from({ length: 8 }, (_, i) => world.add(`client ${i}`, openHost('c', { seed: i + 1 })))
  clients.forEach((client, i) => client.host.connect(server.address, { channels: 3, data: i }))
  t.ok(world.runUntil(() => server.of('connect').length === 8, 3_000))
  for (const { peer, data } of server.of('connect')) peer.send(1, payload(2, data, 5_000), 'reliable')
  server.host.broadcast(2, payload(3, 0, 2_000), 'reliable')
  world.runFor(2_000)
  clients.forEach((client, i) => {
    const got = client.of('receive').sort((a, b) => a.channel - b.channel)
    t.same(got.map(({ channel, bytes }) => [channel, bytes]), [[1, payload(2, i, 5_000)], [2, payload(3, 0, 2_000)]], `client ${i}`)
  })
  t.end()
})

t.test('our client connects to a C server that has accepted another one with the same address before', skip, (t) => {
  // The old connection was dropped without a word: the server still has it when the new one comes.
  const roles = bothWays[0]!
  const { world, client, server } = unconnectedPair(roles, { clientOptions: { maxPeers: 2 } })
  const first = client.host.connect(server.address, { channels: 1, data: 1 })
  world.runFor(500)
  first.reset()
  client.host.connect(server.address, { channels: 1, data: 2 })
  t.ok(world.runUntil(() => server.of('connect').some(({ data }) => data === 2), 3_000))
  server.peer.send(0, payload(1, 1, 10), 'reliable')
  world.runFor(500)
  t.same(client.of('receive').map(({ bytes }) => bytes), [payload(1, 1, 10)])
  t.end()
})

t.test('a full C server never answers our client, which says connect-timeout', { skip: skipReason || ourServer === 'c' }, (t) => {
  const world = new World(1, { latencyMs: 10 })
  const server = world.add('server', openHost('c', { maxPeers: 1 }))
  const first = world.add('first', openHost('c'))
  const second = world.add('second', openHost('ours'))
  first.host.connect(server.address)
  world.runFor(500)
  second.host.connect(server.address)
  t.ok(world.runUntil(() => second.of('disconnect').length > 0, 40_000))
  t.match(second.of('disconnect')[0], { reason: 'connect-timeout' })
  t.end()
})

t.test('a C client and our server agree on session numbers that differ from those of the connection before', skip, (t) => {
  const roles = bothWays.at(-1)!
  const { world, client, server } = unconnectedPair(roles, { both: { maxPeers: 1 } })
  const sessions: string[] = []
  for (let round = 0; round < 4; round++) {
    const peer = client.host.connect(server.address) as OraclePeer
    world.runFor(300)
    const { sessionin, sessionout } = peer.info()
    t.ok(sessionin! <= 3 && sessionout! <= 3, 'two bits each')
    sessions.push(`${sessionin} ${sessionout}`)
    peer.disconnect(0)
    world.runFor(300)
  }
  sessions.slice(1).forEach((now, i) => t.not(now, sessions[i], 'neighbours in time differ'))
  t.end()
})
