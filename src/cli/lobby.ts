// `vaiven lobby`: Godot's lobby for real. A server process and four client processes over UDP sockets and a bad network; they join,
// chat, move, change colour; one is refused first, one crashes, one is kicked, the server leaves last. Directs, shows, and judges.

import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { integer, noPositionals, runCommand } from './arguments.ts'
import { Exit } from './io.ts'
import type { Io } from './io.ts'
import { WARNINGS } from './lobby-contract.ts'
import type { Heard, Order, Report, Told } from './lobby-contract.ts'
import { LobbyTable } from './lobby-table.ts'
import { bytes, Latencies, ms, Printer } from './output.ts'

export const help = `usage: vaiven lobby [OPTIONS]

A server process and four client processes on UDP sockets of this machine, on a bad network. The players join, tell
everyone who they are, chat by reliable calls, move by unreliable ones, and change colour by a synchronised property. One is
refused first, one crashes, one is kicked, and the server leaves last. Ends by itself, with a verdict.

  --round-trip MS round trip of the network, 0 to 400   (default: 80)
  --jitter MS     how much each datagram may be later, 0 to 200 (default: 20)
  --loss PERCENT  loss each way, 0 to 20                (default: 5)
  --seconds N     how long they talk, 4 to 12           (default: 8)
  --json          one JSON object per line: event, table, check, summary

Exit code: 0 everything held, 1 not, 2 wrong usage.
`

const OPTIONS = {
  'round-trip': { type: 'string' },
  jitter: { type: 'string' },
  loss: { type: 'string' },
  seconds: { type: 'string' },
  json: { type: 'boolean' },
} as const

const NAMES = ['Ann', 'Bob', 'Cid', 'Dora'] as const
/** Whoever waits longer for one step has found a bug. */
const STEP_LIMIT_MS = 8_000
/** Everything together, whatever happens. */
const TOTAL_LIMIT_MS = 28_000

/** Runs the lobby. @returns the exit code */
export const run = (args: string[], io: Io): Promise<number> =>
  runCommand('lobby', help, OPTIONS, args, io, async ({ values, positionals }) => {
    noPositionals(positionals)
    const out = new Printer(io, values.json)
    const roundTripMs = integer('round-trip', values['round-trip'], 0, 400, 80)
    const jitterMs = integer('jitter', values.jitter, 0, 200, 20)
    const loss = integer('loss', values.loss, 0, 20, 5)
    const talkMs = integer('seconds', values.seconds, 4, 12, 8) * 1000
    const conditions = { latencyMs: roundTripMs / 2, jitterMs, lossRatio: loss / 100 }
    const network = `${roundTripMs} ms round trip, ${jitterMs} ms jitter, ${loss} % loss each way`
    out.line('start', { players: NAMES, ...conditions, talkMs }, `one server and four players, each a process of its own; ${network}\n`)
    const stage = new Stage(io, out)
    try {
      return judge(await direct(stage, conditions, talkMs), stage, out)
    } catch (error) {
      if (!(error instanceof TooSlow)) throw error
      out.line('check', { ok: false, what: error.message }, `NOT ok  ${error.message}`)
      out.line('summary', { ok: false }, '\nthe lobby did not get through')
      return Exit.failed
    } finally {
      stage.clear()
    }
  })

class TooSlow extends Error {}

/** The processes, and what they have told. */
class Stage {
  readonly reports = new Map<string, Report>()
  readonly events: { name: string; kind: string; text: string; atMs: number }[] = []
  readonly endings = new Map<string, string>()
  readonly latencies = new Latencies()
  port = 0
  readonly #processes = new Map<string, ChildProcess>()
  readonly #startedAt = performance.now()
  readonly #io: Io
  readonly #out: Printer
  readonly #table: LobbyTable

  constructor(io: Io, out: Printer) {
    this.#io = io
    this.#out = out
    this.#table = new LobbyTable(io, out)
  }

  get atMs(): number {
    return performance.now() - this.#startedAt
  }

  start(part: 'server' | 'player', name: string, conditions: object, wrongPassword = ''): void {
    const script = fileURLToPath(new URL('./lobby-process.js', import.meta.url))
    const args = [part, name, String(this.port), JSON.stringify(conditions), wrongPassword]
    const child = fork(script, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.#processes.set(name, child)
    child.on('message', (told: Told) => this.#take(told))
    child.on('exit', (code, signal) => {
      if (!this.endings.has(name)) this.endings.set(name, signal === null ? `exit code ${code}` : 'crashed')
      this.#processes.delete(name)
    })
  }

  order(name: string, order: Order): void {
    const child = this.#processes.get(name)
    if (child?.connected === true) child.send(order)
  }

  /** No goodbye: the process is simply gone. */
  crash(name: string): void {
    this.#processes.get(name)?.kill('SIGKILL')
    this.say(name, 'crash', 'crashes without a word')
  }

  clear(): void {
    for (const child of this.#processes.values()) child.kill('SIGKILL')
    this.#table.end()
  }

  say(name: string, kind: string, text: string): void {
    const { atMs } = this
    this.events.push({ name, kind, text, atMs })
    this.#table.clear()
    const line = `${(atMs / 1000).toFixed(1).padStart(5)} s  ${name.padEnd(7)}${text}`
    this.#out.line('event', { atMs: Math.round(atMs), name, kind, text }, line)
  }

  /** Waits for something that must come; the table goes on meanwhile. @throws TooSlow */
  async until(what: string, holds: () => boolean, limitMs = STEP_LIMIT_MS): Promise<void> {
    const end = performance.now() + limitMs
    while (!holds()) {
      if (performance.now() > end || this.atMs > TOTAL_LIMIT_MS) throw new TooSlow(`${what} (waited ${Math.round(limitMs / 1000)} s)`)
      await this.pause(50)
    }
  }

  async pause(durationMs: number): Promise<void> {
    const end = performance.now() + durationMs
    do {
      if (this.#io.signal.aborted) throw new TooSlow('stopped by hand')
      await sleep(Math.max(1, Math.min(50, end - performance.now())))
      this.#table.draw(this.reports, this.endings, this.atMs)
    } while (performance.now() < end)
  }

  heard(name: string, from: string): Heard | undefined {
    return this.reports.get(name)?.heard[from]
  }

  #take(told: Told): void {
    switch (told.type) {
      case 'listening':
        this.port = told.port
        return this.say('server', 'listening', `listens on port ${told.port}`)
      case 'report':
        for (const latency of told.latencies) this.latencies.add(latency)
        return void this.reports.set(told.name, told)
      case 'ended':
        this.endings.set(told.name, `${told.reason}${told.text && `: ${told.text}`}`)
        if (told.reason === 'local') return this.say(told.name, 'ended', 'is closed')
        return this.say(told.name, 'ended', `hears that it is over: ${told.reason}${told.text && ` (${told.text})`}`)
      case 'event':
        // Each pair of players meets: twelve lines that say nothing new. The count is in the table.
        if (told.kind === 'met' || (told.kind === 'peer' && told.text !== 'is in')) this.events.push({ ...told, atMs: this.atMs })
        else this.say(told.name, told.kind, told.text)
    }
  }
}

/** What must be known to judge, from the moment when everybody had fallen silent. */
interface Outcome {
  readonly players: readonly string[]
  readonly calm: ReadonlyMap<string, Report>
}

/** The play itself. */
const direct = async (stage: Stage, conditions: object, talkMs: number): Promise<Outcome> => {
  stage.start('server', 'server', {})
  await stage.until('the server listens', () => stage.port > 0)
  for (const name of NAMES) {
    stage.start('player', name, conditions, name === 'Dora' ? 'let me in' : '')
    await stage.pause(150)
  }
  const together = (): boolean => NAMES.every((name) => Object.keys(stage.reports.get(name)?.heard ?? {}).length === NAMES.length)
  await stage.until('everybody has met everybody', together)
  stage.say('all', 'talk', 'have met; now they chat, move and change colour')
  for (const name of NAMES) stage.order(name, { do: 'talk' })
  await stage.pause(talkMs * 0.4)
  stage.crash('Cid')
  await stage.pause(talkMs * 0.2)
  const bob = stage.reports.get('Bob')?.id ?? 0
  stage.say('server', 'kick', `warns Bob ${WARNINGS} times and kicks him`)
  stage.order('server', { do: 'kick', id: bob, reason: 'afk' })
  await stage.pause(talkMs * 0.4)
  const noticed = ({ kind, text }: { kind: string; text: string }): boolean => kind === 'left' && /^Cid is gone: timeout/.test(text)
  await stage.until('the others notice the crash', () => stage.events.filter(noticed).length >= 3)
  for (const name of ['Ann', 'Dora']) stage.order(name, { do: 'quiet' })
  const all = (): boolean =>
    [['Ann', 'Dora'], ['Dora', 'Ann'], ['server', 'Ann'], ['server', 'Dora']].every(
      ([hears, speaks]) => (stage.heard(hears!, speaks!)?.next ?? -1) === (stage.reports.get(speaks!)?.said ?? 0),
    )
  // Reports are up to 400 ms old: the number said must have come to rest as well.
  await stage.pause(900)
  await stage.until('the last words arrive', all).catch(() => undefined)
  const calm = new Map(stage.reports)
  stage.order('server', { do: 'close', reason: 'good night' })
  await stage.until('everybody hears that the server is gone', () => ['Ann', 'Dora', 'server'].every((name) => stage.endings.has(name)))
  return { players: NAMES, calm }
}

/** Says what held and what did not. @returns the exit code */
const judge = ({ calm }: Outcome, stage: Stage, out: Printer): number => {
  let ok = true
  const check = (holds: boolean, what: string): void => {
    ok &&= holds
    out.line('check', { ok: holds, what }, `${holds ? '    ok' : 'NOT ok'}  ${what}`)
  }
  const said = (kind: string, name: string, pattern: RegExp): boolean =>
    stage.events.some((event) => event.kind === kind && event.name === name && pattern.test(event.text))
  out.line('verdict', {}, '\nverdict')
  let reliable = 0
  let broken = 0
  let unreliable = 0
  for (const report of stage.reports.values()) {
    for (const entry of Object.values(report.heard)) {
      reliable += entry.reliable
      broken += entry.outOfOrder + entry.twice
      unreliable += entry.unreliable
    }
  }
  check(broken === 0 && reliable > 0, `${reliable} reliable calls arrived once and in order (${broken} did not)`)
  for (const [hears, speaks] of [['Ann', 'Dora'], ['Dora', 'Ann'], ['server', 'Ann'], ['server', 'Dora']] as const) {
    const heard = calm.get(hears)?.heard[speaks]
    const count = calm.get(speaks)?.said ?? 0
    check(heard?.next === count && heard.reliable === count, `${hears} heard all ${count} of ${speaks}'s calls (${heard?.reliable ?? 0})`)
  }
  check(said('refused', 'Dora', /"wrong password".*ERR_REFUSED/), 'Dora was refused with a reason, and got in with the right password')
  const { warnings = 0 } = stage.reports.get('Bob') ?? {}
  check(warnings === WARNINGS, `Bob heard all ${WARNINGS} warnings that were sent before his kick (${warnings})`)
  check(stage.endings.get('Bob') === 'kicked: afk', `Bob heard why he was kicked (${stage.endings.get('Bob')})`)
  for (const name of ['server', 'Ann', 'Dora']) {
    const both = said('left', name, /^Cid is gone: timeout/) && said('left', name, /^Bob is gone: kicked \(afk\)/)
    check(both, `${name} heard that Cid timed out and Bob was kicked`)
  }
  for (const name of ['Ann', 'Dora']) {
    const ending = stage.endings.get(name)
    check(ending === 'closed: good night', `${name} heard the server's last words (${ending})`)
  }
  const players = NAMES.map((name) => stage.reports.get(name)!)
  const answered = ['Ann', 'Dora'].map((name) => stage.reports.get(name)!)
  const rolls = answered.map(({ rollsAnswered }) => rollsAnswered).join(' + ')
  check(answered.every((report) => report.rolls > 0 && report.rolls === report.rollsAnswered), `every dice roll was answered (${rolls})`)
  const clockErrorMs = Math.max(...players.map((report) => report.clockErrorMs))
  check(clockErrorMs < 250, `the session clock is known within ${ms(clockErrorMs)} ms everywhere`)
  check(!stage.events.some(({ kind }) => kind === 'error' || kind === 'violation'), 'no handler failed, nobody broke a rule')
  const { summary, text } = stage.latencies
  const bytesSent = [...stage.reports.values()].reduce((sum, report) => sum + report.bytesSent, 0)
  const repaired = [...stage.reports.values()].reduce((sum, report) => sum + report.repaired, 0)
  const figures = { reliable, unreliable, broken, ...summary, bytesSent, repaired, durationMs: Math.round(stage.atMs) }
  out.line('summary', { ok, ...figures }, [
    '',
    `reliable calls, from the caller's call to the handler: ${text}`,
    `${unreliable} unreliable calls arrived; ${bytes(bytesSent)} sent, ${repaired} commands repeated; ${(stage.atMs / 1000).toFixed(1)} s`,
    ok ? 'everything held' : 'NOT everything held',
  ].join('\n'))
  return ok ? Exit.ok : Exit.failed
}
