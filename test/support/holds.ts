// Runs a fast-check property as one assertion of tap. Knows how a law is replayed, not what the law says.

import fc from 'fast-check'
import type { Test } from 'tap'

/**
 * Asserts that a law holds: `name` states it in words, `property` tries it on generated values.
 *
 * A failure prints the smallest counterexample found, with the seed and path that replay it. The environment may override
 * `params`, for all laws alike: `VAIVEN_RUNS` (how many values, at least 1), `VAIVEN_SEED` (integer), `VAIVEN_PATH` (as printed).
 * A law that was interrupted, or whose preconditions rejected nearly everything, has not been shown to hold: it fails too.
 *
 * `npm run properties` (../properties.ts) also sets `VAIVEN_LAWS`: `list` names the laws instead of trying them, `run` marks
 * their names; and `VAIVEN_ONLY`: laws whose name does not contain it are left out.
 */
export const holds = <Ts>(t: Test, name: string, property: fc.IProperty<Ts>, params: fc.Parameters<Ts> = {}): void => {
  if (!isWanted(t, name)) return
  report(t, name, fc.check(property, withEnvironment(params, process.env)))
}

/** As `holds`, for laws about promises. */
export const holdsAsync = async <Ts>(
  t: Test, name: string, property: fc.IAsyncProperty<Ts>, params: fc.Parameters<Ts> = {}
): Promise<void> => {
  if (!isWanted(t, name)) return
  report(t, name, await fc.check(property, withEnvironment(params, process.env)))
}

/** Stands before the names of laws where `VAIVEN_LAWS` is set, to tell them from other assertions. */
export const LAW_MARK = 'law: '

const isWanted = (t: Test, name: string): boolean => {
  const { VAIVEN_LAWS: mode, VAIVEN_ONLY: only } = process.env
  if (only !== undefined && only !== '' && !name.toLowerCase().includes(only.toLowerCase())) return false
  if (mode === 'list') t.pass(LAW_MARK + name)
  return mode !== 'list'
}

/** `params` with what the environment overrides; exported for its test. */
export const withEnvironment = <Ts>(
  params: fc.Parameters<Ts>, environment: Readonly<Record<string, string | undefined>>
): fc.Parameters<Ts> => {
  const merged: fc.Parameters<Ts> = { markInterruptAsFailure: true, ...params }
  const runs = integer(environment, 'VAIVEN_RUNS')
  const seed = integer(environment, 'VAIVEN_SEED')
  const path = environment['VAIVEN_PATH']
  if (runs !== undefined && runs < 1) throw new RangeError(`VAIVEN_RUNS is ${runs}; it must be at least 1`)
  if (runs !== undefined) merged.numRuns = runs
  if (seed !== undefined) merged.seed = seed
  if (path !== undefined && path !== '') merged.path = path
  return merged
}

const integer = (environment: Readonly<Record<string, string | undefined>>, name: string): number | undefined => {
  const text = environment[name]
  if (text === undefined || text === '') return undefined
  if (!/^-?\d{1,10}$/.test(text)) throw new RangeError(`${name} is '${text}'; it must be an integer`)
  return Number(text)
}

const report = <Ts>(t: Test, law: string, result: fc.RunDetails<Ts>): void => {
  const name = process.env['VAIVEN_LAWS'] === 'run' ? LAW_MARK + law : law
  if (!result.failed) {
    t.pass(name)
    return
  }
  const { counterexample, seed, counterexamplePath: path, errorInstance, numRuns, numSkips, interrupted } = result
  const reason = counterexample !== null ? describe(errorInstance) : interrupted
    ? 'interrupted before it was tried often enough'
    : `preconditions rejected too much: ${numRuns} tried, ${numSkips} skipped`
  const replay = `VAIVEN_SEED=${seed}${path === null ? '' : ` VAIVEN_PATH=${path}`}`
  t.fail(name, { reason, replay, seed, path, counterexample: shorten(fc.stringify(counterexample)) })
}

// The first line says what was wrong, the second where; the rest of a stack is fast-check's own.
const describe = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 3).join('\n') : String(error)

// A counterexample of kilobytes hides the replay line; the seed brings all of it back.
const shorten = (text: string): string =>
  text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}… (${text.length} characters)`

const SHOWN_MAX = 2000
