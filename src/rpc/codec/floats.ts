// Fractions: IEEE 754 in three sizes, and fixed steps. SPEC §15.3.

import { outOfRange } from '../../util/errors.ts'
import type { BitReader } from './bits.ts'
import { misfit } from './errors.ts'
import { Packed, bitsFor } from './packed.ts'
import type { Type } from './type.ts'

const view = new DataView(new ArrayBuffer(8))

// There are many NaNs; one of each size is ours.
const NAN_64_HIGH = 0x7ff80000
const NAN_32 = 0x7fc00000
const NAN_16 = 0x7e00

/** Every number that JavaScript has, in 64 bits: the low 32 first. */
export const f64: Type<number> = {
  minBits: 64,
  describe: () => 'f64',
  write(writer, value) {
    if (typeof value !== 'number') misfit(value, 'f64', 'holds numbers')
    view.setFloat64(0, value, true)
    const isNaN = value !== value
    writer.bits(isNaN ? 0 : view.getUint32(0, true), 32)
    writer.bits(isNaN ? NAN_64_HIGH : view.getUint32(4, true), 32)
  },
  read(reader) {
    const low = reader.bits(32)
    const high = reader.bits(32)
    view.setUint32(0, low, true)
    view.setUint32(4, high, true)
    const value = view.getFloat64(0, true)
    if (value !== value && (low !== 0 || high !== NAN_64_HIGH)) reader.fail('canonical')
    return value
  },
}

class Float32 extends Packed<number> {
  readonly minBits = 32

  describe(): string {
    return 'f32'
  }

  pack(value: number): number {
    if (typeof value !== 'number') misfit(value, 'f32', 'holds numbers')
    view.setFloat32(0, value, true)
    return value !== value ? NAN_32 : view.getInt32(0, true)
  }

  unpack(bits: number, reader: BitReader): number {
    view.setUint32(0, bits, true)
    const value = view.getFloat32(0, true)
    if (value !== value && bits !== NAN_32) reader.fail('canonical')
    return value
  }
}

/** About seven digits in 32 bits; other numbers are rounded to the nearest, and beyond the largest to infinity. */
export const f32: Type<number> = new Float32()

/** 2^(10 − exponent) for the exponents −14 to 15: makes the mantissa of a half an integer. */
const HALF_SCALES: readonly number[] = Array.from({ length: 30 }, (_, i) => 2 ** (24 - i))

const roundToEven = (value: number): number => {
  const floor = Math.floor(value)
  const rest = value - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}

class Float16 extends Packed<number> {
  readonly minBits = 16

  describe(): string {
    return 'f16'
  }

  pack(value: number): number {
    if (typeof value !== 'number') misfit(value, 'f16', 'holds numbers')
    if (value !== value) return NAN_16
    view.setFloat64(0, value, true)
    const high = view.getUint32(4, true)
    const sign = (high >>> 16) & 0x8000
    const size = Math.abs(value)
    // 65,520 lies half way between the largest half and the next that there would be.
    if (size >= 65_520) return sign | 0x7c00
    const exponent = ((high >>> 20) & 0x7ff) - 1023
    // Below 2^-14 halves are evenly spaced, as they are from there to 2^-13.
    if (exponent < -14) return sign | roundToEven(size * HALF_SCALES[0]!)
    // A mantissa rounded up to 2,048 carries into the exponent, which is right.
    return sign | (((exponent + 14) << 10) + roundToEven(size * HALF_SCALES[exponent + 14]!))
  }

  unpack(bits: number, reader: BitReader): number {
    const sign = bits & 0x8000 ? -1 : 1
    const exponent = (bits >>> 10) & 31
    const mantissa = bits & 0x3ff
    if (exponent === 0) return (sign * mantissa) / HALF_SCALES[0]!
    if (exponent < 31) return (sign * (1024 + mantissa)) / HALF_SCALES[exponent - 1]!
    if (mantissa === 0) return sign * Infinity
    if (bits !== NAN_16) reader.fail('canonical')
    return NaN
  }
}

/** About three digits in 16 bits, up to 65,504; other numbers are rounded to the nearest. */
export const f16: Type<number> = new Float16()

/**
 * A number of steps from `min`. If a step is one k-th (0.01 is a hundredth), values are counted in k-ths, so that 1.23 comes back as
 * 1.23 and not as the sum of 123 rounded hundredths.
 */
class Quantized extends Packed<number> {
  readonly minBits: number
  readonly #text: string
  readonly #min: number
  readonly #max: number
  readonly #step: number
  readonly #count: number
  /** k, or 0 if a step is no k-th; and `min` in k-ths. */
  readonly #parts: number
  readonly #first: number

  constructor(min: number, max: number, step: number, count: number) {
    super()
    this.#text = `quantized(${min}, ${max}, ${step})`
    this.#min = min
    this.#max = max
    this.#step = step
    this.#count = count
    const parts = Math.round(1 / step)
    const first = Math.round(min * parts)
    const isPart = Math.abs(1 / step - parts) <= 1e-9 * parts && Math.abs(min * parts - first) <= 1e-6 && Math.abs(first) < 2 ** 48
    this.#parts = isPart ? parts : 0
    this.#first = isPart ? first : 0
    this.minBits = bitsFor(count + 1)
  }

  describe(): string {
    return this.#text
  }

  pack(value: number): number {
    if (typeof value === 'number') {
      const steps = this.#parts > 0
        ? Math.floor(value * this.#parts + 0.5) - this.#first
        : Math.floor((value - this.#min) / this.#step + 0.5)
      if (steps >= 0 && steps <= this.#count) return steps
    }
    return misfit(value, this.#text, `holds ${this.#min} to ${this.#max}`)
  }

  unpack(bits: number, reader: BitReader): number {
    if (bits > this.#count) reader.fail('range')
    return this.#parts > 0 ? (this.#first + bits) / this.#parts : this.#min + bits * this.#step
  }
}

/**
 * Fractions from `min` to `max` in even steps: `quantized(-180, 180, 0.01)` takes 16 bits. Values are rounded to the nearest step;
 * what is further than half a step outside does not fit.
 * @param step must divide the range into whole steps, 1 to 2^32 − 1 of them
 * @throws VaivenError `ERR_ARGUMENT` if it does not
 */
export const quantized = (min: number, max: number, step: number): Type<number> => {
  if (!Number.isFinite(min)) throw outOfRange('quantized min', min, 'a finite number', 'ERR_ARGUMENT')
  if (!Number.isFinite(max) || !(max > min)) throw outOfRange('quantized max', max, `a finite number above ${min}`, 'ERR_ARGUMENT')
  const steps = (max - min) / step
  const count = Math.round(steps)
  // A step such as 0.01 has no exact binary form: "whole" allows for its rounding.
  if (!(count >= 1 && count < 2 ** 32 && Math.abs(steps - count) <= 1e-9 * count + 1e-6)) {
    throw outOfRange('quantized step', step, `a whole part of ${max - min}, 1 to 2^32 - 1 of them; this makes ${steps}`, 'ERR_ARGUMENT')
  }
  return new Quantized(min, max, step, count)
}
