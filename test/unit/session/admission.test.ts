import t from 'tap'
import { EndCode } from '../../../src/util/end-codes.ts'
import { SessionBench } from '../../support/session-bench.ts'

t.test('a full server refuses at once, with the reason', (t) => {
  const bench = new SessionBench({ maxPeers: 1 })
  bench.join(1)
  const late = bench.client()
  bench.wire.run(100)
  t.same(late.log, ['connectionFailed ERR_REFUSED the server refused the connection: "server full" (data 0x00000002)', 'closed'])
  t.same(bench.server.log, [])
  t.end()
})

t.test('two newcomers for the last place: one gets it, the other hears that it is full', (t) => {
  const bench = new SessionBench({ maxPeers: 1 })
  const clients = [bench.client(), bench.client()]
  bench.wire.run(200)
  t.same(clients.map(({ session }) => session.state).sort(), ['closed', 'open'])
  t.same(bench.server.session.peerIds.length, 1)
  t.end()
})

t.test('refuseNewConnections turns newcomers away and keeps who is in', (t) => {
  const bench = new SessionBench()
  const [a] = bench.join(1)
  bench.server.session.refuseNewConnections = true
  const late = bench.client()
  bench.wire.run(100)
  t.match(late.log[0], /ERR_REFUSED .*takes no new connections/)
  t.equal(a!.session.state, 'open')
  bench.server.session.refuseNewConnections = false
  const later = bench.client()
  bench.wire.run(200)
  t.equal(later.session.state, 'open')
  t.end()
})

for (const [name, answer, expected] of [
  ['false', false, /ERR_REFUSED the server refused the connection: "refused"/],
  ['a text', 'wrong password', /ERR_REFUSED the server refused the connection: "wrong password" \(data 0x00000004\)/],
  ['a number of its own', { reason: 'banned', data: 4242 }, /"banned" \(data 0x00001092\)/],
] as const) {
  t.test(`accept answers ${name}: no peer ever exists, and the client hears why instead of "connected"`, (t) => {
    const bench = new SessionBench({ accept: () => answer })
    const client = bench.client()
    bench.wire.run(200)
    t.match(client.log[0], expected)
    t.notOk(client.log.includes('connectedToServer'))
    t.same(bench.server.log, [])
    t.end()
  })

  t.test(`accept answers ${name} later: the same`, async (t) => {
    const bench = new SessionBench({ accept: async () => answer })
    const client = bench.client()
    bench.wire.run(100)
    await new Promise(setImmediate)
    bench.wire.run(200)
    t.match(client.log[0], expected)
    t.same(bench.server.log, [])
    await t.rejects(client.session.ready, { code: 'ERR_REFUSED' })
  })
}

t.test('accept sees who asks and what it said; only then the player exists', async (t) => {
  const seen: unknown[] = []
  let admit = (_: boolean): void => undefined
  const bench = new SessionBench({
    accept: ({ id, hello, address, dialect }) => {
      seen.push([id, Buffer.from(hello).toString(), address, dialect])
      return new Promise((resolve) => (admit = resolve))
    },
  })
  const client = bench.client({ hello: 'secret' })
  bench.wire.run(5000)
  t.equal(client.session.state, 'connecting')
  t.same(bench.server.session.peerIds, [])
  admit(true)
  await new Promise(setImmediate)
  bench.wire.run(100)
  t.equal(client.session.state, 'open')
  t.same(seen, [[client.session.id, 'secret', '192.0.2.1', 'vaiven']])
})

t.test('an accept that throws refuses, and surfaces', (t) => {
  const bench = new SessionBench({
    accept: () => {
      throw new Error('database down')
    },
  })
  const client = bench.client()
  bench.wire.run(200)
  t.match(client.log[0], /ERR_REFUSED/)
  t.same(bench.server.log, ['error database down'])
  t.end()
})

t.test('a client that never says hello is turned out after the hello deadline', (t) => {
  const bench = new SessionBench({ helloTimeoutMs: 500 })
  const silent = bench.wire.host()
  silent.connect(bench.server.host.address, { channels: 3, data: 0x80000005 })
  bench.wire.run(400)
  t.equal(bench.server.host.peers.size, 1)
  bench.wire.run(400)
  t.equal(bench.server.host.peers.size, 0)
  t.match(silent.events.at(-1), { type: 'disconnect', data: EndCode.helloTimeout })
  t.same(bench.server.log, [], 'nobody ever existed')
  t.end()
})

for (const [name, data] of [
  ['0', 0],
  ['a Godot id', 77],
  ['our bit and id 0', 0x80000000],
  ['our bit and id 1', 0x80000001],
] as const) {
  t.test(`a CONNECT whose data is ${name} is refused as another dialect`, (t) => {
    const bench = new SessionBench()
    t.equal(bench.server.session.gate({ address: '192.0.2.9', port: 9, data, channelCount: 3 }), EndCode.dialect)
    t.end()
  })
}

t.test('a client whose id is taken picks another one', (t) => {
  // Both clients draw the same first id; the second one's second id is its own.
  const fixed = (first: number) => {
    let calls = 0
    return (bytes: Uint8Array): void => {
      bytes.fill(0)
      bytes[0] = calls++ === 0 ? 9 : first
    }
  }
  const bench = new SessionBench()
  const a = bench.client({ random: fixed(10) })
  bench.wire.run(200)
  const b = bench.client({ random: fixed(11) })
  bench.wire.run(200)
  t.same([a.session.id, b.session.id], [9, 11])
  t.end()
})

t.test('a client whose server never lets it in gives up at its deadline', (t) => {
  const bench = new SessionBench({ accept: () => new Promise<boolean>(() => undefined) })
  const client = bench.client({ timeoutMs: 1000 })
  bench.wire.run(1100)
  t.match(client.log, [/connectionFailed ERR_TIMEOUT the server answered, but did not let us in in time/, 'closed'])
  t.end()
})

t.test('options outside their range are named at construction', (t) => {
  t.throws(
    () => new SessionBench({ maxPeers: 5000 }),
    { code: 'ERR_OPTION_RANGE', message: /options\.maxPeers is 5000; it must be an integer from 1 to 4095/ },
  )
  t.throws(() => new SessionBench({ channels: 2 }), { code: 'ERR_OPTION_RANGE' })
  t.throws(() => new SessionBench().client({ hello: 'x'.repeat(1025) }), { code: 'ERR_OPTION_RANGE' })
  t.end()
})

t.test('draining: newcomers are refused with that reason, players are told, and the last one leaving closes the server', async (t) => {
  const bench = new SessionBench()
  const [a] = bench.join(1)
  const done = bench.server.session.drain({ withinMs: 60_000, reason: 'update' })
  bench.wire.run(50)
  t.same(a!.log, ['draining update'])
  const late = bench.client()
  bench.wire.run(100)
  t.match(late.log[0], /ERR_REFUSED .*server is closing soon/)
  t.equal(bench.server.session.state, 'draining')
  void a!.session.close()
  bench.wire.run(200)
  await done
  t.equal(bench.server.session.state, 'closed')
})

t.test('draining ends at its deadline', async (t) => {
  const bench = new SessionBench()
  const [a] = bench.join(1)
  const done = bench.server.session.drain({ withinMs: 1000 })
  bench.wire.run(1200)
  await done
  t.match(a!.log, ['draining ', /serverDisconnected closed/, 'closed'])
})
