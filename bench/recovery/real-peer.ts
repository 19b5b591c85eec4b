// One end of the real-time comparison in Node: what bench/native/real.c does, with our host or with any contestant of the suite.
//   real-peer OURS_OR_MODULE server SECONDS | client SECONDS PORT | sink | source PORT BYTES
// where OURS_OR_MODULE is our host's options as JSON, or the file of a contestant. Knows both ends' schedule; no network conditions.

import { pathToFileURL } from 'node:url'
import type { Contestant } from '../lib/contestant.ts'
import { createHost } from '../../src/transport/index.ts'
import type { Peer } from '../../src/transport/index.ts'

/** How to say something to the other end. */
interface Line {
  /** Reliable and ordered. */
  send(bytes: Uint8Array): void
  /** A state that the next one replaces; absent where there is no such thing. */
  state?(bytes: Uint8Array): void
  /** Everything queued leaves now. */
  flush(): void
}

/** A way to find the other end, and to hear it. */
interface Transport {
  /** Resolves to the port; calls back with each client. */
  listen(onLine: (line: Line) => void, onMessage: (bytes: Uint8Array) => void): Promise<number>
  connect(port: number, onMessage: (bytes: Uint8Array) => void): Promise<Line>
  readonly maxMessageBytes: number
  /** Frees sockets, so that the process ends. */
  close(): void
}

const WARM_MS = 3_000
const DRAIN_MS = 5_000
const BEGIN_MS = 500
const TICK_MS = 1000 / 60
const BULK_BYTES = 4_000_000

/** The clock that every process of this machine shares, ns. */
const clock = (): bigint => process.hrtime.bigint()
const stamped = (bytes: number, at = clock()): Uint8Array => {
  const packet = Buffer.alloc(bytes)
  packet.writeBigInt64LE(at)
  return packet
}
const sentAt = (bytes: Uint8Array): bigint => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readBigInt64LE()
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

// -- transports

const ours = async (options: object): Promise<Transport> => {
  const host = await createHost({ host: '127.0.0.1', connectTimeoutMs: 20_000, ...options })
  const lineTo = (peer: Peer): Line => {
    peer.setTimeout({ limit: 1 << 20, minimumMs: 600_000, maximumMs: 1_200_000 })
    return { send: (bytes) => peer.send(0, bytes), state: (bytes) => peer.send(1, bytes, 'unreliable'), flush() {} }
  }
  const hear = (onMessage: (bytes: Uint8Array) => void): void => {
    host.on('receive', (_peer, channel, bytes) => {
      if (channel === 0) onMessage(bytes)
    })
  }
  return {
    maxMessageBytes: Infinity,
    async listen(onLine, onMessage) {
      hear(onMessage)
      host.on('connect', (peer) => onLine(lineTo(peer)))
      return host.address.port
    },
    async connect(port, onMessage) {
      hear(onMessage)
      return lineTo(await host.connect({ host: '127.0.0.1', port, channels: 3 }))
    },
    close: () => host.destroy(),
  }
}

/** A contestant's server learns of a client by its first message, so the client says one byte first. */
const theirs = async (file: string): Promise<Transport> => {
  const { default: contestant } = (await import(pathToFileURL(file).href)) as { default: Contestant }
  let close = (): unknown => undefined
  return {
    maxMessageBytes: contestant.maxMessageBytes ?? Infinity,
    async listen(onLine, onMessage) {
      const server = await contestant.listen({ peers: 1 }, (bytes, reply) => {
        if (bytes.length === 1) onLine({ send: reply, flush() {} })
        else onMessage(bytes)
      })
      close = () => server.close()
      return server.port
    },
    async connect(port, onMessage) {
      const connection = await contestant.connect(port, onMessage)
      close = () => connection.close()
      connection.send(new Uint8Array(1))
      connection.flush?.()
      return { send: (bytes) => connection.send(bytes), flush: () => connection.flush?.() }
    },
    close: () => void close(),
  }
}

// -- what the ends do

const [which = '{}', role = '', first = '', second = ''] = process.argv.slice(2)
const transport = await (which.startsWith('{') ? ours(JSON.parse(which) as object) : theirs(which))

const end = (afterMs: number): void => {
  setTimeout(() => {
    transport.close()
    setTimeout(() => process.exit(0), 500).unref()
  }, afterMs)
}

const microseconds: number[] = []
let beganAt = clock()

const play = (line: Line, seconds: number): void => {
  beganAt = clock()
  const begin = performance.now() + BEGIN_MS
  let ticks = 0
  const tick = (): void => {
    for (; performance.now() >= begin + ticks * TICK_MS; ticks++) {
      line.send(stamped(64))
      line.send(stamped(64))
      line.state?.(stamped(200))
      line.flush()
    }
    if (performance.now() < begin + seconds * 1000) setTimeout(tick, begin + ticks * TICK_MS - performance.now())
    else {
      setTimeout(() => {
        say({ event: 'done', microseconds })
        end(0)
      }, DRAIN_MS)
    }
  }
  setTimeout(tick, BEGIN_MS)
}

const heard = (bytes: Uint8Array): void => {
  const at = sentAt(bytes)
  if (Number(at - beganAt) / 1e6 > WARM_MS) microseconds.push(Math.round(Number(clock() - at) / 1e3))
}

let bulkBytes = 0
const sunk = (bytes: Uint8Array): void => {
  bulkBytes += bytes.length
  if (bulkBytes < BULK_BYTES) return
  say({ event: 'bulk', ms: Number(clock() - sentAt(bytes)) / 1e6 })
  // The last acknowledgements leave first.
  end(300)
}

const pour = (line: Line, bytes: number): void => {
  const at = clock()
  for (let left = bytes; left > 0; left -= Math.min(left, transport.maxMessageBytes)) {
    line.send(stamped(Math.min(left, transport.maxMessageBytes), at))
  }
  line.flush()
}

if (role === 'server') say({ event: 'listening', port: await transport.listen((line) => play(line, Number(first)), heard) })
else if (role === 'client') play(await transport.connect(Number(second), heard), Number(first))
else if (role === 'sink') say({ event: 'listening', port: await transport.listen(() => {}, sunk) })
else {
  const line = await transport.connect(Number(first), () => {})
  setTimeout(() => pour(line, Number(second)), BEGIN_MS)
}
