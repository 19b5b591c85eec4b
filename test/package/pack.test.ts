// The package as a user gets it: packed, installed into three empty projects, imported, required and type-checked there.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, unknown>
  dependencies?: Record<string, string>
  scripts: Record<string, string>
}
const folder = mkdtempSync(join(tmpdir(), 'vaiven-pack-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

const run = (cwd: string, command: string, ...args: string[]): string =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_OPTIONS: '' } })

/** The compiler in a shell of its own: tap's hooks into child processes of Node do not agree with it. */
const typeCheck = (cwd: string): string =>
  run(cwd, 'env', '-u', 'NODE_OPTIONS', process.execPath, join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', '.')

const packed = JSON.parse(run(root, 'npm', 'pack', '--ignore-scripts', '--json', '--pack-destination', folder)) as
  | { filename: string; files: { path: string }[] }[]
  | Record<string, { filename: string; files: { path: string }[] }>
const [tarball] = Object.values(packed) as { filename: string; files: { path: string }[] }[]
if (tarball === undefined) throw new Error('npm pack printed nothing')

const project = (name: string, type: string): string => {
  const at = join(folder, name)
  mkdirSync(at)
  writeFileSync(join(at, 'package.json'), JSON.stringify({ name, private: true, type }))
  run(at, 'npm', 'install', '--no-audit', '--no-fund', '--offline', join(folder, tarball.filename))
  return at
}

const entries = Object.keys(manifest.exports).filter((name) => !name.endsWith('.json')).map((name) => `vaiven${name.slice(1)}`)

const TALK = `IMPORT
const main = async () => {
  const server = await createHost({ host: '127.0.0.1', maxPeers: 2 })
  const client = await createHost({ host: '127.0.0.1' })
  server.on('receive', (peer, channel, bytes) => peer.send(channel, bytes))
  client.on('receive', async (peer, channel, bytes) => {
    console.log(Buffer.from(bytes).toString())
    await client.close()
    await server.close()
  })
  const peer = await client.connect({ host: '127.0.0.1', port: server.address.port })
  peer.send(0, Buffer.from('hello'))
}
main()
`

const TYPED = `import { createHost, Host } from 'vaiven/transport'
import type { Peer, HostEvent } from 'vaiven/transport'
const host = await createHost({ port: 0, maxPeers: 4 })
host.on('receive', (peer: Peer, channel: number, bytes: Uint8Array) => { peer.send(channel, bytes, 'unreliable') })
const pure = new Host({ seed: 1 })
const event: HostEvent | null = pure.pollEvent()
if (event?.type === 'disconnect') console.log(event.reason satisfies string, event.data.toFixed())
await host.close()
`

t.test('nothing runs at install, nothing else is installed, and no test or tool is inside', (t) => {
  t.equal(manifest.dependencies, undefined, 'no run-time dependencies')
  for (const script of ['preinstall', 'install', 'postinstall', 'prepare']) t.notOk(script in manifest.scripts, `no ${script} script`)
  const foreign = tarball.files.map(({ path }) => path).filter((path) => !/^(dist|src)\/|^(package\.json|README\.md|LICENSE|SPEC\.md|CHANGELOG\.md|SECURITY\.md)$/.test(path))
  t.same(foreign, [])
  t.end()
})

t.test('an ESM project imports every entry', (t) => {
  const at = project('esm', 'module')
  for (const entry of entries) {
    writeFileSync(join(at, 'main.js'), `import * as all from '${entry}'\nconsole.log(Object.keys(all).length)\n`)
    t.ok(Number(run(at, process.execPath, 'main.js')) > 0, entry)
  }
  writeFileSync(join(at, 'talk.js'), TALK.replace('IMPORT', "import { createHost } from 'vaiven/transport'"))
  t.equal(run(at, process.execPath, 'talk.js').trim(), 'hello')
  t.match(run(at, process.execPath, 'node_modules/vaiven/dist/cli/main.js', '--help'), /echo/, 'the command runs')
  t.end()
})

t.test('a CommonJS project requires every entry', (t) => {
  const at = project('cjs', 'commonjs')
  for (const entry of entries) {
    writeFileSync(join(at, 'main.js'), `console.log(Object.keys(require('${entry}')).length)\n`)
    t.ok(Number(run(at, process.execPath, '--no-warnings', 'main.js')) > 0, entry)
  }
  writeFileSync(join(at, 'talk.js'), TALK.replace('IMPORT', "const { createHost } = require('vaiven/transport')"))
  t.equal(run(at, process.execPath, '--no-warnings', 'talk.js').trim(), 'hello')
  t.end()
})

t.test('a strict TypeScript project with nodenext type-checks against every entry', (t) => {
  const at = project('typescript', 'module')
  mkdirSync(join(at, 'node_modules', '@types'), { recursive: true })
  for (const name of ['@types/node', 'undici-types']) symlinkSync(join(root, 'node_modules', name), join(at, 'node_modules', name))
  writeFileSync(join(at, 'tsconfig.json'), JSON.stringify({ compilerOptions: { strict: true, module: 'nodenext', target: 'es2022', lib: ['es2023', 'esnext.disposable'], types: ['node'], noEmit: true, exactOptionalPropertyTypes: true } }))
  const uses = entries.map((entry, i) => `import * as entry${i} from '${entry}'\nexport const all${i}: object = entry${i}\n`).join('')
  writeFileSync(join(at, 'main.ts'), `${uses}${TYPED}`)
  t.equal(typeCheck(at).trim(), '')
  writeFileSync(join(at, 'wrong.ts'), "import { createHost } from 'vaiven/transport'\nvoid createHost({ maxPeers: 'many' })\n")
  t.throws(() => typeCheck(at), 'and a mistake is found')
  t.end()
})
