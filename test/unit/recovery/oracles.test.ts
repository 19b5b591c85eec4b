// The oracles that the bars are measured against, beside those of an independent simulator (our prototype, which also gave the
// figures of the design): the same loss, datagram by datagram, must give the same latencies, message by message.

import t from 'tap'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { OracleSender } from '../../../bench/recovery/oracles.ts'
import type { OracleDatagram, OracleKind } from '../../../bench/recovery/oracles.ts'
import { packageRoot } from '../../../bench/lib/package-root.ts'
import { Link } from '../../../src/transport/simulator/index.ts'
import { SeededRandom } from '../../../src/util/random.ts'

const fixture = join(packageRoot, 'test', 'fixtures', 'recovery-oracles.json')
const expected = JSON.parse(readFileSync(fixture, 'utf8')) as Record<OracleKind, number[]>

/**
 * 60 Hz for 10 s over 47 ms (no round trip is a whole number of ticks: nothing happens at the same time), two messages of 32
 * bytes and a state of 200 a tick, each datagram lost with 7 %.
 */
const play = (kind: OracleKind): number[] => {
  const link = new Link<OracleDatagram>({ latencyMs: 47 }, { startMs: 0 })
  const chance = new SeededRandom(2024)
  link.filter = () => !chance.chance(0.07)
  const sender = new OracleSender(kind, link, 47)
  for (let tick = 0; tick < 600; tick++) {
    const now = 50 + (tick * 1000) / 60
    for (let at = sender.deadline; at <= now; at = sender.deadline) sender.advance(at)
    for (let i = 0; i < 2; i++) sender.send(32, now)
    sender.state(200)
    sender.tick(now)
  }
  for (let at = sender.deadline; at < Infinity; at = sender.deadline) sender.advance(at)
  return sender.latenciesMs
}

for (const kind of ['feedback', 'repeat'] as const) {
  t.test(`the ${kind} oracle delivers each of 1,200 messages when the prototype's does`, (t) => {
    const latencies = play(kind)
    t.equal(latencies.length, expected[kind].length)
    const off = latencies.findIndex((latency, i) => Math.abs(latency - (expected[kind][i] as number)) > 0.001)
    t.equal(off, -1, off < 0 ? '' : `message ${off}: ${latencies[off]} instead of ${expected[kind][off]} ms`)
    t.ok(Math.max(...latencies) > 60, 'and losses did happen')
    t.end()
  })
}
