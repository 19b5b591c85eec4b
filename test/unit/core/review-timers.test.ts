// The heap of wake-ups stays as small as the number of those who want to be woken.

import t from 'tap'
import { Timers } from '../../../src/transport/core/timers.ts'
import type { Timed } from '../../../src/transport/core/timers.ts'
import { packet, pair } from '../../support/pair.ts'

t.test('one that is woken early again and again leaves nothing behind', (t) => {
  const timers = new Timers()
  const rang: number[] = []
  const alarms: Timed[] = Array.from({ length: 10 }, () => ({
    armedAt: Infinity,
    // What is far away is armed anew after each time that it was woken for something near.
    due(now) {
      rang.push(now)
      timers.arm(this, 1e9 + now)
    },
  }))
  for (let now = 0; now < 5_000; now++) {
    for (const alarm of alarms) timers.arm(alarm, now)
    timers.run(now)
    if (timers.length > 10 * 2 + 64) t.fail(`${timers.length} entries after ${now}`)
  }
  t.equal(rang.length, 50_000)
  for (const alarm of alarms) timers.disarm(alarm)
  t.equal(timers.deadline, Infinity)
  t.equal(timers.length, 0)
  t.end()
})

t.test('a sweep keeps every alarm at its time, once', (t) => {
  const timers = new Timers()
  const rang: string[] = []
  const make = (name: string): Timed => ({ armedAt: Infinity, due(now) { rang.push(`${name}@${now}`) } })
  const kept = make('kept')
  timers.arm(kept, 2_000)
  const fickle = make('fickle')
  // Earlier and earlier: each arming leaves one behind.
  for (let at = 1_500; at > 1_000; at--) timers.arm(fickle, at)
  t.ok(timers.length < 100)
  for (const now of [999, 1_000, 1_001, 1_500, 2_000, 3_000]) timers.run(now)
  t.same(rang, ['fickle@1001', 'kept@2000'])
  t.end()
})

t.test('a busy connection whose pings are an hour apart keeps a handful of wake-ups', (t) => {
  const { network, a, b } = pair({ path: { latencyMs: 20 }, both: { pingIntervalMs: 3_600_000 } })
  network.every(150, () => { a.peer.send(0, packet(1)) })
  network.runFor(120_000)
  t.equal(b.received.length, 799)
  for (const { host } of [a, b]) t.ok(host.timers.length < 70, `${host.timers.length}`)
  t.end()
})
