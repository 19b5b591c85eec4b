// WebRTC data channels by node-datachannel (libdatachannel: SCTP over DTLS over UDP, encrypted). Offers and candidates travel over a TCP
// connection to the server's port, so its UDP does not pass the relay.

import { createConnection, createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { once } from 'node:events'
import datachannel from 'node-datachannel'

const OPTIONS = { iceServers: [], bindAddress: '127.0.0.1', maxMessageSize: 2_000_000 }

/** Lets two ends find each other over a socket of JSON lines. */
const signal = (connection, socket) => {
  const say = (line) => socket.write(`${JSON.stringify(line)}\n`)
  connection.onLocalDescription((sdp, type) => say({ sdp, type }))
  connection.onLocalCandidate((candidate, mid) => say({ candidate, mid }))
  createInterface({ input: socket }).on('line', (text) => {
    const { sdp, type, candidate, mid } = JSON.parse(text)
    if (sdp !== undefined) connection.setRemoteDescription(sdp, type)
    else connection.addRemoteCandidate(candidate, mid)
  })
}

export default {
  name: 'datachannel',
  about: 'node-datachannel 0.33.4: WebRTC data channel, reliable and ordered, always encrypted',
  udp: false,
  maxMessageBytes: 250_000,
  async listen(_options, onMessage) {
    const connections = new Set()
    const server = createServer((socket) => {
      socket.on('error', () => {})
      const connection = new datachannel.PeerConnection('server', OPTIONS)
      connections.add(connection)
      signal(connection, socket)
      connection.onDataChannel((channel) => channel.onMessage((bytes) => onMessage(bytes, (answer) => channel.sendMessageBinary(Buffer.from(answer)))))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return {
      port: server.address().port,
      peers: () => connections.size,
      async close() {
        for (const connection of connections) connection.close()
        server.close()
        setTimeout(() => process.exit(0), 200).unref()
      },
    }
  },
  async connect(port, onMessage) {
    const socket = createConnection({ port, host: '127.0.0.1' })
    await once(socket, 'connect')
    const connection = new datachannel.PeerConnection('client', OPTIONS)
    signal(connection, socket)
    const channel = connection.createDataChannel('bench')
    await new Promise((resolve) => channel.onOpen(resolve))
    channel.onMessage(onMessage)
    return {
      send: (bytes) => channel.sendMessageBinary(Buffer.from(bytes)),
      async close() {
        channel.close()
        connection.close()
        socket.destroy()
        setTimeout(() => process.exit(0), 200).unref()
      },
    }
  },
}
