// What two hosts of our own say to each other in the tail of datagrams, behind the last command that ENet knows: a C peer
// stops reading there and loses nothing. SPEC §6.11. A block is: byte 0x0F (command number 15), a kind, and the fields of
// that kind. Announced in CONNECT and VERIFY_CONNECT, used only after both have announced it.

import type { Millis } from '../endpoint.ts'
import { put16, put32, u16, u32 } from './wire.ts'

/** First byte of every block: command number 15, which ends parsing in every ENet. */
export const EXTENSION = 0x0f

/** Low four bits of a block's second byte. */
export const Kind = { announce: 1, report: 2 } as const

/** Flags in the high four bits of a report's second byte. */
const WITH_NEWEST = 0x10
const WITH_MAP = 0x20

const MAGIC = 0x76616976
const VERSION = 1
/** 0F, kind, magic, version, features. */
export const ANNOUNCE_BYTES = 8
/** Largest report. */
export const MAX_REPORT_BYTES = 18
/** Units of a report's two times. */
const TICKS_PER_MS = 8

export const encodeAnnounce = (b: Uint8Array, at: number): void => {
  b[at] = EXTENSION
  b[at + 1] = Kind.announce
  put32(b, at + 2, MAGIC)
  b[at + 6] = VERSION
  b[at + 7] = 0
}

/** Is there an announcement that we understand at `at`? */
export const isAnnounce = (b: Uint8Array, at: number, end: number): boolean =>
  end - at >= ANNOUNCE_BYTES && b[at] === EXTENSION && b[at + 1] === Kind.announce && u32(b, at + 2) === MAGIC && (b[at + 6] ?? 0) >= VERSION

/** A report as it was read: which datagrams have arrived. One record is reused. */
export class Report {
  /** Token of the largest datagram received. */
  largest = 0
  /** Token of the datagram that the report was made for. */
  newest = 0
  /** How long that one waited for the report, ms. */
  delayMs = 0
  /** When it arrived, on the receiver's clock, ms; wraps at 8,192. */
  arrivedMs = 0
  /** Which of the 64 before the largest have arrived: bit i stands for largest - 1 - i. Low and high half. */
  mapLow = 0
  mapHigh = 0
}

/** Reads a report; returns its size, or 0 when there is none at `at`. */
export const decodeReport = (b: Uint8Array, at: number, end: number, out: Report): number => {
  if (end - at < 8 || b[at] !== EXTENSION) return 0
  const second = b[at + 1] ?? 0
  if ((second & 0x0f) !== Kind.report) return 0
  const size = 8 + ((second & WITH_NEWEST) !== 0 ? 2 : 0) + ((second & WITH_MAP) !== 0 ? 8 : 0)
  if (end - at < size) return 0
  out.largest = u16(b, at + 2)
  out.delayMs = u16(b, at + 4) / TICKS_PER_MS
  out.arrivedMs = u16(b, at + 6) / TICKS_PER_MS
  let next = at + 8
  out.newest = out.largest
  if ((second & WITH_NEWEST) !== 0) {
    out.newest = u16(b, next)
    next += 2
  }
  out.mapLow = out.mapHigh = 0xffffffff
  if ((second & WITH_MAP) !== 0) {
    out.mapHigh = u32(b, next)
    out.mapLow = u32(b, next + 4)
  }
  return size
}

/**
 * The receiving side's memory: which datagrams have arrived, and what is still to be reported.
 * Only datagrams of which everything was accepted are noted; the others are acknowledged command by command.
 */
export class Reports {
  #started = false
  #largest = 0
  // What came before the first one that arrived is not known to have arrived.
  #mapLow = 0
  #mapHigh = 0
  #newest = 0
  #newestAt: Millis = 0
  /** Something was noted since the last report was written; and how far before the largest its oldest lies. */
  #unreported = false
  #reach = 0
  #dueAt: Millis = Infinity
  /** Snapshots that could not wait: the map had no room for what came after. */
  readonly #queued: { largest: number; newest: number; at: Millis; low: number; high: number }[] = []

  /** Blocks to write. */
  get pending(): number {
    return this.#queued.length + (this.#unreported ? 1 : 0)
  }

  /** When the next report leaves even without company. */
  get dueAt(): Millis {
    return this.#queued.length > 0 ? -Infinity : this.#dueAt
  }

  /**
   * A datagram has arrived.
   * @param patienceMs 0 when its sender waits for the report; else how long the report may wait for company
   * @returns false when it came so late that no report has room for it
   */
  note(token: number, now: Millis, patienceMs: number): boolean {
    if (!this.#started) this.#largest = (token - 1) & 0xffff
    const lead = (token - this.#largest) & 0xffff
    if (lead !== 0 && lead < 0x8000) {
      if (this.#unreported && this.#reach + lead > 64) this.#snapshot()
      this.#shift(lead)
      this.#largest = token
      this.#reach = this.#unreported ? this.#reach + lead : 0
    } else if (lead !== 0) {
      const behind = 0x10000 - lead - 1
      if (behind >= 64) return false
      if (behind < 32) this.#mapLow = (this.#mapLow | (1 << behind)) >>> 0
      else this.#mapHigh = (this.#mapHigh | (1 << (behind - 32))) >>> 0
      this.#reach = Math.max(this.#unreported ? this.#reach : 0, behind + 1)
    } else if (!this.#unreported) this.#reach = 0
    this.#started = true
    this.#newest = token
    this.#newestAt = now
    this.#unreported = true
    this.#dueAt = Math.min(this.#dueAt, now + patienceMs)
    return true
  }

  /** Writes the next block; returns its size. */
  write(b: Uint8Array, at: number, now: Millis): number {
    const queued = this.#queued.shift()
    if (queued !== undefined) return encodeReport(b, at, queued.largest, queued.newest, now - queued.at, queued.at, queued.low, queued.high)
    this.#unreported = false
    this.#dueAt = Infinity
    return encodeReport(b, at, this.#largest, this.#newest, now - this.#newestAt, this.#newestAt, this.#mapLow, this.#mapHigh)
  }

  #snapshot(): void {
    this.#queued.push({ largest: this.#largest, newest: this.#newest, at: this.#newestAt, low: this.#mapLow, high: this.#mapHigh })
    this.#unreported = false
    // A flood may not make us remember more than is of use.
    if (this.#queued.length > 64) this.#queued.shift()
  }

  // The old largest becomes the bit before the new one.
  #shift(lead: number): void {
    for (let i = 0; i < lead && i < 64; i++) {
      this.#mapHigh = ((this.#mapHigh << 1) | (this.#mapLow >>> 31)) >>> 0
      this.#mapLow = ((this.#mapLow << 1) | (i === 0 && this.#started ? 1 : 0)) >>> 0
    }
    if (lead > 64) this.#mapLow = this.#mapHigh = 0
  }
}

const encodeReport = (
  b: Uint8Array,
  at: number,
  largest: number,
  newest: number,
  delayMs: number,
  arrivedMs: number,
  low: number,
  high: number,
): number => {
  const holes = low !== 0xffffffff || high !== 0xffffffff
  b[at] = EXTENSION
  b[at + 1] = Kind.report | (newest === largest ? 0 : WITH_NEWEST) | (holes ? WITH_MAP : 0)
  put16(b, at + 2, largest)
  put16(b, at + 4, Math.min(0xffff, Math.max(0, Math.round(delayMs * TICKS_PER_MS))))
  put16(b, at + 6, Math.floor(arrivedMs * TICKS_PER_MS) & 0xffff)
  let next = at + 8
  if (newest !== largest) {
    put16(b, next, newest)
    next += 2
  }
  if (holes) {
    put32(b, next, high)
    put32(b, next + 4, low)
    next += 8
  }
  return next - at
}
