// The harness is proved with the C library on both sides before it judges anything of ours.

import t from 'tap'
import { closeHosts, connectedPair } from './support/hosts.ts'
import { Book } from './support/book.ts'
import { skipReason } from './support/native.ts'
import { OraclePeer } from './support/oracle.ts'
import { payload } from './support/payload.ts'
import { converse } from './support/traffic.ts'

const cc = { client: 'c', server: 'c', title: 'C client, C server' } as const

t.afterEach(closeHosts)

t.test('the harness sees a C client and a C server exchange every kind of packet through a bad network', { skip: skipReason }, (t) => {
  const conditions = { latencyMs: 30, jitterMs: 20, keepOrder: false, lossRatio: 0.1, duplicateRatio: 0.05 }
  const pair = connectedPair(cc, { seed: 3, conditions, data: 0xcafebabe })
  t.equal(pair.server.of('connect')[0]?.data, 0xcafebabe)
  const { up, down } = converse(pair, { seed: 3, packets: 300, channels: 4, maxBytes: 20_000 })
  t.same([...up.wrong, ...down.wrong], [])
  t.equal(up.owed + down.owed, 0)
  t.ok(up.received.unreliable > 20 && up.received.unsequenced > 20, 'some unreliable ones come', up.received)
  t.end()
})

t.test('two runs of the C library with one seed give the same datagrams, bit for bit', { skip: skipReason }, (t) => {
  const run = (): string[] => {
    const pair = connectedPair(cc, { seed: 9, conditions: { latencyMs: 5, jitterMs: 9, lossRatio: 0.2 } })
    pair.world.keepTraces = true
    converse(pair, { seed: 9, packets: 60, channels: 2 })
    return pair.world.traces.map(({ at, from, bytes }) => `${at} ${from} ${Buffer.from(bytes).toString('hex')}`)
  }
  const first = run()
  t.ok(first.length > 50)
  t.same(run(), first)
  t.end()
})

t.test('the C library connects on a clean link in virtual time as it does in the captures', { skip: skipReason }, (t) => {
  const { world, clientPeer } = connectedPair(cc, { conditions: { latencyMs: 20 }, both: { pollMs: 1 } })
  world.runFor(3_000)
  t.ok(clientPeer instanceof OraclePeer)
  const info = (clientPeer as OraclePeer).info()
  t.equal(info['state'], 5, 'connected')
  t.ok(info['rtt']! >= 40 && info['rtt']! <= 48, 'round trip of 2 × 20 ms and the polls', info)
  t.equal(info['mtu'], 1400)
  t.end()
})

t.test('the books notice a packet that is lost, doubled, late, damaged, or on the wrong channel', (t) => {
  const opened = (): Book => {
    const book = new Book()
    for (let i = 0; i < 6; i++) book.sent(i % 2, i < 4 ? 'reliable' : 'unreliable', payload(1, i, 10))
    return book
  }
  const arrive = (book: Book, channel: number, number: number, delivery: 'reliable' | 'unreliable', bytes = payload(1, number, 10)): void =>
    book.arrived({ channel, bytes, delivery })

  const good = opened()
  for (const number of [0, 1, 2, 3]) arrive(good, number % 2, number, 'reliable')
  arrive(good, 0, 4, 'unreliable')
  t.same([good.wrong, good.owed], [[], 0])

  const lost = opened()
  arrive(lost, 0, 2, 'reliable')
  t.match(lost.wrong, [/other bytes/], 'number 0 is missing')
  t.equal(opened().owed, 4)

  const doubled = opened()
  arrive(doubled, 1, 5, 'unreliable')
  arrive(doubled, 1, 5, 'unreliable')
  t.match(doubled.wrong, [/came twice/, /came after/])

  const late = opened()
  arrive(late, 0, 4, 'unreliable')
  arrive(late, 0, 0, 'reliable')
  t.match(late.wrong, [/came after packet 4/])

  const damaged = opened()
  arrive(damaged, 0, 0, 'reliable', payload(2, 0, 10))
  t.match(damaged.wrong, [/other bytes/])

  const astray = opened()
  arrive(astray, 0, 5, 'unreliable')
  t.match(astray.wrong, [/sent on channel 1/])
  t.end()
})
