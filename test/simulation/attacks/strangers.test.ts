// Attacks by somebody without a connection, from any address: reflection, exhaustion of slots, lock-out, noise.
// Threats T1, T2, T3, T15, T17, T22, T25. SPEC §4.7, §4.8, §8.3.

import t from 'tap'
import { Host } from '../../../src/transport/core/host.ts'
import { RangeCoder } from '../../../src/transport/core/range-coder.ts'
import { crc32 } from '../../../src/transport/core/crc32.ts'
import { encodeAnnounce } from '../../../src/transport/core/extension.ts'
import { put16, put32 } from '../../../src/transport/core/wire.ts'
import { SeededRandom } from '../../../src/util/random.ts'
import { addressOf, costOf, memoryInUse, Siege } from '../../support/attack.ts'
import { command, connectFields, datagram, drain, eventsOf, Puppet } from '../../support/puppet.ts'
import type { CommandRecord } from '../../../src/transport/core/wire.ts'

const announce = new Uint8Array(8)
encodeAnnounce(announce, 0)

const connect = (change: Partial<CommandRecord> = {}): Uint8Array => command('connect', connectFields(change))
const random = new SeededRandom(4)
const noise = (length: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  random.bytes(bytes)
  return bytes
}

/** A datagram with a checksum, and compressed when that makes it shorter. */
const dressed = (body: Uint8Array, checksummed: boolean, packed: boolean): Uint8Array => {
  const head = new Uint8Array(checksummed ? 8 : 4)
  put16(head, 0, 0x8fff)
  const coder = new RangeCoder()
  const small = new Uint8Array(body.length)
  const size = packed ? coder.compress(body, small) : 0
  if (size > 0) put16(head, 0, 0xcfff)
  if (checksummed) put32(head, 4, crc32(new Uint8Array([...head, ...body])))
  return new Uint8Array([...head, ...(size > 0 ? small.subarray(0, size) : body)])
}

// ── T1 amplify

t.test('amplify: a CONNECT from somebody else\'s address sends less to it than was sent, whatever is asked for', (t) => {
  const variants: Record<string, Uint8Array> = {
    plain: datagram(0xfff, 0, 1, connect()),
    'without a sent time': datagram(0xfff, 0, -1, connect()),
    'with the extension': datagram(0xfff, 0, 1, connect(), announce),
    'with the extension, without a sent time': datagram(0xfff, 0, -1, connect(), announce),
    'half an announcement': datagram(0xfff, 0, 1, connect(), announce.subarray(0, 7)),
    '255 channels': datagram(0xfff, 0, 1, connect({ channelCount: 255 })),
    'early data': datagram(0xfff, 0, 1, connect(), command('sendReliable', { sequence: 1 }, new Uint8Array(500))),
    'sessions 0xff and 0xff': datagram(0xfff, 3, 1, connect({ incomingSession: 255, outgoingSession: 255 })),
    'a checksum': dressed(connect(), true, false),
    'a checksum and the extension': dressed(new Uint8Array([...connect(), ...announce]), true, false),
  }
  for (const [name, bytes] of Object.entries(variants)) {
    const siege = new Siege()
    siege.hit(bytes.slice(), addressOf(1))
    siege.run(40_000)
    t.ok(siege.bytesToStrangers > 0, `${name}: answered`)
    t.ok(siege.bytesToStrangers <= bytes.length, `${name}: ${siege.bytesToStrangers} bytes for ${bytes.length}`)
    t.equal(siege.datagramsToStrangers, 1, `${name}: once, in 40 seconds of silence`)
    t.equal(siege.host.stats.peers, 0)
  }
  t.end()
})

t.test('amplify: repeated, refused, with early data, mixed: never more out than in', (t) => {
  for (const options of [{}, { refuseConnections: true }, { accept: () => 7 }, { maxPeers: 1 }]) {
    const siege = new Siege(options)
    const full = new Puppet(siege.host, { address: '192.0.2.77', port: 7 })
    if ('maxPeers' in options) full.connect()
    const before = siege.host.stats.bytesSent
    let sent = 0
    siege.run(3_000, (now) => {
      const bytes = datagram(0xfff, 0, now % 3 === 0 ? -1 : now, connect({ connectId: now >> 4, channelCount: 1 + (now % 255) }), ...(now % 2 === 0 ? [announce] : []))
      sent += bytes.length
      siege.hit(bytes, addressOf(now % 7))
    })
    siege.run(10_000)
    t.ok(siege.host.stats.bytesSent > before)
    t.ok(siege.bytesToStrangers <= sent, `${siege.bytesToStrangers} of ${sent}`)
  }
  t.end()
})

t.test('amplify: a compressed CONNECT can be shorter than its answer, but not by more than the limit of three', (t) => {
  for (const checksummed of [false, true]) {
    const siege = new Siege()
    let sent = 0
    siege.run(2_000, (now) => {
      const bytes = dressed(connect({
        connectId: 0, data: 0, windowBytes: 0, mtu: 0, channelCount: 1, throttleInterval: 0, throttleAcceleration: 0, throttleDeceleration: 0,
        peerId: 0, incomingSession: 0, outgoingSession: 0,
      }), checksummed, true)
      sent += bytes.length
      siege.hit(bytes, addressOf(now))
    })
    t.ok(siege.datagramsToStrangers > 1_900, `${siege.datagramsToStrangers} answers`)
    t.ok(siege.bytesToStrangers <= 3 * sent, `${siege.bytesToStrangers} of ${sent}`)
  }
  t.end()
})

t.test('amplify: nothing else from a stranger draws a single byte', (t) => {
  const siege = new Siege()
  const of = (id: number, ...commands: Uint8Array[]): Uint8Array => datagram(id, 0, 5, ...commands)
  const first: Uint8Array[] = [
    of(0xfff, command('ping', { channel: 255, sequence: 1 })), of(0xfff, command('disconnect', { channel: 255, sequence: 1 })),
    of(0xfff, command('verifyConnect', connectFields())), of(0xfff, command('acknowledge', { channel: 255, sequence: 1, echo: 1 })),
    of(0xfff, command('sendReliable', { sequence: 1 }, 'x'), connect()), of(0xfff), of(0xfff, announce),
    of(0xfff, connect().subarray(0, 47)), of(0xfff, connect({ channelCount: 0 })), of(0xfff, connect({ channelCount: 256 })), of(0xfff, connect({ peerId: 0xfff })),
    new Uint8Array(0), new Uint8Array(1), new Uint8Array(2), new Uint8Array(4_096), new Uint8Array(65_507),
  ]
  for (let id = 0; id < 0xfff; id += 3) for (const name of ['ping', 'disconnect', 'sendReliable', 'acknowledge'] as const) first.push(of(id, command(name, { channel: 255, sequence: 1 })))
  for (let i = 0; i < 20_000; i++) first.push(noise(random.below(100)))
  first.forEach((bytes, i) => siege.hit(bytes, addressOf(i)))
  siege.run(40_000)
  t.equal(siege.bytesToStrangers, 0)
  t.equal(siege.host.stats.halfOpen, 0)
  t.end()
})

// ── T2 flood, T25 frame

t.test('flood: 5,000 invented connects a second: newcomers still get in at once, residents lose nothing, memory stays small', (t) => {
  const siege = new Siege({ maxPeers: 64 })
  const resident = siege.resident({ address: '192.0.2.50', port: 50 })
  siege.run(200)
  const before = memoryInUse()
  const began: { who: ReturnType<Siege['resident']>; at: number }[] = []
  let i = 0
  siege.run(10_000, (now) => {
    for (let k = 0; k < 5; k++) siege.hit(datagram(0xfff, 0, now & 0xffff, connect({ connectId: i, channelCount: 255 })), addressOf(i++))
    if (now % 20 === 0) resident.say()
    if (now % 250 === 0) began.push({ who: siege.resident({ address: '192.0.2.60', port: now }), at: now })
  })
  siege.run(500)
  const inTime = began.filter(({ who, at }) => who.connectedAt <= at + 1_000 + 40)
  t.ok(inTime.length >= 0.95 * began.length, `${inTime.length} of ${began.length} newcomers within a second and a round trip`)
  t.same(resident.echoed, Array.from({ length: resident.sent }, (_, n) => n))
  t.equal(resident.ended, null)
  t.ok(siege.host.stats.halfOpen <= 4_096)
  const growth = memoryInUse() - before
  t.ok(growth < 16e6, `${Math.round(growth / 1e3)} kB`)
  siege.run(6_000)
  t.equal(siege.host.stats.halfOpen, 0, 'and all is forgotten six seconds later')
  t.end()
})

t.test('frame: 10,000 connects a second in the name of a player do not keep that player out', (t) => {
  const siege = new Siege()
  const player = { address: '192.0.2.80', port: 8_000 }
  let i = 0
  const barrage = (): void => {
    for (let k = 0; k < 10; k++) siege.hit(datagram(0xfff, 0, i & 0xffff, connect({ connectId: i++ })), { ...player, port: k < 5 ? player.port : 1 + (i % 65_535) })
  }
  siege.run(1_000, barrage)
  const began = siege.now
  const victim = siege.resident(player)
  siege.run(1_000, barrage)
  t.ok(victim.connectedAt <= began + 1_000, `${victim.connectedAt - began} ms`)
  for (let n = 0; n < 50; n++) victim.say()
  siege.run(500, barrage)
  t.equal(victim.echoed.length, 50)
  t.equal(victim.ended, null)
  t.end()
})

t.test('frame: many connects from one address cost no more than from many', (t) => {
  const of = (one: boolean): number => costOf(() => {
    const host = new Host({ seed: 3, maxHalfOpen: 8_192 })
    for (let i = 0; i < 8_000; i++) {
      host.receive(datagram(0xfff, 0, 1, connect({ connectId: i })), one ? addressOf(1) : addressOf(i), 0)
      if (i % 64 === 0) drain(host)
    }
  }, 3)
  const many = of(false)
  const one = of(true)
  t.ok(one < 3 * many + 20, `${one.toFixed(1)} ms from one, ${many.toFixed(1)} ms from many`)
  t.end()
})

// ── T3 blind

t.test('blind: a million guessed proofs over all fields make no peer, and send the victim less than was sent', (t) => {
  const siege = new Siege()
  const victim = addressOf(9)
  let sent = 0
  const guess = command('acknowledge', { channel: 255, sequence: 0, echo: 0 })
  for (let round = 0; round < 100; round++) {
    const request = datagram(0xfff, 0, 1, connect({ connectId: round }))
    sent += request.length
    siege.hit(request, victim)
    for (let i = 0; i < 10_000; i++) {
      const bytes = datagram(random.below(0xfff), random.below(4), random.below(65_536), guess)
      put16(bytes, 6, random.below(65_536))
      put16(bytes, 8, random.below(65_536))
      put16(bytes, 10, random.below(65_536))
      sent += bytes.length
      siege.hit(bytes, victim)
    }
    siege.run(60)
  }
  t.equal(siege.host.stats.peers, 0)
  t.equal(siege.events.length, 0)
  t.ok(siege.bytesToStrangers <= sent)
  t.end()
})

// ── T15 oversize, T22 noise, T17 bombs

t.test('oversize: datagrams of every awkward size are counted, and a resident feels nothing', (t) => {
  const siege = new Siege()
  const resident = siege.resident({ address: '192.0.2.51', port: 51 })
  siege.run(100)
  let n = 0
  const awkward = [0, 1, 2, 3, 4, 575, 4_095, 4_096, 4_097, 9_000, 65_507].map(noise)
  siege.run(1_000, (now) => {
    if (now % 20 === 0) resident.say()
    for (const bytes of awkward) {
      if (bytes.length > 1) bytes[1] = now
      // Once as a stranger, once as the resident.
      siege.hit(bytes, addressOf(n++))
      siege.hit(bytes, resident.address)
    }
  })
  siege.run(200)
  t.same(resident.echoed, Array.from({ length: resident.sent }, (_, i) => i))
  t.ok(siege.host.ledger.malformedDatagram >= 1_000 * 2 * 5, 'the empty, the one-byte, and the three too long ones')
  t.end()
})

t.test('noise: 200,000 bad datagrams make no answer, no growth, and a handful of diagnostics', (t) => {
  const siege = new Siege()
  const before = memoryInUse()
  const kinds = [
    () => new Uint8Array([0xcf, 0xff, ...noise(40)]),
    () => new Uint8Array([0x4f, 0xff, 0, 0, 0x82, 0xff, ...noise(44)]),
    () => new Uint8Array([0x8f, 0xff, 0, 1, ...noise(4), 0x82, 0xff, ...noise(46)]),
    () => noise(random.below(200)),
  ]
  for (let i = 0; i < 200_000; i++) {
    siege.hit((kinds[i & 3] as () => Uint8Array)(), addressOf(i))
    if ((i & 1023) === 0) siege.run(1)
  }
  siege.run(5)
  const told = siege.events.filter(({ type }) => type === 'diagnostic')
  const text = told.map((event) => event.type === 'diagnostic' ? event.message : '').join('\n')
  t.ok(told.length > 0)
  t.ok(text.length <= 10_000, `${told.length} diagnostics, ${text.length} characters`)
  t.equal(siege.bytesToStrangers, 0)
  const growth = memoryInUse() - before
  t.ok(growth < 2e6, `${Math.round(growth / 1e3)} kB`)
  t.end()
})

t.test('bombs: a stranger\'s compressed datagram costs no more than the unpacking of a CONNECT', (t) => {
  const host = new Host({ seed: 1 })
  const bombs = Array.from({ length: 64 }, (_, i) => new Uint8Array([0xcf, 0xff, 0, 0, ...(i % 2 === 0 ? noise(1_390) : new Uint8Array(1_390).fill(i))]))
  const honest = dressed(connect({ peerId: 0xfff }), false, true)
  const give = (bytes: Uint8Array): void => { for (let i = 0; i < 64; i++) host.receive(bytes.slice(), addressOf(1), 0) }
  give(honest)
  const usual = costOf(() => give(honest), 5)
  const dear = costOf(() => { for (const bytes of bombs) host.receive(bytes.slice(), addressOf(2), 0) }, 5)
  t.ok(dear < 8 * usual + 1, `64 bombs ${dear.toFixed(2)} ms, 64 packed connects ${usual.toFixed(2)} ms`)
  t.same(eventsOf(host).filter(({ type }) => type !== 'diagnostic'), [])
  t.end()
})

t.test('a connecting client believes nobody but its server', (t) => {
  const client = new Host({ seed: 8 })
  client.advance(0)
  const server = addressOf(3)
  const peer = client.connect(server, { channels: 2 })
  client.advance(0)
  const request = drain(client)[0]
  const asked = request?.commands[0]
  if (request === undefined || asked === undefined) throw new Error('no CONNECT')
  for (let i = 0; i < 20_000; i++) {
    // Everything about it is known to the forger but its number of 12 bits, guessed here rightly, and the connect id.
    const fields = { ...asked, sequence: i, peerId: 9, incomingSession: 1, outgoingSession: 2, connectId: (asked.connectId ^ (1 + random.below(0xffffffff))) >>> 0 }
    client.receive(datagram(asked.peerId, i & 3, i, command('verifyConnect', fields), announce), server, 1)
  }
  client.receive(datagram(asked.peerId, 0, 7, command('sendReliable', { sequence: 1 }, 'early')), server, 1)
  t.equal(peer.state, 'connecting')
  t.same(eventsOf(client), [])
  client.receive(datagram(asked.peerId, 0, 7, command('verifyConnect', { ...asked, peerId: 9, incomingSession: 1, outgoingSession: 2 })), server, 2)
  t.equal(peer.state, 'connected')
  t.end()
})
