// Laws of the codec, over schemas and values of every kind, and over bytes that nobody meant well.

import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { BitReader, BitWriter, decode, encode, t as codec } from '../../src/rpc/codec/index.ts'
import type { Type } from '../../src/rpc/codec/index.ts'
import { dynamic, schemaAndValues, schemas, text } from '../support/codec-arbitraries.ts'
import { holds } from '../support/holds.ts'
import { halfPattern, twinEncode } from '../support/twins/codec.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** What a refusal may say. */
const FAILURES = new Set(['truncated', 'trailing', 'range', 'canonical', 'utf8', 'key', 'limit'])

const valueOf = (type: Type<any>, bytes: Uint8Array): unknown => {
  const decoded = decode(type, bytes)
  if (!decoded.ok) throw new Error(`${type.describe()} refuses ${hex(bytes)}: ${decoded.error}`)
  return decoded.value
}

/** Whether a value belongs to these bytes and no others. Objects list keys that are numbers first: their entries may change places. */
const isTheOnlyOne = (type: Type<any>, value: unknown, bytes: Uint8Array): boolean => {
  const again = encode(type, value)
  if (hex(again) === hex(bytes)) return true
  return /"\d+"/.test(fc.stringify(value)) && again.length === bytes.length && isDeepStrictEqual(valueOf(type, again), value)
}

/** All that belongs to the built-in prototypes, for comparison. */
const prototypes = (): unknown =>
  [Object, Array, Map, String, Number, Boolean, BigInt, Date, Uint8Array, Function, Promise, Error].map(({ prototype }) =>
    Object.getOwnPropertyDescriptors(prototype))
const PROTOTYPES = prototypes()

const RUNS = { numRuns: 400 }

holds(t, 'decoding what was encoded gives the value back', fc.property(schemaAndValues(), ({ type, values }) => {
  for (const value of values) {
    const back = valueOf(type, encode(type, value))
    if (!isDeepStrictEqual(back, value)) throw new Error(`${type.describe()}: ${fc.stringify(value)} came back as ${fc.stringify(back)}`)
  }
}), RUNS)

holds(t, 'a codec that knows only the signature text writes the same bytes', fc.property(schemaAndValues(2), ({ type, values }) => {
  for (const value of values) {
    const ours = hex(encode(type, value))
    const twin = hex(twinEncode(type.describe(), value))
    if (ours !== twin) throw new Error(`${type.describe()}: ${fc.stringify(value)} is ${ours}, by SPEC ${twin}`)
  }
}), RUNS)

holds(t, 'equal values have equal bytes, and at least the bits that the type announces',
  fc.property(schemaAndValues(2), ({ type, values }) => {
  for (const value of values) {
    const bytes = encode(type, value)
    const again = encode(type, valueOf(type, bytes))
    return hex(again) === hex(bytes) && bytes.length * 8 >= type.minBits
  }
  return true
}), RUNS)

holds(t, 'any bytes at all give a value or a reason, never an exception; and an accepted message is the only one for its value',
  fc.property(schemas, fc.uint8Array({ maxLength: 80 }), ({ type }, bytes) => {
    const decoded = decode(type, bytes)
    if (!decoded.ok) return FAILURES.has(decoded.error)
    return isTheOnlyOne(type, decoded.value, bytes)
  }), { numRuns: 1500 })

holds(t, 'a message with some bits changed gives a value or a reason, and the value is the only one with these bytes',
  fc.property(schemaAndValues(1), fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), ({ type, values }, flips) => {
    const bytes = Uint8Array.from(encode(type, values[0]))
    for (const flip of flips) if (bytes.length > 0) bytes[(flip >>> 3) % bytes.length]! ^= 1 << (flip & 7)
    const decoded = decode(type, bytes)
    return decoded.ok ? isTheOnlyOne(type, decoded.value, bytes) : FAILURES.has(decoded.error)
  }), { numRuns: 1500 })

holds(t, 'a message that lost its first bytes or its last, or won some, is never taken for the same value',
  fc.property(schemaAndValues(1), fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 3 }), ({ type, values }, cut, more) => {
    const bytes = encode(type, values[0])
    const others: Uint8Array[] = [Uint8Array.from([...bytes, ...more]), Uint8Array.from([...more, ...bytes])]
    if (bytes.length > 0) others.push(bytes.subarray(0, cut % bytes.length), bytes.subarray(1 + (cut % bytes.length)))
    for (const other of others) {
      const decoded = decode(type, other)
      if (decoded.ok && !isTheOnlyOne(type, decoded.value, other)) throw new Error(`${hex(other)} gave ${fc.stringify(decoded.value)}`)
    }
  }), RUNS)

holds(t, 'values of other kinds throw ERR_ENCODE or fit, nothing else',
  fc.property(schemas, fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true }), ({ type }, value) => {
  try {
    valueOf(type, encode(type, value))
    return true
  } catch (error) {
    return (error as { code?: string }).code === 'ERR_ENCODE'
  }
}), { numRuns: 1500 })

holds(t, 'after an error the next message is not harmed',
  fc.property(schemaAndValues(1), schemas, fc.anything(), ({ type, values }, other, wrong) => {
  const before = hex(encode(type, values[0]))
  try {
    encode(other.type, wrong)
  } catch {
    // Expected nearly always.
  }
  return hex(encode(type, values[0])) === before
}), RUNS)

holds(t, 'messages written one after the other into one writer are those written alone',
  fc.property(fc.array(schemaAndValues(1), { maxLength: 8 }), (list) => {
  const writer = new BitWriter()
  const together = list.map(({ type, values }) => {
    type.write(writer, values[0])
    return writer.finish()
  })
  return list.every(({ type, values }, i) => hex(together[i]!) === hex(encode(type, values[0])))
}), RUNS)

holds(t, 'values written one after the other into one message come back in order',
  fc.property(fc.array(schemaAndValues(1), { maxLength: 6 }), (list) => {
  const writer = new BitWriter()
  for (const { type, values } of list) type.write(writer, values[0])
  const reader = new BitReader()
  reader.reset(writer.finish())
  const back = list.map(({ type }) => type.read(reader))
  return reader.finish() && isDeepStrictEqual(back, list.map(({ values }) => values[0]))
}), RUNS)

holds(t, 'self-describing values come back as what they were', fc.property(dynamic, (value) =>
  isDeepStrictEqual(valueOf(codec.any, encode(codec.any, value as never)), value)), { numRuns: 1000 })

holds(t, 'no built-in prototype is changed by whatever is decoded',
  fc.property(schemas, fc.uint8Array({ maxLength: 60 }), ({ type }, bytes) => {
  decode(type, bytes)
  decode(codec.any, bytes)
  return isDeepStrictEqual(prototypes(), PROTOTYPES)
}), { numRuns: 1000 })

holds(t, 'halves are the nearest ones there are',
  fc.property(fc.oneof(fc.float(), fc.double(), fc.double({ min: -70_000, max: 70_000 }), fc.double({ min: -1e-4, max: 1e-4 })),
  (value) => {
  const bytes = encode(codec.f16, value)
  return (bytes[0]! | (bytes[1]! << 8)) === halfPattern(value)
}), { numRuns: 3000 })

holds(t, 'a quantised value is never further away than half a step', fc.property(
  fc.constantFrom(1, 0.5, 0.1, 0.01, 0.3, 1 / 3, 7), fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: 1, max: 100_000 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
  (step, first, count, at) => {
    const [min, max] = [first * step, (first + count) * step]
    const value = min + at * (max - min)
    const back = valueOf(codec.quantized(min, max, step), encode(codec.quantized(min, max, step), value)) as number
    return Math.abs(back - value) <= step * 0.500001 + 1e-9
  }), { numRuns: 1000 })

holds(t, 'a rotation comes back as the same rotation, up to its fineness, and of length 1', fc.property(
  fc.tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.double({ min: -1, max: 1, noNaN: true }),
    fc.double({ min: -1, max: 1, noNaN: true }), fc.double({ min: -1, max: 1, noNaN: true }))
    .filter(([x, y, z, w]) => x * x + y * y + z * z + w * w > 1e-6), fc.integer({ min: 4, max: 20 }),
  ([x, y, z, w], bits) => {
    const type = codec.quaternion.bits(bits)
    const length = Math.sqrt(x * x + y * y + z * z + w * w)
    const back = valueOf(type, encode(type, { x, y, z, w })) as { x: number; y: number; z: number; w: number }
    const dot = Math.abs((back.x * x + back.y * y + back.z * z + back.w * w) / length)
    const size = back.x * back.x + back.y * back.y + back.z * back.z + back.w * back.w
    const step = Math.SQRT1_2 / (2 ** (bits - 1) - 1)
    return Math.abs(size - 1) < 1e-9 && 1 - dot < 3 * step * step
  }), { numRuns: 1000 })

holds(t, 'texts survive, whatever their length', fc.property(text(16_384), fc.nat({ max: 200 }), (piece, times) => {
  const value = piece.repeat(Math.min(times, Math.floor(16_384 / Math.max(1, Buffer.byteLength(piece)))))
  return valueOf(codec.string, encode(codec.string, value)) === value
    && hex(encode(codec.string, value)) === hex(twinEncode('string', value))
}), RUNS)
