// The two streams of a message: bits from the front, bytes from the back, chunks, growth, and reading that cannot go wrong.

import t from 'tap'
import { BitReader, BitWriter } from '../../src/rpc/codec/index.ts'
import { SeededRandom } from '../../src/util/random.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const readerOf = (bytes: Uint8Array): BitReader => {
  const reader = new BitReader()
  reader.reset(bytes)
  return reader
}

t.test('bits fill each byte from its lowest bit up', (t) => {
  const writer = new BitWriter()
  writer.bits(1, 1)
  writer.bits(0b10, 2)
  writer.bits(0b11111, 5)
  writer.bits(0x1234, 16)
  t.equal(hex(writer.finish()), 'fd3412')
  t.end()
})

t.test('bytes stand at the back, the last ones first', (t) => {
  const writer = new BitWriter()
  writer.bits(1, 1)
  writer.text('abc')
  writer.bytes(Uint8Array.of(1, 2))
  writer.bits(1, 1)
  const message = writer.finish()
  t.equal(hex(message), '030102616263')
  const reader = readerOf(message)
  t.equal(reader.bits(1), 1)
  t.equal(reader.text(3), 'abc')
  t.strictSame(reader.bytes(2), Uint8Array.of(1, 2))
  t.equal(reader.bits(1), 1)
  t.equal(reader.finish(), true)
  t.end()
})

t.test('numbers of every width come back at every bit position', (t) => {
  const random = new SeededRandom(5)
  const writer = new BitWriter()
  for (let shift = 0; shift < 32; shift++) {
    for (let count = 0; count <= 32; count++) {
      const value = count === 0 ? 0 : random.uint32() >>> (32 - count)
      writer.bits(0, shift)
      writer.bits(value, count)
      writer.bits(1, 1)
      const reader = readerOf(writer.finish())
      reader.bits(shift)
      const read = reader.bits(count)
      const guard = reader.bits(1)
      if (read !== value || guard !== 1 || !reader.finish()) t.fail(`${count} bits at ${shift}: ${value} came back as ${read}`)
    }
  }
  t.end()
})

t.test('a negative 32-bit pattern is written as it stands', (t) => {
  const writer = new BitWriter()
  writer.bits(1, 3)
  writer.bits(-2, 32)
  const reader = readerOf(writer.finish())
  reader.bits(3)
  t.equal(reader.bits(32), 0xfffffffe)
  t.end()
})

t.test('nothing makes an empty message, which is always the same', (t) => {
  const writer = new BitWriter()
  t.equal(writer.finish().length, 0)
  t.equal(writer.finish(), writer.finish())
  t.equal(readerOf(new Uint8Array(0)).finish(), true)
  t.end()
})

t.test('messages do not overlap, however many are written, and none changes later', (t) => {
  const random = new SeededRandom(9)
  const writer = new BitWriter()
  const kept: [Uint8Array, string][] = []
  for (let i = 0; i < 3000; i++) {
    for (let n = random.below(20); n > 0; n--) {
      if (random.chance(0.2)) writer.text('t'.repeat(random.below(40)))
      else if (random.chance(0.02)) writer.bytes(new Uint8Array(random.below(30_000)).fill(i))
      else writer.bits(random.uint32() >>> 12, 20)
    }
    if (random.chance(0.1)) writer.reset()
    const message = writer.finish()
    kept.push([message, hex(message)])
  }
  t.equal(kept.filter(([message, before]) => hex(message) !== before).length, 0)
  t.end()
})

t.test('a small message does not pin a large one', (t) => {
  const writer = new BitWriter()
  writer.bytes(new Uint8Array(1_000_000))
  writer.finish()
  writer.bits(1, 8)
  t.ok(writer.finish().buffer.byteLength <= 16_384)
  t.end()
})

t.test('a message may grow in either stream', (t) => {
  for (const large of ['front', 'back', 'both']) {
    const writer = new BitWriter()
    const text = 'é'.repeat(30_000)
    writer.bits(0x5, 3)
    if (large !== 'front') t.equal(writer.text(text), 60_000)
    if (large !== 'back') for (let i = 0; i < 30_000; i++) writer.bits(i, 17)
    const reader = readerOf(writer.finish())
    t.equal(reader.bits(3), 5)
    if (large !== 'front') t.equal(reader.text(60_000), text)
    if (large !== 'back') for (let i = 0; i < 30_000; i++) if (reader.bits(17) !== i) t.fail(`${i}`)
    t.equal(reader.finish(), true, large)
  }
  t.end()
})

t.test('the last bits of a message find room, however full it is', (t) => {
  for (let room = 4; room < 20; room++) {
    const writer = new BitWriter()
    writer.bytes(new Uint8Array(16_384 - room))
    for (let i = 0; i < 3; i++) writer.bits(0xabcdef01, 32)
    writer.bits(1, 1)
    const message = writer.finish()
    t.equal(message.length, 12 + 1 + 16_384 - room)
    t.equal(hex(message.subarray(0, 14)), '01efcdab01efcdab01efcdab0100')
  }
  t.end()
})

t.test('after a large message the reader goes back to its own memory', (t) => {
  const reader = readerOf(new Uint8Array(200_000).fill(255))
  t.equal(reader.bits(32), 0xffffffff)
  reader.reset(Uint8Array.of(7))
  t.equal(reader.bits(8), 7)
  t.equal(reader.finish(), true)
  t.end()
})

t.test('what a message does not have is not read from the one before it', (t) => {
  const reader = readerOf(new Uint8Array(64).fill(255))
  reader.reset(Uint8Array.of(0))
  t.equal(reader.bits(9), 0)
  t.equal(reader.failure, 'truncated')
  reader.reset(Uint8Array.of(1))
  t.strictSame([reader.text(2), reader.failure], ['', 'truncated'])
  reader.reset(Uint8Array.of(1))
  t.strictSame([reader.bytes(2), reader.failure], [new Uint8Array(0), 'truncated'])
  t.end()
})

t.test('bits and bytes never share a byte', (t) => {
  const reader = readerOf(Uint8Array.of(0x61, 0x62))
  reader.bits(1)
  t.strictSame([reader.text(2), reader.failure], ['', 'truncated'])
  reader.reset(Uint8Array.of(0x61, 0x62))
  t.equal(reader.text(1), 'b')
  t.equal(reader.bits(8), 0x61)
  t.equal(reader.remainingBits, 0)
  t.strictSame([reader.bits(1), reader.failure], [0, 'truncated'])
  t.end()
})

t.test('the first failure stays, and everything after it is nothing', (t) => {
  const reader = readerOf(Uint8Array.of(255, 255, 255))
  reader.fail('key')
  t.equal(reader.bits(32), 0)
  t.equal(reader.varint(), 0)
  t.equal(reader.zigzag(), 0)
  t.equal(reader.text(1), '')
  t.equal(reader.bytes(1).length, 0)
  t.equal(reader.affords(1, 1), false)
  t.equal(reader.remainingBits, 0)
  t.equal(reader.failure, 'key')
  t.equal(reader.finish(), false)
  reader.reset(Uint8Array.of(5))
  t.equal(reader.bits(8), 5)
  t.equal(reader.finish(), true, 'until the next message')
  t.end()
})

t.test('a message of more than 32 MiB is refused unread', (t) => {
  const reader = readerOf(new Uint8Array(32 * 1024 * 1024 + 1))
  t.equal(reader.failure, 'limit')
  t.equal(reader.finish(), false)
  t.end()
})
