// A relayed message never overtakes "peer connected": what X says is kept back from A until A knows X. Channels are
// independent in ENet, so without this a loss on one lets the others run ahead. SPEC §13.5.
//
// Introductions (WELCOME, ADD, ROOM JOINED) are numbered per connection in the order of sending. Our own clients say how
// many they have taken (SEEN). For others the transport's acknowledgements must do; those tell of arrival, not of
// delivery, so an introduction counts only when every earlier one is acknowledged as well.

import type { HeldPacket } from './link.ts'

/** What clients may make us keep back for one pair of them: more than a second of a very talkative game. */
const MAX_HELD_BYTES = 256 * 1024
/** Bookkeeping charged for each packet. */
const OVERHEAD_BYTES = 64

interface Introduction {
  readonly scope: number
  readonly id: number
  acknowledged: boolean
  packets: HeldPacket[]
  bytes: number
}

/** The introductions made to one connection. */
export class Introductions {
  /** How many were made; the number of the latest. */
  made = 0
  /** Those not settled, in order; the first one's number is `made - length + 1`. */
  #waiting: Introduction[] = []
  readonly #byKey = new Map<number, Introduction>()

  /** `id` is being announced in `scope` (the server's own id: the scope itself). @returns the introduction's number */
  begin(scope: number, id: number): number {
    const introduction: Introduction = { scope, id, acknowledged: false, packets: [], bytes: 0 }
    this.#waiting.push(introduction)
    this.#byKey.set(key(scope, id), introduction)
    return ++this.made
  }

  /** Must what `id` says in `scope` wait? */
  isPending(scope: number, id: number): boolean {
    return this.#byKey.size > 0 && this.#byKey.has(key(scope, id))
  }

  /**
   * Keeps a packet back. `bounded`: it comes from a client.
   * @returns 'held'; 'dropped': unreliable and too much; 'overflow': reliable and too much, so the receiver cannot keep up
   */
  hold(scope: number, id: number, packet: HeldPacket, bounded: boolean): 'held' | 'dropped' | 'overflow' {
    const introduction = this.#byKey.get(key(scope, id))!
    if (bounded && introduction.bytes + packet.bytes.length > MAX_HELD_BYTES) return packet.delivery === 'reliable' ? 'overflow' : 'dropped'
    introduction.packets.push(packet)
    introduction.bytes += packet.bytes.length + OVERHEAD_BYTES
    return 'held'
  }

  /** The transport says that introduction `number` has arrived. @returns the packets that may go now, in order */
  acknowledge(number: number): readonly HeldPacket[] {
    const introduction = this.#waiting[number - this.#firstNumber]
    if (introduction === undefined) return []
    introduction.acknowledged = true
    let count = 0
    while (this.#waiting[count]?.acknowledged === true) count++
    return this.#settle(count)
  }

  /** The client has taken the first `number` introductions. @returns the packets that may go now, in order */
  seen(number: number): readonly HeldPacket[] {
    return this.#settle(Math.min(number - this.#firstNumber + 1, this.#waiting.length))
  }

  /**
   * Its subject has left. What waited is dropped: to say it now would be to say it before the introduction, which cannot be taken back
   * (and to hold back the goodbye as well would put it behind a possible return of the same peer).
   */
  cancel(scope: number, id: number): void {
    const introduction = this.#byKey.get(key(scope, id))
    if (introduction === undefined) return
    this.#byKey.delete(key(scope, id))
    // It stays in the row, empty: its number is on the way.
    introduction.packets = []
  }

  get #firstNumber(): number {
    return this.made - this.#waiting.length + 1
  }

  #settle(count: number): readonly HeldPacket[] {
    if (count <= 0) return []
    const settled = this.#waiting.splice(0, count)
    for (const introduction of settled) {
      const at = key(introduction.scope, introduction.id)
      // The same peer may have left and come again: only the latest introduction speaks for it.
      if (this.#byKey.get(at) === introduction) this.#byKey.delete(at)
    }
    return settled.flatMap(({ packets }) => packets)
  }
}

// Ids have 31 bits and rooms are numbered from 1 up, far below 2^22: the sum is exact in a double.
const key = (scope: number, id: number): number => scope * 0x80000000 + id
