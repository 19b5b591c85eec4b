import t from 'tap'
import { arg, defineNode, property, rpc, RpcError, t as c } from '../../../src/rpc/index.ts'
import type { CallContext } from '../../../src/rpc/index.ts'
import { GameBench } from '../../support/game-bench.ts'

const Lobby = defineNode('lobby', {
  registerPlayer: rpc.remote(c.record({ name: c.string, color: c.rgba8 })),
  moved: rpc.remote(arg('x', c.f32), arg('y', c.f32)).unreliable(),
  roll: rpc.remote(c.range(2, 100)).returns(c.u8),
  start: rpc.server(),
  say: rpc.remoteSync(c.string),
  fuel: property.master(c.f32),
  color: property.remoteSync(c.u8),
})

/** A handler object that writes down every call. */
const recorder = () => {
  const calls: unknown[] = []
  const note = (name: string) => (...args: unknown[]) => {
    const context = args.pop() as CallContext
    calls.push([name, context.sender, ...args])
  }
  return {
    calls,
    handlers: {
      registerPlayer: note('registerPlayer'),
      moved: note('moved'),
      start: note('start'),
      say: note('say'),
      color: note('color'),
      fuel: note('fuel'),
    },
  }
}

const trio = () => {
  const bench = new GameBench()
  bench.join(2)
  const players = [bench.server, ...bench.clients].map(({ session }) => {
    const { calls, handlers } = recorder()
    return { session, calls, lobby: session.attach(Lobby, { ...handlers, roll: (sides) => sides / 2 }), id: session.id }
  })
  bench.network.runFor(200)
  return { bench, server: players[0]!, a: players[1]!, b: players[2]!, run: () => bench.network.runFor(200) }
}

t.test('a typed call reaches all, one, all but one, or a set, with its sender', (t) => {
  const { server, a, b, run } = trio()
  a.lobby.all.registerPlayer({ name: 'A', color: { r: 1, g: 2, b: 3, a: 4 } })
  run()
  const call = ['registerPlayer', a.id, { name: 'A', color: { r: 1, g: 2, b: 3, a: 4 } }]
  t.match(server.calls, [call])
  t.match(b.calls, [call])
  t.same(a.calls, [])
  a.lobby.to(b.id).moved(1, 2)
  run()
  a.lobby.except(b.id).moved(3, 4)
  server.lobby.to([a.id, b.id]).moved(5, 6)
  run()
  a.lobby.to([1, b.id]).moved(7, 8)
  run()
  t.same(b.calls.slice(1), [['moved', a.id, 1, 2], ['moved', 1, 5, 6], ['moved', a.id, 7, 8]])
  t.same(server.calls.slice(1), [['moved', a.id, 3, 4], ['moved', a.id, 7, 8]])
  t.same(a.calls, [['moved', 1, 5, 6]])
  t.end()
})

t.test('a method that answers gives a promise, between client and server and between clients', async (t) => {
  const { a, b, server, bench } = trio()
  const answers = Promise.all([a.lobby.to(1).roll(20), server.lobby.to(a.id).roll(40), a.lobby.to(b.id).roll(60)])
  await bench.network.settle(answers)
  t.same(await answers, [10, 20, 30])
  t.same(a.session.calls.dispatcher.tables, { pending: 0, open: 0, running: 0 })
})

t.test('a …Sync method also runs at its caller, after it was sent, with our own id as sender', (t) => {
  const { a, b, server, run } = trio()
  a.lobby.all.say('hi')
  t.same(a.calls, [['say', a.id, 'hi']])
  run()
  t.same([server.calls, b.calls], [[['say', a.id, 'hi']], [['say', a.id, 'hi']]])
  t.end()
})

t.test('only the server may call a server method', (t) => {
  const { a, b, server, bench, run } = trio()
  t.throws(() => a.lobby.all.start(), { code: 'ERR_ARGUMENT', message: /lobby\.start: only the server may call it/ })
  server.lobby.all.start()
  run()
  t.same([a.calls, b.calls], [[['start', 1]], [['start', 1]]])
  // A client that sends it all the same is refused and counted.
  a.lobby.configure('start', 'remote')
  a.lobby.all.start()
  run()
  t.same([b.calls.length, server.calls.length], [1, 0])
  t.ok(bench.server.log.includes(`violation ${a.id} caller`))
  t.end()
})

t.test('properties: the assignment form, set() with a delivery, the last value known, and a handler with the sender', (t) => {
  const { a, b, server, run } = trio()
  a.lobby.all.color = 7
  t.equal(a.lobby.values.color, 7, 'sync: set here first')
  run()
  a.lobby.to(b.id).set('color', 8, { delivery: 'unreliable' })
  run()
  t.same(b.calls, [['color', a.id, 7], ['color', a.id, 8]])
  t.equal(b.lobby.values.color, 8)
  t.equal(server.lobby.values.color, 7)
  t.equal(server.lobby.all.color, 7)
  t.end()
})

t.test('a property handler may be a plain field or a setter of the object', (t) => {
  const bench = new GameBench()
  const [a] = bench.join(1)
  class Ship {
    fuel = 0
    seen: number[] = []
    get color(): number {
      return 0
    }
    set color(value: number) {
      this.seen.push(value)
    }
  }
  const ship = new Ship()
  bench.server.session.attach(Lobby, ship)
  const lobby = a!.session.attach(Lobby)
  lobby.all.fuel = 0.5
  lobby.all.color = 3
  bench.network.runFor(200)
  t.equal(ship.fuel, 0.5)
  t.same(ship.seen, [3])
  t.end()
})

t.test('handlers may be methods of a class instance, and the sender holds after an await', async (t) => {
  const bench = new GameBench()
  const [a] = bench.join(1)
  const seen: number[] = []
  class Game {
    prefix = 'x'
    async say(text: string, context: CallContext): Promise<void> {
      await new Promise(setImmediate)
      seen.push(context.sender)
      t.equal(this.prefix + text, 'xhi')
    }
  }
  bench.server.session.attach(Lobby, new Game())
  a!.session.attach(Lobby).all.say('hi')
  bench.network.runFor(200)
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  t.same(seen, [a!.session.id])
})

t.test('a handler that throws or rejects surfaces once, with peer, node and method, and stops nothing', async (t) => {
  const bench = new GameBench()
  const [a] = bench.join(1)
  const errors: unknown[] = []
  bench.server.session.on('error', (error, context) => errors.push([(error as Error).message, context]))
  bench.server.session.attach(Lobby, {
    say() {
      throw new Error('thrown')
    },
    async moved() {
      throw new Error('rejected')
    },
    registerPlayer() {},
  })
  const lobby = a!.session.attach(Lobby)
  lobby.to(1).say('x')
  lobby.to(1).moved(1, 2)
  bench.network.runFor(200)
  await new Promise(setImmediate)
  const context = { peer: a!.session.id, node: 'lobby' }
  t.same(errors, [['thrown', { ...context, method: 'say' }], ['rejected', { ...context, method: 'moved' }]])
  t.equal(a!.session.state, 'open')
})

t.test('errors are data: an RpcError reaches its caller with details, any other error only as "failed"', async (t) => {
  const bench = new GameBench()
  const [a] = bench.join(1)
  bench.server.session.attach(Lobby, {
    roll(sides) {
      if (sides === 2) throw new RpcError('no gold', { need: 3, have: [1] })
      throw new Error('password is hunter2')
    },
  })
  const lobby = a!.session.attach(Lobby)
  const [one, two] = [lobby.to(1).roll(2), lobby.to(1).roll(3)]
  await bench.network.settle(Promise.allSettled([one, two]))
  await t.rejects(one, { code: 'ERR_REMOTE', message: 'no gold', details: { need: 3, have: [1] } })
  const error = await two.catch((e: Error) => e.message)
  t.equal(error, 'lobby.roll at peer 1: its handler failed')
  t.same(bench.server.log.filter((line) => line.startsWith('error')), ['error password is hunter2'], 'an RpcError is no accident')
})

t.test('a call times out, and the handler at the other side sees its signal fire', async (t) => {
  const bench = new GameBench()
  const [a] = bench.join(1)
  let context: CallContext | null = null
  bench.server.session.attach(Lobby, {
    roll(_sides, given) {
      context = given
      return new Promise<number>(() => undefined)
    },
  })
  const rolled = a!.session.attach(Lobby).to(1).roll(6, { timeoutMs: 500 })
  rolled.catch(() => undefined)
  bench.network.runFor(400)
  t.same(bench.server.session.calls.dispatcher.tables.open, 1)
  t.equal(context!.signal.aborted, false)
  bench.network.runFor(400)
  await t.rejects(rolled, { code: 'ERR_TIMEOUT', message: /lobby\.roll at peer 1 did not answer within 500 ms/ })
  t.equal(context!.signal.aborted, true)
  t.same(bench.server.session.calls.dispatcher.tables.open, 0)
})

t.test('aborting a call cancels its handler at the other side; aborted before it starts, nothing is sent', async (t) => {
  const bench = new GameBench()
  const [a] = bench.join(1)
  let aborts = 0
  let started = 0
  bench.server.session.attach(Lobby, {
    roll(_sides, { signal }) {
      started++
      signal.addEventListener('abort', () => aborts++)
      return new Promise<number>(() => undefined)
    },
  })
  const lobby = a!.session.attach(Lobby)
  const controller = new AbortController()
  const rolled = lobby.to(1).roll(6, { signal: controller.signal })
  rolled.catch(() => undefined)
  bench.network.runFor(200)
  controller.abort(new Error('changed my mind'))
  await t.rejects(rolled, { code: 'ERR_ABORTED', cause: { message: 'changed my mind' } })
  bench.network.runFor(200)
  t.equal(aborts, 1)
  await t.rejects(lobby.to(1).roll(6, { signal: controller.signal }), { code: 'ERR_ABORTED' })
  bench.network.runFor(200)
  t.equal(started, 1)
})

t.test('calls that wait are rejected when the peer leaves, when the session closes, and when the server is gone', async (t) => {
  const bench = new GameBench()
  const [a, b, d] = bench.join(3)
  for (const { session } of [bench.server, a!, b!, d!]) session.attach(Lobby, { roll: () => new Promise<number>(() => undefined) })
  const lobbyOf = (player: typeof bench.server) => player.session.calls.dispatcher.registry.node('lobby')!
  const ask = (from: typeof bench.server, to: number) =>
    from.session.calls.dispatcher.request(lobbyOf(from).members.get('roll')!, to, [6], { timeoutMs: Infinity })
  const waiting = [ask(bench.server, a!.session.id), ask(b!, a!.session.id), ask(b!, 1), ask(d!, b!.session.id)]
  const outcomes: string[] = waiting.map(() => 'open')
  waiting.forEach((promise, i) => promise.catch((error: { code: string }) => (outcomes[i] = error.code)))
  bench.network.runFor(100)
  void a!.session.close()
  bench.network.runFor(300)
  await Promise.resolve()
  t.same(outcomes, ['ERR_DISCONNECTED', 'ERR_DISCONNECTED', 'open', 'open'])
  void bench.server.session.close()
  bench.network.runFor(300)
  await Promise.resolve()
  t.same(outcomes.slice(2), ['ERR_DISCONNECTED', 'ERR_DISCONNECTED'])
  for (const { session } of [bench.server, b!, d!]) t.same(session.calls.dispatcher.tables, { pending: 0, open: 0, running: 0 })
  await t.rejects(ask(b!, 1), { code: 'ERR_CLOSED' })
})

t.test('a missing node or method harms only itself', async (t) => {
  const bench = new GameBench()
  const [a] = bench.join(1)
  const heard: string[] = []
  bench.server.session.attach(Lobby, { say: (text) => heard.push(text) })
  const lobby = a!.session.attach(Lobby)
  const Other = defineNode('other', { ping: rpc.remote().returns(c.u8), poke: rpc.remote() })
  const other = a!.session.attach(Other)
  const asked = Promise.allSettled([other.to(1).ping(), lobby.to(1).roll(6)])
  other.to(1).poke()
  lobby.to(1).moved(1, 1)
  lobby.to(1).say('still here')
  await bench.network.settle(asked)
  bench.network.runFor(100)
  t.match(
    await asked,
    [{ reason: { code: 'ERR_REMOTE', message: /other\.ping at peer 1: there is no such method/ } }, { reason: { code: 'ERR_REMOTE' } }],
  )
  t.same(heard, ['still here'])
  t.equal(a!.session.state, 'open')
})

t.test('contracts that differ: the difference is printed at both ends, and only that method is disabled', (t) => {
  const bench = new GameBench()
  const [a] = bench.join(1)
  const differences: string[] = []
  bench.server.session.on('contractMismatch', ({ error }) => differences.push(`server: ${error.message}`))
  a!.session.on('contractMismatch', ({ error }) => differences.push(`client: ${error.message}`))
  const Ours = defineNode('ship', { move: rpc.remote(arg('x', c.f32)), turn: rpc.remote(c.f32), extra: rpc.remote() })
  const Theirs = defineNode('ship', { move: rpc.remote(arg('x', c.f32), arg('y', c.f32)), turn: rpc.remote(c.f32) })
  const turns: number[] = []
  const ship = a!.session.attach(Ours)
  bench.server.session.attach(Theirs, { turn: (angle) => turns.push(angle) })
  bench.network.runFor(300)
  t.same(differences.sort(), [
    'client: node "ship", method "extra": the server has no such method, we have extra(); calls of it are disabled',
    'client: node "ship", method "move": the server has move(x: f32, y: f32), we have move(x: f32); calls of it are disabled',
    `server: node "ship", method "extra": peer ${a!.session.id} has extra(), we have no such method; calls of it are refused here`,
    `server: node "ship", method "move": peer ${a!.session.id} has move(x: f32), we have move(x: f32, y: f32); calls of it are disabled`,
  ])
  t.throws(() => ship.to(1).move(1), { code: 'ERR_CONTRACT', message: /the server has move\(x: f32, y: f32\), we have move\(x: f32\)/ })
  ship.to(1).turn(5)
  bench.network.runFor(100)
  t.same(turns, [5])
  t.end()
})

t.test('equal contracts say nothing', (t) => {
  const { bench, run } = trio()
  run()
  for (const { log } of [bench.server, ...bench.clients]) t.same(log, [])
  t.end()
})

t.test('calls by name carry self-describing values, to nodes that allow it, held against their types', async (t) => {
  const bench = new GameBench()
  const [a] = bench.join(1)
  const calls: unknown[] = []
  const Open = defineNode(
    'open',
    { register_player: rpc.remote(c.record({ name: c.string })), color: property.remote(c.u8), add: rpc.remote(c.u8, c.u8).returns(c.u8) },
    { dynamic: true },
  )
  bench.server.session.attach(Open, {
    register_player: (info, { sender }) => calls.push(['register_player', info, sender]),
    color: (value: number) => calls.push(['color', value]),
    add: (x, y) => x + y,
  })
  bench.server.session.attach(Lobby, { say: (text) => calls.push(['say', text]) })
  bench.server.session.attach(
    defineNode('script', { anything: rpc.untyped() }),
    { anything: (...args: unknown[]) => calls.push(args.slice(0, -1)) },
  )
  const { session } = a!
  session.rpc('open', 'register_player', { name: 'Johnson' })
  session.rset('open', 'color', 9)
  session.rset('open', 'color', 900)
  session.rpc('open', 'register_player', { name: 5 })
  session.rpc('lobby', 'say', 'not dynamic')
  session.rpc('script', 'anything', 1, 'two', [3n, null], { four: new Uint8Array([4]) })
  const sum = session.ask(1, 'open', 'add', [2, 3])
  const none = session.ask(1, 'open', 'nothing').catch((error: Error) => error.message)
  await bench.network.settle(Promise.all([sum, none]))
  bench.network.runFor(100)
  t.match(calls, [
    ['register_player', { name: 'Johnson' }, session.id],
    ['color', 9],
    [1, 'two', [3n, null], { four: new Uint8Array([4]) }],
  ])
  t.equal(calls.length, 3)
  t.equal(await sum, 5)
  t.match(await none, /open\.nothing at peer 1: there is no such method/)
  t.same(bench.server.log.filter((line) => line.startsWith('violation')), [
    `violation ${session.id} shape`, `violation ${session.id} shape`, `violation ${session.id} unknown`, `violation ${session.id} unknown`,
  ])
})

t.test('guards: how often, how large, who; the handler never runs, and it is counted', (t) => {
  const bench = new GameBench({ server: { kickAfter: false } })
  const [a] = bench.join(1)
  const Guarded = defineNode('guarded', {
    often: rpc.remote().limit({ perSecond: 10, burst: 3 }),
    large: rpc.remote(c.string).limit({ maxBytes: 10 }),
    odd: rpc.remote().from((sender) => sender % 2 === 3),
    boss: rpc.remote().from('server'),
    owner: rpc.remote().from('master'),
    broken: rpc.remote().from(() => {
      throw new Error('guard')
    }),
  })
  let ran = ''
  bench.server.session.attach(Guarded, {
    often: () =>
      (ran += 'o'), large: () =>
        (ran += 'l'), odd: () => (ran += 'x'), boss: () => (ran += 'x'), owner: () => (ran += 'w'), broken: () => (ran += 'x'),
  }).master = a!.session.id
  const guarded = a!.session.attach(Guarded).to(1)
  for (let i = 0; i < 8; i++) guarded.often()
  guarded.large('short')
  guarded.large('much too long for that')
  guarded.odd()
  guarded.boss()
  guarded.owner()
  guarded.broken()
  bench.network.runFor(200)
  t.equal(ran, 'ooolw')
  const kinds = bench.server.log.filter((line) => line.startsWith('violation')).map((line) => line.split(' ')[2])
  t.same(kinds, ['rate', 'rate', 'rate', 'rate', 'rate', 'size', 'caller', 'caller', 'caller'])
  bench.network.runFor(1000)
  guarded.often()
  bench.network.runFor(100)
  t.equal(ran, 'ooolwo', 'the budget fills again')
  t.end()
})

t.test('too many violations end in a kick with that reason', (t) => {
  const bench = new GameBench({ server: { kickAfter: { violations: 5, withinMs: 1000 } } })
  const [a, b] = bench.join(2)
  const id = a!.session.id
  for (let i = 0; i < 7; i++) a!.session.transmit('rpc', 1, Uint8Array.of(0xff), 'reliable')
  bench.network.runFor(500)
  t.match(a!.log, [/serverDisconnected kicked too many violations/, 'closed'])
  t.ok(b!.log.some((line) => line.startsWith(`peerDisconnected ${id} kicked`)))
  t.end()
})

t.test('every other name works, whatever a handle or a group is made of inside', (t) => {
  const names = ['target', 'entry', 'options', 'dispatcher', 'aim', 'all', 'to', 'except', 'values', 'master', 'path', 'contract', 'detach', 'name']
  for (const name of names) {
    const bench = new GameBench()
    const [a] = bench.join(1)
    const Odd = defineNode('odd', { [name]: rpc.remote(c.u8) })
    const got: number[] = []
    bench.server.session.attach(Odd, { [name]: (value: number) => got.push(value) } as never)
    a!.session.attach(Odd).to(1)[name]!(5)
    bench.network.runFor(100)
    t.same(got, [5], name)
  }
  t.end()
})

t.test('names that would not work are refused when the contract is defined', (t) => {
  for (const name of ['then', 'set', 'constructor', '__proto__', '']) {
    t.throws(() => defineNode('n', { [name]: rpc.remote() } as never), { code: 'ERR_ARGUMENT' }, name || 'empty')
  }
  t.throws(() => defineNode('', {}), { code: 'ERR_ARGUMENT' })
  t.throws(() => defineNode('x'.repeat(129), {}), { code: 'ERR_ARGUMENT' })
  t.throws(() => defineNode('n', { a: 5 } as never), { code: 'ERR_ARGUMENT' })
  t.end()
})

t.test('values that do not fit, too many arguments and unknown peers are errors at the call', (t) => {
  const { a, run } = trio()
  t.throws(() => a.lobby.all.moved('x' as never, 1), { code: 'ERR_ENCODE', message: 'moved, argument x is "x"; f32 holds numbers' })
  for (const [mistake, message] of [
    [() => a.lobby.all.registerPlayer({ name: 5 } as never), 'registerPlayer, argument 1: name is 5; string holds strings'],
    [() => a.lobby.all.registerPlayer(undefined as never), /^registerPlayer, argument 1 is undefined; /],
    [() => (a.lobby.all.fuel = 'x' as never), 'fuel is "x"; f32 holds numbers'],
    [() => a.session.rpc('lobby', 'say', Symbol('no')), /^say, argument 1 /],
  ] as const) {
    t.throws(mistake, { code: 'ERR_ENCODE', message })
  }
  t.throws(() => (a.lobby.all.moved as (...args: unknown[]) => void)(1, 2, 3), { code: 'ERR_ARGUMENT' })
  t.throws(() => a.lobby.to(4711).say('x'), { code: 'ERR_NOT_CONNECTED' })
  t.throws(() => a.lobby.to(0), { code: 'ERR_ARGUMENT' })
  t.throws(() => a.session.attach(Lobby), { code: 'ERR_CONTRACT' })
  run()
  t.end()
})

t.test('several instances of one contract are told apart', (t) => {
  const bench = new GameBench()
  const [a] = bench.join(1)
  const heard: unknown[] = []
  const Ship = defineNode('ship', { hit: rpc.remote(c.u8) }, { dynamic: true })
  for (const instance of [0, 7, 4294967295]) {
    bench.server.session.attach(Ship, { hit: (n, context) => heard.push([context.instance, context.node, n]) }, { instance })
  }
  a!.session.attach(Ship, {}, { instance: 7 }).to(1).hit(1)
  a!.session.attach(Ship, {}, { instance: 4294967295 }).to(1).hit(2)
  a!.session.attach(Ship, {}, { instance: 8 }).to(1).hit(3)
  a!.session.rpcId(1, 'ship/7', 'hit', 4)
  bench.network.runFor(100)
  t.same(heard, [[7, 'ship/7', 1], [4294967295, 'ship/4294967295', 2], [7, 'ship/7', 4]])
  t.end()
})

t.test('rooms are isolated: their broadcasts and calls reach their members only', (t) => {
  const bench = new GameBench({ server: { relay: false } })
  const players = [bench.client(), bench.client(), bench.client()]
  bench.network.runFor(500)
  const heard: string[] = []
  const log: string[] = []
  players.forEach(({ session }, i) => {
    session.on('roomJoined', (room) => {
      log.push(`${i} in ${room.name}`)
      room.on('peerConnected', ({ id }) => log.push(`${i} sees ${id === 1 ? 'server' : players.findIndex((p) => p.session.id === id)}`))
      room.on('peerDisconnected', ({ id }) => log.push(`${i} misses ${players.findIndex((p) => p.session.id === id)}`))
      room.attach(
        Lobby,
        { say: (text, { sender }) => heard.push(`${i} heard ${text} from ${players.findIndex((p) => p.session.id === sender)}`) },
      )
    })
    session.on('roomLeft', (room, text) => log.push(`${i} out of ${room.name} ${text}`))
  })
  const [red, blue] = [bench.server.session.createRoom('red'), bench.server.session.createRoom('blue', { maxPeers: 1 })]
  red.add(players[0]!.session.id)
  red.add(players[1]!.session.id)
  blue.add(players[2]!.session.id)
  t.throws(() => blue.add(players[0]!.session.id), { code: 'ERR_NO_SLOT' })
  bench.network.runFor(500)
  t.same(log.sort(), ['0 in red', '0 sees 1', '0 sees server', '1 in red', '1 sees 0', '1 sees server', '2 in blue', '2 sees server'])
  const nodeOf = (i: number) => [...players[i]!.session.rooms.values()][0]!.calls.dispatcher.registry.node('lobby')!
  players[0]!.session.rooms.get(red.number)!.calls.dispatcher.call(nodeOf(0).members.get('say')!, 0, ['hello'])
  players[2]!.session.rooms.get(blue.number)!.calls.dispatcher.call(nodeOf(2).members.get('say')!, 0, ['alone'])
  bench.network.runFor(500)
  t.same(heard.sort(), ['0 heard hello from 0', '1 heard hello from 0', '2 heard alone from 2'])
  log.length = 0
  red.remove(players[1]!.session.id, 'moved')
  blue.close('over')
  bench.network.runFor(500)
  t.same(log.sort(), ['0 misses 1', '1 out of red moved', '2 out of blue over'])
  t.same(players.map(({ session }) => session.rooms.size), [1, 0, 0])
  void players[0]!.session.close()
  bench.network.runFor(500)
  t.same([...red.peers.keys()], [])
  t.end()
})
