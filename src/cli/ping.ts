// `vaiven ping`: connects to any ENet server and measures round trips, as ping(8) does for hosts.

import { setTimeout as sleep } from 'node:timers/promises'
import { createHost, displayAddress } from '../transport/index.ts'
import type { EndReason, Peer, UdpHost } from '../transport/index.ts'
import { dialect, DIALECT_HELP, DIALECT_OPTIONS, integer, runCommand, target } from './arguments.ts'
import { Exit } from './io.ts'
import type { Io } from './io.ts'
import { Latencies, ms, Printer } from './output.ts'

export const help = `usage: vaiven ping HOST:PORT [OPTIONS]

Connects to an ENet server and measures round trips with ENet's own pings, which every server answers and no
application sees. A ping that got lost is repeated by the protocol: it counts as lost, and its time is
the time until the repeated one was answered.

  --count N        stop after N pings              (default: go on until Ctrl-C)
  --interval MS    time between two pings          (default: 1000)
  --timeout MS     how long to wait for a connection (default: 5000)
  --channels N     channels to ask for, 1 to 255   (default: 1)
  --data N         32 bits for the server to see   (default: 0)
${DIALECT_HELP}
  --json           one JSON object per line: connect, ping, diagnostic, disconnect, failed, summary

Exit code: 0 every ping was answered, 1 no connection or it was lost, 2 wrong usage.

example: vaiven ping game.example:7777 --count 10
`

const OPTIONS = {
  count: { type: 'string' },
  interval: { type: 'string' },
  timeout: { type: 'string' },
  channels: { type: 'string' },
  data: { type: 'string' },
  json: { type: 'boolean' },
  ...DIALECT_OPTIONS,
} as const

/** The longest that the automatic pings of a connection can be put off: only ours shall be measured. */
const NO_AUTOMATIC_PINGS_MS = 3_600_000

/** Runs until `--count` is reached, the connection ends or the signal fires. @returns the exit code */
export const run = (args: string[], io: Io): Promise<number> =>
  runCommand('ping', help, OPTIONS, args, io, async ({ values, positionals }) => {
    const { host: name, port } = target(positionals)
    const count = integer('count', values.count, 1, 1_000_000_000, Infinity)
    const intervalMs = integer('interval', values.interval, 1, 3_600_000, 1000)
    const timeoutMs = integer('timeout', values.timeout, 1, 3_600_000, 5000)
    const channels = integer('channels', values.channels, 1, 255, 1)
    const data = integer('data', values.data, 0, 0xffffffff, 0)
    const out = new Printer(io, values.json)
    await using host = await createHost({ client: true, ...dialect(values) })
    host.on('diagnostic', ({ code, message }) => out.line('diagnostic', { code, message }, `note: ${message}`))
    let ended: { reason: EndReason; data: number } | null = null
    host.on('disconnect', (_, ending) => (ended = ending))

    const startedAt = performance.now()
    const peer = await host.connect({ host: name, port, channels, data, timeoutMs, signal: io.signal })
    peer.pingIntervalMs = NO_AUTOMATIC_PINGS_MS
    const connectMs = round(performance.now() - startedAt)
    const address = displayAddress(peer.address)
    const { channelCount, stats } = peer
    out.line(
      'connect',
      { host: name, address, port, connectMs, channels: channelCount, mtu: stats.mtu },
      `PING ${displayAddress(name, port)} (${address}): connected in ${ms(connectMs)} ms, channels ${channelCount}, mtu ${stats.mtu}`,
    )

    const trips = new Latencies()
    let sent = 0
    let lost = 0
    for (let due = performance.now(); sent < count && ended === null && !io.signal.aborted; due += intervalMs) {
      await sleep(Math.max(0, due - performance.now()), undefined, { signal: io.signal }).catch(() => {})
      if (ended !== null || io.signal.aborted) break
      sent += 1
      const trip = await roundTrip(peer, host, io.signal)
      if (trip === null) break
      trips.add(trip.ms)
      if (trip.repeated > 0) lost += 1
      const repair = trip.repeated > 0 ? ` (lost, repeated ${trip.repeated === 1 ? 'once' : `${trip.repeated} times`})` : ''
      const fields = { seq: sent, ms: round(trip.ms), repeated: trip.repeated }
      out.line('ping', fields, `${address}: seq=${sent} time=${ms(trip.ms)} ms${repair}`)
    }

    const ending = ended as { reason: EndReason; data: number } | null
    if (ending !== null) out.line('disconnect', ending, `the connection ended: ${ending.reason}, data ${ending.data}`)
    const answered = trips.count
    const lossRatio = answered === 0 ? 0 : round(lost / answered)
    out.line(
      'summary',
      { sent, answered, lost, lossRatio, ...trips.summary },
      `\n--- ${displayAddress(name, port)} ---\n` +
        `${sent} sent, ${answered} answered, ${lost} lost on the way and repeated (${(lossRatio * 100).toFixed(1)} %)` +
        (answered === 0 ? '' : `\nround trip ${trips.text}`),
    )
    return ending === null && (answered > 0 || sent === 0) ? Exit.ok : Exit.failed
  })

/** Sends one ping and waits for its acknowledgement. @returns `null` when the connection ended, or `signal` fired, first */
const roundTrip = (peer: Peer, host: UdpHost, signal: AbortSignal): Promise<{ ms: number; repeated: number } | null> =>
  new Promise((resolve) => {
    const over = (): void => finish(null)
    const finish = (answer: { ms: number; repeated: number } | null): void => {
      host.off('disconnect', over)
      signal.removeEventListener('abort', over)
      resolve(answer)
    }
    host.on('disconnect', over)
    signal.addEventListener('abort', over, { once: true })
    if (signal.aborted || peer.state !== 'connected') return over()
    peer.ping(({ roundTripMs, transmissions }) => finish({ ms: roundTripMs, repeated: transmissions - 1 }))
  })

const round = (value: number): number => Math.round(value * 1000) / 1000
