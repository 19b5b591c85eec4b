// The codec by use: what each type takes, how errors name the place, what a schema may not be.

import t from 'tap'
import { BitReader, BitWriter, EncodeError, decode, encode, t as codec } from '../../src/rpc/codec/index.ts'
import type { Type } from '../../src/rpc/codec/index.ts'
import { corpus } from '../../bench/codec/messages.ts'

const back = <T>(type: Type<T>, value: T): T | string => {
  const decoded = decode(type, encode(type, value))
  return decoded.ok ? decoded.value : decoded.error
}

/** The message of the error that a value causes; '' if it fits. */
const complaint = (type: Type<any>, value: unknown): string => {
  try {
    encode(type, value)
    return ''
  } catch (error) {
    return (error as { code?: string }).code === 'ERR_ENCODE' ? (error as Error).message : `another error: ${String(error)}`
  }
}

const Player = codec.record(
  { name: codec.string.max(24), hp: codec.u8, position: codec.vec2, team: codec.optional(codec.enum('red', 'blue')) })
const World = codec.record({ players: codec.array(Player), owner: codec.nullable(Player) })

t.test('a record takes the bits of its fields and nothing else', (t) => {
  t.equal(encode(Player, { name: 'Ana', hp: 200, position: { x: 1, y: 2 } }).length, 13, '5 + 8 + 64 + 1 bits, and 3 bytes of text')
  t.equal(encode(codec.record({ a: codec.range(1, 6), b: codec.bool, c: codec.range(0, 15) }), { a: 6, b: true, c: 15 }).length, 1)
  t.equal(encode(codec.record({}), {}).length, 0, 'nothing is nothing')
  t.end()
})

t.test('an error names the place, the value and what would fit', (t) => {
  const player = { name: 'Ana', hp: 1, position: { x: 0, y: 0 } }
  t.equal(complaint(World, { players: [player, player, player, { ...player, hp: 300 }], owner: null }),
    'players[3].hp is 300; u8 holds 0 to 255')
  t.equal(complaint(World, { players: [], owner: { ...player, position: { x: 0, y: '1' } } }), 'owner.position.y is "1"; f32 holds numbers')
  t.equal(complaint(World, { players: [], owner: { ...player, team: 'green' } }),
    'owner.team is "green"; "red" | "blue" are the words there are')
  t.equal(complaint(World, { players: {} }), `players is an object; array(${Player.describe()}) is an array`)
  t.equal(complaint(World, null), `the value is null; ${World.describe()} is an object`)
  t.equal(complaint(codec.u8, -1), 'the value is -1; u8 holds 0 to 255')
  t.equal(complaint(codec.tuple(codec.u8, codec.tuple(codec.bool)), [1, [0]]), '[1][0] is 0; bool is true or false')
  t.equal(complaint(codec.map(codec.string, codec.u8), new Map([['a b', 1], ['c-d', 999]])), '["c-d"] is 999; u8 holds 0 to 255')
  t.equal(complaint(codec.record({ 'a b': codec.u8 }), { 'a b': 0.5 }), '["a b"] is 0.5; u8 holds 0 to 255')
  t.equal(complaint(codec.union('kind', { move: { x: codec.u8 } }), { kind: 'move', x: 256 }), 'x is 256; u8 holds 0 to 255')
  t.equal(complaint(codec.union('kind', { move: { x: codec.u8 } }), { kind: 'fly' }), 'the value is "fly"; "kind" is one of move')
  t.equal(complaint(codec.any, { list: [1, { f: () => 1 }] }), 'list[1].f is a function; any holds data')
  t.equal(complaint(codec.string.max(4), 'hello'), 'the value is "hello"; string(max 4) holds 4 bytes of UTF-8')
  t.end()
})

t.test('after a nested part was written well, an error behind it names the right field', (t) => {
  const inner = codec.record({ a: codec.u8, b: codec.u8, list: codec.array(codec.record({ z: codec.u8 })) })
  const outer = codec.record({ first: inner, second: codec.string, third: codec.u8 })
  const fine = { a: 1, b: 2, list: [{ z: 1 }, { z: 2 }] }
  t.equal(complaint(outer, { first: fine, second: 'x', third: 256 }), 'third is 256; u8 holds 0 to 255')
  t.equal(complaint(codec.array(outer),
    [{ first: fine, second: 'x', third: 1 }, { first: { ...fine, list: [{ z: 0 }, { z: -1 }] }, second: '', third: 0 }]),
    '[1].first.list[1].z is -1; u8 holds 0 to 255')
  t.end()
})

t.test('the error is an EncodeError with the path and the problem apart', (t) => {
  try {
    encode(World, { players: [{ name: 'A', hp: 1.5, position: { x: 0, y: 0 } }], owner: null })
    t.fail('1.5 is no u8')
  } catch (error) {
    t.ok(error instanceof EncodeError)
    t.match(error, { code: 'ERR_ENCODE', path: 'players[0].hp', problem: 'is 1.5; u8 holds 0 to 255', name: 'VaivenError [ERR_ENCODE]' })
  }
  t.end()
})

t.test("an exception out of a value's own code passes as it is, and harms no later message", (t) => {
  const trap = { get name(): string { throw new RangeError('mine') }, hp: 1, position: { x: 0, y: 0 } }
  t.throws(() => encode(Player, trap), RangeError)
  t.strictSame(back(codec.u8, 7), 7)
  t.end()
})

t.test('a value whose getter encodes something else in the middle of it is encoded as any other', (t) => {
  const shape = codec.record({ a: codec.u8, b: codec.string, c: codec.u8 })
  const nested = { a: 1, get b(): string { return Buffer.from(encode(shape, { a: 9, b: 'inner', c: 9 })).toString('hex') }, c: 3 }
  const plain = { a: 1, b: Buffer.from(encode(shape, { a: 9, b: 'inner', c: 9 })).toString('hex'), c: 3 }
  t.strictSame(encode(shape, nested), encode(shape, plain))
  t.end()
})

t.test('integers: limits on both sides, no fractions, no strings, no bigints', (t) => {
  const table: [Type<number>, number, number][] = [
    [codec.u8, 0, 255], [codec.u16, 0, 65_535], [codec.u32, 0, 4_294_967_295], [codec.u53, 0, Number.MAX_SAFE_INTEGER],
    [codec.i8, -128, 127], [codec.i16, -32_768, 32_767], [codec.i32, -2_147_483_648, 2_147_483_647],
    [codec.i53, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER], [codec.range(-3, 12), -3, 12], [codec.range(0, 2 ** 40), 0, 2 ** 40],
  ]
  for (const [type, min, max] of table) {
    t.strictSame([back(type, min), back(type, max)], [min, max], type.describe())
    for (const wrong of [
      min - 1, max + 1, Math.max(min, 0) + 0.5, NaN, Infinity, -Infinity, '1', 1n, null, undefined, [], {}, true, Symbol.iterator]) {
      t.match(complaint(type, wrong), `${type.describe()} holds ${min} to ${max}`, `${type.describe()} refuses ${String(wrong)}`)
    }
  }
  for (const type of [codec.varint, codec.zigzag]) {
    for (const wrong of [0.5, NaN, 2 ** 53, '1', 1n, undefined]) t.match(complaint(type, wrong), type.describe())
  }
  t.match(complaint(codec.varint, -1), 'holds 0 to')
  t.equal(back(codec.zigzag, -Number.MAX_SAFE_INTEGER), -Number.MAX_SAFE_INTEGER)
  t.end()
})

t.test('minus zero is kept where numbers are fractions, and is zero where they are integers', (t) => {
  for (const type of [codec.f16, codec.f32, codec.f64, codec.any as Type<number>]) t.ok(Object.is(back(type, -0), -0), type.describe())
  for (const type of [codec.u8, codec.i53, codec.varint, codec.zigzag, codec.range(-1, 1), codec.quantized(-1, 1, 0.5)]) t.ok(
    Object.is(back(type, -0), 0), type.describe())
  t.end()
})

t.test('halves: ties go to the even one, and beyond the last half way to infinity', (t) => {
  const table: [number, number][] = [
    [2049, 2048], [2051, 2052], [2049.0001, 2050], [-2051, -2052], [2 ** -25, 0], [3 * 2 ** -25, 2 ** -23], [2 ** -25 * 1.0001, 2 ** -24],
    [2 ** -14 - 2 ** -26, 2 ** -14], [65_519.99, 65_504], [65_520, Infinity], [-65_520, -Infinity], [4095.5, 4096],
  ]
  for (const [value, nearest] of table) t.equal(back(codec.f16, value), nearest, String(value))
  t.end()
})

t.test('quantised fractions come back as people write them', (t) => {
  const type = codec.quantized(-2048, 2048, 0.01)
  for (const value of [1.23, -0.07, 2047.99, 0.1 + 0.2 - 0.3, -2048, 2048]) t.equal(
    back(type, value), Math.round(value * 100) / 100, String(value))
  t.equal(type.minBits, 19)
  t.equal(back(type, 1.2349), 1.23)
  t.equal(back(type, 1.235000001), 1.24)
  t.equal(back(type, -2048.004), -2048, 'half a step outside still rounds to the end')
  t.match(complaint(type, -2048.01), 'quantized(-2048, 2048, 0.01) holds -2048 to 2048')
  for (const wrong of [NaN, Infinity, '1', 1n, undefined]) t.match(complaint(type, wrong), 'quantized')
  t.equal(back(codec.quantized(0, 1, 1 / 3), 0.7), 2 / 3, 'thirds')
  t.equal(back(codec.quantized(0.5, 3.5, 1.5), 2.1), 2, 'steps that are no part of 1')
  t.end()
})

t.test('a schema that cannot be is refused when it is made', (t) => {
  const wrong: (() => unknown)[] = [
    () => codec.range(2, 1), () => codec.range(0.5, 1), () => codec.range(0, 2 ** 53),
    () => codec.quantized(0, 1, 0.3), () => codec.quantized(1, 0, 0.1), () => codec.quantized(0, 1, 0), () => codec.quantized(0, 1, NaN),
    () => codec.quantized(0, 1, -0.1), () => codec.quantized(0, 1e9, 0.1), () => codec.quantized(-Infinity, 1, 1), () =>
      codec.quantized(0, Infinity, 1),
    () => codec.string.max(-1), () => codec.string.max(1.5), () => codec.string.max(2 ** 26), () => codec.bytes.max(NaN),
    () => codec.quaternion.bits(3), () => codec.quaternion.bits(21), () => codec.quaternion.bits(10.5),
    () => codec.enum(), () => codec.enum('a', 'b', 'a'), () => codec.union('kind', {}), () =>
      codec.union('kind', { a: { kind: codec.u8 } }),
    () => codec.literal(NaN), () => codec.literal(Infinity), () => codec.literal(-0),
    () => codec.array(codec.u8, { min: 3, max: 2 }), () => codec.array(codec.u8, { min: -1 }), () => codec.array(codec.u8, { length: 1.5 }),
    () => codec.array(codec.u8, { max: 2 ** 26 }), () => codec.map(codec.string, codec.u8, { max: 1025 }), () =>
      codec.map(codec.string, codec.u8, { max: -1 }),
  ]
  for (const make of wrong) t.throws(make, { code: 'ERR_ARGUMENT' }, String(make))
  for (const key of ['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', '__defineGetter__', '0', '12']) {
    t.throws(() => codec.record({ [key]: codec.u8 }), { code: 'ERR_ARGUMENT' }, `a field ${key}`)
    t.throws(() => codec.union('kind', { v: { [key]: codec.u8 } }), { code: 'ERR_ARGUMENT' }, `a field ${key} of a variant`)
    t.throws(() => codec.union(key, { v: {} }), { code: 'ERR_ARGUMENT' }, `a tag ${key}`)
  }
  t.end()
})

t.test('signatures say what there is to know', (t) => {
  const table: [Type<any>, string][] = [
    [Player, '{ name: string(max 24), hp: u8, position: vec2, team?: "red" | "blue" }'],
    [World, `{ players: array(${Player.describe()}), owner: nullable(${Player.describe()}) }`],
    [codec.tuple(codec.f16, codec.f32, codec.f64), '[f16, f32, f64]'],
    [codec.array(codec.u8, { length: 3 }), 'array(u8, length 3)'],
    [codec.array(codec.u8, { min: 1 }), 'array(u8, min 1)'],
    [codec.array(codec.u8, { min: 1, max: 4 }), 'array(u8, min 1, max 4)'],
    [codec.map(codec.string, codec.any, { max: 8 }), 'map(string, any, max 8)'],
    [codec.optional(codec.bytes.max(9)), 'optional(bytes(max 9))'],
    [codec.quaternion.bits(12), 'quaternion(bits 12)'],
    [codec.vec3.of(codec.quantized(-1, 1, 0.5)), 'vec3(quantized(-1, 1, 0.5))'],
    [codec.vec2.of(codec.f32), 'vec2'],
    [codec.union('kind', { move: { x: codec.f32 }, stop: {} }), 'union({ kind: "move", x: f32 } | { kind: "stop" })'],
    [codec.record({ 'a-b': codec.literal('x'), n: codec.literal(null) }), '{ "a-b": "x", n: null }'],
    [codec.string.max(16_384), 'string'],
  ]
  for (const [type, text] of table) t.equal(type.describe(), text)
  t.end()
})

t.test('optional fields may be absent or undefined, and come back absent', (t) => {
  const type = codec.record({ a: codec.optional(codec.u8), b: codec.bool, c: codec.optional(codec.string) })
  t.strictSame(encode(type, { b: true }), encode(type, { a: undefined, b: true, c: undefined }))
  t.strictSame(Object.keys(back(type, { a: undefined, b: true, c: 'x' })), ['b', 'c'])
  t.match(complaint(type, {}), 'b is undefined; bool is true or false')
  t.end()
})

t.test('keys that the type does not have are not looked at', (t) => {
  const value = { x: 1, get y(): number { throw new Error('looked at') } }
  t.strictSame(back(codec.record({ x: codec.u8 }), value), { x: 1 })
  t.end()
})

t.test('a decoded record is a plain object, with the keys in the order of the type', (t) => {
  const value = back(codec.record({ b: codec.u8, a: codec.u8 }), { a: 1, b: 2 }) as object
  t.equal(Object.getPrototypeOf(value), Object.prototype)
  t.strictSame(Object.keys(value), ['b', 'a'])
  t.end()
})

t.test('a record of many fields, and one whose fields have no bits', (t) => {
  const keys = Array.from({ length: 60 }, (_, i) => `k${i}`)
  const type = codec.record(Object.fromEntries(keys.map((key, i) => [key, i % 7 === 3 ? codec.string : codec.range(0, i)])))
  const value = Object.fromEntries(keys.map((key, i) => [key, i % 7 === 3 ? key : i]))
  t.strictSame(back(type, value), value)
  const constants = codec.record({ a: codec.literal(1), b: codec.enum('only'), c: codec.range(5, 5) })
  t.equal(encode(constants, { a: 1, b: 'only', c: 5 }).length, 0)
  t.strictSame(back(constants, { a: 1, b: 'only', c: 5 }), { a: 1, b: 'only', c: 5 })
  t.match(complaint(constants, { a: 2, b: 'only', c: 5 }), 'a is 2; 1 is the only value')
  t.end()
})

t.test('a long list of words finds each of them', (t) => {
  const words = Array.from({ length: 300 }, (_, i) => `word ${i}`)
  const type = codec.enum(...words)
  t.equal(type.minBits, 9)
  for (const word of ['word 0', 'word 255', 'word 299']) t.equal(back(type, word), word)
  t.match(complaint(type, 'word 300'), 'are the words there are')
  t.end()
})

t.test('texts: bounds count bytes, and half a character is none', (t) => {
  t.equal(back(codec.string.max(4), 'ab\u00e9'), 'abé')
  t.match(complaint(codec.string.max(4), 'abc\u00e9'), 'holds 4 bytes of UTF-8')
  for (const broken of ['\ud800', 'a\udc00', '\ud83d', 'x\udc4d\ud83d', `${'long '.repeat(10)}\ud800`, `${'long é '.repeat(10)}\udfff x`]) {
    t.match(complaint(codec.string, broken), 'unpaired surrogate', JSON.stringify(broken))
  }
  for (const whole of [
    '', '\0', '\ufeffbom', '�', 'ÿ', '😀'.repeat(3), 'long text '.repeat(100), 'länger '.repeat(100), '�'.repeat(50)]) t.equal(
    back(codec.string, whole), whole)
  t.end()
})

t.test('blobs are copied both ways', (t) => {
  const source = Uint8Array.of(1, 2, 3)
  const message = encode(codec.bytes, source)
  source[0] = 9
  const first = decode(codec.bytes, message)
  const second = decode(codec.bytes, message)
  if (!first.ok || !second.ok) throw new Error('blobs are refused')
  t.strictSame(first.value, Uint8Array.of(1, 2, 3))
  t.equal(first.value.constructor, Uint8Array, 'a plain one, no Buffer')
  first.value[0] = 7
  t.strictSame(second.value, Uint8Array.of(1, 2, 3))
  t.equal(first.value.buffer.byteLength, 3, 'and pins nothing')
  t.match(complaint(codec.bytes, [1, 2]), 'holds Uint8Arrays')
  t.match(complaint(codec.bytes.max(2), source), 'bytes(max 2) holds 2 bytes, and this has 3')
  t.strictSame(back(codec.bytes, Buffer.from('abc')), Uint8Array.from(Buffer.from('abc')))
  t.end()
})

t.test('a message from a Buffer, from a part of one, or from plain bytes is the same', (t) => {
  const bytes = encode(Player, { name: 'Ana', hp: 3, position: { x: 1, y: 2 } })
  const inside = Buffer.concat([Buffer.from('xxx'), bytes, Buffer.from('yyy')]).subarray(3, 3 + bytes.length)
  t.strictSame(decode(Player, inside), decode(Player, bytes))
  t.strictSame(decode(Player, Buffer.from(bytes)), decode(Player, Uint8Array.from(bytes)))
  t.end()
})

t.test('dates', (t) => {
  t.strictSame(back(codec.date, new Date(0)), new Date(0))
  t.strictSame(back(codec.date, new Date(8.64e15)), new Date(8.64e15))
  for (const wrong of [new Date(NaN), 0, '2020-01-01', null]) t.match(complaint(codec.date, wrong), 'date holds valid Dates')
  t.end()
})

t.test('rotations: none stays none, the opposite sign is the same, nothing is refused', (t) => {
  t.strictSame(back(codec.quaternion, { x: 0, y: 0, z: 0, w: 1 }), { x: 0, y: 0, z: 0, w: 1 })
  t.strictSame(back(codec.quaternion, { x: 0, y: 0, z: 0, w: -2 }), { x: 0, y: 0, z: 0, w: 1 })
  t.strictSame(encode(codec.quaternion, { x: 0.1, y: -0.7, z: 0.3, w: 0.2 }),
    encode(codec.quaternion, { x: -0.1, y: 0.7, z: -0.3, w: -0.2 }))
  for (const wrong of [
    { x: 0, y: 0, z: 0, w: 0 }, { x: NaN, y: 0, z: 0, w: 1 }, { x: Infinity, y: 0, z: 0, w: 1 }, { x: 1n, y: 0, z: 0, w: 0 }, {}, null]) {
    t.match(complaint(codec.quaternion, wrong), 'quaternion')
  }
  t.end()
})

t.test('colours hold whole bytes', (t) => {
  t.match(complaint(codec.rgba8, null), 'rgba8 is { r, g, b, a }')
  t.match(complaint(codec.rgba8, { r: 1, g: 2, b: 256, a: 0 }), 'rgba8 holds 0 to 255 four times, and this has 1, 2, 256, 0')
  t.match(complaint(codec.rgba8, { r: 1, g: 2, b: 0.5, a: 0 }), 'rgba8')
  t.match(complaint(codec.rgba8, { r: 1n, g: 2, b: 0, a: 0 }), 'rgba8')
  t.match(complaint(codec.rgba8, { r: Symbol.iterator, g: 2, b: 0, a: 0 }), 'rgba8')
  t.end()
})

t.test('self-describing values: what is no data is refused, and so is what contains itself', (t) => {
  class Player {}
  const loop: Record<string, unknown> = {}
  loop['again'] = loop
  for (const [wrong, words] of [[new Player(), 'has a class'], [() => 1, 'holds data'], [Symbol.iterator, 'holds data'],
    [new Set(), 'has a class'], [/x/, 'has a class'],
    [loop, '32 levels deep'], [new Map([[1, 2]]), 'a key is a string'], [{ constructor: 1 }, 'prototype'],
      [JSON.parse('{"__proto__": 1}'), 'prototype'],
    [Array(4096).fill(0), 'one value too many'], [Object.fromEntries(Array(1025).fill(0).map((_, i) => [`k${i}`, 0])), '1024 entries'],
    ['x'.repeat(16_385), 'bytes of UTF-8'], [2n ** 1024n, '1024 bits']] as const) {
    t.match(complaint(codec.any, wrong), words, words)
  }
  t.strictSame(back(codec.any, [[], [undefined, null]]), [[], [undefined, null]])
  t.strictSame(back(codec.any, Array(4095).fill(0)), Array(4095).fill(0), 'as many as there may be')
  let deep: unknown = 1
  for (let i = 0; i < 32; i++) deep = [deep]
  t.strictSame(back(codec.any as Type<unknown>, deep), deep, '32 levels')
  const { prototype } = Object as unknown as { prototype: object }
  const object = back(codec.any, { a: { b: 1 } }) as { a: object }
  t.equal(Object.getPrototypeOf(object), null)
  t.equal(Object.getPrototypeOf(object.a), null)
  t.not(Object.getPrototypeOf(object), prototype)
  t.end()
})

t.test('the encoder keeps to the bounds of the decoder: what it writes can be read', (t) => {
  t.match(complaint(codec.array(codec.record({})), Array(4097).fill({})), 'one value too many')
  t.equal((back(codec.array(codec.record({})), Array(4096).fill({})) as unknown[]).length, 4096)
  t.match(complaint(codec.tuple(codec.any, codec.array(codec.record({}))), [1, Array(4096).fill({})]), 'one value too many',
    'both count together')
  t.match(complaint(codec.map(codec.u16, codec.u8), new Map(Array(1025).fill(0).map((_, i) => [i, 0]))), 'holds 1024 entries')
  t.match(complaint(codec.map(codec.string, codec.u8), new Map([['__proto__', 1]])), 'prototype')
  t.match(complaint(codec.bigint, 2n ** 1024n), 'holds 1024 bits')
  const constant = codec.map(codec.literal('k'), codec.literal(1))
  t.strictSame(back(constant, new Map([['k', 1]])), new Map([['k', 1]]))
  t.match(complaint(codec.tuple(codec.array(codec.any), constant), [Array(4096).fill(0), new Map([['k', 1]])]), 'one value too many')
  t.end()
})

t.test('own types are types like others', (t) => {
  const celsius: Type<number> = {
    minBits: 12,
    describe: () => 'celsius',
    write: (writer, value) => writer.bits(Math.round((value + 100) * 10), 12),
    read: (reader) => reader.bits(12) / 10 - 100,
  }
  const type = codec.record({ id: codec.u8, heat: celsius, list: codec.array(celsius, { max: 3 }) })
  t.strictSame(back(type, { id: 1, heat: 21.5, list: [-40] }), { id: 1, heat: 21.5, list: [-40] })
  t.equal(type.describe(), '{ id: u8, heat: celsius, list: array(celsius, max 3) }')
  t.end()
})

t.test('a type may take a message apart while its own is being read', (t) => {
  const boxed: Type<unknown> = {
    minBits: 8,
    describe: () => 'boxed',
    write: (writer, value) => codec.bytes.write(writer, encode(Player, value as never)),
    read(reader) {
      const inner = decode(Player, codec.bytes.read(reader))
      if (!inner.ok) reader.fail(inner.error)
      return inner.ok ? inner.value : null
    },
  }
  const type = codec.record({ a: codec.u8, box: boxed, b: codec.u8 })
  const value = { a: 1, box: { name: 'Ana', hp: 7, position: { x: 0, y: 1 } }, b: 2 }
  t.strictSame(back(type, value), value)
  t.strictSame(decode(type, Uint8Array.of(1, 0, 2)), { ok: false, error: 'truncated' })
  t.end()
})

t.test('values are shown shortly in errors', (t) => {
  const shown: [unknown, string][] = [
    [-0, '-0'], ['x'.repeat(99), `"${'x'.repeat(32)}…"`], [5n, '5n'], [2n ** 300n, 'a large bigint'], [[1, 2], 'an array of 2'],
      [{}, 'an object'],
    [() => 1, 'a function'], [undefined, 'undefined'], [Symbol.iterator, 'Symbol(Symbol.iterator)'],
  ]
  for (const [value, words] of shown) t.equal(complaint(codec.bool, value), `the value is ${words}; bool is true or false`)
  t.end()
})

t.test('the writer and reader of a message serve a layer that puts its own header in front', (t) => {
  const writer = new BitWriter()
  writer.varint(300)
  writer.bits(5, 3)
  Player.write(writer, { name: 'Ana', hp: 7, position: { x: 0, y: 1 } })
  const reader = new BitReader()
  reader.reset(writer.finish())
  t.equal(reader.varint(), 300)
  t.equal(reader.bits(3), 5)
  t.strictSame(Player.read(reader), { name: 'Ana', hp: 7, position: { x: 0, y: 1 } })
  t.equal(reader.finish(), true)
  t.end()
})

t.test('the twelve messages of the comparison come back, and are as small as they were when measured', (t) => {
  const bytes: Record<string, number> = {}
  for (const { name, type, values } of corpus(64)) {
    let total = 0
    for (const value of values) {
      const message = encode(type, value)
      const decoded = decode(type, message)
      t.ok(decoded.ok && Buffer.from(encode(type, decoded.value)).equals(message), name)
      total += message.length
    }
    bytes[name] = total
  }
  t.strictSame(bytes, {
    input: 768, movement: 1408, snapshot: 21_568, chat: 2519, inventory: 2688, spawn: 1734, damage: 768, lobbyInfo: 3001,
      scoreTable: 15_899,
    terrainEdit: 7391, voiceHeader: 640, empty: 0,
  })
  t.end()
})
