// Whole hosts under every kind of bad network, seed by seed: see ../support/chaos.ts. SEEDS=10000 FIRST_SEED=1 for a long night.

import t from 'tap'
import { Chaos } from '../support/chaos.ts'

const first = Number(process.env['FIRST_SEED'] ?? 1)
const count = Number(process.env['SEEDS'] ?? 100)
/** Seeds that once found something. */
const REGRESSIONS: readonly number[] = []

t.test(`${count} worlds of two to eight hosts: chaos, healing, rest, and the end`, { timeout: 0 }, (t) => {
  const reached: Record<string, number> = {}
  let delivered = 0
  for (const seed of [...REGRESSIONS, ...Array.from({ length: count }, (_, i) => first + i)]) {
    try {
      const outcome = new Chaos(seed).run()
      delivered += outcome.delivered
      for (const fault of outcome.faults) reached[fault] = (reached[fault] ?? 0) + 1
      for (const [reason, times] of Object.entries(outcome.ended)) reached[reason] = (reached[reason] ?? 0) + times
    } catch (error) {
      t.fail((error as Error).message.split('\n')[0] ?? '', { stack: (error as Error).message })
    }
  }
  t.pass(`${delivered} packets delivered`)
  t.comment(JSON.stringify(reached))
  if (count >= 100) {
    // What a test never reaches it does not test.
    for (const mark of ['local', 'remote', 'timeout', 'connect-timeout', 'host-closed', 'stalls', 'restarts', 'partitions', 'damage',
      'moving']) {
      t.ok((reached[mark] ?? 0) > 0, `reached: ${mark}`)
    }
  }
  t.end()
})

t.test('a world repeats from its seed, bit for bit', (t) => {
  for (const seed of [first, first + 1, first + 2]) t.equal(new Chaos(seed).run().hash, new Chaos(seed).run().hash, `seed ${seed}`)
  t.end()
})
