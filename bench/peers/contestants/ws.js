// WebSocket by ws, over TCP: what browsers' games use.

import { once } from 'node:events'
import { WebSocket, WebSocketServer } from 'ws'

export default {
  name: 'ws',
  about: 'ws 8.23.0: WebSocket over TCP, no compression',
  udp: false,
  async listen(_options, onMessage) {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, maxPayload: 64e6 })
    await once(server, 'listening')
    server.on('connection', (socket) => socket.on('error', () => {}).on('message', (bytes) => onMessage(bytes, (answer) => socket.send(answer))))
    return {
      port: server.address().port,
      peers: () => server.clients.size,
      async close() {
        for (const socket of server.clients) socket.terminate()
        server.close()
      },
    }
  },
  async connect(port, onMessage) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false, maxPayload: 64e6 })
    await once(socket, 'open')
    socket.on('message', onMessage)
    // ws masks what a client sends in place; the bench sends the same bytes again.
    return { send: (bytes) => socket.send(Buffer.from(bytes)), close: async () => void socket.terminate() }
  },
}
