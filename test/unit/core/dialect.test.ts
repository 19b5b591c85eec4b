// One host, every dialect: checksum and compression found out from each CONNECT, mismatches named. SPEC §2.3, §2.4, §4.6.

import t from 'tap'
import { Host } from '../../../src/transport/core/host.ts'
import type { HostOptions } from '../../../src/transport/core/options.ts'
import { RangeCoder } from '../../../src/transport/core/range-coder.ts'
import { u16 } from '../../../src/transport/core/wire.ts'
import type { Checksum, Compressor, Diagnostic } from '../../../src/transport/types.ts'
import { SeededRandom } from '../../../src/util/random.ts'
import { drain, eventsOf } from '../../support/puppet.ts'
import { pair, packet, Side, strangers } from '../../support/pair.ts'
import { Network } from '../../../src/transport/simulator/network.ts'

/** Runs of equal bytes as length and byte. Shrinks text of one letter. */
const runs: Compressor = {
  name: 'runs',
  compress: (input, output) => {
    let size = 0
    for (let at = 0; at < input.length;) {
      let length = 1
      while (length < 255 && input[at + length] === input[at]) length++
      if (size + 2 > output.length) return 0
      output[size++] = length
      output[size++] = input[at] ?? 0
      at += length
    }
    return size
  },
  decompress: (input, output) => {
    let size = 0
    for (let at = 0; at + 1 < input.length; at += 2) {
      const length = input[at] ?? 0
      if (size + length > output.length) return 0
      output.fill(input[at + 1] ?? 0, size, size + length)
      size += length
    }
    return size
  },
}

const sum: Checksum = (bytes) => bytes.reduce((total, byte) => (Math.imul(total, 31) + byte) >>> 0, 7)

const clients: readonly (readonly [string, HostOptions])[] = [
  ['plain', {}],
  ['CRC-32', { checksum: 'crc32' }],
  ['range coder', { compression: 'rangeCoder' }],
  ['both', { checksum: 'crc32', compression: 'rangeCoder' }],
]

t.test('one host with default options serves every dialect at the same time, each in its own way', (t) => {
  const network = new Network({ seed: 4, path: { latencyMs: 5 } })
  const server = new Side(network, 'server', { seed: 1 }, {})
  server.onEvent = (event) => {
    if (event.type === 'receive') event.peer.send(event.channel, event.bytes, event.delivery)
  }
  const text = new Uint8Array(600).fill(97)
  for (const [name, options] of clients) {
    const side = new Side(network, name, { seed: name.length, ...options }, {})
    let compressed = 0
    let checked = 0
    network.link('server', name).filter = (bytes) => {
      const word = u16(bytes, 0)
      if ((word & 0x4000) !== 0) compressed++
      if (bytes.length > 300 && (word & 0x4000) === 0) checked = bytes.length
      return true
    }
    side.connect(server, { channels: 2 })
    network.runUntil(() => side.of('connect').length > 0)
    for (const delivery of ['reliable', 'unreliable', 'unsequenced'] as const) side.peer.send(1, text, delivery)
    side.peer.send(0, new Uint8Array(20_000).fill(98))
    network.runUntil(() => side.received.length === 4, { what: `${name}: four echoes` })
    t.ok(side.received.every(({ bytes }) => bytes.every((byte) => byte === 97 || byte === 98)), name)
    t.equal(compressed > 0, options.compression !== undefined, `${name}: compressed answers only for who compresses`)
    if (options.compression === undefined) t.ok(checked > 0, name)
  }
  const dropped = { ...server.host.ledger }
  t.same([dropped.checksum, dropped.compression, dropped.malformedDatagram], [0, 0, 0])
  t.end()
})

t.test('a checksum and a compressor of one\'s own, given to both', (t) => {
  const { a, b, network } = pair({ both: { checksum: sum, compression: runs, compressors: [runs] } })
  for (let i = 0; i < 20; i++) a.peer.send(0, packet(i, 500))
  network.runUntil(() => b.received.length === 20)
  t.same([b.host.ledger.checksum, b.host.ledger.compression], [0, 0])
  t.ok(a.host.stats.bytesSent < 5_000, `${a.host.stats.bytesSent} bytes for 10,000`)
  t.end()
})

t.test('whatever damages datagrams, with a checksum none of it is read', (t) => {
  for (const [name, options] of clients.filter(([, { checksum }]) => checksum !== undefined)) {
    const { a, b, network } = pair({ a: options, path: { latencyMs: 5, corruptRatio: 0.3, truncateRatio: 0.05, extendRatio: 0.05 } })
    for (let i = 0; i < 300; i++) {
      network.at(network.now + i * 5, () => {
        a.peer.send(0, packet(i, 40))
        b.peer.send(0, packet(i, 40))
      })
    }
    network.runUntil(() => a.received.length === 300 && b.received.length === 300)
    t.same(b.numbers, Array.from({ length: 300 }, (_, i) => i), name)
    t.ok(b.received.every(({ bytes }, i) => Buffer.compare(bytes, packet(i, 40)) === 0), name)
    const { checksum, compression, malformedDatagram, malformedCommand, unknownCommand } = b.host.ledger
    t.ok(checksum + compression > 50, `${checksum} and ${compression} dropped`)
    t.same([malformedCommand, unknownCommand], [0, 0], `${malformedDatagram} too short`)
  }
  t.end()
})

/** Lets one host connect to another that does not understand it. */
const misunderstood = (a: HostOptions, b: HostOptions) => {
  const sides = strangers({ a: { connectTimeoutMs: 30_000, ...a }, b })
  sides.a.connect(sides.b)
  sides.network.runFor(29_000)
  return { ...sides, told: sides.b.of('diagnostic') as Diagnostic[] }
}

t.test('a checksum that we do not know is named, now and then, with what to do', (t) => {
  const { b, told, a } = misunderstood({ checksum: sum }, {})
  t.equal(a.of('connect').length, 0)
  t.match(told[0], { code: 'dialect-checksum', from: { port: 7777 } })
  t.match(told[0]?.message, /checksum.*options\.checksum/)
  t.equal(told.length, 3, 'every ten seconds')
  t.ok(b.host.ledger.checksum >= 20)
  t.end()
})

t.test('compression that we cannot undo is named', (t) => {
  const { b, told } = misunderstood({ compression: 'rangeCoder' }, { compressors: [] })
  t.match(told[0], { code: 'dialect-compression' })
  t.match(told[0]?.message, /options\.compressors \(none\)/)
  t.ok(b.host.ledger.compression >= 20)
  t.end()
})

t.test('a host that demands a checksum says so to the application and nothing to the stranger', (t) => {
  const { a, b, told } = misunderstood({}, { checksum: { require: 'crc32' } })
  t.match(told[0], { code: 'dialect-checksum' })
  t.match(told[0]?.message, /requires/)
  t.same([b.host.stats.datagramsSent, b.host.stats.halfOpen], [0, 0])
  t.equal(a.of('connect').length, 0)
  const { b: server } = pair({ a: { checksum: 'crc32' }, b: { checksum: { require: 'crc32' } } })
  t.equal(server.of('connect').length, 1, 'with the checksum one is let in')
  t.end()
})

t.test('a fork of ENet is recognised by its header', (t) => {
  const host = new Host({ seed: 1 })
  const bytes = new Uint8Array(56)
  bytes.set([0x4f, 0xff, 0x00, 0x00, 0x82, 0xff, 0x00, 0x01])
  host.receive(bytes, { address: '192.0.2.1', port: 99 }, 0)
  host.advance(0)
  t.match(eventsOf(host), [{ type: 'diagnostic', code: 'dialect-fork' }])
  t.same(drain(host), [])
  t.end()
})

t.test('diagnostics about many strangers do not grow without end', (t) => {
  const host = new Host({ seed: 1 })
  for (let i = 0; i < 5_000; i++) {
    const bytes = new Uint8Array(60).fill(i)
    bytes.set([0xcf, 0xff, 0, 0])
    host.receive(bytes, { address: `2001:db8::${i.toString(16)}`, port: 99 }, 0)
  }
  t.equal(eventsOf(host).length, 32, 'one for each address, as long as there are not many')
  host.receive(new Uint8Array([0xcf, 0xff, 0, 0, 1, 2, 3, 4, 5]), { address: '2001:db8::1', port: 1 }, 9_999)
  t.equal(eventsOf(host).length, 0, 'the same address again within ten seconds, whatever its port')
  host.receive(new Uint8Array([0xcf, 0xff, 0, 0, 1, 2, 3, 4, 5]), { address: '2001:db8::1387', port: 1 }, 10_000)
  t.equal(eventsOf(host).length, 1, 'after ten seconds there is room again')
  t.end()
})

t.test('the compressor of a client whose CONNECT did not shrink is found at its first compressed datagram', (t) => {
  /** Says that nothing can be compressed until it is asked for the fourth time. */
  const shy = (): Compressor => {
    const coder = new RangeCoder()
    let asked = 0
    return { name: 'shy', compress: (input, output) => asked++ < 3 ? 0 : coder.compress(input, output),
      decompress: (input, output) => coder.decompress(input, output) }
  }
  for (const checksum of ['none', 'crc32'] as const) {
    const { a, b, network } = pair({ a: { checksum, compression: shy() }, b: { compressors: [runs, new RangeCoder()] } })
    let compressed = 0
    network.link('b', 'a').filter = (bytes) => {
      if ((u16(bytes, 0) & 0x4000) !== 0) compressed++
      return true
    }
    b.peer.send(0, new Uint8Array(500).fill(1))
    network.runUntil(() => a.received.length === 1)
    t.equal(compressed, 0, 'until then it is answered without compression')
    for (let i = 0; i < 5; i++) a.peer.send(0, new Uint8Array(500).fill(i))
    network.runUntil(() => b.received.length === 5)
    b.peer.send(0, new Uint8Array(500).fill(1))
    network.runUntil(() => a.received.length === 2)
    t.ok(compressed > 0, 'then it is')
    t.equal(b.host.ledger.compression, 0)
  }
  t.end()
})

t.test('a compressor that was guessed wrong is looked for again', (t) => {
  // It understands everything, to something that holds together only for the first datagram (an acknowledgement).
  let calls = 0
  const coder = new RangeCoder()
  const impostor: Compressor = {
    name: 'impostor',
    compress: () => 0,
    decompress: (input, output) => calls++ < 2 ? coder.decompress(input, output) : 0,
  }
  const { a, b, network } = pair({ a: { compression: 'rangeCoder' }, b: { compressors: [impostor, new RangeCoder()] } })
  for (let i = 0; i < 5; i++) a.peer.send(0, new Uint8Array(500).fill(i))
  network.runUntil(() => b.received.length === 5)
  t.ok(calls > 2)
  t.end()
})

t.test('what does not shrink travels plain', (t) => {
  const { a, b, network } = pair({ a: { compression: 'rangeCoder' } })
  const flags = new Set<boolean>()
  network.link('a', 'b').filter = (bytes) => {
    if (bytes.length > 400) flags.add((u16(bytes, 0) & 0x4000) !== 0)
    return true
  }
  const noise = new Uint8Array(500)
  new SeededRandom(5).bytes(noise)
  a.peer.send(0, noise)
  network.runUntil(() => b.received.length === 1)
  t.same([...flags], [false])
  t.same(b.received[0]?.bytes, noise)
  t.end()
})

t.test('what a compressor gives back no shorter travels plain as well', (t) => {
  let asked = 0
  const same: Compressor = {
    name: 'same',
    compress: (input, output) => {
      asked++
      output.set(input)
      return input.length
    },
    decompress: () => 0,
  }
  const { a, b, network } = pair({ a: { compression: same } })
  a.peer.send(0, packet(1, 100))
  network.runUntil(() => b.received.length === 1)
  t.ok(asked > 1)
  t.end()
})

t.test('delivered bytes of a compressed datagram stay what they are when the next one is read', (t) => {
  const { a, b, network } = pair({ a: { compression: 'rangeCoder' } })
  for (let i = 0; i < 50; i++) a.peer.send(0, new Uint8Array(300).fill(i))
  network.runUntil(() => b.received.length === 50)
  t.ok(b.received.every(({ bytes }, i) => bytes.length === 300 && bytes.every((byte) => byte === i)))
  t.end()
})
