// The Variant codec against what the engine itself wrote and read: 107 vectors of Godot 3.2.3.

import { readFileSync } from 'node:fs'
import t from 'tap'
import { fromHex } from '../../support/captures.ts'
import {
  AABB,
  Basis,
  Color,
  NodePath,
  PoolColorArray,
  PoolStringArray,
  PoolVector2Array,
  PoolVector3Array,
  Plane,
  Quat,
  RID,
  Rect2,
  Transform,
  Transform2D,
  Vector2,
  Vector3,
  decodeVariant,
  encodeVariant,
  float,
  int,
} from '../../../src/godot/variant.ts'
import type { Variant } from '../../../src/godot/variant.ts'

interface Vector {
  readonly note: string
  readonly hex: string
  /** Whether the engine read it. */
  readonly ok: boolean
  /** How the engine wrote what it had read, where that differs from `hex`. */
  readonly reads_as?: string | null
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../../test/fixtures/godot/godot3-variants.json', import.meta.url), 'utf8'),
) as Vector[]

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const basis = new Basis(new Vector3(1, 2, 3), new Vector3(4, 5, 6), new Vector3(7, 8, 9))

// What each vector means, by its note: what a program writes to get these bytes.
const meaning: Record<string, Variant> = {
  null: null,
  true: true,
  false: false,
  'real 0.0': float(0),
  'real 1.0': float(1),
  'real 0.5': 0.5,
  'real 0.1': 0.1,
  'real -2.75': -2.75,
  'real 1e300': 1e300,
  'real 16777217.0': float(16777217),
  'real inf': Infinity,
  'real -inf': -Infinity,
  'real nan': NaN,
  'real pi': Math.PI,
  'Vector2(1.5, -2.25)': new Vector2(1.5, -2.25),
  'Rect2(1, 2, 3, 4)': new Rect2(new Vector2(1, 2), new Vector2(3, 4)),
  'Vector3(1, 2, 3)': new Vector3(1, 2, 3),
  'Transform2D x axis (1,2), y axis (3,4), origin (5,6)': new Transform2D(new Vector2(1, 2), new Vector2(3, 4), new Vector2(5, 6)),
  'Plane normal (0,1,0), d 5': new Plane(new Vector3(0, 1, 0), 5),
  'Quat(1, 2, 3, 4)': new Quat(1, 2, 3, 4),
  'AABB position (1,2,3), size (4,5,6)': new AABB(new Vector3(1, 2, 3), new Vector3(4, 5, 6)),
  'Basis x axis (1,2,3), y axis (4,5,6), z axis (7,8,9)': basis,
  'Transform with that basis, origin (10,11,12)': new Transform(basis, new Vector3(10, 11, 12)),
  'Color(1, 0, 1, 1)': new Color(1, 0, 1, 1),
  'Color(0.25, 0.5, 0.75, 2)': new Color(0.25, 0.5, 0.75, 2),
  'NodePath empty': new NodePath(),
  'NodePath /root/abcd:wxyz (no padding inside)': NodePath.parse('/root/abcd:wxyz'),
  'NodePath abcd/efgh': NodePath.parse('abcd/efgh'),
  RID: new RID(),
  'Dictionary empty': {},
  'Dictionary {name: Johnson Magenta, favorite_color: Color(1,0,1,1)}': { name: 'Johnson Magenta', favorite_color: new Color(1, 0, 1, 1) },
  'Dictionary {1: one, two: [2, null]}': new Map<Variant, Variant>([
    [1, 'one'],
    ['two', [2, null]],
  ]),
  'Array empty': [],
  'Array [1, two, 3.5, null, [true]]': [1, 'two', 3.5, null, [true]],
  'PoolByteArray empty': new Uint8Array(),
  'PoolByteArray 1 2 3': new Uint8Array([1, 2, 3]),
  'PoolByteArray 0 255 128 64': new Uint8Array([0, 255, 128, 64]),
  'PoolByteArray 1..5': new Uint8Array([1, 2, 3, 4, 5]),
  'PoolIntArray empty': new Int32Array(),
  'PoolIntArray 0 -1 2147483647': new Int32Array([0, -1, 2147483647]),
  'PoolRealArray 0.5 0.1': new Float32Array([0.5, 0.1]),
  'PoolStringArray empty': new PoolStringArray(),
  'PoolStringArray a, abc, (empty), 日本': new PoolStringArray(['a', 'abc', '', '日本']),
  'PoolVector2Array (1,2) (-0.5,0.25)': PoolVector2Array.of(new Vector2(1, 2), new Vector2(-0.5, 0.25)),
  'PoolVector3Array (1,2,3)': PoolVector3Array.of(new Vector3(1, 2, 3)),
  'PoolColorArray (1,0,0,1) (0,1,0,0.5)': PoolColorArray.of(new Color(1, 0, 0, 1), new Color(0, 1, 0, 0.5)),
}

/** Ints and strings say their value in the note itself. */
const meaningOf = (note: string): Variant | undefined => {
  const number = /^int (-?\d+)$/.exec(note)
  if (number) return BigInt(number[1]!) === BigInt(Number(number[1])) ? Number(number[1]) : BigInt(number[1]!)
  const text = /^String (".*")$/.exec(note)
  return text ? (JSON.parse(text[1]!) as string) : meaning[note]
}

t.test('the fixture is whole: 107 vectors', (t) => {
  t.equal(vectors.length, 107)
  t.equal(vectors.filter((vector) => !vector.ok).length, 24)
  t.end()
})

t.test('what the engine wrote is what we write for the same value', (t) => {
  // "real -0.0" is left out: GDScript's own literal loses its sign before it is encoded.
  const own = vectors.filter(({ ok, note, reads_as }) => ok && reads_as === undefined && note !== 'real -0.0')
  for (const { note, hex: expected } of own) {
    const value = meaningOf(note)
    if (value === undefined) t.fail(`no meaning for vector ${note}`)
    else t.equal(hex(encodeVariant(value)), expected, note)
  }
  t.equal(own.length, 70)
  t.end()
})

t.test('what the engine wrote reads as the value that it was', (t) => {
  for (const { note, hex: bytes, ok, reads_as } of vectors) {
    if (!ok || reads_as !== undefined || note === 'real -0.0') continue
    const result = decodeVariant(fromHex(bytes), { keepFloats: true })
    t.strictSame(result, { ok: true, value: meaningOf(note), end: bytes.length / 2 }, note)
  }
  t.end()
})

t.test('what the engine read, it would write again as we do', (t) => {
  for (const { note, hex: bytes, ok, reads_as } of vectors) {
    if (!ok) continue
    const result = decodeVariant(fromHex(bytes), { keepFloats: true })
    t.equal(result.ok && hex(encodeVariant(result.value)), reads_as ?? bytes, note)
  }
  t.end()
})

t.test('what the engine refused, we refuse', (t) => {
  const reasons: Record<string, string> = {}
  for (const { note, hex: bytes, ok } of vectors) {
    if (ok) continue
    const result = decodeVariant(fromHex(bytes))
    t.equal(result.ok, false, note)
    if (!result.ok) reasons[note] = result.reason
  }
  t.match(reasons, {
    empty: 'truncated',
    'type 27': 'unknown-type',
    'String, overlong': 'bad-text',
    'NodePath old form': 'old-node-path',
    'whole object not allowed': 'whole-object',
    'PoolColorArray, huge count': 'truncated',
  })
  t.end()
})

t.test('int() and float() decide where a number alone would not', (t) => {
  t.equal(hex(encodeVariant(5)), '0200000005000000')
  t.equal(hex(encodeVariant(float(5))), '030000000000a040')
  t.equal(hex(encodeVariant(5.5)), '030000000000b040')
  t.equal(hex(encodeVariant(-0)), '0300000000000080')
  t.equal(hex(encodeVariant(2 ** 53)), '030000000000005a')
  t.equal(hex(encodeVariant(int(2 ** 53))), '020001000000000000002000')
  t.equal(hex(encodeVariant(7n)), '0200000007000000')
  t.throws(() => int(2.5), { code: 'ERR_ENCODE' })
  t.throws(() => int(2n ** 63n), { code: 'ERR_ENCODE' })
  t.end()
})
