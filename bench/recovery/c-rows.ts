// Rows beside the stock C library, and towards it.

import type { Row } from './bars.ts'
import type { StockEnet } from './c-host.ts'
import { lean, play, redundant } from './game-rows.ts'
import type { Scale } from './game-rows.ts'
import { TOWARDS_C, TOWARDS_C_SEEDS } from './prototype.ts'
import { percentile } from './workloads.ts'
import type { GameCell } from './workloads.ts'

export const cRows = (scale: Scale, stock: StockEnet): Row[] => {
  const c = stock(1)
  return [
    {
      key: 'beside-c', what: 'p99.9 of C ENet / ours on the same path, RTT 100', bar: '>= 3 at 5 %, >= 8 at 10 %', unit: ' x',
      measure: () => [0.05, 0.1].map((lossRatio) => {
        const cell = { rttMs: 100, conditions: { lossRatio }, durationMs: scale.gameMs, seed: 11 }
        const theirs = percentile(play(c, cell).latenciesMs, 0.999)
        const mine = percentile(play(lean, cell).latenciesMs, 0.999)
        return {
          name: `${lossRatio * 100} %`, value: theirs / mine, atLeast: lossRatio === 0.05 ? 3 : 8,
          detail: `${theirs.toFixed(0)} / ${mine.toFixed(0)} ms`,
        }
      }),
    },
    {
      key: 'bytes', what: 'bytes on the wire without loss / C ENet', bar: '<= 1.01', unit: '',
      measure: () => [50, 100].flatMap((rttMs) => {
        const cell = { rttMs, conditions: {}, durationMs: Math.min(60_000, scale.gameMs), seed: 11 }
        const theirs = play(c, cell).bytes
        return [
          { name: `RTT ${rttMs}, own peers`, value: play(lean, cell).bytes / theirs, atMost: 1.01 },
          { name: `RTT ${rttMs}, redundant`, value: play(redundant, cell).bytes / theirs, atMost: 1.01 },
          { name: `RTT ${rttMs}, towards a C host`, value: play(lean, { ...cell, server: c }).bytes / theirs, atMost: 1.01 },
        ]
      }),
    },
    {
      key: 'towards-c', what: 'ours towards an unmodified C receiver: p99 and p99.9 / the prototype', bar: '<= 1.10', unit: '',
      measure: () => TOWARDS_C.filter(({ rttMs }) => scale.rttsMs.includes(rttMs)).flatMap(({ name, rttMs, conditions, pollMs, ...figures }) =>
        [lean, redundant].flatMap((one) => {
          const latenciesMs = TOWARDS_C_SEEDS.flatMap((seed) => play(one, {
            rttMs, conditions, durationMs: Math.min(120_000, scale.gameMs), seed, measured: 'towards the server', server: stock(pollMs),
          }).latenciesMs)
          return ([[0.99, 0], [0.999, 1]] as const).map(([share, i]) => {
            const theirs = figures[one === lean ? 'lean' : 'redundant'][i]
            const mine = percentile(latenciesMs, share)
            const detail = `${mine.toFixed(1)} / ${theirs} ms`
            return { name: `${name}, ${one.name} p${share * 100}`, value: mine / theirs, atMost: 1.1, detail }
          })
        })),
    },
    {
      key: 'towards-c-33', what: 'ours towards a C receiver polled every 33 ms, RTT 100: p99 / C ENet to the same', bar: '<= 1.00', unit: '',
      measure: () => [0, 0.05, 0.1].map((lossRatio) => {
        const cell: GameCell = {
          rttMs: 100, conditions: { lossRatio }, durationMs: Math.min(120_000, scale.gameMs), seed: 11, measured: 'towards the server',
          server: stock(33),
        }
        const mine = percentile(play(lean, cell).latenciesMs, 0.99)
        const theirs = percentile(play(c, cell).latenciesMs, 0.99)
        return { name: `${lossRatio * 100} %`, value: mine / theirs, atMost: 1.005, detail: `${mine.toFixed(0)} / ${theirs.toFixed(0)} ms` }
      }),
    },
  ]
}
