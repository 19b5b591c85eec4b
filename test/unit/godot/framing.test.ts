// Godot's framing against captured packets, and a session that serves Godot clients, on a wire without a protocol.

import t from 'tap'
import { fromHex } from '../../support/captures.ts'
import { PLAIN_CAPTURES, channelPackets, readGodotCapture } from '../../support/godot-captures.ts'
import { SessionBench } from '../../support/session-bench.ts'
import type { WirePeer } from '../../support/session-wire.ts'
import { godotFraming } from '../../../src/godot/framing.ts'
import { encodeWithHeader } from '../../../src/godot/header.ts'
import { nativeFraming } from '../../../src/session/native-framing.ts'
import { Roster } from '../../../src/session/peers.ts'

const hex = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString('hex')
const seats = new Roster()
const context = (linkId: number, ownId: number) => ({ linkId, ownId, seatsOf: () => null })

t.test('every captured packet passes through the framing unchanged, as a relay needs it', (t) => {
  let count = 0
  for (const name of PLAIN_CAPTURES) {
    const datagrams = readGodotCapture(name)
    channelPackets(datagrams).forEach((packets, index) => {
      const { direction, where } = datagrams[index]!
      for (const { channel, bytes } of packets) {
        count++
        const toServer = direction.endsWith('>s')
        const view = new DataView(bytes.buffer, bytes.byteOffset)
        const packet = godotFraming.decode(channel, bytes, toServer ? context(view.getUint32(0, true), 1) : context(1, 77))
        if (packet === null) t.fail(where)
        else if (packet.system !== null) t.equal(hex(godotFraming.encodeSystem(packet.system, 0, false)), hex(bytes), where)
        else t.equal(hex(godotFraming.encode({ ...packet, target: view.getInt32(4, true) }, toServer, seats)), hex(bytes), where)
      }
    })
  }
  t.equal(count, 178)
  t.end()
})

t.test('a client speaks in its own name only, and never on channel 0', (t) => {
  const call = encodeWithHeader(9, 1, fromHex('0001000000'))
  t.ok(godotFraming.decode(1, call, context(9, 1)))
  t.equal(godotFraming.decode(1, call, context(8, 1)), null, 'forged source')
  t.equal(godotFraming.decode(0, fromHex('0000000009000000'), context(9, 1)), null, '"add peer" from a client')
  t.end()
})

t.test('what is too short or names no possible id is dropped', (t) => {
  t.equal(godotFraming.decode(1, fromHex('01000000000000'), context(1, 9)), null)
  t.equal(godotFraming.decode(1, fromHex('0100000000000000'), context(1, 9)), null, 'a header without a packet')
  t.equal(godotFraming.decode(1, fromHex('010000000000000004'), context(1, 9)), null, 'raw without bytes')
  t.equal(godotFraming.decode(1, fromHex('000000000000000004ff'), context(1, 9)), null, 'source 0')
  t.equal(godotFraming.decode(1, fromHex('ffffffff0000000004ff'), context(1, 9)), null, 'source −1')
  t.equal(godotFraming.decode(0, fromHex('0000000001000000'), context(1, 9)), null, 'the server is never announced')
  t.equal(godotFraming.decode(0, fromHex('0200000009000000'), context(1, 9)), null, 'unknown number')
  t.match(godotFraming.decode(1, fromHex('010000000000000004ff'), context(1, 9)), {
    lane: 'message',
    source: 1,
    target: 9,
    payload: fromHex('ff'),
  })
  t.end()
})

t.test('ids travel as they are, and are told from those of our own clients', (t) => {
  t.equal(godotFraming.connectData(1269245586), 1269245586)
  t.equal(godotFraming.claimedId(1269245586), 1269245586)
  for (const data of [0, 1, 0x80000000, 0xffffffff]) t.equal(godotFraming.claimedId(data), 0, String(data))
  t.equal(nativeFraming.claimedId(1269245586), 0)
  t.equal(godotFraming.claimedId(nativeFraming.connectData(1269245586)), 0)
  t.end()
})

const framings = [nativeFraming, godotFraming]

t.test('one server serves Godot clients and our own, and each hears of the others in its own way', (t) => {
  const bench = new SessionBench({ framings })
  const godot = bench.client({ framings: [godotFraming] })
  const native = bench.client()
  bench.wire.run(200)
  const [a, b] = [godot.session.id, native.session.id]
  t.same(godot.log, ['peerConnected 1', 'connectedToServer', `peerConnected ${b}`])
  t.same(native.log, ['peerConnected 1', 'connectedToServer', `peerConnected ${a}`])
  t.same(
    [...bench.server.session.peerIds],
    [a, b].sort((x, y) => x - y),
  )

  godot.session.send(0, Buffer.from('hello all'))
  native.session.send(a, Buffer.from('hello godot'))
  bench.server.session.send(-b, Buffer.from('not for native'))
  bench.wire.run(100)
  t.match(godot.log.slice(3), [`message 1 not for native`, `message ${b} hello godot`])
  t.match(native.log.slice(3), [`message ${a} hello all`])
  t.same(
    bench.server.log.filter((line) => line.startsWith('message')),
    [`message ${a} hello all`],
  )

  void native.session.close()
  bench.wire.run(100)
  t.match(godot.log.at(-1), `peerDisconnected ${b} left`)
  t.end()
})

t.test('what goes to a Godot client is what a Godot server sends, byte for byte', (t) => {
  const bench = new SessionBench({ framings: [godotFraming] })
  const [first] = bench.join(1, { framings: [godotFraming] })
  const [second] = bench.join(1, { framings: [godotFraming] })
  const [a, b] = [first!.session.id, second!.session.id]
  const id = (n: number): string => hex(Uint8Array.of(n, n >> 8, n >> 16, n >> 24))
  const sentTo = (player: typeof first): string[] =>
    [...bench.server.host.peers]
      .find((peer) => peer.connectData === player!.session.id)!
      .sent.map(({ channel, bytes, delivery }) => `${channel} ${delivery} ${hex(bytes)}`)
  bench.server.session.send(0, Uint8Array.of(0xab), { delivery: 'unreliable' })
  first!.session.send(b, Uint8Array.of(0xcd), { delivery: 'unreliableOrdered' })
  bench.wire.run(100)
  void second!.session.close()
  bench.wire.run(100)
  t.same(sentTo(first), [`0 reliable 00000000${id(b)}`, `2 unsequenced 01000000${'00000000'}04ab`, `0 reliable 01000000${id(b)}`])
  const toSecond =
    (second!.host.peers.size,
    [...(first!.host.peers as Set<WirePeer>)][0]!.sent.map(({ channel, delivery, bytes }) => `${channel} ${delivery} ${hex(bytes)}`))
  t.same(toSecond, [`2 unreliable ${id(a)}${id(b)}04cd`])
  t.end()
})

t.test('an empty message from our own client does not stop the relay to Godot', (t) => {
  const bench = new SessionBench({ framings })
  const godot = bench.client({ framings: [godotFraming] })
  const native = bench.client()
  bench.wire.run(200)
  native.session.send(0, new Uint8Array())
  native.session.send(0, Buffer.from('after'))
  bench.wire.run(100)
  t.equal(godot.log.at(-1), `message ${native.session.id} after`)
  t.notOk(bench.server.log.some((line) => line.startsWith('error')))
  t.end()
})

t.test('a game that is kicked has time to look at the last words; one that was told nothing is gone at once', (t) => {
  const bench = new SessionBench({ framings: [godotFraming] })
  const [told, untold] = bench.join(2, { framings: [godotFraming] })
  const peers = [...(bench.server.host.peers as Set<WirePeer>)]
  const of = (player: typeof told): WirePeer => peers.find(({ connectData }) => connectData === player!.session.id)!
  of(told).stats.messagesSent = 1
  bench.server.session.send(told!.session.id, Buffer.from('goodbye'))
  bench.server.session.kick(told!.session.id)
  bench.server.session.kick(untold!.session.id)
  bench.wire.run(60)
  t.equal(untold!.log.at(-1), 'closed')
  t.same(
    told!.log.filter((line) => !line.startsWith('peer')),
    ['message 1 goodbye'],
  )
  bench.wire.run(30)
  t.notOk(told!.log.includes('closed'), '100 ms lie between words and goodbye')
  bench.wire.run(100)
  t.equal(told!.log.at(-1), 'closed')
  t.end()
})

t.test('what has not been acknowledged is waited for before the goodbye', (t) => {
  const bench = new SessionBench({ framings: [godotFraming] })
  const [game] = bench.join(1, { framings: [godotFraming] })
  const [peer] = [...(bench.server.host.peers as Set<WirePeer>)]
  Object.assign(peer!.stats, { messagesSent: 1, inFlightBytes: 8 })
  bench.server.session.kick(game!.session.id)
  bench.wire.run(1000)
  t.notOk(game!.log.includes('closed'))
  peer!.stats.inFlightBytes = 0
  bench.wire.run(200)
  t.equal(game!.log.at(-1), 'closed')
  t.end()
})

t.test("both sides ask the other's ENet not to drop unreliable packets when round trips vary", (t) => {
  const bench = new SessionBench({ framings: [nativeFraming, godotFraming] })
  const [game] = bench.join(1, { framings: [godotFraming] })
  bench.join(1)
  const throttles = [...(bench.server.host.peers as Set<WirePeer>)].map(({ throttle }) => throttle)
  t.same(throttles, [[5000, 2, 0], []])
  t.same([...(game!.host.peers as Set<WirePeer>)][0]!.throttle, [5000, 2, 0])
  t.end()
})

t.test('a list of ids towards a Godot server is one packet for each', (t) => {
  const bench = new SessionBench({ framings: [godotFraming] })
  const players = bench.join(4, { framings: [godotFraming] })
  const [from, ...others] = players
  from!.session.send([others[0]!.session.id, others[2]!.session.id], Buffer.from('two of you'))
  bench.wire.run(100)
  t.same(
    others.map(({ log }) => log),
    [[`message ${from!.session.id} two of you`], [], [`message ${from!.session.id} two of you`]],
  )
  t.end()
})

t.test('closing gives the same time, at either side, and to who was kicked just before', (t) => {
  const bench = new SessionBench({ framings: [nativeFraming, godotFraming] })
  const [a, b, c] = bench.join(3, { framings: [godotFraming] })
  const [native] = bench.join(1)
  const said = (peers: Iterable<WirePeer>): void => {
    for (const peer of peers) peer.stats.messagesSent = 1
  }
  said(bench.server.host.peers as Set<WirePeer>)
  said(c!.host.peers as Set<WirePeer>)
  const { id } = c!.session
  c!.session.send(1, Buffer.from('thanks'))
  void c!.session.close()
  bench.wire.run(60)
  t.ok(bench.server.log.includes(`message ${id} thanks`))
  t.notOk(
    bench.server.log.some((line) => line.startsWith('peerDisconnected')),
    'its goodbye is still to come',
  )
  bench.wire.run(200)
  t.ok(bench.server.log.some((line) => line.startsWith('peerDisconnected')))
  t.equal(c!.session.state, 'closed')

  bench.server.session.kick(b!.session.id)
  bench.server.session.send(a!.session.id, Buffer.from('game over'))
  void bench.server.session.close()
  bench.wire.run(60)
  t.ok(a!.log.includes('message 1 game over'))
  t.same(
    [a, b, native].map((player) => player!.session.state),
    ['open', 'open', 'closed'],
    'our own clients need no time',
  )
  bench.wire.run(300)
  t.same(
    [a, b, bench.server].map((player) => player!.session.state),
    ['closed', 'closed', 'closed'],
  )
  t.end()
})
