// Rows of bulk transfers: alone, beside small messages, beside each other, beside CUBIC.

import { bulk } from './bulk.ts'
import type { BulkCell } from './bulk.ts'
import type { Cell, Row } from './bars.ts'
import { lean, plain } from './game-rows.ts'
import type { StockEnet } from './c-host.ts'
import { mixed } from './mixed.ts'
import { jain, shared } from './shared.ts'
import type { FlowKind } from './shared.ts'
import { percentile } from './workloads.ts'
import type { Contestant } from './workloads.ts'

export interface BulkScale {
  readonly paths: readonly (readonly [mbit: number, rttMs: number, bufferBdp: number])[]
  readonly losses: readonly number[]
  readonly seeds: readonly number[]
  readonly buffers: readonly number[]
  readonly flowCounts: readonly number[]
  /** The next flow comes so long after the one before it; several, since what meets what decides much. */
  readonly gapsMs: readonly number[]
  readonly ownGapsMs: readonly number[]
}

export const FULL_BULK: BulkScale = {
  paths: [[10, 20, 1], [20, 50, 1], [20, 50, 0.25], [20, 100, 1], [20, 100, 10], [20, 200, 1]],
  losses: [0, 0.01, 0.02, 0.05, 0.1, 0.2],
  seeds: [1, 2, 3],
  buffers: [0.5, 1, 2, 4],
  flowCounts: [2, 4, 8],
  gapsMs: [1_000, 1_200, 2_000],
  ownGapsMs: [1_000, 1_074, 1_148, 1_185, 1_259, 2_000],
}
export const QUICK_BULK: BulkScale = {
  paths: [[20, 50, 1]], losses: [0, 0.05, 0.2], seeds: [1], buffers: [0.5, 2], flowCounts: [2, 8], gapsMs: [1_000], ownGapsMs: [1_000],
}

/** What flows share. */
const PATH = { mbitPerSecond: 20, rttMs: 50, seed: 4 }
const ORDERS: readonly FlowKind[][] = [['ours', 'cubic'], ['cubic', 'ours']]
const listed = (shares: readonly number[]): string => `${shares.map((share) => share.toFixed(1)).join(' / ')} Mbit/s`

/** Long enough for the ramp not to decide: at least 80 round trips at the rate of the path. */
const bytesFor = (mbit: number, rttMs: number): number => Math.max(10e6, mbit * 125 * rttMs * 80)

export const bulkRows = (scale: BulkScale, stock: StockEnet | null): Row[] => {
  const cells = (losses: readonly number[], pollMs?: number): BulkCell[] =>
    scale.paths.flatMap(([mbitPerSecond, rttMs, bufferBdp]) =>
      losses.map((lossRatio) => ({
        mbitPerSecond, rttMs, bufferBdp, conditions: { lossRatio }, bytes: bytesFor(mbitPerSecond, rttMs), seed: 1,
        ...(pollMs === undefined ? {} : { pollMs }),
      })))
  const goodput = (receiver: Contestant, twoWay: boolean, list: BulkCell[], bar: (loss: number) => number): Cell[] =>
    list.map((cell) => {
      const loss = cell.conditions.lossRatio ?? 0
      const shares = scale.seeds.map((seed) => {
        const { goodputMbit, boundMbit } = bulk(lean, receiver, { ...cell, seed })
        return goodputMbit / boundMbit / (twoWay ? 1 - loss : 1)
      })
      return {
        name: `${cell.mbitPerSecond} Mbit/s, RTT ${cell.rttMs}, ${cell.bufferBdp} BDP, ${loss * 100} %`,
        value: shares.reduce((sum, share) => sum + share, 0) / shares.length, atLeast: bar(loss),
        detail: `of ${shares.length} seeds ${Math.min(...shares).toFixed(3)} to ${Math.max(...shares).toFixed(3)}`,
      }
    })
  return [
    {
      key: 'bulk-own', what: 'bulk / (capacity x payload share x (1 - loss)), own peers, at least 80 round trips', bar: '>= 0.93', unit: '',
      measure: () => goodput(lean, false, cells(scale.losses), () => 0.93),
    },
    {
      key: 'bulk-plain', what: 'bulk towards a receiver with plain acknowledgements served at once, both losses', bar: '>= 0.92', unit: '',
      measure: () => goodput(plain, true, cells(scale.losses), () => 0.92),
    },
    ...(stock === null ? [] : [
      {
        key: 'bulk-c', what: 'bulk towards the C library served every millisecond, both losses', bar: '>= 0.92', unit: '',
        measure: () => goodput(stock(1), true, cells(scale.losses.filter((loss) => loss !== 0.02)), () => 0.92),
      },
      {
        key: 'bulk-c-16', what: 'the same, polled every 16 ms', bar: '>= 0.80 to 5 %, >= 0.60 from 10 %', unit: '',
        measure: () => goodput(stock(16), true,
          cells(scale.losses.filter((loss) => loss !== 0.02)), (loss) => (loss > 0.05 ? 0.6 : 0.8)),
        known: 'at 20 % a buffer of 12 ms is smaller than what one poll of the receiver lets through'
      },
    ]),
    {
      key: 'first-bulk', what: '4 MB after ten seconds of play, 100 Mbit/s, delays scatter by 15 ms in order: time / the same at once (not asked for)',
      bar: '<= 1.25', unit: '',
      measure: () => [20, 50].flatMap((rttMs) => [lean, plain].map((receiver) => firstBulk(rttMs, receiver, scale.seeds))),
    },
    {
      key: 'standing-queue', what: 'standing queue that a lone bulk flow adds, 10 BDP buffer',
      bar: 'p50 <= 5 ms, p95 <= 15 ms', unit: ' ms',
      measure: () => {
        const { queueMs } = shared({ ...PATH, bufferBdp: 10, flows: ['ours'], gapMs: 0, fromMs: 4_000, untilMs: 62_000 })
        return [{ name: 'p50', value: percentile(queueMs, 0.5), atMost: 5 }, { name: 'p95', value: percentile(queueMs, 0.95), atMost: 15 }]
      },
    },
    {
      key: 'mixed', what: 'small reliable message behind bulk on another channel, no loss, above one-way',
      bar: 'p50 <= 5 ms, p99 <= 20 ms', unit: ' ms',
      measure: () => ([[20, 50, 2], [10, 100, 4]] as const).flatMap(([mbitPerSecond, rttMs, bufferBdp]) => {
        const path = { mbitPerSecond, rttMs, bufferBdp, conditions: {} }
        const { latenciesMs, bulkMbit } = mixed(lean, lean, { ...path, durationMs: 60_000, seed: 11 })
        const above = (share: number): number => percentile(latenciesMs, share) - rttMs / 2
        const name = `${mbitPerSecond} Mbit/s, RTT ${rttMs}, ${bufferBdp} BDP`
        return [
          { name: `${name}, p50`, value: above(0.5), atMost: 5, detail: `bulk ${bulkMbit.toFixed(1)} Mbit/s` },
          { name: `${name}, p99`, value: above(0.99), atMost: 20 },
        ]
      }),
    },
    {
      key: 'cubic', what: 'share against one CUBIC flow, 20 Mbit/s, RTT 50', bar: '0.4 to 1.6 of fair', unit: '',
      measure: () => scale.gapsMs.flatMap((gapMs) => scale.buffers.flatMap((bufferBdp) => ORDERS.map((flows) => againstCubic(bufferBdp, flows, gapMs)))),
    },
    {
      key: 'cubic-late', what: 'the same when the second comes 20 s later (not asked for)', bar: '0.4 to 1.6 of fair', unit: '',
      measure: () => scale.buffers.flatMap((bufferBdp) => ORDERS.map((flows) => againstCubic(bufferBdp, flows, 20_000))),
      known: 'who joins a queue that has stood for long takes the path for longer than it is, and CUBIC is slow to give way in a deep buffer',
    },
    {
      key: 'own-flows', what: 'N of our own flows: Jain index', bar: '>= 0.85', unit: '',
      measure: () => ownFlows(scale).map(({ name, shares }) => ({ name, value: jain(shares), atLeast: 0.85, detail: listed(shares) })),
      known: 'eight newcomers in a small buffer take each other for somebody who fills queues; which of them meet decides whether they find out',
    },
    {
      key: 'own-queue', what: 'N of our own flows from 1 BDP: queue p50', bar: '<= 25 ms', unit: ' ms',
      measure: () => ownFlows(scale)
        .filter(({ bufferBdp }) => bufferBdp >= 1)
        .map(({ name, queue, drops }) => ({ name, value: queue, atMost: 25, detail: `drops ${(drops * 100).toFixed(2)} %` })),
      known: 'as above',
    },
  ]
}

const againstCubic = (bufferBdp: number, flows: FlowKind[], gapMs: number): Cell => {
  const { shares } = shared({ ...PATH, bufferBdp, flows, gapMs, fromMs: 21_000 + gapMs, untilMs: 91_000 + gapMs })
  const fair = (shares[0]! + shares[1]!) / 2
  return {
    name: `${bufferBdp} BDP, ${flows.join(' then ')}, ${gapMs / 1000} s apart`, value: shares[flows.indexOf('ours')]! / fair,
    atLeast: 0.4, atMost: 1.6, detail: listed(shares),
  }
}

/** Small messages say little about a path; a transfer that comes after them must not take that little for all. */
export const firstBulk = (rttMs: number, receiver: Contestant, seeds: readonly number[]): Cell => {
  const goodput = (playSeconds: number): number[] => seeds.map((seed) => bulk(lean, receiver, {
    mbitPerSecond: 100, rttMs, bufferBdp: 4, conditions: { jitterMs: 15 }, bytes: 4e6, seed, playSeconds,
  }).goodputMbit)
  const atOnce = goodput(0)
  const after = goodput(10)
  const ratios = seeds.map((_, i) => (atOnce[i] as number) / (after[i] as number))
  return {
    name: `RTT ${rttMs}, ${receiver.name}`, value: ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length, atMost: 1.25,
    detail: `${after.map((mbit) => mbit.toFixed(0)).join(' / ')} of ${atOnce.map((mbit) => mbit.toFixed(0)).join(' / ')} Mbit/s`,
  }
}

interface OwnFlows {
  readonly name: string
  readonly bufferBdp: number
  readonly shares: number[]
  readonly queue: number
  readonly drops: number
}

const known = new Map<BulkScale, OwnFlows[]>()
const ownFlows = (scale: BulkScale): OwnFlows[] => {
  let list = known.get(scale)
  if (list !== undefined) return list
  list = scale.buffers.flatMap((bufferBdp) => scale.flowCounts.flatMap((count) => scale.ownGapsMs.map((gapMs) => {
    const flows = Array.from({ length: count }, (): FlowKind => 'ours')
    const from = 22_000 + gapMs * count
    const result = shared({ ...PATH, bufferBdp, flows, gapMs, fromMs: from, untilMs: from + 70_000 })
    const name = `${count} flows, ${bufferBdp} BDP, ${gapMs / 1000} s apart`
    return { name, bufferBdp, shares: result.shares, queue: percentile(result.queueMs, 0.5), drops: result.dropRatio }
  })))
  known.set(scale, list)
  return list
}
