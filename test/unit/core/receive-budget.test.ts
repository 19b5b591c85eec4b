// What peers can make a host hold, and that nobody waits for ever because of it. SPEC §7.6.

import t from 'tap'
import { ControlNumbers } from '../../../src/transport/core/control-numbers.ts'
import { Host } from '../../../src/transport/core/host.ts'
import { IncomingChannel, Receipt } from '../../../src/transport/core/incoming.ts'
import { PIECE_CHARGE } from '../../../src/transport/core/reassembly.ts'
import { SeededRandom } from '../../../src/util/random.ts'
import { TestInbox } from '../../support/inbox.ts'
import { packet, pair, range } from '../../support/pair.ts'
import { command, eventsOf, Puppet } from '../../support/puppet.ts'

const KIB = 1024

t.test('out of order a peer holds no more than its budget; what is next in order is taken all the same', (t) => {
  const host = new Host({ seed: 1, receiveBudgetBytes: 65_536, maxPacketBytes: 20_000 })
  const client = new Puppet(host)
  const peer = client.connect()
  let taken = 0
  for (let i = 2; i < 200; i++) if (client.say(command('sendReliable', { sequence: i }, new Uint8Array(1_000))).length > 0) taken++
  t.equal(taken, Math.floor(65_536 / (1_000 + PIECE_CHARGE)))
  t.ok(peer.stats.waitingBytes <= 65_536)
  t.equal(peer.ledger.budget, 198 - taken)
  client.say(command('sendReliable', { sequence: 1 }, new Uint8Array(1_000)))
  t.equal(eventsOf(host).length, taken + 1)
  t.equal(peer.stats.waitingBytes, 0)
  t.end()
})

t.test('when the application takes nothing even what is next in order is refused in the end', (t) => {
  const host = new Host({ seed: 1, receiveBudgetBytes: 65_536, maxPacketBytes: 20_000 })
  const client = new Puppet(host)
  const peer = client.connect()
  let next = 1
  while (client.say(command('sendReliable', { sequence: next }, new Uint8Array(1_000))).length > 0 && next < 1_000) next++
  t.equal(next - 1, Math.floor(65_536 / (1_000 + PIECE_CHARGE)) + 1, 'the budget, and the one that exceeds it')
  const before = peer.stats.waitingBytes
  client.mutter(command('sendUnsequenced', { second: 1 }, new Uint8Array(1_000)),
    command('sendUnreliable', { sequence: next - 1, second: 1 }, new Uint8Array(1_000)))
  t.equal(peer.stats.waitingBytes, before)
  t.equal(eventsOf(host).length, next - 1)
  t.equal(client.say(command('sendReliable', { sequence: next }, new Uint8Array(1_000))).length, 1,
    'the refused one is taken when it comes again')
  t.end()
})

t.test('pieces of a packet that is not next are taken within the budget only', (t) => {
  const host = new Host({ seed: 1, receiveBudgetBytes: 65_536, maxPacketBytes: 200_000 })
  const client = new Puppet(host)
  const peer = client.connect()
  const piece = (start: number, number: number): number => client.say(command('sendFragment', {
    sequence: start + number, second: start, fragmentCount: 200, fragmentNumber: number, totalLength: 200_000, offset: number * 1_000,
  }, new Uint8Array(1_000))).length
  let taken = 0
  for (let i = 0; i < 200; i++) taken += piece(2, i)
  t.ok(peer.stats.waitingBytes <= 65_536, `${peer.stats.waitingBytes}`)
  t.equal(taken, 57)
  client.say(command('sendReliable', { sequence: 1 }))
  for (let i = 0; i < 199; i++) piece(2, i)
  t.ok(peer.stats.waitingBytes > 200_000, 'it is next now')
  piece(2, 199)
  t.equal(eventsOf(host).length, 2)
  t.equal(peer.stats.waitingBytes, 0)
  t.end()
})

t.test('many strangers who never finish what they begin make a host hold its budget, one packet more, and a little for each', (t) => {
  const budget = 512 * KIB
  const largest = 256 * KIB
  const host = new Host({ seed: 1, maxPeers: 60, hostReceiveBudgetBytes: budget, maxPacketBytes: largest })
  const peers = range(50).map((i) => {
    const client = new Puppet(host, { address: `192.0.2.${i}`, port: 1 })
    client.connect()
    return client
  })
  let most = 0
  for (let piece = 0; piece < 255; piece++) {
    for (const client of peers) {
      client.say(command('sendFragment', {
        channel: 0, sequence: 1 + piece, second: 1, fragmentCount: 256, fragmentNumber: piece, totalLength: largest, offset: piece * KIB,
      }, new Uint8Array(KIB)))
      most = Math.max(most, host.stats.waitingBytes)
    }
  }
  t.ok(most > budget && most <= budget + 3 * largest + 50 * 16 * KIB, `${most} bytes`)
  // Honest small packets pass all the while.
  const honest = new Puppet(host, { address: '192.0.2.99', port: 1 })
  honest.connect()
  honest.say(command('sendReliable', { sequence: 1 }, new Uint8Array(1_000)))
  t.equal(eventsOf(host).filter(({ type }) => type === 'receive').length, 1)
  for (const client of peers) client.mutter(command('disconnect', { channel: 255, sequence: 2 }, '', 0x44))
  t.equal(host.stats.waitingBytes, 0)
  t.equal(host.beyondBudget, null)
  t.end()
})

t.test('honest packets that together exceed the budget of the host arrive one after the other', (t) => {
  const { a, b, network } = pair({ b: { hostReceiveBudgetBytes: 300_000 }, path: { latencyMs: 5 } })
  for (let i = 0; i < 7; i++) a.connect(b, { channels: 1 })
  network.runUntil(() => b.host.peers.length === 8)
  network.runFor(100)
  a.host.peers.forEach((peer, i) => peer.send(0, packet(i, 200_000)))
  network.runUntil(() => b.received.length === 8, { limitMs: 60_000, what: 'eight packets of 200 kB through a budget of 300' })
  t.same([...b.numbers].sort(), range(8))
  t.equal(b.host.stats.waitingBytes, 0)
  t.same([a.of('disconnect'), b.of('disconnect')], [[], []])
  t.end()
})

t.test('incomplete unreliable packets: sixteen are kept, the oldest goes first, and a newer one that is delivered ends them all', (t) => {
  const inbox = new TestInbox()
  const channel = new IncomingChannel(0, inbox)
  const piece = (packetNumber: number, number: number): Receipt =>
    channel.unreliableFragment(0, packetNumber, number, 2, number * 10, 20, 10, () => new Uint8Array(10).fill(packetNumber))
  for (let i = 1; i <= 20; i++) piece(i, 0)
  t.equal(inbox.counted.incomplete, 4)
  const each = 2 * PIECE_CHARGE + 10
  t.equal(inbox.charged, 16 * each)
  t.equal(piece(4, 1), Receipt.taken, 'the fourth was given up, so this is the beginning of another one')
  piece(7, 1)
  t.same(inbox.packets.map(({ bytes }) => bytes[0]), [7])
  t.equal(piece(6, 1), Receipt.known, 'overtaken')
  piece(20, 1)
  t.same(inbox.packets.map(({ bytes }) => bytes[0]), [7, 20])
  inbox.take()
  t.equal(inbox.charged, 0, 'and the ones between are given back')
  t.end()
})

t.test('a wide ring is charged for, and given back', (t) => {
  const inbox = new TestInbox()
  const channel = new IncomingChannel(0, inbox)
  channel.reliable(20_000, new Uint8Array(10))
  channel.reliable(2, new Uint8Array(10))
  channel.reliable(20_000 - 16_384, new Uint8Array(10))
  t.ok(inbox.charged > 3 * (10 + PIECE_CHARGE) + 100_000, `${inbox.charged}`)
  channel.clear()
  t.equal(inbox.charged, 0)
  t.end()
})

t.test('what is held for long does not pin the datagram that it came in', (t) => {
  const inbox = new TestInbox()
  const channel = new IncomingChannel(0, inbox)
  const whole = new Uint8Array(1_200)
  channel.reliable(2, whole.subarray(100, 120))
  channel.unreliable(3, 1, whole.subarray(200, 220))
  channel.reliable(1, whole.subarray(0, 20))
  channel.reliable(3, whole.subarray(20, 40))
  t.same(inbox.packets.map(({ bytes }) => bytes.buffer === whole.buffer), [true, false, true, false])
  t.end()
})

t.test('numbers of the peer channel: new ones within reach count, late ones too, none twice', (t) => {
  for (const seed of [1, 2, 3]) {
    const random = new SeededRandom(seed)
    const numbers = new ControlNumbers()
    const start = random.below(65_536)
    numbers.highest = start
    const seen = new Set<number>([0])
    let highest = 0
    let sender = 0
    for (let i = 0; i < 20_000; i++) {
      sender += random.below(3)
      const number = Math.max(-40, sender - random.below(seed * 30))
      const lead = number - highest
      const wanted = lead > 0 ? lead <= 1_024 : number > 0 && lead >= -32 && !seen.has(number)
      // What came before the first one counts as seen.
      if (numbers.accept((start + number) & 0xffff) !== wanted) {
        t.fail(`seed ${seed}, step ${i}: ${number} after ${highest}`)
        break
      }
      if (wanted) seen.add(number)
      highest = Math.max(highest, wanted ? number : highest)
    }
    t.ok(highest > 15_000)
  }
  const numbers = new ControlNumbers()
  t.same([1_025, 0x8000, 65_535 - 32, 0].map((number) => numbers.accept(number)), [false, false, false, false])
  t.same([1_024, 1_024, 1_023, 992, 991].map((number) => numbers.accept(number)), [true, false, true, true, false])
  t.end()
})

t.test('of commands that set something only the newest counts, each kind by itself', (t) => {
  const numbers = new ControlNumbers()
  t.same([[10, 5], [10, 4], [11, 4], [10, 65_530], [10, 6], [11, 5]].map(([kind = 0, number = 0]) => numbers.isNewest(kind, number)),
    [true, false, true, false, true, true])
  t.end()
})
