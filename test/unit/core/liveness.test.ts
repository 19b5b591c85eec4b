// When the other side is asked, and when it is given up. SPEC §6.7 to §6.9.

import t from 'tap'
import { Liveness } from '../../../src/transport/core/liveness.ts'
import { resolveHostOptions } from '../../../src/transport/core/options.ts'
import type { Recovery } from '../../../src/transport/core/recovery.ts'

const liveness = (): Liveness => new Liveness(resolveHostOptions({}), 0)
const silence = (overdueSince: number, probes: number, tailMs = 50): Recovery => ({ overdueSince, probes, tailMs }) as Recovery

t.test('a peer is dead after the long time, or after the short one if it was asked log2(limit) times', (t) => {
  const it = liveness()
  t.equal(it.deadAt(silence(-1, 9), false), Infinity, 'nothing is overdue')
  for (const [probes, dead] of [[0, 31_000], [4, 31_000], [5, 6_000], [6, 6_000], [31, 6_000], [40, 6_000]] as const) {
    t.equal(it.deadAt(silence(1_000, probes), false), dead, `${probes} probes`)
  }
  it.setTimeout({ limit: 100, minimumMs: 2_000, maximumMs: 9_000 })
  for (const [probes, dead] of [[6, 10_000], [7, 3_000]] as const) t.equal(it.deadAt(silence(1_000, probes), false), dead, 'limit 100')
  t.end()
})

t.test('a goodbye is waited for one second, or eight tail times, or the short time if that is less', (t) => {
  const it = liveness()
  for (const [tailMs, dead] of [[10, 2_000], [125, 2_000], [300, 3_400], [2_000, 6_000]] as const) {
    t.equal(it.deadAt(silence(1_000, 0, tailMs), true), dead, `tail time ${tailMs}`)
  }
  t.end()
})

t.test('what was held counts from the step of time after it, and only the longest', (t) => {
  const it = liveness()
  t.equal(it.hasUnstamped, false)
  it.hold(10_000)
  it.hold(4_000)
  t.equal(it.hasUnstamped, true)
  t.equal(it.deadAt(silence(1_000, 9), false), 6_000)
  it.stamp(5_000)
  t.equal(it.hasUnstamped, false)
  t.equal(it.deadAt(silence(1_000, 9), false), 15_000)
  it.hold(1_000)
  it.stamp(5_500)
  t.equal(it.deadAt(silence(1_000, 9), false), 15_000, 'a shorter one does not shorten it')
  t.equal(it.deadAt(silence(14_000, 9), false), 19_000)
  t.end()
})

t.test('a ping is due one interval after the last acknowledgement; later while nobody sends and the other side pings', (t) => {
  const it = liveness()
  it.lastAckAt = it.lastReceiveAt = it.lastApplicationAt = 10_000
  t.equal(it.pingAt(10_100, false), 10_500)
  // Nobody has sent anything for long; the other side is heard.
  Object.assign(it, { lastApplicationAt: 0, lastAckAt: 10_000, lastReceiveAt: 10_200 })
  t.equal(it.pingAt(10_300, false), 10_700, 'one interval after it was heard')
  t.equal(it.pingAt(10_300, true), 12_200, 'four for a host of our own')
  it.lastReceiveAt = 13_900
  t.equal(it.pingAt(13_950, false), 14_000, 'at most eight after the last acknowledgement')
  it.lastReceiveAt = 10_000
  t.equal(it.pingAt(11_000, false), 10_500, 'not heard for two intervals: at once')
  it.pingIntervalMs = 100
  it.lastReceiveAt = 11_000
  t.equal(it.pingAt(11_000, false), 10_800)
  t.end()
})
