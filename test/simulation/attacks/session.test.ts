// A connected attacker at the layers above the transport: calls of what is not exposed, contracts without end, messages that
// multiply, packets without an end. Threats T18 to T23; see also test/unit/godot/hostile.test.ts, test/unit/codec-bombs.test.ts,
// test/unit/session/relay.test.ts and the property "hostile bytes cost their sender only".

import t from 'tap'
import { defineNode, rpc, t as c } from '../../../src/rpc/index.ts'
import { encodeMessage } from '../../../src/rpc/message.ts'
import type { RpcMessage } from '../../../src/rpc/message.ts'
import { memoryInUse } from '../../support/attack.ts'
import { GameBench } from '../../support/game-bench.ts'
import type { GamePlayer } from '../../support/game-bench.ts'

const Door = defineNode('door', { open: rpc.remote(c.u8), shut: rpc.server(), any: rpc.remote() }, { dynamic: true })

/** The rpc lane of our own framing, meant for the server (0x01), for everybody (0x09). */
const lane = (head: number, message: RpcMessage): Uint8Array => new Uint8Array([head, ...encodeMessage(message)])

const besieged = (server: ConstructorParameters<typeof GameBench>[0] = {}): { bench: GameBench; evil: GamePlayer; honest: GamePlayer; ran: string[]; say: (bytes: Uint8Array) => void } => {
  const bench = new GameBench(server)
  const [evil, honest] = bench.join(2) as [GamePlayer, GamePlayer]
  const ran: string[] = []
  const handlers = { open: (n: number) => void ran.push(`open ${n}`), shut: () => void ran.push('shut'), any: (...args: unknown[]) => void ran.push(`any ${args.length}`) }
  bench.server.session.attach(Door, handlers as never)
  honest.session.attach(Door, handlers as never)
  bench.network.runFor(200)
  for (const player of [bench.server, evil, honest]) player.log.length = 0
  const say = (bytes: Uint8Array): void => {
    const [peer] = [...evil.host.peers]
    if (peer !== undefined) peer.send(1, bytes, 'reliable')
  }
  return { bench, evil, honest, ran, say }
}

const HOSTILE_NAMES = [
  '', '__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', '__defineGetter__', 'then', 'open\0', ' open', 'OPEN', 'open/', 'members',
  'handlers', 'apply', 'call', 'bind', '../door', 'door/..', './door', '/root/door', 'door/0', 'door/1', 'door/-1', 'door/1e3', 'door/99999999999', '\u202eopen', 'ope\u0301n',
]

t.test('names: calls, sets and requests of what is not exposed run nothing, and each is told of once', (t) => {
  const { bench, ran, say, evil } = besieged({ server: { kickAfter: false } })
  let said = 0
  for (const path of ['door', ...HOSTILE_NAMES]) {
    for (const name of HOSTILE_NAMES) {
      for (const kind of ['call', 'set', 'request'] as const) {
        say(lane(1, { kind, member: { path, name }, id: said, values: new Uint8Array([0]) } as RpcMessage))
        said++
      }
    }
    bench.network.runFor(50)
  }
  bench.network.runFor(2_000)
  t.same(ran, [])
  t.same(bench.server.log.filter((line) => line.startsWith('error')), [])
  const told = bench.server.log.filter((line) => line.startsWith(`violation ${evil.session.id}`))
  t.equal(told.length, said)
  t.ok(told.every((line) => line.endsWith(' unknown') || line.endsWith(' shape')))
  t.equal(bench.server.session.calls.dispatcher.tables.running, 0)
  t.equal(({} as Record<string, unknown>)['polluted'], undefined)
  t.end()
})

t.test('names: keys of every value, with instances of every value, lead to nothing but what is attached', (t) => {
  const { bench, ran, say } = besieged({ server: { kickAfter: false } })
  const key = Door.list.find(({ name }) => name === 'open')?.key ?? 0
  for (const instance of [1, 2, 0x7fffffff, 0xffffffff]) say(lane(1, { kind: 'call', member: { key, instance }, values: new Uint8Array([7]) }))
  for (let other = 0; other < 0x1000000; other += 9_973) if (!Door.list.some((member) => member.key === other)) say(lane(1, { kind: 'call', member: { key: other, instance: 0 }, values: new Uint8Array([7]) }))
  bench.network.runFor(2_000)
  t.same(ran, [])
  say(lane(1, { kind: 'call', member: { key, instance: 0 }, values: new Uint8Array([7]) }))
  bench.network.runFor(200)
  t.same(ran, ['open 7'], 'what is attached still runs')
  t.end()
})

t.test('a client may not call what only the server may, at the server or through it at another client', (t) => {
  const { bench, ran, say, evil } = besieged({ server: { kickAfter: false } })
  const shut = Door.list.find(({ name }) => name === 'shut')?.key ?? 0
  for (const head of [1, 9]) say(lane(head, { kind: 'call', member: { key: shut, instance: 0 }, values: new Uint8Array(0) }))
  bench.network.runFor(300)
  t.same(ran, [])
  t.same(bench.server.log, [`violation ${evil.session.id} caller`, `violation ${evil.session.id} caller`])
  t.end()
})

t.test('noise: contracts told again and again make one report of each difference', (t) => {
  const { bench, say } = besieged({ server: { kickAfter: false } })
  let differences = 0
  bench.server.session.on('contractMismatch', () => differences++)
  const members = Array.from({ length: 200 }, (_, i) => ({ key: i, name: `m${i}`, signature: 'nonsense' }))
  for (let i = 0; i < 100; i++) say(lane(1, { kind: 'details', node: 'door', members }))
  for (let i = 0; i < 100; i++) say(lane(1, { kind: 'offer', contracts: [{ name: 'door', fingerprint: i }, { name: `other${i}`, fingerprint: 1 }] }))
  bench.network.runFor(3_000)
  t.ok(differences > 0 && differences <= 203, `${differences} differences`)
  t.end()
})

t.test('collide: 20,000 ids that a bad hash would put into one place cost no more than others', (t) => {
  const cost = (id: (i: number) => number): number => {
    const { bench, say } = besieged({ server: { kickAfter: false } })
    const before = performance.now()
    for (let i = 0; i < 4_000; i++) {
      say(lane(1, { kind: 'reply', id: id(i), named: false, values: new Uint8Array(1) }))
      say(lane(1, { kind: 'cancel', id: id(i) }))
      say(lane(1, { kind: 'call', member: { key: id(i) & 0xffffff, instance: id(i) }, values: new Uint8Array(1) }))
    }
    bench.network.runFor(3_000)
    return performance.now() - before
  }
  cost((i) => i)
  const usual = Math.min(cost((i) => i), cost((i) => i))
  const chosen = Math.min(cost((i) => (i << 16) >>> 0), cost((i) => (i * 0x10001) >>> 0))
  t.ok(chosen < 3 * usual + 100, `${chosen.toFixed(0)} ms, others ${usual.toFixed(0)} ms`)
  t.end()
})

t.test('relay: who floods everybody is heard by each at the rate that is allowed, in flat memory, and is thrown out', (t) => {
  const { bench, honest, evil, say } = besieged({ server: { relayLimit: { perSecond: 50, burst: 50 } } })
  const before = memoryInUse()
  const { id } = evil.session
  let heard = 0
  honest.session.on('message', () => heard++)
  for (let i = 0; i < 100 && evil.host.peerCount > 0; i++) {
    // A message (lane 0) for everybody (2).
    for (let k = 0; k < 100; k++) say(new Uint8Array([0x08, 1, 2, 3]))
    bench.network.runFor(10)
  }
  bench.network.runFor(2_000)
  t.ok(heard <= 50 + 50 * 3, `${heard} of 10,000`)
  t.ok(bench.server.log.some((line) => line.startsWith(`peerDisconnected ${id} kicked`)))
  t.ok(honest.session.state === 'open')
  const growth = memoryInUse() - before
  t.ok(growth < 8e6, `${Math.round(growth / 1e3)} kB`)
  t.end()
})

t.test('relay: a set that names one peer a thousand times reaches it once', (t) => {
  const { bench, honest, evil, say } = besieged({ server: { kickAfter: false } })
  let heard = 0
  honest.session.on('message', () => heard++)
  // Seats: 2 is the first client, 3 the second.
  for (const count of [1, 2, 100, 4_000]) {
    const set = new Uint8Array([0x10, ...(count < 128 ? [count] : [0x80 | (count & 127), count >> 7]), ...new Uint8Array(count).fill(3), 42])
    say(set)
    bench.network.runFor(100)
  }
  // A count that is not there, and one that no server could mean.
  say(new Uint8Array([0x10, 100, 3, 3]))
  say(new Uint8Array([0x10, 0xff, 0xff, 0xff, 0x7f, 3]))
  bench.network.runFor(500)
  t.equal(heard, 4)
  t.same(bench.server.log, [`violation ${evil.session.id} shape`, `violation ${evil.session.id} shape`])
  t.end()
})
