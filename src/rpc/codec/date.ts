// Moments, as JavaScript knows them. SPEC §15.6.

import { misfit } from './errors.ts'
import type { Type } from './type.ts'

/** The last millisecond that a Date holds, on either side of 1970. */
const MS_MAX = 8.64e15

/** Dates, to the millisecond, as a zigzag varint: 48 bits in our time. An invalid Date does not fit. */
export const date: Type<Date> = {
  minBits: 8,
  describe: () => 'date',
  write(writer, value) {
    const ms = value instanceof Date ? value.getTime() : NaN
    if (ms !== ms) misfit(value, 'date', 'holds valid Dates')
    writer.zigzag(ms)
  },
  read(reader) {
    const ms = reader.zigzag()
    if (Math.abs(ms) > MS_MAX) reader.fail('range')
    return new Date(ms)
  },
}
