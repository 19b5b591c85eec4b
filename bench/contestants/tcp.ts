// TCP by node:net, four bytes of length before each message, Nagle off: what one would use if UDP were not needed.

import { once } from 'node:events'
import { createConnection, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import type { Contestant } from '../lib/contestant.ts'

/** Puts a stream's bytes back into messages. */
const messages = (socket: Socket, onMessage: (bytes: Uint8Array) => void): void => {
  let rest: Buffer[] = []
  let length = 0
  socket.on('data', (chunk: Buffer) => {
    rest.push(chunk)
    length += chunk.length
    if (length < 4) return
    if ((rest[0] as Buffer).length < 4) rest = [Buffer.concat(rest)]
    if (length < 4 + (rest[0] as Buffer).readUInt32BE(0)) return
    const all = rest.length === 1 ? (rest[0] as Buffer) : Buffer.concat(rest)
    let at = 0
    while (all.length - at >= 4) {
      const size = all.readUInt32BE(at)
      if (all.length - at - 4 < size) break
      onMessage(all.subarray(at + 4, at + 4 + size))
      at += 4 + size
    }
    rest = at === all.length ? [] : [all.subarray(at)]
    length = all.length - at
  })
}

const framed = (bytes: Uint8Array): Buffer => {
  const out = Buffer.allocUnsafe(4 + bytes.length)
  out.writeUInt32BE(bytes.length, 0)
  out.set(bytes, 4)
  return out
}

export default {
  name: 'tcp',
  about: 'node:net, length before each message, Nagle off',
  udp: false,
  async listen(_options, onMessage) {
    const sockets = new Set<Socket>()
    const server = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket)).on('error', () => {})
      messages(socket, (bytes) => onMessage(bytes, (answer) => socket.write(framed(answer))))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return {
      port: (server.address() as AddressInfo).port,
      peers: () => sockets.size,
      async close() {
        for (const socket of sockets) socket.destroy()
        server.close()
        await once(server, 'close')
      },
    }
  },
  async connect(port, onMessage) {
    const socket = createConnection({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    messages(socket, onMessage)
    let corked = false
    return {
      send(bytes) {
        if (!corked) socket.cork()
        corked = true
        socket.write(framed(bytes))
      },
      flush() {
        if (corked) socket.uncork()
        corked = false
      },
      async close() {
        socket.destroy()
        await once(socket, 'close')
      },
    }
  },
} satisfies Contestant
