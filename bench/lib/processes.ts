// Runs contestants in processes of their own and reads the JSON lines that they print. Knows no workload's meaning.

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { AnyContestant } from './contestant.ts'

/** A contestant and the file that it came from (a process of its own loads it again). */
export interface Entry {
  readonly contestant: AnyContestant
  readonly file: string
}

type Line = Readonly<Record<string, unknown>> & { readonly event: string }

/** One running program that prints JSON lines. */
export class Talker {
  readonly #child: ChildProcess
  readonly #lines: Line[] = []
  #wake: (() => void) | null = null
  #ended: string | null = null
  #noise = ''

  constructor(file: string, args: readonly string[]) {
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#child.stdin?.on('error', () => {})
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#noise = (this.#noise + chunk.toString()).slice(-2000)))
    this.#child.on('error', (error) => this.#end(error.message))
    this.#child.on('close', (code, signal) => this.#end(`ended with ${signal ?? code}`))
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      // A library may print what it likes.
      if (!line.startsWith('{"event"')) return void (this.#noise = `${this.#noise}${line}\n`.slice(-2000))
      this.#lines.push(JSON.parse(line) as Line)
      this.#wake?.()
    })
  }

  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }

  /** The next line with this event. @throws Error when the program fails, ends or says nothing for `limitMs` */
  async next<T>(event: string, limitMs = 120_000): Promise<T> {
    const until = performance.now() + limitMs
    for (;;) {
      const line = this.#lines.shift()
      if (line?.event === 'failed') throw new Error(String(line['message']))
      if (line?.event === event) return line as T
      if (line !== undefined) continue
      if (this.#ended !== null) throw new Error(`a contestant's program ${this.#ended} ${this.#noise}`)
      const left = until - performance.now()
      if (left <= 0) throw new Error(`a contestant's program did not say "${event}" in time`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** Ends its input, then, if that is not enough, the program. */
  async stop(): Promise<void> {
    if (this.#ended !== null) return
    const ended = new Promise<void>((resolve) => this.#child.once('close', () => resolve()))
    this.#child.stdin?.end()
    const hard = setTimeout(() => this.#child.kill('SIGKILL'), 3_000)
    await ended
    clearTimeout(hard)
  }

  #end(how: string): void {
    this.#ended ??= how
    this.#wake?.()
  }
}

/** What a server says about itself. */
export interface Usage {
  readonly cpuMs: number
  /** Live heap and memory outside of it, since before the server was made. */
  readonly heapBytes: number
  readonly peers: number
  readonly datagramsSent: number | null
  readonly datagramsReceived: number | null
}

/** What a client measured. */
export interface ClientResult {
  readonly messages: number
  /** Of the echo workload: all round trips, with those that do not count. */
  readonly trips?: number
  readonly missing?: number
  readonly ms?: number
  readonly samplesNs?: readonly number[]
  readonly cpuMs: number
  readonly datagramsSent: number | null
}

const PROCESS = fileURLToPath(new URL('./contestant-process.js', import.meta.url))

const command = ({ contestant, file }: Entry, args: readonly string[]): [string, string[]] =>
  'program' in contestant ? [contestant.program(), [...args]] : [process.execPath, ['--expose-gc', PROCESS, file, ...args]]

const flags = (options: Readonly<Record<string, number>>): string[] =>
  Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])

/** Starts a contestant's server. */
export const startServer = async (
  entry: Entry, peers = 32,
): Promise<{ port: number; talker: Talker; usage(): Promise<Usage>; stop(): Promise<void> }> => {
  const talker = new Talker(...command(entry, ['server', '--peers', String(peers)]))
  const { port } = await talker.next<{ port: number }>('listening', 20_000)
  return {
    port,
    talker,
    usage() {
      talker.say('usage')
      return talker.next<Usage>('usage', 30_000)
    },
    stop: () => talker.stop(),
  }
}

/** Runs a contestant's client against a port. */
export const runClient = async (
  entry: Entry, port: number, workload: 'echo' | 'open' | 'stream', options: Readonly<Record<string, number>>,
): Promise<ClientResult> => {
  const talker = new Talker(...command(entry, ['client', String(port), workload, ...flags(options)]))
  try {
    return await talker.next<ClientResult>('result')
  } finally {
    await talker.stop()
  }
}
