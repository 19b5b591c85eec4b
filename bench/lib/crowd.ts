// A program: `crowd PORT N` opens N connections of ours to an ENet server on this machine, keeps them idle, and ends with its
// input. The same crowd stands before our server and before C ENet's.

import { createHost } from '../../src/transport/index.ts'
import type { UdpHost } from '../../src/transport/index.ts'

/** Connections that share a socket. */
const PER_HOST = 1000

const [port, count] = process.argv.slice(2).map(Number) as [number, number]
const hosts: UdpHost[] = []
let connected = 0
for (let left = count; left > 0; left -= PER_HOST) {
  const host = await createHost({ host: '127.0.0.1', maxPeers: PER_HOST, refuseConnections: true, connectTimeoutMs: 30_000 })
  hosts.push(host)
  const mine = Math.min(PER_HOST, left)
  for (let i = 0; i < mine; i += 25) {
    await Promise.all(Array.from({ length: Math.min(25, mine - i) }, () =>
      host.connect({ host: '127.0.0.1', port, channels: 2, timeoutMs: 30_000 })))
  }
  connected += mine
}
process.stdout.write(`${JSON.stringify({ event: 'connected', connected })}\n`)
process.stdin.resume()
process.stdin.on('end', () => {
  for (const host of hosts) host.destroy()
  process.exit(0)
})
