// `npm run properties` as a person uses it: names, tries, fails with what replays it, and refuses nonsense.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import type { Test } from 'tap'
import { holds, LAW_MARK } from '../support/holds.ts'

const program = fileURLToPath(new URL('../properties.js', import.meta.url))

const run = (...words: readonly string[]): { code: number | null; out: string; err: string } => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], { encoding: 'utf8' })
  return { code: status, out: stdout, err: stderr }
}

t.test('--list names the laws of a file and tries none', (t) => {
  const { code, out } = run('--list', '--in', 'crc32')
  t.equal(code, 0)
  t.match(out, /crc32\n {2}- {2}is what dividing bit by bit gives/)
  t.match(out, /\n4 laws\n$/)
  t.end()
})

t.test('laws are tried, as often and with the seed that was asked for', (t) => {
  const { code, out } = run('--in', 'crc32', '--only', 'FINDS EVERY error', '--runs', '5', '--seed=-7')
  t.equal(code, 0)
  t.match(out, /^\ncrc32\n {2}holds {2}finds every error within 32 bits in a row\n\n1 laws, 0 broken\n$/)
  t.end()
})

t.test('an implementation can be put under the laws of the transport', (t) => {
  const ours = fileURLToPath(new URL('../laws/example.js', import.meta.url))
  const { code, out } = run('--with', ours, '--only', 'unsequenced packets', '--runs', '3')
  t.equal(code, 0, out)
  t.match(out, /holds {2}example to example: unsequenced packets[^]*holds {2}example to vaiven:[^]*holds {2}vaiven to example:/)
  t.end()
})

t.test('one that breaks a law is shown by a counterexample and the line that replays it', (t) => {
  const forgetful = fileURLToPath(new URL('../laws/forgetful.js', import.meta.url))
  const law = 'reliable packets arrive exactly once'
  const { code, out } = run('--with', forgetful, '--only', law, '--runs', '20', '--seed', '3')
  t.equal(code, 1)
  t.match(out, /BROKEN {2}forgetful to vaiven: reliable/)
  t.match(out, /reason: .*\n.*reliable packets never came/)
  t.match(out, /counterexample: /)
  const again = /again: npm run properties -- --only ("forgetful to vaiven.*?") --seed=3 --path=([\d:]+)/.exec(out)
  t.ok(again, 'a line to paste')
  const replayed = run('--with', forgetful, '--only', JSON.parse(again?.[1] ?? '""') as string, '--seed', '3', '--path', again?.[2] ?? '')
  t.equal(replayed.code, 1)
  t.match(replayed.out, /1 laws, 1 broken/)
  t.end()
})

t.test('wrong usage is code 2 and says what is right', (t) => {
  for (const [words, message] of [
    [['--runs', '0'], /--runs is '0'; it must be an integer of at least 1/], [['--seed', 'x'], /--seed is 'x'/],
    [['--path', '1:2'], /--path needs --seed and --only/], [['--frequently'], /--frequently/],
      [['--only', 'no such law', '--in', 'crc32'], /no law has/],
  ] as const) {
    const { code, err } = run(...words)
    t.equal(code, 2, words.join(' '))
    t.match(err, message)
  }
  t.equal(run('--help').code, 0)
  t.end()
})

t.test('holds: VAIVEN_LAWS and VAIVEN_ONLY decide what is tried and how it is named', (t) => {
  const told: string[] = []
  const test = { pass: (name: string) => told.push(`pass ${name}`), fail: (name: string) => told.push(`fail ${name}`) } as unknown as Test
  let tries = 0
  const law = fc.property(fc.nat(), () => ++tries > 0)
  t.teardown(() => {
    delete process.env['VAIVEN_LAWS']
    delete process.env['VAIVEN_ONLY']
  })
  process.env['VAIVEN_LAWS'] = 'list'
  holds(test, 'one', law)
  t.same([told.splice(0), tries], [[`pass ${LAW_MARK}one`], 0])
  process.env['VAIVEN_LAWS'] = 'run'
  process.env['VAIVEN_ONLY'] = 'TWO'
  holds(test, 'one', law, { numRuns: 3 })
  holds(test, 'number two', law, { numRuns: 3 })
  t.same([told, tries], [[`pass ${LAW_MARK}number two`], 3])
  t.end()
})
