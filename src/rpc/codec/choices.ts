// One of several: flags, words, constants, values that may be missing, tagged unions. SPEC §15.6.

import { VaivenError } from '../../util/errors.ts'
import type { BitReader, BitWriter } from './bits.ts'
import { misfit } from './errors.ts'
import { Packed, bitsFor } from './packed.ts'
import { RecordOf } from './records.ts'
import type { Flatten, InferShape, OptionalType, Shape, Type } from './type.ts'

class Bool extends Packed<boolean> {
  readonly minBits = 1

  describe(): string {
    return 'bool'
  }

  pack(value: boolean): number {
    return value === true ? 1 : value === false ? 0 : misfit(value, 'bool', 'is true or false')
  }

  unpack(bits: number): boolean {
    return bits === 1
  }
}

/** true or false, in one bit. */
export const bool: Type<boolean> = new Bool()

const checkWords = (what: string, words: readonly string[]): void => {
  if (words.length === 0) throw new VaivenError('ERR_ARGUMENT', `${what} needs at least one word`)
  if (new Set(words).size < words.length) throw new VaivenError('ERR_ARGUMENT', `${what} has a word twice: ${words.join(', ')}`)
}

/** Up to here looking at one word after the other is faster than a hash table. */
const FEW_WORDS = 8

class Enum extends Packed<string> {
  readonly minBits: number
  readonly #words: readonly string[]
  readonly #numbers: ReadonlyMap<string, number>

  constructor(words: readonly string[]) {
    super()
    this.#words = words
    this.#numbers = new Map(words.map((word, i) => [word, i]))
    this.minBits = bitsFor(words.length)
  }

  describe(): string {
    return this.#words.map((word) => JSON.stringify(word)).join(' | ')
  }

  pack(value: string): number {
    const words = this.#words
    if (words.length <= FEW_WORDS) {
      for (let i = 0; i < words.length; i++) if (words[i] === value) return i
    } else {
      const number = this.#numbers.get(value)
      if (number !== undefined) return number
    }
    return misfit(value, this.describe(), 'are the words there are')
  }

  unpack(bits: number, reader: BitReader): string {
    const words = this.#words
    if (bits < words.length) return words[bits]!
    reader.fail('range')
    return ''
  }
}

/**
 * One of these words, in as few bits as tell them apart; a word's number is its place in the list.
 * @throws VaivenError `ERR_ARGUMENT` without words, or with a word twice
 */
export const enumeration = <const W extends readonly string[]>(...words: W): Type<W[number]> => {
  checkWords('an enum', words)
  return new Enum(words) as unknown as Type<W[number]>
}

class Literal<L> extends Packed<L> {
  readonly minBits = 0
  readonly #value: L

  constructor(value: L) {
    super()
    this.#value = value
  }

  describe(): string {
    return JSON.stringify(this.#value)
  }

  pack(value: L): number {
    return value === this.#value ? 0 : misfit(value, this.describe(), 'is the only value')
  }

  unpack(): L {
    return this.#value
  }
}

/** Always the same value, in no bits at all. */
export const literal = <const L extends string | number | boolean | null>(value: L): Type<L> => {
  // Neither can be written in a signature so that it could be told from another.
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) {
    throw new VaivenError('ERR_ARGUMENT', `a literal cannot be ${Object.is(value, -0) ? '-0' : value}`)
  }
  return new Literal(value)
}

class Optional<T> implements OptionalType<T> {
  readonly minBits = 1
  readonly optional = true
  readonly inner: Type<T>

  constructor(inner: Type<T>) {
    this.inner = inner
  }

  describe(): string {
    return `optional(${this.inner.describe()})`
  }

  write(writer: BitWriter, value: T | undefined): void {
    if (value === undefined) {
      writer.bits(0, 1)
      return
    }
    writer.bits(1, 1)
    this.inner.write(writer, value)
  }

  read(reader: BitReader): T | undefined {
    if (reader.bits(1) === 0) return undefined
    const value = this.inner.read(reader)
    // There is a shorter way to say so.
    if (value === undefined) reader.fail('canonical')
    return value
  }
}

/** The value, or `undefined`; one bit more. As a field of a record, the key may be absent, and is when there was no value. */
export const optional = <T>(inner: Type<T>): OptionalType<T> => new Optional(inner)

class Nullable<T> implements Type<T | null> {
  readonly minBits = 1
  readonly #inner: Type<T>

  constructor(inner: Type<T>) {
    this.#inner = inner
  }

  describe(): string {
    return `nullable(${this.#inner.describe()})`
  }

  write(writer: BitWriter, value: T | null): void {
    if (value === null) {
      writer.bits(0, 1)
      return
    }
    writer.bits(1, 1)
    this.#inner.write(writer, value)
  }

  read(reader: BitReader): T | null {
    if (reader.bits(1) === 0) return null
    const value = this.#inner.read(reader)
    if (value === null) reader.fail('canonical')
    return value
  }
}

/** The value, or `null`; one bit more. */
export const nullable = <T>(inner: Type<T>): Type<T | null> => new Nullable(inner)

/** The variants of a tagged union: the fields that an object has, besides the tag, for each value of the tag. */
export type Variants = { readonly [tag: string]: Shape }

/** The union of object types that belongs to them. */
export type InferUnion<Tag extends string, U extends Variants> = {
  [V in keyof U & string]: Flatten<{ [K in Tag]: V } & InferShape<U[V]>>
}[keyof U & string]

class UnionOf implements Type<Record<string, unknown>> {
  readonly minBits: number
  readonly #tag: string
  readonly #numbers: ReadonlyMap<unknown, number>
  readonly #records: readonly RecordOf[]
  readonly #text: string
  readonly #tagBits: number

  constructor(tag: string, variants: Variants) {
    const words = Object.keys(variants)
    this.#tag = tag
    this.#numbers = new Map(words.map((word, i) => [word, i]))
    this.#tagBits = bitsFor(words.length)
    this.#records = words.map((word) => {
      if (Object.hasOwn(variants[word]!, tag)) throw new VaivenError('ERR_ARGUMENT', `variant "${word}" has a field "${tag}" like the tag`)
      return new RecordOf({ [tag]: literal(word), ...variants[word] })
    })
    this.#text = `union(${this.#records.map((record) => record.describe()).join(' | ')})`
    this.minBits = this.#tagBits + Math.min(...this.#records.map((record) => record.minBits))
  }

  describe(): string {
    return this.#text
  }

  write(writer: BitWriter, value: Record<string, unknown>): void {
    if (typeof value !== 'object' || value === null) misfit(value, this.#text, 'is an object')
    const number = this.#numbers.get(value[this.#tag])
    if (number === undefined) return misfit(value[this.#tag], `"${this.#tag}"`, `is one of ${[...this.#numbers.keys()].join(', ')}`)
    writer.bits(number, this.#tagBits)
    this.#records[number]!.write(writer, value)
  }

  read(reader: BitReader): Record<string, unknown> {
    const record = this.#records[reader.bits(this.#tagBits)]
    if (record !== undefined) return record.read(reader)
    reader.fail('range')
    return {}
  }
}

/**
 * Objects of several kinds, told apart by the word in one field:
 * `union('kind', { move: { x: t.f32, y: t.f32 }, stop: {} })` has `{ kind: 'move', x: 1, y: 2 }` and `{ kind: 'stop' }`.
 * @throws VaivenError `ERR_ARGUMENT` without variants, or if a variant has a field with the tag's name
 */
export const union = <const Tag extends string, const U extends Variants>(tag: Tag, variants: U): Type<InferUnion<Tag, U>> => {
  checkWords('a union', Object.keys(variants))
  return new UnionOf(tag, variants) as unknown as Type<InferUnion<Tag, U>>
}
