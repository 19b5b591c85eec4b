// What the codec's types must and must not let through. Checked by `tsc -p test/types`; nothing here runs.

import { decode, encode, t } from '../../src/rpc/codec/index.ts'
import type { Dynamic, Infer, Type, Vec3 } from '../../src/rpc/codec/index.ts'

/** Compiles only if A and B are the same type. */
type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends (<X>() => X extends B ? 1 : 2) ? true : false
const same = <A, B>(_same: Same<A, B>): void => {}

// --- inferred types -------------------------------------------------------------------------------------------------------------

const Player = t.record({
  name: t.string.max(24),
  hp: t.u8,
  position: t.vec3.of(t.quantized(-100, 100, 0.01)),
  team: t.enum('red', 'blue'),
  color: t.rgba8,
  inventory: t.array(t.nullable(t.record({ item: t.varint, wear: t.optional(t.f16) }))),
  joined: t.date,
  coins: t.bigint,
  scores: t.map(t.string, t.i32),
  version: t.tuple(t.u8, t.u8, t.string),
  avatar: t.optional(t.bytes),
  always: t.literal('x'),
  extra: t.any,
})
type Player = Infer<typeof Player>

same<Player['name'], string>(true)
same<Player['hp'], number>(true)
same<Player['position'], Vec3>(true)
same<Player['team'], 'red' | 'blue'>(true)
same<Player['color'], { r: number; g: number; b: number; a: number }>(true)
same<Player['joined'], Date>(true)
same<Player['coins'], bigint>(true)
same<Player['scores'], Map<string, number>>(true)
same<Player['version'], [number, number, string]>(true)
same<Player['avatar'], Uint8Array | undefined>(true)
same<Player['always'], 'x'>(true)
same<Player['extra'], Dynamic>(true)
same<NonNullable<Player['inventory'][number]>['wear'], number | undefined>(true)
same<Infer<typeof t.bool>, boolean>(true)

const Point = t.record({ x: t.f32, label: t.optional(t.string) })
same<Infer<typeof Point>, { x: number; label?: string | undefined }>(true)
same<Infer<ReturnType<typeof t.optional<number>>>, number | undefined>(true)

const Move = t.union('kind', { walk: { to: t.vec2 }, wait: {}, say: { text: t.string, loud: t.optional(t.bool) } })
type Move = Infer<typeof Move>
same<Move['kind'], 'walk' | 'wait' | 'say'>(true)
same<Extract<Move, { kind: 'say' }>, { kind: 'say'; text: string; loud?: boolean | undefined }>(true)

/** A union narrows by its tag. */
export const describe = (move: Move): string => {
  switch (move.kind) {
    case 'walk':
      return `${move.to.x}`
    case 'say':
      return move.text
    case 'wait':
      // @ts-expect-error waiting has no text
      return move.text
  }
}

// --- values -----------------------------------------------------------------------------------------------------------------------

encode(Point, { x: 1 })
encode(Point, { x: 1, label: 'a' })
encode(Point, { x: 1, label: undefined })
encode(Move, { kind: 'wait' })
encode(t.enum('a', 'b'), 'a')
encode(t.any, { list: [1, 'two', null, new Map([['k', 1n]])] })
encode(t.nullable(t.u8), null)

// @ts-expect-error x is missing
encode(Point, {})
// @ts-expect-error x is a number
encode(Point, { x: '1' })
// @ts-expect-error there is no y
encode(Point, { x: 1, y: 2 })
// @ts-expect-error null is not absent
encode(Point, { x: 1, label: null })
// @ts-expect-error no such word
encode(t.enum('a', 'b'), 'c')
// @ts-expect-error a variant without its field
encode(Move, { kind: 'walk' })
// @ts-expect-error no such variant
encode(Move, { kind: 'fly' })
// @ts-expect-error two of three
encode(t.tuple(t.u8, t.u8, t.u8), [1, 2])
// @ts-expect-error a bigint is no number
encode(t.u8, 1n)
// @ts-expect-error a number is no bigint
encode(t.bigint, 1)
// @ts-expect-error undefined is not null
encode(t.nullable(t.u8), undefined)
// @ts-expect-error functions are no data
encode(t.any, () => 1)
// @ts-expect-error keys are strings here
encode(t.map(t.string, t.u8), new Map([[1, 2]]))

// --- schemas ----------------------------------------------------------------------------------------------------------------------

// @ts-expect-error a shape has types, not values
t.record({ x: 1 })
// @ts-expect-error components are numbers
t.vec3.of(t.string)
// @ts-expect-error words are strings
t.enum(1, 2)
// @ts-expect-error a literal is a string, number, boolean or null
t.literal({})
// @ts-expect-error keys of a map cannot be compared by content
t.map(t.vec2, t.u8)
// @ts-expect-error `t.range` needs both ends
t.range(1)
// @ts-expect-error `t` cannot be changed
t.u8 = t.u16

// --- results ----------------------------------------------------------------------------------------------------------------------

const decoded = decode(Point, new Uint8Array(0))
// @ts-expect-error first ask whether there is a value
decoded.value
if (decoded.ok) same<typeof decoded.value, { x: number; label?: string | undefined }>(true)
else same<typeof decoded.error, 'truncated' | 'trailing' | 'range' | 'canonical' | 'utf8' | 'key' | 'limit'>(true)

/** Types of the program's own are types. */
export const celsius: Type<number> = { minBits: 8, describe: () => 'celsius', write: (writer, value) => writer.bits(value, 8),
  read: (reader) => reader.bits(8) }
same<Infer<typeof celsius>, number>(true)

/** Functions may be generic over types. */
export const twice = <T>(type: Type<T>, value: T): Type<[T, T]> => {
  encode(type, value)
  return t.tuple(type, type) as Type<[T, T]>
}
