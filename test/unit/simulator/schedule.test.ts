import fc from 'fast-check'
import t from 'tap'
import { Schedule, type Scheduled } from '../../../src/transport/simulator/schedule.ts'
import { holds } from '../../support/holds.ts'

const item = (rank: number): Scheduled => ({ rank, place: -1, run: () => {} })

/** Takes everything out in order. */
const drained = (schedule: Schedule): [number, number][] => {
  const order: [number, number][] = []
  for (let first = schedule.first; first !== undefined; first = schedule.first) {
    order.push([schedule.firstDueMs, first.rank])
    schedule.set(first, Infinity)
  }
  return order
}

t.test('an empty schedule has nothing due', (t) => {
  const schedule = new Schedule()
  t.equal(schedule.first, undefined)
  t.equal(schedule.firstDueMs, Infinity)
  schedule.set(item(1), Infinity)
  t.equal(schedule.first, undefined)
  t.end()
})

t.test('a schedule hands things out by time, then rank, however they were set, moved and taken out', (t) => {
  const time = fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 0, max: 200 }) }, { weight: 1, arbitrary: fc.constant(Infinity) })
  holds(t, 'heap = sorted list', fc.property(fc.array(fc.tuple(fc.nat(40), time), { minLength: 50, maxLength: 120 }), (moves) => {
    const schedule = new Schedule()
    const items = new Map<number, Scheduled>()
    const due = new Map<number, number>()
    for (const [rank, dueMs] of moves) {
      if (!items.has(rank)) items.set(rank, item(rank))
      schedule.set(items.get(rank)!, dueMs)
      if (dueMs === Infinity) due.delete(rank)
      else due.set(rank, dueMs)
    }
    const expected = [...due].map(([rank, dueMs]): [number, number] => [dueMs, rank]).sort((a, b) => a[0] - b[0] || a[1] - b[1])
    const order = drained(schedule)
    return order.length === expected.length && order.every(([dueMs, rank], i) => dueMs === expected[i]![0] && rank === expected[i]![1])
  }), { numRuns: 500 })
  t.end()
})
