// Bytes → values. The bytes come from strangers: nothing here throws, recurses without bound, or allocates before it has
// checked a count against the bytes that are really there. SPEC §16.5.

import { decodeUtf8 } from './utf8.ts'
import { resolveVariantLimits } from './variant-limits.ts'
import type { ResolvedVariantLimits, VariantLimits } from './variant-limits.ts'
import * as pool from './variant-pools.ts'
import * as v from './variant-types.ts'
import type { Variant } from './variant-types.ts'

/** Why bytes are not a value. */
export type VariantFailure =
  /** They end too early, or a count is larger than what follows can hold. */
  | 'truncated'
  /** A type number beyond the 27 of Godot 3. */
  | 'unknown-type'
  /** Text that is not UTF-8. */
  | 'bad-text'
  /** The path form of Godot 2. */
  | 'old-node-path'
  /** A whole object; reading it would let the sender run code. */
  | 'whole-object'
  /** Nested deeper than the limit. */
  | 'too-deep'
  /** More values than the limit. */
  | 'too-many-values'
  /** More bytes than the limit. */
  | 'too-long'

/** What came of reading a value: itself and where it ended, or why not and where that was noticed. Offsets in bytes. */
export type VariantResult =
  | { readonly ok: true; readonly value: Variant; readonly end: number }
  | { readonly ok: false; readonly reason: VariantFailure; readonly at: number }

/** How values are to be read. */
export interface VariantDecodeOptions extends VariantLimits {
  /** Where the value begins, bytes. @default 0 */
  offset?: number
  /**
   * `true`: a whole-numbered float arrives as {@link v.Float} and not as a `number`, so that encoding it again gives a
   * float. For tools that pass values on. @default false
   */
  keepFloats?: boolean
  /** `'map'`: every Dictionary is a `Map`, with its order kept even where keys look like array indices. @default 'auto' */
  dictionaries?: 'auto' | 'map'
}

/**
 * Reads one value; what follows it is left alone.
 * @throws VaivenError ERR_OPTION_RANGE for a limit outside its range; never for the bytes
 */
export const decodeVariant = (bytes: Uint8Array, options: VariantDecodeOptions = {}): VariantResult => {
  const decoder = new VariantDecoder(bytes, options.offset ?? 0, resolveVariantLimits(options), options)
  const value = decoder.read()
  if (value === undefined) return { ok: false, reason: decoder.failure!, at: decoder.at }
  return { ok: true, value, end: Math.min(decoder.at, bytes.length) }
}

/** Reads values one after the other, all against one set of limits. */
export class VariantDecoder {
  /** Where the next value begins. One to three past the end after a byte array that lacked its final padding. */
  at: number
  /** Set once something was wrong; from then on `read` gives nothing. */
  failure: VariantFailure | null = null

  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #limits: ResolvedVariantLimits
  readonly #keepFloats: boolean
  readonly #maps: boolean
  #values = 0
  #depth = 0

  constructor(
    bytes: Uint8Array,
    offset: number,
    limits: ResolvedVariantLimits,
    options: Pick<VariantDecodeOptions, 'keepFloats' | 'dictionaries'> = {},
  ) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#limits = limits
    this.#keepFloats = options.keepFloats ?? false
    this.#maps = options.dictionaries === 'map'
    this.at = offset
    if (bytes.length - offset > limits.maxBytes) this.failure = 'too-long'
  }

  /** The next value, or `undefined` when the bytes are no value; `failure` then says why. */
  read(): Variant | undefined {
    if (!this.#count(1) || !this.#has(4)) return undefined
    const head = this.#view.getUint32(this.at, true)
    const wide = (head & 0x10000) !== 0
    this.at += 4
    switch (head & 0xff) {
      case v.VariantType.nil:
        return null
      case v.VariantType.bool:
        return this.#has(4) ? this.#u32() !== 0 : undefined
      case v.VariantType.int:
        return this.#int(wide)
      case v.VariantType.real:
        return this.#real(wide)
      case v.VariantType.string:
        return this.#string()
      case v.VariantType.vector2:
        return this.#has(8) ? this.#vector2() : undefined
      case v.VariantType.rect2:
        return this.#has(16) ? new v.Rect2(this.#vector2(), this.#vector2()) : undefined
      case v.VariantType.vector3:
        return this.#has(12) ? this.#vector3() : undefined
      case v.VariantType.transform2D:
        return this.#has(24) ? new v.Transform2D(this.#vector2(), this.#vector2(), this.#vector2()) : undefined
      case v.VariantType.plane:
        return this.#has(16) ? new v.Plane(this.#vector3(), this.#f32()) : undefined
      case v.VariantType.quat:
        return this.#has(16) ? new v.Quat(this.#f32(), this.#f32(), this.#f32(), this.#f32()) : undefined
      case v.VariantType.aabb:
        return this.#has(24) ? new v.AABB(this.#vector3(), this.#vector3()) : undefined
      case v.VariantType.basis:
        return this.#has(36) ? this.#basis() : undefined
      case v.VariantType.transform:
        return this.#has(48) ? new v.Transform(this.#basis(), this.#vector3()) : undefined
      case v.VariantType.color:
        return this.#has(16) ? new v.Color(this.#f32(), this.#f32(), this.#f32(), this.#f32()) : undefined
      case v.VariantType.nodePath:
        return this.#nodePath()
      case v.VariantType.rid:
        return new v.RID()
      case v.VariantType.object:
        return this.#object(wide)
      case v.VariantType.dictionary:
        return this.#dictionary()
      case v.VariantType.array:
        return this.#array()
      case v.VariantType.poolByteArray:
        return this.#byteArray()
      case v.VariantType.poolIntArray:
        return this.#pool(4, (count) => this.#ints(count))
      case v.VariantType.poolRealArray:
        return this.#pool(4, (count) => this.#floats(count))
      case v.VariantType.poolStringArray:
        return this.#stringArray()
      case v.VariantType.poolVector2Array:
        return this.#pool(8, (count) => new pool.PoolVector2Array(this.#floats(count * 2)))
      case v.VariantType.poolVector3Array:
        return this.#pool(12, (count) => new pool.PoolVector3Array(this.#floats(count * 3)))
      case v.VariantType.poolColorArray:
        return this.#pool(16, (count) => new pool.PoolColorArray(this.#floats(count * 4)))
      default:
        return this.#fail('unknown-type')
    }
  }

  #fail(reason: VariantFailure): undefined {
    this.failure ??= reason
    return undefined
  }

  /** Whether `count` bytes are left; notes the failure when not. */
  #has(count: number): boolean {
    if (this.failure === null && this.#bytes.length - this.at < count) this.failure = 'truncated'
    return this.failure === null
  }

  /** Takes `count` values from the budget. */
  #count(count: number): boolean {
    this.#values += count
    if (this.failure === null && this.#values > this.#limits.maxValues) this.failure = 'too-many-values'
    return this.failure === null
  }

  // The readers of numbers do not check: whoever calls them has asked `#has` for all of a body at once.

  #u32(): number {
    const value = this.#view.getUint32(this.at, true)
    this.at += 4
    return value
  }

  #f32(): number {
    const value = this.#view.getFloat32(this.at, true)
    this.at += 4
    return value
  }

  #vector2(): v.Vector2 {
    return new v.Vector2(this.#f32(), this.#f32())
  }

  #vector3(): v.Vector3 {
    return new v.Vector3(this.#f32(), this.#f32(), this.#f32())
  }

  #basis(): v.Basis {
    const x = new v.Vector3()
    const y = new v.Vector3()
    const z = new v.Vector3()
    for (const axis of ['x', 'y', 'z'] as const) {
      x[axis] = this.#f32()
      y[axis] = this.#f32()
      z[axis] = this.#f32()
    }
    return new v.Basis(x, y, z)
  }

  #int(wide: boolean): number | bigint | undefined {
    if (!this.#has(wide ? 8 : 4)) return undefined
    if (!wide) return this.#u32() | 0
    const value = this.#view.getBigInt64(this.at, true)
    this.at += 8
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value
  }

  #real(wide: boolean): number | v.Float | undefined {
    if (!this.#has(wide ? 8 : 4)) return undefined
    const value = wide ? this.#view.getFloat64(this.at, true) : this.#view.getFloat32(this.at, true)
    this.at += wide ? 8 : 4
    return this.#keepFloats && Number.isSafeInteger(value) && !Object.is(value, -0) ? new v.Float(value) : value
  }

  /** Length, UTF-8, padding of any content, all of which must be there. */
  #string(): string | undefined {
    if (!this.#has(4)) return undefined
    const size = this.#u32()
    // The engine reads the length as signed; either way such a length is longer than any packet.
    const padded = size + (-size & 3)
    if (!this.#has(padded)) return undefined
    const text = decodeUtf8(this.#bytes, this.at, this.at + size)
    if (text === null) return this.#fail('bad-text')
    this.at += padded
    return text
  }

  #strings(count: number): string[] | undefined {
    // Each takes at least its four bytes of length.
    if (!this.#has(count * 4) || !this.#count(count)) return undefined
    const items: string[] = []
    for (let i = 0; i < count; i++) {
      const item = this.#string()
      if (item === undefined) return undefined
      items.push(item)
    }
    return items
  }

  #nodePath(): v.NodePath | undefined {
    if (!this.#has(4)) return undefined
    const head = this.#u32()
    if (head < 0x80000000) return this.#fail('old-node-path')
    if (!this.#has(8)) return undefined
    const nameCount = head & 0x7fffffff
    const subnameCount = this.#u32()
    const flags = this.#u32()
    // Flag 2: an older writer kept the property apart; it follows as one more subname.
    const all = this.#strings(nameCount + subnameCount + ((flags & 2) >> 1))
    if (all === undefined) return undefined
    return new v.NodePath(all.slice(0, nameCount), all.slice(nameCount), (flags & 1) !== 0)
  }

  #object(wide: boolean): v.ObjectId | null | undefined {
    if (!wide) return this.#fail('whole-object')
    if (!this.#has(8)) return undefined
    const id = this.#view.getBigUint64(this.at, true)
    this.at += 8
    return id === 0n ? null : new v.ObjectId(id)
  }

  /** The count of an Array or Dictionary: bit 31 once meant "shared" and means nothing now. */
  #elementCount(bytesEach: number): number | undefined {
    if (!this.#has(4)) return undefined
    const count = this.#u32() & 0x7fffffff
    if (!this.#has(count * bytesEach)) return undefined
    return this.#depth < this.#limits.maxDepth ? count : this.#fail('too-deep')
  }

  #array(): Variant[] | undefined {
    const count = this.#elementCount(4)
    if (count === undefined) return undefined
    const items: Variant[] = []
    this.#depth++
    for (let i = 0; i < count; i++) {
      const item = this.read()
      if (item === undefined) return undefined
      items.push(item)
    }
    this.#depth--
    return items
  }

  #dictionary(): Variant | undefined {
    const count = this.#elementCount(8)
    if (count === undefined) return undefined
    const map = new Map<Variant, Variant>()
    // Keys that are objects here are values in Godot: the same bytes are the same key.
    const composite = new Map<string, Variant>()
    let plain = !this.#maps
    this.#depth++
    for (let i = 0; i < count; i++) {
      const start = this.at
      let key = this.read()
      if (key === undefined) return undefined
      if (typeof key === 'object' && key !== null) {
        const spelling = Buffer.from(
          this.#bytes.buffer,
          this.#bytes.byteOffset + start,
          Math.min(this.at, this.#bytes.length) - start,
        ).toString('latin1')
        const known = composite.get(spelling)
        if (known === undefined) composite.set(spelling, key)
        else key = known
      }
      const value = this.read()
      if (value === undefined) return undefined
      // An own property of that name would turn into a prototype wherever it is copied.
      if (typeof key !== 'string' || key === '__proto__') plain = false
      map.set(key, value)
    }
    this.#depth--
    return plain ? (Object.fromEntries(map) as Record<string, Variant>) : map
  }

  #byteArray(): Uint8Array | undefined {
    if (!this.#has(4)) return undefined
    const count = this.#u32()
    // The one body whose final padding may be missing, at the end of the packet.
    if (!this.#has(count)) return undefined
    // A copy: the slice of a Buffer would be a view that pins the packet.
    const value = new Uint8Array(this.#bytes.subarray(this.at, this.at + count))
    this.at += count + (-count & 3)
    return value
  }

  #stringArray(): pool.PoolStringArray | undefined {
    if (!this.#has(4)) return undefined
    const items = this.#strings(this.#u32())
    return items && new pool.PoolStringArray(items)
  }

  #pool<T>(bytesEach: number, make: (count: number) => T): T | undefined {
    if (!this.#has(4)) return undefined
    const count = this.#u32()
    return this.#has(count * bytesEach) ? make(count) : undefined
  }

  #ints(count: number): Int32Array {
    const values = new Int32Array(count)
    for (let i = 0; i < count; i++) values[i] = this.#view.getInt32(this.at + 4 * i, true)
    this.at += 4 * count
    return values
  }

  #floats(count: number): Float32Array {
    const values = new Float32Array(count)
    for (let i = 0; i < count; i++) values[i] = this.#view.getFloat32(this.at + 4 * i, true)
    this.at += 4 * count
    return values
  }
}
