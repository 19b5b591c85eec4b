// Generated Variants: every type, nested, with components that survive 32 bits.

import fc from 'fast-check'
import * as v from '../../src/godot/variant.ts'
import type { Variant } from '../../src/godot/variant.ts'

const f32 = fc.float()
const vector2 = fc.tuple(f32, f32).map(([x, y]) => new v.Vector2(x, y))
const vector3 = fc.tuple(f32, f32, f32).map(([x, y, z]) => new v.Vector3(x, y, z))
const color = fc.tuple(f32, f32, f32, f32).map(([r, g, b, a]) => new v.Color(r, g, b, a))
const basis = fc.tuple(vector3, vector3, vector3).map(([x, y, z]) => new v.Basis(x, y, z))

/** Text that survives: whole characters, no zero, no byte-order mark in front (a reader drops it). */
export const godotText: fc.Arbitrary<string> = fc
  .string({ unit: 'binary', maxLength: 20 })
  .map((text) => text.replaceAll('\0', '').replace(/^\ufeff+/, ''))

/** A name in a path. */
export const nodeName: fc.Arbitrary<string> = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
  .map((name) => name.replace(/[\0/:.@"]/g, '_'))

const leaf: fc.Arbitrary<Variant> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.maxSafeInteger(),
  fc.integer(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => (Number.isSafeInteger(Number(n)) ? Number(n) : n)),
  fc.double().map((n) => (Number.isSafeInteger(n) && !Object.is(n, -0) ? v.float(n) : n)),
  f32.map((n) => (Number.isSafeInteger(n) && !Object.is(n, -0) ? v.float(n) : n)),
  fc.integer().map((n) => v.float(n)),
  godotText,
  vector2,
  vector3,
  fc.tuple(vector2, vector2).map(([a, b]) => new v.Rect2(a, b)),
  fc.tuple(vector2, vector2, vector2).map(([a, b, c]) => new v.Transform2D(a, b, c)),
  fc.tuple(vector3, f32).map(([normal, d]) => new v.Plane(normal, d)),
  fc.tuple(f32, f32, f32, f32).map(([x, y, z, w]) => new v.Quat(x, y, z, w)),
  fc.tuple(vector3, vector3).map(([a, b]) => new v.AABB(a, b)),
  basis,
  fc.tuple(basis, vector3).map(([b, o]) => new v.Transform(b, o)),
  color,
  fc
    .tuple(fc.array(nodeName, { minLength: 1, maxLength: 4 }), fc.array(nodeName, { maxLength: 3 }), fc.boolean())
    .map(([names, subnames, absolute]) => new v.NodePath(names, subnames, absolute)),
  fc.constant(new v.RID()),
  fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }).map((id) => new v.ObjectId(id)),
  fc.uint8Array({ maxLength: 20 }),
  fc.int32Array({ maxLength: 10 }),
  fc.float32Array({ maxLength: 10 }),
  fc.array(godotText, { maxLength: 5 }).map((items) => new v.PoolStringArray(items)),
  fc.array(vector2, { maxLength: 4 }).map((items) => v.PoolVector2Array.of(...items)),
  fc.array(vector3, { maxLength: 4 }).map((items) => v.PoolVector3Array.of(...items)),
  fc.array(color, { maxLength: 4 }).map((items) => v.PoolColorArray.of(...items)),
)

// Keys that are objects have no equality in a Map, and NaN none in Godot; both are tested by hand.
const key: fc.Arbitrary<Variant> = fc.oneof(fc.constant(null), fc.boolean(), fc.integer(), godotText)

/** Any value, as `decodeVariant` with `keepFloats` and `dictionaries: 'map'` gives it back. */
export const variant: fc.Arbitrary<Variant> = fc.letrec<{ value: Variant; array: Variant; map: Variant }>((tie) => ({
  value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, tie('array'), tie('map')),
  array: fc.array(tie('value'), { maxLength: 5 }),
  map: fc.array(fc.tuple(key, tie('value')), { maxLength: 5 }).map((entries) => new Map(entries)),
})).value
