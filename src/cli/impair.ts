// `vaiven impair`: a UDP relay that makes the network worse on purpose, for any program in any language, without root.

import { randomInt } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { createInterface } from 'node:readline'
import { VaivenError } from '../util/errors.ts'
import { displayAddress } from '../transport/index.ts'
import { profiles } from '../transport/simulator/index.ts'
import { integer, runCommand, target, UsageError } from './arguments.ts'
import { dropRule, DROPS_HELP } from './impair-drops.ts'
import type { DropRule } from './impair-drops.ts'
import { ImpairRelay } from './impair-relay.ts'
import type { Totals } from './impair-relay.ts'
import { inWords, profileNamed, SETTINGS_HELP, withSettings } from './impair-settings.ts'
import type { BothWays } from './impair-settings.ts'
import { Exit } from './io.ts'
import type { Io } from './io.ts'
import { aborted, ms, plural, Printer } from './output.ts'

export const help = `usage: vaiven impair --listen PORT --to HOST:PORT [OPTIONS] [SETTING ...]

A relay between a UDP program's clients and its server: point the clients at PORT of this machine. Each client has a
path of its own. Works for any program; drops by content understand ENet.

  --listen PORT      UDP port for clients, or ADDRESS:PORT   (default address: 127.0.0.1)
  --to HOST:PORT     the server
  --profile NAME     a network by name (below); settings change it further
  --drop RULE        lose datagrams by what is in them; may be given several times
  --seed N           the same chances again                  (default: another one each time, printed)
  --clients N        clients at once, 1 to 1024              (default: 64)
  --precise          leave at most a millisecond late, by watching the clock: uses a core
  --interval S       seconds between two lines of counters, 0 for none   (default: 1 on a terminal, else 10)
  --json             one JSON object per line: listening, client, changed, counters, unreachable, summary

SETTINGS, as in: vaiven impair --listen 7000 --to 127.0.0.1:7777 latency=40 jitter=5 loss=2% from.rate=4mbit
${SETTINGS_HELP}

${DROPS_HELP}

While it runs, standard input takes: settings as above; profile NAME; clean; cut [to|from]; heal; drop RULE; undrop;
show (conditions); count (counters now); quit.

PROFILES
${Object.values(profiles)
  .map(({ name, summary }) => `  ${name.padEnd(20)} ${summary}`)
  .join('\n')}

Exit code: 0 ended by Ctrl-C or quit, 1 the socket could not be opened, 2 wrong usage.
`

const OPTIONS = {
  listen: { type: 'string' },
  to: { type: 'string' },
  profile: { type: 'string' },
  drop: { type: 'string', multiple: true },
  seed: { type: 'string' },
  clients: { type: 'string' },
  precise: { type: 'boolean' },
  interval: { type: 'string' },
  json: { type: 'boolean' },
} as const

const CLEAN: BothWays = { to: {}, from: {} }

/** Runs until the signal fires or `quit` is typed. @returns the exit code */
export const run = (args: string[], io: Io): Promise<number> =>
  runCommand('impair', help, OPTIONS, args, io, async ({ values, positionals }) => {
    const listen = listenAt(values.listen)
    if (values.to === undefined) throw new UsageError('--to HOST:PORT is missing: where the server is')
    const server = target([values.to])
    const seed = integer('seed', values.seed, 0, 0xffffffff, randomInt(2 ** 32))
    const maxClients = integer('clients', values.clients, 1, 1024, 64)
    const interval = integer('interval', values.interval, 0, 86_400, io.stdout.isTTY === true ? 1 : 10)
    const conditions = withSettings(values.profile === undefined ? CLEAN : profileNamed(values.profile), positionals)
    const drops: DropRule[] = (values.drop ?? []).map((text) => dropRule(text))
    const out = new Printer(io, values.json)

    let unreachableTold = false
    const relay = await ImpairRelay.open({
      listen,
      to: { address: await numeric(server.host), port: server.port },
      conditions,
      seed,
      maxClients,
      precise: values.precise === true,
      filter: (bytes, direction) => !drops.some((rule) => rule.takes(bytes, direction)),
      onClient: ({ address, port }, what) =>
        out.line('client', { client: displayAddress(address, port), what, clients: relay.clients }, what === 'refused' ? ''
          : `client ${displayAddress(address, port)} ${what === 'new' ? 'came' : 'is gone'}`),
      onUnreachable: ({ message }) => {
        if (unreachableTold) return
        unreachableTold = true
        out.line('unreachable', { message },
          `note: ${displayAddress(server.host, server.port)} does not answer (${message}); is the server running?`)
      },
    })
    const state = (): Record<string, unknown> => ({ ...relay.conditions, drops: drops.map(({ text }) => text) })
    const told = (): string =>
      `towards the server: ${inWords(relay.conditions.to)}\nback: ${inWords(relay.conditions.from)}` +
      drops.map(({ text, dropped }) => `\ndrop ${text} (${dropped} so far)`).join('')
    const { address, port } = relay.address
    const heading = `listening on ${displayAddress(address, port)} for ${displayAddress(server.host, server.port)}, seed ${seed}\n${told()}`
    out.line('listening', { host: address, port, to: displayAddress(server.host, server.port), seed, ...state() }, heading)

    const quit = new AbortController()
    const commands: Commands = { relay, drops, quit, clean: CLEAN }
    const input = createInterface({ input: io.stdin })
    input.on('line', (line) => {
      if (line.trim() === '') return
      try {
        if (line.trim() === 'count') {
          const now = counters(relay)
          out.line('counters', now.fields, now.text)
          return
        }
        obey(line.trim(), commands)
        out.line('changed', state(), told())
      } catch (error) {
        if (!(error instanceof UsageError || error instanceof VaivenError)) throw error
        out.line('failed', { message: error.message }, error.message)
      }
    })
    const ticker = interval === 0 ? undefined : setInterval(() => {
      const live = counters(relay)
      relay.lateMicros.reset()
      if (relay.clients > 0 || out.json) out.line('counters', live.fields, live.text)
    }, interval * 1000)
    await Promise.race([aborted(io.signal), aborted(quit.signal)])

    clearInterval(ticker)
    input.close()
    const { fields, text } = counters(relay)
    await relay.close()
    out.line('summary', { ...fields, drops: drops.map((rule) => ({ rule: rule.text, dropped: rule.dropped })) }, `\nin all: ${text}`)
    return Exit.ok
  })

interface Commands {
  readonly relay: ImpairRelay
  readonly drops: DropRule[]
  readonly quit: AbortController
  readonly clean: BothWays
}

/** One line of standard input. @throws UsageError, VaivenError */
const obey = (line: string, { relay, drops, quit, clean }: Commands): void => {
  const [word = '', ...rest] = line.split(/\s+/)
  const directions = (): ('to' | 'from')[] => {
    const [one] = rest
    if (one === undefined) return ['to', 'from']
    if (one !== 'to' && one !== 'from') throw new UsageError(`"${one}" is not a direction; there are to and from`)
    return [one]
  }
  switch (word.toLowerCase()) {
    case 'profile':
      relay.conditions = profileNamed(rest.join(''))
      return
    case 'clean':
      relay.conditions = clean
      return
    case 'cut':
      for (const direction of directions()) relay.setUp(direction, false)
      return
    case 'heal':
      for (const direction of directions()) relay.setUp(direction, true)
      return
    case 'drop':
      drops.push(dropRule(rest.join('')))
      return
    case 'undrop':
      drops.length = 0
      return
    case 'show':
      return
    case 'quit':
      quit.abort()
      return
    case 'set':
      relay.conditions = withSettings(relay.conditions, rest)
      return
    default:
      if (!word.includes('=')) throw new UsageError(`"${word}" is not a command; there are settings like loss=5%, profile, clean, cut, ` +
        `heal, drop, undrop, show, count, quit`)
      relay.conditions = withSettings(relay.conditions, [word, ...rest])
  }
}

const counters = (relay: ImpairRelay): { fields: Record<string, unknown>; text: string } => {
  const [to, from] = [relay.totals('to'), relay.totals('from')]
  const { lateMicros, clients, refused, sendErrors } = relay
  const late = (percent: number): number => (lateMicros.count === 0 ? 0 : lateMicros.percentile(percent) / 1000)
  const lateMs = { p50: late(50), p99: late(99), max: lateMicros.count === 0 ? 0 : lateMicros.max / 1000 }
  return {
    fields: { clients, refused, sendErrors, lateMs, to, from },
    text: `${plural(clients, 'client')} · to: ${inShort(to)} · from: ${inShort(from)} · own error p99 ${ms(lateMs.p99)} ms` +
      (refused === 0 ? '' : ` · ${refused} of further clients ignored`),
  }
}

/** `120 of 130 passed, 8 lost, 2 filtered`. */
const inShort = (totals: Totals): string => {
  const { sent, delivered, inFlight, lost, burstLost, queueDropped, blackout, tooLarge, filtered, duplicated, reordered, corrupted } =
    totals
  const others = Object.entries({ lost: lost + burstLost, 'queue full': queueDropped, 'cut off': blackout, 'too large': tooLarge,
    dropped: filtered, doubled: duplicated, reordered, corrupted })
  const told = others.filter(([, count]) => count > 0).map(([name, count]) => `${count} ${name}`)
  return [`${delivered + inFlight} of ${sent} passed`, ...told].join(', ')
}

/** `PORT` or `ADDRESS:PORT`. @throws UsageError */
const listenAt = (text: string | undefined): { host: string; port: number } => {
  if (text === undefined) throw new UsageError('--listen PORT is missing: where clients shall send to')
  if (/^\d+$/.test(text)) return { host: '127.0.0.1', port: integer('listen', text, 0, 65_535, 0) }
  const { host, port } = target([text])
  if (isIP(host) === 0) throw new UsageError(`--listen is "${text}"; before the port there must be a numeric address of this machine`)
  return { host, port }
}

const numeric = async (host: string): Promise<string> => {
  if (isIP(host) !== 0) return host
  try {
    return (await lookup(host)).address
  } catch (cause) {
    throw new VaivenError('ERR_SOCKET', `there is no address for the name ${host}`, { cause })
  }
}
