// Laws of a link under any legal conditions: it loses count of nothing, nothing comes out that did not go in, time is kept,
// and the same calls give the same results.

import fc from 'fast-check'
import t from 'tap'
import { Link } from '../../src/transport/simulator/index.ts'
import type { Arrival, Conditions, ConditionsOverTime, DropCause } from '../../src/transport/simulator/index.ts'
import { holds } from '../support/holds.ts'

const between = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true })
const ratio = fc.oneof(fc.constant(0), between(0, 1), fc.constant(1))
const shortMs = between(0, 100)
const spanMs = fc.tuple(shortMs, shortMs).map(([a, b]): [number, number] => a < b ? [a, b] : [b, a])

const burstLoss = fc.oneof(
  fc.record({ lossRatio: between(0, 0.4), meanBurstMs: between(0.1, 200), lossInBurstRatio: between(0.5, 1) }),
  fc.record({ lossRatio: between(0, 0.4), meanBurstDatagrams: between(2, 20) }))

const blackout = fc.tuple(shortMs, between(0.01, 60), fc.option(between(0.01, 100)), fc.boolean())
  .map(([atMs, durationMs, pause, hold]) => ({ atMs, durationMs, hold, ...(pause === null ? {} : { everyMs: durationMs + pause }) }))

/** Any subset of all conditions. */
const conditions: fc.Arbitrary<Conditions> = fc.record({
  latencyMs: shortMs, jitterMs: shortMs, jitterShape: fc.constantFrom('uniform', 'exponential'), spikeRatio: ratio, spikeMs: shortMs,
  keepOrder: fc.boolean(), reorderRatio: ratio, reorderByMs: spanMs, lossRatio: ratio, burstLoss,
  blackouts: fc.array(blackout, { maxLength: 3 }),
  duplicateRatio: ratio, duplicateByMs: spanMs, replayRatio: ratio, corruptRatio: ratio, truncateRatio: ratio, extendRatio: ratio,
  rateBytesPerSecond: fc.integer({ min: 1000, max: 1_000_000 }), overheadBytes: fc.nat(60), queueBytes: fc.integer({ min: 1, max: 5000 }),
  queueDatagrams: fc.integer({ min: 1, max: 20 }), mtuBytes: fc.integer({ min: 10, max: 200 }),
}, { requiredKeys: [] })

const overTime: fc.Arbitrary<ConditionsOverTime> = fc.oneof({ weight: 3, arbitrary: conditions }, {
  weight: 1,
  arbitrary: fc.tuple(conditions, conditions, between(0.1, 100), fc.option(between(0.1, 100)))
    .map(([first, second, atMs, rest]) => ({
      steps: [{ atMs: 0, conditions: first }, { atMs, conditions: second }], ...(rest === null ? {} : { repeatEveryMs: atMs + rest }),
    })),
})

/** What a user of a link can do; `ms` pass before it. */
type Step = { ms: number } & (
  { do: 'send'; length: number } | { do: 'poll' } | { do: 'change'; conditions: Conditions } | { do: 'cut'; up: boolean })
const pause = fc.oneof(fc.constant(0), between(0, 30))
const steps: fc.Arbitrary<Step[]> = fc.array(fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('send' as const), ms: pause, length: fc.integer({ min: 0, max: 250 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('poll' as const), ms: pause }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('change' as const), ms: pause, conditions }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const), ms: pause, up: fc.boolean() }) }), { maxLength: 150 })

interface Run {
  link: Link<number>
  /** By order of sending: its bytes, or why it was lost. */
  fates: { bytes: Uint8Array; drop: DropCause | null; dueMs: number }[]
  arrivals: (Arrival<number> & { polledAtMs: number })[]
  now: number
}

/** Runs the steps; `check` is called after each. */
const play = (
  first: ConditionsOverTime, seed: number, program: readonly Step[], check: (run: Run, step: Step) => boolean = () => true
): Run & { kept: boolean } => {
  const run: Run = { link: new Link<number>(first, { seed }), fates: [], arrivals: [], now: 1000 }
  const { link, fates, arrivals } = run
  let kept = true
  for (const step of program) {
    run.now += step.ms
    if (step.do === 'send') {
      const bytes = Uint8Array.from({ length: step.length }, (_, i) => (i * 7 + fates.length) & 255)
      const dueMs = link.send(bytes, run.now, fates.length)
      fates.push({ bytes, drop: link.lastDrop, dueMs })
    } else if (step.do === 'change') {
      link.conditions = step.conditions
    } else if (step.do === 'cut') {
      link.up = step.up
    } else {
      for (let a = link.poll(run.now); a !== null; a = link.poll(run.now)) arrivals.push({ ...a, polledAtMs: run.now })
    }
    kept = kept && check(run, step)
  }
  return { ...run, kept }
}

const causes: readonly DropCause[] = ['lost', 'burstLost', 'queueDropped', 'blackout', 'tooLarge', 'filtered']
const programs = fc.tuple(overTime, fc.integer(), steps)
const runs = { numRuns: 300 }

t.test('laws of a link', (t) => {
  const adds = 'after every step: sent = delivered + all causes of loss + in flight; copies made = delivered + in flight'
  holds(t, adds, fc.property(programs, ([first, seed, program]) =>
    play(first, seed, program, ({ link: { ledger }, fates, arrivals }) =>
      ledger.sent === fates.length &&
      ledger.sent === ledger.delivered + causes.reduce((sum, cause) => sum + ledger[cause], 0) + ledger.inFlight &&
      ledger.duplicated + ledger.replayed === ledger.copiesDelivered + ledger.copiesInFlight &&
      causes.every((cause) => ledger[cause] === fates.filter((fate) => fate.drop === cause).length) &&
      ledger.delivered === arrivals.filter((a) => !a.isCopy).length && ledger.copiesDelivered === arrivals.filter((a) => a.isCopy).length &&
      ledger.bytesSent === fates.reduce((sum, fate) => sum + fate.bytes.length, 0) &&
      ledger.bytesDelivered === arrivals.reduce((sum, a) => sum + a.bytes.length, 0)).kept), runs)

  const once = 'an original arrives once, exactly when send said it would; a lost one never'
  holds(t, once, fc.property(programs, ([first, seed, program]) => {
    const { fates, arrivals } = play(first, seed, [...program, { do: 'poll', ms: 1e9 }])
    const originals = arrivals.filter((a) => !a.isCopy)
    return originals.length === fates.filter((fate) => fate.drop === null).length &&
      new Set(originals.map((a) => a.tag)).size === originals.length &&
      originals.every((a) => fates[a.tag]!.drop === null && fates[a.tag]!.dueMs === a.atMs) &&
      fates.every((fate) => (fate.drop === null) === (fate.dueMs !== Infinity))
  }), runs)

  const timely = 'nothing is early, nothing that is due is held back, and arrivals come in order of time'
  holds(t, timely, fc.property(programs, ([first, seed, program]) => {
    const { arrivals, kept } = play(first, seed, program, ({ link, now }, step) => step.do !== 'poll' || link.deadline() > now)
    return kept && arrivals.every((a, i) => a.atMs >= a.sentAtMs && a.atMs <= a.polledAtMs &&
      (i === 0 || a.polledAtMs !== arrivals[i - 1]!.polledAtMs || a.atMs >= arrivals[i - 1]!.atMs))
  }), runs)

  holds(t, 'the deadline is the arrival of the next datagram', fc.property(programs, ([first, seed, program]) => {
    const { link } = play(first, seed, program)
    for (let deadline = link.deadline(); deadline !== Infinity; deadline = link.deadline()) {
      // The number just below: polling there must find nothing, polling at the deadline must find that one.
      if (link.poll(deadline - Math.max(1e-9, deadline * 2 ** -52)) !== null || link.poll(deadline)?.atMs !== deadline) return false
    }
    return link.ledger.inFlight === 0 && link.ledger.copiesInFlight === 0
  }), runs)

  const undamaged = conditions.map((all): Conditions => ({ ...all, corruptRatio: 0, truncateRatio: 0, extendRatio: 0 }))
  const gentle = (program: readonly Step[]): Step[] => program.filter((step) => step.do !== 'change')
  holds(t, 'without damage every datagram, copies and replays included, arrives as one that was sent, byte for byte', fc.property(
    undamaged, fc.integer(), steps, (first, seed, program) => {
      const { fates, arrivals } = play(first, seed, [...gentle(program), { do: 'poll', ms: 1e9 }])
      return arrivals.every((a) => Buffer.compare(a.bytes, fates[a.tag]!.bytes) === 0)
    }), runs)

  holds(t, 'with keepOrder and without reordering, originals arrive in the order of sending', fc.property(
    conditions, fc.integer(), steps, (first, seed, program) => {
      const inOrder: Conditions = { ...first, keepOrder: true, reorderRatio: 0 }
      const { arrivals } = play(inOrder, seed, [...gentle(program), { do: 'poll', ms: 1e9 }])
      const order = arrivals.filter((a) => !a.isCopy).map((a) => a.tag)
      return order.every((tag, i) => i === 0 || tag > order[i - 1]!)
    }), runs)

  holds(t, 'no faster than the rate: between any two arrivals of a steady link lie at least the bytes of the later one', fc.property(
    fc.integer({ min: 1000, max: 100_000 }), fc.integer({ min: 1000, max: 20_000 }), steps, (rate, queueBytes, program) => {
      const { arrivals } = play({ rateBytesPerSecond: rate, queueBytes, latencyMs: 10 }, 1, [...gentle(program), { do: 'poll', ms: 1e9 }])
      return arrivals.every((a, i) => i === 0 || a.atMs - arrivals[i - 1]!.atMs >= (a.bytes.length + 28) / rate * 1000 - 1e-6)
    }), runs)

  holds(t, 'the same seed and the same calls give the same arrivals, byte for byte', fc.property(programs, ([first, seed, program]) => {
    const run = (): string => {
      const { arrivals } = play(first, seed, [...program, { do: 'poll', ms: 1e9 }])
      return JSON.stringify(arrivals.map((a) => ({ ...a, bytes: [...a.bytes] })))
    }
    return run() === run()
  }), runs)
  t.end()
})
