// Runs one of the C programs, or any program that prints a JSON object on each line, and waits for what it says.

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'

/** A line that a program has printed. */
export type Line = { readonly event: string } & Readonly<Record<string, unknown>>

/** A running program. */
export class CProcess {
  /** All lines so far. */
  readonly lines: Line[] = []
  /** What it printed that was no JSON, and its standard error: for failures. */
  readonly noise: string[] = []
  /** Resolves with its exit code, or the name of the signal that ended it. */
  readonly exited: Promise<number | string>
  readonly #child: ChildProcess
  readonly #waiting = new Set<() => void>()
  #hasExited = false

  constructor(file: string, args: readonly string[] = []) {
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#child = child
    // A program that has ended does not read its script to the end: no reason to fail.
    child.stdin.on('error', () => {})
    child.stderr.on('data', (chunk: Buffer) => this.noise.push(chunk.toString()))
    createInterface({ input: child.stdout }).on('line', (line) => {
      try {
        this.lines.push(JSON.parse(line) as Line)
      } catch {
        this.noise.push(line)
      }
      this.#wake()
    })
    this.exited = new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, signal) => {
        this.#hasExited = true
        resolve(code ?? signal ?? -1)
        this.#wake()
      })
    })
  }

  /** Types lines into its standard input. */
  say(...lines: readonly string[]): this {
    this.#child.stdin?.write(lines.map((line) => `${line}\n`).join(''))
    return this
  }

  /** Ends its standard input. */
  end(): this {
    this.#child.stdin?.end()
    return this
  }

  /**
   * Waits for the first line, old or new, that fits.
   * @throws Error with everything it said, when it ends first or takes longer than `limitMs`
   */
  async waitFor(fits: (line: Line) => boolean, limitMs = 30_000): Promise<Line> {
    const until = performance.now() + limitMs
    for (;;) {
      const line = this.lines.find(fits)
      if (line !== undefined) return line
      if (this.#hasExited) throw new Error(`the program ended without saying it.\n${this.#all()}`)
      const left = until - performance.now()
      if (left <= 0) throw new Error(`the program did not say it within ${limitMs} ms.\n${this.#all()}`)
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer)
          this.#waiting.delete(done)
          resolve()
        }
        const timer = setTimeout(done, left)
        this.#waiting.add(done)
      })
    }
  }

  /** Waits for the first line of one event. */
  event(name: string, limitMs?: number): Promise<Line> {
    return this.waitFor((line) => line.event === name, limitMs)
  }

  /** Asks it to end, and waits until it has: SIGTERM, and SIGKILL after five seconds. */
  async stop(): Promise<void> {
    if (this.#hasExited) return
    this.#child.kill('SIGTERM')
    const hard = setTimeout(() => this.#child.kill('SIGKILL'), 5_000)
    await this.exited
    clearTimeout(hard)
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake()
  }

  #all(): string {
    return [...this.lines.slice(-30).map((line) => JSON.stringify(line)), ...this.noise].join('\n')
  }
}
