// Many sockets that send datagrams by a schedule to a relay, and an echo behind it; in a thread of their own, so that the relay has its
// thread to itself as `vaiven impair` has.

import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

export interface DatagramCrowd {
  /** Where what the relay passes on comes back from. */
  readonly echoPort: number
  start(relayPort: number): void
  stop(): Promise<void>
}

export const crowdOfDatagrams = async (options: { clients: number; perSecond: number }): Promise<DatagramCrowd> => {
  const worker = new Worker(new URL(import.meta.url), { workerData: options })
  const [echoPort] = (await once(worker, 'message')) as [number]
  return {
    echoPort,
    start: (relayPort) => worker.postMessage(relayPort),
    async stop() {
      await worker.terminate()
    },
  }
}

const open = async (): Promise<Socket> => {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

const runInWorker = async ({ clients, perSecond }: { clients: number; perSecond: number }): Promise<void> => {
  const echo = await open()
  echo.on('message', (bytes, from) => echo.send(bytes, from.port, from.address))
  const crowd = await Promise.all(Array.from({ length: clients }, open))
  parentPort?.on('message', (port: number) => {
    const start = performance.now()
    let sent = 0
    setInterval(() => {
      for (const due = ((performance.now() - start) * perSecond) / 1000; sent < due; sent++) {
        crowd[sent % clients]?.send(Buffer.alloc(100), port, '127.0.0.1')
      }
    }, 1)
  })
  parentPort?.postMessage(echo.address().port)
}

if (!isMainThread) await runInWorker(workerData as { clients: number; perSecond: number })
