// Small messages that want to be large, deep or slow: every one is refused quickly, and without the memory it asks for.

import t from 'tap'
import { BitWriter, decode, t as codec } from '../../src/rpc/codec/index.ts'
import type { Type } from '../../src/rpc/codec/index.ts'
import { fromHex } from '../support/captures.ts'

/** A message written by hand. */
const message = (write: (writer: BitWriter) => void): Uint8Array => {
  const writer = new BitWriter()
  write(writer)
  return writer.finish()
}

const count = (n: number): Uint8Array => message((w) => w.varint(n))
const withRoom = (n: number, bytes: number): Uint8Array => message((w) => {
  w.varint(n)
  w.bytes(new Uint8Array(bytes))
})
/** `any` values: their tags. */
const [ARRAY, OBJECT, MAP, STRING, BYTES, BIGINT] = [10, 11, 12, 8, 9, 14]

const nested = (tag: number, depth: number): Uint8Array => message((w) => {
  for (let i = 0; i < depth; i++) {
    w.bits(tag, 4)
    w.varint(1)
    if (tag !== ARRAY) {
      w.varint(1)
      w.text('k')
    }
  }
  w.bits(0, 4)
})

const tagged = (tag: number, n: number, bytes = 0): Uint8Array => message((w) => {
  w.bits(tag, 4)
  w.varint(n)
  w.bytes(new Uint8Array(bytes))
})

const deepRecord = (depth: number): Type<any> => {
  let type: Type<any> = codec.u8
  for (let i = 0; i < depth; i++) type = codec.record({ a: codec.array(type), b: codec.array(codec.record({})) })
  return type
}

interface Bomb {
  readonly what: string
  readonly type: Type<any>
  readonly bytes: Uint8Array
  readonly error: string
}

const BOMBS: Bomb[] = [
  { what: '2^53 − 1 elements', type: codec.array(codec.u8), bytes: count(Number.MAX_SAFE_INTEGER), error: 'range' },
  { what: '2^25 elements in a type that allows them', type: codec.array(codec.bool, { max: 2 ** 25 }), bytes: count(2 ** 25),
    error: 'truncated' },
  { what: '65,535 elements of no bits', type: codec.array(codec.record({})), bytes: count(65_535), error: 'limit' },
  { what: '65,535 constants', type: codec.array(codec.literal('x')), bytes: count(65_535), error: 'limit' },
  { what: '2^25 elements of no bits', type: codec.array(codec.record({}), { max: 2 ** 25 }), bytes: count(2 ** 25), error: 'limit' },
  { what: 'lists of 4,096 nothings, again and again', type: codec.array(codec.array(codec.record({}))), error: 'limit',
    bytes: message((w) => { w.varint(400); for (let i = 0; i < 400; i++) w.varint(4096) }) },
  { what: 'elements of one bit, one more than there are', type: codec.array(codec.bool), bytes: withRoom(8001, 1000), error: 'truncated' },
  { what: 'elements that need more than is there', type: codec.array(deepRecord(3)), bytes: withRoom(2000, 1000), error: 'truncated' },
  { what: 'all of a message as elements, none of which is right', type: codec.array(codec.range(0, 4)), error: 'range',
    bytes: message((w) => { w.varint(2600); w.bytes(new Uint8Array(980).fill(255)) }) },
  { what: 'a fixed number of nothings that may not be', type: codec.array(codec.record({}), { length: 5000 }), bytes: new Uint8Array(0),
    error: 'limit' },
  { what: 'a text of 2^53 − 1 bytes', type: codec.string, bytes: count(Number.MAX_SAFE_INTEGER), error: 'range' },
  { what: 'a text of 16 KiB', type: codec.string, bytes: count(16_384), error: 'truncated' },
  { what: 'a text of 32 MiB in a type that allows it', type: codec.string.max(2 ** 25), bytes: count(2 ** 25), error: 'truncated' },
  { what: 'a blob of 32 MiB', type: codec.bytes, bytes: count(2 ** 25), error: 'truncated' },
  { what: 'a thousand texts out of one', type: codec.array(codec.string), error: 'utf8',
    bytes: message((w) => { w.varint(1000); for (let i = 0; i < 1000; i++) w.varint(1000); w.bytes(new Uint8Array(1000)) }) },
  { what: '1,025 entries', type: codec.map(codec.u8, codec.u8), bytes: withRoom(1025, 4000), error: 'range' },
  { what: '1,024 entries in no bytes', type: codec.map(codec.string, codec.u8), bytes: count(1024), error: 'truncated' },
  { what: '1,024 times the same key', type: codec.map(codec.u8, codec.u8), bytes: withRoom(1024, 2048), error: 'key' },
  { what: 'a bigint of 255 bytes', type: codec.bigint,
    bytes: message((w) => { w.bits(0, 1); w.bits(255, 8); w.bytes(new Uint8Array(255).fill(1)) }), error: 'range' },
  { what: 'a varint of a thousand groups', type: codec.varint, bytes: new Uint8Array(1000).fill(255), error: 'range' },
  { what: 'a zigzag of a thousand groups', type: codec.zigzag, bytes: new Uint8Array(1000).fill(255), error: 'range' },
  { what: 'a date in the year 287,396', type: codec.date, bytes: fromHex('feffffffffffff1f'), error: 'range' },
  { what: 'arrays, 33 deep', type: codec.any, bytes: nested(ARRAY, 33), error: 'limit' },
  { what: 'arrays, 10,000 deep', type: codec.any, bytes: nested(ARRAY, 10_000), error: 'limit' },
  { what: 'objects, 10,000 deep', type: codec.any, bytes: nested(OBJECT, 10_000), error: 'limit' },
  { what: 'maps, 10,000 deep', type: codec.any, bytes: nested(MAP, 10_000), error: 'limit' },
  { what: 'arrays in arrays in each of many records', type: codec.array(codec.any), error: 'limit',
    bytes: message((w) => { w.varint(100); for (let i = 0; i < 100; i++) for (
      let k = 0; k < 33; k++) { w.bits(ARRAY, 4); w.varint(1) } }) },
  { what: '4,097 nulls', type: codec.any, bytes: tagged(ARRAY, 4096, 2048), error: 'limit' },
  { what: '4,097 self-describing values in a list of them', type: codec.array(codec.any), bytes: withRoom(4097, 2049), error: 'limit' },
  { what: 'an array of 2^53 − 1 values', type: codec.any, bytes: tagged(ARRAY, Number.MAX_SAFE_INTEGER), error: 'truncated' },
  { what: 'an object of 2^53 − 1 entries', type: codec.any, bytes: tagged(OBJECT, Number.MAX_SAFE_INTEGER), error: 'limit' },
  { what: 'a map of 1,024 entries in few bytes', type: codec.any, bytes: tagged(MAP, 1024, 100), error: 'truncated' },
  { what: 'a map of 1,025 entries', type: codec.any, bytes: tagged(MAP, 1025, 4000), error: 'limit' },
  { what: 'a self-describing text of 16 MiB', type: codec.any, bytes: tagged(STRING, 2 ** 24), error: 'range' },
  { what: 'a self-describing blob of 32 MiB', type: codec.any, bytes: tagged(BYTES, 2 ** 25), error: 'truncated' },
  { what: 'a self-describing bigint of 255 bytes', type: codec.any,
    bytes: message((w) => { w.bits(BIGINT, 4); w.bits(0, 1); w.bits(255, 8); w.bytes(new Uint8Array(255)) }), error: 'range' },
]

t.test('every bomb is refused for its reason', (t) => {
  for (const { what, type, bytes, error } of BOMBS) t.strictSame(decode(type, bytes), { ok: false, error }, what)
  t.end()
})

t.test('every bomb costs at most a millisecond', (t) => {
  for (const { what, type, bytes } of BOMBS) {
    // The quickest of some: what the machine does besides is not the question.
    let best = Infinity
    for (let i = 0; i < 5; i++) {
      const start = process.hrtime.bigint()
      decode(type, bytes)
      best = Math.min(best, Number(process.hrtime.bigint() - start) / 1e6)
    }
    t.ok(best <= 1, `${what}: ${best.toFixed(3)} ms`)
  }
  t.end()
})

t.test('no bomb asks for a mebibyte of memory', (t) => {
  for (const { what, type, bytes } of BOMBS) {
    decode(type, bytes)
    const before = process.memoryUsage()
    for (let i = 0; i < 20; i++) decode(type, bytes)
    const after = process.memoryUsage()
    // No collection needs to have happened: even if all of it were still there, twenty would be less than twenty mebibytes.
    const grown = after.heapUsed + after.external + after.arrayBuffers - before.heapUsed - before.external - before.arrayBuffers
    t.ok(grown < 20 * 2 ** 20, `${what}: ${Math.round(grown / 20 / 1024)} KiB each`)
  }
  t.end()
})

t.test('keys chosen by a stranger cost no more than others', (t) => {
  const type = codec.map(codec.u53, codec.bool)
  // Multiples of 2^32 and of 2^20: alike in the bits that a careless hash looks at.
  for (const factor of [1, 2 ** 20, 2 ** 32, 2 ** 42]) {
    const bytes = message((w) => {
      w.varint(1024)
      for (let i = 0; i < 1024; i++) {
        const key = BigInt(i) * BigInt(factor)
        w.bits(Number(key & 0xffffffffn), 32)
        w.bits(Number(key >> 32n), 21)
        w.bits(1, 1)
      }
    })
    let best = Infinity
    for (let i = 0; i < 5; i++) {
      const start = process.hrtime.bigint()
      if (!decode(type, bytes).ok) t.fail('1,024 entries are allowed')
      best = Math.min(best, Number(process.hrtime.bigint() - start) / 1e6)
    }
    t.ok(best <= 20, `multiples of ${factor}: ${best.toFixed(2)} ms`)
  }
  t.end()
})

t.test('no key leads to a prototype, in none of the types that have keys', (t) => {
  for (const key of ['__proto__', 'constructor', 'prototype']) {
    const entry = (start: (w: BitWriter) => void): Uint8Array => message((w) => {
      start(w)
      w.varint(key.length)
      w.text(key)
      w.bits(0, 8)
    })
    const bytes = {
      object: entry((w) => { w.bits(OBJECT, 4); w.varint(1) }),
      map: entry((w) => { w.bits(MAP, 4); w.varint(1) }),
      typed: entry((w) => w.varint(1)),
    }
    t.strictSame(decode(codec.any, bytes.object), { ok: false, error: 'key' }, `object: ${key}`)
    t.strictSame(decode(codec.any, bytes.map), { ok: false, error: 'key' }, `map: ${key}`)
    t.strictSame(decode(codec.map(codec.string, codec.u8), bytes.typed), { ok: false, error: 'key' }, `typed map: ${key}`)
  }
  t.equal(({} as Record<string, unknown>)['polluted'], undefined)
  t.end()
})
