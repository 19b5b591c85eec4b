// Objects with known keys: nothing but the values is written, no names, no lengths, no padding. SPEC §15.5.

import { VaivenError } from '../../util/errors.ts'
import type { BitReader, BitWriter } from './bits.ts'
import { isIdentifier, misfit, within } from './errors.ts'
import { isForbiddenKey } from './limits.ts'
import { Packed } from './packed.ts'
import { dispenser, readFieldSites, readRecordSites, writeFieldSites } from './sites.ts'
import type { Coder, ReadFields, WriteFields } from './sites.ts'
import type { InferShape, OptionalType, Shape, Type } from './type.ts'

type Fields = Record<string, unknown>

/**
 * Objects with these fields, in this order; a field of an optional type may be absent. Other keys of a value are not looked at.
 * Decoded ones are plain objects.
 * @throws VaivenError `ERR_ARGUMENT` for the keys `__proto__`, `constructor` and `prototype`
 */
export const record = <const S extends Shape>(shape: S): Type<InferShape<S>> => new RecordOf(shape) as unknown as Type<InferShape<S>>

const writeField = dispenser(writeFieldSites)
const readField = dispenser(readFieldSites)
const readRecord = dispenser(readRecordSites)

/** Fields with fewer bits than this, together, go in and out in one step. */
const GROUP_BITS_MAX = 25

export class RecordOf implements Type<Fields> {
  readonly minBits: number
  readonly read: (reader: BitReader) => Fields
  readonly #keys: readonly string[]
  readonly #text: string
  readonly #writeFields: WriteFields

  constructor(shape: Shape) {
    const keys = Object.keys(shape)
    const types: Type<unknown>[] = Object.values(shape)
    const forbidden = keys.find(isForbiddenKey)
    if (forbidden !== undefined) throw new VaivenError('ERR_ARGUMENT', `a record cannot have the key "${forbidden}"`)
    const coders = group(types)
    // From the last field to the first: each needs to know the next.
    let write: WriteFields = () => {}
    let read: ReadFields = () => {}
    for (let i = keys.length - 1; i >= 0; i--) {
      write = writeField()(keys[i]!, coders[i]!, write, i)
      read = readField()(keys[i]!, coders[i]!, read)
    }
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
      this.#writeFields(writer, value)
    } catch (error) {
      const step = this.#keys[writer.at]!
      writer.at = outer
      throw within(step, error)
    }
  }
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

/** Puts a member of a group in the place of each field that has packed neighbours. */
const group = (types: readonly Type<unknown>[]): Coder[] => {
  const coders: Coder[] = []
  for (let first = 0; first < types.length; ) {
    const members: Packed<unknown>[] = []
    let bits = 0
    for (let type = types[first]; type instanceof Packed && bits + type.minBits <= GROUP_BITS_MAX; type = types[first + members.length]) {
      members.push(type)
      bits += type.minBits
    }
    if (members.length > 1) {
      let shift = 0
      for (const [i, member] of members.entries()) {
        coders.push(new Member(member, shift, bits, i === 0, i === members.length - 1))
        shift += member.minBits
      }
    } else coders.push(types[first]!)
    first += Math.max(1, members.length)
  }
  return coders
}

/** One of several packed fields in a row. The first one reads the bits of all, the last one writes them. */
class Member implements Coder {
  readonly type: Packed<unknown>
  readonly shift: number
  readonly mask: number
  readonly groupBits: number
  readonly isFirst: boolean
  readonly isLast: boolean

  constructor(type: Packed<unknown>, shift: number, groupBits: number, isFirst: boolean, isLast: boolean) {
    this.type = type
    this.shift = shift
    this.mask = 2 ** type.minBits - 1
    this.groupBits = groupBits
    this.isFirst = isFirst
    this.isLast = isLast
  }

  write(writer: BitWriter, value: unknown): void {
    const bits = this.type.pack(value) << this.shift
    const group = this.isFirst ? bits : writer.group | bits
    if (this.isLast) writer.bits(group, this.groupBits)
    else writer.group = group
  }

  read(reader: BitReader): unknown {
    if (this.isFirst) reader.group = reader.bits(this.groupBits)
    return this.type.unpack((reader.group >>> this.shift) & this.mask, reader)
  }
}
