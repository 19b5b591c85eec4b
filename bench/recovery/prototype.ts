// What our prototype simulator measured in the same conditions before the real thing was written (300 s of 60 Hz traffic each,
// request and response 1,500 s), with plain ENet acknowledgements: the figures that the real thing may not exceed by more
// than a tenth where no oracle binds. p99 and p99.9 in ms, lean and redundant.

import { exponential } from '../../src/transport/simulator/chance.ts'
import type { Conditions } from '../../src/transport/simulator/index.ts'
import { SeededRandom } from '../../src/util/random.ts'

export interface PrototypeCell {
  readonly name: string
  readonly rttMs: number
  readonly conditions: Conditions
  readonly lean: readonly [p99: number, p999: number]
  readonly redundant: readonly [p99: number, p999: number]
}

/**
 * Bursts as dead times: of two-state loss with a mean burst and a mean share, exponential stays. The same seeds gave the
 * prototype the very same dead times, since so few bursts decide a percentile that two draws of them cannot be compared.
 */
const bursts = (seed: number, lossRatio: number, meanMs: number): Conditions => {
  const chance = new SeededRandom(seed * 1000 + meanMs)
  const blackouts: { atMs: number; durationMs: number }[] = []
  const goodMs = (meanMs * (1 - lossRatio)) / lossRatio
  for (let atMs = goodMs * exponential(chance); atMs < BURSTS_MS + 10_000; ) {
    const durationMs = meanMs * exponential(chance)
    blackouts.push({ atMs, durationMs })
    atMs += durationMs + goodMs * exponential(chance)
  }
  return { blackouts }
}

/** The figures of bursts are of so much traffic. */
export const BURSTS_MS = 300_000

export interface BurstCell extends Omit<PrototypeCell, 'conditions'> {
  readonly there: Conditions
  readonly back: Conditions
}

export const BURSTS: readonly BurstCell[] = (
  [
    [50, 0.02, 20, 78, 97, 78, 97], [50, 0.05, 40, 109, 208, 105, 204], [50, 0.02, 100, 158, 600, 142, 604],
    [100, 0.02, 20, 153, 153, 153, 153], [100, 0.05, 40, 159, 256, 153, 256], [100, 0.02, 100, 178, 638, 167, 638],
  ] as const
).map(([rttMs, share, meanMs, lean99, lean999, red99, red999]) => ({
  name: `RTT ${rttMs}, ${share * 100} % in ${meanMs} ms`, rttMs, there: bursts(1, share, meanMs), back: bursts(2, share, meanMs),
  lean: [lean99, lean999], redundant: [red99, red999],
}))

const UNIFORM: Conditions = { jitterMs: 10 }
const SPIKES: Conditions = { jitterMs: 3, jitterShape: 'exponential', spikeRatio: 0.005, spikeMs: 30 }
const REORDER: Conditions = { jitterMs: 0.5, jitterShape: 'exponential', reorderByMs: [5, 25] }

/** The kinds of delay variation without loss: every retransmission in them is a wrong one. */
export const VARIATIONS: readonly { readonly name: string; readonly conditions: Conditions }[] = [
  { name: 'even 0 to 10 ms', conditions: UNIFORM },
  { name: 'exponential 3 ms, spikes of 30 ms', conditions: SPIKES },
  { name: '2 % reordered by 5 to 25 ms', conditions: { ...REORDER, reorderRatio: 0.02 } },
  { name: '20 % reordered by 5 to 25 ms', conditions: { ...REORDER, reorderRatio: 0.2 } },
]

/** RTT 100. */
export const VARIED: readonly PrototypeCell[] = [
  { name: 'even 0 to 10 ms, 0 %', rttMs: 100, conditions: UNIFORM, lean: [60, 60], redundant: [60, 60] },
  { name: 'even 0 to 10 ms, 2 %', rttMs: 100, conditions: { ...UNIFORM, lossRatio: 0.02 }, lean: [179, 186], redundant: [69, 163] },
  { name: 'even 0 to 10 ms, 10 %', rttMs: 100, conditions: { ...UNIFORM, lossRatio: 0.1 }, lean: [186, 199], redundant: [76, 167] },
  { name: 'spikes, 0 %', rttMs: 100, conditions: SPIKES, lean: [75, 166], redundant: [75, 166] },
  { name: 'spikes, 2 %', rttMs: 100, conditions: { ...SPIKES, lossRatio: 0.02 }, lean: [177, 203], redundant: [99, 201] },
  { name: 'spikes, 10 %', rttMs: 100, conditions: { ...SPIKES, lossRatio: 0.1 }, lean: [194, 242], redundant: [101, 220] },
  { name: 'reorder 2 %, 0 %', rttMs: 100, conditions: { ...REORDER, reorderRatio: 0.02 }, lean: [66, 75], redundant: [65, 75] },
  {
    name: 'reorder 2 %, 2 %', rttMs: 100, conditions: { ...REORDER, reorderRatio: 0.02, lossRatio: 0.02 },
    lean: [166, 171], redundant: [62, 142],
  },
  {
    name: 'reorder 2 %, 10 %', rttMs: 100, conditions: { ...REORDER, reorderRatio: 0.02, lossRatio: 0.1 },
    lean: [174, 185], redundant: [68, 163],
  },
  { name: 'reorder 20 %, 0 %', rttMs: 100, conditions: { ...REORDER, reorderRatio: 0.2 }, lean: [75, 76], redundant: [75, 76] },
  {
    name: 'reorder 20 %, 2 %', rttMs: 100, conditions: { ...REORDER, reorderRatio: 0.2, lossRatio: 0.02 },
    lean: [184, 198], redundant: [73, 169],
  },
  {
    name: 'reorder 20 %, 10 %', rttMs: 100, conditions: { ...REORDER, reorderRatio: 0.2, lossRatio: 0.1 },
    lean: [198, 217], redundant: [79, 180],
  },
]

/** Towards an unmodified C receiver, one way: poll interval, RTT, loss, lean p99 and p99.9, redundant. */
export const TOWARDS_C: readonly (PrototypeCell & { readonly pollMs: number; readonly loss: number })[] = (
  [
    [1, 50, 0, 26, 26, 26, 26], [1, 50, 0.02, 79, 79, 39, 46], [1, 50, 0.05, 79, 91, 39, 62], [1, 50, 0.1, 86, 92, 40, 62],
    [1, 100, 0, 51, 51, 51, 51], [1, 100, 0.02, 154, 154, 57, 104], [1, 100, 0.05, 154, 168, 57, 137], [1, 100, 0.1, 167, 173, 68, 137],
    [16, 50, 0, 41, 42, 41, 42], [16, 50, 0.02, 104, 121, 52, 85], [16, 50, 0.05, 108, 124, 54, 88], [16, 50, 0.1, 123, 125, 55, 89],
    [16, 100, 0, 67, 67, 67, 67], [16, 100, 0.02, 172, 184, 70, 155], [16, 100, 0.05, 183, 190, 72, 167], [16, 100, 0.1, 188, 205, 74, 170],
  ] as const
).map(([pollMs, rttMs, loss, lean99, lean999, red99, red999]) => ({
  name: `RTT ${rttMs}, ${loss * 100} %, polled every ${pollMs} ms`,
  pollMs, rttMs, loss, conditions: { lossRatio: loss }, lean: [lean99, lean999], redundant: [red99, red999],
}))
