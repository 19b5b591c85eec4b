// A play: two hosts, a network, and what they say to each other, all drawn from one generated value. Playing it gives a
// record of what was sent and what arrived, which the laws judge.

import fc from 'fast-check'
import type { Conditions } from '../../src/transport/simulator/conditions.ts'
import { Network } from '../../src/transport/simulator/network.ts'
import type { Delivery } from '../../src/transport/types.ts'
import type { Implementation, OpenOptions, TestedEvent, TestedHost, TestedPeer } from './implementation.ts'
import { patient } from './patient.ts'

/** One thing that happens. */
export type Step =
  | { readonly do: 'send'; readonly by: 'a' | 'b'; readonly channel: number; readonly delivery: Delivery; readonly length: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'path'; readonly conditions: Conditions }
  | { readonly do: 'cut'; readonly ms: number }

export interface Play {
  readonly seed: number
  readonly options: Omit<OpenOptions, 'seed'>
  readonly path: Conditions
  readonly steps: readonly Step[]
  /** How it ends. */
  readonly end: 'none' | 'graceful' | 'now'
  readonly data: number
}

export interface Message {
  readonly number: number
  readonly channel: number
  readonly delivery: Delivery
  readonly bytes: Uint8Array
}

/** One direction of a record. */
export interface Direction {
  readonly sent: Message[]
  readonly received: { channel: number; delivery: Delivery; bytes: Uint8Array }[]
}

export interface Record {
  readonly toB: Direction
  readonly toA: Direction
  /** Types of the connection's events, in order, by side, with the data of connects and disconnects. */
  readonly eventsA: string[]
  readonly eventsB: string[]
  /** The connection ended before it was told to. */
  readonly broke: boolean
  readonly hash: string
  readonly network: Network
  readonly a: TestedHost
  readonly b: TestedHost
}

/** Longest time that everything may take to arrive when the network has become good again. */
const HEALED_MS = 120_000

/** The bytes of message `number`: the number first, then bytes that follow from it. */
export const payload = (number: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(Math.max(4, length))
  for (let i = 0, state = number + 1; i < bytes.length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    // Every other message can be compressed.
    bytes[i] = number % 2 === 0 ? state >>> 16 : 65 + ((state >>> 16) & 3)
  }
  new DataView(bytes.buffer).setUint32(0, number)
  return bytes
}

/** Plays it. The hosts are closed when `judge` has looked at the record. */
export const play = <Result>(a: Implementation, b: Implementation, { seed, options, path, steps, end, data }: Play,
  judge: (record: Record) => Result): Result => {
  const network = new Network({ seed, path: { latencyMs: 5 } })
  const hosts = [a.open({ seed: seed + 1, ...options }), b.open({ seed: seed + 2, ...options })] as const
  const record = {
    toB: { sent: [], received: [] } as Direction, toA: { sent: [], received: [] } as Direction,
    eventsA: [] as string[], eventsB: [] as string[], broke: false, network, a: hosts[0], b: hosts[1],
  }
  try {
    const peers: { a: TestedPeer | null; b: TestedPeer | null } = { a: null, b: null }
    const alive = { a: false, b: false }
    const listen = (side: 'a' | 'b', from: Direction, events: string[]) => (event: TestedEvent): void => {
      if (event.type === 'receive') from.received.push({ channel: event.channel, delivery: event.delivery, bytes: event.bytes.slice() })
      if (event.type === 'connect') peers[side] = event.peer
      if (event.type === 'connect' || event.type === 'disconnect') alive[side] = event.type === 'connect'
      if (event.type === 'receive') events.push('receive')
      else if (event.type === 'connect' || event.type === 'disconnect') events.push(`${event.type} ${event.data}`)
    }
    network.add<TestedEvent>('a', patient(hosts[0]), { onEvent: listen('a', record.toA, record.eventsA) })
    const server = network.add<TestedEvent>('b', patient(hosts[1]), { onEvent: listen('b', record.toB, record.eventsB) })
    const settle = (what: () => boolean, limitMs: number): void => {
      try {
        network.runUntil(what, { limitMs })
      } catch (error) {
        if ((error as { code?: string }).code !== 'ERR_TIMEOUT') throw error
      }
    }
    peers.a = hosts[0].connect(server.address, { channels: 4, data })
    settle(() => alive.a && alive.b, 20_000)
    network.path('a', 'b', path)
    let number = 0
    for (const step of steps) {
      if (step.do === 'wait') network.runFor(step.ms)
      else if (step.do === 'path') network.path('a', 'b', step.conditions)
      else if (step.do === 'cut') {
        network.partition('a', 'b')
        network.runFor(step.ms)
        network.heal()
      } else if (alive[step.by]) {
        const message = { number, channel: step.channel, delivery: step.delivery, bytes: payload(number, step.length) }
        number++
        ;(step.by === 'a' ? record.toB : record.toA).sent.push(message)
        peers[step.by]?.send(step.channel, message.bytes, step.delivery)
      }
    }
    const owes = ({ sent, received }: Direction): boolean =>
      received.filter(({ delivery }) => delivery === 'reliable').length < sent.filter(({ delivery }) => delivery === 'reliable').length
    if (end === 'now' && alive.a) peers.a.disconnectNow(data)
    if (end === 'graceful' && alive.a) peers.a.disconnect(data)
    network.path('a', 'b', { latencyMs: 5 })
    settle(() => (end === 'none' ? !owes(record.toA) && !owes(record.toB) : !alive.a && !alive.b) || !alive.a || !alive.b, HEALED_MS)
    record.broke = end === 'none' && (!alive.a || !alive.b)
    // Late copies must change nothing.
    network.runFor(end === 'none' ? 2_000 : 35_000)
    return judge({ ...record, hash: network.hash })
  } finally {
    for (const host of hosts) host.close?.()
  }
}

// ---------------------------------------------------------------- plays

const ratio = (most: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: 100 }).map((percent) => (percent / 100) * most)

/** Bad networks. Each fault is there or not. `most` scales all of them. */
export const badNetwork = (most = 1): fc.Arbitrary<Conditions> => fc.record({
  latencyMs: fc.integer({ min: 0, max: 120 }),
  jitterMs: fc.integer({ min: 0, max: 80 }),
  jitterShape: fc.constantFrom('uniform', 'exponential'),
  keepOrder: fc.boolean(),
  reorderRatio: ratio(0.3 * most),
  lossRatio: ratio(0.3 * most),
  burstLoss: fc.record({ lossRatio: ratio(0.1 * most), meanBurstMs: fc.integer({ min: 5, max: 200 }) }),
  duplicateRatio: ratio(0.2),
  replayRatio: ratio(0.05 * most),
  rateBytesPerSecond: fc.integer({ min: 20_000, max: 2_000_000 }),
  queueDatagrams: fc.integer({ min: 4, max: 200 }),
}, { requiredKeys: [] })

/** The same, and damage. */
export const damagingNetwork = (): fc.Arbitrary<Conditions> => fc.tuple(badNetwork(0.5), ratio(0.1), ratio(0.05), ratio(0.05))
  .map(([path, corruptRatio, truncateRatio, extendRatio]) => ({ ...path, corruptRatio, truncateRatio, extendRatio }))

const delivery = fc.constantFrom<Delivery[]>('reliable', 'reliable', 'unreliable', 'unsequenced')
const length = fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 4, max: 100 }) },
  { weight: 2, arbitrary: fc.integer({ min: 100, max: 1_400 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1_400, max: 12_000 }) })

const send: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('send' as const), by: fc.constantFrom('a', 'b'), channel: fc.nat({ max: 3 }), delivery, length,
}).map((step) => (step.delivery === 'unsequenced' ? { ...step, length: Math.min(step.length, 500) } : step))

const wait: fc.Arbitrary<Step> = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 40, max: 1_500 })).map(
  (ms) => ({ do: 'wait', ms }))

export interface PlayOptions {
  network?: fc.Arbitrary<Conditions>
  ends?: readonly Play['end'][]
  checksum?: OpenOptions['checksum']
  /** Longest program. @default 80 */
  steps?: number
  /** Longest cut of the network, ms; 0: none. @default 1500 */
  cutMs?: number
}

export const plays = (options: PlayOptions = {}): fc.Arbitrary<Play> => {
  const { network = badNetwork(), ends = ['none'], checksum, steps = 80, cutMs = 1_500 } = options
  const change: fc.Arbitrary<Step>[] = [network.map((conditions): Step => ({ do: 'path', conditions }))]
  if (cutMs > 0) change.push(fc.integer({ min: 10, max: cutMs }).map((ms): Step => ({ do: 'cut', ms })))
  return fc.record({
    seed: fc.nat({ max: 0xffffff }),
    options: fc.record({
      mtu: fc.constantFrom(576, 1_200, 1_400),
      checksum: checksum === undefined ? fc.constantFrom<OpenOptions['checksum'][]>('none', 'none', 'crc32') : fc.constant(checksum),
      compression: fc.constantFrom<OpenOptions['compression'][]>('none', 'none', 'rangeCoder'),
    }),
    path: network,
    steps: fc.array(fc.oneof({ weight: 12, arbitrary: send }, { weight: 5, arbitrary: wait },
      { weight: 1, arbitrary: fc.oneof(...change) }), { maxLength: steps, size: 'max' }),
    end: fc.constantFrom(...ends),
    data: fc.nat({ max: 0xffffffff }),
  })
}
