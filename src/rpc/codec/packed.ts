// Types whose values are a few bits, always as many. A record puts neighbours of this kind together before it touches the stream.

import type { BitReader, BitWriter } from './bits.ts'
import type { Type } from './type.ts'

/** A value as an integer of `minBits` bits, 0 to 32. */
export abstract class Packed<T> implements Type<T> {
  abstract readonly minBits: number
  abstract describe(): string

  /** The value's bits, 0 to 2^minBits − 1. @throws VaivenError `ERR_ENCODE` if it does not fit */
  abstract pack(value: T): number

  /** The value of these bits; tells the reader if there is none. */
  abstract unpack(bits: number, reader: BitReader): T

  write(writer: BitWriter, value: T): void {
    writer.bits(this.pack(value), this.minBits)
  }

  read(reader: BitReader): T {
    return this.unpack(reader.bits(this.minBits), reader)
  }
}

/** Bits that tell `count` things apart; count 1 to 2^53. */
export const bitsFor = (count: number): number => {
  let bits = 0
  for (let reach = 1; reach < count; reach *= 2) bits++
  return bits
}
