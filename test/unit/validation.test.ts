// SPEC §8 and §10: each datagram that breaks a rule adds one to exactly one counter, named here, and changes nothing else.

import t from 'tap'
import type { Test } from 'tap'
import { crc32 } from '../../src/transport/core/crc32.ts'
import { Host } from '../../src/transport/core/host.ts'
import type { HostOptions } from '../../src/transport/core/options.ts'
import { put16, put32, u16 } from '../../src/transport/core/wire.ts'
import type { Address } from '../../src/transport/endpoint.ts'
import type { HostEvent, Ledger } from '../../src/transport/types.ts'
import { fromHex } from '../support/captures.ts'

const SERVER: Address = { address: '192.0.2.1', port: 7777 }
const CLIENT: Address = { address: '192.0.2.2', port: 5555 }
const STRANGER: Address = { address: '192.0.2.3', port: 5555 }

/** All datagrams that a host has to send. */
const drain = (host: Host): Uint8Array[] => {
  const sent: Uint8Array[] = []
  const out = { bytes: new Uint8Array(4200), length: 0, address: '', port: 0 }
  while (host.pollTransmit(out)) sent.push(out.bytes.slice(0, out.length))
  return sent
}

const events = (host: Host): HostEvent[] => {
  const all: HostEvent[] = []
  for (let event = host.pollEvent(); event !== null; event = host.pollEvent()) all.push(event)
  return all
}

/** A server with one connected client, and what a datagram from that client needs in its header. */
interface Scene {
  readonly server: Host
  readonly client: Host
  /** `peerId` and `session` of the client's headers. */
  readonly word: number
  readonly connectId: number
  now: number
}

const connected = (options: HostOptions = {}, clientOptions: HostOptions = {}): Scene => {
  const server = new Host({ seed: 1, ...options })
  const client = new Host({ seed: 2, extension: false, ...clientOptions })
  server.advance(0)
  client.advance(0)
  client.connect(SERVER, { channels: 2 })
  client.advance(0)
  let connectId = 0
  let word = 0
  for (let i = 0; i < 4; i++) {
    for (const bytes of drain(client)) {
      if ((u16(bytes, 0) & 0xfff) === 0xfff) connectId = Buffer.from(bytes).readUInt32BE(bytes.length - 8)
      else word = u16(bytes, 0) & 0x3fff
      server.receive(bytes, CLIENT, 0)
    }
    for (const bytes of drain(server)) client.receive(bytes, SERVER, 0)
  }
  events(client)
  const [event] = events(server)
  if (event?.type !== 'connect') throw new Error('the scene needs a connected client')
  return { server, client, word, connectId, now: 0 }
}

/** A datagram of the client: header and commands. */
const datagram = ({ word }: Scene, commands: string, { session = 0, peerId = 0, sentTime = true } = {}): Uint8Array => {
  const body = fromHex(commands)
  const bytes = new Uint8Array((sentTime ? 4 : 2) + body.length)
  put16(bytes, 0, ((word + peerId) & 0xfff) | ((word ^ (session << 12)) & 0x3000) | (sentTime ? 0x8000 : 0))
  if (sentTime) put16(bytes, 2, 0x1234)
  bytes.set(body, sentTime ? 4 : 2)
  return bytes
}

const difference = (before: Ledger, after: Ledger): Partial<Ledger> =>
  Object.fromEntries(Object.entries(after)
    .map(([name, value]): [string, number] => [name, value - before[name as keyof Ledger]])
    .filter(([, value]) => value !== 0))

/** Gives the server one datagram; says what it counted, told its application, and sent. */
const give = (
  scene: Scene, bytes: Uint8Array, from = CLIENT,
): { counted: Partial<Ledger>; events: HostEvent[]; sent: Uint8Array[] } => {
  const { server } = scene
  const before = { ...server.ledger }
  server.receive(bytes, from, scene.now)
  server.advance(scene.now)
  const happened = events(server).filter(({ type }) => type !== 'diagnostic')
  return { counted: difference(before, server.ledger), events: happened, sent: drain(server) }
}

/** The datagram is dropped whole, silently, and counted once. */
const isDropped = (t: Test, scene: Scene, bytes: Uint8Array, counter: keyof Ledger, name: string, from = CLIENT): void => {
  t.same(give(scene, bytes, from), { counted: { [counter]: 1 }, events: [], sent: [] }, `${name}: ${counter}`)
}

const CONNECT = '82ff0001 0005ffff 000004b0 00010000 00000001 00000000 00000000 00001388 00000002 00000002 0a0b0c0d 00000007'
const connect = (change = ''): Uint8Array => fromHex(`8fff 0001 ${change || CONNECT}`)

t.test('datagrams that nobody can have meant for us', (t) => {
  const scene = connected()
  isDropped(t, scene, new Uint8Array(0), 'malformedDatagram', 'no bytes')
  isDropped(t, scene, fromHex('80'), 'malformedDatagram', 'one byte')
  isDropped(t, scene, fromHex('8000 01'), 'malformedDatagram', 'half a sent time')
  isDropped(t, scene, new Uint8Array(4097), 'malformedDatagram', 'more than any host may send')
  isDropped(t, scene, datagram(scene, '85ff0002', { peerId: 1 }), 'unknownPeer', 'another number')
  isDropped(t, scene, datagram(scene, '85ff0002', { session: 1 }), 'unknownPeer', 'another session')
  isDropped(t, scene, datagram(scene, '85ff0002'), 'unknownPeer', 'another address', STRANGER)
  isDropped(t, scene, datagram(scene, '85ff0002'), 'unknownPeer', 'another port', { ...CLIENT, port: 5556 })
  t.equal(give(scene, datagram(scene, '85ff0002')).sent.length, 1, 'while the right one is answered')
  t.end()
})

t.test('checksums and compression', (t) => {
  const plain = connected()
  const compressed = datagram(plain, 'ffffffff')
  put16(compressed, 0, u16(compressed, 0) | 0x4000)
  t.equal(give(plain, compressed).counted.compression, 1, 'noise instead of a compressed body')

  const scene = connected({}, { checksum: 'crc32' })
  const bytes = datagram(scene, `00000000 85ff0002`)
  put32(bytes, 4, scene.connectId)
  put32(bytes, 4, crc32(bytes))
  const damaged = Uint8Array.from(bytes)
  damaged[damaged.length - 1] = 3
  isDropped(t, scene, damaged, 'checksum', 'a bit that changed on the way')
  isDropped(t, scene, datagram(scene, '85ff0002'), 'checksum', 'no checksum')
  isDropped(t, scene, datagram(scene, ''), 'malformedDatagram', 'shorter than its checksum')
  t.equal(give(scene, bytes).sent.length, 1, 'while the right one is answered')
  t.end()
})

t.test('a datagram that is cut off inside a command has no effect at all', (t) => {
  const scene = connected()
  isDropped(t, scene, datagram(scene, '86000001 0002 6869  86000002 0005 6869'), 'malformedCommand', 'the payload is cut')
  isDropped(t, scene, datagram(scene, '86000001 0002 6869  84ff0002 0000'), 'malformedCommand', 'the fixed part is cut')
  const whole = give(scene, datagram(scene, '86000001 0002 6869'))
  t.match(whole.events, [{ type: 'receive' }], 'so that the packet is delivered when it comes whole')
  t.end()
})

t.test('what stands in front of a tail is believed, the tail is counted', (t) => {
  const tails = [['0fff0000 01020304', 'command 15'], ['00', 'a byte'], ['8dff', 'two bytes'], ['00000000', 'command 0']] as const
  for (const [tail, name] of tails) {
    const scene = connected()
    const { counted, events, sent } = give(scene, datagram(scene, `86000001 0002 6869 ${tail}`))
    t.same(counted, { unknownCommand: 1 }, name)
    t.match(events, [{ type: 'receive' }])
    t.equal(sent.length, 1, 'acknowledged')
  }
  t.end()
})

t.test('commands that break a rule end the reading of their datagram', (t) => {
  const rules: readonly (readonly [string, string])[] = [
    ['86020001 0002 6869', 'a channel that was not agreed on'],
    [CONNECT, 'a CONNECT within a connection'],
    [`83${CONNECT.slice(2, -9)}`, 'a VERIFY_CONNECT to a server'],
    ['88000001 0001 0002 00000000 00000000 00000004 00000000 6869', 'no fragments'],
    ['88000001 0001 0002 00100001 00000000 00200002 00000000 6869', 'more fragments than the format has'],
    ['88000001 0001 0002 00000002 00000002 00000004 00000004 6869', 'a fragment number that is not below the count'],
    ['88000001 0001 0002 00000002 00000001 00000003 00000002 6869', 'a piece beyond the end'],
    ['88000001 0001 0002 00000002 00000000 00000005 00000000 6869', 'pieces that do not add up'],
    ['88000001 0001 0002 00000002 00000000 00000004 00000001 6869', 'a first piece that does not begin at 0'],
    ['88000001 0001 0000 00000002 00000000 00000004 00000000', 'an empty piece'],
    ['88000001 0001 0002 00000002 00000000 02000001 00000000 6869', 'a packet above the limit'],
    ['0c000000 0001 0002 00000002 00000000 00000005 00000000 6869', 'the same for unreliable pieces'],
  ]
  for (const [hex, name] of rules) {
    const scene = connected()
    const { counted, events, sent } = give(scene, datagram(scene, `${hex} 86000001 0002 6869`))
    t.same({ counted, events, sent: sent.length }, { counted: { malformedCommand: 1 }, events: [], sent: 0 }, name)
  }
  t.end()
})

t.test('a fragment that contradicts an earlier one of its packet is malformed', (t) => {
  const first = '88000001 0001 0002 00000003 00000000 00000006 00000000 6869'
  for (const [hex, name] of [
    ['88000002 0001 0002 00000002 00000001 00000004 00000002 6a6b', 'another count and length'],
    ['88000002 0001 0003 00000003 00000001 00000009 00000003 6a6b6c', 'another total'],
    ['88000003 0001 0001 00000003 00000002 00000006 00000005 6a', 'another size of pieces'],
  ] as const) {
    const scene = connected()
    t.equal(give(scene, datagram(scene, first)).sent.length, 1)
    t.same(give(scene, datagram(scene, hex)).counted, { malformedCommand: 1 }, name)
  }
  t.end()
})

t.test('at most 300 commands of a datagram are read', (t) => {
  const scene = connected()
  const acknowledgements = (count: number): string => '07000000 0001 0000'.repeat(count)
  t.same(give(scene, datagram(scene, acknowledgements(300), { sentTime: false })).counted, { stale: 299 })
  const more = connected()
  t.same(give(more, datagram(more, acknowledgements(301), { sentTime: false })).counted, { stale: 299, malformedCommand: 1 })
  t.end()
})

t.test('a command that wants an acknowledgement in a datagram without sent time is carried out, and the last one', (t) => {
  const scene = connected()
  const { counted, events, sent } = give(scene, datagram(scene, '86000001 0002 6869 86000002 0002 6869', { sentTime: false }))
  t.same({ counted, received: events.length, sent: sent.length }, { counted: { malformedCommand: 1 }, received: 1, sent: 0 })
  t.end()
})

t.test('what comes twice, too late or from too far is counted by its kind', (t) => {
  const scene = connected()
  t.equal(give(scene, datagram(scene, '86000001 0002 6869')).events.length, 1)
  const again = give(scene, datagram(scene, '86000001 0002 6869'))
  t.same({ ...again, sent: again.sent.length }, { counted: { duplicate: 1 }, events: [], sent: 1 }, 'known: acknowledged')
  const old = give(scene, datagram(scene, '8600ffff 0002 6869'))
  t.same({ counted: old.counted, sent: old.sent.length }, { counted: { duplicate: 1 }, sent: 1 }, 'old: acknowledged')
  isDropped(t, scene, datagram(scene, '86007000 0002 6869'), 'outsideWindow', 'dead zone: not acknowledged')
  t.equal(give(scene, datagram(scene, '07000001 0002 0000', { sentTime: false })).events.length, 1)
  isDropped(t, scene, datagram(scene, '07000001 0001 0000', { sentTime: false }), 'stale', 'overtaken by a newer unreliable packet')
  isDropped(t, scene, datagram(scene, '07000000 0009 0000', { sentTime: false }), 'stale', 'overtaken by a reliable packet')
  isDropped(t, scene, datagram(scene, '07007000 0001 0000', { sentTime: false }), 'outsideWindow', 'unreliable, behind the dead zone')
  t.equal(give(scene, datagram(scene, '49000000 0800 0000', { sentTime: false })).events.length, 1)
  isDropped(t, scene, datagram(scene, '49000000 0800 0000', { sentTime: false }), 'duplicate', 'unsequenced, twice')
  isDropped(t, scene, datagram(scene, '49000000 0400 0000', { sentTime: false }), 'stale', 'unsequenced, 1,024 behind')
  t.equal(give(scene, datagram(scene, '49000000 0401 0000', { sentTime: false })).events.length, 1, 'while 1,023 behind is delivered')
  t.end()
})

t.test('an acknowledgement of nothing changes nothing', (t) => {
  const scene = connected()
  isDropped(t, scene, datagram(scene, '01000001 0001 1234', { sentTime: false }), 'strayAcknowledgement', 'never sent')
  isDropped(t, scene, datagram(scene, '01fe0001 0001 1234', { sentTime: false }), 'strayAcknowledgement', 'a channel that does not exist')
  t.end()
})

t.test('a DISCONNECT whose number does not fit is not believed', (t) => {
  const scene = connected()
  t.same(give(scene, datagram(scene, '84ff0001 00000007')), { counted: { malformedCommand: 1 }, events: [], sent: [] }, 'the number of the CONNECT')
  t.same(give(scene, datagram(scene, '84ff9000 00000007')), { counted: { malformedCommand: 1 }, events: [], sent: [] }, 'far ahead')
  const { events, sent } = give(scene, datagram(scene, '84ff0002 00000007'))
  t.match(events, [{ type: 'disconnect', reason: 'remote', data: 7 }])
  t.equal(sent.length, 1, 'acknowledged')
  const repeated = give(scene, datagram(scene, '84ff0002 00000007'))
  t.same({ ...repeated, sent: repeated.sent.length }, { counted: { closing: 1 }, events: [], sent: 1 },
    'and acknowledged again when it is repeated')
  t.end()
})

t.test('without a peer only a CONNECT counts', (t) => {
  const scene = connected()
  isDropped(t, scene, fromHex('8fff 0001 85ff0002'), 'malformedDatagram', 'a PING', STRANGER)
  isDropped(t, scene, connect().subarray(0, 51), 'malformedDatagram', 'a CONNECT that is cut', STRANGER)
  isDropped(t, scene, connect(CONNECT.replace('00000001 00000000', '00000000 00000000')), 'malformedCommand', 'no channel', STRANGER)
  isDropped(t, scene, connect(CONNECT.replace('00000001 00000000', '00000100 00000000')), 'malformedCommand', '256 channels', STRANGER)
  const wrong = fromHex(`8fff 0001 00000000 ${CONNECT}`)
  isDropped(t, scene, wrong, 'checksum', 'a checksum that is wrong', STRANGER)
  const strict = connected({ checksum: { require: 'crc32' } }, { checksum: 'crc32' })
  isDropped(t, strict, connect(), 'checksum', 'a checksum that is missing where it is demanded', STRANGER)
  const { counted, sent } = give(scene, connect(), STRANGER)
  t.same({ counted, sent: sent.map(({ length }) => length) }, { counted: {}, sent: [48] }, 'while a proper one gets its VERIFY_CONNECT')
  t.end()
})

t.test('a refusal is one datagram, shorter than the CONNECT', (t) => {
  const scene = connected()
  scene.server.refuseConnections = true
  const { counted, events, sent } = give(scene, connect(), STRANGER)
  t.same(counted, { refusedConnect: 1 })
  t.same(events, [])
  t.same(sent.map((bytes) => Buffer.from(bytes).toString('hex')), ['000544ff000100000001'], 'to its own number, with the code of §9.2')
  t.end()
})
