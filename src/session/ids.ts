// Peer ids: the server is 1, clients are unpredictable numbers above 1. Who is meant by a target. SPEC §13.1.

import { VaivenError } from '../util/errors.ts'
import type { RandomBytes } from '../util/random.ts'

/** The server's id in every session. */
export const SERVER_ID = 1
/** Ids are 31-bit numbers; 0 and below are never ids. */
export const MAX_ID = 0x7fffffff

/**
 * Who a message is for.
 *
 * | target | means |
 * |---|---|
 * | 0 | everybody else |
 * | n > 0 | peer n |
 * | −n | everybody else but peer n |
 * | a list or set of ids | each of them once |
 */
export type Target = number | readonly number[] | ReadonlySet<number>

/** A target as it travels: a number as in Godot, or the ids of a set, each once. */
export type ResolvedTarget = number | readonly number[]

/** True for numbers that a client may have as its id. */
export const isClientId = (id: number): boolean => Number.isInteger(id) && id > SERVER_ID && id <= MAX_ID

/** Picks a client id: 31 bits of chance, never 0 or 1. */
export const pickClientId = (random: RandomBytes): number => {
  const bytes = new Uint8Array(4)
  for (;;) {
    random(bytes)
    const id = (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | ((bytes[3]! & 0x7f) << 24)) >>> 0
    if (isClientId(id)) return id
  }
}

/** Checks what a caller gave as a target. @throws VaivenError ERR_ARGUMENT */
export const resolveTarget = (target: Target): ResolvedTarget => {
  if (typeof target === 'number') {
    if (!Number.isInteger(target) || target < -MAX_ID || target > MAX_ID) throw badTarget(target)
    return target
  }
  const ids = target instanceof Set ? [...target] : Array.isArray(target) ? [...new Set<number>(target)] : null
  if (ids === null || ids.some((id) => !Number.isInteger(id) || id < SERVER_ID || id > MAX_ID)) throw badTarget(target)
  return ids as number[]
}

/** Does `target`, sent by `source`, mean `id`? Nobody's own messages come back to them. */
export const covers = (target: ResolvedTarget, source: number, id: number): boolean => {
  if (id === source) return false
  if (typeof target !== 'number') return target.includes(id)
  return target === 0 || target === id || (target < 0 && target !== -id)
}

const badTarget = (target: unknown): VaivenError =>
  new VaivenError(
    'ERR_ARGUMENT',
    `target is ${describe(target)}; it must be 0 (all), an id, a negative id (all but that one) or a set of ids`,
  )

const describe = (target: unknown): string => (target instanceof Set ? `a Set of ${[...target].join(', ')}` : String(target))
