// Laws of the receiving half of a channel: against its plain twin, and about the memory that it takes.

import fc from 'fast-check'
import t from 'tap'
import { IncomingChannel, Receipt } from '../../src/transport/core/incoming.ts'
import { holds } from '../support/holds.ts'
import { TestInbox } from '../support/inbox.ts'
import { PlainChannel } from '../support/twins/incoming.ts'

/** A packet as an honest sender numbers it, and when copies of its pieces arrive (places later than they were sent; none: lost). */
interface Planned { reliable: boolean; pieces: number; last: number; copies: number[][] }

/** One command of it. */
interface Arriving {
  readonly at: number
  readonly reliable: boolean
  /** Reliable: its first number. Unreliable: the reliable number before it. */
  readonly start: number
  readonly number: number
  readonly pieces: number
  readonly piece: number
  readonly total: number
  readonly bytes: Uint8Array
}

const PIECE = 5

const planned: fc.Arbitrary<Planned> = fc.record({
  reliable: fc.boolean(),
  pieces: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 5 })),
  last: fc.integer({ min: 1, max: PIECE }),
  copies: fc.array(fc.array(fc.nat({ max: 40 }), { minLength: 0, maxLength: 3 }), { minLength: 5, maxLength: 5 }),
})

/** Numbers the packets, cuts them, and shuffles the copies of their pieces. */
const arrivals = (start: number, packets: readonly Planned[]): Arriving[] => {
  const all: Arriving[] = []
  let reliableNumber = start
  let unreliableNumber = 0
  let at = 0
  packets.forEach(({ reliable, pieces, last, copies }, index) => {
    const total = (pieces - 1) * PIECE + last
    const whole = Uint8Array.from({ length: total }, (_, i) => index * 7 + i)
    const number = reliable ? 0 : ++unreliableNumber
    for (let piece = 0; piece < pieces; piece++) {
      at++
      for (const later of copies[piece] ?? []) {
        all.push({
          at: at + later, reliable, start: reliable ? (reliableNumber + 1) & 0xffff : reliableNumber, number, pieces, piece, total,
          bytes: whole.slice(piece * PIECE, (piece + 1) * PIECE),
        })
      }
    }
    if (reliable) {
      reliableNumber = (reliableNumber + pieces) & 0xffff
      unreliableNumber = 0
    }
  })
  return all.sort((x, y) => x.at - y.at)
}

/** A channel that has delivered so many small reliable packets. */
const channelAt = (start: number, inbox: TestInbox): IncomingChannel => {
  const channel = new IncomingChannel(3, inbox)
  for (let i = 1; i <= start; i++) channel.reliable(i & 0xffff, new Uint8Array(0))
  inbox.take()
  return channel
}

const give = (channel: IncomingChannel, { reliable, start, number, pieces, piece, total, bytes }: Arriving): Receipt => {
  const keep = (): Uint8Array => bytes.slice()
  if (reliable) {
    return pieces === 1 ? channel.reliable(start, keep()) : channel.fragment(start, piece, pieces, piece * PIECE, total, bytes.length, keep)
  }
  return pieces === 1 ? channel.unreliable(start, number, keep())
    : channel.unreliableFragment(start, number, piece, pieces, piece * PIECE, total, bytes.length, keep)
}

// Mostly small, since getting to the others takes as many packets.
const starts = fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 6, arbitrary: fc.constant(4_093) },
  { weight: 1, arbitrary: fc.constant(28_660) }, { weight: 1, arbitrary: fc.constant(65_530) })
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

t.test('a channel', (t) => {
  holds(t, 'delivers and acknowledges exactly what the plain definition of SPEC §5 does, for any order, loss and doubling of commands',
    fc.property(starts, fc.array(planned, { maxLength: 40, size: 'max' }), (start, packets) => {
      const inbox = new TestInbox()
      const channel = channelAt(start, inbox)
      const twin = new PlainChannel()
      twin.R = start
      for (const arriving of arrivals(start, packets)) {
        const receipt = give(channel, arriving)
        if (arriving.reliable) {
          const expected = twin.reliable(arriving.start, arriving.pieces, arriving.piece, arriving.bytes)
          if (Receipt[expected] !== receipt) throw new Error(`${expected} expected, ${receipt} given for ${JSON.stringify(arriving)}`)
        } else {
          const expected = twin.unreliable(arriving.start, arriving.number, arriving.pieces, arriving.piece, arriving.bytes)
          if ((receipt === Receipt.taken) !== (expected === 'taken')) {
            throw new Error(`${expected} expected for ${JSON.stringify(arriving)}`)
          }
        }
      }
      const got = inbox.packets.map(({ bytes, delivery }) => `${delivery} ${hex(bytes)}`)
      const wanted = twin.delivered.map(({ bytes, delivery }) => `${delivery} ${hex(bytes)}`)
      if (got.join() !== wanted.join()) throw new Error(`delivered ${got.join()} instead of ${wanted.join()}`)
    }), { numRuns: 300 })

  holds(t, 'gives back all memory: nothing is charged when the application has taken everything and the channel is cleared',
    fc.property(starts, fc.array(planned, { maxLength: 40, size: 'max' }), fc.integer({ min: 200, max: 5_000 }), fc.array(fc.boolean()),
      (start, packets, budget, takes) => {
      const inbox = new TestInbox()
      const channel = channelAt(start, inbox)
      inbox.budget = budget
      inbox.reserveBytes = 1_000
      arrivals(start, packets).forEach((arriving, i) => {
        give(channel, arriving)
        if (takes[i % (takes.length + 1)] !== false) inbox.take()
      })
      inbox.take()
      channel.clear()
      return inbox.charged === 0 && !inbox.overdrawn
    }), { numRuns: 300 })

  holds(t, 'holds nothing once every piece has arrived and been taken, even without being cleared',
    fc.property(starts, fc.array(planned, { maxLength: 30, size: 'max' }), (start, packets) => {
      const inbox = new TestInbox()
      const channel = channelAt(start, inbox)
      const all = packets.map((packet) => ({ ...packet, copies: packet.copies.map((copies) => copies.length === 0 ? [3] : copies) }))
      for (const arriving of arrivals(start, all)) give(channel, arriving)
      const reliable = inbox.take().filter(({ delivery }) => delivery === 'reliable').length
      return reliable === packets.filter((packet) => packet.reliable).length && inbox.charged === 0
    }), { numRuns: 200 })

  holds(t, 'survives any numbers at all: it never throws, never owes memory, and says malformed or counts what it does not take',
    fc.property(fc.array(fc.tuple(fc.nat({ max: 3 }), fc.constantFrom(0, 1, 2, 3, 5, 4096, 28_671, 28_672, 40_000, 65_535),
      fc.nat({ max: 6 }),
      fc.nat({ max: 6 }), fc.nat({ max: 30 }), fc.nat({ max: 30 }), fc.nat({ max: 9 })), { maxLength: 60, size: 'max' }), (commands) => {
      const inbox = new TestInbox()
      const channel = new IncomingChannel(0, inbox)
      for (const [kind, start, number, count, offset, total, length] of commands) {
        const books = (): string => JSON.stringify([inbox.packets.length, inbox.counted, inbox.charged])
        const before = books()
        const keep = (): Uint8Array => new Uint8Array(length)
        // What receive.ts has checked before it asks a channel.
        const legal = count > 0 && number < count && total >= count - 1 && offset <= total && length <= total - offset
        if (kind > 1 && !legal) continue
        const receipt = kind === 0 ? channel.reliable(start, keep()) : kind === 1 ? channel.unreliable(start, number, keep())
          : kind === 2 ? channel.fragment(start, number, count, offset, total, length, keep)
            : channel.unreliableFragment(start, count, number, count, offset, total, length, keep)
        // What is malformed is counted by the caller; everything else leaves a trace here.
        if ((receipt === Receipt.malformed) !== (before === books())) return false
      }
      inbox.take()
      channel.clear()
      return inbox.charged === 0 && !inbox.overdrawn
    }), { numRuns: 300 })
  t.end()
})
