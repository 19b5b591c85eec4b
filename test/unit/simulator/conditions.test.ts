import t, { type Test } from 'tap'
import { Link } from '../../../src/transport/simulator/index.ts'
import type { Conditions, ConditionsOverTime } from '../../../src/transport/simulator/index.ts'
import { rulesOf } from '../../../src/transport/simulator/rules.ts'

const refused = (t: Test, conditions: unknown, message: RegExp): void => {
  t.throws(() => new Link(conditions as ConditionsOverTime), { code: 'ERR_OPTION_RANGE', message })
}

t.test('a number outside its range is refused with its name, its value and what is legal', (t) => {
  refused(t, { latencyMs: -1 }, /conditions\.latencyMs is -1; it must be a number from 0 to 600000/)
  refused(t, { lossRatio: 5 }, /conditions\.lossRatio is 5; it must be a number from 0 to 1/)
  refused(t, { lossRatio: NaN }, /lossRatio is NaN/)
  refused(t, { lossRatio: '0.1' }, /lossRatio is 0\.1/)
  refused(t, { rateBytesPerSecond: 0 }, /rateBytesPerSecond is 0/)
  refused(t, { mtuBytes: 70_000 }, /mtuBytes is 70000/)
  refused(t, { jitterShape: 'gaussian' }, /jitterShape is gaussian; it must be 'uniform' or 'exponential'/)
  refused(t, { keepOrder: 'yes' }, /keepOrder is yes/)
  refused(t, { reorderByMs: [20, 5] }, /reorderByMs is \[20, 5\]/)
  refused(t, { reorderByMs: [-1, 5] }, /reorderByMs is -1/)
  refused(t, null, /conditions is null/)
  t.end()
})

t.test('a misspelt condition is an error, not a perfect network', (t) => {
  refused(t, { latency: 50 }, /conditions\.latency is no condition; there are latencyMs, /)
  t.end()
})

t.test('bursts need one length, and a loss that they can cause', (t) => {
  refused(t, { burstLoss: { lossRatio: 0.1 } }, /needs meanBurstMs or meanBurstDatagrams/)
  refused(t, { burstLoss: { lossRatio: 0.1, meanBurstMs: 10, meanBurstDatagrams: 3 } }, /not both/)
  refused(t, { burstLoss: { lossRatio: 0.6, lossInBurstRatio: 0.5, meanBurstMs: 10 } }, /less than lossInBurstRatio \(0\.5\)/)
  refused(t, { burstLoss: { lossRatio: 0.9, meanBurstDatagrams: 2 } }, /meanBurstDatagrams is 2; it must be at least 9/)
  t.doesNotThrow(() => new Link({ burstLoss: { lossRatio: 0, meanBurstMs: 10 } }))
  t.end()
})

t.test('a blackout has a beginning and a length shorter than its period', (t) => {
  refused(t, { blackouts: [{ atMs: 0, durationMs: 10 }, { atMs: 5, durationMs: 0 }] }, /blackouts\[1\]\.durationMs is 0/)
  refused(t, { blackouts: [{ atMs: 0, durationMs: 10, everyMs: 10 }] }, /everyMs is 10; it must be more than durationMs \(10\)/)
  refused(t, { blackouts: [{ atMs: -1, durationMs: 10 }] }, /atMs is -1/)
  t.end()
})

t.test('a timeline begins at 0, rises, and ends before it repeats', (t) => {
  refused(t, { steps: [] }, /steps is empty/)
  refused(t, { steps: [{ atMs: 10, conditions: {} }] }, /steps\[0\]\.atMs is 10; it must be 0/)
  refused(t, { steps: [{ atMs: 0, conditions: {} }, { atMs: 0, conditions: {} }] }, /steps\[1\]\.atMs is 0; it must be more than 0/)
  refused(t, { steps: [{ atMs: 0, conditions: { lossRatio: 2 } }] }, /steps\[0\]\.conditions\.lossRatio is 2/)
  refused(t, { steps: [{ atMs: 0, conditions: {} }, { atMs: 9, conditions: {} }], repeatEveryMs: 9 }, /repeatEveryMs is 9/)
  t.end()
})

t.test('refused conditions leave a running link as it was', (t) => {
  const link = new Link({ latencyMs: 5 })
  t.throws(() => { link.conditions = { latencyMs: -5 } }, { code: 'ERR_OPTION_RANGE' })
  t.same(link.conditions, { latencyMs: 5 })
  t.equal(link.send(new Uint8Array(1), 0), 5)
  t.end()
})

t.test('the queue before a bottleneck is bounded even when nobody asked for it', (t) => {
  t.equal(rulesOf({ rateBytesPerSecond: 1_000_000 }).queueBytes, 200_000)
  t.equal(rulesOf({ rateBytesPerSecond: 1_000 }).queueBytes, 15_000)
  t.equal(rulesOf({}).queueBytes, 262_144)
  t.end()
})

t.test('every condition that is documented is known', (t) => {
  const all: Required<Conditions> = {
    latencyMs: 1, jitterMs: 1, jitterShape: 'uniform', spikeRatio: 0.1, spikeMs: 1, keepOrder: false, reorderRatio: 0.1, reorderByMs: 3,
    lossRatio: 0.1, burstLoss: { lossRatio: 0.1, meanBurstMs: 10 }, blackouts: [{ atMs: 1, durationMs: 1 }], duplicateRatio: 0.1,
    duplicateByMs: [1, 2], replayRatio: 0.1, corruptRatio: 0.1, truncateRatio: 0.1, extendRatio: 0.1, rateBytesPerSecond: 1000,
    overheadBytes: 0, queueBytes: 1000, queueDatagrams: 5, mtuBytes: 1000,
  }
  t.doesNotThrow(() => new Link(all))
  t.end()
})
