// Values → bytes, in the exact form in which a Godot 3 engine would write them. SPEC §16.5.

import { VaivenError } from '../util/errors.ts'
import { BoundedWriter } from './bounded-writer.ts'
import { isWellFormed } from './utf8.ts'
import { resolveVariantLimits } from './variant-limits.ts'
import type { ResolvedVariantLimits, VariantLimits } from './variant-limits.ts'
import * as pool from './variant-pools.ts'
import * as v from './variant-types.ts'
import type { Variant } from './variant-types.ts'

const { VariantType } = v

/** In the head of an int, float or object: the body has 64 bits. */
const FLAG_64 = 0x10000

/**
 * One value as bytes.
 *
 * Numbers: a safe integer is an int, anything else a float, unless `int()` or `float()` says otherwise; a `bigint` is an
 * int. Ints take 32 bits where they fit, floats 32 bits where nothing is lost, as in the engine. Objects must be plain
 * (or a `Map`): their own enumerable string keys are taken in their order.
 *
 * @throws VaivenError ERR_ENCODE, naming the place (`value.inventory[2]`): undefined, functions and other foreign objects,
 *   integers beyond 64 bits, text with a zero character or half a surrogate pair, more than the limits allow (a cycle too)
 */
export const encodeVariant = (value: Variant, limits?: VariantLimits): Uint8Array => {
  const resolved = resolveVariantLimits(limits)
  const writer = new BoundedWriter(resolved.maxBytes)
  new VariantEncoder(writer, resolved).write(value, 'value')
  return writer.copy()
}

/** Writes values one after the other into a writer, counting them all against one set of limits. */
export class VariantEncoder {
  readonly #out: BoundedWriter
  readonly #limits: ResolvedVariantLimits
  #values = 0
  /** Where we are, for error messages; its length is the depth. */
  readonly #path: (string | number)[] = []
  #root = ''

  constructor(out: BoundedWriter, limits: ResolvedVariantLimits) {
    this.#out = out
    this.#limits = limits
  }

  /** @param name what to call the value in an error message */
  write(value: unknown, name: string): void {
    this.#root = name
    this.#path.length = 0
    this.#value(value)
  }

  #fail(why: string): never {
    const place = this.#path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('')
    throw new VaivenError('ERR_ENCODE', `${this.#root}${place}: ${why}`)
  }

  #value(value: unknown): void {
    if (++this.#values > this.#limits.maxValues) this.#fail(`more than ${this.#limits.maxValues} values (limit maxValues)`)
    const out = this.#out
    switch (typeof value) {
      case 'number':
        return Number.isSafeInteger(value) && !Object.is(value, -0) ? this.#int(value) : this.#real(value)
      case 'string':
        out.u32(VariantType.string)
        return this.#string(value)
      case 'boolean':
        out.u32(VariantType.bool)
        return out.u32(value ? 1 : 0)
      case 'bigint':
        return this.#bigint(value)
      case 'object':
        if (value === null) return out.u32(VariantType.nil)
        return Array.isArray(value) ? this.#array(value) : this.#object(value)
      default:
        return this.#fail(`${typeof value} has no counterpart in Godot${value === undefined ? '; use null' : ''}`)
    }
  }

  #int(value: number): void {
    if (value === (value | 0)) {
      this.#out.u32(VariantType.int)
      this.#out.i32(value)
    } else {
      this.#out.u32(VariantType.int | FLAG_64)
      this.#out.i64(BigInt(value))
    }
  }

  #bigint(value: bigint): void {
    if (BigInt.asIntN(32, value) === value) return this.#int(Number(value))
    if (BigInt.asIntN(64, value) !== value) this.#fail(`${value} does not fit 64 bits`)
    this.#out.u32(VariantType.int | FLAG_64)
    this.#out.i64(value)
  }

  #real(value: number): void {
    if (Math.fround(value) === value) {
      this.#out.u32(VariantType.real)
      this.#out.f32(value)
    } else {
      // NaN comes here too, as it is equal to nothing: the engine does the same.
      this.#out.u32(VariantType.real | FLAG_64)
      this.#out.f64(value)
    }
  }

  /** The body of a String: length, UTF-8, padding. `terminated` counts a final zero, as in a PoolStringArray. */
  #string(value: string, terminated = false): void {
    if (value.includes('\0')) this.#fail('text with a zero character would be cut there by the receiver')
    if (!isWellFormed(value)) this.#fail('text with half a surrogate pair is no Unicode')
    const out = this.#out
    const start = out.length
    out.u32(0)
    let size = out.text(value)
    if (terminated) {
      out.u8(0)
      size++
    }
    out.patchU32(start, size)
    out.pad4(start)
  }

  #array(items: readonly unknown[]): void {
    this.#out.u32(VariantType.array)
    this.#out.u32(items.length)
    this.#enter()
    for (let i = 0; i < items.length; i++) {
      this.#path[this.#path.length - 1] = i
      this.#value(items[i])
    }
    this.#path.pop()
  }

  #enter(): void {
    if (this.#path.length >= this.#limits.maxDepth) this.#fail(`nested deeper than ${this.#limits.maxDepth} (limit maxDepth), or a cycle`)
    this.#path.push(0)
  }

  #dictionary(size: number, entries: Iterable<readonly [unknown, unknown]>): void {
    this.#out.u32(VariantType.dictionary)
    this.#out.u32(size)
    this.#enter()
    for (const [key, value] of entries) {
      this.#path[this.#path.length - 1] = typeof key === 'string' ? key : String(typeof key === 'object' ? key?.constructor.name : key)
      this.#value(key)
      this.#value(value)
    }
    this.#path.pop()
  }

  #floats(type: number, components: readonly number[]): void {
    this.#out.u32(type)
    for (const component of components) {
      if (typeof component !== 'number') this.#fail(`a component is ${String(component)}; it must be a number`)
      this.#out.f32(component)
    }
  }

  #pool(type: number, items: ArrayLike<number>, put: (value: number) => void, count = items.length): void {
    this.#out.u32(type)
    this.#out.u32(count)
    for (let i = 0; i < items.length; i++) put(items[i]!)
  }

  #object(value: object): void {
    const out = this.#out
    if (value instanceof v.Vector2) return this.#floats(VariantType.vector2, [value.x, value.y])
    if (value instanceof v.Vector3) return this.#floats(VariantType.vector3, xyz(value))
    if (value instanceof v.Color) return this.#floats(VariantType.color, [value.r, value.g, value.b, value.a])
    if (value instanceof Map) return this.#dictionary(value.size, value)
    if (value instanceof Uint8Array) {
      out.u32(VariantType.poolByteArray)
      out.u32(value.length)
      const start = out.length
      out.raw(value)
      return out.pad4(start)
    }
    if (value instanceof Int32Array) return this.#pool(VariantType.poolIntArray, value, (n) => out.i32(n))
    if (value instanceof Float32Array) return this.#pool(VariantType.poolRealArray, value, (n) => out.f32(n))
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === Object.prototype || prototype === null) {
      const entries = Object.entries(value)
      return this.#dictionary(entries.length, entries)
    }
    return this.#rare(value)
  }

  /** The classes that few packets hold. */
  #rare(value: object): void {
    const out = this.#out
    if (value instanceof v.Float) return this.#real(value.value)
    if (value instanceof v.Int) return this.#bigint(value.value)
    if (value instanceof v.Rect2) {
      return this.#floats(VariantType.rect2, [value.position.x, value.position.y, value.size.x, value.size.y])
    }
    if (value instanceof v.Transform2D) {
      return this.#floats(VariantType.transform2D, [value.x.x, value.x.y, value.y.x, value.y.y, value.origin.x, value.origin.y])
    }
    if (value instanceof v.Plane) return this.#floats(VariantType.plane, [...xyz(value.normal), value.d])
    if (value instanceof v.Quat) return this.#floats(VariantType.quat, [...xyz(value), value.w])
    if (value instanceof v.AABB) return this.#floats(VariantType.aabb, [...xyz(value.position), ...xyz(value.size)])
    if (value instanceof v.Basis) return this.#floats(VariantType.basis, rows(value))
    if (value instanceof v.Transform) return this.#floats(VariantType.transform, [...rows(value.basis), ...xyz(value.origin)])
    if (value instanceof v.NodePath) return this.#nodePath(value)
    if (value instanceof v.RID) return out.u32(VariantType.rid)
    if (value instanceof v.ObjectId) {
      if (BigInt.asUintN(64, value.id) !== value.id) this.#fail(`object id ${value.id} does not fit 64 bits`)
      out.u32(VariantType.object | FLAG_64)
      return out.i64(BigInt.asIntN(64, value.id))
    }
    if (value instanceof pool.PoolStringArray) {
      out.u32(VariantType.poolStringArray)
      out.u32(value.length)
      for (const item of value) {
        if (++this.#values > this.#limits.maxValues) this.#fail(`more than ${this.#limits.maxValues} values (limit maxValues)`)
        this.#string(item, true)
      }
      return undefined
    }
    if (value instanceof pool.PoolVector2Array) return this.#pool(VariantType.poolVector2Array, value.data, (n) => out.f32(n), value.length)
    if (value instanceof pool.PoolVector3Array) return this.#pool(VariantType.poolVector3Array, value.data, (n) => out.f32(n), value.length)
    if (value instanceof pool.PoolColorArray) return this.#pool(VariantType.poolColorArray, value.data, (n) => out.f32(n), value.length)
    return this.#fail(
      `${value.constructor?.name ?? 'an object'} has no counterpart in Godot; use a plain object, a Map or one of the Variant classes`,
    )
  }

  #nodePath(path: v.NodePath): void {
    const out = this.#out
    out.u32(VariantType.nodePath)
    // Bit 31 marks the form with separate names, the only one that is written.
    out.u32((path.names.length | 0x80000000) >>> 0)
    out.u32(path.subnames.length)
    out.u32(path.absolute ? 1 : 0)
    this.#values += path.names.length + path.subnames.length
    if (this.#values > this.#limits.maxValues) this.#fail(`more than ${this.#limits.maxValues} values (limit maxValues)`)
    // The engine leaves whatever was in its memory in the padding of these strings; we write zeros.
    for (const name of path.names) this.#string(name)
    for (const name of path.subnames) this.#string(name)
  }
}

const xyz = (vector: { x: number; y: number; z: number }): number[] => [vector.x, vector.y, vector.z]

const rows = ({ x, y, z }: v.Basis): number[] => [x.x, y.x, z.x, x.y, y.y, z.y, x.z, y.z, z.z]
