// Generators for the codec: schemas of every kind, with values that fit them exactly.

import fc from 'fast-check'
import { decode, encode, t } from '../../src/rpc/codec/index.ts'
import type { Type } from '../../src/rpc/codec/index.ts'
import { isForbiddenKey } from '../../src/rpc/codec/limits.ts'

/** A type, and values that come back from it as they went in. */
export interface Schema {
  readonly type: Type<any>
  readonly values: fc.Arbitrary<unknown>
}

const is = (type: Type<any>, values: fc.Arbitrary<unknown>): Schema => ({ type, values })

const key = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('x', 'y', 'hp', 'name', 'id', 'a b', 'größe', 'toString', 'valueOf', 'length', 'then', '0', '') },
  { weight: 1, arbitrary: fc.string({ maxLength: 8 }) },
).filter((text) => !isForbiddenKey(text))

/** Keys that a record may have. */
const fieldKey = key.filter((name) => !(name in Object.prototype) && !/^\d+$/.test(name))

/** Texts of all lengths and planes. */
export const text = (maxBytes: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...'abc 7') },
    { weight: 1, arbitrary: fc.constantFrom(
    'é', 'ノ', '😀', '\u{10ffff}', '\ufffd', '\ufeff', '\0', '\u007f', '\u0080', '\u07ff', '\u0800', '\uffff') }), maxLength: 60 })
    .map((value) => {
      let short = value
      while (Buffer.byteLength(short) > maxBytes) short = [...short].slice(0, -1).join('')
      return short
    })

const integers = (min: number, max: number): fc.Arbitrary<number> => fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max))

const SAFE = Number.MAX_SAFE_INTEGER
const numberEdges = fc.constantFrom(0, 1, 15, 16, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 49 - 1, 2 ** 49, SAFE)
const safeNatural = fc.oneof(fc.nat(), fc.maxSafeNat(), numberEdges)
const safeInteger = fc.oneof(fc.maxSafeInteger(), safeNatural, safeNatural.map((n) => (n === 0 ? 0 : -n)))
/** −0 is no integer of ours. */
const whole = (values: fc.Arbitrary<number>): fc.Arbitrary<number> => values.map((n) => n + 0)
const dates = fc.integer({ min: -8.64e15, max: 8.64e15 }).map((ms) => new Date(ms))
const bigints = fc.oneof(fc.bigInt({ min: -(2n ** 1024n) + 1n, max: 2n ** 1024n - 1n }), fc.bigInt({ min: -300n, max: 300n }))

/** Values as a decoder gives them: whatever the type makes of an arbitrary one. */
const settled = (type: Type<any>, values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  values.map((value) => {
    const decoded = decode(type, encode(type, value))
    if (!decoded.ok) throw new Error(`${type.describe()} does not read what it wrote: ${decoded.error}`)
    return decoded.value
  })

/** Objects as decoders make them: with Object.prototype. */
const plain = (fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<object> => fc.record(fields, { noNullPrototype: true })

const ranges = fc.tuple(safeInteger, safeInteger).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
const steps = fc.constantFrom(1, 0.5, 0.25, 0.1, 0.01, 0.001, 0.3, 3, 1 / 3, 0.0078125)

const leaf: fc.Arbitrary<Schema> = fc.oneof(
  fc.constantFrom(
    is(t.bool, fc.boolean()),
    is(t.u8, integers(0, 255)), is(t.u16, integers(0, 65_535)), is(t.u32, integers(0, 2 ** 32 - 1)), is(t.u53, safeNatural),
    is(t.i8, integers(-128, 127)), is(t.i16, integers(-32_768, 32_767)), is(t.i32, integers(-(2 ** 31), 2 ** 31 - 1)),
      is(t.i53, whole(safeInteger)),
    is(t.varint, safeNatural), is(t.zigzag, whole(safeInteger)), is(t.bigint, bigints), is(t.date, dates),
    is(t.f16, settled(t.f16, fc.float())), is(t.f32, fc.float()), is(t.f64, fc.double()),
    is(t.string, text(16_384)), is(t.bytes, fc.uint8Array({ maxLength: 40 })),
    is(t.vec2, plain({ x: fc.float(), y: fc.float() })),
    is(t.vec3, plain({ x: fc.float(), y: fc.float(), z: fc.float() })),
    is(t.vec4, plain({ x: fc.float(), y: fc.float(), z: fc.float(), w: fc.float() })),
    is(t.vec2.of(t.i8), plain({ x: integers(-128, 127), y: integers(-128, 127) })),
    is(t.vec3.of(t.range(0, 2)), plain({ x: integers(0, 2), y: integers(0, 2), z: integers(0, 2) })),
    is(t.vec4.of(t.varint), plain({ x: safeNatural, y: safeNatural, z: safeNatural, w: safeNatural })),
    is(t.rgba8, plain({ r: integers(0, 255), g: integers(0, 255), b: integers(0, 255), a: integers(0, 255) })),
  ),
  ranges.map(([min, max]) =>
    is(t.range(min, max), fc.oneof(fc.bigInt({ min: BigInt(min), max: BigInt(max) }).map(Number), fc.constantFrom(min, max)))),
  fc.tuple(fc.integer({ min: -5000, max: 5000 }), fc.integer({ min: 1, max: 70_000 }), steps).map(([first, count, step]) => {
    const min = first * step
    const max = (first + count) * step
    const type = t.quantized(min, max, step)
    return is(type, settled(type, fc.integer({ min: 0, max: count }).map((n) => Math.min(max, min + n * step))))
  }),
  fc.integer({ min: 0, max: 300 }).map((max) => is(t.string.max(max), text(max))),
  fc.integer({ min: 0, max: 300 }).map((max) => is(t.bytes.max(max), fc.uint8Array({ maxLength: max }))),
  fc.uniqueArray(fc.string({ maxLength: 5 }), { minLength: 1, maxLength: 20 }).map((words) =>
    is(t.enum(...words), fc.constantFrom(...words))),
  fc.constantFrom('word', '', 0, 1.5, -7, true, false, null).map((value) => is(t.literal(value), fc.constant(value))),
)

const entries = (values: fc.Arbitrary<unknown>): fc.Arbitrary<[string, unknown][]> =>
  fc.uniqueArray(fc.tuple(key, values), { maxLength: 6, selector: ([name]) => name })

/** Self-describing values, as they come back: objects without a prototype. */
export const dynamic: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.oneof(
      fc.constantFrom(null, undefined, true, false, NaN, -0, Infinity, -Infinity), fc.double(), fc.float(), whole(safeInteger),
        fc.nat({ max: 20 }),
      text(1000), fc.uint8Array({ maxLength: 20 }), dates, bigints,
    ),
    fc.array(tie('value'), { maxLength: 6 }),
    entries(tie('value')).map((list) => new Map(list)),
    entries(tie('value')).map((list) => Object.assign(Object.create(null) as object, Object.fromEntries(list))),
  ),
})).value

/** A field that is not there comes back as no field. */
const withoutUndefined = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

const shapes = (schema: fc.Arbitrary<Schema>): fc.Arbitrary<Record<string, Schema>> =>
  fc.uniqueArray(fc.tuple(fieldKey, schema), { maxLength: 7, selector: ([name]) => name }).map((list) => Object.fromEntries(list))

const typesOf = (shape: Record<string, Schema>): Record<string, Type<any>> =>
  Object.fromEntries(Object.entries(shape).map(([name, { type }]) => [name, type]))

const valuesOf = (shape: Record<string, Schema>): fc.Arbitrary<Record<string, unknown>> =>
  fc.record(Object.fromEntries(Object.entries(shape).map(([name, { values }]) => [name, values])), { noNullPrototype: true }).map(
    withoutUndefined)

const containers = (schema: fc.Arbitrary<Schema>): fc.Arbitrary<Schema> => fc.oneof(
  shapes(schema).map((shape) => is(t.record(typesOf(shape)), valuesOf(shape))),
  fc.array(schema, { maxLength: 5 }).map((parts) =>
    is(t.tuple(...parts.map(({ type }) => type)), fc.tuple(...parts.map(({ values }) => values)))),
  fc.tuple(schema, fc.nat({ max: 3 }), fc.nat({ max: 300 })).map(([{ type, values }, min, more]) =>
    is(t.array(type, { min, max: min + more }), fc.array(values, { minLength: min, maxLength: Math.min(min + more, 8) }))),
  schema.map(({ type, values }) => is(t.array(type), fc.array(values, { maxLength: 8 }))),
  fc.tuple(schema, fc.nat({ max: 5 })).map(([{ type, values }, length]) =>
    is(t.array(type, { length }), fc.array(values, { minLength: length, maxLength: length }))),
  // Optional of optional has two ways to say "nothing", of which one is taken; as a value they are the same.
  schema.map(({ type, values }) => is(t.optional(type), fc.option(values, { nil: undefined }))),
  schema.map(({ type, values }) => is(t.nullable(type), fc.option(values, { nil: null }))),
  fc.tuple(schema, fc.nat({ max: 9 })).map(([{ type, values }, max]) =>
    is(t.map(t.string, type, { max }),
      fc.uniqueArray(fc.tuple(key, values), { maxLength: max, selector: ([name]) => name }).map((list) => new Map(list)))),
  schema.map(({ type, values }) =>
    is(t.map(t.u8, type),
      fc.uniqueArray(fc.tuple(integers(0, 255), values), { maxLength: 5, selector: ([n]) => n }).map((list) => new Map(list)))),
  fc.uniqueArray(fc.tuple(key, shapes(schema)), { minLength: 1, maxLength: 5, selector: ([name]) => name }).map((list) => {
    const variants = list.map(([name, shape]) => {
      const { kind: _, ...fields } = shape
      return [name, fields] as const
    })
    const type = t.union('kind', Object.fromEntries(variants.map(([name, shape]) => [name, typesOf(shape)])))
    return is(type, fc.oneof(...variants.map(([name, shape]) => valuesOf(shape).map((fields) => ({ kind: name, ...fields })))))
  }),
)

/** Schemas of every kind, a few levels deep. */
export const schemas: fc.Arbitrary<Schema> = fc.letrec<{ schema: Schema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3, depthSize: 'small', withCrossShrink: true },
    { weight: 3, arbitrary: leaf },
    { weight: 1, arbitrary: fc.constant(is(t.any, dynamic)) },
    { weight: 4, arbitrary: containers(tie('schema')) },
  ),
})).schema

/** A schema with some of its values. */
export const schemaAndValues = (most = 4): fc.Arbitrary<{ type: Type<any>; values: unknown[] }> =>
  schemas.chain(({ type, values }) => fc.array(values, { minLength: 1, maxLength: most }).map((list) => ({ type, values: list })))
