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
 * @throws VaivenError `ERR_ARGUMENT` for keys that all objects inherit (`constructor`, `toString`, …: an absent field would have a value)
 *   and for numbers (`0`: JavaScript moves them to the front, whatever the order in the source)
 */
export const record = <const S extends Shape>(shape: S): Type<InferShape<S>> => new RecordOf(shape) as unknown as Type<InferShape<S>>

const writeField = dispenser(writeFieldSites)
const readField = dispenser(readFieldSites)
const readRecord = dispenser(readRecordSites)

/** So many bits can be read in one step wherever they begin. */
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
    for (const key of keys) checkKey(key)
    // From the last field to the first: each needs to know the next.
    let write: WriteFields = () => {}
    let read: ReadFields = () => {}
    for (const { first, members, bits } of groupsOf(types).reverse()) {
      if (bits > 0) write = flush(write, bits)
      let shift = bits
      for (let i = first + members.length - 1; i >= first; i--) {
        const coder = members[i - first]!
        const width = bits > 0 ? types[i]!.minBits : 0
        shift -= width
        write = writeField()(keys[i]!, coder, write, i, shift)
        read = readField()(keys[i]!, coder, read, shift, 2 ** width - 1)
      }
      if (bits > 0) read = fetch(read, bits)
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
      this.#writeFields(writer, value, 0)
    } catch (error) {
      const step = this.#keys[writer.at]!
      writer.at = outer
      throw within(step, error)
    }
  }
}

const checkKey = (key: string): void => {
  if (isForbiddenKey(key) || key in Object.prototype) throw new VaivenError('ERR_ARGUMENT', `a record cannot have the key "${key}": all objects have it`)
  if (/^(0|[1-9]\d*)$/.test(key)) throw new VaivenError('ERR_ARGUMENT', `a record cannot have the key "${key}": JavaScript would move it to the front`)
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

/** Neighbours whose bits go through the stream in one step (`bits` of them), or a field that handles the stream itself (0). */
interface Group {
  first: number
  members: Coder[]
  bits: number
}

const groupsOf = (types: readonly Type<unknown>[]): Group[] => {
  const groups: Group[] = []
  let open: Group | null = null
  for (const [i, type] of types.entries()) {
    if (type instanceof Packed && type.minBits <= GROUP_BITS_MAX) {
      if (open === null || open.bits + type.minBits > GROUP_BITS_MAX) groups.push((open = { first: i, members: [], bits: 0 }))
      open.members.push(type)
      open.bits += type.minBits
    } else {
      groups.push({ first: i, members: [new Direct(type)], bits: 0 })
      open = null
    }
  }
  return groups
}

/** After the last field of a group: its bits go out. */
const flush = (next: WriteFields, bits: number): WriteFields => (writer, value, group) => {
  writer.bits(group, bits)
  next(writer, value, 0)
}

/** Before the first field of a group: its bits come in. */
const fetch = (next: ReadFields, bits: number): ReadFields => (reader, into) => next(reader, into, reader.bits(bits))

/** A field that handles the stream itself. */
class Direct implements Coder {
  readonly type: Type<unknown>

  constructor(type: Type<unknown>) {
    this.type = type
  }

  pack(value: unknown, writer: BitWriter): number {
    this.type.write(writer, value)
    return 0
  }

  unpack(_bits: number, reader: BitReader): unknown {
    return this.type.read(reader)
  }
}
