// Ours in the real-time comparison: what bench/native/real.c does, with our host. `server SECONDS`, `client SECONDS PORT`, `sink`,
// `source PORT BYTES`, each followed by options of the host as JSON.

import { createHost } from '../../src/transport/index.ts'
import type { Peer } from '../../src/transport/index.ts'

const [role = '', first = '', second = '', third = ''] = process.argv.slice(2)
const serves = role === 'server' || role === 'sink'
const bulk = role === 'sink' || role === 'source'
const json = role === 'sink' ? first : role === 'server' ? second : third
const options = json === '' ? {} : (JSON.parse(json) as object)

/** The clock that every process of this machine shares, ns. */
const clock = (): bigint => process.hrtime.bigint()
const stamped = (bytes: number): Uint8Array => {
  const packet = Buffer.alloc(bytes)
  packet.writeBigInt64LE(clock())
  return packet
}
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

const WARM_MS = 3_000
const DRAIN_MS = 5_000
const TICK_MS = 1000 / 60
const BULK_BYTES = 4_000_000

const host = await createHost({ host: '127.0.0.1', connectTimeoutMs: 20_000, ...options })
const microseconds: number[] = []
let connectedAt = 0n

const play = (peer: Peer): void => {
  connectedAt = clock()
  peer.setTimeout({ limit: 1 << 20, minimumMs: 600_000, maximumMs: 1_200_000 })
  if (bulk) {
    if (!serves) setTimeout(() => peer.send(0, stamped(Number(second))), 500)
    return
  }
  const seconds = Number(first)
  const begin = performance.now() + 500
  let ticks = 0
  const tick = (): void => {
    for (; performance.now() >= begin + ticks * TICK_MS; ticks++) {
      peer.send(0, stamped(64))
      peer.send(0, stamped(64))
      peer.send(1, stamped(200), 'unreliable')
    }
    if (performance.now() < begin + seconds * 1000) setTimeout(tick, begin + ticks * TICK_MS - performance.now())
    else setTimeout(finish, DRAIN_MS)
  }
  setTimeout(tick, 500)
}

const finish = (): void => {
  say({ event: 'done', microseconds })
  host.destroy()
}

host.on('connect', play)
host.on('receive', (_peer, channel, bytes) => {
  const packet = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const sentAt = packet.readBigInt64LE()
  const now = clock()
  if (bulk) {
    if (bytes.length < BULK_BYTES) return
    say({ event: 'bulk', ms: Number(now - sentAt) / 1e6 })
    // The last acknowledgements leave first.
    setTimeout(() => host.destroy(), 300)
  } else if (channel === 0 && Number(sentAt - connectedAt) / 1e6 > WARM_MS) microseconds.push(Math.round(Number(now - sentAt) / 1e3))
})
if (serves) say({ event: 'listening', port: host.address.port })
else play(await host.connect({ host: '127.0.0.1', port: Number(role === 'source' ? first : second), channels: 3 }))
