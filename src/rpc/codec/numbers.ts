// Numbers: sized and ranged integers, varints, floats of three sizes, quantised floats. SPEC §15.3.

import { outOfRange } from '../../util/errors.ts'
import type { BitReader, BitWriter } from './bits.ts'
import { misfit } from './errors.ts'
import type { Type } from './type.ts'

const SAFE_MAX = Number.MAX_SAFE_INTEGER

/** Bits that tell `count` things apart; count 1 to 2^53. */
export const bitsFor = (count: number): number => {
  let bits = 0
  for (let reach = 1; reach < count; reach *= 2) bits++
  return bits
}

/** An integer of at most 32 bits, stored as its distance from `min`. */
class SmallInteger implements Type<number> {
  readonly minBits: number
  readonly #min: number
  readonly #span: number
  readonly #text: string

  constructor(text: string, min: number, max: number) {
    this.#text = text
    this.#min = min
    this.#span = max - min
    this.minBits = bitsFor(this.#span + 1)
  }

  describe(): string {
    return this.#text
  }

  write(writer: BitWriter, value: number): void {
    const distance = value - this.#min
    if (!(distance >= 0 && distance <= this.#span) || Math.floor(value) !== value) {
      misfit(value, this.#text, `holds integers from ${this.#min} to ${this.#min + this.#span}`)
    }
    writer.bits(distance, this.minBits)
  }

  read(reader: BitReader): number {
    const distance = reader.bits(this.minBits)
    if (distance > this.#span) reader.fail('range')
    return this.#min + distance
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
    // max − min may have 54 bits and be inexact; half of it is exact enough to count bits.
    this.minBits = 1 + bitsFor(Math.floor(max / 2) - Math.floor(min / 2) + 1)
  }

  describe(): string {
    return this.#text
  }

  write(writer: BitWriter, value: number): void {
    if (!Number.isSafeInteger(value) || value < this.#min || value > this.#max) {
      misfit(value, this.#text, `holds integers from ${this.#min} to ${this.#max}`)
    }
    const distance = BigInt(value) - BigInt(this.#min)
    writer.bits(Number(distance & 0xffffffffn), 32)
    writer.bits(Number(distance >> 32n), this.minBits - 32)
  }

  read(reader: BitReader): number {
    const low = reader.bits(32)
    const value = BigInt(this.#min) + ((BigInt(reader.bits(this.minBits - 32)) << 32n) | BigInt(low))
    if (value > BigInt(this.#max)) reader.fail('range')
    return Number(value)
  }
}

const integer = (text: string, min: number, max: number): Type<number> =>
  max - min < 2 ** 32 ? new SmallInteger(text, min, max) : new LargeInteger(text, min, max)

export const u8 = integer('u8', 0, 0xff)
export const u16 = integer('u16', 0, 0xffff)
export const u32 = integer('u32', 0, 0xffffffff)
export const u53 = integer('u53', 0, SAFE_MAX)
export const i8 = integer('i8', -0x80, 0x7f)
export const i16 = integer('i16', -0x8000, 0x7fff)
export const i32 = integer('i32', -0x80000000, 0x7fffffff)
export const i53 = integer('i53', -SAFE_MAX, SAFE_MAX)

/**
 * Integers from `min` to `max`, both included, in as few bits as tell them apart.
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
    if (!Number.isSafeInteger(value) || value < 0) misfit(value, 'varint', 'holds integers from 0 to 2^53 - 1')
    writer.varint(value)
  },
  read: (reader) => reader.varint(),
}

/** Integers from −(2^53 − 1) to 2^53 − 1; those near 0 are short: 8 bits from −64 to 63. */
export const zigzag: Type<number> = {
  minBits: 8,
  describe: () => 'zigzag',
  write(writer, value) {
    if (!Number.isSafeInteger(value)) misfit(value, 'zigzag', 'holds integers from -(2^53 - 1) to 2^53 - 1')
    writer.zigzag(value)
  },
  read: (reader) => reader.zigzag(),
}

const scratch = new DataView(new ArrayBuffer(8))

/** IEEE 754 numbers of 64 bits: every number there is. A NaN is always the same one. */
export const f64: Type<number> = {
  minBits: 64,
  describe: () => 'f64',
  write(writer, value) {
    if (typeof value !== 'number') misfit(value, 'f64', 'holds numbers')
    scratch.setFloat64(0, value, true)
    if (value !== value) scratch.setUint32(4, 0x7ff80000, true)
    writer.bits(value !== value ? 0 : scratch.getUint32(0, true), 32)
    writer.bits(scratch.getUint32(4, true), 32)
  },
  read(reader) {
    const low = reader.bits(32)
    const high = reader.bits(32)
    scratch.setUint32(0, low, true)
    scratch.setUint32(4, high, true)
    const value = scratch.getFloat64(0, true)
    if (value !== value && (low !== 0 || high !== 0x7ff80000)) reader.fail('canonical')
    return value
  },
}

/** IEEE 754 numbers of 32 bits; others are rounded to the nearest, and beyond the largest to infinity. */
export const f32: Type<number> = {
  minBits: 32,
  describe: () => 'f32',
  write(writer, value) {
    if (typeof value !== 'number') misfit(value, 'f32', 'holds numbers')
    scratch.setFloat32(0, value, true)
    writer.bits(value !== value ? 0x7fc00000 : scratch.getInt32(0, true), 32)
  },
  read(reader) {
    const pattern = reader.bits(32)
    scratch.setUint32(0, pattern, true)
    const value = scratch.getFloat32(0, true)
    if (value !== value && pattern !== 0x7fc00000) reader.fail('canonical')
    return value
  },
}
