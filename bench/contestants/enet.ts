// C ENet, compiled from bench/native/enet.c against the installed library, once.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../lib/package-root.ts'
import type { NativeContestant } from '../lib/contestant.ts'

let compiled: { readonly program: string } | { readonly problem: string } | null = null

const compile = (): { readonly program: string } | { readonly problem: string } => {
  if (process.platform !== 'linux') return { problem: 'the C program of the bench is written for Linux' }
  const source = join(packageRoot, 'bench', 'native', 'enet.c')
  const folder = join(packageRoot, 'node_modules', '.cache', 'vaiven-bench')
  const program = join(folder, `enet-${createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16)}`)
  if (existsSync(program)) return { program }
  mkdirSync(folder, { recursive: true })
  const mine = `${program}.${process.pid}`
  const { status, stderr, error } = spawnSync('cc', ['-std=gnu11', '-O2', '-o', mine, source, '-lenet'], { encoding: 'utf8' })
  if (error !== undefined) return { problem: 'no C compiler (install gcc)' }
  if (status !== 0) return { problem: stderr.includes('enet/enet.h') ? 'no libenet with headers (install libenet-dev)' : stderr }
  renameSync(mine, program)
  return { program }
}

export default {
  name: 'enet',
  about: 'C ENet, the installed libenet, -O2',
  unavailable() {
    compiled ??= compile()
    return 'problem' in compiled ? compiled.problem : null
  },
  program() {
    compiled ??= compile()
    if ('problem' in compiled) throw new Error(compiled.problem)
    return compiled.program
  },
} satisfies NativeContestant
