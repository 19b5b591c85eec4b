// A path that is dead: what is sent into it, and how often the host wakes for it, stay small, whatever was under way.

import t from 'tap'
import { packet, pair } from '../../support/pair.ts'
import { watched } from '../../support/watched.ts'

for (const kind of ['small packets', 'a large transfer', 'both', 'the end of a transfer']) {
  t.test(`ten seconds without an answer cost few datagrams and few wake-ups: ${kind}`, (t) => {
    const { network, a } = pair({
      path: { latencyMs: 50, rateBytesPerSecond: 1_000_000, lossRatio: kind === 'the end of a transfer' ? 0.1 : 0 },
      both: { timeout: { minimumMs: 30_000 } },
    })
    const counter = watched(a.host)
    network.replace(a.node, counter)
    const small = kind === 'small packets' || kind === 'both'
    if (!small || kind === 'both') a.peer.send(0, new Uint8Array(kind === 'the end of a transfer' ? 200_000 : 3_000_000))
    const stop = network.every(16, () => { if (small) a.peer.send(1, packet(1)) })
    network.runFor(600)
    stop()
    network.partition(a.node)
    network.runFor(1_000)
    const { advances } = counter
    const { datagramsSent } = a.peer
    network.runFor(9_000)
    t.equal(a.peer.state, 'connected')
    t.ok(a.peer.datagramsSent - datagramsSent < 300, `${a.peer.datagramsSent - datagramsSent} datagrams`)
    t.ok(counter.advances - advances < 300, `${counter.advances - advances} wake-ups`)
    t.end()
  })
}
