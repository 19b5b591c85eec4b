// ENet's arithmetic of windows, throttle and shares, and the bucket that paces to a stated limit. SPEC §4.3, §7.1 to §7.3.

import t from 'tap'
import { shareIncoming } from '../../../src/transport/core/bandwidth.ts'
import { clampWindow, grantedWindow, offeredWindow, Pace, sendingWindow, Throttle } from '../../../src/transport/core/flow.ts'

/** W(b) of SPEC §4.3, or the largest window for no limit. */
const W = (bandwidth: number): number => Math.min(65_536, Math.max(4_096, Math.floor(bandwidth / 65_536) * 4_096))

const BANDWIDTHS = [0, 1, 4_095, 65_535, 65_536, 131_071, 131_072, 57_600, 200_000, 300_000, 1_000_000, 1_048_575, 1_048_576, 5_000_000,
  0xffffffff]

t.test('windows by SPEC §4.3, for every pair of limits', (t) => {
  for (const ours of BANDWIDTHS) {
    t.equal(offeredWindow(ours), ours === 0 ? 65_536 : W(ours), `offered at ${ours}`)
    for (const theirs of BANDWIDTHS) {
      const wanted = ours === 0 && theirs === 0 ? 65_536 : ours === 0 ? W(theirs) : theirs === 0 ? W(ours) : W(Math.min(ours, theirs))
      if (sendingWindow(ours, theirs) !== wanted) t.equal(sendingWindow(ours, theirs), wanted, `${ours}, ${theirs}`)
    }
    for (const offered of [0, 4_095, 4_096, 20_000, 65_536, 0xffffffff]) {
      const own = ours === 0 ? 65_536 : Math.floor(ours / 65_536) * 4_096
      const wanted = Math.min(65_536, Math.max(4_096, Math.min(own, offered)))
      if (grantedWindow(ours, offered) !== wanted) t.equal(grantedWindow(ours, offered), wanted, `granted at ${ours} of ${offered}`)
    }
  }
  t.same([0, 4_095, 4_096, 65_536, 65_537].map(clampWindow), [4_096, 4_096, 4_096, 65_536, 65_536])
  t.end()
})

t.test('a throttle of T lets T + 1 of 32 packets pass, evenly', (t) => {
  for (let value = 0; value <= 32; value++) {
    const throttle = new Throttle()
    throttle.value = value
    let passed = 0
    let longest = 0
    let dropped = 0
    for (let i = 0; i < 320; i++) {
      if (throttle.drops()) longest = Math.max(longest, ++dropped)
      else {
        passed++
        dropped = 0
      }
    }
    t.equal(passed, 10 * Math.min(32, value + 1), `T = ${value}`)
    if (value >= 16) t.ok(longest <= 3, `T = ${value}: never more than three in a row, ${longest}`)
  }
  t.end()
})

/** SPEC §7.2 step by step. */
const plainThrottle = (limit: number, interval: number, up: number, down: number): (
  (rtt: number, mean: number, deviation: number, now: number) => number) => {
  let [T, first, epoch, last, lastDeviation, lowest, highest] = [32, true, 0, 500, 0, 500, 0]
  return (rtt, mean, deviation, now) => {
    const sample = Math.max(1, Math.floor(rtt))
    if (!first) {
      if (last <= lastDeviation) T = limit
      else if (sample <= last) T = Math.min(T + up, limit)
      else if (sample > last + 2 * lastDeviation) T = Math.max(T - down, 0)
    }
    first = false
    lowest = Math.min(lowest, mean)
    highest = Math.max(highest, deviation)
    if (epoch === 0 || now - epoch >= interval) {
      ;[last, lastDeviation, lowest, highest, epoch] = [lowest, Math.max(highest, 1), mean, deviation, now]
    }
    return T
  }
}

t.test('the throttle falls with a rising round trip and comes back with it, by the rule of SPEC §7.2', (t) => {
  const throttle = new Throttle()
  throttle.intervalMs = 1000
  throttle.acceleration = 3
  throttle.deceleration = 5
  const plain = plainThrottle(32, 1000, 3, 5)
  const seen = new Set<number>()
  let mean = 50
  for (let i = 1; i <= 2000; i++) {
    const rtt = i < 500 ? 50 + (i % 3) : i < 600 ? 50 + (i - 500) * 4 : i < 900 ? 40 + (i % 50) : 0.4
    mean += (rtt - mean) / 8
    throttle.sample(rtt, mean, 2 + (i % 7), i * 20)
    const wanted = plain(rtt, mean, 2 + (i % 7), i * 20)
    if (throttle.value !== wanted) t.equal(throttle.value, wanted, `sample ${i}`)
    seen.add(throttle.value)
  }
  t.ok(seen.has(0) && seen.has(32) && seen.size > 10, `all the way down and back: ${seen.size} values`)
  throttle.limit = 10
  for (let i = 0; i < 50; i++) throttle.sample(0.2, 0.2, 0, 50_000 + i)
  t.equal(throttle.value, 10, 'never above its limit')
  t.end()
})

t.test('a pace keeps to its rate in the long run, and to three datagrams at once', (t) => {
  for (const rate of [1_000, 50_000, 1_000_000]) {
    const pace = new Pace()
    pace.setRate(rate, 1_200, 0)
    t.equal(pace.limited, true)
    let sent = 0
    let first = 0
    for (let now = 0; now <= 10_000; now = Math.max(now + 1, pace.opensAt(now))) {
      while (pace.allows(now)) {
        pace.spend(1_200)
        sent += 1_200
      }
      if (first === 0) first = sent
    }
    const burst = Math.max(3_600, rate / 100)
    t.ok(first >= burst && first < burst + 1_200, `${first} bytes at first`)
    t.ok(Math.abs(sent - rate * 10 - burst) <= 2_400, `${sent} bytes in 10 s at ${rate}`)
  }
  t.end()
})

t.test('a pace tells when it opens, and is open then', (t) => {
  const pace = new Pace()
  pace.setRate(10_000, 1_000, 5)
  t.equal(pace.opensAt(5), 5)
  pace.spend(10_000)
  t.equal(pace.allows(5), false)
  const opens = pace.opensAt(5)
  t.ok(opens > 700 && opens < 710, `${opens}`)
  t.equal(pace.allows(opens - 1), false)
  t.equal(pace.allows(opens), true)
  pace.setRate(0, 1_000, 10)
  t.same([pace.limited, pace.allows(10), pace.opensAt(10)], [false, true, 10])
  pace.spend(1e9)
  t.equal(pace.allows(10), true)
  t.end()
})

const shares = (limit: number, own: readonly number[]): number[] =>
  shareIncoming(limit, own.map((peerOutgoingBandwidth) => ({ peerOutgoingBandwidth })))

t.test('an incoming limit is shared equally, and what one peer cannot use goes to the others', (t) => {
  t.same(shares(0, [0, 100]), [0, 0], 'no limit, nothing to share')
  t.same(shares(900, []), [])
  t.same(shares(900, [0, 0, 0]), [300, 300, 300])
  t.same(shares(900, [100, 0, 0]), [100, 400, 400])
  t.same(shares(900, [100, 350, 0]), [100, 350, 450], 'the second one is small only after the first has left something')
  t.same(shares(900, [10, 10, 10]), [10, 10, 10])
  t.same(shares(900, [5_000, 5_000, 100]), [400, 400, 100])
  t.same(shares(900, [1_000, 0]), [450, 450])
  t.end()
})

t.test('shares never add up to more than the limit, and leave nothing that somebody could use', (t) => {
  for (let seed = 1; seed <= 300; seed++) {
    const own = Array.from({ length: 1 + seed % 7 }, (_, i) => (seed * 7919 * (i + 3)) % 1_000 < 200 ? 0 : (seed * 104_729 * (i + 1)) % 700)
    const limit = 100 + (seed * 31) % 2_000
    const all = shares(limit, own)
    const sum = all.reduce((total, share) => total + share, 0)
    if (sum > limit) t.fail(`${sum} of ${limit}: ${own}`)
    all.forEach((share, i) => { if (own[i] !== 0 && share > (own[i] ?? 0) && all.some((other) => other < share)) t.fail(
      `${own} of ${limit}: ${all}`) })
    const hungry = own.filter((limitOf, i) => limitOf === 0 || limitOf > (all[i] ?? 0)).length
    if (hungry > 0 && limit - sum >= hungry) t.fail(`${limit - sum} bytes left over, ${hungry} hungry: ${own} of ${limit}`)
  }
  t.pass('300 hosts')
  t.end()
})
