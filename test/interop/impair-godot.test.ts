// `vaiven impair` between two Godot games: an unmodified server and an unmodified client, with a bad network in between.

import t from 'tap'
import { fileURLToPath } from 'node:url'
import { CProcess } from './support/c-process.ts'
import { freePort, GodotLobby, lobbyPasses, withoutGodot } from './support/godot.ts'

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

t.test('two Godot games play their lobby through jitter, doubles and a lost call each way', { skip: withoutGodot }, async (t) => {
  const serverPort = await freePort()
  const server = await new GodotLobby(t, { role: 'server', port: serverPort }).started()
  const settings = ['latency=15', 'jitter=10', 'duplicate=2%', '--drop', 'command=reliable,direction=to,count=1',
    '--drop', 'command=reliable,direction=from,count=1']
  const relay = new CProcess(process.execPath, [
    main, 'impair', '--listen', '0', '--to', `127.0.0.1:${serverPort}`, '--seed', '5', '--json', '--interval', '0', ...settings,
  ])
  t.teardown(() => relay.stop())
  const port = Number((await relay.event('listening'))['port'])
  // The first reliable call of either side is lost, and no other: what is lost for good would be missed by the lobby.
  const client = new GodotLobby(t, { role: 'client', port })
  await lobbyPasses(t, client, 'client')
  await lobbyPasses(t, server, 'server')
  relay.say('quit')
  const { to, from } = (await relay.event('summary')) as unknown as Record<'to' | 'from', { sent: number; filtered: number }>
  t.ok(to.sent > 10 && from.sent > 10, `all of it went through the relay: ${to.sent} and ${from.sent} datagrams`)
  t.same([to.filtered, from.filtered], [1, 1], 'a call of each was lost on the way, and came again')
})
