// Holds the picture of the layers true: who may import whom, and which files touch the outside world.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = resolve(dirname(fileURLToPath(import.meta.url)), ...(import.meta.url.includes('/build') ? ['..', '..', '..'] : ['..', '..']))
const src = join(root, 'src')

const files = (readdirSync(src, { recursive: true }) as string[])
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.replaceAll('\\', '/'))

const importsOf = (name: string): string[] => {
  const text = readFileSync(join(src, name), 'utf8')
  const found = [...text.matchAll(/^(?:import|export)\s[^'"]*?from\s+'([^']+)'|import\('([^']+)'\)|^import\s+'([^']+)'/gm)]
  return found.map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

/** The part of the tree a file belongs to. */
const layerOf = (name: string): string => {
  if (name.startsWith('transport/core/')) return 'core'
  if (name.startsWith('transport/simulator/')) return 'simulator'
  if (name === 'transport/endpoint.ts' || name === 'transport/types.ts') return 'contract'
  if (name.startsWith('transport/')) return 'driver'
  const folder = name.split('/')[0] as string
  return name.includes('/') ? folder : 'front'
}

const ALLOWED: Record<string, readonly string[]> = {
  util: ['util'],
  contract: ['contract'],
  core: ['core', 'contract', 'util'],
  simulator: ['simulator', 'contract', 'util'],
  driver: ['driver', 'core', 'simulator', 'contract', 'util'],
  session: ['session', 'util', 'contract'],
  rpc: ['rpc', 'util'],
  game: ['game', 'session', 'rpc', 'util', 'contract'],
  godot: ['godot', 'session', 'rpc', 'game', 'util', 'contract'],
  front: ['front', 'game', 'session', 'rpc', 'godot', 'driver', 'core', 'simulator', 'contract', 'util'],
  cli: ['cli', 'front', 'game', 'session', 'rpc', 'godot', 'driver', 'core', 'simulator', 'contract', 'util'],
}

/** Node modules that a layer, or one file of it, may use. Everything else in a pure layer is a mistake. */
const NODE: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^transport\/core\/crc32\.ts$/, ['node:zlib']],
  [/^transport\/(udp|udp-host|create-host|resolve|address|connecting)\.ts$/, ['node:dgram', 'node:dns', 'node:net', 'node:events', 'node:crypto', 'node:perf_hooks']],
  [/^session\//, ['node:events', 'node:diagnostics_channel', 'node:perf_hooks']],
  [/^(rpc|game)\//, ['node:diagnostics_channel', 'node:events']],
  [/^godot\/(compression|zstd)\.ts$/, ['node:zlib']],
  [/^(open|udp-session)\.ts$/, ['node:net', 'node:events', 'node:crypto', 'node:perf_hooks', 'node:dns']],
  [/^cli\//, ['node:']],
]

t.test('every import points down or stays inside its folder', (t) => {
  for (const name of files) {
    const layer = layerOf(name)
    for (const target of importsOf(name)) {
      if (!target.startsWith('.')) continue
      const to = relative(src, resolve(src, dirname(name), target)).replaceAll('\\', '/')
      // Godot's compressions contain ENet's own, which stands in the core and knows nothing of it.
      if (layer === 'godot' && to === 'transport/core/range-coder.ts') continue
      if (!(ALLOWED[layer] ?? []).includes(layerOf(to))) t.fail(`${name} (${layer}) imports ${to} (${layerOf(to)})`)
    }
  }
  t.ok(files.length > 50, 'the tree was found')
  t.end()
})

t.test('only the named files use modules of Node, and nothing uses a package', (t) => {
  for (const name of files) {
    for (const target of importsOf(name)) {
      if (target.startsWith('.')) continue
      const allowed = NODE.filter(([pattern]) => pattern.test(name)).flatMap(([, modules]) => modules)
      if (!target.startsWith('node:')) t.fail(`${name} imports the package ${target}`)
      else if (!allowed.some((module) => target.startsWith(module))) t.fail(`${name} imports ${target}`)
    }
  }
  t.pass('looked')
  t.end()
})

t.test('no clock, timer, chance or transcendental function where the layer is pure', (t) => {
  const impure = /\b(Date\.now|new Date\(\)|performance\.now|Math\.random|(?<![.\w])set(?:Timeout|Interval|Immediate)\(|process\.(env|hrtime|on)|Math\.(exp|log|log2|log10|pow|sin|cos|tan|cbrt)\()/
  for (const name of files) {
    const layer = layerOf(name)
    if (!['util', 'contract', 'core', 'simulator'].includes(layer)) continue
    readFileSync(join(src, name), 'utf8').split('\n').forEach((line, i) => {
      const code = line.replace(/\/\/.*$/, '').replace(/^\s*\*.*$/, '')
      // `setTimeout` is also the name of a method of Peer: its declaration and calls of it do not count.
      const found = impure.exec(code.replace(/^\s*setTimeout\(timeout:/, ''))
      if (found !== null) t.fail(`src/${name}:${i + 1} uses ${found[0]}`)
    })
  }
  t.pass('looked')
  t.end()
})
