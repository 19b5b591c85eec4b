// The harness itself, Godot against Godot: what fails here is no fault of ours.

import t from 'tap'
import { GodotLobby, freePort, lobbyPasses, withoutGodot } from './support/godot.ts'

t.test('two engines play the lobby with each other', { skip: withoutGodot }, async (t) => {
  const port = await freePort()
  const server = await new GodotLobby(t, { role: 'server', port, scenario: 'talk' }).started()
  const client = new GodotLobby(t, { role: 'client', port, scenario: 'talk' })
  const connected = await client.line('connected_to_server', (line) => line.ev === 'signal' && line.name === 'connected_to_server')
  t.ok(connected.t > 0)
  await lobbyPasses(t, client, 'client')
  await lobbyPasses(t, server, 'server')
  t.equal(server.calls('say').length, 1)
  t.same(server.calls('say')[0]?.args, ['hello'])
})

t.test('an engine that does not get what it expects is reported as failed', { skip: withoutGodot }, async (t) => {
  const client = await new GodotLobby(t, { role: 'client', port: await freePort(), scenario: 'talk', timeout: 1 }).started()
  const { code, exit } = await client.ended
  t.equal(code, 1)
  t.ok(exit?.missing?.includes('signal connected_to_server'))
  await t.rejects(
    client.line('a line that never comes', (line) => line.name === 'nonsense'),
    /ended without a line that never comes/,
  )
})
