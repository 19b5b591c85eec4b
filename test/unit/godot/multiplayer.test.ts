// Godot's MultiplayerAPI as a dialect of rpc: sessions that speak Godot with each other and with our own, on real hosts in a
// virtual network. The living engine is in test/interop.

import t from 'tap'
import { GameBench } from '../../support/game-bench.ts'
import type { GamePlayer } from '../../support/game-bench.ts'
import { describePacket } from '../../support/godot-captures.ts'
import { Color, NodePath, Vector2, godot3, variant } from '../../../src/godot/index.ts'
import type { GodotOptions, Variant } from '../../../src/godot/index.ts'
import { defineNode, property, rpc, t as c } from '../../../src/rpc/index.ts'
import type { CallContext } from '../../../src/rpc/index.ts'
import { nativeFraming } from '../../../src/session/index.ts'
import type { Framing } from '../../../src/session/index.ts'

const Lobby = defineNode('lobby', {
  registerPlayer: rpc.remote(c.record({ name: c.string, favoriteColor: c.rgba8 })),
  say: rpc.remoteSync(c.string),
  moveTo: rpc.remote(c.u32, c.vec2).unreliable(),
  maybe: rpc.remote(c.string, c.optional(c.u8)),
  raw: rpc.remote(variant),
  loose: rpc.untyped(),
  forMaster: rpc.master(c.u8),
  forPuppets: rpc.puppet(c.u8),
  fromServer: rpc.server(),
  roll: rpc.remote(c.u8).returns(c.u8),
  fuelLevel: property.remote(c.f32),
})

/** Packets as the framing saw them go out, in words. */
const listening = (log: string[]): Framing => {
  const { framing } = godot3()
  return {
    ...framing,
    encode(packet, toServer, seats) {
      const bytes = framing.encode(packet, toServer, seats)
      log.push(describePacket({ channel: 1, delivery: 'reliable', bytes }))
      return bytes
    },
  }
}

const options = (log: string[] = [], godot: GodotOptions = {}) => ({
  framings: [listening(log)],
  calls: { dialects: [godot3(godot).calls] },
})

const recorder = () => {
  const calls: unknown[] = []
  const note =
    (name: string) =>
    (...args: unknown[]) => {
      const context = args.pop() as CallContext
      calls.push([name, context.sender, ...args])
    }
  const names = ['registerPlayer', 'say', 'moveTo', 'maybe', 'raw', 'loose', 'forMaster', 'forPuppets', 'fromServer', 'fuelLevel'] as const
  return { calls, handlers: Object.fromEntries(names.map((name) => [name, note(name)])) }
}

const play = (player: GamePlayer) => {
  const { calls, handlers } = recorder()
  return {
    id: player.session.id,
    session: player.session,
    calls,
    log: player.log,
    lobby: player.session.attach(Lobby, { ...handlers, roll: (sides: number) => sides / 2 }),
  }
}

/** A server for both kinds, a client that speaks Godot, and one of our own. */
const trio = () => {
  const sent: string[] = []
  const said: string[] = []
  const bench = new GameBench({ server: { framings: [nativeFraming, listening(sent)], calls: { dialects: [godot3().calls] } } })
  bench.join(1, options(said))
  bench.join(1)
  const [server, godot, native] = [bench.server, ...bench.clients].map((player) => play(player!)) as [
    ReturnType<typeof play>,
    ReturnType<typeof play>,
    ReturnType<typeof play>,
  ]
  const run = (): void => bench.network.runFor(200)
  run()
  return { bench, server, godot, native, sent, said, run }
}

t.test('a path is announced, said in words until it is confirmed, and then called by its number', (t) => {
  const { server, godot, said, sent, run } = trio()
  godot.lobby.to(1).registerPlayer({ name: 'Ann', favoriteColor: { r: 255, g: 0, b: 255, a: 255 } })
  godot.lobby.to(1).say('one')
  run()
  godot.lobby.to(1).say('two')
  run()
  t.same(said, [
    `src=${godot.id} dst=1 SIMPLIFY_PATH id=1 "lobby"`,
    `src=${godot.id} dst=1 REMOTE_CALL path@98="lobby" register_player({"name": "Ann", "favorite_color": Color(1,0,1,1)})`,
    `src=${godot.id} dst=1 REMOTE_CALL path@22="lobby" say("one")`,
    `src=${godot.id} dst=1 REMOTE_CALL id=1 say("two")`,
  ])
  t.same(sent, [`src=1 dst=${godot.id} CONFIRM_PATH "lobby"`])
  t.same(server.calls, [
    ['registerPlayer', godot.id, { name: 'Ann', favoriteColor: { r: 255, g: 0, b: 255, a: 255 } }],
    ['say', godot.id, 'one'],
    ['say', godot.id, 'two'],
  ])
  t.end()
})

t.test('a broadcast is one packet as soon as everybody has confirmed', (t) => {
  const sent: string[] = []
  const bench = new GameBench({ server: options(sent) })
  bench.join(2, options())
  const [server, a, b] = [bench.server, ...bench.clients].map(play)
  const [low, high] = [a!.id, b!.id].sort((x, y) => x - y)
  server!.lobby.all.moveTo(1, { x: 1.5, y: -2.25 })
  bench.network.runFor(200)
  server!.lobby.all.moveTo(2, { x: 0, y: 0 })
  server!.lobby.except(low!).moveTo(3, { x: 0, y: 0 })
  bench.network.runFor(200)
  t.same(
    sent.filter((line) => !line.includes('CONFIRM')),
    [
      `src=1 dst=${low} SIMPLIFY_PATH id=1 "lobby"`,
      `src=1 dst=${high} SIMPLIFY_PATH id=1 "lobby"`,
      `src=1 dst=${low} REMOTE_CALL path@34="lobby" move_to(1, Vector2(1.5,-2.25))`,
      `src=1 dst=${high} REMOTE_CALL path@34="lobby" move_to(1, Vector2(1.5,-2.25))`,
      'src=1 dst=0 REMOTE_CALL id=1 move_to(2, Vector2(0,0))',
      `src=1 dst=${-low!} REMOTE_CALL id=1 move_to(3, Vector2(0,0))`,
    ],
  )
  t.same(a!.calls.concat(b!.calls).length, 5)
  t.end()
})

t.test('one contract is called from both kinds of clients, at the server and through it', (t) => {
  const { server, godot, native, run } = trio()
  server.lobby.all.say('from the server')
  godot.lobby.all.say('from godot')
  native.lobby.all.say('from native')
  run()
  const told = (player: typeof server) => player.calls.map((call) => (call as unknown[]).slice(1)).sort()
  t.same(
    told(server),
    [
      [1, 'from the server'],
      [godot.id, 'from godot'],
      [native.id, 'from native'],
    ].sort(),
  )
  t.same(told(godot), told(server), 'as remotesync says, everybody runs everything')
  t.same(told(native), told(server))
  t.end()
})

t.test('between the two kinds, typed values and properties keep their meaning', (t) => {
  const { server, godot, native, run } = trio()
  native.lobby.to(godot.id).registerPlayer({ name: 'N', favoriteColor: { r: 0, g: 128, b: 255, a: 255 } })
  godot.lobby.to(native.id).registerPlayer({ name: 'G', favoriteColor: { r: 1, g: 2, b: 3, a: 4 } })
  godot.lobby.to(native.id).moveTo(7, { x: 0.5, y: -0.5 })
  godot.lobby.all.fuelLevel = 0.25
  native.lobby.to(godot.id).raw(new Map<Variant, Variant>([[new Vector2(1, 2), NodePath.parse('a/b')]]))
  godot.lobby.to(native.id).loose(new Color(0, 0.5, 1, 1), 'x', [1, null])
  run()
  t.same(godot.calls, [
    ['registerPlayer', native.id, { name: 'N', favoriteColor: { r: 0, g: 128, b: 255, a: 255 } }],
    ['raw', native.id, new Map([[new Vector2(1, 2), NodePath.parse('a/b')]])],
  ])
  t.same(
    native.calls.filter((call) => (call as unknown[])[0] !== 'moveTo'),
    [
      ['registerPlayer', godot.id, { name: 'G', favoriteColor: { r: 1, g: 2, b: 3, a: 4 } }],
      ['fuelLevel', godot.id, 0.25],
      ['loose', godot.id, { r: 0, g: 0.5, b: 1, a: 1 }, 'x', [1, null]],
    ],
  )
  t.same(
    native.calls.find((call) => (call as unknown[])[0] === 'moveTo'),
    ['moveTo', godot.id, 7, { x: 0.5, y: -0.5 }],
  )
  t.same(server.calls, [['fuelLevel', godot.id, 0.25]])
  t.equal(server.lobby.values.fuelLevel, 0.25)
  t.end()
})

t.test("modes are the receiver's own: who may not call is refused before anything is decoded", (t) => {
  const { server, godot, native, run } = trio()
  godot.lobby.to(1).forMaster(1)
  godot.lobby.to(1).forPuppets(2)
  native.lobby.to(godot.id).forPuppets(3)
  server.lobby.to(godot.id).forPuppets(4)
  server.lobby.to(godot.id).fromServer()
  t.throws(() => godot.lobby.to(1).fromServer(), { code: 'ERR_ARGUMENT' })
  run()
  t.same(server.calls, [['forMaster', godot.id, 1]])
  t.same(godot.calls, [
    ['forPuppets', 1, 4],
    ['fromServer', 1],
  ])
  t.end()
})

t.test('missing arguments at the end are fine where they are optional; too many, or others, are refused', (t) => {
  const { server, godot, run } = trio()
  // By name, as a game would that knows nothing of our contract.
  godot.session.rpcId(1, 'lobby', 'maybe', 'a')
  godot.session.rpcId(1, 'lobby', 'maybe', 'b', 5)
  godot.session.rpcId(1, '/root/lobby', 'maybe', 'c', null)
  godot.session.rpcId(1, 'lobby', 'maybe_not', 'd')
  godot.session.rpcId(1, 'nowhere', 'maybe', 'e')
  godot.session.rset('lobby', 'fuel_level', 1)
  run()
  t.same(server.calls, [
    ['maybe', godot.id, 'a', undefined],
    ['maybe', godot.id, 'b', 5],
    ['maybe', godot.id, 'c', undefined],
    ['fuelLevel', godot.id, 1],
  ])
  t.same(server.log, [`violation ${godot.id} unknown`, `violation ${godot.id} unknown`])
  t.end()
})

t.test('a value that does not fit is refused at the call, and nothing of it is sent', (t) => {
  const { godot, said } = trio()
  said.length = 0
  t.throws(() => godot.lobby.to(1).say(5 as unknown as string), { code: 'ERR_ENCODE' })
  t.throws(() => godot.lobby.to(1).moveTo(-1, { x: 0, y: 0 }), { code: 'ERR_ENCODE' })
  t.throws(() => godot.session.rpcId(1, 'lobby', 'raw', () => 1), { code: 'ERR_ENCODE', message: /function has no counterpart/ })
  t.throws(() => godot.session.rpcId(1, 'lobby', 'loose', ...new Array<null>(256).fill(null)), { code: 'ERR_ARGUMENT' })
  t.same(said, [])
  t.end()
})

t.test('a game cannot answer: a request to it fails at once with words', async (t) => {
  const { server, godot } = trio()
  await t.rejects(server.lobby.to(godot.id).roll(6), { code: 'ERR_ARGUMENT', message: /cannot answer/ })
  t.end()
})

t.test('names that do not follow the rule are given, for nodes too', (t) => {
  const names = { lobby: 'world/main_lobby', say: 'chat_message' }
  const [sent, said]: [string[], string[]] = [[], []]
  const bench = new GameBench({ server: options(sent, { names }) })
  bench.join(1, options(said, { names }))
  const server = play(bench.server)
  const client = play(bench.clients[0]!)
  client.lobby.to(1).say('hi')
  server.lobby.to(client.id).say('back')
  bench.network.runFor(200)
  t.match(said[1], /path@\d+="world\/main_lobby" chat_message\("hi"\)/)
  t.match(sent[1], /path@\d+="world\/main_lobby" chat_message\("back"\)/)
  t.same(server.calls, [['say', client.id, 'hi']])
  t.same(client.calls, [['say', 1, 'back']])
  t.end()
})

t.test('instances of a node are children of its path', (t) => {
  const Player = defineNode('player', { hurt: rpc.remote(c.u8) })
  const said: string[] = []
  const bench = new GameBench({ server: options() })
  bench.join(1, options(said))
  const seen: unknown[] = []
  bench.server.session.attach(Player, { hurt: (points, { instance }) => seen.push([instance, points]) }, { instance: 7 })
  const node = bench.clients[0]!.session.attach(Player, {}, { instance: 7 })
  node.to(1).hurt(3)
  bench.network.runFor(200)
  t.match(said, [/SIMPLIFY_PATH id=1 "player\/7"/, /path@\d+="player\/7" hurt\(3\)/])
  t.same(seen, [[7, 3]])
  t.end()
})

t.test('a client that comes back is told the paths again', (t) => {
  const sent: string[] = []
  const bench = new GameBench({ server: options(sent) })
  bench.join(1, options())
  const server = play(bench.server)
  const first = play(bench.clients[0]!)
  server.lobby.all.moveTo(1, { x: 0, y: 0 })
  bench.network.runFor(200)
  void first.session.close()
  bench.network.runFor(500)
  bench.clients.length = 0
  bench.join(1, options())
  const second = play(bench.clients[0]!)
  sent.length = 0
  server.lobby.all.moveTo(2, { x: 0, y: 0 })
  bench.network.runFor(200)
  t.match(sent, [new RegExp(`dst=${second.id} SIMPLIFY_PATH id=1 "lobby"`), /path@34="lobby" move_to\(2/])
  t.same(second.calls, [['moveTo', 1, 2, { x: 0, y: 0 }]])
  t.end()
})

t.test('options are checked', (t) => {
  t.throws(() => godot3({ compression: 'gzip' as 'zlib' }), {
    code: 'ERR_OPTION_RANGE',
    message: /'none', 'rangeCoder', 'fastlz', 'zlib', 'zstd'/,
  })
  t.throws(() => godot3({ channels: 2 }), { code: 'ERR_OPTION_RANGE' })
  t.throws(() => godot3({ limits: { maxDepth: -1 } }), { code: 'ERR_OPTION_RANGE' })
  t.match(godot3({ compression: 'zlib', channels: 5 }), {
    framing: { name: 'godot3', minChannels: 5 },
    host: { mtu: 1400, compression: { name: 'zlib' } },
  })
  t.match(godot3(), { host: { compression: 'none', compressors: { length: 4 } } })
  t.end()
})
