import { createSocket } from 'node:dgram'
import t from 'tap'
import { joinLobby, openLobby } from '../../../src/game/index.ts'
import type { GameRoom } from '../../../src/game/index.ts'
import { connect, listen } from '../../../src/open.ts'
import type { ConnectSessionOptions } from '../../../src/open.ts'
import { defineNode, property, rpc, t as c } from '../../../src/rpc/index.ts'
import type { UdpSession } from '../../../src/udp-session.ts'
import { createHost } from '../../../src/transport/create-host.ts'
import { once } from 'node:events'

const HOST = '127.0.0.1'
const Lobby = defineNode('lobby', {
  say: rpc.remote(c.string),
  roll: rpc.remote(c.range(2, 100)).returns(c.u8),
  fuel: property.remote(c.f32),
})

const join = (server: UdpSession, options: Partial<ConnectSessionOptions> = {}): Promise<UdpSession> =>
  connect({ host: HOST, port: server.address.port, ...options })

t.test('a server and two clients over real sockets: signals, calls, answers, properties, messages, close', async (t) => {
  const server = await listen({ host: HOST })
  const log: string[] = []
  server.on('peerConnected', ({ id, address }) => log.push(`joined ${id} ${address}`))
  server.on('peerDisconnected', ({ id, reason }) => log.push(`left ${id} ${reason}`))
  server.attach(Lobby, { roll: (sides) => sides, say: (text, { sender }) => log.push(`${sender}: ${text}`) })
  const a = await join(server)
  const order: string[] = []
  a.on('peerConnected', ({ id }) => order.push(`peer ${id}`))
  a.on('connectedToServer', () => order.push('connected'))
  const b = await join(server)
  if (!a.peers.has(b.id)) await once(a, 'peerConnected')
  while (!a.peers.has(b.id)) await once(a, 'peerConnected')
  t.same(order, ['peer 1', 'connected', `peer ${b.id}`], 'nothing is lost between the promise and the listeners')
  const lobby = a.attach(Lobby)
  t.equal(await lobby.to(1).roll(20), 20)
  const heard = once(b, 'message')
  const bLobby = b.attach(Lobby, { say: (text) => log.push(`b heard ${text}`) })
  lobby.all.say('hi')
  lobby.all.fuel = 0.5
  a.send(b.id, Buffer.from('raw'))
  const [sender, bytes] = await heard
  t.same([sender, Buffer.from(bytes as Uint8Array).toString()], [a.id, 'raw'])
  t.equal(bLobby.values.fuel, 0.5)
  t.ok(a.peers.get(1)!.stats!.roundTripMs > 0)
  t.equal(a.peers.get(1)!.port, server.address.port)
  const ids = [a.id, b.id]
  await a.close()
  const goodbye = Promise.all([once(b, 'serverDisconnected'), once(b, 'closed')])
  await server.close({ reason: 'done' })
  t.match((await goodbye)[0], [{ reason: 'closed', text: 'done' }])
  t.same(log.sort(), [`joined ${ids[0]} ${HOST}`, `joined ${ids[1]} ${HOST}`, `${ids[0]}: hi`, 'b heard hi', `left ${ids[0]} left`].sort())
})

t.test('connect rejects with a coded error that says why', async (t) => {
  const server = await listen(
    { host: HOST, maxPeers: 1, accept: ({ hello }) => Buffer.from(hello).toString() === 'bad' ? 'wrong password' : true },
  )
  const where = `${HOST}:${server.address.port}`
  await t.rejects(
    join(server, { hello: 'bad' }),
    { code: 'ERR_REFUSED', data: 4, message: `${where} refused the connection: "wrong password" (data 0x00000004)` },
  )
  const a = await join(server)
  await t.rejects(
    join(server),
    { code: 'ERR_REFUSED', data: 2, message: `${where} refused the connection: "server full" (data 0x00000002)` },
  )
  server.refuseNewConnections = true
  await t.rejects(join(server), { code: 'ERR_REFUSED', data: 1 })
  await t.rejects(connect({ host: HOST, port: server.address.port, signal: AbortSignal.abort() }), { code: 'ERR_ABORTED' })
  await t.rejects(connect({ host: HOST, port: 9, timeoutMs: 0 }), { code: 'ERR_OPTION_RANGE' })
  await t.rejects(listen({ host: HOST, port: server.address.port }), { code: 'ERR_SOCKET' })
  await t.rejects(listen({ maxPeers: 5000 }), { code: 'ERR_OPTION_RANGE' })
  await t.rejects(listen({ maxPlayers: 4 } as never), { code: 'ERR_OPTION_RANGE', message: /^options\.maxPlayers is no option; there are .*\bmaxPeers\b/ })
  await t.rejects(connect({ host: HOST, port: 9, maxPeers: 4 } as never), { code: 'ERR_OPTION_RANGE', message: /^options\.maxPeers is no option/ })
  await a.close()
  await server.close()
})

t.test('one deadline and one AbortSignal hold for everything: nobody there, no session, an accept that never settles', async (t) => {
  const silent = createSocket('udp4')
  await new Promise<void>((resolve) => silent.bind(0, HOST, resolve))
  const nobody = connect({ host: HOST, port: silent.address().port, timeoutMs: 200 })
  const plain = await createHost({ host: HOST })
  const noSession = connect({ host: HOST, port: plain.address.port, timeoutMs: 300 })
  const server = await listen({ host: HOST, accept: () => new Promise<boolean>(() => undefined) })
  const controller = new AbortController()
  const stuck = connect({ host: HOST, port: server.address.port, signal: controller.signal })
  setTimeout(() => controller.abort(), 100)
  const results = await Promise.allSettled([nobody, noSession, stuck])
  t.match(results, [
    { reason: { code: 'ERR_TIMEOUT' } },
    { reason: { code: 'ERR_TIMEOUT', message: /did not let us in/ } },
    { reason: { code: 'ERR_ABORTED' } },
  ])
  silent.close()
  await Promise.all([plain.close(), server.close()])
})

t.test('wait: false gives a session that is still connecting; its signals follow as in Godot', async (t) => {
  const server = await listen({ host: HOST })
  const good = await join(server, { wait: false })
  t.equal(good.state, 'connecting')
  await once(good, 'connectedToServer')
  server.refuseNewConnections = true
  const bad = await join(server, { wait: false })
  const [error] = await once(bad, 'connectionFailed')
  t.match(error, { code: 'ERR_REFUSED' })
  await once(bad, 'closed')
  await good.close()
  await server.close()
})

t.test('manual pump: nothing happens between poll() and flush(); connect and close pump by themselves', async (t) => {
  const server = await listen({ host: HOST, pump: 'manual' })
  let joined = 0
  server.on('peerConnected', () => joined++)
  const frames = setInterval(() => {
    server.poll()
    server.flush()
  }, 5)
  const client = await join(server, { pump: 'manual' })
  const heard: string[] = []
  client.on('connectedToServer', () => heard.push('connected'))
  client.attach(Lobby, { say: (text) => heard.push(text) })
  const lobby = server.attach(Lobby)
  lobby.all.say('hi')
  await new Promise((resolve) => setTimeout(resolve, 60))
  t.same(heard, [], 'not polled, so nothing was told')
  for (let i = 0; i < 20 && heard.length < 2; i++) {
    client.poll()
    client.flush()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  t.same(heard, ['connected', 'hi'])
  t.equal(joined, 1)
  t.ok(client.deadline < Infinity)
  await client.close()
  await server.close()
  clearInterval(frames)
})

t.test('several sessions live in one process, and await using closes them', async (t) => {
  const servers = await Promise.all([listen({ host: HOST }), listen({ host: HOST })])
  const clients = await Promise.all(servers.map((server) => join(server)))
  t.not(servers[0]!.address.port, servers[1]!.address.port)
  t.same(servers.map((server) => server.peerIds), clients.map(({ id }) => [id]))
  for (const session of [...clients, ...servers]) await session[Symbol.asyncDispose]()
  t.same(servers.map(({ state }) => state), ['closed', 'closed'])
})

t.test('a client that destroys its session is gone at the server, and its waiting calls are rejected', async (t) => {
  const server = await listen({ host: HOST })
  server.attach(Lobby, { roll: () => new Promise<number>(() => undefined) })
  const client = await join(server)
  const rolled = client.attach(Lobby).to(1).roll(6)
  const left = once(server, 'peerDisconnected')
  client.destroy()
  await t.rejects(rolled, { code: 'ERR_DISCONNECTED' })
  await left
  await server.close()
})

t.test('the signal given to listen destroys the session; SIGTERM drains it', async (t) => {
  const controller = new AbortController()
  const one = await listen({ host: HOST, signal: controller.signal })
  controller.abort()
  t.equal(one.state, 'closed')
  const before = process.listenerCount('SIGTERM')
  const two = await listen({ host: HOST, drainOnSigterm: { withinMs: 50, reason: 'bye' } })
  const client = await join(two)
  const told = once(client, 'draining')
  const closed = once(two, 'closed')
  process.emit('SIGTERM')
  t.match(await told, [{ text: 'bye' }])
  await closed
  t.equal(process.listenerCount('SIGTERM'), before)
})

t.test('on a bad network: a lobby in a room, masters, raw messages, a kick with its last words, and calls by name', async (t) => {
  const server = await listen({ host: HOST, relay: false, channels: 4, timeout: { minimumMs: 1000, maximumMs: 2000 } })
  const room = server.createRoom('red')
  const Info = c.record({ name: c.string })
  const lobby = openLobby(room, { info: Info, minPlayers: 2, requireReady: false })
  server.on('peerConnected', ({ id }) => room.add(id))
  const enter = async (name: string) => {
    const session = await join(server, { channels: 4, impair: { latencyMs: 15, jitterMs: 10, lossRatio: 0.08 } })
    const [inside] = (await once(session, 'roomJoined')) as [GameRoom]
    if (!inside.peers.has(1)) await once(inside, 'peerConnected')
    return {
      session,
      inside,
      lobby: await joinLobby(inside, { info: Info, me: { name }, prepare: () => new Promise((resolve) => setTimeout(resolve, 20)) }),
    }
  }
  const [a, b] = await Promise.all([enter('A'), enter('B')])
  while (!a.inside.peers.has(b.session.id)) await once(a.inside, 'peerConnected')
  const started = Promise.all([once(a.lobby, 'started'), once(b.lobby, 'started')])
  await lobby.start()
  await started
  t.same([...b.lobby.players.values()].map(({ info }) => info.name).sort(), ['A', 'B'])

  const Game = defineNode('game', { hit: rpc.master(c.u8), say: rpc.untyped() }, { dynamic: true })
  const heard: unknown[] = []
  const say = (text: string): number => heard.push(text)
  const games = [a, b].map(({ inside, session }) => {
    const game = inside.attach(Game, { hit: (n, { sender }) => heard.push([session === a.session ? 'a' : 'b', n, sender]), say })
    game.master = a.session.id
    return game
  })
  games[1]!.all.hit(7)
  b.inside.rpcId(a.session.id, 'game', 'say', 'by name')
  const raw = once(b.inside, 'message')
  a.inside.send(b.session.id, Uint8Array.of(1, 2), { channel: 3 })
  t.match(await raw, [a.session.id, Uint8Array.of(1, 2), { channel: 3 }])
  while (heard.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
  t.same(heard, [['a', 7, b.session.id], 'by name'])

  const last: number[] = []
  b.inside.on('message', (_, bytes) => last.push(bytes[0]!))
  const gone = once(b.session, 'serverDisconnected')
  for (let i = 0; i < 10; i++) room.send(b.session.id, Uint8Array.of(i))
  server.kick(b.session.id, { reason: 'afk' })
  t.match(await gone, [{ reason: 'kicked', text: 'afk' }])
  t.same(last, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  while (lobby.players.size > 1) await once(lobby, 'playerLeft')
  await Promise.all([a.session.close(), server.close()])
})
