// What happens next: a binary heap of things with a due time, each of which knows its place, so that a due time can be
// moved in O(log n). Things due at the same time come in the order of their ranks, which makes runs repeat.

import type { Millis } from '../endpoint.ts'

export interface Scheduled {
  /** Unique; lower goes first among equals. */
  readonly rank: number
  /** Set by `Schedule` only: index in its heap, -1 when not in it. */
  place: number
  /** Does what is due. */
  run(now: Millis): void
}

export class Schedule {
  readonly #items: Scheduled[] = []
  // Due times beside the items, not in them: sifting compares numbers that lie next to each other.
  #dueMs = new Float64Array(64)

  get first(): Scheduled | undefined { return this.#items[0] }
  /** When the first thing is due; Infinity when there is none. */
  get firstDueMs(): Millis { return this.#items.length === 0 ? Infinity : this.#dueMs[0]! }

  /** Puts the item at its new time; Infinity takes it out. */
  set(item: Scheduled, dueMs: Millis): void {
    const place = item.place
    if (place >= 0) {
      const before = this.#dueMs[place]!
      if (dueMs === before) return
      if (dueMs === Infinity) this.#remove(item)
      else if (dueMs < before) this.#up(item, dueMs, place)
      else this.#down(item, dueMs, place)
    } else if (dueMs !== Infinity) {
      const last = this.#items.length
      if (last === this.#dueMs.length) {
        const grown = new Float64Array(last * 2)
        grown.set(this.#dueMs)
        this.#dueMs = grown
      }
      this.#items.push(item)
      this.#up(item, dueMs, last)
    }
  }

  #remove(item: Scheduled): void {
    const place = item.place
    const last = this.#items.pop()!
    item.place = -1
    if (last === item) return
    const dueMs = this.#dueMs[this.#items.length]!
    // The last item takes the gap, and moves to where it belongs from there.
    this.#put(last, dueMs, place)
    this.#up(last, dueMs, place)
    this.#down(last, dueMs, last.place)
  }

  #up(item: Scheduled, dueMs: Millis, place: number): void {
    const items = this.#items
    const times = this.#dueMs
    while (place > 0) {
      const parent = (place - 1) >> 1
      const parentMs = times[parent]!
      if (parentMs < dueMs || (parentMs === dueMs && items[parent]!.rank < item.rank)) break
      this.#put(items[parent]!, parentMs, place)
      place = parent
    }
    this.#put(item, dueMs, place)
  }

  #down(item: Scheduled, dueMs: Millis, place: number): void {
    const items = this.#items
    const times = this.#dueMs
    const count = items.length
    for (;;) {
      let child = 2 * place + 1
      if (child >= count) break
      let childMs = times[child]!
      if (child + 1 < count) {
        const otherMs = times[child + 1]!
        if (otherMs < childMs || (otherMs === childMs && items[child + 1]!.rank < items[child]!.rank)) {
          child++
          childMs = otherMs
        }
      }
      if (dueMs < childMs || (dueMs === childMs && item.rank < items[child]!.rank)) break
      this.#put(items[child]!, childMs, place)
      place = child
    }
    this.#put(item, dueMs, place)
  }

  #put(item: Scheduled, dueMs: Millis, place: number): void {
    this.#items[place] = item
    this.#dueMs[place] = dueMs
    item.place = place
  }
}
