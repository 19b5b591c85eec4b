// The whole suite: which parts, which contestants, where results go. `npm run bench -- suite [PART ...]`, and without a table's name.

import { readFile, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import type { AnyContestant } from './lib/contestant.ts'
import { judgeNoise, machine, sampleNoise } from './lib/machine.ts'
import type { NoiseSample } from './lib/machine.ts'
import { packageRoot } from './lib/package-root.ts'
import type { Entry } from './lib/processes.ts'
import type { Failure, Report, Settings, Table } from './lib/report.ts'
import { comparisonText } from './report/compare.ts'
import { htmlReport } from './report/html.ts'
import { terminalReport } from './report/terminal.ts'

const PARTS = ['virtual', 'loopback', 'relay', 'micro'] as const

export const help = `usage: npm run bench -- [PART ...] [OPTIONS]

The suite, side by side with whatever rivals are there: TCP and bare dgram always, C ENet where libenet-dev and a C
compiler are installed, others where bench/peers has been installed (npm ci in that folder).

PART: ${PARTS.join(', ')} (default: all)
  virtual    bad networks in virtual time: exact, the same on every machine
  loopback   real sockets of this machine, interleaved rounds
  relay      real sockets through the impairment relay
  micro      single operations beside their naive twins

  --quick              under three minutes
  --seed N             chance in virtual time             (default: 1)
  --only NAME,NAME     these contestants on real sockets
  --plugin FILE        a contestant of your own, see docs/performance.md; may be given several times
  --json FILE          results for machines               (default: bench-results.json)
  --html FILE          the report                         (default: bench-report.html)
  --compare A B        what changed between two results, and whether it is more than noise

Exit code: 0 done, 1 something failed, 2 wrong usage.
`

const OPTIONS = {
  quick: { type: 'boolean' }, seed: { type: 'string' }, only: { type: 'string' }, plugin: { type: 'string', multiple: true },
  json: { type: 'string' }, html: { type: 'string' }, compare: { type: 'boolean' },
} as const

/** Of bench/run.ts. */
export const run = async (args: string[]): Promise<number> => {
  const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true })
  if (values.compare === true) return compareFiles(positionals)
  const unknown = positionals.find((part) => !(PARTS as readonly string[]).includes(part))
  if (unknown !== undefined) {
    process.stderr.write(`there is no part "${unknown}"\n\n${help}`)
    return 2
  }
  const parts = positionals.length === 0 ? PARTS : PARTS.filter((part) => positionals.includes(part))
  const began = performance.now()
  const progress = progressLine(began)
  const failures: Failure[] = []
  const settings: Settings = {
    quick: values.quick === true, seed: Number(values.seed ?? 1), progress,
    failed(contestant, what, error) {
      const why = (error as Error).message
      failures.push({ contestant, what, why })
      progress(`  ${contestant} failed at ${what}: ${why}`)
    },
  }
  const noise: NoiseSample[] = []
  const tables: Table[] = []
  const everybody = await contestants(values.plugin ?? [])
  const only = values.only?.split(',')
  const wanted = everybody.filter(({ contestant }) => only === undefined || only.includes(contestant.name))
  const status = await Promise.all(wanted.map(async (entry) => ({ entry, missing: (await entry.contestant.unavailable?.()) ?? null })))
  const entries = status.filter(({ missing }) => missing === null).map(({ entry }) => entry)

  noise.push(await sampleNoise())
  let virtualMissing: string | null = null
  if (parts.includes('virtual')) {
    const { virtual } = await import('./scenarios/virtual.ts')
    const done = await virtual(settings)
    tables.push(...done.tables)
    virtualMissing = done.missing
  }
  if (parts.includes('loopback')) tables.push(...(await (await import('./scenarios/loopback.ts')).loopback(entries, settings, noise)))
  if (parts.includes('relay')) tables.push(...(await (await import('./scenarios/loopback.ts')).throughRelay(entries, settings, noise)))
  if (parts.includes('loopback') && !settings.quick) tables.push(await (await import('./scenarios/memory.ts')).memory(entries, settings))
  if (parts.includes('micro')) tables.push(...(await (await import('./micro/all.ts')).micro(settings)))
  noise.push(await sampleNoise())

  const report: Report = {
    format: 1,
    machine: machine(),
    settings: { quick: settings.quick, seed: settings.seed, suites: parts, seconds: Math.round((performance.now() - began) / 1000) },
    noise: parts.some((part) => part !== 'virtual') ? judgeNoise(noise) : null,
    contestants: [
      ...status.map(({ entry: { contestant }, missing }) => ({ name: contestant.name, about: contestant.about, missing })),
      ...(parts.includes('virtual') ? [{ name: 'vaiven +copies', about: "ours with redundancy: 'auto' (virtual time)", missing: null }]
        : []),
      ...(virtualMissing === null ? [] : [{ name: 'enet', about: 'in virtual time', missing: virtualMissing }]),
    ],
    failures,
    tables,
  }
  const json = resolve(values.json ?? 'bench-results.json')
  const html = resolve(values.html ?? 'bench-report.html')
  await writeFile(json, `${JSON.stringify(report)}\n`)
  await writeFile(html, htmlReport(report))
  process.stdout.write(`${terminalReport(report)}\n${settings.quick ? 'quick run, ' : ''}${report.settings.seconds} s\nresults: ` +
    `${json}\nreport:  ${html}\n`)
  return 0
}

const compareFiles = async (files: readonly string[]): Promise<number> => {
  const [a, b] = files
  if (a === undefined || b === undefined || files.length > 2) {
    process.stderr.write('--compare takes two files: --compare A.json B.json\n')
    return 2
  }
  const [before, after] = await Promise.all([a, b].map(async (file) => JSON.parse(await readFile(file, 'utf8')) as Report)) as [Report,
    Report]
  process.stdout.write(comparisonText(before, after))
  return 0
}

/** The built-in contestants, those of bench/peers that are installed, and plug-ins. */
const contestants = async (plugins: readonly string[]): Promise<Entry[]> => {
  const folder = dirname(fileURLToPath(import.meta.url))
  const files = ['vaiven', 'enet', 'tcp', 'dgram'].map((name) => join(folder, 'contestants', `${name}.js`))
  const peers = join(packageRoot, 'bench', 'peers', 'contestants')
  const rivals = existsSync(join(packageRoot, 'bench', 'peers', 'node_modules')) && existsSync(join(peers, 'index.js'))
    ? ((await import(pathToFileURL(join(peers, 'index.js')).href)) as { files: string[] }).files.map((name) => join(peers, name))
    : []
  const all: Entry[] = []
  for (const file of [...files, ...rivals, ...plugins.map((name) => resolve(name))]) {
    all.push({ contestant: await loaded(file, plugins.some((name) => resolve(name) === file)), file })
  }
  return all
}

/** A rival that cannot be loaded here (no binary for this system) is named in the report; a plug-in that cannot is a mistake. */
const loaded = async (file: string, isPlugin: boolean): Promise<AnyContestant> => {
  try {
    const { default: contestant } = (await import(pathToFileURL(file).href)) as { default: AnyContestant }
    if (typeof contestant?.name !== 'string') throw new Error(`${basename(file)} exports no contestant as its default`)
    return contestant
  } catch (error) {
    if (isPlugin) throw error
    const why = (error as Error).message.split('\n')[0] as string
    return { name: basename(file, '.js'), about: 'a rival of bench/peers', unavailable: () => why, program: () => '' }
  }
}

/** One line that is written over on a terminal, a line each elsewhere. */
const progressLine = (began: number) => (text: string): void => {
  const line = `${String(Math.round((performance.now() - began) / 1000)).padStart(4)} s  ${text}`
  if (process.stderr.isTTY === true) process.stderr.write(`\r\u001b[K${line}`)
  else process.stderr.write(`${line}\n`)
}
