// Rows of game traffic: 60 Hz both ways, two 64-byte reliable ordered messages and an unreliable state a tick; and requests.

import type { Cell, Row } from './bars.ts'
import { outage, outageBarMs } from './outage.ts'
import type { Conditions } from '../../src/transport/simulator/index.ts'
import { BURSTS, BURSTS_MS, VARIATIONS, VARIED } from './prototype.ts'
import type { PrototypeCell } from './prototype.ts'
import { requests } from './requests.ts'
import { game, ours, percentile } from './workloads.ts'
import type { Contestant, GameCell, GameResult } from './workloads.ts'

/** How much virtual time, and which corner of the field. */
export interface Scale {
  readonly gameMs: number
  readonly requestsMs: number
  readonly rttsMs: readonly number[]
  readonly losses: readonly number[]
}

export const FULL: Scale = { gameMs: 300_000, requestsMs: 1_500_000, rttsMs: [20, 50, 100, 200], losses: [0, 0.01, 0.02, 0.05, 0.1, 0.2] }
export const QUICK: Scale = { gameMs: 60_000, requestsMs: 200_000, rttsMs: [50, 100], losses: [0, 0.02, 0.1] }

const SEED = 11

export const lean = ours('lean')
export const redundant = ours('redundant', { redundancy: 'auto' })
/** As towards an unmodified receiver, but in one process: plain acknowledgements. */
export const plain = ours('lean, plain acknowledgements', { extension: false })
const feedback: Contestant = { name: 'feedback oracle', oracle: 'feedback' }
const repeat: Contestant = { name: 'repeat oracle', oracle: 'repeat' }

/** Several rows look at one run. */
const runs = new Map<string, GameResult>()
export const play = (contestant: Contestant, cell: GameCell): GameResult => {
  const key = `${contestant.name} ${JSON.stringify({ ...cell, server: cell.server?.name })}`
  let result = runs.get(key)
  if (result === undefined) runs.set(key, (result = game(contestant, cell)))
  if (result.missing !== 0) throw new Error(`${contestant.name}: ${result.missing} messages never arrived (${key})`)
  return result
}

export const gameRows = (scale: Scale): Row[] => {
  const field = (losses: (loss: number) => boolean): GameCell[] =>
    scale.rttsMs.flatMap((rttMs) =>
      scale.losses.filter(losses).map((lossRatio) => ({ rttMs, conditions: { lossRatio }, durationMs: scale.gameMs, seed: SEED })))
  const ratio = (
    one: Contestant, other: Contestant, share: number, cells: GameCell[], bar: (cell: GameCell, loss: number) => number,
  ): Cell[] =>
    cells.map((cell) => {
      const mine = percentile(play(one, cell).latenciesMs, share)
      const theirs = percentile(play(other, cell).latenciesMs, share)
      const loss = cell.conditions.lossRatio ?? 0
      return {
        name: `RTT ${cell.rttMs}, ${loss * 100} %`, value: mine / theirs, atMost: bar(cell, loss),
        detail: `${mine.toFixed(1)} / ${theirs.toFixed(1)} ms, bar ${bar(cell, loss)}`,
      }
    })
  return [
    {
      key: 'no-loss', what: 'no loss: one-way p99.9 above propagation', bar: '<= 1 ms', unit: ' ms',
      measure: () => field((loss) => loss === 0).map((cell) => ({
        name: `RTT ${cell.rttMs}`, value: percentile(play(lean, cell).latenciesMs, 0.999) - cell.rttMs / 2, atMost: 1,
      })),
    },
    {
      key: 'lean-p99', what: 'lean, p99 / feedback oracle', bar: '<= 1.05 to 5 % loss (RTT 20: 1.12), <= 0.75 from 10 %', unit: '',
      // At 1 % the 99th percentile lies where losses begin: a percentile of a handful of messages, once on this side and once on that.
      measure: () => ratio(lean, feedback, 0.99, field((loss) => loss > 0), ({ rttMs }, loss) => (loss > 0.05 ? 0.75 : rttMs === 20 ? 1.12 : 1.05)),
      known: 'at 1 % loss the 99th percentile lies on the edge between messages that were lost and those that were not',
    },
    {
      key: 'lean-p99.9', what: 'lean, p99.9 / feedback oracle, loss >= 2 %', bar: '<= 1.00', unit: '',
      measure: () => ratio(lean, feedback, 0.999, field((loss) => loss >= 0.02), () => 1),
      known: 'RTT 20, 2 %: a single loss decides, of which the oracle knows 1 to 2 ms sooner than timers of a millisecond; only redundancy helps',
    },
    {
      key: 'redundant-p99', what: 'redundant, p99 / repeat oracle, loss 1 to 10 %', bar: '<= 1.20', unit: '',
      measure: () => ratio(redundant, repeat, 0.99, field((loss) => loss > 0 && loss <= 0.1), () => 1.2),
    },
    {
      key: 'redundant-p99.9', what: 'redundant, p99.9 / feedback oracle, loss >= 2 %', bar: '<= 0.70', unit: '',
      measure: () => ratio(redundant, feedback, 0.999, field((loss) => loss >= 0.02), () => 0.7),
    },
    {
      key: 'spurious', what: 'spurious retransmissions from delay variation alone', bar: '<= 3.5 % of transmissions', unit: ' %',
      measure: () => VARIATIONS.map(({ name, conditions }) => {
        const { sent, retransmissions } = play(lean, { rttMs: 100, conditions, durationMs: scale.gameMs, seed: SEED })
        return { name, value: (100 * retransmissions) / (sent + retransmissions), atMost: 3.5 }
      }),
    },
    againstPrototype('bursts', 'bursts of loss', BURSTS.map(({ there, ...cell }) => ({ ...cell, conditions: there })), BURSTS_MS),
    againstPrototype('variation', 'delay variation and reordering, RTT 100', VARIED, scale.gameMs),
    {
      key: 'requests', what: 'request and response, lean, p99 / feedback oracle', bar: '<= 1.05 (RTT 20: 1.12)', unit: '',
      measure: () => field((loss) => loss >= 0.02).map((cell) => {
        const long = { ...cell, durationMs: scale.requestsMs }
        const mine = requests(lean, long)
        const theirs = requests(feedback, long)
        const loss = cell.conditions.lossRatio ?? 0
        const [p99, least] = [percentile(mine, 0.99), percentile(theirs, 0.99)]
        return {
          name: `RTT ${cell.rttMs}, ${loss * 100} %`, value: p99 / least, atMost: cell.rttMs === 20 ? 1.12 : 1.05,
          detail: `${p99.toFixed(0)} / ${least.toFixed(0)} ms; ${mine.length} calls`,
        }
      }),
    },
    {
      key: 'outage', what: 'dead time T: worst latency of what was sent in it / allowed',
      bar: '<= 1 of max(one-way + RTT + 5 ms, 1.1 T + one-way)', unit: '',
      measure: () => [lean, plain].flatMap((one) => [true, false].flatMap((both) =>
        [20, 50, 100, 150, 200, 300, 500, 1000, 2000].map((deadMs) => {
          const cell = { rttMs: 100, deadMs, both, seed: 3 }
          const worst = outage(one, lean, cell)
          const allowed = outageBarMs(cell)
          const name = `${one.name}, ${both ? 'both ways' : 'one way'}, T = ${deadMs}`
          return { name, value: worst / allowed, atMost: 1, detail: `${worst.toFixed(0)} of ${allowed.toFixed(0)} ms` }
        }))),
    },
  ]
}

/** No worse than the prototype by more than a tenth: p99 and p99.9, lean and redundant. */
const againstPrototype = (
  key: string, what: string, cells: readonly (PrototypeCell & { readonly back?: Conditions })[], durationMs: number,
): Row => ({
  key, what: `${what}: p99 and p99.9 / the prototype's`, bar: '<= 1.10', unit: '',
  measure: () => cells.flatMap(({ name, rttMs, conditions, back, ...figures }) =>
    [lean, redundant].flatMap((one) => {
      const { latenciesMs } = play(one, { rttMs, conditions, ...(back === undefined ? {} : { back }), durationMs, seed: SEED })
      return ([[0.99, 0], [0.999, 1]] as const).map(([share, i]) => {
        const theirs = figures[one === lean ? 'lean' : 'redundant'][i]
        const mine = percentile(latenciesMs, share)
        const detail = `${mine.toFixed(0)} / ${theirs} ms`
        return { name: `${name}, ${one.name} p${share * 100}`, value: mine / theirs, atMost: 1.1, detail }
      })
    })),
})
