import fc from 'fast-check'
import t from 'tap'
import { Bottleneck } from '../../../src/transport/simulator/bottleneck.ts'
import { rulesOf } from '../../../src/transport/simulator/rules.ts'
import { holds } from '../../support/holds.ts'

/** The same thing as a plain list: what waits is whatever has not left yet. */
class NaiveBottleneck {
  readonly #accepted: { leavesMs: number; size: number }[] = []

  pass(rate: number, queueBytes: number, queueDatagrams: number, bytes: number, now: number): number {
    const size = bytes + 28
    const waiting = this.#accepted.filter((datagram) => datagram.leavesMs > now)
    const waitingBytes = waiting.reduce((sum, datagram) => sum + datagram.size, 0)
    if (waiting.length > 0 && (waiting.length + 1 > queueDatagrams || waitingBytes + size > queueBytes)) return -1
    const leavesMs = Math.max(now, ...this.#accepted.map((datagram) => datagram.leavesMs)) + size / rate
    this.#accepted.push({ leavesMs, size })
    return leavesMs
  }
}

t.test('the ring of a bottleneck does what a plain list does, at any length', (t) => {
  holds(t, 'ring = list', fc.property(
    fc.integer({ min: 1000, max: 50_000 }), fc.integer({ min: 30, max: 60_000 }), fc.integer({ min: 1, max: 300 }),
    fc.array(fc.tuple(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 40, noNaN: true })), fc.nat(1200)), { maxLength: 200 }),
    (rateBytesPerSecond, queueBytes, queueDatagrams, datagrams) => {
      const rules = rulesOf({ rateBytesPerSecond, queueBytes, queueDatagrams })
      const ring = new Bottleneck()
      const list = new NaiveBottleneck()
      let now = 0
      return datagrams.every(([ms, bytes]) => {
        now += ms
        return ring.pass(rules, bytes, now, 0) === list.pass(rules.rateBytesPerMs, queueBytes, queueDatagrams, bytes, now)
      })
    }), { numRuns: 200 })
  t.end()
})

t.test('a ring that grows while its beginning lies in the middle keeps its order', (t) => {
  const rules = rulesOf({ rateBytesPerSecond: 28_000, queueBytes: 1e6 })
  const bottleneck = new Bottleneck()
  // One empty datagram takes 1 ms. After 5 ms five of eight have left; thirty more make the ring grow twice.
  for (let i = 0; i < 8; i++) bottleneck.pass(rules, 0, 0, 0)
  for (let i = 0; i < 30; i++) bottleneck.pass(rules, 0, 5, 0)
  for (let now = 6; now < 38; now++) {
    // Asking means sending one more: one leaves in each millisecond, one comes.
    t.equal(bottleneck.pass(rules, 0, now, 0), 38 + now - 5)
    t.equal(bottleneck.waiting, 33)
  }
  t.end()
})

t.test('the queue is empty again when all have left, also after the limit is gone', (t) => {
  const bottleneck = new Bottleneck()
  for (let i = 0; i < 40; i++) bottleneck.pass(rulesOf({ rateBytesPerSecond: 28_000 }), 0, 0, 0)
  t.equal(bottleneck.waiting, 40)
  bottleneck.pass(rulesOf({}), 0, 100, 0)
  t.equal(bottleneck.waiting, 0)
  t.end()
})
