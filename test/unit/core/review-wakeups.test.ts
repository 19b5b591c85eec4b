// What an application changes takes effect when it says so, not when the host happens to wake.

import t from 'tap'
import { Host } from '../../../src/transport/core/host.ts'
import { packet, pair, strangers } from '../../support/pair.ts'
import { connectFields, eventsOf, Puppet } from '../../support/puppet.ts'

t.test('a shorter ping interval counts at once', (t) => {
  const { network, a, b } = pair({ both: { pingIntervalMs: 3_600_000 } })
  network.runFor(30_000)
  const before = a.peer.datagramsSent
  a.peer.pingIntervalMs = 100
  network.runFor(10_000)
  t.ok(a.peer.datagramsSent - before > 10, `${a.peer.datagramsSent - before} datagrams`)
  t.equal(b.of('disconnect').length, 0)
  t.end()
})

t.test('time to live counts from the call also for an answer that has to wait', (t) => {
  const { network, a, b } = pair({ path: { latencyMs: 50 }, a: { outgoingBandwidthBytesPerSecond: 100 } })
  network.runFor(2_000)
  for (let i = 0; i < 5; i++) a.peer.send(0, packet(i, 900))
  const took: number[] = []
  a.onEvent = (event) => {
    if (event.type !== 'receive') return
    const at = network.now
    a.peer.send(0, packet(9), { expiresMs: 50, onSettled: (outcome) => took.push(outcome === 'expired' ? network.now - at : NaN) })
  }
  b.peer.send(0, packet(3))
  network.runFor(1_000)
  t.equal(took.length, 1)
  t.ok(Math.abs(took[0]! - 50) < 1.5, `${took[0]} ms`)
  t.end()
})

t.test('timeouts of one connection fit together like those of a host, or are refused as a whole', (t) => {
  const { network, a } = pair()
  t.throws(() => a.peer.setTimeout({ minimumMs: 2_000, maximumMs: 1_000 }), { code: 'ERR_OPTION_RANGE', message: /timeout\.maximumMs is 1000; it must be at least timeout\.minimumMs \(2000\)/ })
  a.peer.setTimeout({ minimumMs: 60_000 })
  network.runFor(100)
  network.partition('a')
  a.peer.send(0, packet(1))
  const ms = network.runUntil(() => a.of('disconnect').length > 0, { limitMs: 100_000 })
  t.ok(ms > 60_000 && ms < 62_000, `${ms} ms`)
  t.end()
})

t.test('an accept that throws refuses, and its error is told', (t) => {
  const oops = new Error('no such table')
  const errors: unknown[] = []
  const { network, a, b } = strangers({ b: { accept: () => { throw oops } } })
  b.host.onListenerError = (error) => errors.push(error)
  a.connect(b)
  network.runFor(1_000)
  t.same(a.of('disconnect').map(({ reason, data }) => [reason, data]), [['refused', 1]])
  t.equal(errors[0], oops)
  t.end()
})

t.test('a half-open connection lives for five seconds after the last datagram of its sender, whatever the others do', (t) => {
  const host = new Host({ seed: 3 })
  const one = new Puppet(host, { address: '192.0.2.1', port: 1 })
  const other = new Puppet(host, { address: '192.0.2.2', port: 2 })
  const verify = one.ask(connectFields({ connectId: 1 }))[0]!.commands[0]!
  one.peerId = verify.peerId
  one.session = verify.outgoingSession
  other.ask(connectFields({ connectId: 2 }))
  for (let i = 0; i < 20; i++) {
    one.pass(500, 100)
    one.say()
    other.now = one.now
  }
  t.equal(host.stats.halfOpen, 1, 'the silent one is forgotten')
  one.pass(6_000, 100)
  t.equal(host.stats.halfOpen, 0)
  t.same(eventsOf(host), [])
  t.end()
})

t.test('silence counts from the handshake, however late on the clock a host began', (t) => {
  const { network, a } = pair({ startMs: 4e9, path: { latencyMs: 5 } })
  const { recovery } = a.peer
  t.ok(network.now - recovery.lastAcknowledgedAt < 20, `${network.now - recovery.lastAcknowledgedAt} ms`)
  t.end()
})
