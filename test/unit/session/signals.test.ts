import t from 'tap'
import { SessionBench } from '../../support/session-bench.ts'

t.test('a client hears of the server first, then that it is connected, then of the others in ascending order', (t) => {
  const bench = new SessionBench()
  const others = [bench.client(), bench.client()]
  bench.wire.run(200)
  const client = bench.client()
  bench.wire.run(200)
  const ids = others.map(({ session }) => session.id).sort((a, b) => a - b)
  t.same(client.log, ['peerConnected 1', 'connectedToServer', `peerConnected ${ids[0]}`, `peerConnected ${ids[1]}`])
  t.same(client.session.peerIds, [1, ...ids])
  t.same(bench.server.session.peerIds, [...ids, client.session.id].sort((a, b) => a - b))
  for (const other of others) t.ok(other.log.includes(`peerConnected ${client.session.id}`))
  t.equal(bench.server.session.id, 1)
  t.equal(bench.server.session.isServer, true)
  t.equal(client.session.isServer, false)
  t.ok(client.session.id > 1)
  t.end()
})

t.test('a client that leaves is gone on everyone, with a reason; it hears only that its own session closed', (t) => {
  const bench = new SessionBench()
  const [a, b] = bench.join(2)
  const id = a!.session.id
  void a!.session.close()
  bench.wire.run(200)
  t.same(bench.server.log, [`peerDisconnected ${id} left`])
  t.same(b!.log, [`peerDisconnected ${id} left`])
  t.same(a!.log, ['closed'])
  t.equal(a!.session.state, 'closed')
  t.notOk(b!.session.peers.has(id))
  t.end()
})

t.test('a client that crashes is gone on everyone with the reason timeout', (t) => {
  const bench = new SessionBench()
  const [a, b] = bench.join(2)
  const id = a!.session.id
  a!.host.crash()
  bench.wire.run(4000)
  t.same(bench.server.log, [`peerDisconnected ${id} timeout`])
  t.same(b!.log, [`peerDisconnected ${id} timeout`])
  t.end()
})

t.test('when the server closes, clients hear serverDisconnected and nothing about each other', (t) => {
  const bench = new SessionBench()
  const [a, b] = bench.join(2)
  void bench.server.session.close({ reason: 'maintenance' })
  bench.wire.run(200)
  for (const { log, session } of [a!, b!]) {
    t.same(log, ['serverDisconnected closed maintenance', 'closed'])
    t.equal(session.state, 'closed')
    t.equal(session.id, 0)
  }
  t.same(bench.server.log, ['closed'])
  t.end()
})

t.test('a kick delivers what was sent before it, then the reason, to the kicked and to the others', (t) => {
  const bench = new SessionBench()
  const [a, b] = bench.join(2)
  const id = a!.session.id
  for (const text of ['one', 'two']) bench.server.session.send(id, Buffer.from(text))
  bench.server.session.kick(id, { reason: 'afk' })
  t.throws(() => bench.server.session.send(id, Buffer.from('three')), { code: 'ERR_NOT_CONNECTED' })
  bench.wire.run(200)
  t.same(a!.log, ['message 1 one', 'message 1 two', 'serverDisconnected kicked afk', 'closed'])
  t.same(b!.log, [`peerDisconnected ${id} kicked afk`])
  t.same(bench.server.log, [`peerDisconnected ${id} kicked afk`])
  t.end()
})

t.test('a kick with now is over when it returns', (t) => {
  const bench = new SessionBench()
  const [a] = bench.join(1)
  const id = a!.session.id
  bench.server.session.kick(id, { now: true })
  t.same(bench.server.log, [`peerDisconnected ${id} kicked`])
  t.same(bench.server.session.peerIds, [])
  bench.wire.run(200)
  t.match(a!.log[0], /^serverDisconnected kicked/)
  t.end()
})

t.test('only servers kick, and only who is here', (t) => {
  const bench = new SessionBench()
  const [a] = bench.join(1)
  t.throws(() => a!.session.kick(1), { code: 'ERR_ARGUMENT' })
  t.throws(() => bench.server.session.kick(5), { code: 'ERR_ARGUMENT' })
  t.end()
})

t.test('a listener that throws or rejects stops neither the others nor the session, and surfaces once', async (t) => {
  const bench = new SessionBench()
  const { session, log } = bench.server
  session.prependListener('peerConnected', () => {
    throw new Error('thrown')
  })
  session.prependListener('peerConnected', async () => {
    throw new Error('rejected')
  })
  const client = bench.client()
  bench.wire.run(200)
  await Promise.resolve()
  t.equal(client.session.state, 'open')
  t.same(log.filter((line) => line.startsWith('error')).sort(), ['error rejected', 'error thrown'])
  t.ok(log.includes(`peerConnected ${client.session.id}`), 'later listeners still hear')
  t.end()
})

t.test('without an error listener a failure is a process warning, not the end of the process', async (t) => {
  const bench = new SessionBench()
  bench.server.session.removeAllListeners('error')
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
  bench.server.session.on('peerConnected', () => {
    throw new Error('nobody listens')
  })
  bench.client()
  bench.wire.run(200)
  t.match((await warned).message, /nobody listens.*peerConnected/)
  t.end()
})

t.test('what the server sends from inside peerConnected arrives after connectedToServer and before the introductions', (t) => {
  const bench = new SessionBench()
  bench.join(1)
  bench.server.session.on('peerConnected', ({ id }) => bench.server.session.send(id, Buffer.from('hi')))
  const client = bench.client()
  bench.wire.run(200)
  t.same(client.log, ['peerConnected 1', 'connectedToServer', 'message 1 hi', `peerConnected ${bench.clients[0]!.session.id}`])
  t.end()
})
