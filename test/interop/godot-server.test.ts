// The other way round: vaiven clients in a session whose server is an unmodified Godot 3 game.

import t from 'tap'
import type { Test } from 'tap'
import { godot3 } from '../../src/godot/index.ts'
import type { GodotCompression } from '../../src/godot/index.ts'
import { connect } from '../../src/open.ts'
import { GodotLobby, freePort, lobbyPasses, withoutGodot } from './support/godot.ts'
import type { LobbyOptions } from './support/godot.ts'
import { playLobby, sendExtras, LONG_TEXT } from './support/lobby.ts'

const skip = withoutGodot

/** Joins, and plays its part from the first signal on. */
const join = async (t: Test, port: number, options: { compression?: GodotCompression; others?: number } = {}) => {
  const { compression = 'none', others = 0 } = options
  const session = await connect({ host: '127.0.0.1', port, dialect: godot3({ compression }) })
  t.teardown(() => session.destroy())
  const log: string[] = []
  for (const name of ['peerConnected', 'peerDisconnected', 'connectedToServer', 'serverDisconnected', 'violation', 'error'] as const) {
    session.on(name, (...args: unknown[]) =>
      log.push(
        [
          name,
          ...args.map(
            (arg) => (arg as { id?: number; kind?: string; message?: string })?.id ?? (arg as { kind?: string }).kind ?? String(arg),
          ),
        ].join(' '),
      ),
    )
  }
  return { session, log, ...playLobby(session, { others }) }
}

const within = async <T>(what: string, promise: Promise<T>, missing: ReadonlySet<string>, limitMs = 10_000): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not happen within ${limitMs} ms; missing: ${[...missing].join(', ')}`)), limitMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

const serve = (t: Test, port: number, options: Partial<LobbyOptions> = {}): Promise<GodotLobby> =>
  new GodotLobby(t, { role: 'server', port, ...options }).started()

for (const [compression, number] of [
  ['none', 0],
  ['rangeCoder', 1],
  ['fastlz', 2],
  ['zlib', 3],
  ['zstd', 4],
] as const) {
  t.test(`talk, compression ${compression}: a vaiven client does what a game does, and the engine is content`, { skip }, async (t) => {
    const port = await freePort()
    const server = await serve(t, port, { compression: number })
    const { session, log, lobby, complete, missing } = await join(t, port, { compression })
    const { id } = session
    t.equal(session.isServer, false)
    t.same(session.peerIds, [1])
    await within('the lobby', complete, missing)
    lobby.to(1).bye('thanks')
    await session.close()
    await lobbyPasses(t, server, 'server')
    t.same(log.slice(0, 2), ['peerConnected 1', 'connectedToServer'])
    t.notOk(
      log.some((line) => line.startsWith('violation') || line.startsWith('error')),
      log.join(),
    )
    t.ok(server.lines.some((line) => line.name === 'register_player' && line.from === id))
  })
}

t.test('trio: a vaiven client and a game meet on a Godot server', { skip }, async (t) => {
  const port = await freePort()
  const server = await serve(t, port, { clients: 2 })
  const game = new GodotLobby(t, { role: 'client', port, others: 1, stay: 1, name: 'Ann' })
  await game.line('connected_to_server', ({ name }) => name === 'connected_to_server')
  const ours = await join(t, port, { others: 1 })
  const { id } = ours.session
  await within('the lobby', ours.complete, ours.missing)
  ours.lobby.to(1).bye('thanks')
  await new Promise((resolve) => setTimeout(resolve, 700))
  await ours.session.close()
  await lobbyPasses(t, game, 'game')
  await lobbyPasses(t, server, 'server')
  const met = game.lines.find(({ name, args }) => name === 'network_peer_connected' && args?.[0] === id)
  t.ok(met, 'the game heard of our client')
  t.ok(
    ours.log.some((line) => /^peerConnected \d{3,}/.test(line)),
    'and ours of the game',
  )
})

t.test('extras: fragments and raw packets in three ways come back from the engine', { skip }, async (t) => {
  const port = await freePort()
  await serve(t, port, { scenario: 'extras' })
  const { session, lobby, seen, missing } = await join(t, port)
  const raw: string[] = []
  const answered = new Promise<void>((resolve) => {
    session.on('message', (sender, bytes) => {
      if (raw.push(`${sender} ${Buffer.from(bytes).toString('hex')}`) === 3) resolve()
    })
  })
  sendExtras(session, lobby)
  await within('three answers', answered, missing)
  t.same(raw.sort(), ['1 ff000201', '1 ff010201', '1 ff020201'])
  await within(
    'the long text',
    new Promise<void>((resolve) => {
      const look = setInterval(() => {
        if (!seen.includes(`heard 1 ${JSON.stringify(LONG_TEXT)}`)) return
        clearInterval(look)
        resolve()
      }, 10)
    }),
    missing,
  )
  t.pass('5,000 characters')
})

t.test('kick: what a Godot server says before it removes us arrives', { skip }, async (t) => {
  const port = await freePort()
  const server = await serve(t, port, { scenario: 'kick' })
  const { session, seen, missing } = await join(t, port)
  const ending = await within('serverDisconnected', new Promise<unknown>((resolve) => session.once('serverDisconnected', resolve)), missing)
  t.ok(seen.includes('leavePlease 1 "no room"'))
  t.match(ending, { data: 0 }, 'the number of disconnect_peer')
  await lobbyPasses(t, server, 'server')
})

t.test('shutdown: a Godot server that closes disconnects us', { skip }, async (t) => {
  const port = await freePort()
  const server = await serve(t, port, { scenario: 'shutdown' })
  const { session, missing } = await join(t, port)
  const ending = await within('serverDisconnected', new Promise<unknown>((resolve) => session.once('serverDisconnected', resolve)), missing)
  t.match(ending, { reason: 'closed', data: 1 })
  await lobbyPasses(t, server, 'server')
})

t.test('a client of our own dialect is told that a Godot server is another protocol, or nothing', { skip }, async (t) => {
  const port = await freePort()
  await serve(t, port)
  await t.rejects(connect({ host: '127.0.0.1', port, timeoutMs: 1000 }), { code: /ERR_TIMEOUT|ERR_DIALECT|ERR_REFUSED/ })
})
