import t from 'tap'
import { SeededRandom } from '../../../src/util/random.ts'
import { exponential, from } from '../../../src/transport/simulator/chance.ts'
import { BurstState } from '../../../src/transport/simulator/burst-loss.ts'
import type { BurstLoss } from '../../../src/transport/simulator/conditions.ts'
import { rulesOf } from '../../../src/transport/simulator/rules.ts'

/** A generator that gives out the given 32 bits. */
const fixed = (bits: number): SeededRandom => Object.assign(new SeededRandom(1), { uint32: () => bits })

t.test('an exponential number is minus the logarithm of the even one, to eight digits', (t) => {
  for (const bits of [1, 2, 3, 0x7fffffff, 0x80000000, 0x80000001, 0xaaaaaaaa, 0xfffffffe, 0xffffffff, 12_345, 999_999_937]) {
    const expected = -Math.log(bits / 4294967296)
    t.ok(Math.abs(exponential(fixed(bits)) - expected) < 2e-8, `bits ${bits}`)
  }
  t.equal(exponential(fixed(0)), 32 * Math.LN2)
  t.end()
})

t.test('exponential numbers have mean 1, variance 1 and the right tail', (t) => {
  const random = new SeededRandom(11)
  const count = 200_000
  let sum = 0
  let squares = 0
  let beyond3 = 0
  for (let i = 0; i < count; i++) {
    const x = exponential(random)
    sum += x
    squares += x * x
    if (x > 3) beyond3++
  }
  const mean = sum / count
  t.ok(Math.abs(mean - 1) < 0.01, `mean ${mean}`)
  t.ok(Math.abs(squares / count - mean * mean - 1) < 0.03, 'variance')
  t.ok(Math.abs(beyond3 / count - Math.exp(-3)) < 0.002, 'tail')
  t.end()
})

t.test('a range of one number needs no chance', (t) => {
  const random = new SeededRandom(1)
  const untouched = new SeededRandom(1)
  t.equal(from({ min: 7, span: 0 }, random), 7)
  t.equal(random.uint32(), untouched.uint32())
  for (let i = 0; i < 1000; i++) {
    const x = from({ min: 5, span: 20 }, random)
    t.ok(x >= 5 && x < 25) || t.bailout()
  }
  t.end()
})

/** Share of loss and mean length of runs of loss, for one datagram each `stepMs`. */
const measured = (burstLoss: BurstLoss, stepMs: number, count: number): { share: number; run: number } => {
  const state = new BurstState(rulesOf({ burstLoss }).burst!, new SeededRandom(5), 0)
  let lost = 0
  let runs = 0
  let before = false
  for (let i = 0; i < count; i++) {
    const loses = state.loses(i * stepMs)
    if (loses) lost++
    if (loses && !before) runs++
    before = loses
  }
  return { share: lost / count, run: lost / runs }
}

t.test('bursts counted in datagrams have the asked share and mean length', (t) => {
  const { share, run } = measured({ lossRatio: 0.05, meanBurstDatagrams: 4 }, 1, 400_000)
  t.ok(Math.abs(share - 0.05) < 0.004, `share ${share}`)
  t.ok(Math.abs(run - 4) < 0.2, `mean run ${run}`)
  t.end()
})

t.test('bursts in time have the asked share and mean length, however densely datagrams are sent', (t) => {
  for (const stepMs of [0.5, 2]) {
    const { share, run } = measured({ lossRatio: 0.05, meanBurstMs: 40 }, stepMs, 1_000_000)
    t.ok(Math.abs(share - 0.05) < 0.006, `share ${share}`)
    // A burst is seen if a datagram falls into it; seen ones are a little longer on average: exactly step / (1 - e^(-step/mean)).
    const seen = 1 / (1 - Math.exp(-stepMs / 40))
    t.ok(Math.abs(run / seen - 1) < 0.1, `mean run ${run}, expected ${seen}`)
  }
  t.end()
})

t.test('within a burst only the asked share is lost', (t) => {
  const { share, run } = measured({ lossRatio: 0.1, lossInBurstRatio: 0.5, meanBurstDatagrams: 50 }, 1, 400_000)
  t.ok(Math.abs(share - 0.1) < 0.01, `share ${share}`)
  t.ok(Math.abs(run - 2) < 0.1, `runs of coin flips are 2 long: ${run}`)
  t.end()
})

t.test('a link that was silent for a year answers at once', (t) => {
  const state = new BurstState(rulesOf({ burstLoss: { lossRatio: 0.5, meanBurstMs: 1 } }).burst!, new SeededRandom(1), 0)
  let lost = 0
  for (let year = 1; year <= 2000; year++) if (state.loses(year * 3e10)) lost++
  t.ok(Math.abs(lost / 2000 - 0.5) < 0.05, `share ${lost / 2000}`)
  t.end()
})

t.test('bursts of no loss never begin', (t) => {
  t.equal(measured({ lossRatio: 0, meanBurstMs: 10 }, 1, 10_000).share, 0)
  t.equal(measured({ lossRatio: 0, meanBurstDatagrams: 10 }, 1, 10_000).share, 0)
  t.end()
})
