// Numbers of chance that are more than a coin: exponential ones, and ones from a range. Only additions,
// multiplications and divisions of doubles, which every engine rounds alike; Math.log need not, and runs must repeat bit
// for bit on any Node version.

import type { SeededRandom } from '../../util/random.ts'
import type { Range } from './rules.ts'

const LN2 = 0.6931471805599453

/**
 * An exponential number with mean 1, from 0 to 22.2: minus the logarithm of an even one, from 32 bits of chance.
 *
 * The leading zeros of those bits are the whole powers of two. What is left, m, lies between 1/2 and 1, where
 * −ln m = 2 artanh z with z = (1 − m) / (1 + m), at most 1/3: seven terms of the series are right to 1e-8.
 */
export const exponential = (random: SeededRandom): number => {
  const bits = random.uint32() | 0
  if (bits === 0) return 32 * LN2
  const zeros = Math.clz32(bits)
  const m = ((bits << zeros) >>> 0) / 4294967296
  const z = (1 - m) / (1 + m)
  const q = z * z
  return zeros * LN2 + 2 * z * (1 + q * (1 / 3 + q * (1 / 5 + q * (1 / 7 + q * (1 / 9 + q * (1 / 11 + q / 13))))))
}

/** A number from the range, evenly. */
export const from = (range: Range, random: SeededRandom): number =>
  range.span === 0 ? range.min : range.min + random.unit() * range.span
