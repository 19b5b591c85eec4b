import t from 'tap'
import { joinLobby, openLobby } from '../../../src/game/index.ts'
import type { Lobby } from '../../../src/game/index.ts'
import { t as c } from '../../../src/rpc/index.ts'
import { GameBench } from '../../support/game-bench.ts'
import type { GamePlayer } from '../../support/game-bench.ts'

const Info = c.record({ name: c.string, team: c.u8 })
type Info = { name: string; team: number }

const logLobby = (lobby: Lobby<Info>): string[] => {
  const log: string[] = []
  lobby.on('playerJoined', ({ info }) => log.push(`+${info.name}`))
  lobby.on('playerChanged', ({ info, ready }) => log.push(`${info.name}/${info.team}${ready ? ' ready' : ''}`))
  lobby.on('playerLeft', ({ info }) => log.push(`-${info.name}`))
  lobby.on('preparing', () => log.push('preparing'))
  lobby.on('started', () => log.push('started'))
  lobby.on('calledOff', (reason) => log.push(`calledOff ${reason}`))
  lobby.on('ended', () => log.push('ended'))
  return log
}

const setUp = (players: number, options = {}) => {
  const bench = new GameBench()
  const clients = bench.join(players)
  const server = openLobby<Info>(bench.server.session, { info: Info, maxPlayers: 3, minPlayers: 2, ...options })
  const serverLog = logLobby(server)
  const settle = async <T>(promise: Promise<T>): Promise<T> => {
    promise.catch(() => undefined)
    await bench.network.settle(promise)
    return promise
  }
  const enter = async (player: GamePlayer, name: string, prepare?: (signal: AbortSignal) => unknown) => {
    const lobby = await settle(joinLobby<Info>(player.session, { info: Info, me: { name, team: 0 }, ...(prepare ? { prepare } : {}) }))
    return { lobby, log: logLobby(lobby) }
  }
  const run = async (ms = 200): Promise<void> => {
    for (let i = 0; i < 10; i++) {
      bench.network.runFor(ms / 10)
      await new Promise(setImmediate)
    }
  }
  return { bench, clients, server, serverLog, enter, settle, run }
}

t.test('players tell about themselves, everybody hears of everybody, and changes reach all', async (t) => {
  const { clients, server, serverLog, enter, run, bench } = setUp(2)
  const a = await enter(clients[0]!, 'A')
  t.same([...a.lobby.players.values()].map(({ info }) => info.name), ['A'])
  const b = await enter(clients[1]!, 'B')
  await run()
  t.same([...b.lobby.players.values()].map(({ info }) => info.name), ['A', 'B'])
  t.equal(b.lobby.me?.info.name, 'B')
  b.lobby.update({ name: 'B', team: 3 })
  b.lobby.setReady()
  await run()
  t.same(a.log, ['+B', 'B/3', 'B/3 ready'])
  t.same(serverLog, ['+A', '+B', 'B/3', 'B/3 ready'])
  t.equal(server.freePlaces, 1)
  void clients[1]!.session.close()
  await run()
  t.same(a.log.slice(3), ['-B'])
  t.same([...server.players.keys()], [clients[0]!.session.id])
  t.same(bench.server.log.filter((line) => line.startsWith('error')), [])
})

t.test('a full lobby, a started game, and what the server does not like are refused with words', async (t) => {
  const { clients, server, enter, settle } = setUp(
    4,
    { maxPlayers: 2, check: ({ name }: Info) => (name === 'rude' ? 'mind your language' : undefined) },
  )
  await t.rejects(enter(clients[0]!, 'rude'), { code: 'ERR_REMOTE', message: 'mind your language' })
  const a = await enter(clients[0]!, 'A')
  const b = await enter(clients[1]!, 'B')
  await t.rejects(enter(clients[2]!, 'C'), { code: 'ERR_REMOTE', message: 'the lobby is full (2 players)' })
  await t.rejects(server.start(), { code: 'ERR_ARGUMENT', message: /not ready: \d+, \d+/ })
  a.lobby.setReady()
  b.lobby.setReady()
  await settle(new Promise((resolve) => server.on('playerChanged', () => server.canStart && resolve(undefined))))
  await settle(server.start())
  t.equal(server.state, 'playing')
  await t.rejects(enter(clients[3]!, 'D'), { code: 'ERR_REMOTE', message: 'the game has started' })
})

t.test('a game starts when everybody has prepared, and only the server releases them', async (t) => {
  const { clients, server, serverLog, enter, run } = setUp(3, { requireReady: false })
  const done: (() => void)[] = []
  const players = []
  for (const [i, name] of ['A', 'B', 'C'].entries()) players.push(
    await enter(clients[i]!, name, () => new Promise<void>((resolve) => done.push(resolve))),
  )
  const started = server.start()
  await run()
  t.same(players.map(({ lobby }) => lobby.state), ['preparing', 'preparing', 'preparing'])
  done[0]!()
  done[1]!()
  await run()
  t.equal(server.state, 'preparing', 'the third one still loads')
  await t.rejects(server.start(), { code: 'ERR_ARGUMENT', message: /starting already/ })
  done[2]!()
  await run()
  await started
  for (const { log, lobby } of players) {
    t.same(log.slice(-2), ['preparing', 'started'])
    t.equal(lobby.state, 'playing')
  }
  server.end()
  await run()
  t.same(serverLog.slice(-3), ['preparing', 'started', 'ended'])
  t.same(players.map(({ lobby }) => lobby.state), ['gathering', 'gathering', 'gathering'])
})

t.test('who leaves while preparing is not waited for; with too few left the start is called off', async (t) => {
  const { clients, server, serverLog, enter, run } = setUp(3, { requireReady: false })
  const signals: AbortSignal[] = []
  const never = (signal: AbortSignal) => {
    signals.push(signal)
    return new Promise<void>(() => undefined)
  }
  await enter(clients[0]!, 'A')
  await enter(clients[1]!, 'B')
  await enter(clients[2]!, 'C', never)
  const started = server.start()
  await run()
  void clients[2]!.session.close()
  await run()
  await started
  t.equal(server.state, 'playing', 'the other two were ready')
  server.end()
  const late = await enter(clients[0]!, 'A').catch((error: Error) => error.message)
  t.equal(late, 'node "vaiven.lobby" is attached already; detach it first, or give an instance')
  t.same(serverLog.filter((line) => line.startsWith('calledOff')), [])

  const second = setUp(2, { requireReady: false, prepareTimeoutMs: 500 })
  const slow = await second.enter(second.clients[0]!, 'A', never)
  await second.enter(second.clients[1]!, 'B')
  const failing = second.server.start()
  failing.catch(() => undefined)
  await second.run(1000)
  await t.rejects(failing, { code: 'ERR_TIMEOUT' })
  t.match(slow.log.at(-1), /^calledOff vaiven\.lobby\.prepare at peer \d+ did not answer within 500 ms/)
  t.equal(second.server.state, 'gathering')
  t.ok(signals.at(-1)!.aborted, 'the loader was told to stop')

  const third = setUp(2, { requireReady: false })
  await third.enter(third.clients[0]!, 'A', never)
  await third.enter(third.clients[1]!, 'B')
  const lonely = third.server.start()
  lonely.catch(() => undefined)
  await third.run()
  void third.clients[0]!.session.close()
  await third.run()
  await t.rejects(lonely, { code: 'ERR_ABORTED', message: 'too few players are left' })
  third.server.callOff('nothing under way')
  t.equal(third.serverLog.filter((line) => line.startsWith('calledOff')).length, 1)
})

t.test('a client that closes its lobby has left it, stays in the session, may come again, and is not waited for', async (t) => {
  const { clients, server, serverLog, enter, run, settle } = setUp(2, { minPlayers: 1, requireReady: false })
  const a = await enter(clients[0]!, 'A')
  const b = await enter(clients[1]!, 'B', () => new Promise(() => undefined))
  const started = server.start()
  await run()
  t.equal(server.state, 'preparing')
  b.lobby.close()
  await settle(started)
  await run()
  t.same(serverLog, ['+A', '+B', 'preparing', '-B', 'started'])
  t.same(a.log, ['+B', 'preparing', '-B', 'started'])
  t.equal(b.lobby.players.size, 0)
  t.ok(clients[1]!.session.peers.has(1))
  server.end()
  await run()
  await enter(clients[1]!, 'B again')
  t.equal(server.players.size, 2)
})

t.test('numbers of a lobby outside their range are named', (t) => {
  const bench = new GameBench()
  for (const wrong of [{ maxPlayers: 0 }, { maxPlayers: 2.5 }, { minPlayers: -1 }, { prepareTimeoutMs: 0 }]) {
    const name = Object.keys(wrong)[0]!
    t.throws(() => openLobby(bench.server.session, { info: Info, ...wrong }), { code: 'ERR_OPTION_RANGE', message: new RegExp(`^options\\.${name} is`) })
  }
  t.end()
})

t.test('lobbies in rooms know nothing of each other', async (t) => {
  const bench = new GameBench({ server: { relay: false } })
  const clients = [bench.client(), bench.client()]
  bench.network.runFor(500)
  const rooms = ['one', 'two'].map((name) => bench.server.session.createRoom(name))
  const lobbies = rooms.map((room) => openLobby<Info>(room, { info: Info }))
  rooms.forEach((room, i) => room.add(clients[i]!.session.id))
  bench.network.runFor(500)
  const joined = Promise.all(
    clients.map(({ session }, i) => joinLobby<Info>([...session.rooms.values()][0]!, { info: Info, me: { name: `P${i}`, team: i } })),
  )
  await bench.network.settle(joined)
  t.same((await joined).map((lobby) => [...lobby.players.values()].map(({ info }) => info.name)), [['P0'], ['P1']])
  t.same(lobbies.map((lobby) => lobby.players.size), [1, 1])
  rooms[0]!.remove(clients[0]!.session.id)
  t.equal(lobbies[0]!.players.size, 0)
})
