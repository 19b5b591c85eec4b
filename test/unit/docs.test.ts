// The programs in README.md and docs/ are programs: every js and ts block is type-checked against the sources, and those that name
// their file in the first line are run together, as a reader would run them.

import { execFileSync, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Test } from 'tap'

const here = dirname(fileURLToPath(import.meta.url))
const root = resolve(here, '..', '..', '..')
/** Inside of the package, so that programs find it by its own name. */
const folder = join(here, `docs-${process.pid}`)
mkdirSync(folder, { recursive: true })
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

interface Block {
  /** README, rpc, … */
  readonly page: string
  /** Where its first line stands. */
  readonly line: number
  /** The name of the file that it is, if it says so: `server.mjs`; otherwise one after its line. */
  readonly file: string
  readonly named: boolean
  readonly code: string
}

const blocksOf = (path: string): Block[] => {
  const found: Block[] = []
  const page = path.replace(/^docs\//, '').replace(/\.md$/, '')
  const lines = readFileSync(join(root, path), 'utf8').split('\n')
  for (let i = 0; i < lines.length; i++) {
    const language = /^```(js|ts)$/.exec(lines[i]!)?.[1]
    if (language === undefined) continue
    const end = lines.indexOf('```', i + 1)
    const name = /^\/\/ ([\w.-]+\.m?[jt]s)\b/.exec(lines[i + 1]!)?.[1]
    found.push({ page, line: i + 2, file: name ?? `line-${i + 2}.m${language}`, named: name !== undefined, code: `${lines.slice(i + 1, end).join('\n')}\n` })
    i = end
  }
  return found
}

const paths = ['README.md', ...readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)]
const blocks = paths.flatMap(blocksOf)

/** Names that pages use without importing them, by module. */
const NAMES = {
  vaiven: 'connect listen openLobby joinLobby createHost',
  'vaiven/rpc': 'defineNode rpc property arg t RpcError',
  'vaiven/simulator': 'profiles Network VirtualSessions ImpairedEndpoint',
  'vaiven/godot': 'godot3 godotCompressor godotCompressors',
}

/** And the game around the lines that are shown. A block that imports or declares a name itself has its own. */
const GIVEN = `
import type { ClientLobby, GameSession, UdpHost, UdpSession } from 'vaiven'
import type { CallContext } from 'vaiven/rpc'
const Lobby = (await import('vaiven/rpc')).defineNode('lobby', {
  registerPlayer: rpc.remote(t.record({ name: t.string, favoriteColor: t.rgba8 })),
  moved: rpc.remote(t.f32, t.f32).unreliable(),
  roll: rpc.remote(t.range(2, 100)).returns(t.u8),
  fuel: property.remote(t.f32),
})
const Chat = (await import('vaiven/rpc')).defineNode('chat', { say: rpc.remote(t.string) })
const Game = (await import('vaiven/rpc')).defineNode('game', { start: rpc.server() })
const Info = t.record({ name: t.string, color: t.rgba8 })
type L = typeof Lobby
type C = typeof Chat
type G = typeof Game
type I = typeof Info
declare global {
${Object.entries(NAMES).flatMap(([module, names]) => names.split(' ').map((name) => `  const ${name}: typeof import('${module}').${name}`)).join('\n')}
  const Lobby: L
  const Chat: C
  const Game: G
  const Info: I
  const session: UdpSession
  const network: import('vaiven/simulator').Network
  // Some pages call a host so, others the name of one.
  const host: UdpHost & string
  const port: number
  const bytes: Uint8Array
  const signal: AbortSignal
  const id: number
  const a: number
  const b: number
  const me: { name: string; favoriteColor: import('vaiven/rpc').Rgba }
  const color: import('vaiven/rpc').Rgba
  const players: Map<number, unknown>
  const admins: Set<number>
  const roster: Map<number, unknown> & { add(id: number, info: object): void }
  const tickets: { find(text: string): Promise<object | undefined> }
  const handlers: { start(context: CallContext): void }
  const world: { step(): void; run(): void; all: { spawn(...values: unknown[]): void } }
  const game: { run(): void }
  const loadLevel: (signal: AbortSignal) => Promise<void>
}
`

/** The compiler in a shell of its own: tap's hooks into child processes of Node do not agree with it. */
const typeCheck = (cwd: string): string => {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  try {
    return execFileSync('env', ['-u', 'NODE_OPTIONS', process.execPath, tsc, '-p', '.', '--pretty', 'false'], { cwd, encoding: 'utf8' })
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout)
  }
}

t.test('every block of js and ts is type-checked against the sources', (t) => {
  t.ok(blocks.length > 40, `${blocks.length} blocks`)
  const places = new Map<string, Block>()
  for (const block of blocks) {
    const path = join('check', block.page, block.file)
    if (places.has(path)) t.fail(`${block.page}.md has two blocks called ${block.file}`)
    mkdirSync(join(folder, dirname(path)), { recursive: true })
    writeFileSync(join(folder, path), `${block.code}export {}\n`)
    places.set(path, block)
  }
  writeFileSync(join(folder, 'check', 'given.ts'), GIVEN)
  const src = relative(join(folder, 'check'), join(root, 'src'))
  const sources = { vaiven: 'index.ts', 'vaiven/transport': 'transport/index.ts', 'vaiven/session': 'session/index.ts',
    'vaiven/rpc': 'rpc/index.ts', 'vaiven/simulator': 'simulator.ts', 'vaiven/godot': 'godot/index.ts' }
  writeFileSync(join(folder, 'check', 'tsconfig.json'), JSON.stringify({
    extends: relative(join(folder, 'check'), join(root, 'tsconfig.json')),
    compilerOptions: {
      rootDir: root, noEmit: true, allowJs: true, checkJs: true, erasableSyntaxOnly: false, declaration: false, declarationMap: false, sourceMap: false, isolatedDeclarations: false,
      // Programs of readers are not held to our own rules.
      noImplicitAny: false, noUncheckedIndexedAccess: false, noUnusedLocals: false, noUnusedParameters: false,
      noPropertyAccessFromIndexSignature: false, exactOptionalPropertyTypes: false, verbatimModuleSyntax: false,
      lib: ['es2023', 'esnext.disposable'],
      paths: Object.fromEntries(Object.entries(sources).map(([name, file]) => [name, [`${src.startsWith('.') ? '' : './'}${src}/${file}`]])),
    },
    include: ['.'],
  }))
  const complaints = typeCheck(join(folder, 'check'))
  for (const complaint of complaints.split('\n').filter((line) => /error TS/.test(line))) {
    const [, path = '', line = '', text = ''] = /^(.*?)\((\d+),\d+\): (.*)$/.exec(complaint) ?? [, '', '', complaint]
    const block = places.get(relative(folder, resolve(join(folder, 'check'), path)))
    t.fail(block === undefined ? complaint : `${block.page}.md:${block.line + Number(line) - 1}: ${text}`)
  }
  t.end()
})

t.test('links between pages lead somewhere', (t) => {
  for (const path of paths) {
    for (const [, target] of readFileSync(join(root, path), 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      t.ok(existsSync(join(root, dirname(path), target!)), `${path} → ${target}`)
    }
  }
  t.end()
})

/** The programs of a page in a folder, on a port that is free instead of 7777. */
const lay = async (page: string): Promise<string> => {
  const socket = createSocket('udp4').bind(0)
  await once(socket, 'listening')
  const { port } = socket.address()
  await new Promise<void>((done) => socket.close(done))
  const at = join(folder, 'run', page)
  mkdirSync(at, { recursive: true })
  for (const block of blocks) {
    if (block.page === page && block.named) writeFileSync(join(at, block.file), block.code.replaceAll('7777', String(port)))
  }
  return at
}

/** A program and what it printed so far. */
const start = (t: Test, at: string, file: string, ...options: string[]) => {
  const child = spawn(process.execPath, [...options, file], { cwd: at, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_OPTIONS: '' } })
  const program = { child, output: '', printed: (what: RegExp) => until(() => what.test(program.output)) }
  const until = async (holds: () => boolean): Promise<void> => {
    const timeout = AbortSignal.timeout(20_000)
    while (!holds()) {
      if (child.exitCode !== null || timeout.aborted) throw new Error(`${file} printed only: ${program.output}`)
      await Promise.race([once(child.stdout, 'data', { signal: timeout }), once(child, 'exit', { signal: timeout })])
    }
  }
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (program.output += text))
  t.teardown(() => child.kill('SIGKILL'))
  return program
}

const finished = async ({ child }: ReturnType<typeof start>): Promise<number | null> => {
  if (child.exitCode === null) await once(child, 'exit', { signal: AbortSignal.timeout(20_000) })
  return child.exitCode
}

void t.test('the lobby of the README, played by two', async (t) => {
  const at = await lay('README')
  const server = start(t, at, 'server.mjs')
  const one = start(t, at, 'client.mjs')
  await server.printed(/Johnson Magenta joined; 1 here/)
  const two = start(t, at, 'client.mjs')
  await server.printed(/Johnson Magenta joined; 2 here/)
  await one.printed(/Johnson Magenta is here/)
  await two.printed(/Johnson Magenta is here/)
})

void t.test('getting started: the table, and its test', async (t) => {
  const at = await lay('getting-started')
  const server = start(t, at, 'server.mjs')
  await server.printed(/listening on port \d+/)
  const client = start(t, at, 'client.mjs')
  t.equal(await finished(client), 0)
  t.match(client.output, /you are one of 1\n/)
  t.match(client.output, /rolled \d+\n/)
  await server.printed(/\d+ says hello\n\d+ is gone: left\n/)
  const test = start(t, at, 'table.test.mjs', '--test')
  t.equal(await finished(test), 0, test.output)
})

void t.test('the game loop, and a dedicated server that drains when it is asked to end', async (t) => {
  const loop = start(t, await lay('game-loop'), 'server.mjs')
  await loop.printed(/racing on port \d+/)
  loop.child.kill('SIGINT')
  t.equal(await finished(loop), 0, loop.output)
  const server = start(t, await lay('server'), 'server.mjs')
  await server.printed(/listening on port \d+/)
  server.child.kill('SIGTERM')
  t.equal(await finished(server), 0, server.output)
})
