// The two ways in which coding goes wrong: the caller's value does not fit (thrown, with its path), or bytes are no encoding (a word).

import { VaivenError } from '../../util/errors.ts'

/**
 * Why bytes were refused.
 * - `truncated`: they end too early
 * - `trailing`: something is left over, or a padding bit is set
 * - `range`: a number, enum or length beyond what its type allows
 * - `canonical`: there is a shorter or more regular form of the same value (varint, NaN, bigint, self-describing number)
 * - `utf8`: a string is not UTF-8
 * - `key`: a key that is forbidden (`__proto__`, …) or appears twice
 * - `limit`: too deep or too many values
 */
export type DecodeFailure = 'truncated' | 'trailing' | 'range' | 'canonical' | 'utf8' | 'key' | 'limit'

/** A value that does not fit its type: `ERR_ENCODE`. Containers add their part of the path while it passes. */
export class EncodeError extends VaivenError {
  /** Where, from the value given: `players[3].hp`; empty for the value itself. */
  readonly path: string
  /** What is wrong there: `is 300; u8 holds 0 to 255`. */
  readonly problem: string

  constructor(problem: string, path = '') {
    super('ERR_ENCODE', `${path === '' ? 'the value' : path} ${problem}`)
    this.path = path
    this.problem = problem
  }
}

/** Whether a key can stand in a path or a signature as it is. */
export const isIdentifier = (key: string): boolean => /^[A-Za-z_$][A-Za-z0-9_$]*$/.test(key)

/** Adds a step of the path (a key, an index) to an error that comes from within; other errors pass unchanged. */
export const within = (step: string | number, error: unknown): unknown => {
  if (!(error instanceof EncodeError)) return error
  const here = typeof step === 'number' ? `[${step}]` : isIdentifier(step) ? step : `[${JSON.stringify(step)}]`
  const joint = error.path === '' || error.path.startsWith('[') ? '' : '.'
  return new EncodeError(error.problem, here + joint + error.path)
}

/** How a value appears in a message: short, and never calling the value's own code. */
export const show = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value.length > 32 ? `${value.slice(0, 32)}…` : value)
  if (typeof value === 'bigint') return value.toString().length > 32 ? 'a large bigint' : `${value}n`
  if (Object.is(value, -0)) return '-0'
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value === 'function') return 'a function'
  return String(value)
}

/** Refuses a value: says what it is and what the type holds. A function declaration, so that TypeScript knows that it never returns. */
export function misfit(value: unknown, type: string, holds: string): never {
  throw new EncodeError(`is ${show(value)}; ${type} ${holds}`)
}
