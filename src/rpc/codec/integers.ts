// Whole numbers: sized, ranged, of variable length, and big ones. SPEC §15.3.

import { outOfRange } from '../../util/errors.ts'
import type { BitReader, BitWriter } from './bits.ts'
import { misfit } from './errors.ts'
import { BIGINT_BYTES_MAX } from './limits.ts'
import { Packed, bitsFor } from './packed.ts'
import type { Type } from './type.ts'

const SAFE_MAX = Number.MAX_SAFE_INTEGER

/** An integer of at most 32 bits, as its distance from the smallest one. */
class SmallInteger extends Packed<number> {
  readonly minBits: number
  readonly min: number
  readonly span: number
  readonly text: string

  constructor(text: string, min: number, max: number) {
    super()
    this.text = text
    this.min = min
    this.span = max - min
    this.minBits = bitsFor(this.span + 1)
  }

  describe(): string {
    return this.text
  }

  pack(value: number): number {
    if (typeof value === 'number') {
      const distance = value - this.min
      if (distance >= 0 && distance <= this.span && Math.floor(distance) === distance) return distance
    }
    return misfit(value, this.text, `holds ${this.min} to ${this.min + this.span}`)
  }

  unpack(bits: number, reader: BitReader): number {
    if (bits > this.span) reader.fail('range')
    return this.min + bits
  }
}

/** An integer of 33 to 54 bits: as above, the low 32 bits first. */
class LargeInteger implements Type<number> {
  readonly minBits: number
  readonly #min: number
  readonly #max: number
  readonly #text: string

  constructor(text: string, min: number, max: number) {
    this.#text = text
    this.#min = min
    this.#max = max
    this.minBits = (BigInt(max) - BigInt(min)).toString(2).length
  }

  describe(): string {
    return this.#text
  }

  write(writer: BitWriter, value: number): void {
    if (!Number.isSafeInteger(value) || value < this.#min || value > this.#max) {
      misfit(value, this.#text, `holds ${this.#min} to ${this.#max}`)
    }
    // The distance may need 54 bits, one more than a number holds.
    const distance = BigInt(value) - BigInt(this.#min)
    writer.bits(Number(distance & 0xffffffffn), 32)
    writer.bits(Number(distance >> 32n), this.minBits - 32)
  }

  read(reader: BitReader): number {
    const low = BigInt(reader.bits(32))
    const value = BigInt(this.#min) + ((BigInt(reader.bits(this.minBits - 32)) << 32n) | low)
    if (value > BigInt(this.#max)) reader.fail('range')
    return Number(value)
  }
}

const integer = (text: string, min: number, max: number): Type<number> =>
  max - min < 2 ** 32 ? new SmallInteger(text, min, max) : new LargeInteger(text, min, max)

/** An integer from 0 to 255; 8 bits. */
export const u8: Type<number> = integer('u8', 0, 0xff)
/** An integer from 0 to 65,535; 16 bits. */
export const u16: Type<number> = integer('u16', 0, 0xffff)
/** An integer from 0 to 4,294,967,295; 32 bits. */
export const u32: Type<number> = integer('u32', 0, 0xffffffff)
/** An integer from 0 to 2^53 − 1; 53 bits. */
export const u53: Type<number> = integer('u53', 0, SAFE_MAX)
/** An integer from −128 to 127; 8 bits. */
export const i8: Type<number> = integer('i8', -0x80, 0x7f)
/** An integer from −32,768 to 32,767; 16 bits. */
export const i16: Type<number> = integer('i16', -0x8000, 0x7fff)
/** An integer from −2^31 to 2^31 − 1; 32 bits. */
export const i32: Type<number> = integer('i32', -0x80000000, 0x7fffffff)
/** An integer from −(2^53 − 1) to 2^53 − 1; 54 bits. */
export const i53: Type<number> = integer('i53', -SAFE_MAX, SAFE_MAX)

/**
 * Integers from `min` to `max`, both included, in as few bits as tell them apart: `range(1, 6)` takes 3.
 * @throws VaivenError `ERR_ARGUMENT` if the bounds are not safe integers in order
 */
export const range = (min: number, max: number): Type<number> => {
  if (!Number.isSafeInteger(min)) throw outOfRange('range min', min, 'a safe integer', 'ERR_ARGUMENT')
  if (!Number.isSafeInteger(max) || max < min) throw outOfRange('range max', max, `a safe integer, at least ${min}`, 'ERR_ARGUMENT')
  return integer(`range(${min}, ${max})`, min, max)
}

/** Integers from 0 to 2^53 − 1; small ones are short: 8 bits below 128, 16 below 16,384, and so on. */
export const varint: Type<number> = {
  minBits: 8,
  describe: () => 'varint',
  write(writer, value) {
    if (!Number.isSafeInteger(value) || value < 0) misfit(value, 'varint', 'holds 0 to 2^53 - 1')
    writer.varint(value)
  },
  read: (reader) => reader.varint(),
}

/** Integers from −(2^53 − 1) to 2^53 − 1; those near 0 are short: 8 bits from −64 to 63. */
export const zigzag: Type<number> = {
  minBits: 8,
  describe: () => 'zigzag',
  write(writer, value) {
    if (!Number.isSafeInteger(value)) misfit(value, 'zigzag', 'holds -(2^53 - 1) to 2^53 - 1')
    writer.zigzag(value)
  },
  read: (reader) => reader.zigzag(),
}

/** Bits that say how many bytes a bigint's amount has. */
const BIGINT_LENGTH_BITS = 8

/** Integers of any size up to 1,024 bits: the sign, the number of bytes, and the bytes at the back, the lowest first. */
export const bigint: Type<bigint> = {
  minBits: 1 + BIGINT_LENGTH_BITS,
  describe: () => 'bigint',
  write(writer, value) {
    if (typeof value !== 'bigint') misfit(value, 'bigint', 'holds bigints')
    const negative = value < 0n
    const hex = (negative ? -value : value).toString(16)
    const length = value === 0n ? 0 : (hex.length + 1) >>> 1
    if (length > BIGINT_BYTES_MAX) misfit(value, 'bigint', `holds ${BIGINT_BYTES_MAX * 8} bits`)
    writer.bits(negative ? 1 : 0, 1)
    writer.bits(length, BIGINT_LENGTH_BITS)
    if (length > 0) writer.bytes(Buffer.from(hex.padStart(length * 2, '0'), 'hex').reverse())
  },
  read(reader) {
    const negative = reader.bits(1) === 1
    const length = reader.bits(BIGINT_LENGTH_BITS)
    if (length > BIGINT_BYTES_MAX) reader.fail('range')
    if (reader.failure !== null) return 0n
    const bytes = reader.bytes(length)
    // One form for each number: no leading zeros, and no minus zero.
    if (length === 0 ? negative : bytes[length - 1] === 0) reader.fail('canonical')
    if (bytes.length === 0) return 0n
    const amount = BigInt(`0x${Buffer.from(bytes.buffer).reverse().toString('hex')}`)
    return negative ? -amount : amount
  },
}
