// Our client on a real UDP socket against a stock C echo server, through the loopback interface and through a relay.

import t from 'tap'
import type { Test } from 'tap'
import { once } from 'node:events'
import { createHost } from '../../src/transport/create-host.ts'
import type { CreateHostOptions } from '../../src/transport/create-host.ts'
import type { UdpHost } from '../../src/transport/udp-host.ts'
import { crc32 } from '../../src/transport/core/crc32.ts'
import { CProcess } from './support/c-process.ts'
import { exchangeMixed } from './support/echoes.ts'
import { programs, skipReason } from './support/native.ts'
import { payload } from './support/payload.ts'
import { openRelay } from './support/relay.ts'

const skip = { skip: skipReason }

const startServer = async (t: Test, options: readonly string[] = ['--quiet']): Promise<{ server: CProcess; port: number }> => {
  const server = new CProcess(programs().server, options)
  t.teardown(() => server.stop())
  return { server, port: Number((await server.event('listening'))['port']) }
}

const openClient = async (t: Test, options: CreateHostOptions = {}): Promise<UdpHost> => {
  const host = await createHost({ host: '127.0.0.1', ...options })
  t.teardown(() => host.destroy())
  return host
}

const text = (words: string): Uint8Array => new TextEncoder().encode(words)

t.test('our client and a C server exchange 10,000 packets of every kind and size up to 4 MB, over 255 channels', skip, async (t) => {
  const { port } = await startServer(t, ['--quiet', '--channels', '255'])
  const host = await openClient(t)
  const peer = await host.connect({ host: '127.0.0.1', port, channels: 255 })
  const book = await exchangeMixed(host, peer, { packets: 10_000, seed: 1, channels: 255, maxBytes: 4 << 20 })
  t.same(book.wrong, [])
  // How many depends on the C server's throttle, which lets at least one of 32 pass, and on how busy this machine is.
  t.ok(book.received.unreliable > 30 && book.received.unsequenced > 30, 'and some of the others')
})

t.test('the same through 3 % loss, doubling and reordering: nothing reliable lost, doubled or out of order', skip, async (t) => {
  const { port } = await startServer(t, ['--quiet', '--channels', '255'])
  const relay = await openRelay(port, { lossRatio: 0.03, duplicateRatio: 0.02, jitterMs: 3, reorderRatio: 0.02, reorderByMs: [0, 20] }, 6)
  t.teardown(() => relay.close())
  const host = await openClient(t)
  const peer = await host.connect({ host: '127.0.0.1', port: relay.port, channels: 255 })
  const book = await exchangeMixed(host, peer, { packets: 10_000, seed: 2, channels: 255, maxBytes: 4 << 20 })
  t.same(book.wrong, [])
  t.ok(relay.lost > 100 && relay.doubled > 100, 'the relay did its work')
  t.comment(JSON.stringify({ received: book.received, lost: relay.lost, doubled: relay.doubled, sent: relay.sent }))
})

const limits = { incomingBandwidthBytesPerSecond: 400_000, outgoingBandwidthBytesPerSecond: 400_000 }
const pairs: readonly { title: string; server: readonly string[]; client: CreateHostOptions; packets?: number; minBytes?: number }[] = [
  { title: 'CRC-32', server: ['--crc'], client: { checksum: 'crc32' } },
  // The C library crashes when it compresses an empty packet.
  { title: 'the range coder', server: ['--range'], client: { compression: 'rangeCoder' }, minBytes: 1 },
  {
    title: 'CRC-32 and the range coder',
    server: ['--crc', '--range'],
    client: { checksum: 'crc32', compression: 'rangeCoder' },
    minBytes: 1,
  },
  { title: 'MTU 576', server: ['--mtu', '576'], client: { mtu: 576 } },
  { title: 'MTU 1400', server: ['--mtu', '1400'], client: { mtu: 1400 } },
  { title: 'a game loop that looks every 16 ms', server: ['--poll', '16'], client: {}, packets: 200 },
  { title: 'limits of bandwidth', server: ['--in', '400000', '--out', '400000'], client: limits, packets: 200 },
]

for (const { title, server, client, packets = 1_000, minBytes = 0 } of pairs) {
  t.test(`our client and a C server with ${title} exchange packets of every kind`, skip, async (t) => {
    const { port } = await startServer(t, ['--quiet', ...server])
    const host = await openClient(t, client)
    const peer = await host.connect({ host: '127.0.0.1', port, channels: 4 })
    const book = await exchangeMixed(host, peer, { packets, seed: 9, channels: 4, minBytes, maxBytes: 40_000 })
    t.same(book.wrong, [])
  })
}

t.test('the bytes that our client sends are those that the C server sees, and the other way round', skip, async (t) => {
  const { server, port } = await startServer(t, ['--noecho'])
  const host = await openClient(t)
  const peer = await host.connect({ host: '127.0.0.1', port, channels: 2, data: 0xabcdef01 })
  t.match(await server.event('connect'), { data: 0xabcdef01, channels: 2, mtu: 1200 })
  const bytes = payload(3, 1, 70_000)
  peer.send(1, bytes, 'reliable')
  t.match(await server.event('receive'), { channel: 1, flags: 1, length: 70_000, crc: crc32(bytes) })
  const got: Uint8Array[] = []
  host.on('receive', (_, __, echo) => got.push(echo))
  peer.send(0, text('!send 3 5000 1 1 77'), 'reliable')
  while (got.length < 3) await once(host, 'receive')
  t.same(got, [0, 1, 2].map((i) => payload(77, i, 5_000)), 'computed there and here')
})

for (const [word, data] of [['disconnect', 0xffffffff], ['later', 0x80000000], ['now', 8]] as const) {
  t.test(`a C server that ends the connection by ${word}: our client hears the number`, skip, async (t) => {
    const { port } = await startServer(t)
    const host = await openClient(t)
    const peer = await host.connect({ host: '127.0.0.1', port })
    peer.send(0, text(`!${word} ${data}`), 'reliable')
    const [, ending] = await once(host, 'disconnect')
    t.match(ending, { reason: 'remote', data })
  })
}

for (const way of ['disconnect', 'disconnectPlain', 'disconnectNow'] as const) {
  t.test(`our client leaves by ${way}: a C server hears the number`, skip, async (t) => {
    const { server, port } = await startServer(t)
    const host = await openClient(t)
    const peer = await host.connect({ host: '127.0.0.1', port })
    // A server that has not heard the end of the handshake yet would not announce the end of the connection either.
    await peer.deliver(0, text('x'))
    peer[way](0xfeedface)
    t.equal((await server.event('disconnect'))['data'], 0xfeedface)
  })
}

t.test('a connect to a port where nobody listens, or to a full C server, rejects with what happened', skip, async (t) => {
  const { port } = await startServer(t, ['--peers', '1'])
  const first = await openClient(t)
  await first.connect({ host: '127.0.0.1', port })
  const second = await openClient(t)
  await t.rejects(second.connect({ host: '127.0.0.1', port, timeoutMs: 700 }), { code: 'ERR_TIMEOUT' })
})
