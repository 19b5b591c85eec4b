import t from 'tap'
import { SessionBench } from '../../support/session-bench.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)
/** Who got what, as one letter per player: S, and A, B, C for the clients. */
const heard = (bench: SessionBench): string =>
  [bench.server, ...bench.clients].map(({ log }, index) => (log.some((line) => line.startsWith('message')) ? 'SABC'[index] : '')).join('')

const trio = (options = {}): SessionBench => {
  const bench = new SessionBench(options)
  bench.join(3)
  return bench
}

for (const [name, target, expected] of [
  ['everybody', () => 0, 'SBC'],
  ['the server', () => 1, 'S'],
  ['one peer', (ids: number[]) => ids[1]!, 'B'],
  ['all but one', (ids: number[]) => -ids[1]!, 'SC'],
  ['all but the server', () => -1, 'BC'],
  ['a set', (ids: number[]) => [ids[2]!, 1, 1], 'SC'],
  ['a Set', (ids: number[]) => new Set([ids[1]!, ids[2]!]), 'BC'],
] as const) {
  t.test(`a client's message for ${name} reaches exactly those`, (t) => {
    const bench = trio()
    const ids = bench.clients.map(({ session }) => session.id)
    for (const delivery of ['reliable', 'unreliable', 'unreliableOrdered'] as const) {
      for (const player of [bench.server, ...bench.clients]) player.log.length = 0
      bench.clients[0]!.session.send(target(ids), bytes(delivery), { delivery })
      bench.wire.run(100)
      t.equal(heard(bench), expected, delivery)
      for (const { log } of [bench.server, ...bench.clients]) {
        for (const line of log) t.equal(line, `message ${ids[0]} ${delivery}`, 'the sender is who owns the connection')
      }
    }
    t.end()
  })
}

for (const [name, target, expected] of [
  ['everybody', () => 0, 'ABC'],
  ['one peer', (ids: number[]) => ids[1]!, 'B'],
  ['all but one', (ids: number[]) => -ids[1]!, 'AC'],
  ['a set', (ids: number[]) => [ids[0]!, ids[2]!], 'AC'],
] as const) {
  t.test(`the server's message for ${name} reaches exactly those`, (t) => {
    const bench = trio()
    bench.server.session.send(target(bench.clients.map(({ session }) => session.id)), bytes('x'))
    bench.wire.run(100)
    t.equal(heard(bench), expected)
    t.end()
  })
}

for (const [name, target, expected] of [
  ['everybody', () => 0, 'S'],
  ['the server', () => 1, 'S'],
] as const) {
  t.test(`with relay off clients do not see each other; a message for ${name} still reaches the server`, (t) => {
    const bench = trio({ relay: false })
    const [a] = bench.clients
    t.same(a!.session.peerIds, [1])
    a!.session.send(target(), bytes('x'))
    bench.wire.run(100)
    t.equal(heard(bench), expected)
    t.throws(() => a!.session.send(bench.clients[1]!.session.id, bytes('x')), { code: 'ERR_NOT_CONNECTED' })
    t.end()
  })
}

t.test('targets that cannot be meant are refused at the call', (t) => {
  const bench = trio()
  const { session } = bench.clients[0]!
  for (const target of [session.id, -session.id, 0.5, NaN, 2 ** 31, [0], [-5], '1']) {
    t.throws(() => session.send(target as never, bytes('x')), { code: 'ERR_ARGUMENT' }, String(target))
  }
  t.throws(() => session.send(12345, bytes('x')), { code: 'ERR_NOT_CONNECTED' })
  t.throws(() => session.send(1, 'text' as never), { code: 'ERR_ARGUMENT' })
  t.throws(() => session.send(1, bytes('x'), { channel: 0 }), { code: 'ERR_ARGUMENT' }, 'channel 0 belongs to the session')
  t.throws(() => session.send(1, bytes('x'), { channel: 3 }), { code: 'ERR_ARGUMENT' })
  t.end()
})

t.test('a relayed message never overtakes "peer connected", however late the introduction is', (t) => {
  const bench = new SessionBench({ channels: 5 })
  const [a] = bench.join(1, { channels: 5 })
  // What the server tells A on the system channel takes a second; everything else is quick.
  const slow = a!.host
  bench.wire.latencyMs = (_, to, channel, delivery) => (to === slow && channel === 1 && delivery === 'reliable' ? 1000 : 5)
  const b = bench.client({ channels: 5 })
  bench.wire.run(100)
  const ways = [[1, 'reliable'], [2, 'unreliable'], [2, 'unreliableOrdered'], [3, 'reliable'], [4, 'unreliable']] as const
  for (const [channel, delivery] of ways) {
    b.session.send(a!.session.id, bytes(`${channel}${delivery}`), { channel, delivery })
  }
  bench.wire.run(500)
  t.same(a!.log, [], 'nothing has arrived: A does not know B yet')
  bench.wire.run(3000)
  t.equal(a!.log[0], `peerConnected ${b.session.id}`)
  t.same(
    a!.log.slice(1).sort(),
    ['1reliable', '2unreliable', '2unreliableOrdered', '3reliable', '4unreliable'].map((x) => `message ${b.session.id} ${x}`).sort(),
  )
  t.end()
})

t.test('what the server says to a newcomer never overtakes its welcome', (t) => {
  const bench = new SessionBench({ channels: 4 })
  bench.wire.latencyMs = (_, __, channel, delivery) => (channel === 1 && delivery === 'reliable' ? 300 : 5)
  bench.server.session.on('peerConnected', ({ id }) => {
    bench.server.session.send(id, bytes('early'), { channel: 3 })
    bench.server.session.send(id, bytes('state'), { delivery: 'unreliable' })
  })
  const client = bench.client({ channels: 4 })
  bench.wire.run(3000)
  t.same(client.log.slice(0, 2), ['peerConnected 1', 'connectedToServer'])
  t.same(client.log.slice(2).sort(), ['message 1 early', 'message 1 state'])
  t.end()
})

t.test('reliable messages said before leaving arrive before the leave', (t) => {
  const bench = trio()
  const [a, b] = bench.clients
  a!.session.send(b!.session.id, bytes('bye'))
  void a!.session.close()
  const id = a!.session.id
  bench.wire.run(300)
  t.same(b!.log, [`message ${id} bye`, `peerDisconnected ${id} left`])
  t.end()
})

t.test('a client cannot have more relayed than its budget', (t) => {
  const bench = trio({ relayLimit: { perSecond: 10, burst: 5 }, kickAfter: false })
  const [a, b] = bench.clients
  for (let i = 0; i < 20; i++) a!.session.send(b!.session.id, bytes(`${i}`), { delivery: 'unreliable' })
  bench.wire.run(50)
  t.equal(b!.log.length, 5)
  t.equal(bench.server.log.filter((line) => line.endsWith('rate')).length, 15)
  t.end()
})

t.test('a newcomer that never tells what it has seen is let go, not the one who talks', (t) => {
  const bench = new SessionBench({ channels: 4 })
  const [talker] = bench.join(1, { channels: 4 })
  const mute = bench.wire.host()
  const peer = mute.connect(bench.server.host.address, { channels: 4, data: 0x80000009 })
  bench.wire.run(50)
  peer.send(1, Uint8Array.of(2, 1, 1), 'reliable')
  bench.wire.run(50)
  t.ok(talker!.log.includes('peerConnected 9'))
  for (let i = 0; i < 12; i++) talker!.session.send(9, new Uint8Array(32_000), { channel: 3 })
  bench.wire.run(300)
  t.notOk(bench.server.session.peers.has(9))
  t.equal(talker!.session.state, 'open')
  t.end()
})

t.test('what somebody said on its way out, and arrives after its leave, is dropped without a fuss', (t) => {
  const bench = trio()
  const [a, b] = bench.clients
  bench.wire.latencyMs = (_, to, channel) => (to === b!.host && channel === 2 ? 300 : 10)
  const id = a!.session.id
  a!.session.send(0, bytes('late'), { delivery: 'unreliable' })
  bench.wire.run(50)
  void a!.session.close()
  bench.wire.run(1000)
  t.same(b!.log, [`peerDisconnected ${id} left`])
  t.ok(bench.server.log.includes(`message ${id} late`))
  t.end()
})

t.test('a peer that leaves before a newcomer knows it says nothing to that newcomer', (t) => {
  const bench = new SessionBench({ channels: 4 })
  const [a] = bench.join(1, { channels: 4 })
  bench.wire.latencyMs = (_, to, channel, delivery) => (to === a!.host && channel === 1 && delivery === 'reliable' ? 1000 : 5)
  const b = bench.client({ channels: 4 })
  bench.wire.run(100)
  const id = b.session.id
  b.session.send(a!.session.id, bytes('hello'), { channel: 3 })
  bench.wire.run(100)
  void b.session.close()
  bench.wire.run(5000)
  t.same(a!.log, [`peerConnected ${id}`, `peerDisconnected ${id} left`])
  t.end()
})

t.test('what comes from a client before it has joined waits until it has', (t) => {
  let admit = (_: boolean): void => undefined
  const bench = new SessionBench({ accept: () => new Promise<boolean>((resolve) => (admit = resolve)) })
  const eager = bench.wire.host()
  const peer = eager.connect(bench.server.host.address, { channels: 3, data: 0x80000009 })
  bench.wire.run(50)
  peer.send(1, Uint8Array.of(2, 1, 1), 'reliable')
  peer.send(1, Uint8Array.of(0, 104, 105), 'reliable')
  bench.wire.run(50)
  t.same(bench.server.log, [])
  admit(true)
  return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
    bench.wire.run(50)
    t.same(bench.server.log, ['peerConnected 9', 'message 9 hi'])
  })
})

t.test('a client that sends too much before it has joined is refused', (t) => {
  const bench = new SessionBench({ accept: () => new Promise<boolean>(() => undefined) })
  const eager = bench.wire.host()
  const peer = eager.connect(bench.server.host.address, { channels: 3, data: 0x80000009 })
  bench.wire.run(50)
  peer.send(1, Uint8Array.of(2, 1, 1), 'reliable')
  for (let i = 0; i < 5; i++) peer.send(1, new Uint8Array(16_000), 'reliable')
  bench.wire.run(100)
  t.match(eager.events.at(-1), { type: 'disconnect', data: 8 })
  t.end()
})

t.test('a client that is in no room cannot speak in one', (t) => {
  const bench = new SessionBench()
  const [a, b] = bench.join(2)
  const room = bench.server.session.createRoom('red')
  const heard: unknown[] = []
  room.on('message', (sender, given) => heard.push([sender, Buffer.from(given).toString()]))
  room.add(b!.session.id)
  bench.wire.run(50)
  const [inside] = [...b!.session.rooms.values()]
  inside!.on('message', (sender) => heard.push(sender))
  for (const head of [0x20, 0x28]) {
    const [peer] = [...a!.host.peers]
    peer!.send(1, Uint8Array.of(head, room.number, 104, 105))
  }
  bench.wire.run(100)
  t.same(heard, [])
  inside!.send(1, bytes('mine'))
  bench.wire.run(50)
  t.same(heard, [[b!.session.id, 'mine']])
  t.end()
})

t.test('rooms are opened, filled and closed by the server only, with names that are free', (t) => {
  const bench = new SessionBench()
  const [a] = bench.join(1)
  t.throws(() => a!.session.createRoom('x'), { code: 'ERR_ARGUMENT' })
  const room = bench.server.session.createRoom('red')
  t.equal(bench.server.session.room('red'), room)
  for (const name of ['red', '', 'x'.repeat(65)]) t.throws(() => bench.server.session.createRoom(name), { code: 'ERR_ARGUMENT' })
  t.throws(() => room.add(4711), { code: 'ERR_ARGUMENT' })
  room.add(a!.session.id)
  room.add(a!.session.id)
  bench.wire.run(50)
  const [inside] = [...a!.session.rooms.values()]
  t.throws(() => inside!.add(1), { code: 'ERR_ARGUMENT' })
  t.same([inside!.name, inside!.peerIds, inside!.id], ['red', [1], a!.session.id])
  room.close('over')
  t.throws(() => room.add(a!.session.id), { code: 'ERR_CLOSED' })
  t.equal(bench.server.session.room('red'), undefined)
  bench.wire.run(50)
  t.equal(inside!.isOpen, false)
  t.same(bench.server.session.createRoom('red').number, 2, 'numbers are not used again')
  t.end()
})

t.test('a client cannot have seen more than it was told, and is told of messages to somebody who has left', (t) => {
  const bench = trio()
  const [a, b] = bench.clients
  const [peer] = [...a!.host.peers]
  peer!.send(1, Uint8Array.of(2, 11, 99))
  bench.wire.run(50)
  t.same(bench.server.log, [`violation ${a!.session.id} shape`])
  bench.server.log.length = 0
  // Its seat is known to A until the leave has arrived.
  const gone = b!.session.id
  bench.wire.latencyMs = (_, to, channel) => (to === a!.host && channel === 1 ? 500 : 10)
  void b!.session.close()
  bench.wire.run(100)
  a!.session.send([gone, bench.clients[2]!.session.id], bytes('set'))
  a!.session.send(-gone, bytes('but'))
  a!.session.send(gone, bytes('one'))
  bench.wire.run(100)
  t.same(bench.server.log, [`peerDisconnected ${gone} left`, `message ${a!.session.id} but`])
  t.same(bench.clients[2]!.log.slice(1), [`message ${a!.session.id} set`, `message ${a!.session.id} but`])
  t.end()
})
