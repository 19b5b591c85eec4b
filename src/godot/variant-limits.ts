// What a value may cost, in both directions: depth, number, bytes.

import { VaivenError } from '../util/errors.ts'

/** Bounds for reading and writing values; what a stranger sends can cost no more than this. */
export interface VariantLimits {
  /**
   * How deep arrays and dictionaries may lie inside each other, 0 to 256: 0 allows none. The engine has no limit and dies
   * from too much. @default 64
   */
  maxDepth?: number
  /**
   * How many values one packet may hold, 1 to 16,777,216: each element and key of an Array or Dictionary is one, each
   * string of a PoolStringArray and each name of a NodePath too. The other pool arrays are one value. @default 65536
   */
  maxValues?: number
  /** How long an encoding may be, bytes, 4 to 33,554,432. @default 4194304 */
  maxBytes?: number
}

/** VariantLimits with everything filled in. */
export type ResolvedVariantLimits = Readonly<Required<VariantLimits>>

const limit = (name: string, value: number | undefined, min: number, max: number, fallback: number): number => {
  if (value === undefined) return fallback
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new VaivenError('ERR_OPTION_RANGE', `options.${name} is ${value}; it must be an integer from ${min} to ${max}`)
}

/** Checks limits and fills in defaults. @throws VaivenError ERR_OPTION_RANGE */
export const resolveVariantLimits = (limits: VariantLimits = {}): ResolvedVariantLimits =>
  Object.freeze({
    maxDepth: limit('maxDepth', limits.maxDepth, 0, 256, 64),
    maxValues: limit('maxValues', limits.maxValues, 1, 16_777_216, 65_536),
    maxBytes: limit('maxBytes', limits.maxBytes, 4, 33_554_432, 4_194_304),
  })
