// What one peer makes us hold, and how much of it: out of order, in fragments, or not yet taken by the application.
// Refused pieces are not acknowledged and come again. SPEC §7.6.

import type { ResolvedHostOptions } from './options.ts'
import { PIECE_CHARGE } from './reassembly.ts'

/** The sum over all peers of a host. */
export interface BudgetPool {
  waitingBytes: number
  /** The one peer that may go beyond the host's budget, to finish a packet; the others wait for it. */
  beyondBudget: ReceiveBudget | null
}

/** What is next in order is taken from every peer up to so many bytes, whatever the others make the host hold. */
const ALWAYS_BYTES = 16_384

/** An application that keeps up has less than this waiting for it between two polls. */
const BACKLOG_BYTES = 65_536

export class ReceiveBudget {
  /** Everything held, charges included. */
  bytes = 0
  /** Of that, what waits only for the application. */
  #undelivered = 0
  readonly #pool: BudgetPool
  readonly #options: ResolvedHostOptions

  constructor(pool: BudgetPool, options: ResolvedHostOptions) {
    this.#pool = pool
    this.#options = options
  }

  /** So much waits for the application that it will wait for long. */
  get backlogged(): boolean {
    return this.#undelivered > BACKLOG_BYTES
  }

  /** @param essential everything behind it waits for it: refused only when the application takes nothing */
  reserve(bytes: number, essential: boolean): boolean {
    const { receiveBudgetBytes, hostReceiveBudgetBytes, maxPacketBytes } = this.#options
    if (essential) {
      // Several unfinished packets together can still use up even this reserve.
      if (this.#undelivered > receiveBudgetBytes || this.bytes + bytes > receiveBudgetBytes + maxPacketBytes) return false
      if (this.bytes + bytes > ALWAYS_BYTES && this.#pool.waitingBytes + bytes > hostReceiveBudgetBytes && !this.#mayExceed()) return false
    } else if (this.bytes + bytes > receiveBudgetBytes || this.#pool.waitingBytes + bytes > hostReceiveBudgetBytes) return false
    this.bytes += bytes
    this.#pool.waitingBytes += bytes
    return true
  }

  release(bytes: number): void {
    this.bytes -= bytes
    this.#pool.waitingBytes -= bytes
    if (this.bytes === 0) this.#giveWay()
  }

  /** A packet of this length now waits for the application. */
  delivered(bytes: number): void {
    this.#undelivered += bytes + PIECE_CHARGE
  }

  /** The application has taken it. */
  taken(bytes: number): void {
    this.#undelivered -= bytes + PIECE_CHARGE
    this.release(bytes + PIECE_CHARGE)
    this.#giveWay()
  }

  // One after the other: if many half-finished packets shared the reserve, none would ever be finished.
  #mayExceed(): boolean {
    this.#pool.beyondBudget ??= this
    return this.#pool.beyondBudget === this
  }

  #giveWay(): void {
    if (this.#pool.beyondBudget === this) this.#pool.beyondBudget = null
  }
}
