// Everything beside the packets: pings, round trips, timeouts, bandwidth limits, windows and the throttle, with the C library
// on the other side.

import t from 'tap'
import { bothWays, closeHosts, connectedPair, openHost } from './support/hosts.ts'
import type { Pair } from './support/hosts.ts'
import { skipReason } from './support/native.ts'
import { OraclePeer } from './support/oracle.ts'
import { openOurs } from './support/ours.ts'
import { payload } from './support/payload.ts'
import { converse } from './support/traffic.ts'
import { World } from './support/world.ts'

t.afterEach(closeHosts)
const skip = { skip: skipReason }

/** The connection as the C side sees it. */
const cSide = ({ clientPeer, serverPeer }: Pair): OraclePeer => {
  const peer = [serverPeer, clientPeer].find((peer) => peer instanceof OraclePeer)
  if (peer === undefined) throw new Error('no C peer here')
  return peer
}

/** The other one. */
const otherSide = (pair: Pair): { peer: Pair['clientPeer']; station: Pair['client']; cStation: Pair['client'] } =>
  cSide(pair) === pair.serverPeer
    ? { peer: pair.clientPeer, station: pair.client, cStation: pair.server }
    : { peer: pair.serverPeer, station: pair.server, cStation: pair.client }

for (const roles of bothWays) {
  const who = roles.title

  t.test(`${who}: an idle connection lives for ten minutes on pings`, skip, (t) => {
    const pair = connectedPair(roles, { seed: 2, conditions: { latencyMs: 30, lossRatio: 0.05 }, both: { pollMs: 50 } })
    pair.world.runFor(600_000)
    t.same([pair.client.of('disconnect').length, pair.server.of('disconnect').length], [0, 0])
    pair.clientPeer.send(0, payload(1, 1, 10), 'reliable')
    pair.serverPeer.send(0, payload(1, 1, 10), 'reliable')
    pair.world.runFor(5_000)
    t.same([pair.client.of('receive').length, pair.server.of('receive').length], [1, 1])
    t.end()
  })

  t.test(`${who}: nothing waits for an acknowledgement on an idle connection: every command was acknowledged`, skip, (t) => {
    const pair = connectedPair(roles)
    // The first bandwidth limits and pings have come and gone; between two pings all is quiet.
    pair.world.runFor(5_300)
    let quiet = 0
    for (let i = 0; i < 20; i++) {
      pair.world.runFor(50)
      if (cSide(pair).info()['outgoing'] === 0) quiet++
    }
    t.ok(quiet >= 12, `${quiet} of 20 looks`)
    t.end()
  })

  t.test(`${who}: the C library measures the round trip that there is`, skip, (t) => {
    for (const latencyMs of [5, 60, 250]) {
      const pair = connectedPair(roles, { conditions: { latencyMs }, both: { pollMs: 1 } })
      converse(pair, { seed: 1, packets: 200, channels: 2, pauseMs: 100 })
      const { rtt } = cSide(pair).info()
      t.ok(rtt! >= 2 * latencyMs && rtt! <= 2 * latencyMs + 12, `${rtt} ms for twice ${latencyMs}`)
    }
    t.end()
  })

  t.test(`${who}: when the path dies, both sides say so within ENet's limits, and not before`, skip, (t) => {
    const pair = connectedPair(roles, { conditions: { latencyMs: 20 } })
    converse(pair, { seed: 1, packets: 50, channels: 2 })
    pair.world.loses = () => true
    const start = pair.world.now
    pair.clientPeer.send(0, payload(1, 1, 10), 'reliable')
    pair.serverPeer.send(0, payload(1, 1, 10), 'reliable')
    for (const side of [pair.client, pair.server]) {
      side.onEvent = (event) => {
        if (event.type !== 'disconnect') return
        const after = pair.world.now - start
        t.ok(after >= 4_900 && after <= 31_600, `${side.name} after ${Math.round(after)} ms`)
        t.ok(event.reason === null || event.reason === 'timeout')
      }
    }
    pair.world.runFor(40_000)
    t.same([pair.client.of('disconnect').length, pair.server.of('disconnect').length], [1, 1])
    t.end()
  })

  // A C host sends up to 376 datagrams in the last of these cases.
  t.test(`${who}: a peer that has fallen silent is not flooded while it may still come back`, skip, (t) => {
    for (const [bytes, most] of [[0, 100], [100, 100], [64_000, roles.client === roles.server ? 400 : 250]] as const) {
      const pair = connectedPair(roles, { conditions: { latencyMs: 5 } })
      pair.world.runFor(2_000)
      pair.world.keepTraces = true
      pair.world.loses = () => true
      const { peer, station } = otherSide(pair)
      if (bytes > 0) peer.send(0, payload(1, 1, bytes), 'reliable')
      pair.world.runFor(40_000)
      const sent = pair.world.traces.filter(({ from }) => from === station.name).length
      t.ok(sent >= 5 && sent <= most, `${sent} datagrams until it is given up, with ${bytes} bytes to deliver`)
    }
    t.end()
  })

  t.test(`${who}: shorter timeouts hold on either side`, skip, (t) => {
    const pair = connectedPair(roles, { conditions: { latencyMs: 20 } })
    pair.world.runFor(2_000)
    for (const peer of [pair.clientPeer, pair.serverPeer]) peer.setTimeout({ limit: 4, minimumMs: 1_000, maximumMs: 2_000 })
    pair.world.loses = () => true
    pair.clientPeer.send(0, payload(1, 1, 10), 'reliable')
    pair.serverPeer.send(0, payload(1, 1, 10), 'reliable')
    pair.world.runFor(900)
    t.same([pair.client.of('disconnect').length, pair.server.of('disconnect').length], [0, 0])
    pair.world.runFor(4_000)
    t.same([pair.client.of('disconnect').length, pair.server.of('disconnect').length], [1, 1])
    t.end()
  })

  t.test(`${who}: a path that is dead for four seconds does not end the connection, and what waited arrives`, skip, (t) => {
    const pair = connectedPair(roles, { conditions: { latencyMs: 20 } })
    pair.world.runFor(2_000)
    pair.world.loses = () => true
    for (let i = 0; i < 10; i++) {
      pair.clientPeer.send(0, payload(1, i, 500), 'reliable')
      pair.serverPeer.send(0, payload(1, i, 500), 'reliable')
      pair.world.runFor(400)
    }
    pair.world.loses = null
    pair.world.runFor(10_000)
    t.same([pair.client.of('receive').length, pair.server.of('receive').length], [10, 10])
    t.same([pair.client.of('disconnect').length, pair.server.of('disconnect').length], [0, 0])
    t.end()
  })

  for (const still of ['client', 'server'] as const) {
    t.test(`${who}: the ${still}'s program stands still for four seconds, and everything that was sent meanwhile arrives`, skip, (t) => {
      const pair = connectedPair(roles, { conditions: { latencyMs: 20 } })
      pair.world.runFor(2_000)
      pair.world.stall(pair[still], 4_000)
      const [from, to] = still === 'client' ? [pair.serverPeer, pair.client] : [pair.clientPeer, pair.server]
      for (let i = 0; i < 40; i++) {
        from.send(0, payload(1, i, 300), 'reliable')
        pair.world.runFor(100)
      }
      pair.world.runFor(10_000)
      t.equal(to.of('receive').length, 40)
      t.same([pair.client.of('disconnect').length, pair.server.of('disconnect').length], [0, 0])
      t.end()
    })
  }

  t.test(`${who}: bandwidth limits of both hosts make the windows that ENet's formula gives`, skip, (t) => {
    const pair = connectedPair(roles, {
      clientOptions: { incomingBandwidthBytesPerSecond: 600_000, outgoingBandwidthBytesPerSecond: 300_000 },
      serverOptions: { incomingBandwidthBytesPerSecond: 200_000, outgoingBandwidthBytesPerSecond: 500_000 },
    })
    pair.world.runFor(3_000)
    const { window, out: outgoing } = cSide(pair).info()
    // W(b) = b / 65536 windows of 4096 bytes, of the smaller of own outgoing and their incoming limit.
    t.equal(window, cSide(pair) === pair.clientPeer ? 3 * 4096 : 7 * 4096)
    t.equal(outgoing, cSide(pair) === pair.clientPeer ? 500_000 : 300_000, 'and it knows what the other one will send')
    const books = converse(pair, { seed: 3, packets: 100, channels: 2, maxBytes: 20_000 })
    t.same([...books.up.wrong, ...books.down.wrong, books.up.owed, books.down.owed], [0, 0])
    t.end()
  })

  t.test(`${who}: limits changed during the connection reach the C library, and ours live with its changes`, skip, (t) => {
    const pair = connectedPair(roles, { both: { outgoingBandwidthBytesPerSecond: 1_000_000 } })
    const { station, cStation } = otherSide(pair)
    pair.world.runFor(2_000)
    t.equal(cSide(pair).info()['window'], 61_440)
    station.host.setBandwidth(131_072, 1_000_000)
    pair.world.runFor(3_000)
    t.equal(cSide(pair).info()['window'], 8_192)
    cStation.host.setBandwidth(70_000, 1_000_000)
    pair.world.runFor(3_000)
    const books = converse(pair, { seed: 3, packets: 100, channels: 2 })
    t.same([...books.up.wrong, ...books.down.wrong, books.up.owed, books.down.owed], [0, 0])
    t.same([pair.client.of('disconnect').length, pair.server.of('disconnect').length], [0, 0])
    t.end()
  })

  t.test(`${who}: throttle parameters reach the C library, and its own are taken and acknowledged`, skip, (t) => {
    const pair = connectedPair(roles)
    const c = cSide(pair)
    pair.world.runFor(2_000)
    otherSide(pair).peer.throttleConfigure(1_234, 5, 6)
    pair.world.runFor(500)
    const { throttleinterval, throttleacc, throttledec } = c.info()
    t.same([throttleinterval, throttleacc, throttledec], [1_234, 5, 6])
    c.throttleConfigure(4_000, 3, 1)
    pair.world.runFor(40)
    const books = converse(pair, { seed: 3, packets: 50, channels: 2 })
    t.same([...books.up.wrong, ...books.down.wrong, books.up.owed, books.down.owed], [0, 0])
    t.same([pair.client.of('disconnect').length, pair.server.of('disconnect').length], [0, 0])
    t.end()
  })

  t.test(`${who}: an explicit ping is answered, and the interval of pings is what was set`, skip, (t) => {
    const pair = connectedPair(roles, { both: { pollMs: 1 } })
    pair.world.runFor(3_000)
    pair.world.keepTraces = true
    for (const peer of [pair.clientPeer, pair.serverPeer]) peer.pingIntervalMs = 2_000
    pair.world.runFor(20_000)
    const pings = (from: string): number => pair.world.traces.filter((trace) => trace.from === from && isPing(trace.bytes)).length
    for (const side of ['client', 'server']) t.ok(pings(side) >= 8 && pings(side) <= 11, `${side} sent ${pings(side)} pings in 20 s`)
    const before = pings('client')
    pair.clientPeer.ping()
    pair.serverPeer.ping()
    pair.world.runFor(50)
    t.equal(pings('client'), before + 1)
    t.same([pair.client.of('disconnect').length, pair.server.of('disconnect').length], [0, 0])
    t.end()
  })
}

/** A plain datagram that holds one PING (perhaps behind acknowledgements). */
function isPing(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && bytes[bytes.length - 4] === 0x85 && bytes[bytes.length - 3] === 0xff
}

t.test('a C client that loads a level for 25 seconds keeps its place on our server, which was told to hold it', skip, (t) => {
  const world = new World(1, { latencyMs: 20 })
  const ours = openOurs()
  const server = world.add('server', ours)
  const client = world.add('client', openHost('c'))
  client.host.connect(server.address, { channels: 1 })
  world.runFor(2_000)
  const [held] = ours.peers
  held?.hold(26_000)
  server.peer.send(0, payload(1, 1, 100), 'reliable')
  world.stall(client, 25_000)
  world.runFor(40_000)
  t.same([server.of('disconnect').length, client.of('disconnect').length], [0, 0])
  t.equal(client.of('receive').length, 1)
  t.end()
})

t.test('our host with a limit of 40 kB a second sends unreliable packets to a C server at that rate', skip, (t) => {
  const world = new World(1, { latencyMs: 10 })
  const client = world.add('client', openOurs({}, { outgoingBandwidthBytesPerSecond: 40_000, channelPriorities: { 0: { freshnessMs: 0 } } }))
  const server = world.add('server', openHost('c'))
  const peer = client.host.connect(server.address)
  world.runFor(500)
  for (let i = 0; i < 120; i++) peer.send(0, payload(1, i, 1_000), 'unreliable')
  world.runFor(1_000)
  const { length } = server.of('receive')
  t.ok(length >= 35 && length <= 60, `${length} packets in the first second`)
  world.runFor(2_500)
  t.equal(server.of('receive').length, 120, 'and all of them in the end')
  t.end()
})
