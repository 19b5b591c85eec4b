import t from 'tap'
import { Link } from '../../../src/transport/simulator/index.ts'
import type { Arrival, Conditions, ConditionsOverTime } from '../../../src/transport/simulator/index.ts'

const numbered = (n: number, length = 4): Uint8Array => {
  const bytes = new Uint8Array(length)
  new DataView(bytes.buffer).setUint32(0, n)
  return bytes
}
const numberIn = ({ bytes }: { bytes: Uint8Array }): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)

/** Everything that is due until `now`. */
const all = <Tag>(link: Link<Tag>, now = Infinity): Arrival<Tag>[] => {
  const arrivals: Arrival<Tag>[] = []
  for (let a = link.poll(now); a !== null; a = link.poll(now)) arrivals.push(a)
  return arrivals
}

/** Sends `count` numbered datagrams, one each `everyMs`, and returns all that arrives. */
const stream = (
  conditions: ConditionsOverTime, count: number, everyMs = 10, seed = 3, length = 20
): { link: Link; arrivals: Arrival<void>[] } => {
  const link = new Link(conditions, { seed, startMs: 0 })
  for (let i = 0; i < count; i++) link.send(numbered(i, length), i * everyMs)
  return { link, arrivals: all(link) }
}

t.test('a perfect link hands out at once what goes in', (t) => {
  const link = new Link()
  t.equal(link.send(numbered(1), 100), 100)
  t.equal(link.deadline(), 100)
  t.same(all(link, 100).map(numberIn), [1])
  t.equal(link.poll(1000), null)
  t.equal(link.deadline(), Infinity)
  t.end()
})

t.test('latency delays each datagram by the same time, and nothing is early', (t) => {
  const link = new Link({ latencyMs: 40 })
  link.send(numbered(1), 0)
  link.send(numbered(2), 10)
  t.equal(link.deadline(), 40)
  t.equal(link.poll(39.999), null)
  t.match(link.poll(40), { atMs: 40, sentAtMs: 0, isCopy: false })
  t.equal(link.deadline(), 50)
  t.same(all(link, 50).map(numberIn), [2])
  t.end()
})

t.test('the sender may reuse its bytes, even those of a Buffer', (t) => {
  const link = new Link({ latencyMs: 5 })
  for (const length of [5, 500]) {
    const bytes = Buffer.alloc(600, 7)
    link.send(bytes, 0, undefined, length)
    bytes.fill(9)
    t.same(link.poll(100)?.bytes, new Uint8Array(length).fill(7))
  }
  t.end()
})

t.test('no two receivers share bytes', (t) => {
  const link = new Link({ duplicateRatio: 1 })
  for (let i = 0; i < 10; i++) link.send(numbered(i, 50), 0)
  const arrivals = all(link)
  t.equal(arrivals.length, 20)
  arrivals.forEach((a, i) => a.bytes.fill(i))
  arrivals.forEach((a, i) => { t.ok(a.bytes.every((byte) => byte === i)) })
  t.end()
})

t.test('what is given along arrives along', (t) => {
  const link = new Link<string>({ latencyMs: 1, duplicateRatio: 1 })
  link.send(numbered(1), 0, 'from here')
  t.same(all(link).map((a) => a.tag), ['from here', 'from here'])
  t.end()
})

t.test('a now in the past counts as the latest one', (t) => {
  const link = new Link({ latencyMs: 5, keepOrder: false })
  link.send(numbered(1), 100)
  t.equal(link.send(numbered(2), 50), 105)
  t.end()
})

t.test('even jitter spreads evenly over its range', (t) => {
  const { arrivals } = stream({ latencyMs: 10, jitterMs: 20 }, 20_000, 50)
  const delays = arrivals.map((a) => a.atMs - a.sentAtMs)
  t.ok(Math.min(...delays) >= 10 && Math.max(...delays) < 30)
  t.ok(Math.abs(sum(delays) / delays.length - 20) < 0.2)
  t.end()
})

t.test('exponential jitter has the asked mean and a long tail', (t) => {
  const { arrivals } = stream({ jitterMs: 20, jitterShape: 'exponential', keepOrder: false }, 20_000, 50)
  const delays = arrivals.map((a) => a.atMs - a.sentAtMs)
  t.ok(Math.abs(sum(delays) / delays.length - 20) < 0.5)
  t.ok(Math.max(...delays) > 120)
  t.end()
})

t.test('spikes strike the asked share', (t) => {
  const { arrivals } = stream({ spikeRatio: 0.1, spikeMs: 30, keepOrder: false }, 20_000)
  const spikes = arrivals.map((a) => a.atMs - a.sentAtMs).filter((delay) => delay > 0)
  t.ok(Math.abs(spikes.length / 20_000 - 0.1) < 0.01)
  t.ok(Math.abs(sum(spikes) / spikes.length - 30) < 2)
  t.end()
})

t.test('jitter keeps the order unless told otherwise', (t) => {
  const inOrder = stream({ jitterMs: 50 }, 1000, 1).arrivals.map(numberIn)
  t.same(inOrder, [...inOrder].sort((a, b) => a - b))
  const free = stream({ jitterMs: 50, keepOrder: false }, 1000, 1).arrivals.map(numberIn)
  t.not(free.findIndex((n, i) => n !== i), -1, 'overtaken')
  t.same([...free].sort((a, b) => a - b), inOrder)
  t.end()
})

t.test('order holds when the latency falls while datagrams are on the way', (t) => {
  const link = new Link({ latencyMs: 100 })
  link.send(numbered(1), 0)
  link.conditions = { latencyMs: 10 }
  t.equal(link.send(numbered(2), 1), 100)
  t.equal(link.send(numbered(3), 95), 105)
  t.same(all(link).map(numberIn), [1, 2, 3])
  t.end()
})

t.test('a reordered datagram is late by the asked time and holds up nobody', (t) => {
  const { link, arrivals } = stream({ latencyMs: 20, reorderRatio: 0.1, reorderByMs: [30, 40] }, 5000)
  const late = arrivals.filter((a) => a.atMs !== a.sentAtMs + 20)
  t.equal(late.length, link.ledger.reordered)
  t.ok(Math.abs(late.length / 5000 - 0.1) < 0.02)
  t.ok(late.every((a) => a.atMs >= a.sentAtMs + 50 && a.atMs < a.sentAtMs + 60))
  t.not(arrivals.findIndex((a, i) => numberIn(a) !== i), -1)
  t.end()
})

t.test('even loss takes the asked share and says so', (t) => {
  const link = new Link({ lossRatio: 0.2 }, { seed: 9 })
  const told: [number, string][] = []
  link.onDrop = (bytes, cause) => { told.push([numberIn({ bytes }), cause]) }
  const lost: number[] = []
  for (let i = 0; i < 20_000; i++) {
    const arrivesMs = link.send(numbered(i), i)
    t.equal(arrivesMs === Infinity, link.lastDrop === 'lost') || t.bailout()
    if (arrivesMs === Infinity) lost.push(i)
  }
  t.ok(Math.abs(lost.length / 20_000 - 0.2) < 0.01)
  t.same(told, lost.map((i) => [i, 'lost']))
  t.match(link.ledger, { sent: 20_000, lost: lost.length, inFlight: 20_000 - lost.length })
  t.end()
})

t.test('loss ratios of 0 and 1 are never and always', (t) => {
  t.equal(stream({ lossRatio: 0 }, 1000).arrivals.length, 1000)
  t.equal(stream({ lossRatio: 1 }, 1000).arrivals.length, 0)
  t.end()
})

t.test('loss in bursts comes in bursts, and is counted apart from even loss', (t) => {
  const { link } = stream({ burstLoss: { lossRatio: 0.1, meanBurstMs: 20 }, lossRatio: 0.01 }, 100_000, 2)
  t.ok(Math.abs(link.ledger.burstLost / 100_000 - 0.1) < 0.015, `${link.ledger.burstLost}`)
  t.ok(Math.abs(link.ledger.lost / 100_000 - 0.01) < 0.003)
  t.end()
})

t.test('new rules for bursts take the place of the old ones', (t) => {
  const link = new Link({ burstLoss: { lossRatio: 0.001, meanBurstDatagrams: 2 } })
  for (let i = 0; i < 100; i++) link.send(numbered(i), i)
  const before = link.ledger.burstLost
  link.conditions = { burstLoss: { lossRatio: 0.98, meanBurstDatagrams: 100 } }
  for (let i = 100; i < 600; i++) link.send(numbered(i), i)
  t.ok(link.ledger.burstLost - before > 350, `${link.ledger.burstLost - before} of 500`)
  t.end()
})

t.test('switching one misfortune on does not change which datagrams another one strikes', (t) => {
  const survivors = (more: Conditions): number[] =>
    stream({ lossRatio: 0.3, ...more }, 500, 100).arrivals.filter((a) => !a.isCopy).map(numberIn).sort((a, b) => a - b)
  const plain = survivors({})
  t.same(survivors({ jitterMs: 30, spikeRatio: 0.2, keepOrder: false }), plain)
  t.same(survivors({ duplicateRatio: 0.5, replayRatio: 0.5, reorderRatio: 0.5 }), plain)
  t.same(survivors({ extendRatio: 0.5 }), plain)
  t.end()
})

t.test('the same seed gives the same fate, another seed another', (t) => {
  const rough = { jitterMs: 50, keepOrder: false, lossRatio: 0.1, corruptRatio: 0.1, duplicateRatio: 0.1 }
  const fate = (seed: number): unknown => stream(rough, 300, 10, seed).arrivals
  t.same(fate(1), fate(1))
  t.notSame(fate(1), fate(2))
  t.end()
})

// -- rate and queue

t.test('a rate spaces datagrams by their size with headers', (t) => {
  const link = new Link({ rateBytesPerSecond: 100_000, latencyMs: 10 })
  const arrivals = [link.send(new Uint8Array(72), 0), link.send(new Uint8Array(172), 0), link.send(new Uint8Array(72), 50)]
  t.same(arrivals, [0 + 1 + 10, 1 + 2 + 10, 50 + 1 + 10])
  t.end()
})

t.test('overheadBytes replaces the 28 bytes of headers', (t) => {
  t.equal(new Link({ rateBytesPerSecond: 100_000, overheadBytes: 0 }).send(new Uint8Array(100), 0), 1)
  t.end()
})

t.test('the queue drops at its tail, in bytes', (t) => {
  const link = new Link({ rateBytesPerSecond: 100_000, queueBytes: 1000 })
  const arrivals = Array.from({ length: 12 }, () => link.send(new Uint8Array(72), 0))
  t.same(arrivals.slice(0, 10), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  t.same(arrivals.slice(10), [Infinity, Infinity])
  t.equal(link.lastDrop, 'queueDropped')
  t.equal(link.send(new Uint8Array(72), 1), 11, 'one has left, one fits again')
  t.equal(link.ledger.queueDropped, 2)
  t.end()
})

t.test('the queue drops at its tail, in datagrams', (t) => {
  const link = new Link({ rateBytesPerSecond: 100_000, queueDatagrams: 3 })
  t.same(Array.from({ length: 5 }, () => link.send(new Uint8Array(72), 0)), [1, 2, 3, Infinity, Infinity])
  t.same(Array.from({ length: 3 }, () => link.send(new Uint8Array(72), 2)), [4, 5, Infinity])
  t.end()
})

t.test('an empty queue takes any datagram', (t) => {
  const link = new Link({ rateBytesPerSecond: 1000, queueBytes: 10 })
  t.equal(link.send(new Uint8Array(972), 0), 1000)
  t.equal(link.send(new Uint8Array(1), 999), Infinity)
  t.not(link.send(new Uint8Array(972), 1000), Infinity)
  t.end()
})

t.test('a long queue keeps its order and its count while it grows', (t) => {
  const link = new Link({ rateBytesPerSecond: 28_000, queueBytes: 1e9 })
  for (let i = 0; i < 500; i++) link.send(new Uint8Array(0), i / 2)
  const arrivals = all(link)
  t.equal(arrivals.length, 500)
  arrivals.forEach((a, i) => { t.equal(a.atMs, i + 1) })
  t.end()
})

t.test('lost datagrams have used their share of the rate', (t) => {
  const link = new Link({ rateBytesPerSecond: 100_000, lossRatio: 1 })
  link.send(new Uint8Array(72), 0)
  link.conditions = { rateBytesPerSecond: 100_000 }
  t.equal(link.send(new Uint8Array(72), 0), 2)
  t.end()
})

t.test('a rate that is lifted still lets the queue leave first', (t) => {
  const link = new Link({ rateBytesPerSecond: 100_000 })
  link.send(new Uint8Array(972), 0)
  link.conditions = { keepOrder: false }
  t.equal(link.send(numbered(1), 5), 10)
  t.equal(link.send(numbered(1), 11), 11)
  t.end()
})

// -- size, blackouts, timelines

t.test('datagrams larger than the path vanish', (t) => {
  const link = new Link({ mtuBytes: 1200 })
  t.not(link.send(new Uint8Array(1200), 0), Infinity)
  t.equal(link.send(new Uint8Array(1201), 0), Infinity)
  t.match(link.ledger, { tooLarge: 1, inFlight: 1 })
  t.end()
})

t.test('in a blackout everything is lost, before and after nothing', (t) => {
  const { link, arrivals } = stream({ blackouts: [{ atMs: 100, durationMs: 50 }] }, 30)
  t.same(arrivals.map(numberIn), [...Array(10).keys(), ...Array.from({ length: 15 }, (_, i) => 15 + i)])
  t.equal(link.ledger.blackout, 5)
  t.end()
})

t.test('a blackout can come back', (t) => {
  const { arrivals } = stream({ blackouts: [{ atMs: 20, durationMs: 10, everyMs: 50 }] }, 20)
  t.same(arrivals.map(numberIn), [0, 1, 3, 4, 5, 6, 8, 9, 10, 11, 13, 14, 15, 16, 18, 19])
  t.end()
})

t.test('times of blackouts count from the start of the link, on any clock', (t) => {
  const link = new Link({ blackouts: [{ atMs: 10, durationMs: 10 }] })
  const passes = [0, 9, 10, 19, 20].map((ms) => link.send(numbered(1), 1e6 + ms) !== Infinity)
  t.same(passes, [true, true, false, false, true])
  t.end()
})

t.test('a blackout that holds releases everything at its end, in order', (t) => {
  const { link, arrivals } = stream({ latencyMs: 5, blackouts: [{ atMs: 100, durationMs: 55, hold: true }] }, 20)
  t.equal(arrivals.length, 20)
  t.same(arrivals.map(numberIn), [...Array(20).keys()])
  const left = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 155, 155, 155, 155, 155, 155, 160, 170, 180, 190]
  t.same(arrivals.map((a) => a.atMs), left.map((ms) => ms + 5))
  t.equal(link.ledger.blackout, 0)
  t.end()
})

t.test('what a holding blackout can hold is bounded by the queue', (t) => {
  const { link } = stream({ blackouts: [{ atMs: 0, durationMs: 1000, hold: true }], queueDatagrams: 7 }, 20)
  t.match(link.ledger, { delivered: 7, queueDropped: 13 })
  t.end()
})

t.test('holding blackouts that touch are one', (t) => {
  const blackouts = [{ atMs: 0, durationMs: 10, hold: true }, { atMs: 10, durationMs: 10, hold: true }]
  t.equal(new Link({ blackouts }, { startMs: 0 }).send(numbered(1), 5), 20)
  t.end()
})

t.test('a link can have blackouts of both kinds', (t) => {
  const blackouts = [{ atMs: 0, durationMs: 10, hold: true }, { atMs: 20, durationMs: 10 }]
  const link = new Link({ blackouts }, { startMs: 0 })
  t.same([5, 15, 25, 35].map((now) => link.send(numbered(1), now)), [10, 15, Infinity, 35])
  t.end()
})

t.test('after a hold the rate spaces what has waited', (t) => {
  const link = new Link({ rateBytesPerSecond: 100_000, blackouts: [{ atMs: 0, durationMs: 10, hold: true }] }, { startMs: 0 })
  t.same([link.send(new Uint8Array(72), 0), link.send(new Uint8Array(72), 0)], [11, 12])
  t.end()
})

t.test('a timeline changes conditions at its times and then stays', (t) => {
  const link = new Link({ steps: [
    { atMs: 0, conditions: { latencyMs: 10 } },
    { atMs: 100, conditions: { latencyMs: 50 } },
    { atMs: 200, conditions: { lossRatio: 1 } },
  ] }, { startMs: 0 })
  t.same([0, 99, 100, 199, 200, 5000].map((now) => link.send(numbered(1), now) - now), [10, 10, 50, 50, Infinity, Infinity])
  t.end()
})

t.test('a timeline can repeat, and jump over rounds in which nothing was sent', (t) => {
  const steps = [{ atMs: 0, conditions: {} }, { atMs: 70, conditions: { lossRatio: 1 } }]
  const link = new Link({ steps, repeatEveryMs: 100 }, { startMs: 0 })
  const passes = [0, 69, 70, 99, 100, 169, 170, 1069, 1070, 1100].map((now) => link.send(numbered(1), now) !== Infinity)
  t.same(passes, [true, true, false, false, true, true, false, true, false, true])
  t.end()
})

t.test('new conditions hold for what is sent after them', (t) => {
  const link = new Link({ latencyMs: 100 })
  link.send(numbered(1), 0)
  link.conditions = { lossRatio: 1 }
  link.send(numbered(2), 1)
  link.conditions = { latencyMs: 100 }
  link.send(numbered(3), 2)
  t.same(all(link).map(numberIn), [1, 3])
  t.end()
})

t.test('a link that is cut loses what is sent, not what is on the way', (t) => {
  const link = new Link({ latencyMs: 10 })
  link.send(numbered(1), 0)
  link.up = false
  link.send(numbered(2), 1)
  link.up = true
  link.send(numbered(3), 2)
  t.same(all(link).map(numberIn), [1, 3])
  t.equal(link.ledger.blackout, 1)
  t.end()
})

t.test('a filter loses exactly what it is told to', (t) => {
  const link = new Link<string>({ lossRatio: 0 })
  link.filter = (bytes, tag) => tag !== 'b' || bytes.length !== 4
  const bytes = new Uint8Array(100)
  const passes = [link.send(bytes, 0, 'a', 4), link.send(bytes, 0, 'b', 4), link.send(bytes, 0, 'b', 5)].map((at) => at !== Infinity)
  t.same(passes, [true, false, true])
  t.equal(link.lastDrop, null)
  t.equal(link.ledger.filtered, 1)
  t.end()
})

// -- damage and copies

t.test('corruption turns one to three bits', (t) => {
  const { link, arrivals } = stream({ corruptRatio: 1 }, 2000, 1, 3, 40)
  const wrong = arrivals.map((a, n) => {
    const sent = numbered(n, 40)
    return sum(a.bytes.map((byte, i) => (byte ^ sent[i]!).toString(2).replaceAll('0', '').length) as unknown as number[])
  })
  t.same([...new Set(wrong)].sort(), [1, 2, 3])
  t.equal(link.ledger.corrupted, 2000)
  t.end()
})

t.test('truncation leaves a shorter beginning, down to nothing', (t) => {
  const { link, arrivals } = stream({ truncateRatio: 1 }, 2000, 1, 3, 6)
  t.same([...new Set(arrivals.map((a) => a.bytes.length))].sort(), [0, 1, 2, 3, 4, 5])
  t.ok(arrivals.every((a, i) => numbered(i, 6).subarray(0, a.bytes.length).every((byte, k) => byte === a.bytes[k])))
  t.equal(link.ledger.truncated, 2000)
  t.end()
})

t.test('extension adds up to 64 bytes behind the end, within what endpoints have room for', (t) => {
  const { link, arrivals } = stream({ extendRatio: 1 }, 5000, 1, 3, 20)
  const lengths = arrivals.map((a) => a.bytes.length)
  t.equal(Math.min(...lengths), 21)
  t.equal(Math.max(...lengths), 84)
  t.ok(arrivals.every((a, i) => numberIn(a) === i))
  t.equal(link.ledger.extended, 5000)
  t.same(stream({ extendRatio: 1 }, 50, 1, 3, 4090).arrivals.map((a) => a.bytes.length <= 4096), Array(50).fill(true))
  t.equal(stream({ extendRatio: 1 }, 1, 1, 3, 4096).arrivals[0]?.bytes.length, 4096)
  t.end()
})

t.test('an empty datagram survives every damage', (t) => {
  const link = new Link({ corruptRatio: 1, truncateRatio: 1 })
  link.send(new Uint8Array(0), 0)
  t.equal(link.poll(0)?.bytes.length, 0)
  t.end()
})

t.test('a duplicate arrives after its original, within the asked time', (t) => {
  const { link, arrivals } = stream({ latencyMs: 10, duplicateRatio: 0.2, duplicateByMs: [3, 8] }, 5000, 100)
  const copies = arrivals.filter((a) => a.isCopy)
  t.ok(Math.abs(copies.length / 5000 - 0.2) < 0.02)
  t.ok(copies.every((a) => a.atMs >= a.sentAtMs + 13 && a.atMs < a.sentAtMs + 18))
  t.match(link.ledger, { duplicated: copies.length, copiesDelivered: copies.length, copiesInFlight: 0, delivered: 5000 })
  t.end()
})

t.test('a replay is one of the last thousand datagrams, once more', (t) => {
  const { link, arrivals } = stream({ replayRatio: 0.5 }, 5000, 10)
  const replays = arrivals.filter((a) => a.isCopy)
  const ages = replays.map((a) => a.sentAtMs / 10 - numberIn(a))
  t.equal(replays.length, link.ledger.replayed)
  t.ok(Math.abs(replays.length / 5000 - 0.5) < 0.03)
  t.ok(ages.every((age) => age >= 1 && age <= 1000))
  t.ok(ages.some((age) => age > 900) && ages.some((age) => age < 100))
  t.end()
})

t.test('bytes are counted on both sides', (t) => {
  const link = new Link({ duplicateRatio: 1 })
  link.send(new Uint8Array(30), 0)
  t.match(link.ledger, { bytesSent: 30, bytesDelivered: 0, copiesInFlight: 1 })
  all(link)
  t.match(link.ledger, { bytesSent: 30, bytesDelivered: 60, copiesDelivered: 1 })
  t.end()
})
