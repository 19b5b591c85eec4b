// `vaiven impair`: what its words mean, which datagrams its rules take, and the relay between sockets of this machine.

import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import t from 'tap'
import type { Test } from 'tap'
import { UsageError } from '../../src/cli/arguments.ts'
import { dropRule } from '../../src/cli/impair-drops.ts'
import { inWords, profileNamed, withSettings } from '../../src/cli/impair-settings.ts'
import { help, run } from '../../src/cli/impair.ts'
import { profiles } from '../../src/transport/simulator/index.ts'

// -- helpers

/** What a wrong word is answered with; empty when it is not, or not with a UsageError. */
const complaint = (call: () => unknown): string => {
  try {
    call()
  } catch (error) {
    if (error instanceof UsageError) return error.message
  }
  return ''
}

function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
}

const numbered = (i: number): Buffer => {
  const bytes = Buffer.alloc(40)
  bytes.writeUInt16BE(i)
  return bytes
}

const socket = async (t: Test): Promise<Socket> => {
  const made = createSocket('udp4')
  made.bind(0, '127.0.0.1')
  await once(made, 'listening')
  made.setRecvBufferSize(1 << 20)
  t.teardown(() => {
    try {
      made.close()
    } catch {
      // Closed by the test.
    }
  })
  return made
}

const echoServer = async (t: Test): Promise<Socket> => {
  const server = await socket(t)
  return server.on('message', (bytes, from) => server.send(bytes, from.port, from.address))
}

type Line = Record<string, unknown> & { event: string }

/** A running `vaiven impair --listen 0 --json`. */
const impair = async (t: Test, args: string[]) => {
  const stdin = new PassThrough()
  const quit = new AbortController()
  const lines: Line[] = []
  const write = (text: string): void => {
    for (const line of text.split('\n')) if (line !== '') lines.push(JSON.parse(line) as Line)
  }
  const exited = run(['--listen', '0', '--json', '--interval', '0', ...args],
    { stdin, stdout: { write }, stderr: { write: (text) => t.fail(text) }, signal: quit.signal })
  const last = (event: string): Line => lines.findLast((line) => line.event === event) as Line
  await until(() => last('listening') !== undefined, null)
  const ask = (): { to: Record<string, number>; from: Record<string, number> } => {
    // `show` prints the counters' state at once: no waiting for an interval.
    stdin.write('count\n')
    return (last('counters') ?? { to: {}, from: {} }) as never
  }
  const stop = async (): Promise<void> => {
    quit.abort()
    await exited
  }
  t.teardown(stop)
  return {
    port: last('listening')['port'] as number,
    lines,
    exited,
    last,
    stop,
    type: (line: string) => void stdin.write(`${line}\n`),
    async say(line: string, answer = 'changed') {
      const before = lines.filter(({ event }) => event === answer).length
      stdin.write(`${line}\n`)
      await until(() => lines.filter(({ event }) => event === answer).length > before, null)
    },
    get changed() {
      return last('changed')
    },
    /** As of the latest look; `until` looks again and again. */
    count: (direction: 'to' | 'from', name: string) => ask()[direction][name] ?? 0,
    lost: (direction: 'to' | 'from') => {
      const { lost = 0, blackout = 0, filtered = 0 } = ask()[direction]
      return lost + blackout + filtered
    },
  }
}

/** Waits for something that must happen; ten seconds mean that it does not. */
const until = async (condition: () => boolean, relay: { lines: readonly Line[] } | null): Promise<void> => {
  for (const end = performance.now() + 10_000; !condition(); ) {
    if (performance.now() > end) throw new Error(`it did not happen; the relay said ${JSON.stringify(relay?.lines.slice(-5))}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

// -- words

const CLEAN = { to: {}, from: {} }

t.test('settings hold for both directions, or for the one that is named', (t) => {
  t.same(withSettings(CLEAN, ['latency=40', 'loss=5%', 'from.loss=0.1']), {
    to: { latencyMs: 40, lossRatio: 0.05 },
    from: { latencyMs: 40, lossRatio: 0.1 },
  })
  t.same(withSettings(CLEAN, ['to.rate=2mbit', 'from.rate=500kbit', 'mtu=1392', 'queue=20000']), {
    to: { rateBytesPerSecond: 250_000, mtuBytes: 1392, queueBytes: 20_000 },
    from: { rateBytesPerSecond: 62_500, mtuBytes: 1392, queueBytes: 20_000 },
  })
  t.end()
})

t.test('every setting reaches the field of the simulator that it names', (t) => {
  const words = ['jitter=3ms', 'jitter-shape=exponential', 'spike=2%/80', 'burst=1%/60', 'duplicate=3%', 'replay=1%', 'reorder=4%/12',
    'order=free',
    'corrupt=0.5%', 'truncate=0.25%', 'extend=0.125%', 'blackout=5000+300/12000']
  t.same(withSettings(CLEAN, words).to, {
    jitterMs: 3, jitterShape: 'exponential', spikeRatio: 0.02, spikeMs: 80, burstLoss: { lossRatio: 0.01,
      meanBurstMs: 60 }, duplicateRatio: 0.03,
    replayRatio: 0.01, reorderRatio: 0.04, reorderByMs: 12, keepOrder: false, corruptRatio: 0.005, truncateRatio: 0.0025, extendRatio: 0.00125,
    blackouts: [{ atMs: 5000, durationMs: 300, everyMs: 12_000 }],
  })
  t.end()
})

t.test('none takes a setting back, and leaves the others of a profile alone', (t) => {
  const { to } = withSettings(profileNamed('busy-wifi'), ['burst=none'])
  const { burstLoss, ...rest } = profiles.busyWifi.to
  t.ok(burstLoss)
  t.same(to, rest)
  t.end()
})

t.test('what makes no sense is said in words', (t) => {
  for (const [words, message] of [
    [['loss=500'], /write 500% for 500 percent/],
    [['los=5%'], /no setting "los"; there are latency, jitter/],
    [['latency'], /"latency" is not a setting/],
    [['latency=soon'], /"soon" is not a number/],
    [['rate=fast'], /rate is "fast"/],
    [['blackout=5'], /blackout is "5"/],
    [['order=chaos'], /must be keep or free/],
  ] as const) {
    t.match(complaint(() => withSettings(CLEAN, words)), message, words.join(' '))
  }
  t.match(complaint(() => profileNamed('moon')), /no profile "moon"; there are lan, goodWifi/)
  for (const rule of ['', 'channel=300', 'command=shout', 'ratio=50%', 'loss=5%']) t.match(complaint(() => dropRule(rule)),
    /--drop|channel|command/, rule)
  t.end()
})

t.test('conditions are told in words', (t) => {
  t.equal(inWords({}), 'clean')
  t.equal(inWords(withSettings(CLEAN, ['loss=5%', 'burst=1%/60', 'blackout=5000+300']).to),
    'lossRatio 0.05, burst 0.01/60, blackout 5000+300')
  t.end()
})

/** Datagrams with known commands: a ping, an acknowledgement with a reliable packet on channel 2, an unreliable one on channel 0. */
const PING = hex('8000 0001 85ff 0001')
const ACK_AND_RELIABLE = hex('8000 0001 01ff 0001 0001 0001 8602 0001 0002 6869')
const UNRELIABLE = hex('8000 0001 0700 0001 0001 0001 61')

t.test('a rule takes datagrams by the commands in them', (t) => {
  const taken = (rule: string): boolean[] => {
    const made = dropRule(rule)
    return [PING, ACK_AND_RELIABLE, UNRELIABLE, hex('ffee')].map((bytes) => made.takes(bytes, 'to'))
  }
  t.same(taken('channel=2'), [false, true, false, false])
  t.same(taken('channel=255'), [true, true, false, false])
  t.same(taken('command=ack'), [false, true, false, false])
  t.same(taken('command=ack,only'), [false, false, false, false])
  t.same(taken('command=ping,only'), [true, false, false, false])
  t.same(taken('command=unreliable'), [false, false, true, false])
  t.same(taken('command=reliable,channel=2'), [false, true, false, false])
  t.same(taken('command=reliable,channel=0'), [false, false, false, false], 'both must hold for one command')
  t.same(taken('command=ping,direction=from'), [false, false, false, false])
  t.end()
})

t.test('a rule may be for the first few, or for a share', (t) => {
  const first = dropRule('command=ping,count=2')
  t.same([1, 2, 3].map(() => first.takes(PING, 'to')), [true, true, false])
  t.equal(first.dropped, 2)
  const chances = [0.1, 0.6, 0.4, 0.9]
  const half = dropRule('command=ping,ratio=50%', () => chances.shift() as number)
  t.same([1, 2, 3, 4].map(() => half.takes(PING, 'to')), [true, false, true, false])
  t.end()
})

// -- the relay

t.test('what is lost is counted, what passes arrives, and the same seed loses the same', async (t) => {
  const once = async (): Promise<number[]> => {
    const server = await echoServer(t)
    const relay = await impair(t, ['--to', `127.0.0.1:${server.address().port}`, '--seed', '7', 'to.loss=30%', 'latency=2'])
    const client = await socket(t)
    const back: number[] = []
    client.on('message', (bytes) => back.push(bytes.readUInt16BE(0)))
    for (let i = 0; i < 200; i++) client.send(numbered(i), relay.port, '127.0.0.1')
    // The relay may count a datagram as delivered before this process has read it from its socket.
    const passed = (): number => 200 - relay.count('to', 'lost')
    await until(() => relay.count('to', 'sent') === 200 && relay.count('to', 'inFlight') === 0 && back.length >= passed(), relay)
    t.equal(back.length, passed(), 'everything that was not lost came back')
    await relay.stop()
    return back.sort((a, b) => a - b)
  }
  const first = await once()
  t.ok(first.length > 110 && first.length < 170, `about 70 % came through: ${first.length}`)
  t.same(await once(), first)
})

t.test('conditions change while it runs, by lines of standard input', async (t) => {
  const server = await echoServer(t)
  const relay = await impair(t, ['--to', `127.0.0.1:${server.address().port}`])
  const client = await socket(t)
  const echo = async (): Promise<boolean> => {
    const before = relay.count('from', 'delivered')
    const sent = relay.count('to', 'sent')
    client.send(numbered(1), relay.port, '127.0.0.1')
    await until(() => relay.count('to', 'sent') === sent + 1, relay)
    if (relay.count('to', 'delivered') !== sent + 1 - relay.lost('to')) return false
    await until(() => relay.count('from', 'delivered') > before || relay.lost('from') > 0, relay)
    return relay.count('from', 'delivered') > before
  }
  t.ok(await echo(), 'clean at first')
  await relay.say('to.loss=100%')
  t.equal(relay.changed['to'] && (relay.changed['to'] as { lossRatio: number }).lossRatio, 1)
  client.send(numbered(2), relay.port, '127.0.0.1')
  await until(() => relay.count('to', 'lost') === 1, relay)
  await relay.say('clean')
  await relay.say('cut to')
  client.send(numbered(3), relay.port, '127.0.0.1')
  await until(() => relay.count('to', 'blackout') === 1, relay)
  await relay.say('heal')
  await relay.say('drop command=ping')
  client.send(PING, relay.port, '127.0.0.1')
  await until(() => relay.count('to', 'filtered') === 1, relay)
  await relay.say('undrop')
  await relay.say('profile geoSatellite')
  t.match(relay.changed, { to: { latencyMs: 295 } })
  await relay.say('loss=400', 'failed')
  t.match(relay.last('failed'), { message: /400%/ })
  await relay.say('dance', 'failed')
  t.match(relay.changed, { to: { latencyMs: 295 } }, 'nonsense changes nothing')
  relay.type('quit')
  t.equal(await relay.exited, 0)
  t.ok(relay.last('summary'))
})

t.test('clients have paths of their own, and no more than there is room for', async (t) => {
  const server = await echoServer(t)
  const relay = await impair(t, ['--to', `127.0.0.1:${server.address().port}`, '--clients', '2'])
  const heard: number[] = [0, 0, 0]
  const clients = await Promise.all([0, 1, 2].map(() => socket(t)))
  clients.forEach((client, i) => client.on('message', (bytes) => (heard[i] = (heard[i] ?? 0) + (bytes.readUInt16BE(0) === i ? 1 : 1000))))
  for (const [i, client] of clients.entries()) {
    client.send(numbered(i), relay.port, '127.0.0.1')
    await until(() => relay.lines.filter(({ event }) => event === 'client').length === i + 1, relay)
  }
  await until(() => heard[0] === 1 && heard[1] === 1, relay)
  t.same(heard, [1, 1, 0], 'each heard its own echo; the third none')
  t.equal(relay.last('client')['what'], 'refused')
})

t.test('a server that is not there is named', { skip: process.platform !== 'linux' && 'not every system reports it' }, async (t) => {
  const gone = await socket(t)
  const { port } = gone.address()
  gone.close()
  const relay = await impair(t, ['--to', `127.0.0.1:${port}`])
  const client = await socket(t)
  client.send(numbered(1), relay.port, '127.0.0.1')
  await until(() => relay.lines.some(({ event }) => event === 'unreachable'), relay)
  t.pass('said so, and went on')
})

t.test('wrong usage is exit code 2 with a sentence', async (t) => {
  for (const [args, message] of [
    [[], /--listen PORT is missing/],
    [['--listen', '0'], /--to HOST:PORT is missing/],
    [['--listen', '0', '--to', 'nowhere'], /is not HOST:PORT/],
    [['--listen', 'x:1', '--to', '127.0.0.1:1'], /numeric address/],
    [['--listen', '0', '--to', '127.0.0.1:1', '--profile', 'moon'], /no profile/],
    [['--listen', '0', '--to', '127.0.0.1:1', 'latency=9999999'], /latencyMs/],
    [['--listen', '0', '--to', '127.0.0.1:1', '--clients', '0'], /--clients/],
  ] as const) {
    let err = ''
    const io = { stdin: new PassThrough(), stdout: { write: () => true }, stderr: { write: (text: string) => (err += text) },
      signal: AbortSignal.timeout(5000) }
    t.equal(await run([...args], io), 2, args.join(' '))
    t.match(err, message)
  }
})

t.test('the help names every profile and every setting', (t) => {
  for (const name of Object.keys(profiles)) t.match(help, name)
  for (const line of help.split('\n')) t.ok(line.length <= 120, line)
  t.end()
})
