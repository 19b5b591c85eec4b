// Arrays, tuples and maps. A declared count is never believed before the bits for it are there. SPEC §15.5.

import { outOfRange } from '../../util/errors.ts'
import type { BitReader, BitWriter } from './bits.ts'
import { misfit, within } from './errors.ts'
import { compileFields } from './fields.ts'
import { Length } from './length.ts'
import { ARRAY_COUNT_MAX, MAP_COUNT_MAX, isForbiddenKey } from './limits.ts'
import { readList, readRecord, writeList } from './sites.ts'
import type { WriteFields } from './sites.ts'
import type { InferTuple, Type } from './type.ts'

/** The most elements that an array can be declared to have: no more fit into a message. */
const COUNT_MAX = 2 ** 25

/** How many elements an array may have. */
export interface CountOptions {
  /** @default 0 */
  readonly min?: number
  /** @default 65535 */
  readonly max?: number
  /** Exactly so many; the count is then not written. */
  readonly length?: number
}

const checked = (name: string, count: number, min: number, max: number): number => {
  if (Number.isInteger(count) && count >= min && count <= max) return count
  throw outOfRange(name, count, `an integer from ${min} to ${max}`, 'ERR_ARGUMENT')
}

/**
 * Arrays of any number of values of one type.
 * @throws VaivenError `ERR_ARGUMENT` for bounds outside 0 to 2^25 or out of order
 */
export const array = <T>(element: Type<T>, options: CountOptions = {}): Type<T[]> => {
  const min = checked('array min', options.length ?? options.min ?? 0, 0, COUNT_MAX)
  const max = checked('array max', options.length ?? options.max ?? Math.max(min, ARRAY_COUNT_MAX), min, COUNT_MAX)
  return new ArrayOf(element, new Length(min, max))
}

class ArrayOf<T> implements Type<T[]> {
  readonly minBits: number
  readonly #element: Type<T>
  readonly #lengths: Length
  readonly #text: string
  readonly #writeElements: (writer: BitWriter, list: readonly T[]) => void
  readonly #readElements: (reader: BitReader, count: number) => T[]

  constructor(element: Type<T>, lengths: Length) {
    const { min, max } = lengths
    this.#element = element
    this.#lengths = lengths
    this.#text = `array(${[element.describe(), ...boundsOf(min, max)].join(', ')})`
    this.#writeElements = writeList()(element as Type<any>)
    this.#readElements = readList()(element) as (reader: BitReader, count: number) => T[]
    this.minBits = lengths.minBits + min * element.minBits
  }

  describe(): string {
    return this.#text
  }

  write(writer: BitWriter, value: T[]): void {
    const { min, max } = this.#lengths
    if (!Array.isArray(value)) misfit(value, this.#text, 'is an array')
    if (value.length < min || value.length > max) misfit(value, this.#text, `holds ${min === max ? min : `${min} to ${max}`} elements`)
    if (this.#element.minBits === 0) writer.charge(value.length)
    this.#lengths.write(writer, value.length)
    const outer = writer.at
    try {
      this.#writeElements(writer, value)
    } catch (error) {
      const index = writer.at
      writer.at = outer
      throw within(index, error)
    }
  }

  read(reader: BitReader): T[] {
    const count = this.#lengths.read(reader)
    return reader.affords(count, this.#element.minBits) ? this.#readElements(reader, count) : []
  }
}

const boundsOf = (min: number, max: number): string[] => {
  if (min === max) return [`length ${min}`]
  return [...(min > 0 ? [`min ${min}`] : []), ...(max === ARRAY_COUNT_MAX ? [] : [`max ${max}`])]
}

/** Arrays of a fixed length with a type for each place; nothing but the values is written. */
export const tuple = <const A extends readonly Type<any>[]>(...types: A): Type<InferTuple<A>> =>
  new TupleOf(types) as unknown as Type<InferTuple<A>>

class TupleOf implements Type<unknown[]> {
  readonly minBits: number
  readonly read: (reader: BitReader) => unknown[]
  readonly #text: string
  readonly #length: number
  readonly #writeParts: WriteFields

  constructor(types: readonly Type<unknown>[]) {
    const { write, read } = compileFields([...types.keys()], types)
    this.minBits = types.reduce((sum, type) => sum + type.minBits, 0)
    this.read = readRecord()(arraysOf(types.length), read) as unknown as (reader: BitReader) => unknown[]
    this.#text = `[${types.map((type) => type.describe()).join(', ')}]`
    this.#length = types.length
    this.#writeParts = write
  }

  describe(): string {
    return this.#text
  }

  write(writer: BitWriter, value: unknown[]): void {
    if (!Array.isArray(value) || value.length !== this.#length) misfit(value, this.#text, `is an array of ${this.#length}`)
    const outer = writer.at
    try {
      this.#writeParts(writer, value as unknown as Record<string, unknown>, 0)
    } catch (error) {
      const index = writer.at
      writer.at = outer
      throw within(index, error)
    }
  }
}

/** A constructor of arrays of `undefined`: a part that is not there must not leave a hole. */
const arraysOf = (length: number): (new () => Record<string, unknown>) => {
  const blank: unknown[] = new Array(length).fill(undefined)
  return function () { return blank.slice() } as unknown as new () => Record<string, unknown>
}

/** How many entries a map may have. */
export interface MapOptions {
  /** @default 1024, which is also the most */
  readonly max?: number
}

/**
 * Maps, in the order of their entries: a key, its value, the next key. Keys are strings, numbers or bigints.
 * `__proto__`, `constructor` and `prototype` are no keys, so that whoever makes an object of the map is safe.
 * @throws VaivenError `ERR_ARGUMENT` for a bound outside 0 to 1024
 */
export const map = <K extends string | number | bigint | boolean, V>(
  key: Type<K>, value: Type<V>, options: MapOptions = {}
): Type<Map<K, V>> =>
  new MapOf(key, value, checked('map max', options.max ?? MAP_COUNT_MAX, 0, MAP_COUNT_MAX))

class MapOf<K, V> implements Type<Map<K, V>> {
  readonly minBits: number
  readonly #key: Type<K>
  readonly #value: Type<V>
  readonly #lengths: Length
  readonly #text: string

  constructor(key: Type<K>, value: Type<V>, max: number) {
    this.#key = key
    this.#value = value
    this.#lengths = new Length(0, max)
    this.#text = `map(${key.describe()}, ${value.describe()}${max === MAP_COUNT_MAX ? '' : `, max ${max}`})`
    this.minBits = this.#lengths.minBits
  }

  describe(): string {
    return this.#text
  }

  write(writer: BitWriter, value: Map<K, V>): void {
    if (!(value instanceof Map)) misfit(value, this.#text, 'is a Map')
    if (value.size > this.#lengths.max) misfit(value, this.#text, `holds ${this.#lengths.max} entries, and this has ${value.size}`)
    if (this.#key.minBits + this.#value.minBits === 0) writer.charge(value.size)
    this.#lengths.write(writer, value.size)
    for (const [key, item] of value) {
      try {
        if (typeof key === 'string' && isForbiddenKey(key)) misfit(key, 'a key', 'is none of the names that lead to a prototype')
        this.#key.write(writer, key)
        this.#value.write(writer, item)
      } catch (error) {
        throw within(`${String(key)}`, error)
      }
    }
  }

  read(reader: BitReader): Map<K, V> {
    const entries = new Map<K, V>()
    const count = this.#lengths.read(reader)
    if (!reader.affords(count, this.#key.minBits + this.#value.minBits)) return entries
    for (let i = 0; i < count && reader.failure === null; i++) {
      const key = this.#key.read(reader)
      if (entries.has(key) || (typeof key === 'string' && isForbiddenKey(key))) reader.fail('key')
      else entries.set(key, this.#value.read(reader))
    }
    return entries
  }
}
