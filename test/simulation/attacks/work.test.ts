// A connected attacker wants our time: numbers in falling order, acknowledgements of nothing, reports by the hundred, bombs.
// What counts is how the cost grows, measured against honest traffic of the same size. Threats T12, T17. SPEC §8.

import t from 'tap'
import { Host } from '../../../src/transport/core/host.ts'
import type { PeerCore } from '../../../src/transport/core/peer.ts'
import { RangeCoder } from '../../../src/transport/core/range-coder.ts'
import { SeededRandom } from '../../../src/util/random.ts'
import { addressOf, costOf, Siege } from '../../support/attack.ts'
import { command, datagram, drain, eventsOf, Puppet } from '../../support/puppet.ts'

const random = new SeededRandom(12)

/** Datagrams of `count` commands each, with the header left to be written. */
const bundles = (commands: readonly Uint8Array[], perDatagram: number): Uint8Array[] => {
  const all: Uint8Array[] = []
  for (let i = 0; i < commands.length; i += perDatagram) all.push(new Uint8Array(Buffer.concat(commands.slice(i, i + perDatagram))))
  return all
}

/** The cost of giving bodies to a fresh host, in microseconds for each command. */
const perCommand = (bodies: readonly Uint8Array[], commands: number): number => {
  const cost = costOf(() => {
    const host = new Host({ seed: 1 })
    const who = new Puppet(host, addressOf(1))
    who.connect({ channelCount: 255 })
    for (const body of bodies) host.receive(datagram(who.peerId, who.session, who.sentTime++ & 0xffff, body), who.address, 0)
  })
  return (cost * 1_000) / commands
}

const falling = (count: number): number[] => Array.from({ length: count }, (_, i) => count - i)

t.test('descend: falling numbers cost no more than rising ones, however many wait already', (t) => {
  const orders: Record<string, (number: number) => Uint8Array> = {
    reliable: (number) => command('sendReliable', { channel: number & 3, sequence: 1 + number }),
    'unreliable behind a gap': (number) => command('sendUnreliable', { channel: number & 3, sequence: 9, second: number }),
    'unreliable behind falling gaps': (number) => command('sendUnreliable', { channel: 0, sequence: 1 + number, second: 1 }),
    'unreliable pieces behind a gap': (number) => command('sendUnreliableFragment', { channel: 0, sequence: 9, second: number, fragmentCount: 2, fragmentNumber: 0, totalLength: 2, offset: 0 }, 'x'),
    'pieces of one packet': (number) => command('sendFragment', { channel: 0, sequence: 2 + number, second: 2, fragmentCount: 24_576, fragmentNumber: number, totalLength: 24_576, offset: number }, 'x'),
    'first pieces of many': (number) => command('sendFragment', { channel: 0, sequence: 2 + number, second: 2 + number, fragmentCount: 2, fragmentNumber: 0, totalLength: 2, offset: 0 }, 'x'),
  }
  for (const [name, make] of Object.entries(orders)) {
    const count = 12_000
    const down = perCommand(bundles(falling(count).map(make), 100), count)
    const up = perCommand(bundles(falling(count).reverse().map(make), 100), count)
    t.ok(down < 4 * up + 3, `${name}: ${down.toFixed(2)} µs falling, ${up.toFixed(2)} µs rising`)
    t.ok(down < 15, `${name}: ${down.toFixed(2)} µs each`)
  }
  t.end()
})

t.test('descend: what waits for later does not make each packet that goes now dearer', (t) => {
  const count = 4_000
  const parked = bundles(falling(4_096).map((number) => command('sendUnreliable', { channel: 0, sequence: 20_000, second: number })), 100)
  const now = bundles(Array.from({ length: count }, (_, i) => i % 2 === 0 ? command('sendReliable', { channel: 0, sequence: 1 + i / 2 }) : command('sendUnreliable', { channel: 0, sequence: (i + 1) / 2, second: 1 })), 100)
  const cost = (first: readonly Uint8Array[]): number => {
    const host = new Host({ seed: 1 })
    const who = new Puppet(host, addressOf(1))
    who.connect()
    const give = (body: Uint8Array): void => host.receive(datagram(who.peerId, who.session, who.sentTime++ & 0xffff, body), who.address, 0)
    first.forEach(give)
    const before = performance.now()
    now.forEach(give)
    const ms = performance.now() - before
    t.equal(eventsOf(host).length, count)
    return ms
  }
  const least = (first: readonly Uint8Array[]): number => Math.min(cost(first), cost(first), cost(first))
  const alone = least([])
  const crowded = least(parked)
  t.ok(crowded < 5 * alone + 5, `${crowded.toFixed(1)} ms beside 4,096 that wait, ${alone.toFixed(1)} ms alone`)
  t.end()
})

t.test('ack-scan: acknowledgements of nothing cost no more each when 20,000 messages are under way', (t) => {
  const cost = (messages: number): number => {
    const host = new Host({ seed: 1, congestionControl: false })
    const who = new Puppet(host, addressOf(1))
    const peer = who.connect()
    for (let i = 0; i < messages; i++) peer.send(i & 1, new Uint8Array(1), 'reliable')
    host.advance(0)
    drain(host)
    const bogus = bundles(Array.from({ length: 30_000 }, () => command('acknowledge', { channel: random.below(3), sequence: random.below(65_536), echo: random.below(65_536) })), 100)
    const ms = costOf(() => { for (const body of bogus) host.receive(datagram(who.peerId, who.session, -1, body), who.address, 0) })
    t.equal(peer.recovery.busy, messages > 0)
    return (ms * 1_000) / 30_000
  }
  const idle = cost(0)
  const busy = cost(20_000)
  t.ok(busy < 10 * idle + 2, `${busy.toFixed(2)} µs each, idle ${idle.toFixed(2)}`)
  t.ok(busy < 4, `${busy.toFixed(2)} µs`)
  t.end()
})

t.test('ack-scan: true acknowledgements in the worst order cost about as much as in the best', (t) => {
  const cost = (reverse: boolean): number => {
    const host = new Host({ seed: 1, congestionControl: false })
    const who = new Puppet(host, addressOf(1))
    const peer = who.connect()
    for (let i = 0; i < 6_000; i++) peer.send(0, new Uint8Array(20), 'reliable')
    host.advance(0)
    const acks: Uint8Array[] = []
    for (const sent of drain(host)) for (const one of sent.commands) if (one.name === 'sendReliable') acks.push(who.acknowledge(sent, one))
    if (reverse) acks.reverse()
    const before = performance.now()
    for (const ack of acks) host.receive(datagram(who.peerId, who.session, -1, ack), who.address, 0)
    const ms = performance.now() - before
    t.equal(peer.recovery.busy, false)
    t.equal(acks.length, 6_000)
    return ms
  }
  const best = Math.min(cost(false), cost(false))
  const worst = Math.min(cost(true), cost(true))
  t.ok(worst < 6 * best + 20, `${worst.toFixed(1)} ms in falling order, ${best.toFixed(1)} ms in rising order`)
  t.end()
})

t.test('a datagram full of reports costs no more than sixteen of them', (t) => {
  const host = new Host({ seed: 1 })
  const client = new Host({ seed: 2 })
  host.advance(0)
  const peer = client.connect(addressOf(1)) as PeerCore
  client.advance(0)
  const to = { address: '192.0.2.2', port: 2 }
  for (let i = 0; i < 4; i++) {
    for (const sent of drain(client)) host.receive(sent.bytes, to, 0)
    for (const sent of drain(host)) client.receive(sent.bytes, addressOf(1), 0)
  }
  const served = host.peers[0] as PeerCore
  t.not(served.reports, null, 'both speak the extension')
  for (let i = 0; i < 400; i++) served.send(0, new Uint8Array(1_000), 'unsequenced')
  for (let i = 0; i < 60; i++) served.send(0, new Uint8Array(1), 'reliable')
  host.advance(0)
  const newest = drain(host).at(-1)?.sentTime ?? 0
  const report = (token: number): Uint8Array => new Uint8Array([0x0f, 0x02, token >> 8, token & 255, 0, 0, 0, 0])
  const give = (count: number): number => costOf(() => {
    const body = new Uint8Array(Buffer.concat(Array.from({ length: count }, () => report(newest))))
    for (let i = 0; i < 200; i++) host.receive(datagram(served.wireId, served.incomingSession, -1, body), to, 0)
  }, 5)
  give(4)
  const few = give(16)
  const many = give(510)
  t.ok(many < 3 * few + 1, `200 datagrams of 510 reports ${many.toFixed(2)} ms, of 16 ${few.toFixed(2)} ms`)
  t.ok(served.ledger.unknownCommand > 0, 'the rest is counted')
  void peer
  t.end()
})

t.test('reports about datagrams that were never sent, or long ago, are strays; what they repeat does nothing twice', (t) => {
  const host = new Host({ seed: 1 })
  const client = new Host({ seed: 2 })
  host.advance(0)
  client.connect(addressOf(1))
  client.advance(0)
  const to = { address: '192.0.2.2', port: 2 }
  for (let i = 0; i < 4; i++) {
    for (const sent of drain(client)) host.receive(sent.bytes, to, 0)
    for (const sent of drain(host)) client.receive(sent.bytes, addressOf(1), 0)
  }
  const served = host.peers[0] as PeerCore
  let settled = 0
  for (let i = 0; i < 30; i++) served.send(0, new Uint8Array(900), { delivery: 'reliable', onSettled: () => settled++ })
  host.advance(0)
  const tokens = drain(host).map(({ sentTime }) => sentTime).filter((token) => token >= 0)
  const before = served.ledger.strayAcknowledgement
  for (let token = 0; token < 65_536; token++) {
    if (tokens.includes(token)) continue
    // All bits of the map say that everything before it has arrived: only the token itself can be believed.
    if (tokens.some((real) => ((token - real) & 0xffff) <= 64)) continue
    host.receive(datagram(served.wireId, served.incomingSession, -1, new Uint8Array([0x0f, 0x02, token >> 8, token & 255, 0, 0, 0, 0])), to, 1)
  }
  t.ok(served.ledger.strayAcknowledgement - before > 65_000 )
  t.equal(settled, 0)
  const last = tokens.at(-1) ?? 0
  for (let i = 0; i < 50; i++) {
    host.receive(datagram(served.wireId, served.incomingSession, -1, new Uint8Array([0x0f, 0x02, last >> 8, last & 255, 0xff, 0xff, i, i])), to, 2 + i)
    host.advance(2 + i)
  }
  t.ok(settled > 0 && settled <= 30, `${settled} settled`)
  t.ok(Number.isFinite(served.stats.roundTripMs) && served.stats.roundTripMs >= 0)
  t.end()
})

t.test('bombs: whatever a connected peer compresses, a datagram unpacks to 4,096 bytes at most, and in bounded time', (t) => {
  const coder = new RangeCoder()
  const plain = new Uint8Array(4_096)
  const honest = new Uint8Array(4_090).map((_, i) => (i * 7) >> 4)
  const packed = new Uint8Array(4_096)
  const size = coder.compress(honest, packed)
  t.ok(size > 0)
  const usual = costOf(() => { for (let i = 0; i < 20; i++) coder.decompress(packed.subarray(0, size), plain) }, 5)
  let dearest = 0
  for (let round = 0; round < 60; round++) {
    const bomb = new Uint8Array(4_092)
    if (round % 3 === 0) random.bytes(bomb)
    else if (round % 3 === 1) bomb.fill(round)
    else for (let i = 0; i < bomb.length; i++) bomb[i] = (i * round) & 255
    let length = 0
    dearest = Math.max(dearest, costOf(() => { for (let i = 0; i < 20; i++) length = coder.decompress(bomb, plain) }, 5))
    t.ok(length >= 0 && length <= 4_096)
  }
  // About eight times on a quiet machine: what fills the model costs more than what it predicts. A bomb that grew would cost thousands.
  t.ok(dearest < 60 * usual, `20 bombs ${dearest.toFixed(2)} ms, 20 honest datagrams ${usual.toFixed(2)} ms`)
  t.end()
})

t.test('a datagram with a thousand commands is read up to the 300th, and the next datagram from its start', (t) => {
  const siege = new Siege()
  const who = new Puppet(siege.host, addressOf(1))
  const peer = who.connect({ channelCount: 1 })
  const pings = Array.from({ length: 1_000 }, (_, i) => command('ping', { channel: 255, sequence: 2 + i }))
  const answers = who.say(...pings)
  const acknowledged = answers.flatMap(({ commands }) => commands).filter(({ name }) => name === 'acknowledge').length
  t.equal(acknowledged, 300)
  t.equal(peer.ledger.malformedCommand, 1)
  who.say(command('sendReliable', { sequence: 1 }, 'x'))
  t.equal(eventsOf(siege.host).length, 1)
  t.end()
})

t.test('a flood of commands from one peer does not keep newcomers and residents waiting', (t) => {
  const siege = new Siege()
  const resident = siege.resident({ address: '192.0.2.50', port: 50 })
  siege.run(200)
  const who = new Puppet(siege.host, addressOf(1), siege.now)
  who.connect({ channelCount: 255 })
  const body = new Uint8Array(Buffer.concat(Array.from({ length: 300 }, (_, i) => command('sendReliable', { channel: i % 255, sequence: 30_000 - i }))))
  let newcomer: ReturnType<Siege['resident']> | null = null
  let began = 0
  siege.run(1_000, (now) => {
    if (now % 20 === 0) resident.say()
    if (newcomer === null && now > 600) {
      newcomer = siege.resident({ address: '192.0.2.51', port: 51 })
      began = now
    }
    for (let i = 0; i < 5; i++) siege.hit(datagram(who.peerId, who.session, who.sentTime++ & 0xffff, body), who.address)
  })
  siege.run(100)
  t.equal(resident.echoed.length, resident.sent)
  t.ok((newcomer as ReturnType<Siege['resident']> | null)?.connectedAt as number <= began + 250)
  t.end()
})
