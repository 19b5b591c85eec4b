// The words in which a person writes a bad network down: `latency=40 loss=5% from.rate=2mbit`. Turns them into conditions of the
// simulator and back. Knows no socket.

import { profiles } from '../transport/simulator/index.ts'
import type { Conditions, ProfileName } from '../transport/simulator/index.ts'
import { UsageError } from './arguments.ts'

/** Fixed conditions for each direction: `to` the target, and `from` it. */
export interface BothWays {
  readonly to: Conditions
  readonly from: Conditions
}

export const SETTINGS_HELP = `  latency=MS             time on the way, one direction
  jitter=MS              extra time, different for each datagram; jitter-shape=uniform|exponential
  spike=PERCENT/MS       so many datagrams take so much longer
  loss=PERCENT           lost one by one
  burst=PERCENT/MS       lost in bursts of this mean length, on top
  duplicate=PERCENT      arrive twice            replay=PERCENT     an old one comes again
  reorder=PERCENT[/MS]   overtaken by others, that much later
  order=keep|free        jitter may not, or may, reorder
  corrupt=PERCENT        wrong bits              truncate=PERCENT, extend=PERCENT   wrong length
  rate=N[kbit|mbit]      bottleneck, bytes per second without a unit
  queue=BYTES            what waits before it    mtu=BYTES          larger datagrams vanish
  blackout=AT+MS[/EVERY] nothing passes from AT on, ms after the client's first datagram
Percent: 5% or 0.05. 'none' takes a setting back. A setting holds for both directions; 'to.' or 'from.' before it
chooses one: towards the target, or back.`

/** The conditions of a profile. @throws UsageError with the names that there are */
export const profileNamed = (name: string): BothWays => {
  const found = Object.keys(profiles).find((known) => known.toLowerCase() === name.replaceAll('-', '').toLowerCase())
  if (found === undefined) throw new UsageError(`there is no profile "${name}"; there are ${Object.keys(profiles).join(', ')}`)
  const { to, from } = profiles[found as ProfileName]
  return { to, from }
}

/** The conditions after some settings, each like `from.loss=5%`. @throws UsageError */
export const withSettings = (before: BothWays, settings: readonly string[]): BothWays => {
  let { to, from } = before
  for (const setting of settings) {
    const match = /^(?:(to|from)\.)?([a-z-]+)=(.+)$/i.exec(setting)
    if (match === null) throw new UsageError(`"${setting}" is not a setting; they look like loss=5% or from.latency=40`)
    const [, direction, name, value] = match as unknown as [string, string | undefined, string, string]
    if (direction !== 'from') to = changed(to, name, value)
    if (direction !== 'to') from = changed(from, name, value)
  }
  return { to, from }
}

/** Short words of conditions for people; `clean` where nothing is set. */
export const inWords = (conditions: Conditions): string => {
  const { burstLoss, blackouts, ...flat } = conditions
  const words = Object.entries(flat).map(([key, value]) => `${key} ${Array.isArray(value) ? value.join('–') : String(value)}`)
  if (burstLoss !== undefined) {
    const { lossRatio, meanBurstMs, meanBurstDatagrams } = burstLoss
    words.push(`burst ${lossRatio}/${meanBurstMs ?? `${meanBurstDatagrams} datagrams`}`)
  }
  for (const { atMs, durationMs, everyMs } of blackouts ?? []) {
    words.push(`blackout ${atMs}+${durationMs}${everyMs === undefined ? '' : `/${everyMs}`}`)
  }
  return words.length === 0 ? 'clean' : words.join(', ')
}

/** How each setting changes conditions. The simulator checks the ranges. */
const SETTINGS: Readonly<Record<string, (value: string) => Partial<Conditions>>> = {
  latency: (value) => ({ latencyMs: ms(value) }),
  jitter: (value) => ({ jitterMs: ms(value) }),
  'jitter-shape': (value) => ({ jitterShape: word(value, ['uniform', 'exponential']) }),
  spike: (value) => {
    const [share, length] = parts(value)
    return { spikeRatio: ratio(share), ...(length === undefined ? {} : { spikeMs: ms(length) }) }
  },
  loss: (value) => ({ lossRatio: ratio(value) }),
  burst: (value) => {
    const [share, length = '50'] = parts(value)
    return { burstLoss: { lossRatio: ratio(share), meanBurstMs: ms(length) } }
  },
  duplicate: (value) => ({ duplicateRatio: ratio(value) }),
  replay: (value) => ({ replayRatio: ratio(value) }),
  reorder: (value) => {
    const [share, later] = parts(value)
    return { reorderRatio: ratio(share), ...(later === undefined ? {} : { reorderByMs: ms(later) }) }
  },
  order: (value) => ({ keepOrder: word(value, ['keep', 'free']) === 'keep' }),
  corrupt: (value) => ({ corruptRatio: ratio(value) }),
  truncate: (value) => ({ truncateRatio: ratio(value) }),
  extend: (value) => ({ extendRatio: ratio(value) }),
  rate: (value) => ({ rateBytesPerSecond: rate(value) }),
  queue: (value) => ({ queueBytes: plain(value) }),
  mtu: (value) => ({ mtuBytes: plain(value) }),
  blackout: (value) => {
    const match = /^(\d+)\+(\d+)(?:\/(\d+))?$/.exec(value)
    if (match === null) throw new UsageError(`blackout is "${value}"; it looks like 5000+300 or 5000+300/12000`)
    const every = match[3] === undefined ? {} : { everyMs: Number(match[3]) }
    return { blackouts: [{ atMs: Number(match[1]), durationMs: Number(match[2]), ...every }] }
  },
}

/** What each setting takes back. */
const FIELDS: Readonly<Record<string, readonly (keyof Conditions)[]>> = {
  latency: ['latencyMs'], jitter: ['jitterMs', 'jitterShape'], 'jitter-shape': ['jitterShape'], spike: ['spikeRatio', 'spikeMs'],
  loss: ['lossRatio'], burst: ['burstLoss'], duplicate: ['duplicateRatio'], replay: ['replayRatio'],
  reorder: ['reorderRatio', 'reorderByMs'],
  order: ['keepOrder'], corrupt: ['corruptRatio'], truncate: ['truncateRatio'], extend: ['extendRatio'], rate: ['rateBytesPerSecond'],
  queue: ['queueBytes'], mtu: ['mtuBytes'], blackout: ['blackouts'],
}

const changed = (conditions: Conditions, name: string, value: string): Conditions => {
  const setting = Object.hasOwn(SETTINGS, name.toLowerCase()) ? SETTINGS[name.toLowerCase()] : undefined
  if (setting === undefined) throw new UsageError(`there is no setting "${name}"; there are ${Object.keys(SETTINGS).join(', ')}`)
  if (value.toLowerCase() !== 'none') return { ...conditions, ...setting(value) }
  const gone = new Set<string>(FIELDS[name.toLowerCase()])
  return Object.fromEntries(Object.entries(conditions).filter(([field]) => !gone.has(field)))
}

const parts = (value: string): [string, string | undefined] => {
  const [first = '', second] = value.split('/')
  return [first, second]
}

const plain = (text: string): number => {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN
  if (Number.isNaN(value)) throw new UsageError(`"${text}" is not a number`)
  return value
}

const ms = (text: string): number => plain(text.replace(/ms$/i, ''))

/** Also for rules about drops. */
export const ratio = (text: string): number => {
  const value = text.endsWith('%') ? plain(text.slice(0, -1)) / 100 : plain(text)
  if (value > 1) throw new UsageError(`"${text}" is more than everything; write ${text}% for ${text} percent`)
  return value
}

const rate = (text: string): number => {
  const match = /^([\d.]+)(kbit|mbit|gbit)?$/i.exec(text)
  if (match === null) throw new UsageError(`rate is "${text}"; it looks like 2mbit, 500kbit or bytes per second`)
  const unit = { kbit: 125, mbit: 125_000, gbit: 125_000_000 }[match[2]?.toLowerCase() ?? ''] ?? 1
  return plain(match[1] as string) * unit
}

const word = <Word extends string>(text: string, words: readonly Word[]): Word => {
  const found = words.find((candidate) => candidate === text.toLowerCase())
  if (found === undefined) throw new UsageError(`"${text}" must be ${words.join(' or ')}`)
  return found
}
