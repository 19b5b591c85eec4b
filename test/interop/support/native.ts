// Compiles the C programs of test/interop/c against the stock libenet, once, into a cache keyed by their source; knows
// whether that is possible here, and what to do when it is not.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Paths of the programs. */
export interface Native {
  readonly server: string
  readonly client: string
  readonly oracle: string
}

/**
 * The compiled programs, or the reason why there are none: no Linux, no compiler, no libenet.
 * On a build machine (`CI=true`) a missing C library is a failure, never a skip.
 */
export const native: { readonly programs: Native | null; readonly skipReason: string | false } = prepare()

/** For `t.test(name, { skip: skipReason }, …)`: false where the C library can be used. */
export const skipReason: string | false = native.skipReason

/** The programs, where `skipReason` is false. */
export const programs = (): Native => {
  if (native.programs === null) throw new Error(`no C library: ${String(native.skipReason)}`)
  return native.programs
}

function prepare(): { programs: Native | null; skipReason: string | false } {
  const missing = whatIsMissing()
  if (missing !== null) {
    if (process.env['CI'] === 'true') throw new Error(`the interoperability tests cannot run: ${missing}`)
    return { programs: null, skipReason: missing }
  }
  return { programs: compileAll(), skipReason: false }
}

function whatIsMissing(): string | null {
  // The oracle replaces libc calls by symbol interposition and talks through named pipes.
  if (process.platform !== 'linux') return 'the C programs of test/interop need Linux'
  if (spawnSync('cc', ['--version']).status !== 0) return 'no C compiler (install gcc)'
  const probe = spawnSync('cc', ['-x', 'c', '-', '-o', '/dev/null', '-lenet'], {
    input: '#include <enet/enet.h>\nint main (void) { return enet_initialize (); }\n',
  })
  return probe.status === 0 ? null : 'no libenet with headers (install libenet-dev)'
}

function compileAll(): Native {
  const root = packageRoot()
  const source = join(root, 'test', 'interop', 'c')
  const hash = createHash('sha256')
  for (const file of readdirSync(source).sort()) hash.update(file).update(readFileSync(join(source, file)))
  const folder = join(root, 'node_modules', '.cache', 'vaiven-interop', hash.digest('hex').slice(0, 16))
  const found = { server: join(folder, 'server'), client: join(folder, 'client'), oracle: join(folder, 'oracle') }
  if (existsSync(join(folder, 'complete'))) return found

  // Several test processes may do this at the same time: each compiles for itself, and whoever renames first wins.
  const mine = `${folder}.${process.pid}`
  mkdirSync(mine, { recursive: true })
  const options = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Wno-unused-function']
  for (const name of Object.keys(found)) {
    // -rdynamic: the library must find the oracle's own socket and clock functions before libc's.
    const extra = name === 'oracle' ? ['-rdynamic'] : []
    const done = spawnSync('cc', [...options, ...extra, '-o', join(mine, name), join(source, `${name}.c`), '-lenet'], { encoding: 'utf8' })
    if (done.status !== 0) throw new Error(`compiling ${name}.c failed:\n${done.stderr}`)
  }
  writeFileSync(join(mine, 'complete'), '')
  try {
    renameSync(mine, folder)
  } catch {
    rmSync(mine, { recursive: true, force: true })
  }
  return found
}

/** The folder of the package.json above this file, whether it runs from source or compiled. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) {
    const above = dirname(folder)
    if (above === folder) throw new Error('no package.json above the tests')
    folder = above
  }
  return folder
}
