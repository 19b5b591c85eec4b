// Conditions after checking: every number present, ranges split, units ready for arithmetic. This is what links read for
// each datagram; nothing here is optional, so that reading is a field access.

import { VaivenError, outOfRange } from '../../util/errors.ts'
import type { Blackout, BurstLoss, Conditions } from './conditions.ts'

/** Checked conditions. One object for each set of conditions; never changed. */
export interface Rules {
  readonly latencyMs: number
  readonly jitterMs: number
  readonly exponentialJitter: boolean
  readonly spikeRatio: number
  readonly spikeMs: number
  readonly keepOrder: boolean
  readonly reorderRatio: number
  readonly reorderByMs: Range
  readonly lossRatio: number
  readonly burst: BurstRules | null
  readonly blackouts: readonly BlackoutRules[]
  readonly duplicateRatio: number
  readonly duplicateByMs: Range
  readonly replayRatio: number
  readonly corruptRatio: number
  readonly truncateRatio: number
  readonly extendRatio: number
  /** 0: no limit. */
  readonly rateBytesPerMs: number
  readonly overheadBytes: number
  readonly queueBytes: number
  readonly queueDatagrams: number
  readonly mtuBytes: number
  /** Whether any blackout holds datagrams back. */
  readonly holds: boolean
}

/** Numbers from `min` to `min + span`. */
export interface Range {
  readonly min: number
  readonly span: number
}

/** Gilbert-Elliott in the numbers that its two states need. */
export interface BurstRules {
  readonly lossInBurst: number
  /** Share of time (or datagrams) within bursts. */
  readonly burstShare: number
  /** Mean stay in each state, ms; 0 when the states are counted in datagrams. */
  readonly burstMs: number
  readonly goodMs: number
  /** Chance per datagram to leave each state; 0 when the states last for times. */
  readonly endBurst: number
  readonly beginBurst: number
}

/** A blackout; `everyMs` is Infinity when it happens once. */
export interface BlackoutRules {
  readonly atMs: number
  readonly durationMs: number
  readonly everyMs: number
  readonly hold: boolean
}

const LONGEST_MS = 600_000
const LARGEST = 1e12
const LARGEST_PAYLOAD = 65_507

/** Every name that `Conditions` has; a misspelt one would otherwise be a perfect network without a word. */
export const CONDITION_NAMES: ReadonlySet<string> = new Set<keyof Conditions>([
  'latencyMs', 'jitterMs', 'jitterShape', 'spikeRatio', 'spikeMs', 'keepOrder', 'reorderRatio', 'reorderByMs', 'lossRatio',
  'burstLoss', 'blackouts', 'duplicateRatio', 'duplicateByMs', 'replayRatio', 'corruptRatio', 'truncateRatio', 'extendRatio',
  'rateBytesPerSecond', 'overheadBytes', 'queueBytes', 'queueDatagrams', 'mtuBytes',
])

/**
 * Checks conditions.
 * @param name how errors call them
 * @throws VaivenError `ERR_OPTION_RANGE` naming the number, its value and what is legal
 */
export const rulesOf = (conditions: Conditions, name = 'conditions'): Rules => {
  if (typeof conditions !== 'object' || conditions === null) throw outOfRange(name, conditions, 'an object of conditions')
  for (const key of Object.keys(conditions)) {
    if (CONDITION_NAMES.has(key)) continue
    throw new VaivenError('ERR_OPTION_RANGE', `${name}.${key} is no condition; there are ${[...CONDITION_NAMES].join(', ')}`)
  }
  const ratio = (key: string, value = 0): number => within(`${name}.${key}`, value, 0, 1)
  const c = conditions
  const shape = c.jitterShape ?? 'uniform'
  if (shape !== 'uniform' && shape !== 'exponential') throw outOfRange(`${name}.jitterShape`, shape, "'uniform' or 'exponential'")
  if (typeof (c.keepOrder ?? true) !== 'boolean') throw outOfRange(`${name}.keepOrder`, c.keepOrder, 'true or false')
  const rate = c.rateBytesPerSecond === undefined ? 0 : within(`${name}.rateBytesPerSecond`, c.rateBytesPerSecond, 1, LARGEST)
  const standardQueue = rate === 0 ? 262_144 : Math.max(15_000, rate / 5)
  const blackouts = (c.blackouts ?? []).map((blackout, i) => blackoutRules(blackout, `${name}.blackouts[${i}]`))
  return {
    latencyMs: within(`${name}.latencyMs`, c.latencyMs ?? 0, 0, LONGEST_MS),
    jitterMs: within(`${name}.jitterMs`, c.jitterMs ?? 0, 0, LONGEST_MS),
    exponentialJitter: shape === 'exponential',
    spikeRatio: ratio('spikeRatio', c.spikeRatio),
    spikeMs: within(`${name}.spikeMs`, c.spikeMs ?? 50, 0, LONGEST_MS),
    keepOrder: c.keepOrder ?? true,
    reorderRatio: ratio('reorderRatio', c.reorderRatio),
    reorderByMs: range(`${name}.reorderByMs`, c.reorderByMs ?? [5, 25]),
    lossRatio: ratio('lossRatio', c.lossRatio),
    burst: c.burstLoss === undefined ? null : burstRules(c.burstLoss, `${name}.burstLoss`),
    blackouts,
    duplicateRatio: ratio('duplicateRatio', c.duplicateRatio),
    duplicateByMs: range(`${name}.duplicateByMs`, c.duplicateByMs ?? [0, 20]),
    replayRatio: ratio('replayRatio', c.replayRatio),
    corruptRatio: ratio('corruptRatio', c.corruptRatio),
    truncateRatio: ratio('truncateRatio', c.truncateRatio),
    extendRatio: ratio('extendRatio', c.extendRatio),
    rateBytesPerMs: rate / 1000,
    overheadBytes: within(`${name}.overheadBytes`, c.overheadBytes ?? 28, 0, 200),
    queueBytes: within(`${name}.queueBytes`, c.queueBytes ?? standardQueue, 1, LARGEST),
    queueDatagrams: c.queueDatagrams === undefined ? Infinity : within(`${name}.queueDatagrams`, c.queueDatagrams, 1, 1e9),
    mtuBytes: c.mtuBytes === undefined ? Infinity : within(`${name}.mtuBytes`, c.mtuBytes, 1, LARGEST_PAYLOAD),
    holds: blackouts.some((blackout) => blackout.hold),
  }
}

/** A finite number from `min` to `max`, or an error that says so. */
export const within = (name: string, value: unknown, min: number, max: number): number => {
  if (typeof value !== 'number' || !(value >= min && value <= max)) throw outOfRange(name, value, `a number from ${min} to ${max}`)
  return value
}

const range = (name: string, value: number | readonly [number, number]): Range => {
  const [min, max] = typeof value === 'number' ? [value, value] : value
  within(name, min, 0, LONGEST_MS)
  within(name, max, 0, LONGEST_MS)
  if (max < min) throw outOfRange(name, `[${min}, ${max}]`, 'a range whose second number is not smaller than the first')
  return { min, span: max - min }
}

const burstRules = (burst: BurstLoss, name: string): BurstRules => {
  const lossInBurst = within(`${name}.lossInBurstRatio`, burst.lossInBurstRatio ?? 1, 0, 1)
  const loss = within(`${name}.lossRatio`, burst.lossRatio, 0, 1)
  if (!(loss < lossInBurst)) throw outOfRange(`${name}.lossRatio`, loss, `less than lossInBurstRatio (${lossInBurst})`)
  const { meanBurstMs, meanBurstDatagrams } = burst
  if ((meanBurstMs === undefined) === (meanBurstDatagrams === undefined)) {
    throw new VaivenError('ERR_OPTION_RANGE', `${name} needs meanBurstMs or meanBurstDatagrams, and not both`)
  }
  const burstShare = loss / lossInBurst
  if (meanBurstMs !== undefined) {
    const burstMs = within(`${name}.meanBurstMs`, meanBurstMs, 0.1, 3_600_000)
    const goodMs = burstShare === 0 ? Infinity : burstMs * (1 - burstShare) / burstShare
    return { lossInBurst, burstShare, burstMs, goodMs, endBurst: 0, beginBurst: 0 }
  }
  const endBurst = 1 / within(`${name}.meanBurstDatagrams`, meanBurstDatagrams, 1, 1e6)
  const beginBurst = endBurst * burstShare / (1 - burstShare)
  // Bursts that short and that frequent would have to begin before the last one ended.
  const shortest = burstShare / (1 - burstShare)
  if (beginBurst > 1) throw outOfRange(`${name}.meanBurstDatagrams`, meanBurstDatagrams, `at least ${shortest} for that loss`)
  return { lossInBurst, burstShare, burstMs: 0, goodMs: 0, endBurst, beginBurst }
}

const blackoutRules = (blackout: Blackout, name: string): BlackoutRules => {
  const atMs = within(`${name}.atMs`, blackout.atMs, 0, LARGEST)
  const durationMs = within(`${name}.durationMs`, blackout.durationMs, 0, LARGEST)
  if (durationMs === 0) throw outOfRange(`${name}.durationMs`, durationMs, 'more than 0')
  const everyMs = blackout.everyMs === undefined ? Infinity : within(`${name}.everyMs`, blackout.everyMs, 0, LARGEST)
  if (!(everyMs > durationMs)) throw outOfRange(`${name}.everyMs`, everyMs, `more than durationMs (${durationMs})`)
  return { atMs, durationMs, everyMs, hold: blackout.hold ?? false }
}

/** When the blackout that covers `elapsedMs` ends; `elapsedMs` itself when there is none of that kind. */
export const blackoutEnd = (blackouts: readonly BlackoutRules[], hold: boolean, elapsedMs: number): number => {
  for (const { atMs, durationMs, everyMs, hold: holds } of blackouts) {
    if (holds !== hold || elapsedMs < atMs) continue
    const since = everyMs === Infinity ? elapsedMs - atMs : (elapsedMs - atMs) % everyMs
    if (since < durationMs) return elapsedMs + (durationMs - since)
  }
  return elapsedMs
}
