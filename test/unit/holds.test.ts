// The helper under all property tests: a law that does not hold has to fail, and to say how it is seen again.

import fc from 'fast-check'
import t, { type Test } from 'tap'
import { holds, holdsAsync, withEnvironment } from '../support/holds.ts'

/** Stands in for tap and keeps what it was told, so that the failure of a law is not one of this file. */
const recorder = (): { test: Test, passed: string[], failed: { name: string, extra: Record<string, unknown> }[] } => {
  const passed: string[] = []
  const failed: { name: string, extra: Record<string, unknown> }[] = []
  const test = {
    pass: (name: string) => { passed.push(name) },
    fail: (name: string, extra: Record<string, unknown>) => { failed.push({ name, extra }) },
  }
  return { test: test as unknown as Test, passed, failed }
}

// What the environment of this run says is not the matter here.
for (const name of ['VAIVEN_RUNS', 'VAIVEN_SEED', 'VAIVEN_PATH']) delete process.env[name]

t.test('a law that holds passes once', (t) => {
  const { test, passed, failed } = recorder()
  let runs = 0
  holds(test, 'squares are not negative', fc.property(fc.integer(), (n) => { runs++; return n * n >= 0 }), { numRuns: 40 })
  t.strictSame(passed, ['squares are not negative'])
  t.strictSame(failed, [])
  t.equal(runs, 40)
  t.end()
})

t.test('a law that does not hold fails, and the seed and path that it prints replay the counterexample', (t) => {
  const law = (seen: (n: number) => void): fc.IProperty<[number]> => fc.property(fc.nat(), (n) => { seen(n); return n < 1000 })
  const first = recorder()
  holds(first.test, 'all numbers are small', law(() => undefined), { seed: 7 })
  t.strictSame(first.passed, [])
  t.equal(first.failed.length, 1)
  const { seed, path, replay, counterexample } = first.failed[0]!.extra as Record<string, string> & { seed: number }
  t.equal(seed, 7)
  t.equal(replay, `VAIVEN_SEED=7 VAIVEN_PATH=${path}`)
  t.equal(counterexample, '[1000]')

  const seen: number[] = []
  holds(recorder().test, 'again', law((n) => seen.push(n)), withEnvironment({}, { VAIVEN_SEED: String(seed), VAIVEN_PATH: path }))
  t.equal(seen[0], 1000)
  t.end()
})

t.test('a law that throws fails with what it threw', (t) => {
  const { test, failed } = recorder()
  holds(test, 'throws', fc.property(fc.nat(), () => { throw new Error('out of ink') }))
  t.match(failed, [{ name: 'throws', extra: { reason: /out of ink/ } }])
  t.end()
})

t.test('a law that was hardly tried fails', (t) => {
  const { test, passed, failed } = recorder()
  holds(test, 'skips', fc.property(fc.nat(), () => fc.pre(false)))
  holds(test, 'interrupted', fc.property(fc.nat(), () => undefined), { interruptAfterTimeLimit: 0 })
  t.strictSame(passed, [])
  t.match(failed, [{ name: 'skips', extra: { reason: /rejected/ } }, { name: 'interrupted', extra: { reason: /interrupted/ } }])
  t.end()
})

t.test('laws about promises', async (t) => {
  const { test, passed, failed } = recorder()
  await holdsAsync(test, 'true', fc.asyncProperty(fc.nat(), async (n) => (await n) >= 0))
  await holdsAsync(test, 'false', fc.asyncProperty(fc.nat(), async (n) => (await n) < 0))
  t.strictSame(passed, ['true'])
  t.match(failed, [{ name: 'false', extra: { counterexample: '[0]' } }])
})

t.test('the environment overrides what a test asks for', (t) => {
  const params = { numRuns: 5, seed: 1 }
  t.match(withEnvironment(params, {}), { numRuns: 5, seed: 1, path: undefined })
  t.match(withEnvironment(params, { VAIVEN_RUNS: '1000', VAIVEN_SEED: '-3', VAIVEN_PATH: '0:1' }), { numRuns: 1000, seed: -3, path: '0:1' })
  t.match(withEnvironment(params, { VAIVEN_RUNS: '', VAIVEN_SEED: '', VAIVEN_PATH: '' }), { numRuns: 5, seed: 1, path: undefined })
  t.throws(() => withEnvironment(params, { VAIVEN_RUNS: '0' }), { message: 'VAIVEN_RUNS is 0; it must be at least 1' })
  t.throws(() => withEnvironment(params, { VAIVEN_SEED: 'x' }), { message: "VAIVEN_SEED is 'x'; it must be an integer" })
  t.end()
})
