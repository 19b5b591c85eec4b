// The lobby of Godot's documentation, client side. Run: node examples/lobby/client.mjs NAME [host] [port]
import { connect } from 'vaiven'
import { Lobby } from './shared.mjs'

const [name = 'Johnson Magenta', host = '127.0.0.1', port = '7777'] = process.argv.slice(2)
const me = { name, favoriteColor: { r: 255, g: 0, b: 255, a: 255 } }
const session = await connect({ host, port: Number(port) })
const players = new Map()

const lobby = session.attach(Lobby, {
  registerPlayer(info, { sender }) {
    players.set(sender, info)
    console.log(`${info.name} is here`)
  },
})
session.on('peerConnected', ({ id }) => lobby.to(id).registerPlayer(me))
session.on('peerDisconnected', ({ id, reason }) => {
  console.log(`${players.get(id)?.name} is gone (${reason})`)
  players.delete(id)
})
session.on('serverDisconnected', ({ text }) => console.log(`the server is gone: ${text}`))

console.log(`connected as ${session.id}; Ctrl-C leaves`)
process.once('SIGINT', () => session.close())
