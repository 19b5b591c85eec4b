// One lane of packets that wait to leave: numbers, keys, expiry, and how far ahead it may number. SPEC §5.1, §5.2.

import t from 'tap'
import { Lane } from '../../../src/transport/core/lane.ts'
import { Kind, Message, ReliableCommand } from '../../../src/transport/core/message.ts'
import type { DeliveryOutcome } from '../../../src/transport/types.ts'

const lane = (): Lane => new Lane(3, true, 4, 10)

const message = (kind: Kind, pieces = 1, length = 8): Message => {
  const made = new Message(new Uint8Array(length), kind)
  made.pieces = made.missing = pieces
  return made
}

/** Numbers the first packet, as it leaves whole. */
const leave = (on: Lane): Message => {
  const first = on.queue.peek() as Message
  on.number(first)
  first.begun = first.pieces
  on.shift()
  return first
}

/** The other side acknowledges every piece. */
const acknowledge = (on: Lane, sent: Message): void => {
  for (let piece = 0; piece < sent.pieces; piece++) {
    sent.missing--
    on.acknowledged(new ReliableCommand(on, (sent.start + piece) & 0xffff, sent, piece, null, 8, 0, true))
  }
}

t.test('numbers are given when a packet leaves, not when it is queued', (t) => {
  const on = lane()
  for (const kind of [Kind.reliable, Kind.unreliable, Kind.unreliable, Kind.reliable, Kind.unreliable]) on.push(message(kind))
  t.equal(on.reliableNumber, 0)
  t.equal(on.nextReliable(on.queue.peek() as Message), 1)
  const [one, two, three, four, five] = [leave(on), leave(on), leave(on), leave(on), leave(on)]
  t.same([one.start, four.start], [1, 2])
  t.same([two.start, two.behind], [1, 1], 'unreliable numbers count from 1 behind the reliable packet before')
  t.same([three.start, three.behind], [2, 1])
  t.same([five.start, five.behind], [1, 2])
  t.end()
})

t.test('a packet in pieces takes as many reliable numbers, one in unreliable pieces takes one number', (t) => {
  const on = lane()
  on.push(message(Kind.fragment, 3))
  on.push(message(Kind.reliable))
  on.push(message(Kind.unreliableFragment, 5))
  on.push(message(Kind.unreliable))
  const [whole, next, pieces, last] = [leave(on), leave(on), leave(on), leave(on)]
  t.same([whole.start, next.start, pieces.start, pieces.behind, last.start], [1, 4, 1, 4, 2])
  t.equal(on.nextReliable(whole), (whole.start + whole.begun) & 0xffff)
  t.end()
})

t.test('reliable numbers wrap from 65,535 to 0', (t) => {
  const on = lane()
  on.reliableNumber = 65_534
  on.push(message(Kind.fragment, 3))
  on.push(message(Kind.reliable))
  t.same([leave(on).start, leave(on).start, on.reliableNumber], [65_535, 2, 2])
  t.end()
})

t.test('unreliable numbers do not wrap: they are exhausted until a reliable packet begins them anew', (t) => {
  const on = lane()
  on.unreliableNumber = 65_534
  t.equal(on.unreliableExhausted, false)
  on.push(message(Kind.unreliable))
  t.equal(leave(on).start, 65_535)
  t.equal(on.unreliableExhausted, true)
  on.push(message(Kind.reliable))
  leave(on)
  t.equal(on.unreliableExhausted, false)
  t.equal(on.unreliableNumber, 0)
  t.end()
})

t.test('no number leaves that the receiver might not accept while the oldest unfinished packet is missing', (t) => {
  // Windows are aligned: from 1 on 28,671 numbers are acceptable, from 4,096 on 24,576.
  for (const [before, last] of [[0, 28_671], [1, 28_671], [4_095, 28_671], [4_096, 32_767], [40_000, 65_535], [65_535, 24_575]] as const) {
    const on = lane()
    on.reliableNumber = before
    t.equal(on.withinReach(12_345), true, 'nothing is unfinished: anything goes')
    on.push(message(Kind.reliable))
    const oldest = leave(on)
    t.equal(on.withinReach(last), true, `${before}: ${last}`)
    t.equal(on.withinReach((last + 1) & 0xffff), false, `${before}: ${last + 1}`)
    acknowledge(on, oldest)
    t.equal(on.withinReach((last + 1) & 0xffff), true)
  }
  t.end()
})

t.test('what counts is the first number of the oldest packet, however many of its pieces are acknowledged', (t) => {
  const on = lane()
  on.reliableNumber = 4_095
  on.push(message(Kind.fragment, 100))
  on.push(message(Kind.reliable))
  const [large, small] = [leave(on), leave(on)]
  acknowledge(on, small)
  for (let piece = 0; piece < 99; piece++) {
    large.missing--
    on.acknowledged(new ReliableCommand(on, large.start + piece, large, piece, null, 8, 0, false))
  }
  t.equal(on.withinReach(28_672), false)
  large.missing--
  on.acknowledged(new ReliableCommand(on, large.start + 99, large, 99, null, 8, 0, false))
  t.equal(on.withinReach(28_672), true)
  t.end()
})

t.test('a packet with a key takes the place of a waiting one: its position, not its end of the queue', (t) => {
  const on = lane()
  const old = message(Kind.reliable, 1, 5)
  old.key = 'position'
  const outcomes: DeliveryOutcome[] = []
  old.onSettled = (outcome) => outcomes.push(outcome)
  t.equal(on.push(old), null)
  on.push(message(Kind.reliable, 1, 6))
  const newer = message(Kind.unreliable, 1, 7)
  newer.key = 'position'
  newer.ttlMs = 30
  const replaced = on.push(newer)
  t.equal(replaced?.bytes.length, 5, 'the old bytes are handed back')
  replaced?.settle('superseded', () => {})
  t.same(outcomes, ['superseded'])
  t.equal(on.queue.length, 2)
  const first = on.queue.peek()
  t.same([first?.bytes.length, first?.kind, first?.ttlMs, first?.key], [7, Kind.unreliable, 30, 'position'])
  t.equal(first?.onSettled, null)
  t.end()
})

t.test('other keys, and packets that have begun to leave, stay as they are', (t) => {
  const on = lane()
  const keyed = (key: string | number, pieces = 1): Message => Object.assign(message(Kind.fragment, pieces), { key })
  on.push(keyed('1'))
  t.equal(on.push(keyed(1)), null, "'1' and 1 are two keys")
  const large = keyed('large', 2)
  on.push(large)
  large.begun = 1
  t.equal(on.push(keyed('large')), null)
  t.equal(on.queue.length, 4)
  t.not(on.push(keyed('large')), null, 'the newer one that waits is replaced')
  t.equal(on.queue.length, 4)
  t.end()
})

t.test('a key is free again when its packet has left', (t) => {
  const on = lane()
  on.push(Object.assign(message(Kind.reliable), { key: 'k' }))
  leave(on)
  t.equal(on.push(Object.assign(message(Kind.reliable), { key: 'k' })), null)
  t.equal(on.queue.length, 1)
  t.end()
})

t.test('what has waited too long is taken out, in order; what has begun to leave is not', (t) => {
  const on = lane()
  const waiting = [5, 10, 3, Infinity].map((expiresAt) => Object.assign(message(Kind.reliable), { expiresAt, key: expiresAt }))
  for (const one of waiting) on.push(one)
  t.same(on.expire(2), [])
  t.same(on.expire(5), [waiting[0], waiting[2]])
  t.same([...on.queue], [waiting[1], waiting[3]])
  t.equal(on.push(Object.assign(message(Kind.reliable), { key: 5 })), null, 'the key of an expired one is free')
  Object.assign(waiting[1] as Message, { begun: 1, pieces: 2 })
  t.same(on.expire(100), [])
  t.end()
})

t.test('what remains is everything that waits or is unacknowledged, once each', (t) => {
  const on = lane()
  for (const kind of [Kind.reliable, Kind.reliable, Kind.unreliable, Kind.fragment, Kind.reliable]) {
    on.push(message(kind, kind === Kind.fragment ? 3 : 1))
  }
  const [done, open] = [leave(on), leave(on)]
  acknowledge(on, done)
  leave(on)
  // The fragmented one has left in part: it waits and is unacknowledged at the same time.
  const large = on.queue.peek() as Message
  on.number(large)
  large.begun = 2
  const last = on.queue.at(1)
  t.same([...on.remaining()].map((one) => [open, large, last].indexOf(one)), [0, 1, 2])
  on.clear()
  t.same([...on.remaining()], [])
  t.equal(on.queue.length, 0)
  t.end()
})

t.test('a listener is told once, and what it throws goes to whoever asked to know', (t) => {
  const told: DeliveryOutcome[] = []
  const failed: unknown[] = []
  const one = message(Kind.reliable)
  one.settle('delivered', (error) => failed.push(error))
  one.onSettled = (outcome) => {
    told.push(outcome)
    throw new Error('mine')
  }
  one.settle('delivered', (error) => failed.push(error))
  one.settle('disconnected', (error) => failed.push(error))
  t.same(told, ['delivered'])
  t.match(failed, [{ message: 'mine' }])
  t.end()
})

t.test('sizes on the wire are those of SPEC §3', (t) => {
  const on = lane()
  const sizes = [[Kind.reliable, 6], [Kind.fragment, 24], [Kind.unreliable, 8], [Kind.unreliableFragment, 24],
    [Kind.unsequenced, 8]] as const
  for (const [kind, head] of sizes) t.equal(message(kind).headBytes, head)
  t.equal(new ReliableCommand(on, 1, message(Kind.reliable), 0, null, 10, 0, true).wireBytes, 16)
  t.equal(new ReliableCommand(on, 1, message(Kind.fragment), 0, null, 10, 0, true).wireBytes, 34)
  t.equal(new ReliableCommand(on, 1, null, 0, new Uint8Array(12), 0, 0, true).wireBytes, 12)
  t.same([Kind.reliable, Kind.fragment].map((kind) => message(kind).reliable), [true, true])
  t.same([Kind.unreliable, Kind.unreliableFragment, Kind.unsequenced].map((kind) => message(kind).reliable), [false, false, false])
  t.end()
})
