// `vaiven demo`: a server and clients on real UDP sockets, on the network as it is and on a bad one. Counts what
// arrived, in which order, how late, and what had to be repaired.

import { setTimeout as sleep } from 'node:timers/promises'
import { createHost } from '../transport/index.ts'
import type { Peer, UdpHost } from '../transport/index.ts'
import type { Conditions } from '../transport/simulator/index.ts'
import { integer, noPositionals, runCommand } from './arguments.ts'
import { Exit } from './io.ts'
import type { Io } from './io.ts'
import { bytes, Latencies, ms, Printer } from './output.ts'

export const help = `usage: vaiven demo [OPTIONS]

Runs a server and several clients on UDP sockets of this machine, first on the network as it is, then with 5 % loss
and a round trip of 60 ms. Each client sends 30 reliable and 30 unreliable packets a second and now and then a
large one; the server sends the reliable ones back. Ends by itself.

  --clients N     clients, 1 to 64            (default: 8)
  --seconds N     length of each part, 1 to 60 (default: 5)
  --loss PERCENT  loss of the second part, 0 to 50 (default: 5)
  --round-trip MS round trip of the second part, 0 to 1000 (default: 60)
  --json          one JSON object per line: part, progress, result, summary

Exit code: 0 every reliable packet arrived once and in order, 1 not, 2 wrong usage.
`

const OPTIONS = {
  clients: { type: 'string' },
  seconds: { type: 'string' },
  loss: { type: 'string' },
  'round-trip': { type: 'string' },
  json: { type: 'boolean' },
} as const

/** Packets of each kind per second and client: a common tick of action games. */
const RATE_HZ = 30
const PACKET_BYTES = 48
/** Every so many packets, one that needs fragments. */
const LARGE_EVERY = 90
const LARGE_BYTES = 10_000
const STATE_CHANNEL = 0
const EVENT_CHANNEL = 1
/** How long repairs may go on after the last packet was sent. */
const PATIENCE_MS = 5_000

/** Runs both parts. @returns the exit code */
export const run = (args: string[], io: Io): Promise<number> =>
  runCommand('demo', help, OPTIONS, args, io, async ({ values, positionals }) => {
    noPositionals(positionals)
    const out = new Printer(io, values.json)
    const clients = integer('clients', values.clients, 1, 64, 8)
    const seconds = integer('seconds', values.seconds, 1, 60, 5)
    const loss = integer('loss', values.loss, 0, 50, 5)
    const roundTripMs = integer('round-trip', values['round-trip'], 0, 1000, 60)
    const bad: Conditions = { latencyMs: roundTripMs / 2, lossRatio: loss / 100 }
    const parts: { name: string; conditions: Conditions | null }[] = [
      { name: 'the network of this machine', conditions: null },
      { name: `${loss} % loss each way, round trip ${roundTripMs} ms`, conditions: bad },
    ]
    const results: Result[] = []
    for (const { name, conditions } of parts) {
      if (io.signal.aborted) break
      out.line('part', { name, clients, seconds, conditions }, `\n${name}: 1 server, ${clients} clients, ${seconds} s`)
      const result = await play(clients, seconds, conditions, out, io)
      results.push(result)
      out.line('result', { name, ...result }, describe(result))
    }
    const perfect = results.length === parts.length && results.every(({ lost, twice, outOfOrder }) => lost + twice + outOfOrder === 0)
    const delivered = results.reduce((sum, result) => sum + result.delivered, 0)
    const verdict = perfect ? 'every reliable packet arrived, once and in order' : 'NOT every reliable packet arrived once and in order'
    out.line('summary', { perfect, delivered }, `\n${delivered} reliable packets: ${verdict}`)
    return perfect ? Exit.ok : Exit.failed
  })

/** What became of one part. */
interface Result {
  /** Reliable packets, both ways together. */
  readonly sent: number
  readonly delivered: number
  readonly lost: number
  readonly twice: number
  readonly outOfOrder: number
  readonly unreliableSent: number
  readonly unreliableDelivered: number
  /** From `send` to the listener on the other side. */
  readonly oneWay: Latencies['summary']
  /** From `send` to the listener that gets the same packet back. */
  readonly thereAndBack: Latencies['summary']
  readonly repaired: number
  readonly datagramsSent: number
  readonly bytesSent: number
}

/** Everything that is counted while a part runs. */
class Score {
  sent = 0
  delivered = 0
  twice = 0
  outOfOrder = 0
  unreliableSent = 0
  unreliableDelivered = 0
  readonly oneWay = new Latencies()
  readonly thereAndBack = new Latencies()

  /** One more packet of a stream that must be complete and in order. @returns the next number to expect */
  arrived(number: number, expected: number): number {
    this.delivered += 1
    if (number < expected) this.twice += 1
    else if (number > expected) this.outOfOrder += 1
    return Math.max(expected, number + 1)
  }
}

const play = async (clients: number, seconds: number, conditions: Conditions | null, out: Printer, io: Io): Promise<Result> => {
  const score = new Score()
  await using server = await createHost({ host: '127.0.0.1', maxPeers: clients })
  const expected = new Map<Peer, number>()
  server.on('receive', (peer, channel, packet) => {
    const { number, sentAt } = readPacket(packet)
    if (channel === STATE_CHANNEL) {
      score.unreliableDelivered += 1
      return
    }
    score.oneWay.add(performance.now() - sentAt)
    expected.set(peer, score.arrived(number, expected.get(peer) ?? 0))
    score.sent += 1
    peer.send(EVENT_CHANNEL, packet)
  })

  const players = await Promise.all(Array.from({ length: clients }, () => join(server, conditions, score)))
  try {
    await sendForAWhile(players, seconds, score, out, io)
    await untilRepaired(score, io)
    // Numbers before the goodbyes, which say nothing about the game.
    return total(score, [server, ...players.map(({ host }) => host)])
  } finally {
    await Promise.all(players.map(({ host }) => host.close()))
  }
}

interface Player {
  readonly host: UdpHost
  readonly peer: Peer
  sent: number
}

const join = async (server: UdpHost, conditions: Conditions | null, score: Score): Promise<Player> => {
  const host = await createHost({ host: '127.0.0.1', client: true, ...(conditions === null ? {} : { impair: conditions }) })
  let expected = 0
  host.on('receive', (_, __, packet) => {
    const { number, sentAt } = readPacket(packet)
    score.thereAndBack.add(performance.now() - sentAt)
    expected = score.arrived(number, expected)
  })
  const peer = await host.connect({ host: '127.0.0.1', port: server.address.port, channels: 2 })
  return { host, peer, sent: 0 }
}

const sendForAWhile = async (players: readonly Player[], seconds: number, score: Score, out: Printer, io: Io): Promise<void> => {
  const startedAt = performance.now()
  let reportAt = startedAt + 1000
  for (let tick = 0; tick < seconds * RATE_HZ && !io.signal.aborted; tick++) {
    for (const player of players) {
      const large = player.sent % LARGE_EVERY === LARGE_EVERY - 1
      player.peer.send(STATE_CHANNEL, writePacket(tick, PACKET_BYTES), 'unreliable')
      player.peer.send(EVENT_CHANNEL, writePacket(player.sent, large ? LARGE_BYTES : PACKET_BYTES))
      player.sent += 1
      score.sent += 1
      score.unreliableSent += 1
    }
    const now = performance.now()
    if (now >= reportAt) {
      reportAt += 1000
      report(score, Math.round((now - startedAt) / 1000), out)
    }
    await sleep(Math.max(0, startedAt + ((tick + 1) * 1000) / RATE_HZ - now))
  }
  report(score, seconds, out)
}

const report = (score: Score, second: number, out: Printer): void => {
  const { sent, delivered, oneWay } = score
  const { p50Ms, p99Ms } = oneWay.summary
  const latency = `p50 ${ms(p50Ms)} ms   p99 ${ms(p99Ms)} ms`
  const text = `  ${String(second).padStart(2)} s   ${delivered} of ${sent} reliable packets delivered   ${latency}`
  out.line('progress', { second, sent, delivered, p50Ms, p99Ms }, text)
}

/** Until everything has arrived there and back, or nobody would wait any longer. */
const untilRepaired = async (score: Score, io: Io): Promise<void> => {
  const end = performance.now() + PATIENCE_MS
  while (score.delivered < score.sent && performance.now() < end && !io.signal.aborted) await sleep(10)
}

const total = (score: Score, hosts: readonly UdpHost[]): Result => {
  let repaired = 0
  let datagramsSent = 0
  let bytesSent = 0
  for (const host of hosts) {
    for (const peer of host.peers) repaired += peer.stats.retransmissions
    datagramsSent += host.stats.datagramsSent
    bytesSent += host.stats.bytesSent
  }
  const { sent, delivered, twice, outOfOrder, unreliableSent, unreliableDelivered } = score
  return {
    sent,
    delivered,
    lost: sent - (delivered - twice),
    twice,
    outOfOrder,
    unreliableSent,
    unreliableDelivered,
    oneWay: score.oneWay.summary,
    thereAndBack: score.thereAndBack.summary,
    repaired,
    datagramsSent,
    bytesSent,
  }
}

const describe = (result: Result): string => {
  const { sent, delivered, lost, twice, outOfOrder, unreliableSent, unreliableDelivered } = result
  const trip = ({ p50Ms, p95Ms, p99Ms, maxMs }: Latencies['summary']): string =>
    `p50 ${ms(p50Ms)}   p95 ${ms(p95Ms)}   p99 ${ms(p99Ms)}   max ${ms(maxMs)} ms`
  return [
    `  reliable        ${delivered} of ${sent} delivered; ${lost} lost, ${twice} twice, ${outOfOrder} out of order`,
    `  unreliable      ${unreliableDelivered} of ${unreliableSent} delivered`,
    `  one way         ${trip(result.oneWay)}`,
    `  there and back  ${trip(result.thereAndBack)}`,
    `  on the wire     ${bytes(result.bytesSent)} in ${result.datagramsSent} datagrams; ${result.repaired} commands repeated`,
  ].join('\n')
}

const writePacket = (number: number, size: number): Uint8Array => {
  const packet = new Uint8Array(size)
  const view = new DataView(packet.buffer)
  view.setUint32(0, number)
  view.setFloat64(4, performance.now())
  return packet
}

const readPacket = (packet: Uint8Array): { number: number; sentAt: number } => {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length)
  return { number: view.getUint32(0), sentAt: view.getFloat64(4) }
}
