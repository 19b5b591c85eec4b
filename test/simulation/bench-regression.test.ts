// Datagrams, bytes and virtual-time latencies against a committed baseline: what got worse fails here, on any machine, without
// a clock. `npm run bench -- baseline` after a deliberate change.

import { readFileSync } from 'node:fs'
import t from 'tap'
import { ours } from '../../bench/lib/virtual.ts'
import { baselineFile, judge, measure, TOLERANCE } from '../../bench/scenarios/regression.ts'
import type { Figures } from '../../bench/scenarios/regression.ts'

const baseline = JSON.parse(readFileSync(baselineFile, 'utf8')) as Figures

t.test('no figure is worse than the baseline', async (t) => {
  const now = await measure()
  const { worse, better, missing } = judge(baseline, now)
  t.same(worse, [], `worse by more than ${TOLERANCE * 100} %`)
  t.same(missing, [], 'the same figures as in the baseline')
  for (const { name, before, after } of better) t.comment(`better: ${name} ${before} → ${after}; lift the baseline with npm run bench ` +
    `-- baseline`)

  t.same(await measure(), now, 'a second run gives the same figures, bit for bit')
})

t.test('the check notices a sender that repairs losses as ENet does', async (t) => {
  const { worse } = judge(baseline, await measure(ours('old', 'no extension',
    { extension: false, sentTime: 'clock', congestionControl: false, strictWindow: true })))
  t.ok(worse.some(({ name }) => name.startsWith('ordered.loss') || name.startsWith('bulk.')), JSON.stringify(worse))
})

t.test('a figure is judged in the direction in which it is better', (t) => {
  const before = { 'a.meanMs': 100, 'b.Mbit': 10, 'c.arrivedPercent': 100 }
  t.same(judge(before, { 'a.meanMs': 104, 'b.Mbit': 9.6, 'c.arrivedPercent': 100 }), { worse: [], better: [], missing: [] })
  t.match(judge(before, { 'a.meanMs': 106, 'b.Mbit': 9.4, 'c.arrivedPercent': 94 }).worse,
    [{ name: 'a.meanMs' }, { name: 'b.Mbit' }, { name: 'c.arrivedPercent' }])
  t.match(judge(before, { 'a.meanMs': 80, 'b.Mbit': 12, 'c.arrivedPercent': 100 }).better, [{ name: 'a.meanMs' }, { name: 'b.Mbit' }])
  t.same(judge(before, { 'a.meanMs': 100, 'b.Mbit': 10 }).missing, ['c.arrivedPercent'])
  t.end()
})
