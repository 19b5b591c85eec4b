// The live table of `vaiven lobby`: redrawn in place for a person at a terminal, now and then for a file, as objects for machines.

import type { Io } from './io.ts'
import type { Report } from './lobby-contract.ts'
import { ms } from './output.ts'
import type { Printer } from './output.ts'

const REDRAW_MS = 200
const REPRINT_MS = 3_000

export class LobbyTable {
  readonly #io: Io
  readonly #out: Printer
  #drawnLines = 0
  #nextAt = 0

  constructor(io: Io, out: Printer) {
    this.#io = io
    this.#out = out
  }

  get #live(): boolean {
    return this.#io.stdout.isTTY === true && !this.#out.json
  }

  draw(reports: ReadonlyMap<string, Report>, endings: ReadonlyMap<string, string>, atMs: number): void {
    if (atMs < this.#nextAt || reports.size === 0) return
    this.#nextAt = atMs + (this.#live ? REDRAW_MS : REPRINT_MS)
    const rows = [...reports.values()].map((report) => row(report, endings.get(report.name)))
    if (this.#out.json) return this.#out.line('table', { atMs: Math.round(atMs), rows }, '')
    const lines = [HEAD, ...rows.map(inWords), '']
    this.clear()
    this.#io.stdout.write(`${lines.join('\n')}${this.#live ? '' : '\n'}`)
    this.#drawnLines = this.#live ? lines.length - 1 : 0
  }

  /** Takes the table off the screen, before a line is printed above it. */
  clear(): void {
    if (this.#drawnLines > 0) this.#io.stdout.write(`\u001b[${this.#drawnLines}A\r\u001b[J`)
    this.#drawnLines = 0
  }

  end(): void {
    this.#drawnLines = 0
  }
}

const row = (report: Report, ending: string | undefined) => {
  const heard = Object.values(report.heard)
  const sum = (key: 'reliable' | 'unreliable' | 'colors'): number => heard.reduce((total, entry) => total + entry[key], 0)
  return {
    name: report.name,
    state: ending ?? report.state,
    peers: ending === undefined ? report.peers : 0,
    roundTripMs: report.roundTripMs,
    lossRatio: report.lossRatio,
    said: report.said,
    reliable: sum('reliable'),
    unreliable: sum('unreliable'),
    colors: sum('colors'),
    // Figures of a connection that is gone would be zeros.
    measured: report.id !== 1 && report.roundTripMs > 0,
  }
}

const HEAD = 'player   peers  round trip   loss   calls made   reliable   unreliable   colours   state'

const inWords = (r: ReturnType<typeof row>): string =>
  [
    r.name.padEnd(7),
    String(r.peers).padStart(6),
    (r.measured ? `${ms(r.roundTripMs)} ms` : '').padStart(11),
    (r.measured ? `${(r.lossRatio * 100).toFixed(1)} %` : '').padStart(7),
    String(r.said).padStart(12),
    String(r.reliable).padStart(10),
    String(r.unreliable).padStart(12),
    String(r.colors).padStart(9),
    `   ${r.state}`,
  ].join('')
