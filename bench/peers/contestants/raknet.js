// raknet-native (RakNet 4 in C++, with threads of its own). Its binary is filed under the kernel's version of its day, so that it does
// not find it under later ones; it is shown the way here.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const places = require('raknet-native/helpers/buildPath.js')
places.getPath = places.getFallbackPath
const { Client, PacketPriority, PacketReliability, Server } = require('raknet-native')

const HOW = [PacketPriority.IMMEDIATE_PRIORITY, PacketReliability.RELIABLE_ORDERED, 0]
/** First byte of a message: smaller ones are RakNet's own. */
const USER = 0x90

const marked = (bytes) => {
  const out = new Uint8Array(1 + bytes.length)
  out[0] = USER
  out.set(bytes, 1)
  return out
}

/** It cannot be asked which port it got, so that one is looked for first. */
const freePort = async () => {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}

export default {
  name: 'raknet',
  about: 'raknet-native 1.2.3: RakNet, reliable and ordered, immediate priority',
  async listen({ peers }, onMessage) {
    const port = await freePort()
    const server = new Server('127.0.0.1', port, { maxConnections: peers })
    server.on('encapsulated', ({ buffer, guid }) => {
      onMessage(buffer.subarray(1), (answer) => server.connections.get(guid)?.send(marked(answer), ...HOW))
    })
    // Its promise never settles; it listens all the same.
    void server.listen()
    return {
      port,
      peers: () => server.connections.size,
      async close() {
        server.close()
      },
    }
  },
  async connect(port, onMessage) {
    const client = new Client('127.0.0.1', port, {})
    client.on('encapsulated', ({ buffer }) => onMessage(buffer.subarray(1)))
    const connected = once(client, 'connect')
    client.connect()
    await connected
    return {
      send: (bytes) => client.send(marked(bytes), ...HOW),
      async close() {
        client.close()
      },
    }
  },
}
