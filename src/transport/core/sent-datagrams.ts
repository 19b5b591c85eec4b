// What has left and is remembered: a record for each datagram whose fate matters, found by its number or by the token that its
// acknowledgements echo. A ring, so that a steady stream makes no garbage.
// SPEC §6.1 · the token is the datagram's number, or with `sentTime: 'clock'` a 16-bit clock, which several datagrams may share.

import type { Millis } from '../endpoint.ts'
import { Calm } from './ambient-loss.ts'
import { Phase } from './congestion.ts'
import type { FlightNotes } from './congestion.ts'
import type { Message, ReliableCommand } from './message.ts'

const NO_COMMANDS: ReliableCommand[] = []
const NO_MESSAGES: Message[] = []

/** A datagram that carried at least one reliable command. */
export class SentDatagram implements FlightNotes {
  number = -1
  token = 0
  sentAt = 0
  /** Bytes on the wire, IP and UDP headers included. */
  bytes = 0
  // Both lists are made when first needed: an idle connection keeps a few records that carry one ping.
  commands: ReliableCommand[] = NO_COMMANDS
  /** Unreliable packets in it whose sender wants to know; only where the other side reports datagrams. */
  unreliable: Message[] = NO_MESSAGES
  /** Carries nothing that is acknowledged by itself: the report may wait, and nothing is sent again. */
  passive = false
  /** Tail time without backoff that was valid when it left, and when it ends. */
  tail = 0
  tailAt = 0
  /** Carries only pieces of large packets. */
  bulk = false
  acknowledged = false
  suspected = false
  lost = false
  /** `sentTime: 'clock'`: the datagram before it with the same token. */
  sameToken = -1
  // FlightNotes
  deliveredBefore = 0
  deliveredAt = 0
  firstSentAt = 0
  appLimited = false
  calm: Calm = Calm.no
  phase: Phase = Phase.other

  add(command: ReliableCommand): void {
    if (this.commands === NO_COMMANDS) this.commands = []
    this.commands.push(command)
    this.passive = false
    if (command.urgent) this.bulk = false
  }

  addUnreliable(message: Message): void {
    if (this.unreliable === NO_MESSAGES) this.unreliable = []
    this.unreliable.push(message)
  }

  /** It stands for a new datagram. */
  begin(number: number, token: number, now: Millis): void {
    this.number = number
    this.token = token
    this.sentAt = now
    this.commands = NO_COMMANDS
    this.unreliable = NO_MESSAGES
    this.passive = true
    this.bulk = true
    this.acknowledged = this.suspected = this.lost = false
    this.sameToken = -1
  }

  /** Their senders have been told. */
  forgetUnreliable(): void {
    this.unreliable = NO_MESSAGES
  }

  forgetCommands(): void {
    this.commands = NO_COMMANDS
  }
}

/** More records than this are not kept once all of them are settled. */
const LARGE_RING = 1024

export class SentDatagrams {
  /** Oldest datagram that is neither acknowledged nor lost, and the number of the next one. */
  low: number
  next: number
  #ring: SentDatagram[] = []
  #mask = -1
  readonly #clock: boolean
  readonly #byToken: Map<number, number> | null

  /**
   * @param start first datagram number, 0 to 65535
   * @param clock true: the token is a 16-bit millisecond clock instead of the datagram number
   */
  constructor(start: number, clock: boolean) {
    this.low = this.next = start
    this.#clock = clock
    this.#byToken = clock ? new Map() : null
  }

  /** The record of a number from `low` to below `next`. */
  at(number: number): SentDatagram {
    return this.#ring[number & this.#mask] as SentDatagram
  }

  /** Begins the next datagram; it counts as sent once `next` is beyond it. */
  open(now: Millis): SentDatagram {
    const number = this.next
    if (number - this.low > this.#mask >> 1) this.#resize(Math.max(4, (this.#mask + 1) * 2))
    // A burst must not keep its room for ever; late acknowledgements of its end still find their datagrams.
    else if (number === this.low && this.#mask >= LARGE_RING) this.#resize(LARGE_RING >> 2)
    const record = this.at(number)
    this.#forgetToken(record)
    record.begin(number, this.#clock ? Math.floor(now) & 0xffff : number & 0xffff, now)
    if (this.#byToken !== null) {
      record.sameToken = this.#byToken.get(record.token) ?? -1
      this.#byToken.set(record.token, number)
    }
    return record
  }

  /** The last datagram with this number, of which a report has only 16 bits. */
  numbered(token: number): SentDatagram | null {
    if (this.#mask < 0) return null
    const number = this.next - ((this.next - token) & 0xffff)
    if (number === this.next || number < 0) return null
    const record = this.at(number)
    return record.number === number ? record : null
  }

  /** The datagram with this token that really carried that command. */
  carrying(channel: number, sequence: number, token: number): SentDatagram | null {
    if (this.#mask < 0) return null
    let number: number
    if (this.#byToken !== null) number = this.#byToken.get(token) ?? -1
    else number = this.next - ((this.next - token) & 0xffff)
    if (number === this.next) return null
    while (number >= 0) {
      const record = this.at(number)
      if (record.number !== number || record.token !== token) return null
      for (const command of record.commands) {
        if (command.sequence === sequence && command.lane.channel === channel) return record
      }
      number = record.sameToken
    }
    return null
  }

  advanceLow(): void {
    while (this.low < this.next) {
      const record = this.at(this.low)
      if (!record.acknowledged && !record.lost) break
      this.low++
    }
  }

  /** Forgets all of them. @param before called for each record first */
  clear(before: (record: SentDatagram) => void): void {
    for (const record of this.#ring) {
      before(record)
      record.forgetCommands()
    }
    this.#ring = []
    this.#mask = -1
    this.low = this.next
    this.#byToken?.clear()
  }

  #resize(capacity: number): void {
    const ring: SentDatagram[] = []
    for (let i = 0; i < capacity; i++) ring.push(new SentDatagram())
    for (const record of this.#ring) {
      if (record.number >= Math.max(0, this.next - capacity)) ring[record.number & (capacity - 1)] = record
      else this.#forgetToken(record)
    }
    this.#ring = ring
    this.#mask = capacity - 1
  }

  // The record is about to stand for another datagram.
  #forgetToken(record: SentDatagram): void {
    if (this.#byToken !== null && this.#byToken.get(record.token) === record.number) this.#byToken.delete(record.token)
  }
}
