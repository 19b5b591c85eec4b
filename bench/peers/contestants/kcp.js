// node-kcp (the C library of KCP; its datagrams travel over node:dgram here), as its users set it for games: nodelay(1, 10, 2, 1). It
// has no handshake and no pacing, and its windows are fixed.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createRequire } from 'node:module'

// The package's main file is not the module; index.js is.
const { KCP } = createRequire(import.meta.url)('node-kcp/index.js')

const CONVERSATION = 1
const WINDOW = 512
const UPDATE_MS = 10
const BUFFER_BYTES = 4 * 1024 * 1024

const open = async () => {
  const lookup = (address, options, callback) => (callback ?? options)(null, address, 4)
  const socket = createSocket({ type: 'udp4', lookup })
  await new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve))
  socket.setRecvBufferSize(BUFFER_BYTES)
  socket.setSendBufferSize(BUFFER_BYTES)
  return socket
}

/** One end: what arrives is acknowledged in the same turn, not with the next update. */
const end = (send, onMessage) => {
  const kcp = new KCP(CONVERSATION, {})
  kcp.nodelay(1, UPDATE_MS, 2, 1)
  kcp.wndsize(WINDOW, WINDOW)
  kcp.output(send)
  kcp.update(now())
  const timer = setInterval(() => kcp.update(now()), UPDATE_MS)
  let flushing = false
  const flushSoon = () => {
    if (flushing) return
    flushing = true
    setImmediate(() => {
      flushing = false
      kcp.flush()
    })
  }
  return {
    input(datagram) {
      kcp.input(datagram)
      for (let message = kcp.recv(); message !== undefined; message = kcp.recv()) onMessage(message)
      flushSoon()
    },
    send(bytes) {
      kcp.send(Buffer.from(bytes))
      flushSoon()
    },
    flush: () => kcp.flush(),
    close: () => clearInterval(timer),
  }
}

const now = () => Math.floor(performance.now())

export default {
  name: 'kcp',
  about: 'node-kcp 1.0.13: KCP over node:dgram, nodelay(1, 10, 2, 1), windows of 512',
  // At most 127 fragments.
  maxMessageBytes: 150_000,
  async listen(_options, onMessage) {
    const socket = await open()
    const ends = new Map()
    socket.on('message', (bytes, { port, address }) => {
      let one = ends.get(port)
      if (one === undefined) {
        one = end((datagram) => socket.send(datagram, port, address), (message) => onMessage(message, (answer) => one.send(answer)))
        ends.set(port, one)
      }
      one.input(bytes)
    })
    return {
      port: socket.address().port,
      peers: () => ends.size,
      async close() {
        for (const one of ends.values()) one.close()
        socket.close()
        await once(socket, 'close')
      },
    }
  },
  async connect(port, onMessage) {
    const socket = await open()
    await new Promise((resolve) => socket.connect(port, '127.0.0.1', resolve))
    const one = end((datagram) => socket.send(datagram), onMessage)
    socket.on('message', (bytes) => one.input(bytes))
    socket.on('error', () => {})
    return {
      send: (bytes) => one.send(bytes),
      flush: () => one.flush(),
      async close() {
        one.close()
        socket.close()
        await once(socket, 'close')
      },
    }
  },
}
