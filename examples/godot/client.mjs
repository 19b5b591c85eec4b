// A player without an engine, in the same lobby. Run: node examples/godot/client.mjs NAME [host] [port]
import { connect } from 'vaiven'
import { Lobby } from './shared.mjs'

const [name = 'Robot', host = '127.0.0.1', port = '7777'] = process.argv.slice(2)
const session = await connect({ host, port: Number(port) })
const players = new Map()

const lobby = session.attach(Lobby, {
  registerPlayer(info, { sender }) {
    players.set(sender, info.name)
    console.log(`${info.name} is here`)
  },
  preConfigureGame: () => lobby.to(1).donePreconfiguring(),
  postConfigureGame: () => console.log(`the game begins, with ${[name, ...players.values()].join(', ')}`),
})
session.on('peerConnected', ({ id }) => lobby.to(id).registerPlayer({ name, favoriteColor: { r: 0, g: 255, b: 0, a: 255 } }))
session.on('peerDisconnected', ({ id }) => {
  console.log(`${players.get(id)} is gone`)
  players.delete(id)
})
process.once('SIGINT', () => session.close())
