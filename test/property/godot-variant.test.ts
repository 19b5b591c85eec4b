// Laws of the Variant codec.

import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { holds } from '../support/holds.ts'
import { variant } from '../support/variants.ts'
import { decodeVariant, encodeVariant } from '../../src/godot/variant.ts'
import type { Variant } from '../../src/godot/variant.ts'

const lossless = { keepFloats: true, dictionaries: 'map' } as const

holds(
  t,
  'decode(encode(v)) = v, ending exactly at the end',
  fc.property(variant, (value) => {
    const bytes = encodeVariant(value)
    const result = decodeVariant(bytes, lossless)
    return result.ok && result.end === bytes.length && bytes.length % 4 === 0 && isDeepStrictEqual(result.value, value)
  }),
  { numRuns: 2000 },
)

holds(
  t,
  'what an encoding is cut from is no value, and what follows it changes nothing',
  fc.property(variant, fc.nat(), fc.uint8Array({ maxLength: 8 }), (value, cut, more) => {
    const bytes = encodeVariant(value)
    const shorter = decodeVariant(bytes.subarray(0, cut % bytes.length), lossless)
    const longer = decodeVariant(Buffer.concat([bytes, more]), lossless)
    // A byte array at the very end may lack its padding.
    const complete = !shorter.ok || bytes.length - (cut % bytes.length) < 4
    return complete && longer.ok && longer.end === bytes.length && isDeepStrictEqual(longer.value, value)
  }),
  { numRuns: 1000 },
)

holds(
  t,
  'any bytes at all give a value or a reason, never a throw, and a value that was read can be written and read again',
  fc.property(hostile(), (bytes) => {
    const result = decodeVariant(bytes, lossless)
    if (!result.ok) return result.at <= bytes.length + 4 && typeof result.reason === 'string'
    // Compared as bytes: the many forms of NaN are one value.
    const bytes1 = encodeVariant(result.value)
    const again = decodeVariant(bytes1, lossless)
    return again.ok && Buffer.compare(encodeVariant(again.value), bytes1) === 0
  }),
  { numRuns: 5000 },
)

holds(
  t,
  'reading costs no more values than the bytes can hold, whatever their counts say',
  fc.property(hostile(), (bytes) => {
    const result = decodeVariant(bytes)
    return !result.ok || count(result.value) <= bytes.length / 4
  }),
  { numRuns: 2000 },
)

/** Real encodings with bytes flipped, counts blown up and heads exchanged; plus plain noise. */
function hostile(): fc.Arbitrary<Uint8Array> {
  const damage = fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 0x12, 0x13, 0x17, 0x7f, 0x80, 0xff), fc.nat(255)))
  const damaged = fc.tuple(variant, fc.array(damage, { maxLength: 6 })).map(([value, hits]) => {
    const bytes = encodeVariant(value)
    for (const [at, byte] of hits) bytes[at % bytes.length] = byte
    return bytes
  })
  const heads = fc
    .array(fc.tuple(fc.nat(27), fc.constantFrom(0, 1), fc.oneof(fc.nat(4), fc.constantFrom(0x7fffffff, 0x80000001, 0xffffffff))), {
      maxLength: 40,
    })
    .map((items) => new Uint8Array(Uint32Array.from(items.flatMap(([type, wide, next]) => [type | (wide << 16), next])).buffer))
  return fc.oneof(damaged, heads, fc.uint8Array({ maxLength: 64 }))
}

/** How many values were made of it. */
function count(value: Variant): number {
  if (Array.isArray(value)) return value.reduce((sum: number, item: Variant) => sum + count(item), 1)
  if (value instanceof Map) return [...value].reduce((sum, [k, item]) => sum + count(k) + count(item), 1)
  if (value !== null && Object.getPrototypeOf(value) === Object.prototype)
    return Object.entries(value).reduce((sum, [, item]) => sum + 1 + count(item as Variant), 1)
  return 1
}
