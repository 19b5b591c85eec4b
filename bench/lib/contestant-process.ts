// The program around one contestant, so that server and client each have a process, an event loop and a heap of their own:
//   contestant-process MODULE server [--peers N]
//   contestant-process MODULE client PORT WORKLOAD [--size N] [--count N] [--batch N] [--window N] [--every N] [--rate N]
//                      [--seconds N] [--spin N]
// Prints JSON lines; a server answers `usage` on standard input and ends with its input. bench/native/enet.c speaks the same.

import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import type { Connection, Contestant } from './contestant.ts'

/** First byte of a message: what the server does with it. */
const ECHO = 0x45
const ANSWER = 0x41
const SWALLOW = 0x53

const say = (line: Record<string, unknown>): void => void process.stdout.write(`${JSON.stringify(line)}\n`)
/** What looking at the heap has cost: a whole collection each time, which is not the contestant's. */
let lookingMs = 0
const totalCpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
const cpuMs = (): number => totalCpuMs() - lookingMs
const heapBytes = (): number => {
  const before = totalCpuMs()
  globalThis.gc?.()
  lookingMs += totalCpuMs() - before
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peers: { type: 'string' }, channels: { type: 'string' }, size: { type: 'string' }, count: { type: 'string' }, batch: { type: 'string' },
    window: { type: 'string' }, every: { type: 'string' }, rate: { type: 'string' }, seconds: { type: 'string' }, spin: { type: 'string' },
  },
})
const number = (name: keyof typeof values, fallback: number): number => (values[name] === undefined ? fallback : Number(values[name]))
const [modulePath = '', role, port, workload] = positionals
const contestant = ((await import(pathToFileURL(modulePath).href)) as { default: Contestant }).default

// -- server

const serve = async (): Promise<void> => {
  const base = heapBytes()
  const answer = new Uint8Array([0x61])
  const server = await contestant.listen({ peers: number('peers', 32) }, (bytes, reply) => {
    const op = bytes[0]
    if (op === ECHO) reply(bytes)
    else if (op === ANSWER) reply(answer)
  })
  say({ event: 'listening', port: server.port })
  for await (const line of createInterface({ input: process.stdin })) {
    if (line !== 'usage') continue
    const cpu = cpuMs()
    const { sent, received } = server.datagrams?.() ?? { sent: null, received: null }
    say({ event: 'usage', cpuMs: cpu, heapBytes: heapBytes() - base, peers: server.peers(), datagramsSent: sent,
      datagramsReceived: received })
  }
  await server.close()
}

// -- client

let onMessage: (bytes: Uint8Array) => void = () => {}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const nowNs = (): number => performance.now() * 1e6

const message = (op: number, size: number): Uint8Array => {
  const bytes = new Uint8Array(size)
  bytes[0] = op
  return bytes
}

/** Round trips before the first that counts: JavaScript is compiled while it runs. Who is slow is not waited for. */
const WARM_UP = 8_000
const WARM_UP_LIMIT_NS = 1.5e9
const ECHO_LIMIT_NS = 5e9

/** One message at a time: the next leaves when the last is back. `trips` are all of them, with those that do not count. */
const echo = (connection: Connection, size: number, count: number): Promise<Record<string, unknown>> =>
  new Promise((resolve) => {
    const bytes = message(ECHO, size)
    const samplesNs: number[] = []
    const began = nowNs()
    let trips = 0
    let countsFrom = 0
    let start = 0
    const next = (): void => {
      start = nowNs()
      connection.send(bytes)
      connection.flush?.()
    }
    onMessage = () => {
      const now = nowNs()
      trips += 1
      if (countsFrom > 0) samplesNs.push(Math.round(now - start))
      else if (trips === WARM_UP || now - began > WARM_UP_LIMIT_NS) countsFrom = now
      if (samplesNs.length === count || (countsFrom > 0 && now - countsFrom > ECHO_LIMIT_NS)) {
        resolve({ messages: samplesNs.length, trips, samplesNs })
      } else {
        // Each in a turn of its own, as a program that waits for an answer before it goes on.
        setImmediate(next)
      }
    }
    next()
  })

/** Messages leave when the schedule says so, whether or not earlier ones are back; a latency counts from the scheduled moment. */
const open = async (
  connection: Connection, size: number, rate: number, seconds: number, spin: boolean,
): Promise<Record<string, unknown>> => {
  // The first second does not count: JavaScript is compiled while it runs, and windows open.
  const uncounted = rate
  const total = uncounted + Math.floor(rate * seconds)
  const gapNs = 1e9 / rate
  const samples = new Float64Array(total)
  const bytes = message(ECHO, size)
  const view = new DataView(bytes.buffer)
  const start = nowNs() + 50e6
  const end = start + (seconds + 11) * 1e9
  let sent = 0
  let back = 0
  onMessage = (echoed) => {
    const index = new DataView(echoed.buffer, echoed.byteOffset).getUint32(4, true)
    samples[index] = nowNs() - (start + index * gapNs)
    back += 1
  }
  while (back < total && nowNs() < end) {
    const now = nowNs()
    let due = false
    for (; sent < total && start + sent * gapNs <= now; sent++) {
      view.setUint32(4, sent, true)
      connection.send(bytes)
      due = true
    }
    if (due) connection.flush?.()
    const waitMs = sent < total ? (start + sent * gapNs - nowNs()) / 1e6 : 1
    if (spin || waitMs <= 0.1) await turn()
    else await new Promise((resolve) => setTimeout(resolve, waitMs))
  }
  const samplesNs = [...samples.subarray(uncounted)].filter((ns) => ns > 0).map(Math.round)
  return { messages: total - uncounted, missing: total - uncounted - samplesNs.length, samplesNs }
}

/** As many as go through with at most `window` unanswered; the server answers the last one of each `every`. */
const stream = (
  connection: Connection, size: number, count: number, batch: number, window: number, every: number,
): Promise<Record<string, unknown>> =>
  new Promise((resolve, reject) => {
    const plain = message(SWALLOW, size)
    const asking = message(ANSWER, size)
    const start = nowNs()
    let sent = 0
    let answered = 0
    let scheduled = false
    const limit = setTimeout(() => reject(new Error(`only ${answered} of ${count} were answered within a minute`)), 60_000)
    const pump = (): void => {
      scheduled = false
      // One batch for each turn of the loop, as a game's tick, and as the C program does.
      if (sent >= count || sent - answered + batch > window) return
      for (let i = 0; i < batch; i++) connection.send(++sent % every === 0 ? asking : plain)
      connection.flush?.()
      again()
    }
    const again = (): void => {
      if (scheduled) return
      scheduled = true
      setImmediate(pump)
    }
    onMessage = () => {
      answered += every
      if (answered < count) return again()
      clearTimeout(limit)
      resolve({ messages: count, ms: (nowNs() - start) / 1e6 })
    }
    pump()
  })

const run = async (): Promise<void> => {
  const connection = await contestant.connect(Number(port), (bytes) => onMessage(bytes))
  const cpu = cpuMs()
  const size = number('size', 64)
  const result =
    workload === 'echo' ? await echo(connection, size, number('count', 2000))
    : workload === 'open' ? await open(connection, size, number('rate', 1000), number('seconds', 2), number('spin', 0) === 1)
    : await stream(connection, size, number('count', 100_000), number('batch', 20), number('window', 2000), number('every', 100))
  say({ event: 'result', ...result, cpuMs: cpuMs() - cpu, datagramsSent: connection.datagrams?.().sent ?? null })
  await connection.close()
}

try {
  await (role === 'server' ? serve() : run())
} catch (error) {
  say({ event: 'failed', message: error instanceof Error ? error.message : String(error) })
  process.exitCode = 1
}
