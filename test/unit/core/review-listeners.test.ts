// Listeners of messages may do anything with their connection, at any time; and what they end is over everywhere.

import t from 'tap'
import type { PeerCore } from '../../../src/transport/core/peer.ts'
import { packet, pair } from '../../support/pair.ts'

const WAYS = ['reset', 'disconnectNow', 'disconnectPlain', 'disconnect'] as const

for (const way of WAYS) {
  t.test(`a listener that hears of a loss may call ${way}()`, (t) => {
    const { network, a } = pair({ path: { latencyMs: 50 } })
    network.runFor(500)
    network.partition('a')
    const heard: string[] = []
    for (let i = 0; i < 5; i++) {
      network.runFor(10)
      a.peer.send(0, packet(i), {
        delivery: 'unreliable',
        onSettled: (outcome) => {
          heard.push(outcome)
          a.peer[way]()
        },
      })
      a.peer.send(1, packet(i))
    }
    network.runFor(30_000)
    t.equal(heard.length, 5, 'each is told once')
    t.equal(a.of('disconnect').length, 1)
    t.equal(a.peer.ledger.disconnected, 5, 'the reliable ones, once each')
    t.end()
  })

  t.test(`a listener that hears of an acknowledgement may call ${way}()`, (t) => {
    const { network, a, b } = pair({ path: { latencyMs: 50 } })
    const end = (outcome: string): void => { if (outcome === 'delivered') a.peer[way]() }
    for (let i = 0; i < 5; i++) {
      a.peer.send(0, packet(i), { onSettled: end })
      a.peer.send(1, packet(i), { delivery: 'unreliable', onSettled: end })
    }
    network.runFor(30_000)
    t.equal(a.of('disconnect').length, 1)
    t.equal(b.of('disconnect').length, 1)
    t.end()
  })

  t.test(`a listener that hears that its packet has expired may call ${way}() while others wait`, (t) => {
    const { network, a } = pair({ path: { latencyMs: 50 }, a: { outgoingBandwidthBytesPerSecond: 2_000 } })
    const heard: string[] = []
    for (let i = 0; i < 40; i++) {
      a.peer.send(i % 4, packet(i, 500), {
        expiresMs: 100,
        onSettled: (outcome) => {
          heard.push(outcome)
          if (outcome === 'expired') a.peer[way]()
        },
      })
    }
    network.runFor(60_000)
    t.equal(heard.length, 40)
    t.equal(a.of('disconnect').length, 1)
    t.equal(a.of('drain').length, 0)
    const { expired, disconnected } = a.peer.ledger
    t.equal(expired + disconnected + heard.filter((outcome) => outcome === 'delivered').length, 40)
    t.same([a.peer.stats.queuedBytes, a.peer.stats.queuedMessages, a.peer.stats.inFlightBytes], [0, 0, 0])
    t.end()
  })
}

t.test('a packet that was lost and waits to be sent again is dropped by disconnectPlain, however long ago it left', (t) => {
  const { network, a, b } = pair({ path: { latencyMs: 50 } })
  network.runFor(2_000)
  network.link('a', 'b').filter = (bytes) => bytes.length < 900
  a.peer.send(0, new Uint8Array(30_000))
  network.runFor(60)
  // Nothing large may leave any more, while many small datagrams do: the records of the lost ones are used again.
  a.host.setBandwidth(0, 1_000)
  const stop = network.every(5, () => a.peer.ping())
  network.runFor(2_500)
  stop()
  const { recovery } = a.peer as PeerCore
  t.ok(recovery.again.any)
  a.peer.disconnectPlain(4)
  t.same([recovery.again.peekBulk(), recovery.again.peekUrgent(), recovery.inTransitBytes], [null, null, 0])
  network.link('b', 'a').filter = () => false
  a.host.setBandwidth(0, 100_000)
  network.runFor(20_000)
  t.same(a.of('disconnect').map(({ reason }) => reason), ['local'])
  t.same(b.of('disconnect').map(({ reason, data }) => [reason, data]), [['remote', 4]])
  t.end()
})
