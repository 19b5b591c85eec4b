// Godot's pool arrays for which JavaScript has no typed array: strings, vectors, colours.

import { VaivenError } from '../util/errors.ts'
import { Color, Vector2, Vector3 } from './variant-types.ts'

/** Many strings; a PoolStringArray. (An array of strings is an Array to Godot.) */
export class PoolStringArray implements Iterable<string> {
  readonly items: readonly string[]
  constructor(items: Iterable<string> = []) {
    this.items = [...items]
  }
  get length(): number {
    return this.items.length
  }
  /** The string at `index`; `undefined` outside. */
  at(index: number): string | undefined {
    return this.items.at(index)
  }
  [Symbol.iterator](): Iterator<string> {
    return this.items[Symbol.iterator]()
  }
}

/** Many equal things made of 32-bit floats, kept in one block: as small here as on the wire. */
abstract class PoolFloats<T> implements Iterable<T> {
  /** All components, one thing after the other. */
  readonly data: Float32Array
  readonly #stride: number

  protected constructor(data: Float32Array, stride: number, what: string) {
    if (data.length % stride !== 0)
      throw new VaivenError('ERR_ARGUMENT', `${what}: the data holds ${data.length} floats; give a multiple of ${stride}`)
    this.data = data
    this.#stride = stride
  }

  protected abstract read(at: number): T

  /** How many things there are. */
  get length(): number {
    return this.data.length / this.#stride
  }

  /** The thing at `index`, made anew; `undefined` outside. */
  at(index: number): T | undefined {
    return index >= 0 && index < this.length ? this.read(index * this.#stride) : undefined
  }

  *[Symbol.iterator](): Generator<T> {
    for (let at = 0; at < this.data.length; at += this.#stride) yield this.read(at)
  }
}

/** Many 2D vectors: x, y, x, y, … */
export class PoolVector2Array extends PoolFloats<Vector2> {
  constructor(data: Float32Array = new Float32Array()) {
    super(data, 2, 'PoolVector2Array')
  }
  static of(...vectors: Vector2[]): PoolVector2Array {
    return new PoolVector2Array(Float32Array.from(vectors.flatMap((v) => [v.x, v.y])))
  }
  protected override read(at: number): Vector2 {
    return new Vector2(this.data[at], this.data[at + 1])
  }
}

/** Many 3D vectors: x, y, z, x, y, z, … */
export class PoolVector3Array extends PoolFloats<Vector3> {
  constructor(data: Float32Array = new Float32Array()) {
    super(data, 3, 'PoolVector3Array')
  }
  static of(...vectors: Vector3[]): PoolVector3Array {
    return new PoolVector3Array(Float32Array.from(vectors.flatMap((v) => [v.x, v.y, v.z])))
  }
  protected override read(at: number): Vector3 {
    return new Vector3(this.data[at], this.data[at + 1], this.data[at + 2])
  }
}

/** Many colours: r, g, b, a, r, g, b, a, … */
export class PoolColorArray extends PoolFloats<Color> {
  constructor(data: Float32Array = new Float32Array()) {
    super(data, 4, 'PoolColorArray')
  }
  static of(...colors: Color[]): PoolColorArray {
    return new PoolColorArray(Float32Array.from(colors.flatMap((c) => [c.r, c.g, c.b, c.a])))
  }
  protected override read(at: number): Color {
    return new Color(this.data[at], this.data[at + 1], this.data[at + 2], this.data[at + 3])
  }
}
