// One lobby on a vaiven server: unmodified Godot games, a vaiven client that speaks Godot, and vaiven clients of our own
// dialect, seeing each other through the relay.

import t from 'tap'
import { godot3 } from '../../src/godot/index.ts'
import { connect, listen } from '../../src/open.ts'
import type { SessionDialect } from '../../src/open.ts'
import { GodotLobby, lobbyPasses, withoutGodot } from './support/godot.ts'
import { playLobby, serveLobby } from './support/lobby.ts'

t.test('games, a vaiven client that speaks Godot, and two of our own play one lobby', { skip: withoutGodot }, async (t) => {
  const others = 4
  const session = await listen({ host: '127.0.0.1', dialects: [godot3()] })
  t.teardown(() => session.destroy())
  const log: string[] = []
  session.on('violation', ({ peer, kind, method }) => log.push(`violation ${peer} ${kind} ${method ?? ''}`))
  session.on('error', (error) => log.push(`error ${String(error)}`))
  const { by } = serveLobby(session, { clients: 5 })
  const { port } = session.address

  const games = [
    await new GodotLobby(t, { role: 'client', port, others, name: 'Ann', compression: 1 }).started(),
    await new GodotLobby(t, { role: 'client', port, others, name: 'Bob' }).started(),
  ]
  const join = async (dialect?: SessionDialect) => {
    const client = await connect({ host: '127.0.0.1', port, ...(dialect === undefined ? {} : { dialect }) })
    t.teardown(() => client.destroy())
    client.on('error', (error) => log.push(`error at ${client.id}: ${String(error)}`))
    return { client, id: client.id, ...playLobby(client, { others }) }
  }
  const ours = [await join(godot3({ compression: 'zlib' })), await join(), await join()]

  await Promise.all(
    ours.map(({ complete, missing, id }) =>
      Promise.race([
        complete,
        new Promise((_, reject) => setTimeout(() => reject(new Error(`${id} misses ${[...missing].join()}`)), 15_000).unref()),
      ]),
    ),
  )
  // Now that all are there: a broadcast and a property of each reach everybody, whatever they speak.
  for (const { lobby, id } of ours) {
    lobby.all.shout(`${id} to all`)
    lobby.all.motto = `motto of ${id}`
    lobby.to(1).bye('thanks')
  }
  // Each game leaves when it has seen all; ours stay until then.
  for (const game of games) await lobbyPasses(t, game, 'game')
  t.same(log, [])

  const ids = [...games.map((game) => game.lines.find(({ ev }) => ev === 'start')!.id!), ...ours.map(({ id }) => id)]
  for (const { id, by, seen } of ours) {
    for (const { id: other } of ours) {
      t.ok(seen.includes(`shout ${other} ${JSON.stringify(`${other} to all`)}`), `${id} heard ${other} shout`)
      t.ok(seen.includes(`motto ${other} ${JSON.stringify(`motto of ${other}`)}`), `${id} has the motto of ${other}`)
    }
    for (const other of ids) {
      if (other === id) continue
      for (const what of ['registerPlayer', 'whisper', 'whispered', 'gossip'])
        t.ok(by.get(other)?.has(what), `${id} heard ${what} of ${other}`)
    }
  }
  for (const game of games) {
    for (const { id } of ours) {
      t.ok(
        game.lines.some((line) => line.name === 'shout' && line.from === id && line.args?.[0] === `${id} to all`),
        `the game heard ${id} shout`,
      )
      t.ok(
        game.lines.some((line) => line.name === 'motto' && line.from === id && line.value === `motto of ${id}`),
        `the game has the motto of ${id}`,
      )
      for (const what of ['register_player', 'whisper', 'whispered', 'gossip']) {
        t.ok(
          game.lines.some((line) => line.from === id && line.name === what),
          `the game heard ${what} of ${id}`,
        )
      }
    }
  }
  t.notOk(
    [...by.values()].some((kinds) => kinds.has('gossip') || kinds.has('whisper') || kinds.has('forbidden')),
    'the server heard only what was for it',
  )
})
