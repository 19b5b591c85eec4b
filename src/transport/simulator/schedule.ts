// What happens next: a binary heap of things with a due time, each of which knows its place, so that a due time can be
// moved in O(log n). Things due at the same time come in the order of their ranks, which makes runs repeat.

import type { Millis } from '../endpoint.ts'

export interface Scheduled {
  /** Set by `Schedule` only. */
  dueMs: Millis
  /** Unique; lower goes first among equals. */
  readonly rank: number
  /** Set by `Schedule` only: index in its heap, -1 when not in it. */
  place: number
  /** Does what is due. */
  run(now: Millis): void
}

export class Schedule {
  readonly #heap: Scheduled[] = []

  get first(): Scheduled | undefined { return this.#heap[0] }

  /** Puts the item at its new time; Infinity takes it out. */
  set(item: Scheduled, dueMs: Millis): void {
    if (item.place < 0) {
      if (dueMs === Infinity) return
      item.dueMs = dueMs
      item.place = this.#heap.length
      this.#heap.push(item)
      this.#up(item)
      return
    }
    if (dueMs === item.dueMs) return
    if (dueMs === Infinity) return this.#remove(item)
    const earlier = dueMs < item.dueMs
    item.dueMs = dueMs
    if (earlier) this.#up(item)
    else this.#down(item)
  }

  #remove(item: Scheduled): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (last !== item) {
      heap[item.place] = last
      last.place = item.place
      this.#up(last)
      this.#down(last)
    }
    item.place = -1
    item.dueMs = Infinity
  }

  #up(item: Scheduled): void {
    const heap = this.#heap
    let i = item.place
    while (i > 0) {
      const parent = heap[(i - 1) >> 1]!
      if (before(parent, item)) break
      heap[i] = parent
      parent.place = i
      i = (i - 1) >> 1
    }
    heap[i] = item
    item.place = i
  }

  #down(item: Scheduled): void {
    const heap = this.#heap
    const count = heap.length
    let i = item.place
    for (;;) {
      let child = 2 * i + 1
      if (child >= count) break
      if (child + 1 < count && before(heap[child + 1]!, heap[child]!)) child++
      const lower = heap[child]!
      if (before(item, lower)) break
      heap[i] = lower
      lower.place = i
      i = child
    }
    heap[i] = item
    item.place = i
  }
}

const before = (a: Scheduled, b: Scheduled): boolean => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.rank < b.rank)
