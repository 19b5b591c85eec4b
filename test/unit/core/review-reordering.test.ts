// Fast paths on which datagrams overtake each other by more than a report has room for.

import t from 'tap'
import { Reports } from '../../../src/transport/core/extension.ts'
import { pair } from '../../support/pair.ts'

for (const extension of [true, false]) {
  for (const jitterMs of [2, 15, 30]) {
    t.test(`what arrives ${jitterMs} ms later than what was sent after it is not sent again, ${extension ? 'reported' : 'acknowledged'}`, (t) => {
      const calm = { latencyMs: 20, rateBytesPerSecond: 50_000_000 }
      const { network, a, b } = pair({ path: calm, both: { extension } })
      network.runFor(1_000)
      network.path('a', 'b', { ...calm, jitterMs, keepOrder: false })
      a.peer.send(0, new Uint8Array(10_000_000))
      network.runUntil(() => b.received.length === 1)
      const { retransmissions, datagramsSent } = a.peer.stats
      t.ok(retransmissions < 0.03 * datagramsSent, `${retransmissions} of ${datagramsSent}`)
      t.end()
    })
  }
}

t.test('a datagram has a place in a report if it lies at most 64 before the largest', (t) => {
  for (const largest of [1_000, 30]) {
    const reports = new Reports()
    const before = (n: number): number => (largest - n) & 0xffff
    t.equal(reports.note(before(100), 0, 0), true)
    reports.write(new Uint8Array(32), 0, 0)
    t.equal(reports.note(largest, 1, 0), true)
    reports.write(new Uint8Array(32), 0, 1)
    t.equal(reports.note(before(65), 2, 0), false)
    t.equal(reports.pending, 0)
    t.equal(reports.note(before(64), 2, 0), true)
    t.equal(reports.pending, 1)
  }
  t.end()
})
