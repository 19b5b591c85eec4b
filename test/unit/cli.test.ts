// The `vaiven` program as people and scripts run it: help, usage errors, exit codes, JSON lines, Ctrl-C.

import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Test } from 'tap'
import { createHost } from '../../src/transport/index.ts'
import type { CreateHostOptions, UdpHost } from '../../src/transport/index.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
const COMMANDS = ['echo', 'ping', 'cat', 'decode', 'demo']

type Line = Record<string, unknown> & { event: string }

/** A running `vaiven`, and what it has said so far. */
class Program {
  readonly child: ChildProcessWithoutNullStreams
  stdout = ''
  stderr = ''
  readonly #seen: Line[] = []
  readonly #waiting: { event: string; resolve: (line: Line) => void }[] = []
  readonly exited: Promise<number | null>

  constructor(t: Test, args: readonly string[]) {
    this.child = spawn(process.execPath, [MAIN, ...args])
    this.child.stdout.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()))
    this.child.stderr.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()))
    createInterface({ input: this.child.stdout }).on('line', (text) => {
      if (!text.startsWith('{')) return
      const line = JSON.parse(text) as Line
      this.#seen.push(line)
      const index = this.#waiting.findIndex(({ event }) => event === line.event)
      if (index >= 0) this.#waiting.splice(index, 1)[0]?.resolve(line)
    })
    this.exited = once(this.child, 'close').then(([code]) => code as number | null)
    t.teardown(() => this.child.kill('SIGKILL'))
  }

  /** The first JSON line of an event, now or later. */
  said(event: string): Promise<Line> {
    const line = this.#seen.find((seen) => seen.event === event)
    return line !== undefined ? Promise.resolve(line) : new Promise((resolve) => this.#waiting.push({ event, resolve }))
  }

  all(event: string): Line[] {
    return this.#seen.filter((line) => line.event === event)
  }

  interrupt(): Promise<number | null> {
    this.child.kill('SIGINT')
    return this.exited
  }
}

/** Runs a program to its end. */
const run = async (t: Test, args: readonly string[], input = '') => {
  const program = new Program(t, args)
  program.child.stdin.end(input)
  const code = await program.exited
  return { code, stdout: program.stdout, stderr: program.stderr, program }
}

const echoServer = async (t: Test, options: CreateHostOptions = {}): Promise<UdpHost> => {
  const host = await createHost({ host: '127.0.0.1', ...options })
  host.on('receive', (peer, channel, bytes, delivery) => peer.send(channel, bytes, delivery))
  t.teardown(() => host.destroy())
  return host
}

void t.test('help is there for the program and for every command', async (t) => {
  const overview = await run(t, ['--help'])
  t.equal(overview.code, 0)
  for (const command of COMMANDS) t.match(overview.stdout, new RegExp(`^  ${command} `, 'm'))
  const texts = await Promise.all(COMMANDS.flatMap((command) => [run(t, [command, '--help']), run(t, ['help', command])]))
  for (const [i, { code, stdout, stderr }] of texts.entries()) {
    t.equal(code, 0)
    t.match(stdout, new RegExp(`^usage: vaiven ${COMMANDS[i >> 1]} `))
    t.match(stdout, /^Exit code/m)
    t.equal(stderr, '')
  }
  t.match((await run(t, ['--version'])).stdout, /^\d+\.\d+\.\d+\n$/)
})

void t.test('arguments that make no sense end with code 2, a sentence, and nothing on standard output', async (t) => {
  const cases: [string[], RegExp][] = [
    [[], /^usage: vaiven COMMAND/],
    [['dance'], /no command "dance"/],
    [['constructor'], /no command "constructor"/],
    [['ping'], /HOST:PORT is missing/],
    [['ping', 'localhost'], /"localhost" is not HOST:PORT/],
    [['ping', 'localhost:0'], /"localhost:0" is not HOST:PORT/],
    [['ping', '::1:7777'], /brackets: \[::1\]:7777/],
    [['ping', 'a:1', 'b:2'], /what is "b:2"/],
    [['ping', 'a:1', '--count', 'many'], /--count is "many"; it must be an integer from 1/],
    [['cat', 'a:1', '--channel', '3', '--channels', '3'], /--channel is "3"; it must be an integer from 0 to 2/],
    [['cat', 'a:1', '--delivery', 'maybe'], /reliable or unreliable or unsequenced/],
    [['cat', 'a:1', '--checksum', 'md5'], /--checksum is "md5"; it must be none or crc32/],
    [['echo', '--port', '65536'], /--port is "65536"/],
    [['echo', '--nonsense'], /--nonsense/],
    [['echo', 'extra'], /"extra" is not an option/],
    [['demo', '--clients', '0'], /--clients is "0"/],
  ]
  for (const [i, { code, stdout, stderr }] of (await Promise.all(cases.map(([args]) => run(t, args)))).entries()) {
    const [args, message] = cases[i] as [string[], RegExp]
    t.equal(code, 2, args.join(' '))
    t.match(stderr, message)
    t.equal(stdout, '', args.join(' '))
  }
})

void t.test('echo, cat and ping against each other, with JSON lines for every step', async (t) => {
  const echo = new Program(t, ['echo', '--host', '127.0.0.1', '--port', '0', '--json', '--channels', '2'])
  const { host, port } = await echo.said('listening')
  t.equal(host, '127.0.0.1')
  const where = `127.0.0.1:${String(port)}`

  const options = ['--json', '--linger', '300', '--channels', '3', '--channel', '1', '--data', '0x2a']
  const cat = await run(t, ['cat', where, ...options], 'hello\nwörld\n\n')
  t.equal(cat.code, 0, cat.stderr)
  t.match(await cat.program.said('connect'), { host: '127.0.0.1', port, channels: 2 })
  t.strictSame(cat.program.all('receive'), [
    { event: 'receive', channel: 1, delivery: 'reliable', length: 5, hex: '68656c6c6f', text: 'hello' },
    { event: 'receive', channel: 1, delivery: 'reliable', length: 6, hex: '77c3b6726c64', text: 'wörld' },
    { event: 'receive', channel: 1, delivery: 'reliable', length: 0, hex: '', text: '' },
  ])
  t.match(await cat.program.said('summary'), { sent: 3, received: 3 })
  t.match(await echo.said('connect'), { peer: 0, host: '127.0.0.1', channels: 2, data: 42 })
  t.match(await echo.said('disconnect'), { peer: 0, reason: 'remote', data: 0 })

  const ping = await run(t, ['ping', where, '--json', '--count', '5', '--interval', '5'])
  t.equal(ping.code, 0, ping.stderr)
  const pings = ping.program.all('ping')
  t.same(pings.map(({ seq }) => seq), [1, 2, 3, 4, 5])
  t.ok(pings.every(({ ms }) => typeof ms === 'number' && ms > 0 && ms < 10_000))
  const summary = (await ping.program.said('summary')) as Line & Record<'minMs' | 'p50Ms' | 'p95Ms' | 'p99Ms' | 'maxMs', number>
  t.match(summary, { sent: 5, answered: 5 })
  t.ok(0 < summary.minMs && summary.minMs <= summary.p50Ms && summary.p50Ms <= summary.p95Ms)
  t.ok(summary.p95Ms <= summary.p99Ms && summary.p99Ms <= summary.maxMs)

  t.equal(await echo.interrupt(), 0, 'Ctrl-C is a normal end')
  t.match(await echo.said('summary'), { connections: 2, packets: 3, reliable: 3, packetBytes: 11 })
})

void t.test('Ctrl-C ends every command cleanly: the other side hears a goodbye, and the summary is printed', async (t) => {
  const server = await echoServer(t)
  const where = `127.0.0.1:${server.address.port}`
  for (const args of [['ping', where, '--json', '--interval', '20'], ['cat', where, '--json'], ['cat', where, '--json', '--no-stdin']]) {
    const program = new Program(t, args)
    await program.said('connect')
    if (args[0] === 'ping') await program.said('ping')
    const left = once(server, 'disconnect') as Promise<[unknown, { reason: string }]>
    t.equal(await program.interrupt(), 0, args.join(' '))
    t.equal((await left)[1].reason, 'remote')
    t.equal(program.all('summary').length, 1)
  }

  const echo = new Program(t, ['echo', '--host', '127.0.0.1', '--port', '0', '--json'])
  const { port } = await echo.said('listening')
  const client = await createHost({ host: '127.0.0.1' })
  t.teardown(() => client.destroy())
  await client.connect({ host: '127.0.0.1', port: Number(port) })
  const left = once(client, 'disconnect') as Promise<[unknown, { reason: string; data: number }]>
  t.equal(await echo.interrupt(), 0)
  t.match((await left)[1], { reason: 'remote', data: 3 })
})

void t.test('Ctrl-C while connecting ends at once with code 1', async (t) => {
  const silent = await createHost({ host: '127.0.0.1', pump: 'manual' })
  t.teardown(() => silent.destroy())
  const program = new Program(t, ['cat', `127.0.0.1:${silent.address.port}`, '--timeout', '3000000'])
  // It has sent its first CONNECT when the manual host has seen a datagram.
  while (silent.stats.datagramsReceived === 0) {
    silent.poll()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  t.equal(await program.interrupt(), 1)
})

void t.test('a failed connect is said in words with code 1, and as a JSON line', async (t) => {
  const gone = await createHost({ host: '127.0.0.1' })
  await gone.close()
  const nobody = await run(t, ['ping', `127.0.0.1:${gone.address.port}`, '--timeout', '300'])
  t.equal(nobody.code, 1)
  t.match(nobody.stderr, /did not answer within 300 ms; the operating system says that nothing listens on that port/)
  const json = await run(t, ['ping', `127.0.0.1:${gone.address.port}`, '--timeout', '300', '--json'])
  t.equal(json.code, 1)
  t.match(await json.program.said('failed'), { code: 'ERR_UNREACHABLE' })

  const refusing = await echoServer(t, { accept: () => 7 })
  const refused = await run(t, ['cat', `127.0.0.1:${refusing.address.port}`, '--json'])
  t.equal(refused.code, 1)
  t.match(await refused.program.said('failed'), { code: 'ERR_REFUSED', data: 7 })

  const unknown = await run(t, ['cat', 'no-such-name.invalid:7777'])
  t.equal(unknown.code, 1)
  t.match(unknown.stderr, /"no-such-name\.invalid"/)

  const taken = await run(t, ['echo', '--host', '127.0.0.1', '--port', String(refusing.address.port)])
  t.equal(taken.code, 1)
  t.match(taken.stderr, /is in use.*another port/)
})

void t.test('cat: text on standard output, everything else on standard error; control characters never reach the terminal', async (t) => {
  const server = await echoServer(t)
  server.on('connect', (peer) => peer.send(0, Uint8Array.of(0x1b, 0x5b, 0x41, 0x5c, 0xff), 'unsequenced'))
  const { code, stdout, stderr } = await run(t, ['cat', `127.0.0.1:${server.address.port}`, '--linger', '300'], 'plain text\n')
  t.equal(code, 0)
  t.same(stdout.split('\n').sort(), ['', '#0 reliable 10 B  plain text', '#0 unsequenced 5 B  \\x1b[A\\x5c\\xff'])
  t.match(stderr, /^connected to 127\.0\.0\.1:\d+: 3 channels$/m)
  t.match(stderr, /^1 packet sent, 2 received$/m)
})

void t.test('cat --hex sends and prints bytes; a line that is not hex is reported and makes the code 1', async (t) => {
  const server = await echoServer(t)
  const where = `127.0.0.1:${server.address.port}`
  const good = await run(t, ['cat', where, '--hex', '--linger', '300', '--delivery', 'unsequenced'], '00 FF 10\n')
  t.equal(good.code, 0)
  t.equal(good.stdout, '#0 unsequenced 3 B  00ff10\n')
  const bad = await run(t, ['cat', where, '--hex', '--linger', '300'], 'abc\n')
  t.equal(bad.code, 1)
  t.match(bad.stderr, /not hexadecimal, not sent: abc/)
})

void t.test('cat delivers a long input whole and in order before it leaves', async (t) => {
  const server = await createHost({ host: '127.0.0.1' })
  t.teardown(() => server.destroy())
  const got: string[] = []
  server.on('receive', (_, __, bytes) => void got.push(Buffer.from(bytes).toString()))
  const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i} ${'x'.repeat(100)}`)
  const left = once(server, 'disconnect')
  const { code } = await run(t, ['cat', `127.0.0.1:${server.address.port}`, '--linger', '0'], `${lines.join('\n')}\n`)
  t.equal(code, 0)
  await left
  t.equal(got.length, lines.length)
  t.strictSame(got, lines)
})

void t.test('cat and ping end with the connection: code 0 when the server says goodbye, for ping 1', async (t) => {
  const server = await echoServer(t)
  server.on('connect', (peer) => peer.disconnect(5))
  const where = `127.0.0.1:${server.address.port}`
  const cat = new Program(t, ['cat', where, '--json'])
  t.match(await cat.said('disconnect'), { reason: 'remote', data: 5 })
  t.equal(await cat.exited, 0)
  const ping = await run(t, ['ping', where, '--json', '--interval', '10'])
  t.equal(ping.code, 1)
  t.match(await ping.program.said('disconnect'), { reason: 'remote', data: 5 })
})

void t.test('ping reaches a server that insists on CRC-32, with and without the range coder', async (t) => {
  const server = await echoServer(t, { checksum: { require: 'crc32' } })
  const where = `127.0.0.1:${server.address.port}`
  for (const args of [['--checksum', 'crc32'], ['--checksum', 'crc32', '--compression', 'range-coder']]) {
    const { code, stderr } = await run(t, ['ping', where, '--count', '2', '--interval', '5', ...args])
    t.equal(code, 0, stderr)
  }
  const without = await run(t, ['ping', where, '--count', '1', '--timeout', '300'])
  t.equal(without.code, 1)
  t.match(without.stderr, /checksum/)
})

void t.test('a ping that got lost is counted as repaired', async (t) => {
  const server = await echoServer(t, { impair: { lossRatio: 0.3 } })
  const options = ['--json', '--count', '40', '--interval', '1', '--timeout', '20000']
  const { code, program } = await run(t, ['ping', `127.0.0.1:${server.address.port}`, ...options])
  t.equal(code, 0)
  const repeated = program.all('ping').filter((line) => Number(line['repeated']) > 0)
  t.ok(repeated.length > 0, 'of 40 pings over a link that loses 30 % each way, some were repeated')
  t.match(await program.said('summary'), { sent: 40, answered: 40, lost: repeated.length })
})

void t.test('demo runs both parts, repairs what was lost, and says so', async (t) => {
  const { code, stdout, program } = await run(t, ['demo', '--json', '--clients', '3', '--seconds', '1'])
  t.equal(code, 0, stdout)
  const [clean, bad] = program.all('result') as (Line & Record<string, number>)[]
  t.match(clean, { lost: 0, twice: 0, outOfOrder: 0 })
  t.match(bad, { lost: 0, twice: 0, outOfOrder: 0 })
  t.equal(clean?.['sent'], 3 * 30 * 2)
  t.equal(bad?.['delivered'], 3 * 30 * 2)
  t.ok(Number(bad?.['repaired']) > 0)
  t.ok((bad?.['oneWay'] as unknown as { p50Ms: number }).p50Ms >= 30, 'half of the round trip of 60 ms')
  t.match(await program.said('summary'), { perfect: true, delivered: 360 })
  const text = await run(t, ['demo', '--clients', '1', '--seconds', '1', '--loss', '0', '--round-trip', '0'])
  t.match(text.stdout, /every reliable packet arrived, once and in order/)
})

void t.test('a reader that leaves early ends the program', async (t) => {
  const server = await echoServer(t)
  const program = new Program(t, ['ping', `127.0.0.1:${server.address.port}`, '--interval', '5'])
  await once(program.child.stdout, 'data')
  program.child.stdout.destroy()
  t.type(await program.exited, 'number', 'it ended by itself')
})
