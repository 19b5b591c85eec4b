// A server for the lobby of Godot's documentation. Run: node examples/godot/server.mjs [port]
import { listen } from 'vaiven'
import { godot3 } from 'vaiven/godot'
import { Lobby } from './shared.mjs'

const session = await listen({ port: Number(process.argv[2] ?? 7777), dialects: [godot3()] })
const [players, ready] = [new Map(), new Set()]

const lobby = session.attach(Lobby, {
  registerPlayer(info, { sender }) {
    players.set(sender, info.name)
    console.log(`${info.name} joined`)
  },
  start() {
    ready.clear()
    lobby.all.preConfigureGame()
  },
  donePreconfiguring({ sender }) {
    if (ready.add(sender).size === players.size) lobby.all.postConfigureGame()
  },
})
session.on('peerDisconnected', ({ id, reason }) => {
  console.log(`${players.get(id)} is gone (${reason})`)
  players.delete(id)
})

console.log(`the lobby is open on port ${session.address.port}, for Godot games and for vaiven clients`)
process.once('SIGINT', () => session.close())
