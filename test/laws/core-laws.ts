// Laws about what only our own host shows: its ledger, its memory, and what bytes of strangers can do to it.

import fc from 'fast-check'
import { Host } from '../../src/transport/core/host.ts'
import type { HostOptions } from '../../src/transport/core/options.ts'
import { u16 } from '../../src/transport/core/wire.ts'
import type { Conditions } from '../../src/transport/simulator/conditions.ts'
import type { Delivery, HostEvent, Ledger } from '../../src/transport/types.ts'
import { SeededRandom } from '../../src/util/random.ts'
import { hostileBytes } from '../support/arbitraries.ts'
import { pair } from '../support/pair.ts'
import type { Pair } from '../support/pair.ts'
import { drain, read } from '../support/puppet.ts'
import { patient } from './patient.ts'
import { badNetwork } from './play.ts'

export interface CoreLaw {
  readonly name: string
  readonly runs: number
  readonly property: () => fc.IProperty<unknown>
}

/** Two connected hosts whose wake-ups are watched. */
const watchedPair = (options: Parameters<typeof pair>[0]): Pair => {
  const all = pair(options)
  for (const side of [all.a, all.b]) all.network.replace(side.name, patient<HostEvent>(side.host))
  return all
}

// ---------------------------------------------------------------- the ledger

interface Sending {
  readonly by: 'a' | 'b'
  readonly channel: number
  readonly delivery: Delivery
  readonly length: number
  readonly key: number
  readonly expiresMs: number
  readonly pauseMs: number
}

const sending: fc.Arbitrary<Sending> = fc.record({
  by: fc.constantFrom('a', 'b'),
  channel: fc.nat({ max: 3 }),
  delivery: fc.constantFrom<Delivery[]>('reliable', 'unreliable', 'unsequenced'),
  // Below a piece of the smallest MTU: then a packet is in one datagram, and lost with it.
  length: fc.integer({ min: 0, max: 500 }),
  key: fc.nat({ max: 6 }),
  expiresMs: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 200 }) }),
  pauseMs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 300 }) }),
})

/** Hosts that drop packets for every reason that there is. */
const stingy: fc.Arbitrary<HostOptions> = fc.record({
  throttle: fc.constantFrom<('none' | 'enet')[]>('none', 'enet'),
  sendCapBytes: fc.constantFrom(2_000, 1e6),
  sendHighMarkBytes: fc.constant(1_000),
  outgoingBandwidthBytesPerSecond: fc.constantFrom(0, 20_000),
  congestionControl: fc.boolean(),
  extension: fc.boolean(),
  redundancy: fc.constantFrom<('off' | 'auto' | 1 | 3)[]>('off', 'auto', 1, 3),
  receiveBudgetBytes: fc.constantFrom(65_536, 1e6),
  maxPacketBytes: fc.constant(10_000),
})

/** Loses, delays and reorders, but neither doubles nor damages: a copy would be counted as stale. */
const losing: fc.Arbitrary<Conditions> = badNetwork().map(({ duplicateRatio: _, replayRatio: __, ...path }) => path)

const AT_SENDER = ['expired', 'superseded', 'throttled', 'queueFull', 'disconnected'] as const
const AT_RECEIVER = ['stale', 'incomplete', 'budget', 'outsideWindow', 'closing'] as const
const sum = (ledger: Readonly<Ledger>, names: readonly (keyof Ledger)[]): number => names.reduce((total, name) => total + ledger[name], 0)

const ledgerLaw: CoreLaw = {
  name: 'every packet is delivered or in a ledger: sent = delivered + sender\'s ledger + receiver\'s ledger + lost on the path',
  runs: 60,
  property: () => fc.property(fc.nat(), losing, stingy, fc.array(sending, { maxLength: 150, size: 'max' }),
    (seed, path, both, sendings) => {
    const { a, b, network } = watchedPair({ seed, both })
    network.path('a', 'b', path)
    const lost = { a: 0, b: 0 }
    const sent = { a: 0, b: 0 }
    for (const [from, to] of [['a', 'b'], ['b', 'a']] as const) {
      network.link(from, to).onDrop = (bytes) => {
        // Reliable ones come again.
        for (const { name } of read(bytes.slice(), a.address).commands) {
          if (name === 'sendUnreliable' || name === 'sendUnsequenced') lost[from]++
        }
      }
    }
    for (const { by, channel, delivery, length, key, expiresMs, pauseMs } of sendings) {
      const { peer } = by === 'a' ? a : b
      if (peer.state !== 'connected') break
      try {
        peer.send(channel, new Uint8Array(length), { delivery, ...(key > 3 ? { key } : {}), ...(expiresMs > 0 ? { expiresMs } : {}) })
        sent[by]++
      } catch (error) {
        if ((error as { code?: string }).code !== 'ERR_QUEUE_FULL') throw error
      }
      if (pauseMs > 0) network.runFor(pauseMs)
    }
    network.path('a', 'b', { latencyMs: 5 })
    network.runFor(60_000)
    if (a.peer.state !== 'connected' || b.peer.state !== 'connected') return
    for (const [from, to] of [[a, b], [b, a]] as const) {
      const name = from.name as 'a' | 'b'
      const accounted = to.received.length + sum(from.peer.ledger, AT_SENDER) + sum(to.peer.ledger, AT_RECEIVER) + lost[name]
      // A reliable piece that the budget refused came again.
      const again = to.peer.ledger.budget + to.peer.ledger.outsideWindow
      if (sent[name] > accounted || sent[name] < accounted - again) {
        throw new Error(`${name} sent ${sent[name]}, but ${to.received.length} were delivered, ` +
          `${sum(from.peer.ledger, AT_SENDER)} given up, ${sum(to.peer.ledger, AT_RECEIVER)} dropped, ${lost[name]} lost`)
      }
    }
  }),
}

const datagramLaw: CoreLaw = {
  name: 'every datagram of a stranger is in the ledger once, or is a CONNECT that is answered; none of them ever throws or makes a peer',
  runs: 200,
  property: () => fc.property(fc.array(fc.tuple(hostileBytes(), fc.boolean()), { maxLength: 20, size: 'max' }), (datagrams) => {
    const host = new Host({ seed: 1 })
    const total = (): number => Object.values(host.ledger).reduce((all, count) => all + count, 0)
    for (const [bytes, toNobody] of datagrams) {
      // Most would be for a peer that does not exist.
      if (toNobody && bytes.length > 1) bytes.set([(bytes[0] ?? 0) | 0x0f, 0xff])
      const before = total()
      host.receive(bytes.slice(), { address: '192.0.2.1', port: 5 }, 10)
      host.advance(10)
      const answers = drain(host).length
      const counted = total() - before
      const connect = bytes.length > 4 && (u16(bytes, 0) & 0xfff) === 0xfff
      if (counted > 1 || (counted === 0 && !(connect && host.stats.halfOpen > 0)) || answers > 1) {
        throw new Error(`${counted} counted, ${answers} answers`)
      }
    }
    if (host.peerCount > 0) throw new Error('a peer came to be')
  }),
}

// ---------------------------------------------------------------- memory

const endings = ['disconnect', 'disconnectPlain', 'disconnectNow', 'reset', 'destroy'] as const

const budgetLaw: CoreLaw = {
  name: 'whatever happened, when a connection is over and its events are taken nothing is held, nothing waits, and no timer runs',
  runs: 60,
  property: () => fc.property(fc.nat(), badNetwork(), stingy, fc.array(sending, { maxLength: 60, size: 'max' }),
    fc.constantFrom(...endings), fc.boolean(),
    (seed, path, both, sendings, ending, byA) => {
      const { a, b, network } = watchedPair({ seed, both })
      network.path('a', 'b', path)
      for (const { by, channel, delivery, length, pauseMs } of sendings) {
        const { peer } = by === 'a' ? a : b
        if (peer.state === 'connected' && peer.queuedBytes === 0) peer.send(channel, new Uint8Array(length * 4), delivery)
        if (pauseMs > 0) network.runFor(pauseMs)
      }
      const side = byA ? a : b
      if (ending === 'destroy') side.host.destroy()
      else side.peer[ending]()
      network.runFor(60_000)
      for (const { host, peer, name } of [a, b]) {
        const { waitingBytes, peers, halfOpen } = host.stats
        const { queuedBytes, queuedMessages, inFlightBytes } = peer.stats
        const left = { waitingBytes, peers, halfOpen, queuedBytes, queuedMessages, inFlightBytes, deadline: host.deadline() }
        if (Object.values(left).some((value) => value !== 0 && value !== Infinity)) throw new Error(`${name}: ${JSON.stringify(left)}`)
      }
    }),
}

// ---------------------------------------------------------------- hostile bytes

/** Changes some bits, bytes or lengths of a real datagram. */
const damage = (bytes: Uint8Array, random: SeededRandom): Uint8Array => {
  let changed = bytes.slice()
  for (let i = random.below(4); i >= 0 && changed.length > 1; i--) {
    const at = random.below(Math.max(1, changed.length))
    switch (random.below(5)) {
      case 0: changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8)); break
      case 1: changed[at] = random.below(256); break
      case 2: changed = changed.slice(0, at); break
      case 3: changed = new Uint8Array(Buffer.concat([changed, changed.subarray(at)])); break
      // Lengths and counts are the interesting places: small and huge numbers.
      default: changed.set([0, 255, 127, 128, 1][random.below(5)] === 0 ? [0, 0] : [255, 255],
        Math.min(at, Math.max(0, changed.length - 2)))
    }
  }
  return changed
}

const hostileLaw: CoreLaw = {
  name: 'real datagrams with bits, lengths and counts changed never throw, never exceed a budget, and leave nothing behind',
  runs: 80,
  property: () => fc.property(fc.nat(), stingy, fc.array(sending, { maxLength: 60, size: 'max' }), fc.integer({ min: 1, max: 100 }),
    (seed, both, sendings, percent) => {
    const { a, b, network } = watchedPair({ seed, both })
    const random = new SeededRandom(seed)
    const budget = (both.receiveBudgetBytes ?? 0) + 10_000
    for (const [from, to] of [[a, b], [b, a]] as const) {
      network.link(from.node, to.node).filter = (bytes) => {
        // The changed one arrives before the real one.
        if (random.below(100) < percent) to.host.receive(damage(bytes, random), from.address, to.node.clockMs)
        return true
      }
    }
    for (const { by, channel, delivery, length, pauseMs } of sendings) {
      const { peer } = by === 'a' ? a : b
      if (peer.state === 'connected' && peer.queuedBytes === 0) peer.send(channel, new Uint8Array(length * 4), delivery)
      if (pauseMs > 0) network.runFor(pauseMs)
      for (const { host, peer: other } of [a, b]) {
        if (host.stats.waitingBytes > budget) throw new Error(`${other.stats.waitingBytes} bytes held`)
      }
    }
    for (const side of [a, b]) if (side.peer.state === 'connected') side.peer.disconnectNow()
    for (const [from, to] of [[a, b], [b, a]] as const) network.link(from.node, to.node).filter = null
    network.runFor(60_000)
    for (const { host, name } of [a, b]) {
      const { waitingBytes, peers } = host.stats
      if (waitingBytes !== 0 || peers !== 0 || host.deadline() !== Infinity) {
        throw new Error(`${name}: ${waitingBytes} bytes, ${peers} peers`)
      }
    }
  }),
}

const nonsenseLaw: CoreLaw = {
  name: 'any bytes at all from the address of a connected peer, with its number and session, never throw',
  runs: 150,
  property: () => fc.property(fc.nat(), fc.constantFrom<HostOptions[]>(
    {}, { checksum: 'crc32' }, { compression: 'rangeCoder' }, { extension: false }),
    fc.array(hostileBytes(), { minLength: 1, maxLength: 15, size: 'max' }), (seed, options, datagrams) => {
      const { a, b, network } = watchedPair({ seed, a: options })
      for (const bytes of datagrams) {
        const forged = bytes.slice()
        if (forged.length > 1) {
          const word = (u16(forged, 0) & 0xc000) | (b.peer.incomingSession << 12) | b.peer.wireId
          forged.set([word >>> 8, word & 0xff])
        }
        b.host.receive(forged, a.address, b.node.clockMs)
        network.wake('b')
        network.runFor(1)
      }
      network.runFor(100)
      const { state } = b.peer
      // Among nonsense there may be a DISCONNECT whose number fits.
      if (state !== 'connected' && b.of('disconnect').length !== 1) throw new Error(`state ${state}`)
    }),
}

export const coreLaws: readonly CoreLaw[] = [ledgerLaw, datagramLaw, budgetLaw, hostileLaw, nonsenseLaw]
