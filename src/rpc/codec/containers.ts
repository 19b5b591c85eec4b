// Types made of types: records, tuples, arrays, optional and nullable values. SPEC §15.5.

import { VaivenError, outOfRange } from '../../util/errors.ts'
import type { BitReader, BitWriter } from './bits.ts'
import { misfit, within } from './errors.ts'
import { ARRAY_COUNT_MAX, isForbiddenKey } from './limits.ts'
import { Length } from './text.ts'
import type { Infer, InferShape, InferTuple, OptionalType, Shape, Type } from './type.ts'

const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]*$/
const keyText = (key: string): string => (IDENTIFIER.test(key) ? key : JSON.stringify(key))
const isOptional = (type: Type<unknown>): boolean => (type as Partial<OptionalType<unknown>>).optional === true
const stepOf = (key: string): string => (IDENTIFIER.test(key) ? key : `[${JSON.stringify(key)}]`)

/**
 * Objects with these fields, in this order. Nothing but the values is written: no names, no lengths, no padding.
 * @throws VaivenError `ERR_ARGUMENT` for a key that reaches a prototype
 */
export const record = <const S extends Shape>(shape: S): Type<InferShape<S>> => {
  const keys = Object.keys(shape)
  const types = Object.values(shape)
  for (const key of keys) if (isForbiddenKey(key)) throw new VaivenError('ERR_ARGUMENT', `a record cannot have the key ${key}`)
  const text = keys.map((key, i) => `${keyText(key)}${isOptional(types[i]!) ? '?' : ''}: ${(isOptional(types[i]!) ? (types[i] as unknown as { inner: Type<unknown> }).inner : types[i]!).describe()}`)
  return {
    minBits: types.reduce((sum, type) => sum + type.minBits, 0),
    describe: () => (text.length === 0 ? '{}' : `{ ${text.join(', ')} }`),
    write(writer, value) {
      if (typeof value !== 'object' || value === null) misfit(value, 'a record', 'is an object')
      let i = 0
      try {
        for (; i < keys.length; i++) types[i]!.write(writer, (value as Record<string, unknown>)[keys[i]!])
      } catch (error) {
        throw within(stepOf(keys[i]!), error)
      }
    },
    read(reader) {
      const result: Record<string, unknown> = {}
      for (let i = 0; i < keys.length; i++) {
        const field = types[i]!.read(reader)
        if (field !== undefined) result[keys[i]!] = field
      }
      return result as InferShape<S>
    },
  }
}

/** Arrays of a fixed length with a type for each place. */
export const tuple = <const A extends readonly Type<any>[]>(...types: A): Type<InferTuple<A>> => ({
  minBits: types.reduce((sum, type) => sum + type.minBits, 0),
  describe: () => `[${types.map((type) => type.describe()).join(', ')}]`,
  write(writer, value) {
    if (!Array.isArray(value) || value.length !== types.length) misfit(value, 'a tuple', `is an array of ${types.length}`)
    let i = 0
    try {
      for (; i < types.length; i++) types[i]!.write(writer, (value as readonly unknown[])[i])
    } catch (error) {
      throw within(i, error)
    }
  },
  read: (reader) => types.map((type) => type.read(reader)) as InferTuple<A>,
})

/** How many elements an array may have: `length` for a fixed number, which then is not written. */
export interface CountOptions {
  /** @default 0 */
  min?: number
  /** @default 65535 */
  max?: number
  length?: number
}

/** Arrays of any number of values of one type. */
export const array = <T>(element: Type<T>, options: CountOptions = {}): Type<T[]> => {
  const min = options.length ?? options.min ?? 0
  const max = options.length ?? options.max ?? ARRAY_COUNT_MAX
  if (!Number.isInteger(min) || min < 0) throw outOfRange('array min', min, 'an integer, at least 0', 'ERR_ARGUMENT')
  if (!Number.isInteger(max) || max < min) throw outOfRange('array max', max, `an integer, at least ${min}`, 'ERR_ARGUMENT')
  const count = new Length(min, max)
  const bound = min === max ? `${max}` : `${min === 0 ? '' : `min ${min}, `}${max === ARRAY_COUNT_MAX ? '' : `max ${max}`}`
  const text = `array(${element.describe()}${bound === '' ? '' : `, ${bound}`})`
  return {
    minBits: count.minBits + min * element.minBits,
    describe: () => text,
    write(writer, value) {
      if (!Array.isArray(value)) misfit(value, text, 'holds arrays')
      if (value.length < min || value.length > max) misfit(value, text, `holds ${min === max ? min : `${min} to ${max}`} elements`)
      count.write(writer, value.length)
      let i = 0
      try {
        for (; i < value.length; i++) element.write(writer, value[i]!)
      } catch (error) {
        throw within(i, error)
      }
    },
    read(reader) {
      const length = count.read(reader)
      if (!reader.affords(length, element.minBits)) return []
      const result: T[] = []
      for (let i = 0; i < length && reader.failure === null; i++) result.push(element.read(reader))
      return result
    },
  }
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
    writer.bits(value === undefined ? 0 : 1, 1)
    if (value !== undefined) this.inner.write(writer, value)
  }

  read(reader: BitReader): T | undefined {
    return reader.bits(1) === 0 ? undefined : this.inner.read(reader)
  }
}

/** The value, or `undefined`; one bit more. As a field of a record, the key may be absent. */
export const optional = <T>(inner: Type<T>): OptionalType<T> => new Optional(inner)

/** The value, or `null`; one bit more. */
export const nullable = <T>(inner: Type<T>): Type<T | null> => ({
  minBits: 1,
  describe: () => `nullable(${inner.describe()})`,
  write(writer, value) {
    writer.bits(value === null ? 0 : 1, 1)
    if (value !== null) inner.write(writer, value)
  },
  read: (reader) => (reader.bits(1) === 0 ? null : inner.read(reader)),
})

/** One of these words, in as few bits as tell them apart. */
export const enumeration = <const W extends readonly string[]>(...words: W): Type<W[number]> => {
  const count = new Length(0, Math.max(0, words.length - 1))
  const text = words.map((word) => JSON.stringify(word)).join(' | ')
  return {
    minBits: count.minBits,
    describe: () => text,
    write(writer, value) {
      const index = words.indexOf(value)
      if (index < 0) misfit(value, text, 'are the words it may be')
      count.write(writer, index)
    },
    read: (reader) => words[count.read(reader)] as Infer<Type<W[number]>>,
  }
}

/** true or false, in one bit. */
export const bool: Type<boolean> = {
  minBits: 1,
  describe: () => 'bool',
  write(writer, value) {
    if (typeof value !== 'boolean') misfit(value, 'bool', 'is true or false')
    writer.bits(value ? 1 : 0, 1)
  },
  read: (reader) => reader.bits(1) === 1,
}
