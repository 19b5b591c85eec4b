// Runs real Godot 3 engines: starts them, reads what they print, ends them. Knows nothing of what they should say.

import { execFileSync, spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

const ENGINE = process.env['GODOT'] ?? 'godot3-server'
const projects = new URL('../../../../test/interop/godot/', import.meta.url)

// The engine prints its version and exits with 255.
const version = (): string | null => {
  const { stdout } = spawnSync(ENGINE, ['--version'], { encoding: 'utf8', timeout: 10_000 })
  return /^3\.\S+/m.exec(stdout ?? '')?.[0] ?? null
}

/** The engine's version, as 3.2.3.stable…; null when there is none on this machine. */
export const godotVersion: string | null = version()

/**
 * What to give as tap's `skip`: false with an engine, else the reason. On a build server a missing engine is a failure, since
 * a suite that skips itself proves nothing.
 */
export const withoutGodot: string | false =
  godotVersion !== null ? false : `no Godot 3 engine (${ENGINE}) on this machine; Debian's package is godot3-server`
if (withoutGodot !== false && process.env['CI'] === 'true') throw new Error(withoutGodot)

/** One JSON line of the lobby project; its README lists them. */
export interface GodotLine {
  readonly ev: 'start' | 'signal' | 'rpc' | 'rset' | 'raw' | 'violation' | 'timeout' | 'error' | 'exit'
  /** Milliseconds since the process began. */
  readonly t: number
  readonly name?: string
  readonly from?: number
  readonly args?: readonly unknown[]
  readonly bin?: readonly string[] | string
  readonly value?: unknown
  readonly id?: number
  readonly hex?: string
  readonly ok?: boolean
  readonly missing?: readonly string[]
  readonly unexpected?: readonly string[]
}

/** What the lobby is told; its README says what each means. */
export interface LobbyOptions {
  readonly role: 'client' | 'server'
  readonly port: number
  readonly scenario?: 'talk' | 'extras' | 'kick' | 'shutdown' | 'refuse' | 'fail'
  readonly clients?: number
  readonly others?: number
  readonly stay?: 1
  readonly name?: string
  readonly compression?: 0 | 1 | 2 | 3 | 4
  readonly timeout?: number
  readonly linger?: number
}

/** A running lobby. It is killed when its test ends. */
export class GodotLobby {
  /** Everything it printed so far. */
  readonly lines: GodotLine[] = []
  /** The engine's complaints so far. */
  complaints = ''
  /** Resolves when the process has ended, with its last line and exit code. */
  readonly ended: Promise<{ readonly code: number | null; readonly exit: GodotLine | undefined }>
  readonly #process: ChildProcess
  readonly #waiting = new Set<() => void>()
  readonly #name: string

  constructor(t: Test, options: LobbyOptions) {
    const home = mkdtempSync(join(tmpdir(), 'vaiven-godot-'))
    const environment: Record<string, string | undefined> = {
      ...process.env,
      XDG_DATA_HOME: home,
      XDG_CONFIG_HOME: home,
      XDG_CACHE_HOME: home,
    }
    for (const [key, value] of Object.entries(options)) environment[`LOBBY_${key.toUpperCase()}`] = String(value)
    this.#name = `Godot ${options.role}${options.name === undefined ? '' : ` ${options.name}`}`
    this.#process = spawn(ENGINE, ['--path', projectPath('lobby')], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
    let rest = ''
    this.#process.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n')
      rest = parts.pop()!
      for (const part of parts) if (part.startsWith('{')) this.lines.push(JSON.parse(part) as GodotLine)
      this.#wake()
    })
    this.#process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.complaints += text
    })
    this.ended = new Promise((resolve, reject) => {
      this.#process.on('error', reject)
      this.#process.on('close', (code) => {
        rmSync(home, { recursive: true, force: true })
        resolve({ code, exit: this.lines.find((line) => line.ev === 'exit') })
        this.#wake()
      })
    })
    t.teardown(() => this.kill())
  }

  #wake(): void {
    for (const look of [...this.#waiting]) look()
  }

  /** Resolves with the first line that fits, printed already or to come. Fails after `limitMs` or when the engine ends without. */
  line(what: string, fits: (line: GodotLine) => boolean, limitMs = 10_000): Promise<GodotLine> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(look)
      }
      const fail = (why: string): void => {
        done()
        reject(new Error(`${this.#name} ${why} ${what}\n${this.report()}`))
      }
      const look = (): void => {
        const found = this.lines.find(fits)
        if (found !== undefined) {
          done()
          resolve(found)
        } else if (this.#process.exitCode !== null) fail('ended without')
      }
      const timer = setTimeout(() => fail(`did not, within ${limitMs} ms, show`), limitMs)
      this.#waiting.add(look)
      look()
    })
  }

  /** Waits until it is up. A server is bound then; a client has sent its CONNECT within a frame. */
  async started(): Promise<this> {
    await this.line('its start', (line) => line.ev === 'start')
    return this
  }

  /** Lines about remote calls of one method, in order. */
  calls(name: string): GodotLine[] {
    return this.lines.filter((line) => line.ev === 'rpc' && line.name === name)
  }

  /** What it saw and said, for the message of a failure. */
  report(): string {
    return `${this.lines.map((line) => JSON.stringify(line)).join('\n')}\n${this.complaints}`
  }

  kill(): void {
    if (this.#process.exitCode === null) this.#process.kill('SIGKILL')
  }
}

/** Asserts that a lobby ended by itself and saw all it expected. */
export const lobbyPasses = async (t: Test, lobby: GodotLobby, name: string): Promise<void> => {
  const { code, exit } = await lobby.ended
  if (code === 0 && exit?.ok === true) t.pass(`${name}: the engine saw everything it expected`)
  else
    t.fail(`${name}: the engine ended with code ${code}`, { missing: exit?.missing, unexpected: exit?.unexpected, report: lobby.report() })
}

/** The folder of one of the Godot projects beside this one. */
export const projectPath = (name: string): string => fileURLToPath(new URL(name, projects))

/** What the engine made of one encoded Variant. */
export interface EngineReading {
  /** Whether it is a Variant to the engine. */
  readonly ok: boolean
  readonly type?: number
  /** How the engine writes what it read. */
  readonly hex?: string
}

/** Lets the engine read encoded Variants and write them again. */
export const godotReads = (encoded: readonly Uint8Array[]): EngineReading[] =>
  oracle(
    'variants',
    encoded.map((bytes) => Buffer.from(bytes).toString('hex')),
  ) as EngineReading[]

/** Lets the engine compress or decompress: lines as `compression.gd` wants them; what came out of each, as hex. */
export const godotCompresses = (lines: readonly string[]): string[] =>
  (oracle('compression', lines) as { hex: string }[]).map(({ hex }) => hex)

/** Runs a script of the oracle project on lines of text; the JSON lines that it printed. */
const oracle = (script: string, lines: readonly string[]): unknown[] => {
  const home = mkdtempSync(join(tmpdir(), 'vaiven-godot-'))
  try {
    const input = join(home, 'in.txt')
    writeFileSync(input, lines.map((line) => `${line}\n`).join(''))
    const output = execFileSync(ENGINE, ['--path', projectPath('oracle'), '-s', `res://${script}.gd`], {
      encoding: 'utf8',
      timeout: 60_000,
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, XDG_DATA_HOME: home, ORACLE_IN: input },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as unknown)
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

/** A UDP port on the loopback interface that nobody uses at the moment. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    socket.on('error', reject)
    socket.bind(0, '127.0.0.1', () => {
      const { port } = socket.address()
      socket.close(() => resolve(port))
    })
  })
