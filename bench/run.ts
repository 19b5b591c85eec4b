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
  suite: { summary: 'everything, with a report as HTML; what runs when no table is named', load: () => import('./suite.ts') },
  baseline: { summary: 'writes the figures that the tests compare with', load: () => import('./scenarios/regression.ts') },
  recovery: { summary: 'loss recovery and congestion control against their bars, in virtual time', load: () => import('./recovery/table.ts') },
  'recovery-real': { summary: 'loss recovery over real sockets beside C ENet', load: () => import('./recovery/real.ts') },
  'hundred-hosts': { summary: 'virtual play of a hundred hosts: times real time, and its fingerprint', load: () =>
    import('./scenarios/hundred-hosts.ts') },
  'first-figures': { summary: 'the transport beside bare dgram and C ENet on loopback', load: () =>
    import('./scenarios/first-figures.ts') },
}

const help = `usage: npm run bench -- [TABLE] [OPTIONS]

${Object.entries(TABLES)
  .map(([name, { summary }]) => `  ${name.padEnd(14)} ${summary}`)
  .join('\n')}

  --quick          shorter runs
  --json FILE      write the figures there
  --compare A B    two results of the suite: what changed, and whether it is more than noise

'npm run bench -- TABLE --help' explains each.
`

const args = process.argv.slice(2)
const first = args[0]
if (first === '--help' || first === '-h') process.stdout.write(help)
else {
  // Parts of the suite need not say "suite".
  const named = first !== undefined && Object.hasOwn(TABLES, first)
  const table = await (TABLES[named ? first : 'suite'] as (typeof TABLES)[string]).load()
  const rest = named ? args.slice(1) : args
  if (rest.includes('--help') || rest.includes('-h')) process.stdout.write(table.help)
  else process.exitCode = await table.run(rest)
}
