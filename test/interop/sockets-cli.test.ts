// The command line against stock C programs: `vaiven echo` for C clients, `vaiven cat` and `vaiven ping` for a C server, as
// processes on real sockets, clean and through a relay.

import t from 'tap'
import type { Test } from 'tap'
import { fileURLToPath } from 'node:url'
import { SeededRandom } from '../../src/util/random.ts'
import type { Delivery } from '../../src/transport/types.ts'
import { Book } from './support/book.ts'
import { CProcess } from './support/c-process.ts'
import { programs, skipReason } from './support/native.ts'
import { payload } from './support/payload.ts'
import { openRelay } from './support/relay.ts'

const skip = { skip: skipReason }
const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
const badNetwork = { lossRatio: 0.03, duplicateRatio: 0.02, jitterMs: 3, reorderRatio: 0.02, reorderByMs: [0, 20] } as const

const vaiven = (t: Test, ...args: readonly string[]): CProcess => {
  const program = new CProcess(process.execPath, [main, ...args, '--json'])
  t.teardown(() => program.stop())
  return program
}

const startEcho = async (t: Test): Promise<{ echo: CProcess; port: number }> => {
  const echo = vaiven(t, 'echo', '--port', '0')
  return { echo, port: Number((await echo.event('listening'))['port']) }
}

const startServer = async (t: Test, ...options: readonly string[]): Promise<{ server: CProcess; port: number }> => {
  const server = new CProcess(programs().server, ['--quiet', ...options])
  t.teardown(() => server.stop())
  return { server, port: Number((await server.event('listening'))['port']) }
}

const runClient = async (t: Test, port: number, options: readonly string[], ...script: readonly string[]): Promise<void> => {
  const client = new CProcess(programs().client, ['127.0.0.1', String(port), '--quiet', ...options])
  t.teardown(() => client.stop())
  client.say(...script).end()
  const summary = await client.waitFor(({ event }) => event === 'summary' || event === 'out-of-time', 90_000)
  t.match(summary, { event: 'summary', connected: true, errors: 0 }, JSON.stringify(client.lines))
  t.equal(summary['reliableBack'], summary['reliableSent'], 'every reliable packet came back')
  t.equal(await client.exited, 0)
  t.comment(JSON.stringify(summary))
}

t.test('a C client and vaiven echo exchange 10,000 packets of every kind and size through loss', skip, async (t) => {
  const { echo, port } = await startEcho(t)
  const relay = await openRelay(port, badNetwork, 11)
  t.teardown(() => relay.close())
  await runClient(t, relay.port, ['--channels', '255', '--data', '77'], 'mixed 10000 3 255 4194304')
  t.ok(relay.lost > 100 && relay.doubled > 100 && relay.reordered > 100, 'the relay did its work')
  t.match(await echo.event('connect'), { data: 77, channels: 255 })
  t.match(await echo.event('disconnect'), { reason: 'remote', data: 0 })
})

t.test('one vaiven echo with default options serves a plain, a CRC-32, a range coder and a both-on C client at once', skip, async (t) => {
  const { echo, port } = await startEcho(t)
  const dialects = [[], ['--crc'], ['--range'], ['--crc', '--range']]
  const run = (dialect: readonly string[], i: number): Promise<void> =>
    runClient(t, port, ['--channels', '8', ...dialect], `mixed 1500 ${i + 20} 8 60000`, 'wait 700')
  await Promise.all(dialects.map(run))
  const events = echo.lines.map(({ event }) => event).filter((event) => event === 'connect' || event === 'disconnect')
  t.same(events.slice(0, 4), Array(4).fill('connect'), 'all four are there before the first one leaves')
})

t.test('vaiven echo ended by a signal tells its C clients, and sums up', skip, async (t) => {
  const { echo, port } = await startEcho(t)
  const client = new CProcess(programs().client, ['127.0.0.1', String(port)])
  t.teardown(() => client.stop())
  client.say('send 1 1 5000 1', 'waitidle', 'waitdisconnect')
  await client.event('receive')
  void echo.stop()
  await client.event('disconnect')
  t.ok(await echo.event('summary'))
  t.equal(await echo.exited, 0)
  t.equal(await client.exited, 0)
})

t.test('vaiven cat and a C server exchange 10,000 packets of every kind and size through loss', skip, async (t) => {
  const { port } = await startServer(t)
  const relay = await openRelay(port, badNetwork, 12)
  t.teardown(() => relay.close())
  await Promise.all((['reliable', 'unreliable', 'unsequenced'] as const).map((delivery) => exchangeByCat(t, relay.port, delivery, 3_400)))
  t.ok(relay.lost > 100 && relay.doubled > 100, 'the relay did its work')
})

for (const [title, serverOptions, options] of [
  ['with CRC-32', ['--crc'], ['--checksum', 'crc32']],
  ['with the range coder', ['--range'], ['--compression', 'rangeCoder']],
] as const) {
  t.test(`vaiven cat speaks to a C server ${title}`, skip, async (t) => {
    const { port } = await startServer(t, ...serverOptions)
    const cat = vaiven(t, 'cat', `127.0.0.1:${port}`, '--data', '5', '--linger', '200', ...options)
    cat.say('hello', 'world').end()
    await cat.waitFor(({ event, text }) => event === 'receive' && text === 'world')
    t.equal(await cat.exited, 0, cat.noise.join(''))
  })
}

t.test('vaiven cat shows what a C server sends by itself, and how it ends the connection', skip, async (t) => {
  const { port } = await startServer(t)
  const cat = vaiven(t, 'cat', `127.0.0.1:${port}`)
  cat.say('!send 3 20 0 1 9', '!later 4000000000')
  t.match(await cat.event('disconnect'), { reason: 'remote', data: 4_000_000_000 })
  t.same(
    cat.lines.filter(({ event }) => event === 'receive').map(({ channel, delivery, hex }) => [channel, delivery, hex]),
    [0, 1, 2].map((i) => [1, 'unreliable', Buffer.from(payload(9, i, 20)).toString('hex')]),
  )
  t.equal(await cat.exited, 0)
})

t.test('vaiven ping measures a C server, directly and through loss', skip, async (t) => {
  const { server, port } = await startServer(t)
  const relay = await openRelay(port, { latencyMs: 10, lossRatio: 0.1 }, 13)
  t.teardown(() => relay.close())
  for (const [to, least] of [[port, 0], [relay.port, 20]] as const) {
    const ping = vaiven(t, 'ping', `127.0.0.1:${to}`, '--count', '20', '--interval', '20', '--data', '123')
    const summary = await ping.event('summary')
    t.match(summary, { sent: 20, answered: 20 })
    const trips = ping.lines.filter(({ event, repeated }) => event === 'ping' && repeated === 0).map(({ ms }) => Number(ms))
    t.ok(trips.length > 8 && Math.min(...trips) >= least, `${trips.length} round trips of ${least} ms at least`)
    t.equal(await ping.exited, 0)
  }
  t.equal(server.lines.filter(({ event, data }) => event === 'connect' && data === 123).length, 2, 'the server saw the data')
})

t.test('vaiven ping says why it could not connect: nobody there, a full C server, another dialect', skip, async (t) => {
  const { port: full } = await startServer(t, '--peers', '1')
  const holder = vaiven(t, 'cat', `127.0.0.1:${full}`)
  await holder.event('connect')
  const { port: strict } = await startServer(t, '--crc')
  for (const port of [full, strict]) {
    const ping = vaiven(t, 'ping', `127.0.0.1:${port}`, '--count', '1', '--timeout', '600')
    t.match(await ping.event('failed'), { event: 'failed' })
    t.equal(await ping.exited, 1)
  }
})

/** Sends packets of many sizes as lines of hex, and checks the lines that come back. */
const exchangeByCat = async (t: Test, port: number, delivery: Delivery, count: number): Promise<void> => {
  const seed = 40 + delivery.length
  const random = new SeededRandom(seed)
  const book = new Book()
  const cat = vaiven(t, 'cat', `127.0.0.1:${port}`, '--hex', '--delivery', delivery, '--channel', '2',
    // A 4 MB packet on its way back through loss is a long silence: C sends it in windows of 64 KiB.
    '--linger', delivery === 'reliable' ? '15000' : '1500')
  await cat.event('connect')
  for (let i = 0; i < count; i++) {
    const most = delivery !== 'reliable' ? 1_000 : i === count >> 1 ? 4 << 20 : i % 100 === 99 ? 30_000 : 1_400
    const bytes = payload(seed, i, most > 1_400 ? most : random.below(random.chance(0.7) ? 101 : most + 1))
    book.sent(2, delivery, bytes)
    cat.say(Buffer.from(bytes).toString('hex'))
    // As fast as a person's program would: the network's buffers are not what is tested here.
    if (i % 50 === 49 && delivery !== 'reliable') await new Promise((resolve) => setTimeout(resolve, 5))
  }
  cat.end()
  t.equal(await cat.exited, 0, cat.noise.join(''))
  for (const line of cat.lines) {
    if (line.event !== 'receive') continue
    const bytes = Buffer.from(String(line['hex']), 'hex')
    book.arrived({ channel: Number(line['channel']), delivery: line['delivery'] as Delivery, bytes })
  }
  t.same([book.wrong, book.owed], [[], 0], delivery)
  // How many of the others come depends on the C throttle and on how busy this machine is.
  t.ok(book.received[delivery] > 30, `${book.received[delivery]} of ${count} came back`)
}
