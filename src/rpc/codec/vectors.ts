// What games move and paint: vectors, rotations, colours. SPEC §15.7.

import { outOfRange } from '../../util/errors.ts'
import type { BitReader, BitWriter } from './bits.ts'
import { misfit, within } from './errors.ts'
import { f32 } from './floats.ts'
import type { Type } from './type.ts'

/** Two numbers. */
export interface Vec2 { x: number; y: number }
/** Three numbers. */
export interface Vec3 { x: number; y: number; z: number }
/** Four numbers. */
export interface Vec4 { x: number; y: number; z: number; w: number }
/** Red, green, blue and opacity, each an integer from 0 to 255. */
export interface Rgba { r: number; g: number; b: number; a: number }

/** A vector of f32; `of` makes one with other components: `t.vec3.of(t.quantized(-100, 100, 0.01))`. */
export interface VectorType<V> extends Type<V> {
  of(component: Type<number>): Type<V>
}

// One class for each number of dimensions, written out: with the names in the source, the engine reads fields at full speed.

class Vector2 implements VectorType<Vec2> {
  readonly minBits: number
  readonly component: Type<number>

  constructor(component: Type<number>) {
    this.component = component
    this.minBits = 2 * component.minBits
  }

  of(component: Type<number>): Type<Vec2> {
    return new Vector2(component)
  }

  describe(): string {
    return this.component === f32 ? 'vec2' : `vec2(${this.component.describe()})`
  }

  write(writer: BitWriter, value: Vec2): void {
    if (typeof value !== 'object' || value === null) misfit(value, this.describe(), 'is { x, y }')
    const { component } = this
    let step = 'x'
    try {
      component.write(writer, value.x)
      step = 'y'
      component.write(writer, value.y)
    } catch (error) {
      throw within(step, error)
    }
  }

  read(reader: BitReader): Vec2 {
    const { component } = this
    return { x: component.read(reader), y: component.read(reader) }
  }
}

class Vector3 implements VectorType<Vec3> {
  readonly minBits: number
  readonly component: Type<number>

  constructor(component: Type<number>) {
    this.component = component
    this.minBits = 3 * component.minBits
  }

  of(component: Type<number>): Type<Vec3> {
    return new Vector3(component)
  }

  describe(): string {
    return this.component === f32 ? 'vec3' : `vec3(${this.component.describe()})`
  }

  write(writer: BitWriter, value: Vec3): void {
    if (typeof value !== 'object' || value === null) misfit(value, this.describe(), 'is { x, y, z }')
    const { component } = this
    let step = 'x'
    try {
      component.write(writer, value.x)
      step = 'y'
      component.write(writer, value.y)
      step = 'z'
      component.write(writer, value.z)
    } catch (error) {
      throw within(step, error)
    }
  }

  read(reader: BitReader): Vec3 {
    const { component } = this
    return { x: component.read(reader), y: component.read(reader), z: component.read(reader) }
  }
}

class Vector4 implements VectorType<Vec4> {
  readonly minBits: number
  readonly component: Type<number>

  constructor(component: Type<number>) {
    this.component = component
    this.minBits = 4 * component.minBits
  }

  of(component: Type<number>): Type<Vec4> {
    return new Vector4(component)
  }

  describe(): string {
    return this.component === f32 ? 'vec4' : `vec4(${this.component.describe()})`
  }

  write(writer: BitWriter, value: Vec4): void {
    if (typeof value !== 'object' || value === null) misfit(value, this.describe(), 'is { x, y, z, w }')
    const { component } = this
    let step = 'x'
    try {
      component.write(writer, value.x)
      step = 'y'
      component.write(writer, value.y)
      step = 'z'
      component.write(writer, value.z)
      step = 'w'
      component.write(writer, value.w)
    } catch (error) {
      throw within(step, error)
    }
  }

  read(reader: BitReader): Vec4 {
    const { component } = this
    return { x: component.read(reader), y: component.read(reader), z: component.read(reader), w: component.read(reader) }
  }
}

/** `{ x, y }` */
export const vec2: VectorType<Vec2> = new Vector2(f32)
/** `{ x, y, z }` */
export const vec3: VectorType<Vec3> = new Vector3(f32)
/** `{ x, y, z, w }` */
export const vec4: VectorType<Vec4> = new Vector4(f32)

const isByte = (value: unknown): boolean => typeof value === 'number' && (value & 0xff) === value

/** `{ r, g, b, a }`, integers from 0 to 255. */
export const rgba8: Type<Rgba> = {
  minBits: 32,
  describe: () => 'rgba8',
  write(writer, value) {
    if (typeof value !== 'object' || value === null) misfit(value, 'rgba8', 'is { r, g, b, a }')
    const { r, g, b, a } = value
    if (!isByte(r) || !isByte(g) || !isByte(b) || !isByte(a)) misfit(
      value, 'rgba8', `holds 0 to 255 four times, and this has ${[r, g, b, a].map(String).join(', ')}`)
    writer.bits(r | (g << 8) | (b << 16) | (a << 24), 32)
  },
  read(reader) {
    const bits = reader.bits(32)
    return { r: bits & 0xff, g: (bits >>> 8) & 0xff, b: (bits >>> 16) & 0xff, a: bits >>> 24 }
  },
}

/** The type of rotations; `bits` makes one of another fineness. */
export interface QuaternionType extends Type<Vec4> {
  /** @param count bits for each of three components, 4 to 20; 10 is good for about 0.2 degrees @throws VaivenError `ERR_ARGUMENT` */
  bits(count: number): Type<Vec4>
}

/**
 * Three of four components: the one furthest from 0 follows from the length, which is 1. As q and −q are the same rotation, that one is
 * made positive; the others lie between ±√½.
 */
class Quaternion implements QuaternionType {
  readonly minBits: number
  readonly count: number
  /** √½ is this many steps from 0. An odd number of values, so that 0 is one of them and no rotation stays none. */
  readonly steps: number

  constructor(count: number) {
    this.count = count
    this.steps = 2 ** (count - 1) - 1
    this.minBits = 2 + 3 * count
  }

  bits(count: number): Type<Vec4> {
    if (!Number.isInteger(count) || count < 4 || count > 20) throw outOfRange('quaternion bits', count, '4 to 20', 'ERR_ARGUMENT')
    return new Quaternion(count)
  }

  describe(): string {
    return this.count === DEFAULT_COUNT ? 'quaternion' : `quaternion(bits ${this.count})`
  }

  write(writer: BitWriter, value: Vec4): void {
    if (typeof value !== 'object' || value === null) misfit(value, this.describe(), 'is { x, y, z, w }')
    const { x, y, z, w } = value
    const isNumbers = typeof x === 'number' && typeof y === 'number' && typeof z === 'number' && typeof w === 'number'
    const length = isNumbers ? Math.sqrt(x * x + y * y + z * z + w * w) : NaN
    if (!(length > 0 && length < Infinity)) misfit(value, this.describe(), 'has a length above 0 and below infinity')
    const ax = Math.abs(x)
    const ay = Math.abs(y)
    const az = Math.abs(z)
    const aw = Math.abs(w)
    // The first of equals, so that every implementation leaves out the same one.
    const largest = ax >= ay && ax >= az && ax >= aw ? 0 : ay >= az && ay >= aw ? 1 : az >= aw ? 2 : 3
    const kept = largest === 0 ? x : largest === 1 ? y : largest === 2 ? z : w
    const scale = ((kept < 0 ? -1 : 1) * Math.SQRT2 * this.steps) / length
    writer.bits(largest, 2)
    writer.bits(this.#stepsOf((largest === 0 ? y : x) * scale), this.count)
    writer.bits(this.#stepsOf((largest <= 1 ? z : y) * scale), this.count)
    writer.bits(this.#stepsOf((largest <= 2 ? w : z) * scale), this.count)
  }

  #stepsOf(scaled: number): number {
    return Math.floor(scaled + 0.5) + this.steps
  }

  read(reader: BitReader): Vec4 {
    const largest = reader.bits(2)
    const a = this.#component(reader)
    const b = this.#component(reader)
    const c = this.#component(reader)
    const rest = 1 - a * a - b * b - c * c
    if (rest < 0) reader.fail('range')
    const kept = Math.sqrt(rest)
    if (largest === 0) return { x: kept, y: a, z: b, w: c }
    if (largest === 1) return { x: a, y: kept, z: b, w: c }
    if (largest === 2) return { x: a, y: b, z: kept, w: c }
    return { x: a, y: b, z: c, w: kept }
  }

  #component(reader: BitReader): number {
    const steps = reader.bits(this.count) - this.steps
    if (steps > this.steps) reader.fail('range')
    return (steps / this.steps) * Math.SQRT1_2
  }
}

const DEFAULT_COUNT = 10

/** Rotations as `{ x, y, z, w }` in 32 bits. They come back with length 1, and possibly as −q, which is the same rotation. */
export const quaternion: QuaternionType = new Quaternion(DEFAULT_COUNT)
