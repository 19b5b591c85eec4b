// Virtual play of a hundred hosts repeats bit for bit: here, on every machine, and on Node.js 20, 22 and 24.

import t from 'tap'
import { HundredHostsPlay } from '../../bench/scenarios/hundred-hosts.ts'

/**
 * The fingerprint of the first three seconds with seed 5. It changes with every change of what hosts or the simulator do, and
 * with nothing else: after such a change put in what the test says. A change without a reason is a bug.
 */
const EXPECTED = '9a6b14731f231807'

t.test('three seconds of a hundred hosts have the fingerprint that they have everywhere', (t) => {
  const { hash, connected, heard, answered } = new HundredHostsPlay(5).runFor(3_000)
  t.equal(hash, EXPECTED, `if hosts behave differently on purpose now, EXPECTED is '${hash}' (Node.js ${process.version})`)
  t.ok(connected > 90, `${connected} connected`)
  t.ok(heard > 1_500 && answered > 1_000, `${heard} messages heard, ${answered} answered`)
  t.end()
})

t.test('the same seed plays the same, another one plays another', (t) => {
  const hashes = [7, 7, 8].map((seed) => new HundredHostsPlay(seed).runFor(1_000).hash)
  t.equal(hashes[0], hashes[1])
  t.not(hashes[0], hashes[2])
  t.end()
})
