// Every way to end a connection with the C library, from either side: what the other one hears, and what becomes of packets
// that were queued.

import t from 'tap'
import type { Test } from 'tap'
import { SeededRandom } from '../../src/util/random.ts'
import type { AnyPeer, Kind } from './support/any.ts'
import { bothWays, closeHosts, connectedPair, unconnectedPair } from './support/hosts.ts'
import type { PairOptions, Roles } from './support/hosts.ts'
import { skipReason } from './support/native.ts'
import { payload } from './support/payload.ts'
import { keepBooks, sendNoted } from './support/traffic.ts'
import type { Station, World } from './support/world.ts'

t.afterEach(closeHosts)
const skip = { skip: skipReason }

interface Leaving {
  readonly world: World
  /** Who ends it. */
  readonly leaver: Station
  readonly leaverKind: Kind
  readonly peer: AnyPeer
  /** Who hears of it. */
  readonly other: Station
  readonly otherKind: Kind
}

const leaving = (roles: Roles, who: 'client' | 'server', options: PairOptions = {}): Leaving => {
  const pair = connectedPair(roles, options)
  const { world, client, server, clientPeer, serverPeer } = pair
  world.runFor(1_500)
  return who === 'client'
    ? { world, leaver: client, leaverKind: roles.client, peer: clientPeer, other: server, otherKind: roles.server }
    : { world, leaver: server, leaverKind: roles.server, peer: serverPeer, other: client, otherKind: roles.client }
}

/** The other side was told once, with the data; ours also knows by whom. */
const heard = (t: Test, { other, otherKind }: Leaving, data: number): void => {
  t.same(other.of('disconnect').map((event) => event.data), [data], 'the other side is told once')
  if (otherKind === 'ours') t.equal(other.of('disconnect')[0]?.reason, 'remote')
}

for (const roles of bothWays) {
  for (const who of ['client', 'server'] as const) {
    const title = `${roles.title}, the ${who} leaves`

    t.test(`${title} gracefully: what was queued arrives first, then the data of the disconnect`, skip, (t) => {
      const it = leaving(roles, who)
      for (let i = 0; i < 20; i++) it.peer.send(i % 4, payload(1, i, 9_000), 'reliable')
      it.peer.disconnect(0xdeadbeef)
      it.world.runFor(4_000)
      t.equal(it.other.of('receive').length, 20)
      t.equal(it.other.events.at(-1)?.type, 'disconnect', 'the end comes last')
      heard(t, it, 0xdeadbeef)
      t.equal(it.leaver.of('disconnect').length, 1, 'the leaver is told, too')
      if (it.leaverKind === 'ours') t.equal(it.leaver.of('disconnect')[0]?.reason, 'local')
      t.end()
    })

    t.test(`${title} gracefully through 20 % loss: all that was queued arrives`, skip, (t) => {
      const it = leaving(roles, who, { seed: 21, conditions: { latencyMs: 20, jitterMs: 10, lossRatio: 0.2 } })
      for (let i = 0; i < 20; i++) it.peer.send(i % 4, payload(1, i, 4_000), 'reliable')
      it.peer.disconnect(3)
      it.world.runFor(60_000)
      t.equal(it.other.of('receive').length, 20)
      heard(t, it, 3)
      t.equal(it.leaver.of('disconnect').length, 1)
      t.end()
    })

    t.test(`${title} plainly: what was queued is dropped, the data arrives`, skip, (t) => {
      const it = leaving(roles, who)
      it.peer.send(0, payload(1, 1, 100), 'reliable')
      it.peer.disconnectPlain(7)
      it.world.runFor(2_000)
      t.equal(it.other.of('receive').length, 0)
      heard(t, it, 7)
      t.equal(it.leaver.of('disconnect').length, 1)
      t.end()
    })

    t.test(`${title} at once: the other side hears within one way of the link`, skip, (t) => {
      const it = leaving(roles, who, { conditions: { latencyMs: 40 } })
      it.peer.send(0, payload(1, 1, 100), 'reliable')
      it.peer.disconnectNow(0xffffffff)
      it.world.runFor(60)
      heard(t, it, 0xffffffff)
      t.equal(it.other.of('receive').length, 0)
      it.world.runFor(20_000)
      t.equal(it.other.of('disconnect').length, 1, 'and nothing follows')
      t.end()
    })

    t.test(`${title} without a word: the other side times out`, skip, (t) => {
      const it = leaving(roles, who)
      it.peer.reset()
      t.ok(it.world.runUntil(() => it.other.of('disconnect').length > 0, 60_000))
      if (it.otherKind === 'ours') t.equal(it.other.of('disconnect')[0]?.reason, 'timeout')
      it.world.runFor(2_000)
      t.same([it.other.of('disconnect').length, it.leaver.of('disconnect').length], [1, it.leaver.of('disconnect').length])
      t.end()
    })

    t.test(`${title}: a lost DISCONNECT is repeated`, skip, (t) => {
      const it = leaving(roles, who)
      let lost = false
      it.world.loses = (bytes, from) => {
        if (from !== it.leaver || lost || !isDisconnect(bytes)) return false
        lost = true
        return true
      }
      it.peer.disconnectPlain(11)
      it.world.runFor(3_000)
      t.ok(lost)
      heard(t, it, 11)
      t.equal(it.leaver.of('disconnect').length, 1)
      t.end()
    })

    t.test(`${title}: when the acknowledgement of its DISCONNECT is lost, both sides are done all the same`, skip, (t) => {
      const it = leaving(roles, who)
      it.peer.disconnectPlain(12)
      let lost = 0
      it.world.loses = (_, from) => from === it.other && lost++ === 0
      t.ok(it.world.runUntil(() => it.leaver.of('disconnect').length > 0, 40_000))
      heard(t, it, 12)
      it.world.runFor(20_000)
      t.same([it.leaver.of('disconnect').length, it.other.of('disconnect').length], [1, 1])
      t.end()
    })

    t.test(`${title}: packets that arrived just before reach the application`, skip, (t) => {
      const it = leaving(roles, who, { both: { pollMs: 33 } })
      for (let i = 0; i < 5; i++) it.peer.send(0, payload(1, i, 50), 'reliable')
      it.world.runFor(40)
      it.peer.disconnect(1)
      it.world.runFor(2_000)
      t.equal(it.other.of('receive').length, 5)
      heard(t, it, 1)
      t.end()
    })
  }

  for (let seed = 1; seed <= 8; seed++) {
    t.test(`${roles.title}: leaving gracefully in the middle of a conversation on a random network, seed ${seed}`, skip, (t) => {
      const random = new SeededRandom(seed)
      const conditions = {
        latencyMs: random.below(60),
        jitterMs: random.below(40),
        keepOrder: false,
        lossRatio: random.unit() * 0.1,
        duplicateRatio: 0.05,
      }
      const pair = connectedPair(roles, { seed, conditions, both: { pollMs: [1, 5, 33][seed % 3]! } })
      const books = keepBooks(pair)
      const kinds = ['reliable', 'reliable', 'unreliable', 'unsequenced'] as const
      for (let i = 0; i < 100; i++) {
        sendNoted(pair.clientPeer, books.up, seed, i % 4, kinds[random.below(4)]!, random.below(400))
        sendNoted(pair.serverPeer, books.down, seed, i % 4, kinds[random.below(4)]!, random.below(400))
        if (random.chance(0.3)) pair.world.runFor(random.unit() * 40)
      }
      const clientLeaves = random.chance(0.5)
      const [leaver, heir, book] = clientLeaves ? [pair.clientPeer, pair.server, books.up] : [pair.serverPeer, pair.client, books.down]
      leaver.disconnect(seed)
      pair.world.runFor(60_000)
      t.same([...books.up.wrong, ...books.down.wrong], [])
      t.equal(book.owed, 0, 'all that the leaver had sent reliably has arrived')
      t.same([pair.client.of('disconnect').length, pair.server.of('disconnect').length], [1, 1])
      t.equal(heir.of('disconnect')[0]?.data, seed)
      t.equal(heir.events.at(-1)?.type, 'disconnect')
      t.end()
    })
  }

  t.test(`${roles.title}: both leave at the same moment, and both are told`, skip, (t) => {
    const { world, client, server, clientPeer, serverPeer } = connectedPair(roles)
    world.runFor(1_500)
    clientPeer.disconnectPlain(1)
    serverPeer.disconnectPlain(2)
    world.runFor(3_000)
    t.same([client.of('disconnect').length, server.of('disconnect').length], [1, 1])
    t.end()
  })

  t.test(`${roles.title}: a client that gives up while it connects leaves nothing behind, and can come again`, skip, (t) => {
    const { world, client, server } = unconnectedPair(roles, { conditions: { latencyMs: 100 } })
    const first = client.host.connect(server.address, { channels: 1, data: 1 })
    world.runFor(50)
    first.disconnectNow(9)
    // The answer to the first attempt is still on its way. A C client takes it for the second one's and gives that up, too.
    if (roles.client === 'c') world.runFor(900)
    client.host.connect(server.address, { channels: 1, data: 2 })
    world.runFor(5_000)
    t.same(server.of('connect').map(({ data }) => data), [2])
    t.equal(client.of('connect').length, 1)
    client.peer.send(0, payload(1, 1, 10), 'reliable')
    world.runFor(500)
    t.equal(server.of('receive').length, 1)
    t.end()
  })
}

/** A plain datagram whose last command is a DISCONNECT. */
function isDisconnect(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && (bytes[bytes.length - 8]! & 0x0f) === 4 && bytes[bytes.length - 7] === 0xff
}
