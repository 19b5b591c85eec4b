// Objects with known keys: nothing but the values is written, no names, no lengths, no padding. SPEC §15.5.

import { VaivenError } from '../../util/errors.ts'
import type { BitReader, BitWriter } from './bits.ts'
import { isIdentifier, misfit, within } from './errors.ts'
import { compileFields } from './fields.ts'
import { isForbiddenKey } from './limits.ts'
import { readRecord } from './sites.ts'
import type { WriteFields } from './sites.ts'
import type { InferShape, OptionalType, Shape, Type } from './type.ts'

type Fields = Record<string, unknown>

/**
 * Objects with these fields, in this order; a field of an optional type may be absent. Other keys of a value are not looked at.
 * Decoded ones are plain objects.
 * @throws VaivenError `ERR_ARGUMENT` for keys that all objects inherit (`constructor`, `toString`, …: an absent field would have a value)
 *   and for numbers (`0`: JavaScript moves them to the front, whatever the order in the source)
 */
export const record = <const S extends Shape>(shape: S): Type<InferShape<S>> => new RecordOf(shape) as unknown as Type<InferShape<S>>

export class RecordOf implements Type<Fields> {
  readonly minBits: number
  readonly read: (reader: BitReader) => Fields
  readonly #keys: readonly string[]
  readonly #text: string
  readonly #writeFields: WriteFields

  constructor(shape: Shape) {
    const keys = Object.keys(shape)
    const types: Type<unknown>[] = Object.values(shape)
    for (const key of keys) checkKey(key)
    const { write, read } = compileFields(keys, types)
    this.#keys = keys
    this.#text = textOf(keys, types)
    this.#writeFields = write
    this.read = readRecord()(emptyObjects(), read)
    this.minBits = types.reduce((sum, type) => sum + type.minBits, 0)
  }

  describe(): string {
    return this.#text
  }

  write(writer: BitWriter, value: Fields): void {
    if (typeof value !== 'object' || value === null) misfit(value, this.#text, 'is an object')
    const outer = writer.at
    try {
      this.#writeFields(writer, value, 0)
    } catch (error) {
      const step = this.#keys[writer.at]!
      writer.at = outer
      throw within(step, error)
    }
  }
}

const checkKey = (key: string): void => {
  const reason = isForbiddenKey(key) || key in Object.prototype
    ? 'all objects have it, or something else by that name'
    : /^(0|[1-9]\d*)$/.test(key) ? 'JavaScript would move it to the front' : null
  if (reason !== null) throw new VaivenError('ERR_ARGUMENT', `a record cannot have the key "${key}": ${reason}`)
}

const textOf = (keys: readonly string[], types: readonly Type<unknown>[]): string => {
  const fields = keys.map((key, i) => {
    const type = types[i]!
    const name = isIdentifier(key) ? key : JSON.stringify(key)
    return isOptional(type) ? `${name}?: ${type.inner.describe()}` : `${name}: ${type.describe()}`
  })
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`
}

const isOptional = (type: Type<unknown>): type is OptionalType<unknown> => (type as Partial<OptionalType<unknown>>).optional === true

/** A constructor of plain objects with room for many properties in the object itself; V8 takes back what stays unused. */
const emptyObjects = (): (new () => Fields) => {
  function Plain(this: Fields, never?: true): void {
    if (never) this['a'] = this['b'] = this['c'] = this['d'] = this['e'] = this['f'] = this['g'] = this['h'] = 0
  }
  Plain.prototype = Object.prototype
  return Plain as unknown as new () => Fields
}
