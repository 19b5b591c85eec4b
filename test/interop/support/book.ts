// Keeps the books of one direction of a connection: what was sent, and whether what arrives is right. The rules are those of
// `Delivery`: reliable ones all, once, in order; nothing twice; sequenced ones never backwards; every byte as it was sent.

import type { Delivery } from '../../../src/transport/types.ts'
import type { EventOf } from './any.ts'
import { indexOf } from './payload.ts'

interface Entry {
  readonly channel: number
  readonly delivery: Delivery
  readonly bytes: Uint8Array
  received: boolean
}

/** One direction of a connection. */
export class Book {
  /** What was wrong, in words; empty when all is well. */
  readonly wrong: string[] = []
  readonly received: Record<Delivery, number> = { reliable: 0, unreliable: 0, unsequenced: 0 }
  readonly #entries: Entry[] = []
  /** Per channel: numbers of the reliable packets in order, and how many of them have come. */
  readonly #reliable = new Map<number, { numbers: number[]; next: number }>()
  /** Per channel: the newest sequenced packet that has come. */
  readonly #newest = new Map<number, number>()
  #owed = 0
  #tinyExpected = 0
  #tinyReceived = 0

  /** How many packets were sent. */
  get count(): number {
    return this.#entries.length
  }

  /** Reliable packets that have not come. */
  get owed(): number {
    return this.#owed
  }

  /**
   * Notes a packet that is sent now. The bytes are those of `payload` with the number `count`, so that an unreliable one can
   * be told from the others; of those that are too short for a number only how many come can be checked.
   */
  sent(channel: number, delivery: Delivery, bytes: Uint8Array): void {
    const number = this.#entries.push({ channel, delivery, bytes, received: false }) - 1
    if (delivery === 'reliable') {
      const lane = this.#reliable.get(channel) ?? { numbers: [], next: 0 }
      lane.numbers.push(number)
      this.#reliable.set(channel, lane)
      this.#owed++
    } else if (bytes.length < 4) {
      this.#tinyExpected++
    }
  }

  /** Checks a packet that has come. */
  arrived({ channel, bytes, delivery }: Pick<EventOf<'receive'>, 'channel' | 'bytes' | 'delivery'>): void {
    this.received[delivery]++
    if (delivery !== 'reliable' && bytes.length < 4) {
      if (++this.#tinyReceived > this.#tinyExpected) this.#note(`more tiny packets than were sent, on channel ${channel}`)
      return
    }
    const number = delivery === 'reliable' ? this.#nextReliable(channel) : indexOf(bytes)
    const entry = this.#entries[number]
    const who = `packet ${number} (${delivery}, channel ${channel}, ${bytes.length} bytes)`
    if (entry === undefined) return this.#note(`${who} was never sent`)
    if (entry.received) this.#note(`${who} came twice`)
    entry.received = true
    if (entry.channel !== channel) this.#note(`${who} was sent on channel ${entry.channel}`)
    if (entry.delivery !== delivery) this.#note(`${who} was sent as ${entry.delivery}`)
    if (Buffer.compare(entry.bytes, bytes) !== 0) this.#note(`${who} has other bytes than the ${entry.bytes.length} that were sent`)
    if (delivery === 'unsequenced') return
    const newest = this.#newest.get(channel) ?? -1
    if (number <= newest) this.#note(`${who} came after packet ${newest}`)
    this.#newest.set(channel, Math.max(newest, number))
  }

  #nextReliable(channel: number): number {
    const lane = this.#reliable.get(channel)
    if (lane === undefined || lane.next === lane.numbers.length) return -1
    this.#owed--
    return lane.numbers[lane.next++]!
  }

  #note(what: string): void {
    if (this.wrong.length < 20) this.wrong.push(what)
  }
}
