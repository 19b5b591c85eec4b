// What a figure needs beside it: which machine, which Node, which commit, and how busy the machine was with other things.

import { execFileSync } from 'node:child_process'
import { cpus, loadavg, platform, release, totalmem } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { percentile } from './statistics.ts'
import { packageRoot } from './package-root.ts'

/** Where and on what. */
export interface Machine {
  readonly node: string
  readonly cpu: string
  readonly cores: number
  readonly memoryGb: number
  readonly system: string
  /** Short hash, with `+` when files differ from it; `unknown` outside of git. */
  readonly commit: string
  /** ISO, minutes. */
  readonly date: string
}

export const machine = (): Machine => ({
  node: process.version,
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  memoryGb: Math.round(totalmem() / 2 ** 30),
  system: `${platform()} ${release()}`,
  commit: commit(),
  date: `${new Date().toISOString().slice(0, 16)}Z`,
})

const commit = (): string => {
  const git = (...args: string[]): string => execFileSync('git', args,
    { cwd: packageRoot, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--', 'src', 'bench') === '' ? '' : '+')
  } catch {
    return 'unknown'
  }
}

/** One look at the machine while none of our contestants runs. */
export interface NoiseSample {
  /** Share of all cores that other programs used, 0 to 1. */
  readonly busy: number
  /** How long a fixed piece of work took, ms. */
  readonly workMs: number
}

/** What the looks add up to. */
export interface Noise {
  readonly busy: number
  /** The slowest fixed piece of work relative to the quickest. */
  readonly drift: number
  readonly load: number
  readonly quiet: boolean
  /** For people. */
  readonly verdict: string
}

/** Above these, wall-clock figures say more about the machine than about the contestants. */
const BUSY_LIMIT = 0.15
const DRIFT_LIMIT = 1.3

const times = (): { idle: number; all: number } =>
  cpus().reduce((sum, { times }) => ({ idle: sum.idle + times.idle, all: sum.all + Object.values(times).reduce((a, b) => a + b, 0) }),
    { idle: 0, all: 0 })

/** Looks for about 150 ms: first how busy others are while we sleep, then how fast we are. */
export const sampleNoise = async (): Promise<NoiseSample> => {
  const before = times()
  await sleep(120)
  const after = times()
  const all = after.all - before.all
  const quickest = Math.min(fixedWork(), fixedWork(), fixedWork())
  return { busy: all === 0 ? 0 : 1 - (after.idle - before.idle) / all, workMs: quickest }
}

const fixedWork = (): number => {
  const start = performance.now()
  let x = 1
  for (let i = 0; i < 3_000_000; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0
  return performance.now() - start + (x === 0 ? 1e-9 : 0)
}

export const judgeNoise = (samples: readonly NoiseSample[]): Noise => {
  // The upper quartile: neighbours come in bursts, and the looks are few.
  const busy = percentile(samples.map((sample) => sample.busy), 75)
  const work = samples.map(({ workMs }) => workMs)
  const drift = Math.max(...work) / Math.min(...work)
  const load = loadavg()[0] ?? 0
  const quiet = busy <= BUSY_LIMIT && drift <= DRIFT_LIMIT
  const facts = `other programs used ${(busy * 100).toFixed(0)} % of the cores, the same work took up to ${drift.toFixed(2)} times as long`
  const verdict = quiet ? `quiet enough (${facts})`
    : `TOO BUSY to trust wall-clock figures (${facts}); ratios within a round and CPU time hold better`
  return { busy, drift, load, quiet, verdict }
}
