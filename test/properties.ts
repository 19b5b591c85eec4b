// `npm run properties`: the laws of the whole package in words, and how long and with which seed they are tried. Runs every
// test of build/test/property in a process of its own and reads its results; docs/properties.md says how the laws are made.

import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { LAW_MARK } from './support/holds.ts'

const HELP = `npm run properties -- [options]

Tries the laws that the code keeps, and prints a counterexample and what replays it where one does not hold.

  --list          name the laws, try none
  --only TEXT     only laws whose name contains TEXT
  --in TEXT       only files whose name contains TEXT
  --runs N        how many values to try for each law (default: each law's own number)
  --seed=S        integer; the same seed tries the same values (default: a new one)
  --path=P        with --seed and --only: the one value that a failure printed
  --with FILE     an ENet implementation of yours: a module whose default export is an Implementation (docs/properties.md)
  --help

Exit code: 0 all laws hold, 1 one does not, 2 wrong usage.
`

interface Result {
  readonly name: string
  readonly ok: boolean
  /** What fast-check found, as lines. */
  readonly details: readonly string[]
}

interface Options {
  readonly list: boolean
  readonly only: string
  readonly inFiles: string
  readonly environment: Record<string, string>
}

const main = async (): Promise<number> => {
  const options = readOptions()
  if (options === null) return 2
  const folder = fileURLToPath(new URL('property/', import.meta.url))
  const files = readdirSync(folder).filter((file) => file.endsWith('.test.js') && file.includes(options.inFiles)).sort()
  let laws = 0
  let broken = 0
  for (const file of files) {
    const { results, exitCode, errors } = await runFile(folder + file, options)
    const wanted = results.filter(({ name }) => name.startsWith(LAW_MARK))
    // A file that cannot be loaded, or that a law has killed, is worse than a law that does not hold.
    const crashed = exitCode !== 0 && wanted.every(({ ok }) => ok) && (wanted.length === 0 || results.every(({ ok }) => ok))
    if (wanted.length === 0 && !crashed) continue
    process.stdout.write(`\n${basename(file, '.test.js')}\n`)
    for (const { name, ok, details } of wanted) {
      laws++
      if (!ok) broken++
      process.stdout.write(`  ${options.list ? '-' : ok ? 'holds' : 'BROKEN'}  ${name.slice(LAW_MARK.length)}\n`)
      for (const line of details) process.stdout.write(`          ${line}\n`)
      if (!ok) process.stdout.write(`          ${replayLine(name.slice(LAW_MARK.length), details)}\n`)
    }
    if (crashed) {
      broken++
      process.stdout.write(`  BROKEN  the file ended with code ${exitCode}\n${errors}\n`)
    }
  }
  if (laws === 0 && broken === 0) {
    process.stderr.write(`no law has '${options.only}' in its name; --list names them all\n`)
    return 2
  }
  process.stdout.write(options.list ? `\n${laws} laws\n` : `\n${laws} laws, ${broken} broken\n`)
  return broken === 0 ? 0 : 1
}

const readOptions = (): Options | null => {
  try {
    const { values } = parseArgs({
      options: {
        list: { type: 'boolean', default: false }, only: { type: 'string', default: '' }, in: { type: 'string', default: '' },
        runs: { type: 'string', default: '' }, seed: { type: 'string', default: '' }, path: { type: 'string', default: '' },
        with: { type: 'string', default: '' }, help: { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      process.stdout.write(HELP)
      process.exit(0)
    }
    if (values.runs !== '' && !/^[1-9]\d{0,8}$/.test(values.runs)) {
      throw new Error(`--runs is '${values.runs}'; it must be an integer of at least 1`)
    }
    if (values.seed !== '' && !/^-?\d{1,10}$/.test(values.seed)) throw new Error(`--seed is '${values.seed}'; it must be an integer`)
    if (values.path !== '' && (values.seed === '' || values.only === '')) {
      throw new Error('--path needs --seed and --only: it belongs to one law')
    }
    return {
      // Another implementation can only be put under the laws that speak to endpoints.
      list: values.list, only: values.only, inFiles: values.with === '' ? values.in : 'core-laws',
      environment: {
        VAIVEN_LAWS: values.list ? 'list' : 'run', VAIVEN_ONLY: values.only, VAIVEN_RUNS: values.runs, VAIVEN_SEED: values.seed,
        VAIVEN_PATH: values.path, VAIVEN_IMPLEMENTATION: values.with === '' ? '' : resolve(values.with),
        // More values than a test tries may take longer than a test may take.
        TAP_TIMEOUT: '0',
      },
    }
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${HELP}`)
    return null
  }
}

const runFile = (file: string, options: Options): Promise<{ results: Result[]; exitCode: number; errors: string }> =>
  new Promise((done, failed) => {
    const child = spawn(process.execPath, [file], { env: { ...process.env, ...options.environment }, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    let errors = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => { output += text })
    child.stderr.setEncoding('utf8').on('data', (text: string) => { errors += text })
    child.on('error', failed)
    child.on('close', (code) => done({ results: readTap(output), exitCode: code ?? 1, errors }))
  })

/** Of an assertion's details, what can be there. */
const KEYS = new Set(['reason', 'replay', 'seed', 'path', 'counterexample', 'at', 'stack', 'source'])

/** The assertions in TAP output, with the part of their details that a person needs. */
const readTap = (output: string): Result[] => {
  const results: Result[] = []
  let details: string[] | null = null
  let shown = false
  for (const line of output.split('\n')) {
    const assertion = /^\s*(not )?ok \d+ - (.*?)( # time=.*)?$/.exec(line)
    if (assertion !== null) {
      const ok = assertion[1] === undefined
      const found: string[] = []
      results.push({ name: unescape(assertion[2] ?? ''), ok, details: found })
      details = ok ? null : found
      shown = false
      continue
    }
    if (details === null || line.trim() === '') continue
    if (/^\s*(\.\.\.$|1\.\.|#)/.test(line)) details = null
    else {
      const key = /^\s*([a-z]+):/i.exec(line)?.[1]
      if (key !== undefined && KEYS.has(key)) shown = key === 'reason' || key === 'replay' || key === 'counterexample'
      if (shown) details.push(line.trim())
    }
  }
  return results
}

// TAP gives # and \ a backslash.
const unescape = (name: string): string => name.replace(/\\([#\\])/g, '$1')

const replayLine = (name: string, details: readonly string[]): string => {
  const text = details.join(' ')
  const seed = /VAIVEN_SEED=(-?\d+)/.exec(text)?.[1]
  const path = /VAIVEN_PATH=([\d:]+)/.exec(text)?.[1]
  if (seed === undefined) return ''
  const where = path === undefined ? '' : ` --path=${path}`
  return `again: npm run properties -- --only ${JSON.stringify(name)} --seed=${seed}${where}`
}

// Whoever reads only the beginning (`| head`) has seen enough.
process.stdout.on('error', () => process.exit(0))
process.exitCode = await main()
