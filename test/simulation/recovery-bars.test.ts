// The bars of loss recovery on a corner of their field, in virtual time, so the same on every machine: 14 cells of game traffic,
// bulk, mixed traffic, dead times and shared bottlenecks. `npm run bench -- recovery` measures all of it.

import t from 'tap'
import { bulk } from '../../bench/recovery/bulk.ts'
import { firstBulk } from '../../bench/recovery/bulk-rows.ts'
import { mixed } from '../../bench/recovery/mixed.ts'
import { outage, outageBarMs } from '../../bench/recovery/outage.ts'
import { requests } from '../../bench/recovery/requests.ts'
import { jain, shared } from '../../bench/recovery/shared.ts'
import type { FlowKind } from '../../bench/recovery/shared.ts'
import { game, ours, percentile } from '../../bench/recovery/workloads.ts'
import type { Contestant, GameCell } from '../../bench/recovery/workloads.ts'
import type { Conditions } from '../../src/transport/simulator/index.ts'

const PATH = { mbitPerSecond: 20, rttMs: 50 }
const lean = ours('lean')
const redundant = ours('redundant', { redundancy: 'auto' })
const plain = ours('plain acknowledgements', { extension: false })
const feedback: Contestant = { name: 'feedback oracle', oracle: 'feedback' }
const repeat: Contestant = { name: 'repeat oracle', oracle: 'repeat' }

const cell = (rttMs: number, conditions: Conditions, seconds = 60): GameCell =>
  ({ rttMs, conditions, durationMs: seconds * 1000, seed: 11 })
const latencies = (contestant: Contestant, of: GameCell): number[] => {
  const { latenciesMs, missing } = game(contestant, of)
  if (missing !== 0) throw new Error(`${missing} messages never arrived`)
  return latenciesMs
}

t.test('without loss a message takes what the path takes', (t) => {
  for (const rttMs of [20, 100]) t.ok(percentile(latencies(lean, cell(rttMs, {})), 0.999) <= rttMs / 2 + 1)
  t.end()
})

// RTT, loss, bar of p99, bar of p99.9: shares of the feedback oracle's.
for (const [rttMs, lossRatio, bar99, bar999] of [
  [20, 0.05, 1.12, 1], [50, 0.02, 1.05, 1], [50, 0.1, 0.75, 1], [100, 0.05, 1.05, 1], [200, 0.2, 0.75, 1],
] as const) {
  t.test(`lean at RTT ${rttMs} and ${lossRatio * 100} % loss is at most ${bar99} of the feedback oracle in the 99th percentile`, (t) => {
    const mine = latencies(lean, cell(rttMs, { lossRatio }))
    const least = latencies(feedback, cell(rttMs, { lossRatio }))
    for (const [share, bar] of [[0.99, bar99], [0.999, bar999]] as const) {
      const ratio = percentile(mine, share) / percentile(least, share)
      t.ok(ratio <= bar, `p${share * 100}: ${ratio.toFixed(3)}`)
    }
    t.end()
  })
}

for (const [rttMs, lossRatio] of [[50, 0.02], [100, 0.1]] as const) {
  t.test(`redundant at RTT ${rttMs} and ${lossRatio * 100} % loss is near the repeat oracle`, (t) => {
    const mine = latencies(redundant, cell(rttMs, { lossRatio }))
    t.ok(percentile(mine, 0.99) <= 1.2 * percentile(latencies(repeat, cell(rttMs, { lossRatio })), 0.99))
    t.ok(percentile(mine, 0.999) <= 0.7 * percentile(latencies(feedback, cell(rttMs, { lossRatio })), 0.999))
    t.end()
  })
}

t.test('redundancy costs nothing while nothing is lost', (t) => {
  t.equal(game(redundant, cell(50, {}, 20)).bytes, game(lean, cell(50, {}, 20)).bytes)
  t.end()
})

t.test('delay variation alone causes few retransmissions', (t) => {
  for (const [name, conditions, bar] of [
    ['even 0 to 10 ms', { jitterMs: 10 }, 0.035],
    ['spikes', { jitterMs: 3, jitterShape: 'exponential', spikeRatio: 0.005, spikeMs: 30 }, 0.035],
    ['20 % reordered', { jitterMs: 0.5, jitterShape: 'exponential', reorderRatio: 0.2, reorderByMs: [5, 25] }, 0.05],
  ] as const) {
    const { sent, retransmissions } = game(lean, cell(100, conditions))
    t.ok(retransmissions / (sent + retransmissions) <= bar, `${name}: ${retransmissions} of ${sent}`)
  }
  t.end()
})

t.test('a call that is alone on the wire is repaired as soon as the oracle could', (t) => {
  const of = cell(100, { lossRatio: 0.05 }, 300)
  t.ok(percentile(requests(lean, of), 0.99) <= 1.05 * percentile(requests(feedback, of), 0.99))
  t.end()
})

t.test('bulk takes what the path has to give', (t) => {
  for (const [receiver, lossRatio, bar] of [[lean, 0, 0.93], [lean, 0.05, 0.93], [lean, 0.2, 0.93], [plain, 0.05, 0.92 * 0.95]] as const) {
    const { goodputMbit, boundMbit } = bulk(lean, receiver, {
      mbitPerSecond: 20, rttMs: 50, bufferBdp: 1, conditions: { lossRatio }, bytes: 10e6, seed: 1,
    })
    t.ok(goodputMbit / boundMbit >= bar, `${receiver.name}, ${lossRatio * 100} %: ${(goodputMbit / boundMbit).toFixed(3)}`)
  }
  t.end()
})

t.test('bulk that comes after seconds of small messages is as fast as bulk at once, although delays scatter', (t) => {
  for (const receiver of [lean, plain]) {
    const { value, detail } = firstBulk(20, receiver, [1, 2])
    t.ok(value <= 1.5, `${receiver.name}: ${value.toFixed(2)}, ${detail}`)
  }
  t.end()
})

t.test('a lone bulk flow adds a queue of a few milliseconds, however large the buffer', (t) => {
  const alone: FlowKind[] = ['ours']
  const { queueMs } = shared({ ...PATH, bufferBdp: 10, flows: alone, gapMs: 0, fromMs: 4_000, untilMs: 20_000, seed: 4 })
  t.ok(percentile(queueMs, 0.5) <= 5, `p50 ${percentile(queueMs, 0.5)}`)
  t.ok(percentile(queueMs, 0.95) <= 15, `p95 ${percentile(queueMs, 0.95)}`)
  t.end()
})

t.test('a small message does not wait behind bulk', (t) => {
  const { latenciesMs, bulkMbit } = mixed(lean, lean, { ...PATH, bufferBdp: 2, conditions: {}, durationMs: 20_000, seed: 11 })
  t.ok(percentile(latenciesMs, 0.5) <= 30)
  t.ok(percentile(latenciesMs, 0.99) <= 45)
  t.ok(bulkMbit > 17, `and bulk goes on: ${bulkMbit} Mbit/s`)
  t.end()
})

t.test('a dead time costs little more than itself', (t) => {
  for (const receiver of [lean, plain]) {
    for (const deadMs of [50, 150, 500, 2000]) {
      const of = { rttMs: 100, deadMs, both: true, seed: 3 }
      const worst = outage(lean, receiver, of)
      t.ok(worst <= outageBarMs(of), `${receiver.name}, ${deadMs} ms: ${worst.toFixed(0)}`)
    }
  }
  t.end()
})

t.test('two of our flows share, and one shares with CUBIC, whoever came first', (t) => {
  const play = (flows: FlowKind[]): number[] =>
    shared({ mbitPerSecond: 20, rttMs: 50, bufferBdp: 1, flows, gapMs: 1000, fromMs: 22_000, untilMs: 62_000, seed: 4 }).shares
  t.ok(jain(play(['ours', 'ours'])) >= 0.85)
  for (const flows of [['ours', 'cubic'], ['cubic', 'ours']] as FlowKind[][]) {
    const shares = play(flows)
    const fair = (shares[0]! + shares[1]!) / 2
    const mine = shares[flows.indexOf('ours')]! / fair
    t.ok(mine >= 0.4 && mine <= 1.6, `${flows.join(' then ')}: ${mine.toFixed(2)} of fair`)
  }
  t.end()
})
