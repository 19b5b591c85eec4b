// Hosts on real loopback sockets: promises, events, errors in words, the manual pump, and a clean end.

import { execFile, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { EventEmitter, getEventListeners, once } from 'node:events'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import t from 'tap'
import type { Test } from 'tap'
import { createHost, displayAddress, VaivenError } from '../../src/transport/index.ts'
import type { CreateHostOptions, Delivery, EndReason, Peer, UdpHost } from '../../src/transport/index.ts'

const LOOPBACK = '127.0.0.1'
/** For what must not happen soon: nothing waits so long unless it is broken. */
const LONG_MS = 20_000

const open = async (t: Test, options: CreateHostOptions = {}): Promise<UdpHost> => {
  const host = await createHost({ host: LOOPBACK, ...options })
  t.teardown(() => host.destroy())
  return host
}

const pair = async (t: Test, options: { server?: CreateHostOptions; client?: CreateHostOptions } = {}) => {
  const server = await open(t, options.server)
  const client = await open(t, options.client)
  const joined = once(server, 'connect') as Promise<[Peer, number]>
  const peer = await client.connect({ host: LOOPBACK, port: server.address.port, channels: 4, timeoutMs: LONG_MS })
  return { server, client, peer, serverPeer: (await joined)[0] }
}

const rejection = async (promise: Promise<unknown>): Promise<VaivenError> => {
  try {
    await promise
  } catch (error) {
    if (error instanceof VaivenError) return error
    throw error
  }
  throw new Error('was not rejected')
}

const until = async (what: string, holds: () => boolean): Promise<void> => {
  for (const end = performance.now() + LONG_MS; !holds(); ) {
    if (performance.now() > end) throw new Error(`never happened: ${what}`)
    await sleep(1)
  }
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

void t.test('a server and a client: connect data, every delivery both ways, disconnect data', async (t) => {
  const server = await open(t, { maxPeers: 4 })
  const client = await open(t)
  server.on('receive', (peer, channel, bytes, delivery) => peer.send(channel, bytes, delivery))
  const joined = once(server, 'connect') as Promise<[Peer, number]>
  const peer = await client.connect({ host: LOOPBACK, port: server.address.port, channels: 3, data: 0xfeedface })
  t.equal(peer.state, 'connected')
  t.equal(peer.channelCount, 3)
  const [serverPeer, data] = await joined
  t.equal(data, 0xfeedface)
  t.equal(serverPeer.port, client.address.port)

  const back: string[] = []
  client.on('receive', (_, channel, bytes, delivery) => void back.push(`${channel} ${delivery} ${textOf(bytes)}`))
  const deliveries: Delivery[] = ['reliable', 'unreliable', 'unsequenced']
  for (const [channel, delivery] of deliveries.entries()) peer.send(channel, Buffer.from(`by ${delivery}`), delivery)
  await until('three came back', () => back.length === 3)
  t.same(back.sort(), ['0 reliable by reliable', '1 unreliable by unreliable', '2 unsequenced by unsequenced'])

  const left = once(server, 'disconnect') as Promise<[Peer, { reason: EndReason; data: number }]>
  const ended = once(client, 'disconnect') as Promise<[Peer, { reason: EndReason; data: number }]>
  peer.disconnect(77)
  t.same((await left)[1], { reason: 'remote', data: 77 })
  t.equal((await ended)[1].reason, 'local')
})

void t.test('listeners added right behind the await of connect() miss nothing that came with it', async (t) => {
  const server = await open(t)
  server.on('connect', (peer) => {
    for (let i = 0; i < 20; i++) peer.send(0, Buffer.from(String(i)))
  })
  const client = await open(t)
  const wrapped = async (): Promise<Peer> => {
    const peer = await client.connect({ host: LOOPBACK, port: server.address.port })
    await null
    return peer
  }
  const got: string[] = []
  await wrapped()
  client.on('receive', (_, __, bytes) => void got.push(textOf(bytes)))
  await until('all twenty', () => got.length >= 20)
  t.same(got, Array.from({ length: 20 }, (_, i) => String(i)))
})

void t.test('the connect event of our own connect comes before its promise resolves', async (t) => {
  const server = await open(t)
  const client = await open(t)
  const log: string[] = []
  client.on('connect', () => void log.push('event'))
  await client.connect({ host: LOOPBACK, port: server.address.port }).then(() => log.push('promise'))
  t.same(log, ['event', 'promise'])
})

void t.test('by default one socket serves IPv4 and IPv6', async (t) => {
  const server = await createHost()
  t.teardown(() => server.destroy())
  const seen: string[] = []
  server.on('connect', (peer) => void seen.push(displayAddress(peer.address)))
  const targets = server.address.address === '::' ? ['127.0.0.1', '::1', 'localhost'] : ['127.0.0.1', 'localhost']
  for (const target of targets) {
    for (const client of [true, false]) {
      const host = await createHost({ client })
      await host.connect({ host: target, port: server.address.port, timeoutMs: LONG_MS })
      await host.close()
    }
  }
  await until('all seen', () => seen.length === targets.length * 2)
  t.equal(seen[0], '127.0.0.1', 'no ::ffff: for people')
  if (targets.includes('::1')) t.ok(seen.includes('::1'))
})

void t.test('addresses are shown as people write them', async (t) => {
  t.equal(displayAddress('::ffff:192.0.2.7'), '192.0.2.7')
  t.equal(displayAddress('::ffff:192.0.2.7', 80), '192.0.2.7:80')
  t.equal(displayAddress('2001:db8::1', 7777), '[2001:db8::1]:7777')
  t.equal(displayAddress('2001:db8::1'), '2001:db8::1')
  t.equal(displayAddress('::ffff:1:2', 5), '[::ffff:1:2]:5', 'not a mapped IPv4 address in dotted form')
})

void t.test('the socket buffers are large, and what was granted is reported', async (t) => {
  const host = await open(t)
  const small = await open(t, { receiveBufferBytes: 16_384, sendBufferBytes: 16_384 })
  t.ok(host.stats.socketReceiveBufferBytes > small.stats.socketReceiveBufferBytes)
  t.ok(host.stats.socketSendBufferBytes > small.stats.socketSendBufferBytes)
  t.ok(small.stats.socketReceiveBufferBytes >= 16_384)
})

void t.test('options and arguments outside their range are named with what is legal', async (t) => {
  const cases: [CreateHostOptions, RegExp][] = [
    [{ port: 65_536 }, /options\.port is 65536; .*0 to 65535/],
    [{ maxPeers: 5000 }, /options\.maxPeers is 5000; .*1 to 4095/],
    [{ pump: 'sometimes' as 'auto' }, /options\.pump is sometimes; .*'auto' or 'manual'/],
    [{ receiveBufferBytes: 1 }, /options\.receiveBufferBytes is 1; /],
    [{ host: '' }, /options\.host/],
  ]
  for (const [options, message] of cases) {
    const error = await rejection(createHost(options))
    t.equal(error.code, 'ERR_OPTION_RANGE')
    t.match(error.message, message)
  }
  const host = await open(t)
  for (const bad of [{ port: 0 }, { port: 70_000 }, { channels: 0 }, { channels: 256 }, { data: -1 }, { timeoutMs: 0 }, { host: '' }]) {
    const error = await rejection(host.connect({ host: LOOPBACK, port: 9, ...bad }))
    t.equal(error.code, 'ERR_ARGUMENT')
    t.match(error.message, new RegExp(`^${Object.keys(bad)[0]} is`))
  }
  t.equal((await rejection(host.close({ timeoutMs: -1 }))).code, 'ERR_ARGUMENT')
  t.notOk(host.closed, 'a wrong close closes nothing')
})

void t.test('a port in use, a foreign address and an unknown name say what to do', async (t) => {
  const first = await open(t)
  const inUse = await rejection(createHost({ host: LOOPBACK, port: first.address.port }))
  t.equal(inUse.code, 'ERR_SOCKET')
  t.match(inUse.message, new RegExp(`UDP port ${first.address.port} is in use.*another port`))
  t.equal((inUse.cause as NodeJS.ErrnoException).code, 'EADDRINUSE')

  const taken = await rejection(createHost({ port: first.address.port }))
  t.equal(taken.code, 'ERR_SOCKET', 'also by a dual-stack socket')

  const foreign = await rejection(createHost({ host: '203.0.113.77' }))
  t.equal(foreign.code, 'ERR_SOCKET')
  t.match(foreign.message, /203\.0\.113\.77 is not an address of this machine/)

  const nobody = await rejection(first.connect({ host: 'no-such-name.invalid', port: 7777 }))
  t.equal(nobody.code, 'ERR_SOCKET')
  t.match(nobody.message, /"no-such-name\.invalid"/)
  t.equal((await rejection(createHost({ host: 'no-such-name.invalid' }))).code, 'ERR_SOCKET')

  const family = await rejection(first.connect({ host: '::1', port: 7777 }))
  t.equal(family.code, 'ERR_SOCKET')
  t.match(family.message, /::1 has only IPv6 addresses.*bound to IPv4/)
})

void t.test('a refusal rejects with the data of the other side, in words where they are ours', async (t) => {
  const server = await open(t, { accept: (request) => (request.data === 1 ? true : 0xbad) })
  const client = await open(t)
  const to = { host: LOOPBACK, port: server.address.port, timeoutMs: LONG_MS }
  const events: string[] = []
  client.on('disconnect', () => void events.push('disconnect'))
  const error = await rejection(client.connect(to))
  t.equal(error.code, 'ERR_REFUSED')
  t.equal(error.data, 0xbad)
  t.match(error.message, new RegExp(`^127\\.0\\.0\\.1:${server.address.port} refused the connection \\(data 0x00000bad\\)$`))
  await client.connect({ ...to, data: 1 })
  server.refuseConnections = true
  const refusing = await rejection(client.connect({ ...to, data: 1 }))
  t.match(refusing.message, /takes no new connections/)
  t.same(events, [], 'a connection that never stood does not end either')
  t.equal(client.peerCount, 1)
})

void t.test('nobody there: a timeout in words, and with what the operating system says when the socket is a client', async (t) => {
  const silent = createSocket('udp4')
  await new Promise<void>((resolve) => silent.bind(0, LOOPBACK, resolve))
  t.teardown(() => silent.close())
  const client = await open(t)
  const timeout = await rejection(client.connect({ host: LOOPBACK, port: silent.address().port, timeoutMs: 150 }))
  t.equal(timeout.code, 'ERR_TIMEOUT')
  t.match(timeout.message, /did not answer within 150 ms/)
  t.equal(client.peerCount, 0)

  const gone = await open(t)
  const { port } = gone.address
  await gone.close()
  const connected = await open(t, { client: true })
  const hints: string[] = []
  connected.on('diagnostic', ({ code, from }) => void hints.push(`${code} ${from?.port === port}`))
  const unreachable = await rejection(connected.connect({ host: LOOPBACK, port, timeoutMs: 300 }))
  t.equal(unreachable.code, 'ERR_UNREACHABLE')
  t.match(unreachable.message, /nothing listens on that port \(ECONNREFUSED\)/)
  t.same(hints, ['unreachable true'], 'told once')

  const late = await open(t)
  await connected.connect({ host: LOOPBACK, port: late.address.port, timeoutMs: LONG_MS })
  t.equal([...connected.peers].length, 1, 'the host is none the worse')
})

void t.test('a server that starts while a client is already trying is found', async (t) => {
  const placeholder = await open(t)
  const { port } = placeholder.address
  await placeholder.close()
  const client = await open(t, { client: true })
  const hinted = once(client, 'diagnostic')
  const connecting = client.connect({ host: LOOPBACK, port, timeoutMs: LONG_MS })
  await hinted
  const server = await open(t, { port })
  const peer = await connecting
  t.equal(peer.state, 'connected')
  await until('the server agrees', () => server.peerCount === 1)
})

void t.test('timeoutMs may be longer than the patience of the core', async (t) => {
  const silent = createSocket('udp4')
  await new Promise<void>((resolve) => silent.bind(0, LOOPBACK, resolve))
  t.teardown(() => silent.close())
  const client = await open(t, { connectTimeoutMs: 100 })
  const startedAt = performance.now()
  t.equal((await rejection(client.connect({ host: LOOPBACK, port: silent.address().port, timeoutMs: 350 }))).code, 'ERR_TIMEOUT')
  t.ok(performance.now() - startedAt >= 349)
  t.equal((await rejection(client.connect({ host: LOOPBACK, port: silent.address().port }))).code, 'ERR_TIMEOUT')
})

void t.test('an AbortSignal ends connect, creation and the host', async (t) => {
  const client = await open(t)
  const before = new AbortController()
  before.abort(new Error('changed my mind'))
  const early = await rejection(client.connect({ host: LOOPBACK, port: 9, signal: before.signal }))
  t.equal(early.code, 'ERR_ABORTED')
  t.match((early.cause as Error).message, 'changed my mind')
  t.equal((await rejection(createHost({ signal: before.signal }))).code, 'ERR_ABORTED')

  const during = new AbortController()
  const connecting = rejection(client.connect({ host: LOOPBACK, port: 9, signal: during.signal, timeoutMs: LONG_MS }))
  await turn()
  during.abort()
  t.equal((await connecting).code, 'ERR_ABORTED')
  t.equal(client.peerCount, 0)

  const life = new AbortController()
  const { client: mortal, server } = await pair(t, { client: { signal: life.signal } })
  const left = once(server, 'disconnect') as Promise<[Peer, { reason: EndReason }]>
  life.abort()
  t.ok(mortal.closed)
  t.equal((await left)[1].reason, 'remote')
})

void t.test('close() delivers what was sent, says goodbye with data, and frees the port', async (t) => {
  const { server, client, peer } = await pair(t)
  let received = 0
  server.on('receive', (_, __, bytes) => void (received += bytes.length))
  const left = once(server, 'disconnect') as Promise<[Peer, { reason: EndReason; data: number }]>
  for (let i = 0; i < 200; i++) peer.send(0, new Uint8Array(5000))
  const ended = once(client, 'disconnect') as Promise<[Peer, { reason: EndReason }]>
  const closing = client.close({ data: 9, timeoutMs: LONG_MS })
  t.equal((await ended)[1].reason, 'host-closed')
  await closing
  await client.close()
  t.ok(client.closed)
  t.same((await left)[1], { reason: 'remote', data: 9 })
  t.equal(received, 1_000_000, 'everything came before the goodbye')
  t.equal((await rejection(client.connect({ host: LOOPBACK, port: 9 }))).code, 'ERR_CLOSED')
  await createHost({ host: LOOPBACK, port: client.address.port }).then((next) => next.close())
})

void t.test('close() gives up after timeoutMs, or when its signal fires', async (t) => {
  for (const way of ['timeout', 'signal'] as const) {
    const server = await open(t, { pump: 'manual' })
    const frames = setInterval(() => {
      server.poll()
      server.flush()
    }, 2)
    const client = await open(t)
    const peer = await client.connect({ host: LOOPBACK, port: server.address.port, timeoutMs: LONG_MS })
    // From here on the server is a process that hangs.
    clearInterval(frames)
    peer.send(0, new Uint8Array(100))
    const reasons: EndReason[] = []
    client.on('disconnect', (_, { reason }) => void reasons.push(reason))
    if (way === 'timeout') await client.close({ timeoutMs: 50 })
    else {
      const hurry = new AbortController()
      const closing = rejection(client.close({ timeoutMs: LONG_MS, signal: hurry.signal }))
      hurry.abort()
      t.equal((await closing).code, 'ERR_ABORTED')
    }
    t.ok(client.closed)
    t.equal(reasons.length, 1, 'the connection ended for the application too')
  }
})

void t.test('closing a host settles its connects', async (t) => {
  const client = await open(t)
  const connecting = rejection(client.connect({ host: LOOPBACK, port: 9, timeoutMs: LONG_MS }))
  await turn()
  await client.close()
  t.equal((await connecting).code, 'ERR_CLOSED')
  const other = await open(t)
  const second = rejection(other.connect({ host: LOOPBACK, port: 9, timeoutMs: LONG_MS }))
  other.destroy()
  t.equal((await second).code, 'ERR_CLOSED')
})

void t.test('destroy() tells the peers and emits their end in a later turn', async (t) => {
  const { server, client } = await pair(t)
  const left = once(server, 'disconnect') as Promise<[Peer, { reason: EndReason }]>
  let ended = 0
  client.on('disconnect', () => void (ended += 1))
  client.destroy()
  t.equal(ended, 0, 'no listener runs inside the call')
  client.destroy()
  await client.close()
  t.equal((await left)[1].reason, 'remote')
  await until('the local end', () => ended === 1)
})

void t.test('a throwing listener stops neither the others nor the host, and surfaces once as an error event', async (t) => {
  const { server, client, peer } = await pair(t)
  const errors: unknown[] = []
  const got: string[] = []
  server.on('error', (error) => void errors.push(error.message))
  server.on('receive', () => {
    throw new Error('first listener')
  })
  server.on('receive', async () => {
    await null
    throw new Error('async listener')
  })
  server.on('receive', (_, __, bytes) => void got.push(textOf(bytes)))
  peer.send(0, Buffer.from('a'))
  await until('both errors', () => errors.length === 2)
  t.same(errors, ['first listener', 'async listener'])
  t.same(got, ['a'])
  server.removeAllListeners('receive')
  server.on('receive', () => {
    throw 'no error object'
  })
  await peer.deliver(0, Buffer.from('b'))
  await until('the third', () => errors.length === 3)
  t.match(errors[2], /no error object/)
  t.equal(client.peerCount, 1)
})

void t.test('a misspelt option is an error that names it and those there are', async (t) => {
  const error = await rejection(createHost({ maxPeer: 3 } as never))
  t.equal(error.code, 'ERR_OPTION_RANGE')
  t.match(error.message, /^options\.maxPeer is no option; there are accept, channelPriorities, .*\bmaxPeers\b/)
})

void t.test('an option that is there and undefined is its default: chance stays real', async (t) => {
  const listener = createSocket('udp4')
  t.teardown(() => listener.close())
  listener.bind(0, LOOPBACK)
  await once(listener, 'listening')
  const connectIds = new Map<number, string>()
  // A CONNECT has 52 bytes, and its connect id stands before the last four.
  listener.on('message', (bytes, { port }) => {
    if (bytes.length >= 52) connectIds.set(port, bytes.subarray(44, 48).toString('hex'))
  })
  const hosts = [await open(t, { random: undefined, port: undefined } as never), await open(t, { random: undefined } as never)]
  for (const host of hosts) host.connect({ host: LOOPBACK, port: listener.address().port }).catch(() => undefined)
  await until('both connects', () => connectIds.size === 2)
  t.equal(new Set(connectIds.values()).size, 2)
})

void t.test('once-listeners run once although dispatch is guarded', async (t) => {
  const { server, peer } = await pair(t)
  const log: string[] = []
  server.once('receive', () => void log.push('once'))
  server.on('receive', () => void log.push('on'))
  peer.send(0, Buffer.from('a'))
  peer.send(0, Buffer.from('b'))
  await until('both', () => log.length >= 3)
  t.same(log, ['once', 'on', 'on'])
})

void t.test('without an error listener the exception of a listener is a process warning, and process and host live on', async (t) => {
  const program = `
    import { createHost } from ${JSON.stringify(new URL('../../src/transport/index.js', import.meta.url).href)}
    process.on('warning', async (warning) => {
      console.log(warning.name, warning.message, warning.cause.message, warning.detail.includes('at '))
      await peer.deliver(0, new Uint8Array(1))
      console.log('still delivers')
      await Promise.all([client.close(), server.close()])
    })
    const server = await createHost({ host: '127.0.0.1' })
    const client = await createHost({ host: '127.0.0.1' })
    server.once('receive', () => { throw new Error('a bug') })
    const peer = await client.connect({ host: '127.0.0.1', port: server.address.port })
    peer.send(0, new Uint8Array(1))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { timeout: 60_000 })
  t.equal(stdout, "VaivenWarning a bug (event receive; listen for 'error' to handle it) a bug true\nstill delivers\n")
})

void t.test('manual: connect pumps by itself, then nothing happens between poll() and flush()', async (t) => {
  const server = await open(t)
  const client = await open(t, { pump: 'manual' })
  const log: string[] = []
  client.on('connect', () => void log.push('connect'))
  client.on('receive', (_, __, bytes) => void log.push(textOf(bytes)))
  server.on('receive', (peer, channel, bytes) => peer.send(channel, bytes))
  const peer = await client.connect({ host: LOOPBACK, port: server.address.port, timeoutMs: LONG_MS })
  t.same(log, [], 'events wait for poll() even then')
  let atServer = 0
  server.on('receive', () => void (atServer += 1))
  peer.send(0, Buffer.from('a'))
  await sleep(40)
  t.equal(atServer, 0, 'nothing leaves before flush()')
  client.poll()
  t.same(log, ['connect'])
  client.flush()
  await until('the server has it', () => atServer === 1)
  await sleep(20)
  t.same(log, ['connect'], 'nothing is emitted before poll()')
  client.poll()
  t.same(log, ['connect', 'a'])
  t.ok(client.deadline < Infinity)
  const left = once(server, 'disconnect') as Promise<[Peer, { reason: EndReason }]>
  const closing = client.close({ timeoutMs: LONG_MS })
  t.equal((await Promise.race([left, sleep(LONG_MS / 2, undefined, { ref: false })]))?.[1].reason, 'remote', 'close() pumped by itself')
  await closing
})

void t.test('manual on both sides: a frame loop of poll and flush is enough', async (t) => {
  const server = await open(t, { pump: 'manual' })
  const client = await open(t, { pump: 'manual' })
  const got: number[] = []
  server.on('receive', (_, __, bytes) => void got.push(bytes[0] as number))
  const frames = setInterval(() => {
    for (const host of [server, client]) host.poll()
    for (const host of [server, client]) host.flush()
  }, 3)
  const peer = await client.connect({ host: LOOPBACK, port: server.address.port, timeoutMs: LONG_MS })
  for (let i = 0; i < 50; i++) peer.send(0, Uint8Array.of(i))
  await until('all', () => got.length === 50)
  t.same(got, Array.from({ length: 50 }, (_, i) => i))
  await client.close({ timeoutMs: LONG_MS })
  clearInterval(frames)
})

void t.test('manual: poll() inside of a listener does nothing, and the events of that poll() go on', async (t) => {
  const server = await open(t)
  const client = await open(t, { pump: 'manual' })
  server.on('connect', (peer) => {
    for (const text of ['a', 'b', 'c']) peer.send(0, Buffer.from(text))
  })
  const got: string[] = []
  client.on('receive', (_, __, bytes) => {
    client.poll()
    got.push(textOf(bytes))
  })
  await client.connect({ host: LOOPBACK, port: server.address.port, timeoutMs: LONG_MS })
  // The acknowledgement that makes the server's side of the connection leaves with the flush.
  client.flush()
  await until('the packets are in the socket', () => server.stats.datagramsSent > 1)
  await sleep(20)
  client.poll()
  t.same(got, ['a', 'b', 'c'])
})

void t.test('a client host talks to one server at a time, and may connect to it again while the last connection still ends', async (t) => {
  const server = await open(t)
  const other = await open(t)
  const client = await open(t, { client: true })
  const to = { host: LOOPBACK, port: server.address.port, timeoutMs: LONG_MS }
  const first = client.connect(to)
  t.equal((await rejection(client.connect(to))).code, 'ERR_NO_SLOT', 'one connect at a time')
  const peer = await first
  t.equal((await rejection(client.connect({ ...to, port: other.address.port }))).code, 'ERR_NO_SLOT')
  const ended = once(client, 'disconnect')
  peer.disconnect()
  const second = await client.connect(to)
  await ended
  await second.deliver(0, new Uint8Array(10))

  const over = once(client, 'disconnect')
  second.disconnect()
  await over
  const elsewhere = await client.connect({ ...to, port: other.address.port })
  t.equal(elsewhere.port, other.address.port)
  await elsewhere.deliver(0, new Uint8Array(10))
})

void t.test('all slots taken: the connect is rejected at once', async (t) => {
  const { client, server } = await pair(t, { client: { maxPeers: 1 } })
  t.equal((await rejection(client.connect({ host: LOOPBACK, port: server.address.port }))).code, 'ERR_NO_SLOT')
})

void t.test('a bad network on a real socket: everything reliable arrives once and in order', async (t) => {
  const server = await open(t)
  const client = await open(t, { impair: { latencyMs: 5, jitterMs: 5, keepOrder: false, lossRatio: 0.1, duplicateRatio: 0.1 } })
  const got: number[] = []
  server.on('receive', (_, __, bytes) => void got.push(Buffer.from(bytes).readUInt16BE()))
  const peer = await client.connect({ host: LOOPBACK, port: server.address.port, timeoutMs: LONG_MS })
  for (let i = 0; i < 300; i++) {
    const packet = new Uint8Array(600)
    new DataView(packet.buffer).setUint16(0, i)
    peer.send(0, packet)
  }
  await client.close({ timeoutMs: LONG_MS })
  t.same(got, Array.from({ length: 300 }, (_, i) => i))
  await until('the goodbye passed the bad network too', () => server.peerCount === 0)
})

void t.test('close() waits until a bad network has let the last acknowledgement through', async (t) => {
  const { server, peer, client } = await pair(t, { server: { impair: { latencyMs: 40 } } })
  server.on('disconnect', () => void server.close())
  const ended = once(client, 'disconnect') as Promise<[Peer, { reason: EndReason }]>
  peer.disconnect()
  await ended
  // Without that acknowledgement the client repeats its goodbye some thirty times until it believes that nobody is there.
  t.ok(peer.stats.retransmissions < 10, `${peer.stats.retransmissions} repeats`)
})

void t.test('a closed host lets go of its signal', async (t) => {
  const controller = new AbortController()
  const { client } = await pair(t, { client: { signal: controller.signal } })
  t.equal(getEventListeners(controller.signal, 'abort').length, 1)
  await client.close()
  t.equal(getEventListeners(controller.signal, 'abort').length, 0)
})

void t.test('the host is an async disposable and an EventEmitter', async (t) => {
  const host = await open(t)
  t.ok(host instanceof EventEmitter)
  t.equal(host[Symbol.asyncDispose]().constructor, Promise)
  await host.close()
  t.ok(host.closed)
  host.poll()
  host.flush()
  host.destroy()
})

void t.test('datagrams that the socket will not send are in the ledger, and a diagnostic says so', async (t) => {
  const { client, peer } = await pair(t)
  const told = once(client, 'diagnostic') as Promise<[{ code: string }]>
  // An address of the other family under a peer: what a socket answers with an error at once.
  Object.defineProperty(peer, 'address', { value: '::1' })
  peer.send(0, new Uint8Array(1), 'unreliable')
  t.equal((await told)[0].code, 'socket')
  t.ok(client.ledger.socket > 0)
  t.equal(client.ledger.socket, client.stats.sendErrors)
})

void t.test('a stall of our own loop, far longer than all timeouts, costs no connection', async (t) => {
  const program = `
    import { createHost } from ${JSON.stringify(new URL('../../src/transport/index.js', import.meta.url).href)}
    const server = await createHost({ host: '127.0.0.1' })
    server.on('receive', (peer, channel, bytes) => peer.send(channel, bytes))
    console.log(server.address.port)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill())
  const [port] = (await once(child.stdout, 'data')) as [Buffer]
  const client = await open(t, { timeout: { limit: 2, minimumMs: 100, maximumMs: 150 }, pingIntervalMs: 50 })
  const reasons: EndReason[] = []
  const told: string[] = []
  client.on('disconnect', (_, { reason }) => void reasons.push(reason))
  client.on('diagnostic', ({ code }) => void told.push(code))
  const peer = await client.connect({ host: LOOPBACK, port: Number(String(port)), timeoutMs: LONG_MS })
  for (let round = 0; round < 3; round++) {
    const delivered = peer.deliver(0, new Uint8Array(10))
    client.flush()
    for (const end = performance.now() + 500; performance.now() < end; );
    await delivered
  }
  await peer.deliver(0, new Uint8Array(10))
  t.same(reasons, [])
  t.ok(told.includes('stall'))
  t.ok(client.stats.stalledMs > 500)
})

void t.test('several sockets share a port where Node can do that; elsewhere the error says what it takes', async (t) => {
  const first = await open(t, { reusePort: true })
  const second = createHost({ host: LOOPBACK, port: first.address.port, reusePort: true })
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 12)) {
    const host = await second
    t.equal(host.address.port, first.address.port)
    await host.close()
  } else {
    const error = await rejection(second)
    t.equal(error.code, 'ERR_SOCKET')
    t.match(error.message, /reusePort needs Node 22\.12/)
  }
})

void t.test('no handle is left: a program with hosts, a failed connect and closes ends by itself', async (t) => {
  const program = `
    import { createHost } from ${JSON.stringify(new URL('../../src/transport/index.js', import.meta.url).href)}
    const server = await createHost({ host: '127.0.0.1' })
    const client = await createHost({ host: '127.0.0.1', client: true, pump: 'manual' })
    const gone = await createHost({ host: '127.0.0.1' })
    gone.destroy()
    await client.connect({ host: '127.0.0.1', port: gone.address.port, timeoutMs: 200 }).catch((error) => console.log(error.code))
    await client.connect({ host: '127.0.0.1', port: server.address.port, signal: AbortSignal.timeout(1_000_000) })
    await client.close()
    await server.close()
    console.log('closed')`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { timeout: 60_000 })
  t.equal(stdout, 'ERR_UNREACHABLE\nclosed\n')
})
