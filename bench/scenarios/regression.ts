// Figures that are the same on every machine, few enough for every test run, and what counts as worse. The baseline is
// test/fixtures/bench-baseline.json; `npm run bench -- baseline` writes it anew.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot } from '../lib/package-root.ts'
import { ours, stage } from '../lib/virtual.ts'
import type { VirtualContestant } from '../lib/virtual.ts'
import { goodput } from './bottleneck.ts'
import { roundTrips } from './calls.ts'
import { idle } from './connections.ts'
import { play } from './game-tick.ts'
import { latencies } from './latency-loss.ts'

/** Figures by name. Names that end in Mbit or Percent are better when higher, all others when lower. */
export type Figures = Readonly<Record<string, number>>

const RUNS = 12

/** Measures all of them: a few seconds. */
export const measure = async (contestant: VirtualContestant = ours('vaiven', 'default options')): Promise<Figures> => {
  const figures: Record<string, number> = {}
  for (const [name, conditions] of [
    ['clean', {}], ['loss5', { lossRatio: 0.05 }], ['loss20', { lossRatio: 0.2 }],
    ['burst5', { burstLoss: { lossRatio: 0.05, meanBurstMs: 50 } }],
  ] as const) {
    // Several runs together: one alone moves by more than is tolerated when chance falls differently.
    const runs = Array.from({ length: RUNS }, (_, run) => latencies(contestant, { latencyMs: 50, ...conditions },
      { seed: 11 + run, seconds: 20 }))
    const sorted = runs.flatMap((run) => run.sorted).sort((a, b) => a - b)
    const sum = (of: 'bytesOnWire' | 'datagrams' | 'messages'): number => runs.reduce((total, run) => total + run[of], 0)
    figures[`ordered.${name}.meanMs`] = sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length
    figures[`ordered.${name}.slowest1PercentMeanMs`] = tailMean(sorted)
    figures[`ordered.${name}.bytesPerMessage`] = sum('bytesOnWire') / sum('messages')
    figures[`ordered.${name}.datagramsPerMessage`] = sum('datagrams') / sum('messages')
    figures[`ordered.${name}.arrivedPercent`] = 100 - (100 * runs.reduce((total, run) => total + run.missing, 0)) / sorted.length
  }
  for (const loss of [0, 0.01]) {
    const path = { latencyMs: 30, rateBytesPerSecond: 2_500_000, queueBytes: 150_000, lossRatio: loss }
    figures[`bulk.loss${loss * 100}.Mbit`] = goodput(contestant, path, { seed: 11, bytes: 5_000_000 })
  }
  const game = play(contestant, { seed: 11, clients: 30, hz: 30, seconds: 5 })
  figures['game.datagramsPerClientTick'] = game.datagramsPerTick / 30
  figures['game.bytesPerClientTick'] = game.bytesPerTick / 30
  figures['game.deliveredPercent'] = (100 * game.delivered) / game.expected
  const coming = stage(contestant, { seed: 11, path: { latencyMs: 25, lossRatio: 0.1 }, clients: 40 })
  coming.close()
  figures['connect.loss10.meanMs'] = coming.connectMs.reduce((sum, ms) => sum + ms, 0) / 40
  const quiet = idle(11, 200)
  figures['idle.runsPerPeerSecond'] = quiet.runs / 200
  figures['idle.datagramsPerPeerSecond'] = quiet.datagrams / 200
  figures['idle.bytesPerPeerSecond'] = quiet.bytes / 200
  const calls = await roundTrips({ seed: 11, loss: 0.05, count: 1500 })
  figures['call.loss5.meanMs'] = calls.reduce((sum, ms) => sum + ms, 0) / calls.length
  figures['call.loss5.slowest1PercentMeanMs'] = tailMean(calls)
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, Number(value.toPrecision(6))]))
}

/** The mean of the slowest hundredth: a percentile jumps by a whole tick when chance falls differently, this does not. */
const tailMean = (sorted: readonly number[]): number => {
  const tail = sorted.slice(Math.floor(sorted.length * 0.99))
  return tail.reduce((sum, ms) => sum + ms, 0) / tail.length
}

/** One figure that moved. */
export interface Move {
  readonly name: string
  readonly before: number
  readonly after: number
}

/** How much worse a figure may be than the baseline, as a share: chance falls differently when anything about sending changes. */
export const TOLERANCE = 0.05
/** How much better before somebody is asked to lift the baseline. */
const LIFT = 0.1

/** What became worse than is tolerated, what became so much better that the baseline should follow, and what is missing on either side. */
export const judge = (baseline: Figures, now: Figures): { readonly worse: Move[]; readonly better: Move[]; readonly missing: string[] } => {
  const worse: Move[] = []
  const better: Move[] = []
  const missing = [...Object.keys(baseline).filter((name) => !(name in now)), ...Object.keys(now).filter((name) => !(name in baseline))]
  for (const [name, before] of Object.entries(baseline)) {
    const after = now[name]
    if (after === undefined) continue
    const gain = (name.endsWith('Mbit') || name.endsWith('Percent') ? after - before : before - after) / Math.max(before, 1e-9)
    if (gain < -TOLERANCE) worse.push({ name, before, after })
    else if (gain > LIFT) better.push({ name, before, after })
  }
  return { worse, better, missing }
}

export const baselineFile: string = join(packageRoot, 'test', 'fixtures', 'bench-baseline.json')

export const help = `baseline: measures the deterministic figures that the tests compare with, and writes test/fixtures/bench-baseline.json.
Look at the difference before you commit it, and say in the message why it moved.
`

/** Of bench/run.ts. */
export const run = async (): Promise<number> => {
  await writeFile(baselineFile, `${JSON.stringify(await measure(), null, 2)}\n`)
  process.stdout.write(`wrote ${baselineFile}\n`)
  return 0
}
