// The datagrams on a link, by time of arrival: a binary heap. Equal times come out in the order in which they went in.

import type { Millis } from '../endpoint.ts'

/** A datagram that is on its way, and later what `Link.poll` returns. */
export interface Arrival<Tag> {
  /** When it arrives. */
  readonly atMs: Millis
  /** When it was sent. */
  readonly sentAtMs: Millis
  /** Its bytes; the receiver's own. */
  readonly bytes: Uint8Array
  /** What the sender gave along with it. */
  readonly tag: Tag
  /** A duplicate or a replay: the original is counted apart. */
  readonly isCopy: boolean
  /** Order of insertion. */
  readonly order: number
}

export class Arrivals<Tag> {
  readonly #heap: Arrival<Tag>[] = []

  get first(): Arrival<Tag> | undefined { return this.#heap[0] }

  add(arrival: Arrival<Tag>): void {
    const heap = this.#heap
    let i = heap.length
    heap.push(arrival)
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (before(heap[parent]!, arrival)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = arrival
  }

  removeFirst(): void {
    const heap = this.#heap
    const last = heap.pop()!
    const count = heap.length
    if (count === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= count) break
      if (child + 1 < count && before(heap[child + 1]!, heap[child]!)) child++
      if (before(last, heap[child]!)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = last
  }
}

const before = <Tag>(a: Arrival<Tag>, b: Arrival<Tag>): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
