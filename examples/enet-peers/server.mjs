// What one program says, all hear, the speaker too: on the channel and in the way in which it came.
// For any ENet program: LÖVE, C, Godot 4's ENetConnection. Run: node examples/enet-peers/server.mjs [port]
import { createHost } from 'vaiven/transport'
import { godotCompressors } from 'vaiven/godot'

const host = await createHost({
  port: Number(process.argv[2] ?? 7777),
  channels: 2,
  // Godot's ENetConnection.compress() may name any of these; without it the range coder alone is understood.
  compressors: godotCompressors(),
})

host.on('connect', (peer, data) => {
  console.log(`${peer.address}:${peer.port} is here (data ${data})`)
  peer.send(0, new TextEncoder().encode('welcome'))
})
host.on('receive', (peer, channel, bytes, delivery) => {
  console.log(`${peer.address}:${peer.port} says "${new TextDecoder().decode(bytes)}" (channel ${channel}, ${delivery})`)
  host.broadcast(channel, bytes, delivery)
})
host.on('disconnect', (peer, { reason, data }) => console.log(`${peer.address}:${peer.port} is gone (${reason}, data ${data})`))

console.log(`listening on port ${host.address.port}`)
process.once('SIGINT', () => host.close())
