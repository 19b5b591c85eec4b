// What a Godot 3 Variant is in TypeScript: plain values where JavaScript has them, small classes where it has not.

import { VaivenError } from '../util/errors.ts'
import type { PoolColorArray, PoolStringArray, PoolVector2Array, PoolVector3Array } from './variant-pools.ts'

/** The type numbers of Godot 3, as they stand in the first byte of an encoded value. SPEC §16.5. */
export const VariantType = {
  nil: 0,
  bool: 1,
  int: 2,
  real: 3,
  string: 4,
  vector2: 5,
  rect2: 6,
  vector3: 7,
  transform2D: 8,
  plane: 9,
  quat: 10,
  aabb: 11,
  basis: 12,
  transform: 13,
  color: 14,
  nodePath: 15,
  rid: 16,
  object: 17,
  dictionary: 18,
  array: 19,
  poolByteArray: 20,
  poolIntArray: 21,
  poolRealArray: 22,
  poolStringArray: 23,
  poolVector2Array: 24,
  poolVector3Array: 25,
  poolColorArray: 26,
} as const

/**
 * Anything that Godot 3 can send as an argument or a property.
 *
 * | Godot | here |
 * |---|---|
 * | null | `null` |
 * | bool | `boolean` |
 * | int | `number` while it is a safe integer, else `bigint` |
 * | float ("real") | `number` |
 * | String | `string` |
 * | Vector2 … Color, NodePath, RID | the class of that name |
 * | Object | {@link ObjectId}: only its number travels |
 * | Dictionary | plain object, or `Map` when a key is not a string |
 * | Array | array |
 * | PoolByteArray, PoolIntArray, PoolRealArray | `Uint8Array`, `Int32Array`, `Float32Array` |
 * | the other Pool…Arrays | the class of that name |
 *
 * A `number` does not say whether it is an int or a float. The rule when encoding: a safe integer is an int, everything
 * else (fractions, ±Infinity, NaN, −0, |x| ≥ 2^53) a float. Where that is not what the game expects, {@link float} and
 * {@link int} say it: `float(1)`.
 */
export type Variant =
  | null
  | boolean
  | number
  | bigint
  | string
  | Int
  | Float
  | Vector2
  | Rect2
  | Vector3
  | Transform2D
  | Plane
  | Quat
  | AABB
  | Basis
  | Transform
  | Color
  | NodePath
  | RID
  | ObjectId
  | Uint8Array
  | Int32Array
  | Float32Array
  | PoolStringArray
  | PoolVector2Array
  | PoolVector3Array
  | PoolColorArray
  | readonly Variant[]
  | ReadonlyMap<Variant, Variant>
  | { readonly [key: string]: Variant }

/** A number that is to travel as an int whatever its size; made by {@link int}. */
export class Int {
  readonly value: bigint
  constructor(value: bigint) {
    this.value = value
  }
  valueOf(): bigint {
    return this.value
  }
}

/** A number that is to travel as a float even when it is whole; made by {@link float}. */
export class Float {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
  valueOf(): number {
    return this.value
  }
}

/**
 * Says that a number is an int of Godot.
 * @param value a whole number from -2^63 to 2^63 - 1
 * @throws VaivenError ERR_ENCODE
 */
export const int = (value: number | bigint): Int => {
  if (typeof value === 'number' && !Number.isInteger(value)) {
    throw new VaivenError('ERR_ENCODE', `int(${value}): only whole numbers are ints; use float()`)
  }
  const whole = BigInt(value)
  if (BigInt.asIntN(64, whole) !== whole) throw new VaivenError('ERR_ENCODE', `int(${value}): an int has 64 bits`)
  return new Int(whole)
}

/** Says that a number is a float of Godot, as in `float(1)`; any number. */
export const float = (value: number): Float => new Float(Number(value))

// The components below are 32-bit floats on the wire: what arrives is `Math.fround` of what was sent.

/** A 2D vector. */
export class Vector2 {
  x: number
  y: number
  constructor(x = 0, y = 0) {
    this.x = x
    this.y = y
  }
}

/** A 3D vector. */
export class Vector3 {
  x: number
  y: number
  z: number
  constructor(x = 0, y = 0, z = 0) {
    this.x = x
    this.y = y
    this.z = z
  }
}

/** An axis-aligned rectangle. */
export class Rect2 {
  position: Vector2
  size: Vector2
  constructor(position: Vector2 = new Vector2(), size: Vector2 = new Vector2()) {
    this.position = position
    this.size = size
  }
}

/** A 2D transformation: the images of the two axes, and the origin. */
export class Transform2D {
  x: Vector2
  y: Vector2
  origin: Vector2
  constructor(x: Vector2 = new Vector2(1, 0), y: Vector2 = new Vector2(0, 1), origin: Vector2 = new Vector2()) {
    this.x = x
    this.y = y
    this.origin = origin
  }
}

/** A plane: its normal and its distance from the origin. */
export class Plane {
  normal: Vector3
  d: number
  constructor(normal: Vector3 = new Vector3(), d = 0) {
    this.normal = normal
    this.d = d
  }
}

/** A quaternion. */
export class Quat {
  x: number
  y: number
  z: number
  w: number
  constructor(x = 0, y = 0, z = 0, w = 1) {
    this.x = x
    this.y = y
    this.z = z
    this.w = w
  }
}

/** An axis-aligned box. */
export class AABB {
  position: Vector3
  size: Vector3
  constructor(position: Vector3 = new Vector3(), size: Vector3 = new Vector3()) {
    this.position = position
    this.size = size
  }
}

/** A 3×3 matrix: the images of the three axes (its columns). The wire carries it by rows. */
export class Basis {
  x: Vector3
  y: Vector3
  z: Vector3
  constructor(x: Vector3 = new Vector3(1, 0, 0), y: Vector3 = new Vector3(0, 1, 0), z: Vector3 = new Vector3(0, 0, 1)) {
    this.x = x
    this.y = y
    this.z = z
  }
}

/** A 3D transformation. */
export class Transform {
  basis: Basis
  origin: Vector3
  constructor(basis: Basis = new Basis(), origin: Vector3 = new Vector3()) {
    this.basis = basis
    this.origin = origin
  }
}

/** A colour; 1 is full, values beyond are legal. */
export class Color {
  r: number
  g: number
  b: number
  a: number
  constructor(r = 0, g = 0, b = 0, a = 1) {
    this.r = r
    this.g = g
    this.b = b
    this.a = a
  }
}

/** A path to a node and, after colons, to a property of it. */
export class NodePath {
  readonly names: readonly string[]
  readonly subnames: readonly string[]
  /** Begins at the root of the tree. */
  readonly absolute: boolean

  constructor(names: readonly string[] = [], subnames: readonly string[] = [], absolute = false) {
    this.names = names
    this.subnames = subnames
    this.absolute = absolute
  }

  /** Reads a path as Godot writes it: `/root/world/player:position:x`. Doubled slashes count as one. */
  static parse(text: string): NodePath {
    const [path = '', ...subnames] = text.split(':')
    const names = path.split('/').filter((name) => name !== '')
    return new NodePath(
      names,
      subnames.filter((name) => name !== ''),
      path.startsWith('/'),
    )
  }

  toString(): string {
    const subnames = this.subnames.map((name) => `:${name}`).join('')
    return `${this.absolute ? '/' : ''}${this.names.join('/')}${subnames}`
  }
}

/** A handle of one of the engine's servers. Its number never travels: every RID arrives empty. */
export class RID {
  /** Always 0 here; it also keeps the type checker from taking any object for an RID. */
  readonly id: number = 0
}

/**
 * An object, as far as it travels: the number that it has in the sender's own memory (there an `EncodedObjectAsID`).
 * Whole objects are never read here: reading them lets a stranger run code in the game that does it.
 */
export class ObjectId {
  /** 1 to 2^64 - 1; 0 would be `null`. */
  readonly id: bigint
  constructor(id: bigint) {
    this.id = id
  }
}
