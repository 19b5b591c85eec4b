// The receiving half of one channel: reliable packets once and in order; unreliable ones newest-wins, each after the
// reliable ones that it followed. SPEC §5.2 to §5.6.

import type { Delivery, Ledger } from '../types.ts'
import { FragmentFit, PIECE_CHARGE, Reassembly } from './reassembly.ts'
import { SequenceRing } from './ring.ts'
import { ahead, next, Place, placeOf } from './sequence.ts'

/** What the channel needs from its peer. */
export interface Inbox {
  /** Hands a packet to the application. */
  delivered(channel: number, bytes: Uint8Array, delivery: Delivery): void
  /**
   * Asks for room to hold something, in bytes. `essential`: it is what everything else waits for, so it is refused only
   * when the application itself takes nothing.
   */
  reserve(bytes: number, essential: boolean): boolean
  release(bytes: number): void
  count(cause: keyof Ledger): void
}

/** What became of a command, and so whether it is acknowledged. */
export const Receipt = {
  /** Taken: acknowledge. */
  taken: 0,
  /** Had it before, or it is too old: acknowledge again, deliver nothing. */
  known: 1,
  /** Not taken and not acknowledged, so that it comes again. */
  refused: 2,
  /** Breaks the rules: not acknowledged, and the rest of the datagram is dropped. */
  malformed: 3,
} as const
export type Receipt = (typeof Receipt)[keyof typeof Receipt]

class HeldReliable {
  readonly sequence: number
  bytes: Uint8Array | null
  readonly parts: Reassembly | null
  charge: number

  constructor(sequence: number, bytes: Uint8Array | null, parts: Reassembly | null, charge: number) {
    this.sequence = sequence
    this.bytes = bytes
    this.parts = parts
    this.charge = charge
  }
}

class HeldUnreliable {
  readonly behind: number
  readonly number: number
  readonly bytes: Uint8Array | null
  readonly parts: Reassembly | null
  charge: number

  constructor(behind: number, number: number, bytes: Uint8Array | null, parts: Reassembly | null, charge: number) {
    this.behind = behind
    this.number = number
    this.bytes = bytes
    this.parts = parts
    this.charge = charge
  }
}

/** Incomplete unreliable packets kept per channel; C ENet keeps two. */
const MAX_INCOMPLETE = 16
/** Unreliable packets that wait on one channel; they are kept in order, which is work. */
const MAX_WAITING = 4096
/** A ring of this many places or fewer is not charged for. */
const FREE_RING = 64

export class IncomingChannel {
  readonly channel: number
  readonly #inbox: Inbox
  /** R: the last reliable number delivered in order. */
  #reliable = 0
  /** U: the last unreliable number delivered since. */
  #unreliable = 0
  /** Reliable packets ahead of R. */
  readonly #held = new SequenceRing<HeldReliable>(4)
  #ringCharge = 0
  /** Unreliable packets that wait for reliable ones, or for fragments, in order of (behind, number). */
  #waiting: HeldUnreliable[] = []

  constructor(channel: number, inbox: Inbox) {
    this.channel = channel
    this.#inbox = inbox
  }

  /** SPEC §5.3. `bytes` is the caller's to give away. */
  reliable(sequence: number, bytes: Uint8Array): Receipt {
    const place = this.#place(sequence)
    if (place !== Receipt.taken) return place
    const isNext = sequence === next(this.#reliable)
    if (isNext && this.#held.count === 0) {
      if (!this.#inbox.reserve(bytes.length + PIECE_CHARGE, true)) return this.#overBudget()
      this.#reliable = sequence
      this.#unreliable = 0
      this.#inbox.delivered(this.channel, bytes, 'reliable')
      if (this.#waiting.length > 0) this.#dispatch(null)
      return Receipt.taken
    }
    const charge = bytes.length + PIECE_CHARGE
    if (!this.#makeRoom(sequence, charge, isNext)) return this.#overBudget()
    this.#held.set(new HeldReliable(sequence, isNext ? bytes : compact(bytes), null, charge))
    if (isNext) this.#advance()
    return Receipt.taken
  }

  /** SPEC §5.6. `keep()` gives the payload, to be called only when it is kept. */
  fragment(start: number, number: number, count: number, offset: number, total: number, length: number, keep: () => Uint8Array): Receipt {
    // The start number says where the packet stands; a fragment of one delivered already is acknowledged again.
    const held = this.#held.get(start)
    if (held === undefined) {
      const place = this.#place(start)
      if (place !== Receipt.taken) return place
    } else if (held.parts === null || !held.parts.matches(total, count)) return Receipt.malformed
    const parts = held?.parts ?? new Reassembly(total, count)
    const fit = parts.fit(number, offset, length)
    if (fit === FragmentFit.contradiction) return Receipt.malformed
    if (fit === FragmentFit.duplicate) {
      this.#inbox.count('duplicate')
      return Receipt.known
    }
    const essential = start === next(this.#reliable)
    const charge = length + PIECE_CHARGE
    if (held === undefined) {
      if (!this.#makeRoom(start, charge + PIECE_CHARGE, essential)) return this.#overBudget()
      const entry = new HeldReliable(start, null, parts, charge + PIECE_CHARGE)
      this.#held.set(entry)
    } else {
      if (!this.#inbox.reserve(charge, essential)) return this.#overBudget()
      held.charge += charge
    }
    parts.add(number, offset, compact(keep()))
    if (fit === FragmentFit.complete && essential) this.#advance()
    return Receipt.taken
  }

  /** SPEC §5.4. Never acknowledged, so only `malformed` matters to the caller. */
  unreliable(behind: number, number: number, bytes: Uint8Array): Receipt {
    if (!this.#fresh(behind, number)) return Receipt.known
    if (behind === this.#reliable && this.#waiting.length === 0) {
      if (!this.#inbox.reserve(bytes.length + PIECE_CHARGE, true)) return this.#overBudget()
      this.#unreliable = number
      this.#inbox.delivered(this.channel, bytes, 'unreliable')
      return Receipt.taken
    }
    const at = this.#waitingIndex(behind, number)
    if (this.#isAt(at, behind, number)) {
      this.#inbox.count('duplicate')
      return Receipt.known
    }
    const charge = bytes.length + PIECE_CHARGE
    const now = behind === this.#reliable
    if ((!now && this.#waiting.length >= MAX_WAITING) || !this.#inbox.reserve(charge, false)) return this.#overBudget()
    this.#waiting.splice(at, 0, new HeldUnreliable(behind, number, now ? bytes : compact(bytes), null, charge))
    if (now) this.#dispatch(null)
    return Receipt.taken
  }

  /** SPEC §5.4, §5.6. */
  unreliableFragment(
    behind: number,
    start: number,
    number: number,
    count: number,
    offset: number,
    total: number,
    length: number,
    keep: () => Uint8Array,
  ): Receipt {
    if (!this.#fresh(behind, start)) return Receipt.known
    const at = this.#waitingIndex(behind, start)
    let entry = this.#isAt(at, behind, start) ? (this.#waiting[at] as HeldUnreliable) : null
    if (entry !== null && entry.parts === null) {
      this.#inbox.count('duplicate')
      return Receipt.known
    }
    if (entry !== null && !(entry.parts as Reassembly).matches(total, count)) return Receipt.malformed
    const parts = entry?.parts ?? new Reassembly(total, count)
    const fit = parts.fit(number, offset, length)
    if (fit === FragmentFit.contradiction) return Receipt.malformed
    if (fit === FragmentFit.duplicate) {
      this.#inbox.count('duplicate')
      return Receipt.known
    }
    const charge = length + PIECE_CHARGE + (entry === null ? PIECE_CHARGE : 0)
    if (entry === null && behind !== this.#reliable && this.#waiting.length >= MAX_WAITING) return this.#overBudget()
    if (!this.#inbox.reserve(charge, false)) return this.#overBudget()
    if (entry === null) {
      entry = new HeldUnreliable(behind, start, null, parts, 0)
      this.#waiting.splice(at, 0, entry)
    }
    entry.charge += charge
    parts.add(number, offset, compact(keep()))
    if (behind === this.#reliable) this.#dispatch(entry)
    return Receipt.taken
  }

  /** Gives back everything held: the connection has ended. */
  clear(): void {
    for (const held of this.#held) this.#inbox.release(held.charge)
    for (const waiting of this.#waiting) this.#inbox.release(waiting.charge)
    this.#inbox.release(this.#ringCharge)
    this.#ringCharge = 0
    this.#waiting = []
  }

  #place(sequence: number): Receipt {
    switch (placeOf(sequence, this.#reliable)) {
      case Place.deadZone:
        this.#inbox.count('outsideWindow')
        return Receipt.refused
      case Place.old:
        this.#inbox.count('duplicate')
        return Receipt.known
      case Place.acceptable:
        break
    }
    if (sequence !== this.#reliable && this.#held.get(sequence) === undefined) return Receipt.taken
    this.#inbox.count('duplicate')
    return Receipt.known
  }

  #fresh(behind: number, number: number): boolean {
    const place = placeOf(behind, this.#reliable)
    if (place === Place.deadZone) {
      this.#inbox.count('outsideWindow')
      return false
    }
    // Plain comparison: unreliable numbers restart after every reliable packet and never wrap.
    if (place === Place.old || (behind === this.#reliable && number <= this.#unreliable)) {
      this.#inbox.count('stale')
      return false
    }
    return true
  }

  #makeRoom(sequence: number, charge: number, essential: boolean): boolean {
    const capacity = this.#held.capacityFor(sequence)
    const ringCharge = capacity > FREE_RING ? capacity * 8 : 0
    const more = Math.max(0, ringCharge - this.#ringCharge)
    if (!this.#inbox.reserve(charge + more, essential)) return false
    this.#ringCharge += more
    return true
  }

  #overBudget(): Receipt {
    this.#inbox.count('budget')
    return Receipt.refused
  }

  // Delivers what is next in order, as long as there is something.
  #advance(): void {
    for (;;) {
      const sequence = next(this.#reliable)
      const held = this.#held.get(sequence)
      if (held === undefined || (held.parts !== null && !held.parts.complete)) break
      const span = held.parts?.count ?? 1
      const bytes = held.parts?.join() ?? (held.bytes as Uint8Array)
      this.#held.delete(sequence)
      // What the application is charged for until it takes the packet is the joined bytes.
      this.#inbox.release(held.charge - bytes.length - PIECE_CHARGE)
      for (let i = 1; i < span; i++) this.#dropOverlapped((sequence + i) & 0xffff)
      this.#reliable = (sequence + span - 1) & 0xffff
      this.#unreliable = 0
      this.#inbox.delivered(this.channel, bytes, 'reliable')
    }
    if (this.#held.count === 0 && this.#ringCharge > 0) {
      this.#inbox.release(this.#ringCharge)
      this.#ringCharge = 0
    }
    if (this.#waiting.length > 0) this.#dispatch(null)
  }

  // No honest sender numbers a packet inside another one; what a dishonest one put there must not be left behind.
  #dropOverlapped(sequence: number): void {
    const held = this.#held.get(sequence)
    if (held === undefined) return
    this.#held.delete(sequence)
    this.#inbox.release(held.charge)
    this.#inbox.count('duplicate')
  }

  // Delivers the unreliable packets whose turn has come. They stand in front, so what waits behind them costs nothing.
  // Newest wins: an incomplete one goes when a newer one is delivered.
  #dispatch(arrival: HeldUnreliable | null): void {
    const waiting = this.#waiting
    let turn = 0
    let lastDelivered = -1
    const incomplete: HeldUnreliable[] = []
    for (; turn < waiting.length; turn++) {
      const entry = waiting[turn] as HeldUnreliable
      if (entry.behind !== this.#reliable) {
        if (placeOf(entry.behind, this.#reliable) === Place.acceptable) break
        this.#drop(entry)
      } else if (entry.parts !== null && !entry.parts.complete) incomplete.push(entry)
      else {
        const bytes = entry.parts?.join() ?? (entry.bytes as Uint8Array)
        this.#inbox.release(entry.charge - bytes.length - PIECE_CHARGE)
        this.#unreliable = entry.number
        lastDelivered = entry.number
        this.#inbox.delivered(this.channel, bytes, 'unreliable')
      }
    }
    if (turn === 0) return
    const newer = incomplete.filter((entry) => entry.number > lastDelivered)
    let spare = newer.length - MAX_INCOMPLETE
    const kept = newer.filter((entry) => spare-- <= 0 || entry === arrival)
    for (const entry of incomplete) if (!kept.includes(entry)) this.#drop(entry)
    waiting.splice(0, turn, ...kept)
  }

  #drop(entry: HeldUnreliable): void {
    this.#inbox.release(entry.charge)
    this.#inbox.count(entry.parts === null || entry.parts.complete ? 'stale' : 'incomplete')
  }

  // Where the first entry that is not smaller stands.
  #waitingIndex(behind: number, number: number): number {
    const lead = ahead(this.#reliable, behind)
    let from = 0
    let to = this.#waiting.length
    while (from < to) {
      const middle = (from + to) >> 1
      const entry = this.#waiting[middle] as HeldUnreliable
      const entryLead = ahead(this.#reliable, entry.behind)
      if (entryLead < lead || (entryLead === lead && entry.number < number)) from = middle + 1
      else to = middle
    }
    return from
  }

  #isAt(at: number, behind: number, number: number): boolean {
    const entry = this.#waiting[at]
    return entry !== undefined && entry.behind === behind && entry.number === number
  }
}

/**
 * What is held must not keep alive a datagram much larger than itself: only the packet is charged for, and somebody could
 * put anything behind it.
 */
export const compact = (bytes: Uint8Array): Uint8Array => (2 * bytes.length < bytes.buffer.byteLength ? bytes.slice() : bytes)
