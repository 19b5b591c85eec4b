// libutp (BitTorrent's transport: reliable streams that yield to others) by utp-native.

import { once } from 'node:events'
import utp from 'utp-native'
import { batching, framed, messages } from './framing.js'

export default {
  name: 'utp',
  about: 'utp-native 2.5.3: libutp, one reliable stream, delay-based congestion control',
  async listen(_options, onMessage) {
    const sockets = new Set()
    const server = utp.createServer((socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket)).on('error', () => {})
      messages(socket, (bytes) => onMessage(bytes, (answer) => socket.write(framed(answer))))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return {
      port: server.address().port,
      peers: () => sockets.size,
      async close() {
        for (const socket of sockets) socket.destroy()
        server.close()
      },
    }
  },
  async connect(port, onMessage) {
    const socket = utp.connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.on('error', () => {})
    messages(socket, onMessage)
    return { ...batching((bytes) => socket.write(bytes)), close: async () => void socket.destroy() }
  },
}
