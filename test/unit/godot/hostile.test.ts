// A client that speaks nonsense costs itself only; and what Godot's own server gets wrong: order between join and first call.

import t from 'tap'
import type { Test } from 'tap'
import { GameBench } from '../../support/game-bench.ts'
import { SessionBench } from '../../support/session-bench.ts'
import { godotFraming } from '../../../src/godot/framing.ts'
import { encodeSystemMessage, encodeWithHeader } from '../../../src/godot/header.ts'
import { godot3 } from '../../../src/godot/index.ts'
import { encodeCall, encodeConfirmPath, encodeSimplifyPath } from '../../../src/godot/packets.ts'
import { defineNode, property, rpc, t as c } from '../../../src/rpc/index.ts'
import { nativeFraming } from '../../../src/session/index.ts'
import { Host } from '../../../src/transport/core/host.ts'
import type { Peer } from '../../../src/transport/types.ts'
import { SeededRandom } from '../../../src/util/random.ts'

const Lobby = defineNode('lobby', {
  say: rpc.remote(c.string),
  list: rpc.remote(c.array(c.any)),
  onlyServer: rpc.server(),
  hidden: rpc.disabled(),
  fuel: property.remote(c.f32),
})

const EVIL = 666_666
/** The first node of the bench. */
const SERVER = { address: '10.0.0.1', port: 7777 }

/** A server with one honest Godot client and a stranger that has nothing but a transport. */
const besieged = (kickAfter: { violations: number; withinMs: number } | false = false) => {
  const bench = new GameBench({ server: { framings: [nativeFraming, godotFraming], calls: { dialects: [godot3().calls] }, kickAfter } })
  const [honest] = bench.join(1, { framings: [godotFraming], calls: { dialects: [godot3().calls] } })
  const calls: string[] = []
  bench.server.session.attach(Lobby, {
    say: (text, { sender }) => void calls.push(`say ${sender} ${text.slice(0, 10)}`),
    list: (items, { sender }) => void calls.push(`list ${sender} ${items.length}`),
    onlyServer: ({ sender }) => void calls.push(`onlyServer ${sender}`),
    hidden: ({ sender }) => void calls.push(`hidden ${sender}`),
    fuel: (value, { sender }) => void calls.push(`fuel ${sender} ${value}`),
  })
  const host = new Host({ random: new SeededRandom(3).bytes })
  const received: Uint8Array[] = []
  let over = false
  bench.network.add('evil', host, {
    onEvent: (event: { type: string; bytes?: Uint8Array }) => {
      if (event.type === 'receive') received.push(event.bytes!)
      if (event.type === 'disconnect') over = true
    },
  } as never)
  const peer: Peer = host.connect(SERVER, { channels: 3, data: EVIL })
  bench.network.runFor(200)
  bench.server.log.length = 0
  honest!.log.length = 0
  const say = (packet: Uint8Array, channel = 1): boolean =>
    peer.state === 'connected' && peer.send(channel, encodeWithHeader(EVIL, 1, packet))
  const stillServed = (t: Test): void => {
    calls.length = 0
    honest!.session.rpcId(1, 'lobby', 'say', 'still here')
    bench.network.runFor(500)
    t.same(calls, [`say ${honest!.session.id} still here`], 'the honest client is served as before')
    t.notOk(
      bench.server.log.some((line) => line.startsWith('error')),
      'nothing threw',
    )
  }
  return { bench, honest: honest!, calls, peer, say, received, stillServed, ended: () => over, run: (ms = 300) => bench.network.runFor(ms) }
}

t.test('a stranger that has joined is announced like everybody, and leaves like everybody', (t) => {
  const { bench, honest, peer, received, run } = besieged()
  t.ok(honest.session.peers.has(EVIL))
  t.same(received, [encodeSystemMessage({ kind: 'add', id: honest.session.id })], 'all that it has been told')
  peer.disconnectNow()
  run()
  t.notOk(honest.session.peers.has(EVIL))
  t.match(bench.server.log, [`peerDisconnected ${EVIL} left`])
  t.end()
})

t.test('noise on every channel is dropped, counted, and ends in a kick of nobody else', (t) => {
  const { bench, honest, peer, run, stillServed, ended } = besieged({ violations: 100, withinMs: 10_000 })
  const random = new SeededRandom(9)
  for (let i = 0; i < 400 && peer.state === 'connected'; i++) {
    const bytes = new Uint8Array(random.below(40))
    random.bytes(bytes)
    peer.send(random.below(3), bytes, random.chance(0.5) ? 'reliable' : 'unsequenced')
    if (i % 20 === 0) run(20)
  }
  run(1000)
  t.ok(ended(), 'the stranger is out')
  t.ok(bench.server.log.some((line) => line.startsWith(`peerDisconnected ${EVIL} kicked`)))
  t.ok(honest.session.peers.size === 1 && honest.session.state === 'open')
  stillServed(t)
  t.end()
})

t.test('nobody speaks in another\'s name, and a client\'s "add peer" adds nobody', (t) => {
  const { bench, honest, peer, calls, run, stillServed } = besieged()
  peer.send(1, encodeWithHeader(honest.session.id, 1, encodeCall('lobby', 'say', ['forged'])))
  peer.send(1, encodeWithHeader(1, honest.session.id, encodeCall('lobby', 'say', ['forged'])))
  peer.send(0, encodeSystemMessage({ kind: 'add', id: 5555 }))
  peer.send(0, encodeSystemMessage({ kind: 'remove', id: honest.session.id }))
  run()
  t.same(calls, [])
  t.same([...bench.server.session.peers.keys()].sort(), [honest.session.id, EVIL].sort())
  t.same(honest.log, [])
  t.equal(bench.server.log.filter((line) => line === `violation ${EVIL} shape`).length, 4)
  stillServed(t)
  t.end()
})

t.test('values that kill an engine are refused: depth, counts, objects', (t) => {
  const { calls, say, run, stillServed, bench } = besieged()
  const call = (...hex: string[]): void => {
    const head = encodeCall('lobby', 'list', [])
    // Offset of the path and count of arguments, then whatever comes.
    const bytes = Buffer.concat([head.subarray(0, 10), Buffer.from([1]), Buffer.from(hex.join(''), 'hex'), Buffer.from('lobby\0')])
    bytes.writeUInt32LE((0x80000000 | (bytes.length - 6)) >>> 0, 1)
    say(bytes)
  }
  call('13000000010000000200000007000000')
  call(...new Array<string>(5000).fill('1300000001000000'), '00000000')
  call('13000000ffffff7f')
  call('14000000ffffffff')
  call('12000000ffffff7f')
  call('1300000001000000', '11000000080000004772616469656e7400000000')
  call('1300000001000000', 'ff000000')
  run(1000)
  t.same(calls, [`list ${EVIL} 1`], 'only the honest one')
  t.equal(bench.server.log.filter((line) => line === `violation ${EVIL} shape`).length, 6)
  stillServed(t)
  t.end()
})

t.test('modes and unknown names: nothing runs, and asking is not held against anybody', (t) => {
  const { calls, say, run, stillServed, bench } = besieged({ violations: 5, withinMs: 10_000 })
  for (let i = 0; i < 50; i++) {
    say(encodeCall('nowhere', 'say', ['x']))
    say(encodeCall('lobby', 'no_such_method', []))
    say(encodeCall(99, 'say', ['x']))
    say(encodeCall('lobby', 'hidden', []))
  }
  run(1000)
  t.same(calls, [])
  t.ok(bench.server.session.peers.has(EVIL), 'a game of another version may ask')
  stillServed(t)
  t.end()
})

t.test('announcing paths without end fills a bounded table; confirmations that nobody asked for do nothing', (t) => {
  const { say, received, run, stillServed } = besieged()
  for (let i = 1; i <= 6000; i++) {
    say(encodeSimplifyPath(i, `node/${i}`))
    if (i % 500 === 0) run(100)
  }
  for (let i = 0; i < 100; i++) say(encodeConfirmPath(`never/${i}`))
  run(2000)
  t.equal(received.filter((bytes) => bytes[8] === 3).length, 4096, 'confirmed up to the bound')
  stillServed(t)
  t.end()
})

t.test('two clients with one id, or with none: the second is refused before it is anybody', (t) => {
  const { bench, honest, run, stillServed } = besieged()
  const refusals: number[] = []
  for (const [i, data] of [honest.session.id, 0, 1, EVIL].entries()) {
    const host = new Host({ random: new SeededRandom(20 + i).bytes })
    bench.network.add(`other${i}`, host, {
      onEvent: (event: { type: string; reason?: string; data?: number }) =>
        event.type === 'disconnect' && event.reason === 'refused' && refusals.push(data),
    } as never)
    host.connect(SERVER, { channels: 3, data })
  }
  run(500)
  t.same(refusals.sort(), [honest.session.id, 0, 1, EVIL].sort())
  t.equal(bench.server.session.peers.size, 2)
  stillServed(t)
  t.end()
})

t.test('what a newcomer says through the relay waits until "add peer" is acknowledged, whichever channel is slow', (t) => {
  const bench = new SessionBench({ framings: [godotFraming] })
  bench.join(1, { framings: [godotFraming] })
  // The system channel towards the first client stalls; all others are quick.
  bench.wire.latencyMs = (_from, to, channel) => (to === bench.clients[0]!.host && channel === 0 ? 500 : 10)
  const late = bench.client({ framings: [godotFraming] })
  bench.wire.run(100)
  const first = bench.clients[0]!
  late.session.send(first.session.id, Buffer.from('reliable'))
  late.session.send(0, Buffer.from('unreliable'), { delivery: 'unreliable' })
  bench.wire.run(300)
  t.same(first.log, [], 'held back')
  bench.wire.run(500)
  t.equal(first.log[0], `peerConnected ${late.session.id}`)
  t.same(first.log.slice(1).sort(), [`message ${late.session.id} reliable`, `message ${late.session.id} unreliable`])
  t.end()
})

t.test('what would kill or command a game is not passed on to it', (t) => {
  const { honest, peer, bench, run, stillServed } = besieged()
  const arrived: string[] = []
  honest.session.attach(Lobby, { list: (items) => void arrived.push(`list of ${items.length}`), say: (text) => void arrived.push(text) })
  const relayed = (packet: Uint8Array, target: number): void => void peer.send(1, encodeWithHeader(EVIL, target, packet))
  const call = (...hex: string[]): Uint8Array => {
    const bytes = Buffer.concat([
      encodeCall('lobby', 'list', []).subarray(0, 10),
      Buffer.from([1]),
      Buffer.from(hex.join(''), 'hex'),
      Buffer.from('lobby\0'),
    ])
    bytes.writeUInt32LE((0x80000000 | (bytes.length - 6)) >>> 0, 1)
    return bytes
  }
  for (const target of [honest.session.id, 0, -1]) {
    relayed(call(...new Array<string>(5000).fill('1300000001000000'), '00000000'), target)
    relayed(call('1300000001000000', '11000000080000004772616469656e7400000000'), target)
    relayed(Uint8Array.of(9, 9, 9), target)
  }
  relayed(encodeCall('lobby', 'say', ['harmless']), honest.session.id)
  relayed(call('1300000001000000', '13000000', '00000000'), honest.session.id)
  run(1000)
  t.same(arrived, ['harmless', 'list of 1'])
  t.equal(bench.server.log.filter((line) => line === `violation ${EVIL} shape`).length, 9)
  stillServed(t)
  t.end()
})
