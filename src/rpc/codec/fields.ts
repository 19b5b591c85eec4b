// The fields of a record or tuple, one after the other, as one function that writes them and one that reads them. Packed neighbours
// share a step of the stream; each field has a place of its own in the source (sites.ts).

import type { BitReader, BitWriter } from './bits.ts'
import { Packed } from './packed.ts'
import { readField, writeField } from './sites.ts'
import type { Coder, ReadFields, WriteFields } from './sites.ts'
import type { Type } from './type.ts'

/** What became of the fields. */
export interface Compiled {
  readonly write: WriteFields
  readonly read: ReadFields
}

/** @param keys names, or numbers for the places of a tuple @param types as many */
export const compileFields = (keys: readonly (string | number)[], types: readonly Type<unknown>[]): Compiled => {
  const plan = planOf(keys, types)
  let write: WriteFields = () => {}
  let read: ReadFields = () => {}
  // From the last field to the first: each needs to know the next.
  for (let i = plan.length - 1; i >= 0; i--) {
    const { key, coder, shift, mask, begins, ends } = plan[i]!
    if (ends > 0) write = flush(write, ends)
    write = writeField()(key, coder, write, i, shift)
    read = readField()(key, coder, read, shift, mask)
    if (begins > 0) read = fetch(read, begins)
  }
  return { write, read }
}

/** What is to be done for one field. */
interface Step {
  readonly key: string | number
  readonly coder: Coder
  /** Where its bits are in those of its group; both 0 for a field that handles the stream itself. */
  readonly shift: number
  readonly mask: number
  /** The bits of the whole group, if this is the first of its fields: they are read here. */
  begins: number
  /** The bits of the whole group, if this is the last of its fields: they are written here. */
  ends: number
}

/** So many bits can be read in one step wherever they begin. */
const GROUP_BITS_MAX = 25

const planOf = (keys: readonly (string | number)[], types: readonly Type<unknown>[]): Step[] => {
  const plan: Step[] = []
  let groupBits = 0
  let first: Step | null = null
  const close = (): void => {
    if (first !== null) first.begins = plan.at(-1)!.ends = groupBits
    first = null
    groupBits = 0
  }
  for (const [i, key] of keys.entries()) {
    const type = types[i]!
    const isMember = type instanceof Packed && type.minBits <= GROUP_BITS_MAX
    if (!isMember || groupBits + type.minBits > GROUP_BITS_MAX) close()
    const mask = isMember ? 2 ** type.minBits - 1 : 0
    plan.push({ key, coder: isMember ? type : new Direct(type), shift: groupBits, mask, begins: 0, ends: 0 })
    if (!isMember) continue
    first ??= plan.at(-1)!
    groupBits += type.minBits
  }
  close()
  return plan
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
