// What a sender learns of its path: loss, tolerances, delay. Small laws of each, without a connection.

import t from 'tap'
import { LossRate } from '../../../src/transport/core/loss-rate.ts'
import { PathDelay } from '../../../src/transport/core/path-delay.ts'
import { Tolerances } from '../../../src/transport/core/tolerances.ts'
import { SeededRandom } from '../../../src/util/random.ts'

t.test('loss rate: near the truth, the cautious one never below the fast one, and a wrong loss is taken back', (t) => {
  for (const share of [0.01, 0.05, 0.2]) {
    const random = new SeededRandom(5)
    const loss = new LossRate()
    let sum = 0
    let outside = 0
    for (let i = 0; i < 20_000; i++) {
      loss.outcome(random.chance(share))
      if (!(loss.cautious >= loss.fast && loss.fast >= 0 && loss.fast <= 1)) outside++
      if (i >= 1_000) sum += loss.fast / 19_000
    }
    t.equal(outside, 0)
    t.ok(Math.abs(sum - share) < share / 10, `${share}: ${sum.toFixed(4)}`)
  }
  const loss = new LossRate()
  for (let i = 0; i < 500; i++) loss.outcome(false)
  loss.outcome(true)
  t.ok(loss.fast > 0.01)
  loss.undo()
  t.equal(loss.fast, 0)
  loss.undo()
  t.equal(loss.fast, 0, 'never below nothing')
  t.end()
})

t.test('tolerances settle where about two of a hundred acknowledgements come later', (t) => {
  const random = new SeededRandom(9)
  const tolerances = new Tolerances()
  let later = 0
  for (let i = 0; i < 50_000; i++) {
    const late = 30 * random.unit()
    if (i >= 10_000 && late > tolerances.tight) later++
    tolerances.overtaken(late, 100)
    tolerances.shrink(100)
  }
  t.ok(later / 40_000 > 0.01 && later / 40_000 < 0.03, `${later}`)
  t.ok(tolerances.wide >= 30, 'certainty waits for the latest of them')

  later = 0
  for (let i = 0; i < 50_000; i++) {
    const residence = 100 + 30 * random.unit()
    if (i >= 10_000 && residence > 100 + tolerances.slack) later++
    tolerances.answered(residence, 100 + tolerances.slack, 100)
  }
  t.ok(later / 40_000 > 0.01 && later / 40_000 < 0.03, `${later}`)
  t.end()
})

t.test('tolerances never exceed a round trip, whatever comes, and shrink to nothing on a path that keeps order', (t) => {
  const tolerances = new Tolerances()
  for (let i = 0; i < 1_000; i++) {
    tolerances.overtaken(1e6, 80)
    tolerances.answered(1e6, 100, 80)
  }
  t.same([tolerances.tight, tolerances.wide, tolerances.slack], [80, 80, 80])
  for (let i = 0; i < 20_000; i++) {
    tolerances.shrink(80)
    tolerances.answered(80, 100, 80)
  }
  t.same([tolerances.tight, tolerances.slack], [0, 0])
  t.ok(tolerances.wide < 0.01)
  t.end()
})

const round = (delay: PathDelay, trips: readonly number[], sparse = false): void => {
  for (const trip of trips) {
    delay.sample(trip, 0)
    delay.residence(trip)
  }
  delay.endRound(sparse)
}

t.test('path delay: the smallest is the way, what stays above it all round long is queue, what varies is scatter', (t) => {
  const delay = new PathDelay()
  t.same([delay.propagation, delay.recentMin], [Infinity, Infinity])
  round(delay, [52, 50, 51, 50, 50, 50, 50, 50])
  t.same([delay.propagation, delay.queue, delay.recentMin], [50, 0, 50])
  round(delay, [70, 72, 74, 76, 78, 80, 82, 84])
  t.same([delay.propagation, delay.queue, delay.recentMin], [50, 20, 70])
  t.ok(delay.rise > 25)
  for (let i = 0; i < 30; i++) round(delay, [50, 60, 70, 80])
  t.ok(Math.abs(delay.jitter - 1.5 * 15) < 0.1, `${delay.jitter}`)
  t.equal(delay.base, delay.propagation + delay.jitter)
  t.end()
})

t.test('path delay: rounds of one or two small messages do not pass for a path without scatter', (t) => {
  const delay = new PathDelay()
  const random = new SeededRandom(2)
  for (let i = 0; i < 400; i++) round(delay, [50 + 30 * random.unit()], true)
  t.ok(delay.jitter > 5, `${delay.jitter}`)
  const naive = new PathDelay()
  for (let i = 0; i < 400; i++) round(naive, [50 + 30 * random.unit()])
  t.equal(naive.jitter, 0)
  t.end()
})

t.test('path delay: tells when a queue stood unseen, and follows a longer way when asked to', (t) => {
  const delay = new PathDelay()
  t.equal(delay.sample(80, 1), false, 'the first is no mistake')
  t.equal(delay.sample(79, 2), false)
  t.equal(delay.sample(50, 3), true)
  delay.endRound(false)
  delay.sample(90, 4)
  delay.endRound(false)
  delay.sample(91, 5)
  t.equal(delay.propagation, 50)
  delay.relearn(6)
  t.same([delay.propagation, delay.propagationAt], [90, 6])
  t.end()
})
