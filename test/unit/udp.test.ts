// The dgram driver around a stand-in endpoint: what it promises about bursts, order, time, errors and its end.

import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { EventEmitter, once } from 'node:events'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import t from 'tap'
import type { Test } from 'tap'
import type { Address, Datagram, Endpoint, Millis } from '../../src/transport/endpoint.ts'
import { UdpDriver } from '../../src/transport/udp.ts'
import type { DriverSocket, UdpDriverOptions } from '../../src/transport/udp.ts'

/** Remembers what was done to it; tests decide what it answers. */
class Recorder implements Endpoint<string> {
  readonly log: string[] = []
  readonly received: { text: string; from: Address; at: Millis; bytes: Uint8Array }[] = []
  readonly advances: Millis[] = []
  readonly events: string[] = []
  readonly out: { text: string; to: Address }[] = []
  due: Millis = Infinity
  onReceive: (text: string, from: Address) => void = () => {}
  onAdvance: (now: Millis) => void = () => {}
  onTransmit: () => void = () => {}

  receive(bytes: Uint8Array, from: Address, at: Millis): void {
    const text = Buffer.from(bytes).toString()
    this.log.push(`receive ${text}`)
    this.received.push({ text, from, at, bytes })
    this.onReceive(text, from)
  }

  advance(now: Millis): void {
    this.log.push('advance')
    this.advances.push(now)
    if (now >= this.due) this.due = Infinity
    this.onAdvance(now)
  }

  pollEvent(): string | null {
    return this.events.shift() ?? null
  }

  pollTransmit(out: Datagram): boolean {
    const next = this.out.shift()
    if (next === undefined) return false
    this.log.push(`transmit ${next.text}`)
    out.length = Buffer.from(out.bytes.buffer, out.bytes.byteOffset).write(next.text)
    out.address = next.to.address
    out.port = next.to.port
    this.onTransmit()
    return true
  }

  deadline(): Millis {
    return this.due
  }
}

const numericLookup = (address: string, options: unknown, callback?: (e: null, a: string, f: number) => void): void =>
  (callback ?? (options as (e: null, a: string, f: number) => void))(null, address, address.includes(':') ? 6 : 4)

const bound = async (t: Test, address = '127.0.0.1'): Promise<Socket> => {
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', lookup: numericLookup })
  await new Promise<void>((resolve) => socket.bind(0, address, resolve))
  t.teardown(() => {
    try {
      socket.close()
    } catch {
      // the test has closed it
    }
  })
  return socket
}

const driven = async (t: Test, options: Partial<UdpDriverOptions<string>> = {}) => {
  const endpoint = new Recorder()
  const socket = await bound(t)
  let pumped = (): void => {}
  const driver = new UdpDriver(endpoint, socket, {
    onEvent: (event) => void endpoint.log.push(`event ${event}`), onPumped: () => pumped(), ...options,
  })
  t.teardown(() => driver.close())
  const other = await bound(t)
  const { port } = socket.address()
  const send = (text: string): void => other.send(text, port, '127.0.0.1')
  /**
   * Lets a pump arm a deadline so long after it, and does something in the same turn of the loop: however busy the machine is, the
   * deadline has not been served before.
   */
  const armed = (delayMs: number, inTheSameTurn: () => void): void => {
    endpoint.onAdvance = (now) => {
      endpoint.onAdvance = () => {}
      endpoint.due = now + delayMs
      pumped = () => {
        pumped = () => {}
        inTheSameTurn()
      }
    }
    driver.wake()
  }
  return { endpoint, socket, driver, other, send, armed, otherAddress: { address: '127.0.0.1', port: other.address().port } }
}

/** Turns of the loop until something holds; fails after a generous while. */
const until = async (what: string, holds: () => boolean): Promise<void> => {
  for (const end = performance.now() + 20_000; !holds(); ) {
    if (performance.now() > end) throw new Error(`never happened: ${what}`)
    await sleep(1)
  }
}

const blockLoop = (ms: number): void => {
  for (const end = performance.now() + ms; performance.now() < end; );
}

void t.test('32 datagrams that wait in the socket are answered by one pump, in order, with one reading of the clock', async (t) => {
  const { endpoint, driver, send } = await driven(t)
  const texts = Array.from({ length: 32 }, (_, i) => String(i))
  for (const text of texts) send(text)
  await until('all received and pumped', () => endpoint.received.length === 32 && driver.stats.pumps > 0)
  t.equal(driver.stats.pumps, 1)
  t.same(endpoint.received.map(({ text }) => text), texts)
  t.equal(new Set(endpoint.received.map(({ at }) => at)).size, 1)
  t.equal(endpoint.log.filter((line) => line === 'advance').length, 1)
})

void t.test('the endpoint gets plain bytes, the address of the sender, and a time that never decreases', async (t) => {
  const { endpoint, send, otherAddress } = await driven(t)
  const before = performance.now()
  send('a')
  await until('first', () => endpoint.received.length === 1)
  send('b')
  await until('second', () => endpoint.received.length === 2)
  const [a, b] = endpoint.received
  t.equal(Object.getPrototypeOf(a?.bytes), Uint8Array.prototype, 'no Buffer')
  t.match(a?.from, otherAddress)
  t.ok(before <= a!.at && a!.at <= b!.at && b!.at <= performance.now())
})

void t.test('events come before transmit, so that a reply leaves in the pump of the datagram that it answers', async (t) => {
  const { endpoint, driver, other, send, otherAddress } = await driven(t, {
    onEvent: (event) => {
      endpoint.log.push(`event ${event}`)
      endpoint.out.push({ text: `reply to ${event}`, to: otherAddress })
      driver.wake()
    },
  })
  endpoint.onReceive = (text) => void endpoint.events.push(text)
  const answered = once(other, 'message')
  send('hello')
  const [reply] = (await answered) as [Buffer]
  t.equal(reply.toString(), 'reply to hello')
  t.same(endpoint.log.slice(0, 4), ['receive hello', 'advance', 'event hello', 'transmit reply to hello'])
  await sleep(5)
  t.equal(driver.stats.pumps, 1, 'the command of the listener needed no pump of its own')
})

void t.test('commands given outside of a pump leave in one pump of the same turn', async (t) => {
  const { endpoint, driver, other, otherAddress } = await driven(t)
  const texts: string[] = []
  other.on('message', (message) => texts.push(message.toString()))
  for (const text of ['a', 'b', 'c']) {
    endpoint.out.push({ text, to: otherAddress })
    driver.wake()
  }
  t.same(texts, [])
  await until('three arrived', () => texts.length === 3)
  t.same(texts, ['a', 'b', 'c'])
  t.equal(driver.stats.pumps, 1)
})

void t.test('flush() sends before it returns', async (t) => {
  const { endpoint, driver, other, otherAddress } = await driven(t)
  endpoint.out.push({ text: 'now', to: otherAddress })
  driver.flush()
  t.same(endpoint.log, ['advance', 'transmit now'])
  t.equal(driver.stats.pumps, 0)
  const [message] = (await once(other, 'message')) as [Buffer]
  t.equal(message.toString(), 'now')
})

void t.test('pause() leaves the rest of the events to the next turn, after all code behind an await has run', async (t) => {
  const log: string[] = []
  const { endpoint, driver } = await driven(t, {
    onEvent: (event) => {
      log.push(event)
      if (event !== 'settles') return
      driver.pause()
      void (async () => {
        await null
        await null
        log.push('code behind await')
      })()
    },
  })
  endpoint.events.push('before', 'settles', 'after')
  driver.wake()
  await until('all events', () => log.includes('after'))
  t.same(log, ['before', 'settles', 'code behind await', 'after'])
})

void t.test('a conversation that never ends does not hold up the loop', async (t) => {
  let events = 0
  const { endpoint, driver, otherAddress } = await driven(t, {
    onEvent: () => {
      events += 1
      endpoint.out.push({ text: 'more', to: otherAddress })
      driver.wake()
    },
  })
  endpoint.onTransmit = () => void endpoint.events.push('sent')
  endpoint.events.push('first')
  driver.wake()
  for (let i = 0; i < 50; i++) await turn()
  t.ok(events > 1, 'it went on')
  endpoint.onTransmit = () => {}
})

void t.test('manual: what arrives waits for poll(), what is queued waits for flush()', async (t) => {
  const { endpoint, driver, other, send, otherAddress } = await driven(t, { pump: 'manual' })
  endpoint.onReceive = (text) => void endpoint.events.push(text)
  let heard = 0
  other.on('message', () => (heard += 1))
  const sentAt = performance.now()
  send('a')
  send('b')
  endpoint.out.push({ text: 'reply', to: otherAddress })
  endpoint.due = 0
  driver.wake()
  await sleep(30)
  t.same(endpoint.log, [], 'nothing runs by itself')
  t.equal(driver.deadline, 0)

  driver.poll()
  t.same(endpoint.log, ['receive a', 'receive b', 'advance', 'event a', 'event b'])
  t.ok(endpoint.received.every(({ at }) => sentAt <= at && at < endpoint.advances[0]! - 5), 'each carries the time at which it arrived')
  await sleep(5)
  t.equal(heard, 0)

  driver.flush()
  t.same(endpoint.log.slice(5), ['advance', 'transmit reply'])
  await until('heard', () => heard === 1)
})

void t.test('manual: flush() reads acknowledgements that wait before it lets time pass, and keeps their events for poll()', async (t) => {
  const { endpoint, driver, send } = await driven(t, { pump: 'manual' })
  endpoint.onReceive = (text) => void endpoint.events.push(text)
  send('ack')
  await sleep(20)
  driver.flush()
  t.same(endpoint.log, ['receive ack', 'advance'])
  driver.poll()
  t.same(endpoint.log.slice(2), ['advance', 'event ack'])
})

void t.test('manual: datagrams above the limit are dropped and counted when nobody polls', async (t) => {
  const { endpoint, driver, send } = await driven(t, { pump: 'manual', maxPendingBytes: 3 * (128 + 1) })
  for (const text of ['a', 'b', 'c', 'd', 'e']) send(text)
  await until('two dropped', () => driver.stats.pendingDropped === 2)
  driver.poll()
  t.same(endpoint.received.map(({ text }) => text), ['a', 'b', 'c'])
  send('f')
  await sleep(20)
  driver.poll()
  t.equal(endpoint.received.at(-1)?.text, 'f', 'poll() made room')
})

void t.test('poll() inside of a listener does nothing', async (t) => {
  const { endpoint, driver } = await driven(t, {
    pump: 'manual',
    onEvent: (event) => {
      driver.poll()
      endpoint.log.push(event)
    },
  })
  endpoint.events.push('a', 'b')
  driver.poll()
  t.same(endpoint.log, ['advance', 'a', 'b'])
})

void t.test('a manual driver runs by itself while its pump is auto, and stops when it is manual again', async (t) => {
  const { endpoint, driver, send } = await driven(t, { pump: 'manual' })
  send('a')
  await sleep(20)
  t.same(endpoint.log, [])
  driver.pump = 'auto'
  await until('read what had waited', () => endpoint.log.includes('advance'))
  t.equal(endpoint.log[0], 'receive a')
  endpoint.due = performance.now() + 15
  driver.wake()
  driver.pump = 'manual'
  const before = endpoint.log.length
  await sleep(40)
  t.equal(endpoint.log.length, before)
})

void t.test('the endpoint runs at its deadline and not before, also for fractions of a millisecond', async (t) => {
  const { endpoint, driver } = await driven(t)
  for (const delay of [0.2, 1.7, 12.4, 25]) {
    const due = performance.now() + delay
    endpoint.due = due
    driver.wake()
    await until(`deadline in ${delay} ms`, () => endpoint.due === Infinity)
    t.ok(endpoint.advances.at(-1)! >= due)
  }
})

void t.test('a deadline that moves earlier is met; one that moves later costs no pump', async (t) => {
  const { endpoint, driver, armed } = await driven(t)
  endpoint.due = performance.now() + 60_000
  driver.wake()
  await until('armed', () => driver.stats.pumps === 1)
  const early = performance.now() + 10
  endpoint.due = early
  driver.wake()
  await until('the earlier one', () => endpoint.due === Infinity)
  t.ok(endpoint.advances.at(-1)! < early + 10_000)

  let later = Infinity
  let pumps = 0
  armed(15, () => {
    later = performance.now() + 40
    endpoint.due = later
    pumps = driver.stats.pumps
  })
  await until('the later one', () => later < Infinity && endpoint.due === Infinity)
  t.equal(driver.stats.pumps, pumps + 1, 'the timer that fired early only set itself again')
  t.ok(endpoint.advances.at(-1)! >= later)
})

void t.test('after a stall of the loop, all that waits in the socket is read before overdue deadlines are judged', async (t) => {
  const { endpoint, send, armed } = await driven(t)
  armed(5, () => {
    endpoint.log.length = 0
    for (let i = 0; i < 100; i++) send(String(i))
    blockLoop(320)
  })
  await until('time passed', () => endpoint.log.includes('advance'))
  t.equal(endpoint.log.indexOf('advance'), 100)
})

void t.test('an overdue timer lets the datagrams of its own turn come first', async (t) => {
  const { endpoint, send, armed } = await driven(t)
  armed(5, () => {
    endpoint.log.length = 0
    send('ack')
    blockLoop(20)
  })
  await until('time passed', () => endpoint.log.includes('advance'))
  t.same(endpoint.log.slice(0, 2), ['receive ack', 'advance'])
})

/** A socket whose queue the test controls. */
class StuckSocket extends EventEmitter {
  readonly sent: { bytes: Buffer; text: string; done: (error: Error | null) => void }[] = []
  queue = 0
  stuck = true
  send(bytes: Buffer, _offset: number, length: number, _port: number, _address: string, done: (error: Error | null) => void): void {
    this.sent.push({ bytes, text: bytes.toString('latin1', 0, length), done })
    if (this.stuck) this.queue += length
    else process.nextTick(done, null)
  }
  getSendQueueCount = (): number => (this.queue > 0 ? 1 : 0)
  getSendQueueSize = (): number => this.queue
  close = (done: () => void): void => void process.nextTick(done)
  disconnect = (): void => {}
  connect = (): void => {}
  unref = (): this => this
}

void t.test('a full send queue stops the draining of the endpoint; completed sends let it go on', async (t) => {
  const endpoint = new Recorder()
  const socket = new StuckSocket()
  const driver = new UdpDriver(endpoint, socket as unknown as DriverSocket, { onEvent: () => {}, maxQueuedBytes: 25 })
  for (let i = 0; i < 10; i++) endpoint.out.push({ text: `datagram ${i}`, to: { address: '192.0.2.1', port: 9 } })
  driver.wake()
  await until('the queue is full', () => endpoint.out.length === 7)
  driver.wake()
  await turn()
  await turn()
  t.equal(socket.sent.length, 3, 'three of ten bytes: the limit is passed once, not twice')
  t.equal(new Set(socket.sent.slice(1).map(({ bytes }) => bytes)).size, 2, 'bytes that the socket still holds are not written again')
  t.not(socket.sent[0]?.bytes, socket.sent[1]?.bytes)
  t.equal(socket.sent[0]?.bytes.toString('latin1', 0, 10), 'datagram 0')

  socket.stuck = false
  socket.queue = 0
  socket.sent[2]?.done(null)
  await until('the rest', () => socket.sent.length === 10)
  t.same(socket.sent.map(({ text }) => text), Array.from({ length: 10 }, (_, i) => `datagram ${i}`))
  t.equal(new Set(socket.sent.slice(4).map(({ bytes }) => bytes)).size, 1, 'an idle socket is served from one buffer')
  await driver.close()
})

void t.test('sends that fail are counted and hinted at, never thrown', async (t) => {
  const hints: NodeJS.ErrnoException[] = []
  const { endpoint, driver, other, otherAddress } = await driven(t, { onHint: (error) => void hints.push(error) })
  endpoint.out.push({ text: 'no such family', to: { address: '::1', port: 9 } })
  endpoint.out.push({ text: 'no such port', to: { address: '127.0.0.1', port: 0 } })
  endpoint.out.push({ text: 'fine', to: otherAddress })
  driver.wake()
  const [message] = (await once(other, 'message')) as [Buffer]
  t.equal(message.toString(), 'fine', 'the next datagram still leaves')
  await until('both counted', () => driver.stats.sendErrors === 2)
  t.equal(hints.length, 2)
  t.ok(hints.every(({ code }) => typeof code === 'string'))
})

void t.test('a connected socket turns ICMP "port unreachable" into a hint and lives on', async (t) => {
  const closed = await bound(t)
  const to = { address: '127.0.0.1', port: closed.address().port }
  closed.close()
  await once(closed, 'close')
  const hints: (string | undefined)[] = []
  const { endpoint, driver, other, otherAddress } = await driven(t, { onHint: ({ code }) => void hints.push(code) })
  driver.connectSocket(to)
  endpoint.out.push({ text: 'anybody?', to })
  driver.wake()
  await until('the hint', () => hints.length > 0)
  t.equal(hints[0], 'ECONNREFUSED')

  endpoint.out.push({ text: 'elsewhere', to: otherAddress })
  driver.wake()
  await until('counted', () => driver.stats.sendErrors > 0)
  driver.connectSocket(null)
  endpoint.out.push({ text: 'free again', to: otherAddress })
  driver.wake()
  const [message] = (await once(other, 'message')) as [Buffer]
  t.equal(message.toString(), 'free again')
})

void t.test('an endpoint that throws leaves the driver in order: the next pump works', async (t) => {
  const { endpoint, driver } = await driven(t, {
    pump: 'manual',
    onEvent: (event) => {
      if (event === 'bad') throw new Error('from the owner')
      endpoint.log.push(event)
    },
  })
  endpoint.events.push('bad', 'good')
  t.throws(() => driver.poll(), { message: 'from the owner' })
  driver.poll()
  t.equal(endpoint.log.at(-1), 'good')
})

void t.test('after close() nothing runs any more', async (t) => {
  const { endpoint, driver, send } = await driven(t)
  endpoint.due = performance.now() + 20
  driver.wake()
  await until('armed', () => driver.stats.pumps === 1)
  driver.wake()
  const closing = driver.close()
  const lines = endpoint.log.length
  driver.wake()
  driver.poll()
  driver.flush()
  driver.connectSocket({ address: '127.0.0.1', port: 9 })
  await closing
  await driver.close()
  t.ok(driver.closed)
  send('too late')
  await sleep(40)
  t.equal(endpoint.log.length, lines)
})

/** Runs a program with a driver whose endpoint has a deadline in ten minutes; resolves to what it printed when it ends by itself. */
const outlived = async (options: string, program: string): Promise<string> => {
  const source = `
    import { createSocket } from 'node:dgram'
    import { UdpDriver } from ${JSON.stringify(new URL('../../src/transport/udp.js', import.meta.url).href)}
    const quiet = { receive() {}, advance() {}, pollEvent: () => null, pollTransmit: () => false }
    const endpoint = { ...quiet, deadline: () => performance.now() + 600_000 }
    const socket = createSocket('udp4').bind(0, '127.0.0.1', () => {
      const driver = new UdpDriver(endpoint, socket, { onEvent() {}, ${options} })
      driver.wake()
      ${program}
    })`
  return (await promisify(execFile)(process.execPath, ['--input-type=module', '-e', source], { timeout: 60_000 })).stdout
}

void t.test('close() leaves no handle: the process ends although a deadline was set', async (t) => {
  t.equal(await outlived('', `setTimeout(() => driver.close().then(() => console.log('closed')), 20)`), 'closed\n')
})

void t.test('an unref-ed driver does not keep the process alive', async (t) => {
  t.equal(await outlived('unref: true', `setTimeout(() => console.log('last words'), 50)`), 'last words\n')
})
