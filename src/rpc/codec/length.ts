// How lengths and counts are written: as few bits as tell them apart if those are at most eight, else a varint. SPEC §15.2.

import type { BitReader, BitWriter } from './bits.ts'
import { bitsFor } from './packed.ts'

const FIXED_BITS_MAX = 8

/** A number of bytes or elements, from `min` to `max`. */
export class Length {
  readonly minBits: number
  readonly min: number
  readonly max: number
  readonly isFixed: boolean

  constructor(min: number, max: number) {
    const bits = bitsFor(max - min + 1)
    this.min = min
    this.max = max
    this.isFixed = bits <= FIXED_BITS_MAX
    this.minBits = this.isFixed ? bits : 8
  }

  write(writer: BitWriter, length: number): void {
    if (this.isFixed) writer.bits(length - this.min, this.minBits)
    else writer.varint(length - this.min)
  }

  /** @returns min to max; 0 after a failure, whatever min is */
  read(reader: BitReader): number {
    const length = this.min + (this.isFixed ? reader.bits(this.minBits) : reader.varint())
    if (length > this.max) reader.fail('range')
    return reader.failure === null ? length : 0
  }
}
