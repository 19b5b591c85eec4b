// Laws of the range coder: there and back, the same bytes as a naive twin, and any bytes at all.

import fc from 'fast-check'
import t from 'tap'
import { RangeCoder } from '../../src/transport/core/range-coder.ts'
import { holds } from '../support/holds.ts'
import * as twin from '../support/twins/range-coder.ts'

const DATAGRAM_MAX = 4096
// Incompressible bytes grow by a seventh or so; see the vector of 256 different ones.
const ROOMY = 2 * DATAGRAM_MAX

const coder = new RangeCoder()
const output = new Uint8Array(ROOMY)
const compress = (input: Uint8Array): Uint8Array => output.slice(0, coder.compress(input, output))
const decompress = (input: Uint8Array, limit: number): Uint8Array => {
  const room = output.subarray(0, limit)
  return room.slice(0, coder.decompress(input, room))
}
/** What the twin makes of it; nothing when it says that the bytes are damaged. */
const twinDecompress = (bytes: Uint8Array, limit: number): readonly number[] => {
  try {
    return twin.decompress([...bytes], limit)
  } catch (error) {
    if (error instanceof RangeError) return []
    throw error
  }
}
const same = (a: Uint8Array, b: Uint8Array | readonly number[]): boolean => Buffer.compare(a, Uint8Array.from(b)) === 0

const random = (maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: 1, maxLength, size: 'max' })

/** A few values only, some of them far more often than others. */
const skewed = (maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc.uniqueArray(fc.nat({ max: 255 }), { minLength: 1, maxLength: 20 }).chain((values) =>
    fc.array(fc.tuple(fc.nat({ max: values.length - 1 }), fc.nat({ max: values.length - 1 })), { minLength: 1, maxLength, size: 'max' })
      .map((pairs) => Uint8Array.from(pairs, ([a, b]) => values[Math.min(a, b)]!)))

/** A record over and over, with some bytes changed each time: what snapshots of a game look like. */
const records = (maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc.tuple(
    fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat({ max: maxLength - 1 }),
    fc.array(fc.tuple(fc.nat({ max: maxLength }), fc.nat({ max: 255 })), { maxLength: 200, size: 'max' })
  ).map(([record, length, changes]) => {
    const bytes = Uint8Array.from({ length: length + 1 }, (_, i) => record[i % record.length]!)
    for (const [at, value] of changes) bytes[at % bytes.length] = value
    return bytes
  })

/** Ramps up and down, which make C ENet's trees lists, with a byte of their own between. */
const ramps = (maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc.tuple(fc.integer({ min: -20, max: 20 }), fc.integer({ min: 1, max: 4 }), fc.nat({ max: 255 }), fc.nat({ max: maxLength - 1 }))
    .map(([slope, period, between, length]) =>
      Uint8Array.from({ length: length + 1 }, (_, i) => (period > 1 && i % period !== 0 ? between : slope * Math.floor(i / period))))

const run = (maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc.tuple(fc.nat({ max: 255 }), fc.integer({ min: 1, max: maxLength })).map(([value, length]) => new Uint8Array(length).fill(value))

const anyInput = (maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc.oneof(random(maxLength), skewed(maxLength), records(maxLength), ramps(maxLength), run(maxLength))

/** As large as a datagram can be, and so never smaller when a counterexample shrinks. */
const maximal: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ minLength: DATAGRAM_MAX, maxLength: DATAGRAM_MAX, size: 'max' }),
  anyInput(600).map((bytes) => Uint8Array.from({ length: DATAGRAM_MAX }, (_, i) => bytes[i % bytes.length]!))
)

/** Codes of real inputs with bytes changed, cut off or added: they get much deeper into the decoder than random ones. */
const damaged = (maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc.tuple(
    anyInput(maxLength), fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }),
    fc.nat({ max: 20 }), fc.uint8Array({ maxLength: 20 })
  ).map(([input, changes, cut, more]) => {
    const code = compress(input)
    for (const [at, value] of changes) code[at % code.length] = value
    return Uint8Array.from([...code.subarray(0, Math.max(0, code.length - cut)), ...more])
  })

const hostile = (maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc.oneof(fc.uint8Array({ maxLength, size: 'max' }), damaged(maxLength))

t.test('honest bytes', (t) => {
  holds(t, 'decompressing what was compressed gives the input back',
    fc.property(anyInput(DATAGRAM_MAX), (input) => same(decompress(compress(input), DATAGRAM_MAX), input)), { numRuns: 300 })

  holds(t, 'so it does for the largest datagrams',
    fc.property(maximal, (input) => same(decompress(compress(input), DATAGRAM_MAX), input)), { numRuns: 60 })

  holds(t, 'so it does with zeros behind the code, which stand for nothing',
    fc.property(anyInput(300), fc.nat({ max: 20 }), (input, zeros) => {
      const code = compress(input)
      const longer = new Uint8Array(code.length + zeros)
      longer.set(code)
      return same(decompress(longer, input.length), input)
    }))

  holds(t, 'compresses to the bytes of the naive twin',
    fc.property(anyInput(800), (input) => same(compress(input), twin.compress(input))), { numRuns: 200 })

  holds(t, 'so it does for the largest datagrams, where the model starts anew',
    fc.property(maximal, (input) => same(compress(input), twin.compress(input))), { numRuns: 25 })
  t.end()
})

t.test('room', (t) => {
  holds(t, 'compressing succeeds exactly when the output holds the whole code',
    fc.property(anyInput(500), fc.nat({ max: 700 }), (input, limit) => {
      const size = compress(input).length
      return coder.compress(input, output.subarray(0, limit)) === (size <= limit ? size : 0)
    }))

  holds(t, 'decompressing succeeds exactly when the output holds all bytes',
    fc.property(anyInput(500), fc.nat({ max: 700 }), (input, limit) =>
      coder.decompress(compress(input), output.subarray(0, limit)) === (input.length <= limit ? input.length : 0)))
  t.end()
})

t.test('hostile bytes', (t) => {
  holds(t, 'any bytes at all end without an exception, within the room given',
    fc.property(hostile(DATAGRAM_MAX), fc.nat({ max: DATAGRAM_MAX }), (bytes, limit) => {
      const guarded = new Uint8Array(limit + 8).fill(0xa5)
      const size = coder.decompress(bytes, guarded.subarray(0, limit))
      return Number.isInteger(size) && size >= 0 && size <= limit && guarded.subarray(limit).every((byte) => byte === 0xa5)
    }), { numRuns: 400 })

  holds(t, 'fails on exactly those at which the naive twin fails, and agrees with it on the rest',
    fc.property(hostile(400), (bytes) => same(decompress(bytes, 600), twinDecompress(bytes, 600))), { numRuns: 200 })

  holds(t, 'leaves nothing behind: the next datagram decompresses as ever',
    fc.property(hostile(1000), anyInput(300), (bytes, input) => {
      const code = compress(input)
      decompress(bytes, DATAGRAM_MAX)
      return same(decompress(code, DATAGRAM_MAX), input)
    }))
  t.end()
})
