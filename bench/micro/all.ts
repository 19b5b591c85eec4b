// Runs the micro benchmarks and puts their results into tables: nanoseconds and allocated bytes per operation, ours beside the naive twin
// or Node's own. A case is called `operation` or `operation — whose`.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type Benchmark from 'benchmark'
import { TableBuilder } from '../lib/report.ts'
import type { Settings, Table } from '../lib/report.ts'
import { median } from '../lib/statistics.ts'

const SUITES = [
  () => import('./wire.ts'),
  () => import('./containers.ts'),
  () => import('./host.ts'),
  () => import('./crc32.ts'),
  () => import('./aead.ts'),
  () => import('./range-coder.ts'),
  () => import('./codec.ts'),
] as const

export const micro = async ({ quick, progress }: Settings): Promise<Table[]> => {
  const tables: Table[] = []
  for (const load of SUITES) {
    const { suite } = await load()
    const name = (suite as unknown as { name: string }).name
    const time = new TableBuilder({
      id: `micro-${name.replaceAll(' ', '-')}`,
      title: `Micro: ${name}`,
      about: 'Nanoseconds per operation (mean of the benchmark package) and bytes allocated per operation, heap and outside of it.',
      kind: 'clock',
    })
    const cases = suite.map((bench: Benchmark) => bench) as unknown as Benchmark[]
    const chosen = quick ? cases.filter((_, i) => name !== 'codec' || i < 6) : cases
    // Compiled before it is measured, and all of a suite, for what one case teaches the compiler another may unteach.
    for (const bench of chosen) warmUp((bench as unknown as { fn: () => void }).fn, quick ? 60 : 300)
    for (const bench of chosen) {
      const { name: full = '' } = bench as unknown as { name?: string }
      progress(`micro: ${full}`)
      const [operation = full, whose = 'vaiven'] = full.split(' — ')
      const made = (bench as unknown as { options: Benchmark.Options }).options
      made.maxTime = quick ? 0.08 : 0.4
      made.minSamples = quick ? 5 : 20
      made.minTime = quick ? 0.005 : 0.02
      bench.run({ async: false })
      time.add(`${operation}-ns`, operation, 'ns', 'lower', whose, 1e9 / bench.hz)
      time.add(`${operation}-bytes`, `${operation}, allocated`, 'bytes', 'lower', whose,
        allocated((bench as unknown as { fn: () => void }).fn))
    }
    tables.push(time.build())
  }
  return tables
}

const warmUp = (call: () => void, forMs: number): void => {
  for (const end = performance.now() + forMs; performance.now() < end; ) for (let i = 0; i < 50; i++) call()
}

/** Bytes that one call leaves behind for the garbage collector: median of a few batches without a collection in between. */
const allocated = (call: () => void): number => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const samples: number[] = []
  // As many calls as fit well into the young generation.
  let count = 500
  for (let i = 0; i < count; i++) call()
  for (let round = 0; round < 9; round++) {
    collect()
    const before = process.memoryUsage()
    for (let i = 0; i < count; i++) call()
    const after = process.memoryUsage()
    const bytes = after.heapUsed - before.heapUsed + after.external - before.external
    if (bytes < 0) count = Math.max(20, count >> 1)
    else samples.push(bytes / count)
  }
  // What looking itself leaves behind is less than a byte per call.
  const found = median(samples)
  return found < 2 ? 0 : found
}
