// What goes into a datagram, and in which order. SPEC §2.2, §6.5, §6.6, §7.5.

import t from 'tap'
import { Host } from '../../../src/transport/core/host.ts'
import type { HostOptions } from '../../../src/transport/core/options.ts'
import { packet, pair, range } from '../../support/pair.ts'
import { command, drain, Puppet } from '../../support/puppet.ts'
import type { Sent } from '../../support/puppet.ts'

/** A host with one peer that is moved by hand, and has measured a round trip of 40 ms. */
const scene = (options: HostOptions = {}) => {
  const host = new Host({ seed: 2, ...options })
  const client = new Puppet(host)
  const peer = client.connect({}, 40)
  for (let i = 0; i < 40; i++) {
    peer.send(0, new Uint8Array(4))
    const [sent] = client.pass(1)
    if (sent === undefined) throw new Error('nothing left')
    client.pass(39)
    client.say(...sent.commands.map((one) => client.acknowledge(sent, one)))
  }
  return { host, client, peer }
}

const names = (sent: readonly Sent[]): string[][] => sent.map(({ commands }) => commands.map(({ name }) => name))

t.test('acknowledgements come first, then the peer channel, then small packets, then large ones', (t) => {
  const { client, peer } = scene()
  peer.send(0, new Uint8Array(3_000))
  peer.send(1, new Uint8Array(10))
  peer.send(1, new Uint8Array(10), 'unreliable')
  peer.send(1, new Uint8Array(10), 'unsequenced')
  peer.ping()
  const sent = client.say(command('ping', { channel: 255, sequence: 2 }))
  t.same(names(sent)[0]?.slice(0, 2), ['acknowledge', 'ping'])
  t.same(names(sent)[0]?.slice(2, 5).sort(), ['sendReliable', 'sendUnreliable', 'sendUnsequenced'])
  t.same(names(sent).flat().slice(5), ['sendFragment', 'sendFragment', 'sendFragment'])
  t.end()
})

t.test('a datagram has a sent time exactly when something in it is to be acknowledged', (t) => {
  const { client, peer } = scene()
  const [pure] = client.say(command('ping', { channel: 255, sequence: 2 }))
  t.same([names([pure!])[0], pure?.sentTime, pure?.bytes.length], [['acknowledge'], -1, 10])
  peer.send(0, new Uint8Array(5), 'unsequenced')
  const [unreliable] = client.pass(1)
  t.equal(unreliable?.sentTime, -1)
  peer.send(0, new Uint8Array(5))
  const [reliable] = client.pass(1)
  t.ok((reliable?.sentTime ?? -1) >= 0)
  t.end()
})

t.test('sent times count datagrams one by one, from a random start, and wrap', (t) => {
  const starts = new Set<number>()
  for (let seed = 1; seed <= 8; seed++) {
    const { client, peer } = scene({ seed })
    const tokens: number[] = []
    for (let i = 0; i < 5; i++) {
      peer.send(0, new Uint8Array(4))
      for (const { sentTime } of client.pass(1)) tokens.push(sentTime)
    }
    t.same(tokens, tokens.map((_, i) => ((tokens[0] ?? 0) + i) & 0xffff))
    starts.add(tokens[0] ?? 0)
  }
  t.equal(starts.size, 8)
  t.end()
})

t.test('with sentTime: clock the field holds the low half of the millisecond clock', (t) => {
  const host = new Host({ seed: 2, sentTime: 'clock' })
  const client = new Puppet(host, undefined, 65_500)
  const peer = client.connect()
  for (const now of [65_510, 65_600.7, 200_000.9]) {
    client.now = now
    peer.send(0, new Uint8Array(4))
    host.advance(now)
    const sent = drain(host).at(-1)
    t.equal(sent?.sentTime, Math.floor(now) & 0xffff)
    client.now += 30
    client.say(...sent!.commands.map((one) => client.acknowledge(sent!, one)))
    t.equal(peer.stats.inFlightBytes, 0)
    if (now > 65_510) t.ok(Math.abs(peer.stats.lastRoundTripMs - 30) < 0.2, `${peer.stats.lastRoundTripMs}`)
  }
  t.end()
})

t.test('numbers on the wire: reliable from 1, unreliable behind the last reliable one, groups over all channels', (t) => {
  const host = new Host({ seed: 2 })
  const client = new Puppet(host)
  const peer = client.connect()
  for (const [channel, delivery] of [[0, 'unreliable'], [0, 'reliable'], [0, 'unreliable'], [0, 'unreliable'], [1, 'unsequenced'],
    [0, 'unsequenced'], [1, 'reliable']] as const) {
    peer.send(channel, new Uint8Array(2), delivery)
  }
  host.advance(1)
  const fields = drain(host).flatMap(({ commands }) => commands).map(
    ({ name, channel, sequence, second }) => [name, channel, sequence, second])
  const of = (wanted: string): unknown[] => fields.filter(([name]) => name === wanted)
  t.same(of('sendUnreliable'), [['sendUnreliable', 0, 0, 1], ['sendUnreliable', 0, 1, 1], ['sendUnreliable', 0, 1, 2]])
  t.same(of('sendReliable').map(String).sort(), ['sendReliable,0,1,0', 'sendReliable,1,1,0'])
  t.same(of('sendUnsequenced').map((one) => (one as number[])[3]).sort(), [1, 2])
  t.equal(of('sendUnsequenced').every((one) => (one as number[])[2] === 0), true)
  t.end()
})

t.test('a fragment says everything about its packet', (t) => {
  const host = new Host({ seed: 2, mtu: 576 })
  const client = new Puppet(host)
  const peer = client.connect({ mtu: 576 })
  peer.send(0, new Uint8Array(2))
  const bytes = Uint8Array.from({ length: 1_200 }, (_, i) => i * 3)
  peer.send(0, bytes)
  peer.send(0, bytes, 'unreliable')
  host.advance(1)
  const all = drain(host).flatMap(({ commands }) => commands)
  for (const [name, sequences, start] of [['sendFragment', [2, 3, 4], 2], ['sendUnreliableFragment', [4, 4, 4], 1]] as const) {
    const pieces = all.filter((one) => one.name === name)
    t.match(pieces.map(({ sequence, second, fragmentCount, fragmentNumber, totalLength, offset }) =>
      ({ sequence, second, fragmentCount, fragmentNumber, totalLength, offset })),
      range(3).map((i) => ({ sequence: sequences[i], second: start, fragmentCount: 3, fragmentNumber: i, totalLength: 1_200,
        offset: i * 548 })), name)
    t.same(new Uint8Array(Buffer.concat(pieces.map(({ payload }) => payload))), bytes)
  }
  t.end()
})

t.test('what was lost is sent again with the same bytes and number, and in two copies on later datagrams', (t) => {
  const { client, peer } = scene()
  peer.send(0, Uint8Array.of(1, 2, 3))
  const [lost] = client.pass(1)
  const heard = (client.now += 2, peer.send(1, new Uint8Array(2)), client.pass(1)[0])
  client.now += 40
  const transmissions: { at: number; sent: Sent }[] = []
  const note = (sent: readonly Sent[]): void => {
    for (const one of sent) {
      if (one.commands.some(({ channel, name }) => channel === 0 && name === 'sendReliable')) {
        transmissions.push({ at: client.now, sent: one })
      }
    }
  }
  note(client.say(client.acknowledge(heard!, heard!.commands.find(({ channel }) => channel === 1)!)))
  const began = client.now
  for (let i = 0; i < 35; i++) note(client.pass(1))
  t.equal(transmissions.length, 3, 'once again, and two copies')
  const original = lost!.commands.find(({ channel }) => channel === 0)!
  for (const { sent } of transmissions) {
    const again = sent.commands.find(({ channel }) => channel === 0)!
    t.same([again.sequence, [...again.payload]], [original.sequence, [1, 2, 3]])
  }
  t.equal(transmissions[0]!.at, began)
  const gaps = transmissions.slice(1).map(({ at }, i) => at - transmissions[i]!.at)
  t.ok(gaps.every((gap) => gap >= 5 && gap <= 25), `${gaps} ms apart`)
  t.equal(new Set(transmissions.map(({ sent }) => sent.sentTime)).size, 3, 'each in a datagram of its own')
  t.equal(peer.stats.retransmissions, 1, 'copies are no retransmissions')
  client.say(client.acknowledge(transmissions[2]!.sent, transmissions[2]!.sent.commands.find(({ channel }) => channel === 0)!))
  t.equal(peer.stats.inFlightBytes, 0, 'an acknowledgement of any of them ends it')
  t.end()
})

t.test('redundancy: first transmissions are doubled on later datagrams when asked for', (t) => {
  const { client, peer } = scene({ redundancy: 2 })
  client.pass(100)
  peer.send(0, Uint8Array.of(9, 9))
  const all = client.pass(35).filter(({ commands }) => commands.some(({ payload }) => payload[0] === 9))
  t.equal(all.length, 3)
  t.equal(peer.stats.retransmissions, 0)
  const { client: other, peer: plain } = scene()
  other.pass(100)
  plain.setChannelPriority(1, { redundancy: 1 })
  plain.send(0, Uint8Array.of(9))
  plain.send(1, Uint8Array.of(8))
  const sent = other.pass(30)
  t.equal(sent.filter(({ commands }) => commands.some(({ payload }) => payload[0] === 8)).length, 2, 'per channel')
  t.equal(sent.filter(({ commands }) => commands.some(({ payload }) => payload[0] === 9)).length, 1)
  t.end()
})

t.test('an unreliable datagram on an otherwise silent connection is followed by a ping that proves gaps', (t) => {
  const { client, peer } = scene()
  client.pass(150)
  peer.send(0, new Uint8Array(5), 'unreliable')
  const [sent] = client.pass(1)
  t.same(names([sent!])[0], ['sendUnreliable', 'ping'])
  peer.send(0, new Uint8Array(5), 'unreliable')
  t.same(names(client.pass(1)), [['sendUnreliable']], 'not with each of them')
  t.end()
})

t.test('the unreliable numbers of a channel that has sent 65,535 of them go on behind a reliable packet', (t) => {
  const host = new Host({ seed: 2, congestionControl: false })
  const client = new Puppet(host)
  const peer = client.connect()
  let last = 0
  let reliable = 0
  for (let i = 0; i < 65_540; i++) {
    peer.send(0, new Uint8Array(0), 'unreliable')
    if (i % 500 !== 499 && i < 65_530) continue
    client.now += 1
    host.advance(client.now)
    for (const { commands } of drain(host)) {
      for (const one of commands) {
        if (one.name === 'sendUnreliable') {
          if (one.second !== (last & 0xffff) + 1) t.fail(`${one.second} after ${last}`)
          last = one.second
        } else if (one.name === 'sendReliable' && reliable++ === 0) {
          t.equal(last, 65_535, 'number 65,536 is reliable')
          last = 0
        }
      }
    }
  }
  t.same([last, reliable > 0], [4, true])
  t.end()
})

t.test('reliable packets stop where the receiver might not accept them, and go on when it can', (t) => {
  // Packet 1 is lost again and again: no number beyond 28,671 may leave, although nothing else holds it up.
  const { a, b, network } = pair({ both: { congestionControl: false, maxInFlightBytes: 64 * 1024 * 1024, sendHighMarkBytes: 1e9 },
    path: { latencyMs: 1 } })
  network.runFor(100)
  let highest = 0
  let holding = true
  network.link('a', 'b').filter = (bytes) => {
    // The datagram with number 1 of channel 0, wherever it is in it.
    for (let at = 4; at + 6 <= bytes.length; at++) {
      if (bytes[at] === 0x86 && bytes[at + 1] === 0 && bytes[at + 2] === 0 && bytes[at + 3] === 1 && bytes[at + 5] === 3 &&
        bytes[at + 6] === 0xee) {
        return !holding
      }
    }
    return true
  }
  a.peer.send(0, Uint8Array.of(0xee, 0xee, 0xee))
  const lane = a.peer.sending.lane(0, true)
  for (let i = 0; i < 40_000; i++) {
    a.peer.send(0, new Uint8Array(1))
    if (i % 1_000 === 999) {
      network.runFor(2)
      highest = Math.max(highest, lane.reliableNumber)
    }
  }
  network.runFor(500)
  t.equal(lane.reliableNumber, 28_671)
  t.equal(b.received.length, 0)
  holding = false
  network.runUntil(() => b.received.length === 40_001, { limitMs: 10_000 })
  t.equal(a.peer.stats.queuedMessages, 0)
  t.end()
})

t.test('an order that wraps several times stays an order', (t) => {
  const { a, b, network } = pair({ path: { latencyMs: 2, lossRatio: 0.02 } })
  let expected = 0
  let wrong = 0
  b.onEvent = (event) => {
    if (event.type !== 'receive') return
    b.events.length = 0
    if (((event.bytes[0] ?? 0) << 8 | (event.bytes[1] ?? 0)) !== (expected++ & 0xffff)) wrong++
  }
  for (let i = 0; i < 150_000; i += 1_500) {
    for (let k = 0; k < 1_500; k++) a.peer.send(0, packet((i + k) & 0xffff, 2))
    network.runFor(10)
  }
  network.runUntil(() => expected === 150_000)
  t.equal(wrong, 0)
  t.end()
})

t.test('reports keep out of the way of what ENet knows: at most the MTU, always behind the last command', (t) => {
  const { a, b, network } = pair({ path: { latencyMs: 10, lossRatio: 0.2, jitterMs: 10, keepOrder: false }, both: { mtu: 576 } })
  let largest = 0
  for (const [from, to] of [['a', 'b'], ['b', 'a']] as const) {
    network.link(from, to).filter = (bytes) => {
      largest = Math.max(largest, bytes.length)
      return true
    }
  }
  for (let i = 0; i < 200; i++) network.at(network.now + i * 5, () => {
    a.peer.send(0, packet(i, 540))
    b.peer.send(0, packet(i, 2_000))
  })
  network.runUntil(() => a.received.length === 200 && b.received.length === 200)
  t.ok(largest <= 576, `${largest}`)
  t.same([a.host.ledger.unknownCommand, b.host.ledger.unknownCommand, a.host.ledger.strayAcknowledgement,
    b.host.ledger.strayAcknowledgement], [0, 0, 0, 0])
  t.end()
})

t.test('bulk fills the path and leaves no standing queue', (t) => {
  for (const [rate, rtt] of [[1_000_000, 40], [250_000, 100], [5_000_000, 20]] as const) {
    const { a, b, network } = pair({ path: { latencyMs: rtt / 2, rateBytesPerSecond: rate, queueBytes: rate } })
    network.runFor(500)
    const began = network.now
    a.peer.send(0, new Uint8Array(rate * 4))
    network.runFor(2_500)
    const trips: number[] = []
    const stop = network.every(20, () => trips.push(a.peer.stats.lastRoundTripMs))
    network.runUntil(() => b.received.length === 1, { limitMs: 30_000 })
    stop()
    const share = rate * 4 / ((network.now - began) / 1_000) / rate
    t.ok(share > 0.75, `${(share * 100).toFixed(0)} % of ${rate} bytes per second`)
    const middle = trips.sort((x, y) => x - y)[trips.length >> 1] ?? 0
    t.ok(middle < rtt + Math.max(15, rtt / 2), `round trip ${middle.toFixed(1)} ms on a path of ${rtt}`)
  }
  t.end()
})
