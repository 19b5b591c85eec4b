// Bare node:dgram: one datagram for each message and nothing else. No order, no repeats, no connection: the floor under
// everything that is built on it in Node.

import { createSocket } from 'node:dgram'
import type { RemoteInfo, Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Contestant } from '../lib/contestant.ts'

const BUFFER_BYTES = 4 * 1024 * 1024

type LookupDone = (error: null, address: string, family: number) => void

const open = async (): Promise<Socket> => {
  // dgram looks up every destination and puts each send off by a tick for it; answered at once, as a careful user does.
  const lookup = (address: string, options: unknown, callback?: LookupDone): void => (callback ?? (options as LookupDone))(null, address, 4)
  const socket = createSocket({ type: 'udp4', lookup: lookup as never })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  socket.setRecvBufferSize(BUFFER_BYTES)
  socket.setSendBufferSize(BUFFER_BYTES)
  return socket
}

const close = async (socket: Socket): Promise<void> => {
  socket.close()
  await once(socket, 'close')
}

export default {
  name: 'dgram',
  about: 'bare node:dgram, a datagram per message, nothing repaired',
  reliable: false,
  maxMessageBytes: 1400,
  maxWindow: 1000,
  async listen(_options, onMessage) {
    const socket = await open()
    socket.on('message', (bytes: Buffer, from: RemoteInfo) => onMessage(bytes, (answer) => socket.send(answer, from.port, from.address)))
    return { port: socket.address().port, peers: () => 0, close: () => close(socket) }
  },
  async connect(port, onMessage) {
    const socket = await open()
    await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve))
    socket.on('message', (bytes: Buffer) => onMessage(bytes))
    // libuv may keep the bytes that the kernel does not take at once.
    return { send: (bytes) => socket.send(Uint8Array.from(bytes)), close: () => close(socket) }
  },
} satisfies Contestant
