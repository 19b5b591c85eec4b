// The lobby of Godot's documentation, server side. Run: node examples/lobby/server.mjs [port]
import { listen } from 'vaiven'
import { Lobby } from './shared.mjs'

const session = await listen({ port: Number(process.argv[2] ?? 7777), maxPeers: 8 })
const players = new Map()

session.attach(Lobby, {
  registerPlayer(info, { sender }) {
    players.set(sender, info)
    console.log(`${info.name} joined; ${players.size} here`)
  },
})
session.on('peerDisconnected', ({ id, reason }) => {
  console.log(`${players.get(id)?.name} is gone (${reason})`)
  players.delete(id)
})

console.log(`the lobby is open on port ${session.address.port}`)
process.once('SIGINT', () => session.close({ reason: 'the server is closing' }))
