// Parts of the core that fit on a page: pending acknowledgements, round trip, one-way delay, pacing, delivery rate, ambient
// loss, cube roots.

import t from 'tap'
import { AmbientLoss, Calm } from '../../../src/transport/core/ambient-loss.ts'
import { Cubic, cubeRoot } from '../../../src/transport/core/cubic.ts'
import { DeliveryRate } from '../../../src/transport/core/delivery-rate.ts'
import { describeEndCode, EndCode } from '../../../src/transport/core/endings.ts'
import { OneWay } from '../../../src/transport/core/one-way.ts'
import { Pacing } from '../../../src/transport/core/pacing.ts'
import { channelOf, echoOf, PendingAcks, sequenceOf } from '../../../src/transport/core/pending-acks.ts'
import { RoundTrip } from '../../../src/transport/core/round-trip.ts'

t.test('acknowledgements wait in the order in which they came, each with its echo', (t) => {
  const acks = new PendingAcks()
  const all: number[][] = []
  const take = (): number[] => {
    const packed = acks.shift()
    return [channelOf(packed), sequenceOf(packed), echoOf(packed)]
  }
  for (const channel of [0, 1, 254, 255]) {
    for (const sequence of [0, 1, 65535]) for (const echo of [0, 0x8000, 0xffff]) all.push([channel, sequence, echo])
  }
  for (const [channel = 0, sequence = 0, echo = 0] of all) acks.push(channel, sequence, echo)
  t.equal(acks.length, all.length)
  t.same(all.map(() => take()), all)
  t.equal(acks.length, 0)
  for (let i = 0; i < 3000; i++) acks.push(1, i, 0)
  for (let i = 0; i < 2999; i++) acks.shift()
  acks.push(2, 7, 8)
  t.same([take(), take(), acks.length], [[1, 2999, 0], [2, 7, 8], 0])
  t.end()
})

t.test('the newest acknowledgements can be taken back', (t) => {
  const acks = new PendingAcks()
  for (let i = 0; i < 5; i++) acks.push(0, i, 0)
  acks.shift()
  acks.takeBack(2)
  t.equal(acks.length, 2)
  t.same([sequenceOf(acks.shift()), sequenceOf(acks.shift())], [1, 2])
  acks.push(0, 9, 0)
  acks.takeBack(1)
  acks.push(0, 10, 0)
  t.same([acks.length, sequenceOf(acks.shift())], [1, 10])
  t.end()
})

t.test('SPEC §6.2: the first round trip counts whole, later ones by an eighth and a quarter', (t) => {
  const trip = new RoundTrip()
  t.same([trip.mean, trip.sampled], [500, false])
  trip.sample(80)
  t.same([trip.mean, trip.deviation, trip.min, trip.last, trip.sampled], [80, 40, 80, 80, true])
  trip.sample(40)
  t.same([trip.mean, trip.deviation, trip.min, trip.last], [75, 40, 40, 40])
  trip.sample(0.5)
  t.same([trip.mean, trip.deviation, trip.min], [75 + (0.5 - 75) / 8, 40 + (74.5 - 40) / 4, 0.5])
  trip.sample(-3)
  t.equal(trip.last, 0, 'a clock that was set back makes no negative trip')
  t.end()
})

t.test('one-way delay is told as growth above the best, whatever the clocks show', (t) => {
  for (const offset of [0, 1234.5, 8000]) {
    const oneWay = new OneWay()
    const sample = (at: number, delay: number): number => oneWay.sample(at, (at + delay + offset) % 8192, 10)
    t.equal(sample(100, 30), 0, 'the first is the best')
    t.ok(Math.abs(sample(200, 45) - 15) < 1e-6)
    t.ok(Math.abs(sample(300, 20) - 0) < 1e-6, 'a better one')
    t.ok(Math.abs(sample(400, 30) - 10) < 1e-6)
    // Over the wrap of the 13 bits of milliseconds.
    for (let at = 500; at < 9_500; at += 500) t.ok(Math.abs(sample(at, 26) - 6) < 1e-6, `at ${at}`)
  }
  t.end()
})

t.test('a queue that stands for minutes does not become the best one-way delay; a short round trip measures it anew', (t) => {
  const oneWay = new OneWay()
  const sample = (at: number, delay: number, waited: number): number => oneWay.sample(at, (at + delay) % 8192, waited)
  sample(0, 10, 0)
  for (let at = 1_000; at < 180_000; at += 1_000) t.equal(sample(at, 30, 20), 20)
  // The clocks have drifted by 20 ms: where nothing waits either way, that is the new best.
  t.equal(sample(180_000, 30, 0.2), 0)
  t.equal(sample(181_000, 35, 5), 5)
  t.end()
})

t.test('pacing lets a burst out, then the rate', (t) => {
  const pacing = new Pacing(1000)
  pacing.refill(0, 10)
  let sent = 0
  const leave = (): void => {
    while (pacing.open) {
      pacing.spend(1000)
      sent++
    }
  }
  leave()
  t.ok(sent >= 3 && sent <= 5, `${sent} datagrams at first`)
  const opensAt = pacing.opensAt(10)
  t.ok(opensAt > 0 && opensAt <= 100.2, `opens at ${opensAt}`)
  pacing.refill(opensAt, 10)
  t.ok(pacing.open)
  sent = 0
  for (let now = 100; now <= 10_100; now++) {
    pacing.refill(now, 10)
    leave()
  }
  t.ok(Math.abs(sent - 100) <= 4, `${sent} datagrams of 1,000 bytes in 10 s at 10 bytes per ms`)
  // A long pause is not saved up.
  pacing.refill(1e6, 10)
  sent = 0
  leave()
  t.ok(sent <= 4, `${sent} datagrams after a long pause`)
  t.end()
})

t.test('without a rate pacing opens at once again and again', (t) => {
  const pacing = new Pacing(1000)
  pacing.refill(0, Infinity)
  pacing.spend(1e6)
  t.equal(pacing.open, false)
  t.ok(pacing.debt > 0)
  pacing.refill(1, Infinity)
  t.equal(pacing.open, true)
  t.equal(pacing.debt, 0)
  pacing.spend(1e6)
  pacing.grant(1200)
  t.equal(pacing.open, true)
  t.end()
})

t.test('the delivery rate is the largest of the last rounds', (t) => {
  const rates = new DeliveryRate()
  t.equal(rates.best, 0)
  for (const [round, value] of [[1, 5], [2, 9], [3, 4], [4, 6]] as const) rates.add(round, value)
  t.equal(rates.best, 9)
  rates.expire(12, 10)
  t.equal(rates.best, 9, 'ten rounds later it still counts')
  rates.expire(13, 10)
  t.equal(rates.best, 6, 'then the largest of the younger ones does')
  rates.expire(1000, 10)
  t.equal(rates.best, 6, 'the last one is never forgotten')
  rates.reset(1001, 3)
  t.equal(rates.best, 3)
  rates.reset(1002, 0)
  t.equal(rates.best, 0)
  t.end()
})

t.test('loss counts as the path\'s own only where no queue was of our making', (t) => {
  const loss = new AmbientLoss()
  for (let i = 0; i < 500; i++) loss.result(Calm.no, i % 2 === 0)
  t.equal(loss.ratio, 0, 'lost with a queue: proves nothing')
  for (let i = 0; i < 2000; i++) loss.result(Calm.surely, i % 10 === 0)
  t.ok(Math.abs(loss.ratio - 0.1) < 0.03, `${loss.ratio}`)
  t.ok(Math.abs(loss.surelyRatio - 0.1) < 0.05, `${loss.surelyRatio}`)
  // What is lost at an ordinary pace is believed only as far as what is lost well below it.
  for (let i = 0; i < 2000; i++) loss.result(i % 5 === 0 ? Calm.surely : Calm.probably, i % 5 !== 0 && i % 2 === 0)
  t.ok(loss.ratio <= 0.03, `${loss.ratio}`)
  const clean = new AmbientLoss()
  t.equal(clean.clean, false, 'no evidence is no proof')
  for (let i = 0; i < 200; i++) clean.result(Calm.surely, false)
  t.equal(clean.clean, true)
  t.end()
})

t.test('cube roots by basic arithmetic alone', (t) => {
  for (let value = 1e-6; value < 1e9; value *= 1.7) {
    const root = cubeRoot(value)
    if (Math.abs(root ** 3 / value - 1) > 1e-6) t.fail(`${value}: ${root}`)
  }
  t.equal(cubeRoot(0), 0)
  t.equal(cubeRoot(-1), 0)
  t.ok(Math.abs(cubeRoot(27) - 3) < 1e-9)
  t.end()
})

t.test('CUBIC: a loss takes three tenths, and the window comes back to where it was lost', (t) => {
  const cubic = new Cubic(100_000, 1000)
  cubic.lost()
  t.equal(cubic.window, 70_000)
  let now = 0
  const grow = (ms: number): void => {
    for (const end = now + ms; now < end; now += 50) cubic.acknowledged(cubic.window, 50, now)
  }
  grow(4_000)
  t.ok(cubic.window > 90_000 && cubic.window < 115_000, `${cubic.window} after 4 s`)
  grow(8_000)
  t.ok(cubic.window > 120_000, `${cubic.window} after 12 s: it looks for more`)
  for (let i = 0; i < 50; i++) cubic.lost()
  t.equal(cubic.window, 4_000, 'four datagrams are the least')
  cubic.outage()
  t.equal(cubic.window, 4_000)
  t.end()
})

t.test('every code of an ending has words, others are shown as numbers', (t) => {
  const words = Object.values(EndCode).map(describeEndCode)
  t.equal(new Set(words).size, words.length)
  t.notMatch(words.join(), /0x/)
  t.equal(describeEndCode(77), 'data 0x0000004d')
  t.end()
})
