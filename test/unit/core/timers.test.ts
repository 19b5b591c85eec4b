// One heap of wake-ups for a whole host.

import t from 'tap'
import { Timers } from '../../../src/transport/core/timers.ts'
import type { Timed } from '../../../src/transport/core/timers.ts'

class Alarm implements Timed {
  armedAt = Infinity
  readonly rang: number[] = []
  onDue: (now: number) => void = () => {}
  due(now: number): void {
    this.rang.push(now)
    this.onDue(now)
  }
}

t.test('what is due is woken, once, and nothing else', (t) => {
  const timers = new Timers()
  const [early, late] = [new Alarm(), new Alarm()]
  timers.arm(late, 20)
  timers.arm(early, 10)
  t.equal(timers.deadline, 10)
  timers.run(9.99)
  t.same([early.rang, late.rang], [[], []])
  timers.run(10)
  timers.run(11)
  t.same([early.rang, late.rang], [[10], []])
  t.equal(early.armedAt, Infinity)
  t.equal(timers.deadline, 20)
  timers.run(100)
  t.same(late.rang, [100])
  t.equal(timers.deadline, Infinity)
  t.end()
})

t.test('an earlier time replaces a later one, and the later one does not ring as well', (t) => {
  const timers = new Timers()
  const alarm = new Alarm()
  timers.arm(alarm, 50)
  timers.arm(alarm, 10)
  t.equal(timers.deadline, 10)
  timers.run(10)
  timers.run(60)
  t.same(alarm.rang, [10])
  t.equal(timers.deadline, Infinity)
  t.end()
})

t.test('a later time does not move an alarm: it rings early and is set again', (t) => {
  const timers = new Timers()
  const alarm = new Alarm()
  timers.arm(alarm, 10)
  timers.arm(alarm, 50)
  t.equal(timers.deadline, 10)
  alarm.onDue = () => timers.arm(alarm, 50)
  timers.run(10)
  t.equal(timers.deadline, 50)
  timers.run(50)
  t.same(alarm.rang, [10, 50])
  t.end()
})

t.test('a disarmed alarm does not ring, and can be set again', (t) => {
  const timers = new Timers()
  const alarm = new Alarm()
  timers.arm(alarm, 10)
  timers.disarm(alarm)
  t.equal(timers.deadline, Infinity)
  timers.run(20)
  t.same(alarm.rang, [])
  timers.arm(alarm, 30)
  timers.disarm(alarm)
  timers.arm(alarm, 25)
  timers.run(40)
  t.same(alarm.rang, [40])
  timers.run(50)
  t.same(alarm.rang, [40])
  t.end()
})

t.test('one that is due again at once does not hold up the run for ever', (t) => {
  const timers = new Timers()
  const [busy, other] = [new Alarm(), new Alarm()]
  busy.onDue = (now) => timers.arm(busy, now)
  timers.arm(busy, 5)
  timers.arm(other, 5)
  timers.run(5)
  t.ok(busy.rang.length <= 2, `${busy.rang.length} times`)
  t.same(other.rang, [5])
  t.equal(timers.deadline, 5, 'it waits for the next run')
  t.end()
})

t.test('alarms that disarm each other while they ring', (t) => {
  const timers = new Timers()
  const [one, two] = [new Alarm(), new Alarm()]
  one.onDue = () => timers.disarm(two)
  two.onDue = () => timers.disarm(one)
  timers.arm(one, 1)
  timers.arm(two, 1)
  timers.run(1)
  t.equal(one.rang.length + two.rang.length, 1)
  t.equal(timers.deadline, Infinity)
  t.end()
})
