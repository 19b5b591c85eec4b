// The receiving half of a channel as SPEC §5.2 to §5.6 says it, without any thought for speed or memory: the twin of
// src/transport/core/incoming.ts.

import type { Delivery } from '../../../src/transport/types.ts'

/** What the channel answers: taken, known (acknowledge again), refused (do not). */
export type PlainReceipt = 'taken' | 'known' | 'refused'

/** A packet that waits: its pieces by number, and how many there will be. */
interface Held { readonly count: number; readonly pieces: Map<number, Uint8Array> }

interface Waiting extends Held { readonly behind: number; readonly number: number }

export class PlainChannel {
  readonly delivered: { bytes: Uint8Array; delivery: Delivery }[] = []
  R = 0
  U = 0
  readonly #held = new Map<number, Held>()
  #waiting: Waiting[] = []

  /** A reliable packet, or a piece of one: `start` is its first number. */
  reliable(start: number, count: number, piece: number, bytes: Uint8Array): PlainReceipt {
    const where = this.#where(start)
    if (where !== 'acceptable') return where
    if (start === this.R) return 'known'
    const held = this.#held.get(start)
    if (held?.pieces.has(piece) === true) return 'known'
    this.#held.set(start, held ?? { count, pieces: new Map() })
    this.#held.get(start)?.pieces.set(piece, bytes)
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.delivered.push({ bytes: join(next), delivery: 'reliable' })
      this.#held.delete((this.R + 1) & 0xffff)
      this.R = (this.R + next.count) & 0xffff
      this.U = 0
    }
    this.#look()
    return 'taken'
  }

  /** An unreliable packet, or a piece of one. */
  unreliable(behind: number, number: number, count: number, piece: number, bytes: Uint8Array): 'taken' | 'dropped' {
    if (this.#where(behind) !== 'acceptable') return 'dropped'
    if (behind === this.R && number <= this.U) return 'dropped'
    let entry = this.#waiting.find((other) => other.behind === behind && other.number === number)
    if (entry?.pieces.has(piece) === true) return 'dropped'
    if (entry === undefined) this.#waiting.push(entry = { behind, number, count, pieces: new Map() })
    entry.pieces.set(piece, bytes)
    this.#look()
    return 'taken'
  }

  #next(): Held | undefined {
    const held = this.#held.get((this.R + 1) & 0xffff)
    return held !== undefined && held.pieces.size === held.count ? held : undefined
  }

  #look(): void {
    const lead = (entry: Waiting): number => ((entry.behind - this.R) & 0xffff) * 65536 + entry.number
    this.#waiting.sort((x, y) => lead(x) - lead(y))
    for (const entry of [...this.#waiting]) {
      const complete = entry.pieces.size === entry.count
      if (entry.behind === this.R && entry.number > this.U && complete) {
        this.delivered.push({ bytes: join(entry), delivery: 'unreliable' })
        this.U = entry.number
      }
    }
    this.#waiting = this.#waiting.filter(({ behind, number }) =>
      behind === this.R ? number > this.U : this.#where(behind) === 'acceptable')
  }

  #where(s: number): 'acceptable' | 'refused' | 'known' {
    const w = Math.floor(s / 4096) + (s < this.R ? 16 : 0)
    const windows = w - Math.floor(this.R / 4096)
    return windows <= 6 ? 'acceptable' : windows <= 8 ? 'refused' : 'known'
  }
}

const join = ({ pieces }: Held): Uint8Array =>
  new Uint8Array(Buffer.concat([...pieces].sort(([x], [y]) => x - y).map(([, bytes]) => bytes)))
