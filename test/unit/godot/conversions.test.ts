// A contract's types in Godot's values: each type, both ways, through the engine's encoding.

import test from 'tap'
import { MISFIT } from '../../../src/godot/conversions.ts'
import { NameTable, snakeCase } from '../../../src/godot/names.ts'
import { conversionFor } from '../../../src/godot/type-description.ts'
import {
  Color,
  NodePath,
  PoolStringArray,
  PoolVector2Array,
  Quat,
  RID,
  Vector2,
  Vector3,
  decodeVariant,
  encodeVariant,
  float,
} from '../../../src/godot/variant.ts'
import type { Variant } from '../../../src/godot/variant.ts'
import { t } from '../../../src/rpc/codec/index.ts'
import type { Type } from '../../../src/rpc/codec/index.ts'

const sent = (type: Type<any>, value: unknown): Variant => conversionFor(type.describe()).toGodot(value)
const taken = (type: Type<any>, value: Variant): unknown => conversionFor(type.describe()).fromGodot(value)

/** There and back, with the bytes between. */
const back = (type: Type<any>, value: unknown): unknown => {
  const result = decodeVariant(encodeVariant(sent(type, value)))
  return result.ok ? taken(type, result.value) : result.reason
}

const player = t.record({ name: t.string, favoriteColor: t.rgba8, hitPoints: t.optional(t.u8) })
const shape = t.union('kind', { moveTo: { at: t.vec2 }, stop: {}, say: { text: t.string, loud: t.bool } })

test.test('every type arrives as it left', (test) => {
  const cases: [Type<any>, unknown][] = [
    [t.bool, true],
    [t.u8, 255],
    [t.u16, 65535],
    [t.u32, 4294967295],
    [t.u53, Number.MAX_SAFE_INTEGER],
    [t.i8, -128],
    [t.i16, -1],
    [t.i32, -2147483648],
    [t.i53, Number.MIN_SAFE_INTEGER],
    [t.varint, 300],
    [t.zigzag, -300],
    [t.range(2, 100), 20],
    [t.bigint, 2n ** 62n],
    [t.bigint, 5n],
    [t.f16, 0.5],
    [t.f32, 1],
    [t.f64, Math.PI],
    [t.quantized(-1, 1, 0.25), -0.25],
    [t.date, new Date(1_700_000_000_123)],
    [t.string, 'ä 日本'],
    [t.bytes, Uint8Array.of(1, 2, 3)],
    [t.vec2, { x: 1.5, y: -2.25 }],
    [t.vec3, { x: 1, y: 2, z: 3 }],
    [t.vec4, { x: 1, y: 2, z: 3, w: 4 }],
    [t.quaternion, { x: 0, y: 0, z: 0, w: 1 }],
    [t.rgba8, { r: 255, g: 0, b: 128, a: 1 }],
    [t.enum('red', 'dark green', 'a | b'), 'a | b'],
    [t.literal('x'), 'x'],
    [t.literal(-2.5), -2.5],
    [t.literal(true), true],
    [t.literal(null), null],
    [t.nullable(t.u8), null],
    [t.nullable(t.u8), 7],
    [t.optional(t.string), undefined],
    [t.optional(t.string), 'x'],
    [player, { name: 'Ann', favoriteColor: { r: 1, g: 2, b: 3, a: 4 } }],
    [player, { name: 'Bob', favoriteColor: { r: 0, g: 0, b: 0, a: 255 }, hitPoints: 3 }],
    [t.tuple(t.string, t.f32), ['a', 2]],
    [t.array(t.u8), [1, 2, 3]],
    [t.array(player, { max: 4 }), [{ name: 'C', favoriteColor: { r: 1, g: 1, b: 1, a: 1 } }]],
    [t.array(t.vec2, { min: 1, max: 2 }), [{ x: 1, y: 2 }]],
    [
      t.map(t.string, t.u16),
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    ],
    [t.map(t.u8, t.array(t.bool)), new Map([[1, [true]]])],
    [shape, { kind: 'moveTo', at: { x: 1, y: 2 } }],
    [shape, { kind: 'stop' }],
    [shape, { kind: 'say', text: 'hi', loud: false }],
    [t.record({}), {}],
    [t.record({ 'odd key': t.u8 }), { 'odd key': 1 }],
    [t.vec2.of(t.quantized(0, 1, 0.5)), { x: 0.5, y: 1 }],
    [t.quaternion.bits(8), { x: 0, y: 1, z: 0, w: 0 }],
    [t.any, { list: [1, 'x', null, true, 2.5, { deep: Uint8Array.of(9) }] }],
  ]
  for (const [type, value] of cases)
    test.strictSame(
      back(type, value),
      value,
      `${type.describe()}: ${JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? `${item}n` : item))}`,
    )
  test.end()
})

test.test('values have the type in Godot that GDScript expects', (test) => {
  test.strictSame(sent(t.f32, 1), float(1), 'a float, not an int')
  test.strictSame(sent(t.u8, 1), 1)
  test.strictSame(sent(t.vec2, { x: 1, y: 2 }), new Vector2(1, 2))
  test.strictSame(sent(t.vec3, { x: 1, y: 2, z: 3 }), new Vector3(1, 2, 3))
  test.strictSame(sent(t.quaternion, { x: 0, y: 0, z: 0, w: 1 }), new Quat(0, 0, 0, 1))
  test.strictSame(sent(t.rgba8, { r: 255, g: 0, b: 255, a: 255 }), new Color(1, 0, 1, 1))
  test.strictSame(sent(player, { name: 'A', favoriteColor: { r: 0, g: 0, b: 0, a: 0 } }), {
    name: 'A',
    favorite_color: new Color(0, 0, 0, 0),
  })
  test.strictSame(sent(t.date, new Date(5)), 5)
  test.strictSame(sent(t.any, [new Date(5), undefined, new Map([[1, { a: undefined }]])]), [5, null, new Map([[1, { a: null }]])])
  test.end()
})

test.test("Godot's values are taken where they mean the same", (test) => {
  test.equal(taken(t.f32, 3), 3, 'an int for a float')
  test.equal(taken(t.u8, 3), 3, 'a whole float has become a number already')
  test.equal(taken(t.string, NodePath.parse('/root/a:b')), '/root/a:b')
  test.strictSame(taken(t.array(t.u8), Uint8Array.of(1, 2)), [1, 2])
  test.strictSame(taken(t.array(t.i32), Int32Array.of(-1)), [-1])
  test.strictSame(taken(t.array(t.string), new PoolStringArray(['a'])), ['a'])
  test.strictSame(taken(t.array(t.vec2), PoolVector2Array.of(new Vector2(1, 2))), [{ x: 1, y: 2 }])
  test.strictSame(taken(t.rgba8, new Color(2, -1, 0.5, 1)), { r: 255, g: 0, b: 128, a: 255 }, 'colours beyond the range are cut')
  test.strictSame(
    taken(
      player,
      new Map<Variant, Variant>([
        ['name', 'A'],
        ['favorite_color', new Color()],
        [7, 'ignored'],
        ['hit_points', null],
      ]),
    ),
    { name: 'A', favoriteColor: { r: 0, g: 0, b: 0, a: 255 } },
  )
  test.strictSame(taken(t.any, [new Vector2(1, 2), NodePath.parse('a/b'), new RID(), Int32Array.of(1)]), [{ x: 1, y: 2 }, 'a/b', null, [1]])
  test.end()
})

test.test('values of another kind are misfits, and one inside makes the whole one', (test) => {
  const misfits: [Type<any>, Variant][] = [
    [t.bool, 1],
    [t.u8, 1.5],
    [t.u8, '1'],
    [t.f32, '1'],
    [t.string, 1],
    [t.bytes, [1]],
    [t.vec2, new Vector3()],
    [t.vec2, { x: 1, y: 2 }],
    [t.rgba8, null],
    [t.date, 'now'],
    [t.bigint, 1.5],
    [t.enum('a', 'b'), 'c'],
    [t.enum('a'), null],
    [t.literal('x'), 'y'],
    [t.array(t.u8), { a: 1 }],
    [t.array(t.u8), [1, 'x']],
    [t.tuple(t.u8, t.u8), [1]],
    [t.tuple(t.u8, t.u8), [1, 'x']],
    [t.map(t.string, t.u8), [1]],
    [t.map(t.string, t.u8), { a: 'x' }],
    [t.map(t.string, t.u8), new Map([[1, 1]])],
    [player, { name: 'A' }],
    [player, { name: 1, favorite_color: new Color() }],
    [player, []],
    [player, null],
    [player, new Vector2()],
    [shape, { kind: 'fly' }],
    [shape, { at: new Vector2() }],
    [player, { name: 'A', favorite_color: new Color(), hit_points: 'x' }],
  ]
  for (const [type, value] of misfits) test.equal(taken(type, value), MISFIT, `${type.describe()}: ${String(JSON.stringify(value))}`)
  test.end()
})

test.test('names change between camelCase and snake_case, both ways, and never two into one', (test) => {
  for (const [ours, theirs] of [
    ['registerPlayer', 'register_player'],
    ['say', 'say'],
    ['register_player', 'register_player'],
    ['parseJSONText', 'parse_json_text'],
    ['player2Score', 'player2_score'],
    ['x', 'x'],
    ['HP', 'hp'],
    ['setHP', 'set_hp'],
    ['_private', '_private'],
  ] as const)
    test.equal(snakeCase(ours), theirs)
  const names = new NameTable('lobby', ['registerPlayer', 'say', 'onHTTP'], { onHTTP: 'on_http_request' })
  test.equal(names.theirs('registerPlayer'), 'register_player')
  test.equal(names.ours('register_player'), 'registerPlayer')
  test.equal(names.ours('registerPlayer'), undefined, 'only the name that Godot uses')
  test.equal(names.ours('on_http_request'), 'onHTTP')
  test.equal(names.ours('on_http'), undefined)
  test.throws(() => new NameTable('lobby', ['moveTo', 'move_to']), {
    code: 'ERR_CONTRACT',
    message: /"moveTo" and "move_to" are both "move_to"/,
  })
  test.end()
})
