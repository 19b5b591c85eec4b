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

/** The prototype's receiver was polled once a tick. */
const POLL_MS = 1000 / 60
/** Of so many seeds together, of 120 s each. */
export const TOWARDS_C_SEEDS = [11, 12, 13, 14]

/**
 * Towards an unmodified C receiver, one way: poll interval, RTT, loss, lean p99 and p99.9, redundant. The phase between the ticks of the
 * sender and the polls of the receiver moves a percentile by up to 18 ms and stays the same for a whole run, so these are of four
 * seeds together.
 */
export const TOWARDS_C: readonly (PrototypeCell & { readonly pollMs: number; readonly loss: number })[] = (
  [
    [1, 50, 0, 26.2, 26.2, 26.2, 26.2], [1, 50, 0.02, 79, 79.7, 38.2, 61.5],
    [1, 50, 0.05, 79.6, 91.9, 39.3, 62.3], [1, 50, 0.1, 86, 96, 41.9, 62.7],
    [1, 100, 0, 51.2, 51.2, 51.2, 51.2], [1, 100, 0.02, 154.2, 154.7, 65.9, 120.6],
    [1, 100, 0.05, 154.7, 167.2, 67.6, 138], [1, 100, 0.1, 162.3, 173.5, 70.9, 137.6],
    [POLL_MS, 50, 0, 41.3, 41.3, 41.3, 41.3], [POLL_MS, 50, 0.02, 99.2, 108, 49.2, 69.7],
    [POLL_MS, 50, 0.05, 108, 119.7, 49.2, 94.6], [POLL_MS, 50, 0.1, 119.7, 124.7, 53, 99.2],
    [POLL_MS, 100, 0, 65.9, 65.9, 65.9, 65.9], [POLL_MS, 100, 0.02, 177.9, 182.5, 74.7, 153],
    [POLL_MS, 100, 0.05, 182.5, 194.6, 77.9, 165.9], [POLL_MS, 100, 0.1, 191.3, 211.3, 86.3, 169.7],
  ] as const
).map(([pollMs, rttMs, loss, lean99, lean999, red99, red999]) => ({
  name: `RTT ${rttMs}, ${loss * 100} %, polled every ${pollMs.toFixed(0)} ms`,
  pollMs, rttMs, loss, conditions: { lossRatio: loss }, lean: [lean99, lean999], redundant: [red99, red999],
}))
