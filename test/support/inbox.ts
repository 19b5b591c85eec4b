// Stands in for a peer where a channel is tested alone: keeps what is delivered, and the books of memory.

import type { Inbox } from '../../src/transport/core/incoming.ts'
import { PIECE_CHARGE } from '../../src/transport/core/reassembly.ts'
import type { Delivery, Ledger } from '../../src/transport/types.ts'

export class TestInbox implements Inbox {
  readonly packets: { channel: number; bytes: Uint8Array; delivery: Delivery }[] = []
  readonly counted: Partial<Record<keyof Ledger, number>> = {}
  /** Bytes charged at the moment. */
  charged = 0
  /** The most there ever were. */
  most = 0
  budget = Infinity
  /** What is essential may go beyond the budget by this much. */
  reserveBytes = Infinity
  /** Once it has gone below zero the books are wrong for ever. */
  overdrawn = false

  delivered(channel: number, bytes: Uint8Array, delivery: Delivery): void {
    this.packets.push({ channel, bytes, delivery })
  }

  reserve(bytes: number, essential: boolean): boolean {
    if (this.charged + bytes > this.budget + (essential ? this.reserveBytes : 0)) return false
    this.charged += bytes
    this.most = Math.max(this.most, this.charged)
    return true
  }

  release(bytes: number): void {
    this.charged -= bytes
    if (this.charged < 0) this.overdrawn = true
  }

  count(cause: keyof Ledger): void {
    this.counted[cause] = (this.counted[cause] ?? 0) + 1
  }

  /** The application takes everything. */
  take(): { channel: number; bytes: Uint8Array; delivery: Delivery }[] {
    const all = this.packets.splice(0)
    for (const { bytes } of all) this.release(bytes.length + PIECE_CHARGE)
    return all
  }
}
