// Goodbyes in a hurry. SPEC §4.9.

import t from 'tap'
import { pair } from '../../support/pair.ts'
import type { Side } from '../../support/pair.ts'

t.test('a goodbye that was begun is heard also when patience ends before its acknowledgement', (t) => {
  const impatient: readonly ((side: Side) => void)[] = [
    ({ peer }) => peer.disconnectNow(6), ({ host }) => host.destroy(9), ({ peer }) => peer.disconnectPlain(7), ({ host }) => host.close(3), ({ peer }) => peer.disconnect(8),
  ]
  for (const hurry of impatient) {
    for (const afterMs of [0, 10, 200]) {
      const { network, a, b } = pair({ path: { latencyMs: 50 } })
      network.link('a', 'b').filter = () => false
      a.peer.disconnect(5)
      network.runFor(afterMs)
      network.link('a', 'b').filter = null
      hurry(a)
      network.runFor(3_000)
      t.same(b.of('disconnect').map(({ reason, data }) => [reason, data]), [['remote', 5]], `${hurry} after ${afterMs} ms`)
      t.equal(a.of('disconnect').length, 1)
    }
  }
  t.end()
})
