// The fields of a record or tuple, one after the other, as one function that writes them and one that reads them. Packed neighbours
// share a step of the stream; each field has a place of its own in the source (sites.ts).

import type { BitReader, BitWriter } from './bits.ts'
import { Packed } from './packed.ts'
import { readField, writeField } from './sites.ts'
import type { Coder, ReadFields, WriteFields } from './sites.ts'
import type { Type } from './type.ts'

/** So many bits can be read in one step wherever they begin. */
const GROUP_BITS_MAX = 25

/** @param keys names, or numbers for the places of a tuple @param types as many */
export const compileFields = (keys: readonly (string | number)[], types: readonly Type<unknown>[]): Compiled => {
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
  return { write, read, minBits: types.reduce((sum, type) => sum + type.minBits, 0) }
}

/** What became of the fields. */
export interface Compiled {
  readonly write: WriteFields
  readonly read: ReadFields
  readonly minBits: number
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
