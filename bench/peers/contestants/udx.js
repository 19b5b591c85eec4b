// udx-native (reliable streams over UDP, BBR). It leaves the agreement on stream numbers to its user: a datagram each way.

import UDX from 'udx-native'
import { batching, framed, messages } from './framing.js'

export default {
  name: 'udx',
  about: 'udx-native 1.21.3: one reliable stream',
  async listen(_options, onMessage) {
    const udx = new UDX()
    const socket = udx.createSocket()
    socket.bind(0, '127.0.0.1')
    const streams = new Map()
    // A client says its number; the answer is the server's. Lost ones are asked again.
    socket.on('message', (bytes, { host, port }) => {
      if (bytes.length !== 4) return
      const id = bytes.readUInt32BE(0)
      if (!streams.has(id)) {
        const stream = udx.createStream(id + 0x10000)
        streams.set(id, stream)
        stream.on('error', () => {}).on('close', () => streams.delete(id))
        stream.connect(socket, id, port, host)
        messages(stream, (message) => onMessage(message, (answer) => stream.write(framed(answer))))
      }
      socket.send(bytes, port, host)
    })
    return {
      port: socket.address().port,
      peers: () => streams.size,
      async close() {
        for (const stream of streams.values()) stream.destroy()
        await socket.close()
      },
    }
  },
  async connect(port, onMessage) {
    const udx = new UDX()
    const socket = udx.createSocket()
    socket.bind(0, '127.0.0.1')
    const id = 1 + (process.pid & 0x7fff)
    const hello = Buffer.alloc(4)
    hello.writeUInt32BE(id)
    await new Promise((resolve) => {
      const ask = () => socket.send(hello, port, '127.0.0.1')
      const again = setInterval(ask, 200)
      socket.once('message', () => {
        clearInterval(again)
        resolve()
      })
      ask()
    })
    const stream = udx.createStream(id)
    stream.on('error', () => {})
    stream.connect(socket, id + 0x10000, port, '127.0.0.1')
    messages(stream, onMessage)
    return {
      ...batching((bytes) => stream.write(bytes)),
      async close() {
        stream.destroy()
        await socket.close()
      },
    }
  },
}
