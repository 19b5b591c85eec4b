// Whose turn it is to send: strict between levels, small before large, shares by weight among equals. SPEC §7.5.

import t from 'tap'
import { Lane } from '../../../src/transport/core/lane.ts'
import { Kind, Message } from '../../../src/transport/core/message.ts'
import { isSmall, Schedule, URGENT_BYTES } from '../../../src/transport/core/schedule.ts'

const SMALL = 50
const LARGE = 5000

/** A lane that never runs dry of packets of one size. */
const busy = (channel: number, level: number, weight: number, bytes = SMALL): Lane => {
  const lane = new Lane(channel, true, level, weight)
  fill(lane, bytes)
  return lane
}

const fill = (lane: Lane, bytes: number): void => {
  const one = new Message(new Uint8Array(bytes), bytes > URGENT_BYTES ? Kind.fragment : Kind.reliable)
  if (bytes > URGENT_BYTES) one.pieces = Math.ceil(bytes / 1000)
  lane.push(one)
}

/** The channels in the order in which they may send so many packets of their size. */
const order = (schedule: Schedule, count: number,
  cost: (lane: Lane) => number = (lane) => lane.queue.peek()?.bytes.length ?? 0): number[] => {
  const channels: number[] = []
  for (let i = 0; i < count; i++) {
    const lane = schedule.next(i)
    if (lane === null) break
    channels.push(lane.channel)
    schedule.charge(lane, cost(lane), isSmall(lane))
  }
  return channels
}

const shares = (channels: readonly number[]): Record<number, number> => {
  const counts: Record<number, number> = {}
  for (const channel of channels) counts[channel] = (counts[channel] ?? 0) + 1
  return counts
}

const scheduleOf = (...lanes: readonly Lane[]): Schedule => {
  const schedule = new Schedule()
  for (const lane of lanes) schedule.add(lane)
  return schedule
}

t.test('nobody has a turn when nobody waits', (t) => {
  const schedule = new Schedule()
  t.equal(schedule.next(0), null)
  t.equal(schedule.hasBulk, false)
  const lane = busy(0, 4, 10)
  schedule.add(lane)
  schedule.add(lane)
  schedule.remove(lane)
  schedule.remove(lane)
  t.equal(schedule.next(1), null)
  t.end()
})

t.test('a higher level goes first, always', (t) => {
  const [low, high, middle] = [busy(0, 0, 100), busy(1, 7, 1), busy(2, 4, 50)]
  const schedule = scheduleOf(low, high, middle)
  t.same(shares(order(schedule, 200)), { 1: 200 })
  schedule.remove(high)
  t.same(shares(order(schedule, 200)), { 2: 200 })
  schedule.remove(middle)
  t.same(shares(order(schedule, 200)), { 0: 200 })
  t.end()
})

t.test('equals share by weight, in bytes', (t) => {
  const even = order(scheduleOf(busy(0, 4, 10), busy(1, 4, 10), busy(2, 4, 10)), 360)
  t.same(shares(even), { 0: 120, 1: 120, 2: 120 })
  const weighted = shares(order(scheduleOf(busy(0, 4, 30), busy(1, 4, 10)), 4000))
  t.ok(Math.abs((weighted[0] ?? 0) / (weighted[1] ?? 1) - 3) < 0.2, JSON.stringify(weighted))
  // One sends packets ten times as large: a tenth as many.
  const sizes = shares(order(scheduleOf(busy(0, 4, 10, 500), busy(1, 4, 10, 50)), 4000))
  t.ok(Math.abs((sizes[1] ?? 0) / (sizes[0] ?? 1) - 10) < 1, JSON.stringify(sizes))
  t.end()
})

t.test('a lane that waits alone does not pile up debt for the time when others come', (t) => {
  const [first, second] = [busy(0, 4, 10), busy(1, 4, 10)]
  const schedule = scheduleOf(first)
  order(schedule, 1000)
  schedule.add(second)
  const soon = shares(order(schedule, 100))
  t.ok((soon[0] ?? 0) >= 20, JSON.stringify(soon))
  t.end()
})

t.test('within a level what is small goes before what is large, and large ones share what is left', (t) => {
  const schedule = scheduleOf(busy(0, 4, 10, LARGE), busy(1, 4, 10), busy(2, 4, 10, LARGE))
  t.same(shares(order(schedule, 50)), { 1: 50 })
  const [first, small, last] = [busy(0, 4, 10, LARGE), busy(1, 4, 10), busy(2, 4, 10, LARGE)]
  const later = scheduleOf(first, small, last)
  later.remove(small)
  t.same(shares(order(later, 100, () => 1000)), { 0: 50, 2: 50 })
  t.equal(later.hasBulk, true)
  t.end()
})

t.test('a lane that is blocked in a datagram is passed over there, and only there', (t) => {
  const [one, two] = [busy(0, 4, 10), busy(1, 3, 10)]
  const schedule = scheduleOf(one, two)
  one.blockedIn = 5
  t.equal(schedule.next(5), two)
  two.blockedIn = 5
  t.equal(schedule.next(5), null)
  t.equal(schedule.next(6), one)
  t.end()
})

t.test('a lane can be moved to another level while it waits', (t) => {
  const [one, two] = [busy(0, 4, 10), busy(1, 3, 10)]
  const schedule = scheduleOf(one, two)
  schedule.move(two, 5, 20)
  t.equal(schedule.next(0), two)
  t.equal(two.weight, 20)
  schedule.move(two, 0, 20)
  t.equal(schedule.next(1), one)
  const idle = new Lane(9, true, 4, 10)
  schedule.move(idle, 7, 1)
  t.equal(schedule.next(2), one, 'one that does not wait is not taken in by it')
  t.end()
})

t.test('taking a lane out keeps the turns of the others', (t) => {
  const lanes = [busy(0, 4, 10), busy(1, 4, 10), busy(2, 4, 10), busy(3, 4, 10)]
  const schedule = scheduleOf(...lanes)
  order(schedule, 10)
  schedule.remove(lanes[1] as Lane)
  const after = shares(order(schedule, 300))
  t.same(Object.keys(after), ['0', '2', '3'])
  for (const count of Object.values(after)) t.ok(Math.abs(count - 100) <= 30, JSON.stringify(after))
  t.end()
})

t.test('small means one command of at most 1,000 bytes on a channel that is not marked bulk', (t) => {
  t.equal(isSmall(busy(0, 4, 10, URGENT_BYTES)), true)
  t.equal(isSmall(busy(0, 4, 10, URGENT_BYTES + 1)), false)
  const bulk = busy(0, 4, 10)
  bulk.bulk = true
  t.equal(isSmall(bulk), false)
  t.equal(isSmall(new Lane(0, true, 4, 10)), false)
  t.end()
})
