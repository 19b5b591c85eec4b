// The Variant codec where the vectors are silent: what does not fit, and what strangers may send.

import t from 'tap'
import { fromHex } from '../../support/captures.ts'
import {
  Color,
  NodePath,
  ObjectId,
  PoolStringArray,
  PoolVector2Array,
  Vector2,
  decodeVariant,
  encodeVariant,
} from '../../../src/godot/variant.ts'
import type { Variant } from '../../../src/godot/variant.ts'

const nested = (depth: number): Uint8Array => {
  const bytes = new Uint8Array(depth * 8 + 4)
  for (let i = 0; i < depth; i++) bytes.set([0x13, 0, 0, 0, 1, 0, 0, 0], i * 8)
  return bytes
}

t.test('a value that Godot has no counterpart for is refused at the call, with its place', (t) => {
  const refused = (value: unknown, message: RegExp) =>
    t.throws(() => encodeVariant(value as Variant), { code: 'ERR_ENCODE', message }, String(message))
  refused({ name: 'Ann', inventory: [1, undefined] }, /^value\.inventory\[1\]: undefined has no counterpart in Godot; use null$/)
  refused([() => 1], /^value\[0\]: function/)
  refused(Symbol('x'), /symbol/)
  refused(new Date(), /Date has no counterpart/)
  refused(new Float64Array(1), /Float64Array/)
  refused(2n ** 63n, /64 bits/)
  refused('a\0b', /zero character/)
  refused({ text: '\ud800' }, /value\.text: .*surrogate/)
  refused(new ObjectId(2n ** 64n), /64 bits/)
  refused(new Vector2('1' as unknown as number, 2), /must be a number/)
  t.end()
})

t.test('a cycle ends in an error and not in an overflow', (t) => {
  const ring: Variant[] = []
  ring.push(ring)
  t.throws(() => encodeVariant(ring), { code: 'ERR_ENCODE', message: /cycle/ })
  t.end()
})

t.test('a small graph that unfolds into a huge value ends in an error', (t) => {
  let value: Variant = 0
  for (let i = 0; i < 12; i++) value = new Array<Variant>(100).fill(value)
  t.throws(() => encodeVariant(value), { code: 'ERR_ENCODE', message: /maxValues/ })
  t.throws(() => encodeVariant([new Uint8Array(100), new Uint8Array(100)], { maxBytes: 200 }), { code: 'ERR_ENCODE', message: /maxBytes/ })
  t.end()
})

t.test('depth is bounded on both sides by the same number', (t) => {
  t.equal(decodeVariant(nested(64)).ok, true)
  t.match(decodeVariant(nested(65)), { ok: false, reason: 'too-deep' })
  t.match(decodeVariant(nested(500_000)), { ok: false, reason: 'too-deep' }, 'this kills an engine')
  t.match(decodeVariant(nested(3), { maxDepth: 2 }), { ok: false, reason: 'too-deep' })
  const deepest = decodeVariant(nested(64))
  t.same(deepest.ok && encodeVariant(deepest.value), nested(64))
  t.end()
})

t.test('the number of values is bounded, strings of pools and paths included', (t) => {
  const many = encodeVariant(new Array<Variant>(1000).fill(null))
  t.equal(decodeVariant(many, { maxValues: 1001 }).ok, true)
  t.match(decodeVariant(many, { maxValues: 1000 }), { ok: false, reason: 'too-many-values' })
  const strings = encodeVariant(new PoolStringArray(new Array<string>(100).fill('')))
  t.match(decodeVariant(strings, { maxValues: 100 }), { ok: false, reason: 'too-many-values' })
  t.match(decodeVariant(encodeVariant(NodePath.parse('a/b/c:d')), { maxValues: 4 }), { ok: false, reason: 'too-many-values' })
  t.match(decodeVariant(many, { maxBytes: many.length - 1 }), { ok: false, reason: 'too-long' })
  t.throws(() => decodeVariant(many, { maxDepth: 1000 }), { code: 'ERR_OPTION_RANGE', message: /options\.maxDepth is 1000/ })
  t.end()
})

t.test('a count is checked against the bytes before anything is allocated for it', (t) => {
  const before = process.memoryUsage().arrayBuffers
  for (const type of ['12', '13', '14', '15', '16', '17', '18', '19', '1a']) {
    const result = decodeVariant(fromHex(`${type}000000ffffff7f00000000`))
    t.match(result, { ok: false, reason: 'truncated' }, `type ${type}`)
  }
  t.ok(process.memoryUsage().arrayBuffers - before < 1_000_000)
  t.end()
})

t.test('a Dictionary is a plain object, and a Map as soon as a key is not a string', (t) => {
  const decode = (value: Variant, options = {}): unknown => {
    const result = decodeVariant(encodeVariant(value), options)
    return result.ok && result.value
  }
  t.strictSame(decode({ a: 1, b: [2] }), { a: 1, b: [2] })
  t.strictSame(decode(new Map([['a', 1]])), { a: 1 })
  t.strictSame(
    decode(
      new Map<Variant, Variant>([
        [1, 'a'],
        ['b', 2],
      ]),
    ),
    new Map<Variant, Variant>([
      [1, 'a'],
      ['b', 2],
    ]),
  )
  t.strictSame(decode({ a: 1 }, { dictionaries: 'map' }), new Map([['a', 1]]))
  t.end()
})

t.test('a key named __proto__ touches no prototype', (t) => {
  const bytes = encodeVariant(new Map<Variant, Variant>([['__proto__', { polluted: true }]]))
  const result = decodeVariant(bytes)
  t.ok(result.ok && result.value instanceof Map && result.value.has('__proto__'))
  t.equal(({} as Record<string, unknown>)['polluted'], undefined)
  t.end()
})

t.test('keys that are equal values are one key, the last wins', (t) => {
  const key = '05000000' + '0000803f00000040'
  const result = decodeVariant(fromHex(`1200000002000000${key}0200000005000000${key}0200000006000000`))
  t.ok(result.ok && result.value instanceof Map)
  if (result.ok) t.strictSame([...(result.value as Map<Variant, Variant>)], [[new Vector2(1, 2), 6]])
  t.end()
})

t.test('text arrives from engines with 16-bit characters too, and never as half a character', (t) => {
  const read = (hex: string): unknown => {
    const size = Buffer.from([hex.length / 2, 0, 0, 0]).toString('hex')
    const result = decodeVariant(fromHex(`04000000${size}${hex}`.padEnd(48, '0')))
    return result.ok ? result.value : result.reason
  }
  t.equal(read('f09f9880'), '😀')
  t.equal(read('eda0bdedb880'), '😀', 'as two surrogates of three bytes')
  t.equal(read('eda0bd41'), '\ufffdA', 'a high half alone')
  t.equal(read('edb88041'), '\ufffdA', 'a low half alone')
  t.equal(read('eda0bd'), '\ufffd', 'a high half at the end')
  t.equal(read('eda0bdeda0bdedb880'), '\ufffd😀')
  t.equal(read('e08080'), 'bad-text', 'overlong in three bytes')
  t.equal(read('f0808080'), 'bad-text', 'overlong in four bytes')
  t.equal(read('f4908080'), 'bad-text', 'beyond Unicode')
  t.equal(read('f888808080'), 'bad-text', 'five bytes')
  t.equal(read('c3'), 'bad-text', 'cut')
  t.equal(read('ff'), 'bad-text')
  t.equal(read('41ff'), 'bad-text')
  t.equal(read('4100ff'), 'A', 'nothing after a zero is looked at')
  t.end()
})

t.test('long text survives being put together in pieces', (t) => {
  const text = 'aä日😀'.repeat(5000)
  const result = decodeVariant(encodeVariant(text))
  t.ok(result.ok && result.value === text)
  t.end()
})

t.test('values follow each other without a gap; an offset says where to begin', (t) => {
  const bytes = Buffer.concat([encodeVariant('abc'), encodeVariant(new Color(1, 0, 0)), encodeVariant(-1)])
  const first = decodeVariant(bytes)
  t.match(first, { ok: true, value: 'abc', end: 12 })
  const second = decodeVariant(bytes, { offset: 12 })
  t.match(second, { ok: true, end: 32 })
  t.match(decodeVariant(bytes, { offset: 32 }), { ok: true, value: -1, end: 40 })
  t.match(decodeVariant(bytes, { offset: 40 }), { ok: false, reason: 'truncated' })
  t.end()
})

t.test('a byte array without its padding ends the packet', (t) => {
  t.match(decodeVariant(fromHex('140000000100000041')), { ok: true, value: new Uint8Array([0x41]), end: 9 })
  t.match(decodeVariant(fromHex('1300000002000000140000000100000041')), { ok: false, reason: 'truncated' })
  t.end()
})

t.test('a NodePath prints as Godot writes it', (t) => {
  for (const text of ['', 'a', 'a/b', '/root/world', '/root/a b/c:position:x', ':position']) t.equal(NodePath.parse(text).toString(), text)
  t.equal(NodePath.parse('//a//b').toString(), '/a/b')
  t.end()
})

t.test('pools of vectors are read by index and by iteration', (t) => {
  const pool = PoolVector2Array.of(new Vector2(1, 2), new Vector2(3, 4))
  t.equal(pool.length, 2)
  t.strictSame(pool.at(1), new Vector2(3, 4))
  t.equal(pool.at(2), undefined)
  t.strictSame([...pool], [new Vector2(1, 2), new Vector2(3, 4)])
  t.throws(() => new PoolVector2Array(new Float32Array(3)), { code: 'ERR_ARGUMENT' })
  t.end()
})
