// The Variant codec against the living engine: generated values and damaged bytes, read and written again by both.

import fc from 'fast-check'
import t from 'tap'
import { variant } from '../support/variants.ts'
import { godotReads, withoutGodot } from './support/godot.ts'
import { fromHex } from '../support/captures.ts'
import { ObjectId, decodeVariant, encodeVariant } from '../../src/godot/variant.ts'
import type { Variant, VariantResult } from '../../src/godot/variant.ts'

const seed = Number(process.env['VAIVEN_SEED'] ?? 7)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const lossless = { keepFloats: true, dictionaries: 'map' } as const

/** The value in a spelling of its own: without the engine's garbage in the padding of paths, and with one NaN. */
const canonical = (bytes: Uint8Array): string => {
  const result = decodeVariant(bytes, lossless)
  return result.ok ? hex(encodeVariant(result.value)) : result.reason
}

/** Whether any value in it passes the test. */
const has = (value: Variant, test: (value: Variant) => boolean): boolean =>
  test(value) ||
  (value instanceof Map
    ? [...value].flat().some((item) => has(item, test))
    : Array.isArray(value) && value.some((item: Variant) => has(item, test)))

t.test('the engine reads every value that we write and writes the same bytes', { skip: withoutGodot }, (t) => {
  // The engine writes a new number for each object id.
  const values = fc.sample(variant, { seed, numRuns: 3000 }).filter((value) => !has(value, (item) => item instanceof ObjectId))
  const encoded = values.map((value) => encodeVariant(value))
  const readings = godotReads(encoded)
  t.equal(readings.length, values.length)
  let exact = 0
  const wrong = readings.flatMap((reading, i) => {
    const ours = hex(encoded[i]!)
    if (reading.hex === ours) exact++
    // Where the values hold paths, only the padding may differ.
    return reading.ok && canonical(fromHex(reading.hex!)) === ours ? [] : [{ value: fc.stringify(values[i]), ours, engine: reading.hex }]
  })
  t.same(wrong.slice(0, 3), [], `${values.length} values, seed ${seed}`)
  t.ok(exact > values.length * 0.8, `${exact} of ${values.length} byte for byte`)
  t.end()
})

t.test('where bytes are damaged we read what the engine reads, or refuse in the documented ways', { skip: withoutGodot }, (t) => {
  const hit = fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x12, 0x13, 0x14, 0x17, 0x80, 0xff)))
  const damaged = fc
    .sample(fc.tuple(variant, fc.array(hit, { minLength: 1, maxLength: 2 }), fc.nat(8)), { seed, numRuns: 4000 })
    .filter(([value]) => !has(value, (item) => item instanceof ObjectId))
    .map(([value, hits, cut]) => {
      const bytes = encodeVariant(value)
      for (const [at, byte] of hits) bytes[at % bytes.length] = byte
      return bytes.subarray(0, cut === 8 ? bytes.length - 1 : bytes.length)
    })
  const readings = godotReads(damaged)
  t.equal(readings.length, damaged.length)
  const wrong: unknown[] = []
  let agreed = 0
  damaged.forEach((bytes, i) => {
    const engine = readings[i]!
    const ours = decodeVariant(bytes, lossless)
    if (ours.ok === engine.ok && (!ours.ok || canonical(fromHex(engine.hex!)) === canonical(bytes))) agreed++
    else if (!documented(ours, bytes)) wrong.push({ bytes: hex(bytes), ours: ours.ok ? canonical(bytes) : ours.reason, engine })
  })
  t.same(wrong.slice(0, 5), [], `seed ${seed}`)
  t.ok(agreed > damaged.length * 0.98, `${agreed} of ${damaged.length} alike`)
  t.end()
})

/** Differences that SPEC §16.5 states. */
function documented(ours: VariantResult, bytes: Uint8Array): boolean {
  // Half characters, which the engine keeps; object ids, which it renumbers.
  if (ours.ok) return has(ours.value, (item) => item instanceof ObjectId || (typeof item === 'string' && item.includes('\ufffd')))
  // Overlong and endless UTF-8; a PoolStringArray whose count is negative, which the engine reads as empty.
  return ours.reason === 'bad-text' || (ours.reason === 'truncated' && bytes.includes(0x17))
}
