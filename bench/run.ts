// `npm run bench`: finds the table that was asked for and gives it its arguments. Each table is a module with `help` and `run(args)`.

/** What a table's module exports. */
export interface BenchTable {
  /** Usage text, ending in a newline. */
  readonly help: string
  /** Measures, prints, and resolves to the exit code. Standard options come in `args`: `--quick`, `--json FILE`. */
  run(args: string[]): Promise<number>
}

/** Loaded only when asked for. */
const TABLES: Readonly<Record<string, { readonly summary: string; load(): Promise<BenchTable> }>> = {
  'first-figures': { summary: 'the transport beside bare dgram and C ENet on loopback', load: () => import('./scenarios/first-figures.ts') },
}

const help = `usage: npm run bench -- [TABLE] [OPTIONS]

${Object.entries(TABLES)
  .map(([name, { summary }]) => `  ${name.padEnd(14)} ${summary}`)
  .join('\n')}

  --quick          shorter runs
  --json FILE      write the figures there

'npm run bench -- TABLE --help' explains each.
`

const [name, ...rest] = process.argv.slice(2)
const table = name === undefined || !Object.hasOwn(TABLES, name) ? undefined : TABLES[name]
if (table === undefined) {
  const asked = name === undefined || name === '--help' || name === '-h'
  process.stderr.write(asked ? help : `there is no table "${name}"\n\n${help}`)
  process.exitCode = asked ? 0 : 2
} else {
  const module = await table.load()
  if (rest.includes('--help') || rest.includes('-h')) process.stdout.write(module.help)
  else process.exitCode = await module.run(rest)
}
