// Deadlines of one owner in one heap: set, cancel, ask for the next, run what is due. Knows no clock: time is an argument.

/** A point in time, milliseconds on any monotonic clock. */
type Millis = number

/** One pending deadline. */
export interface Timer {
  /** When it is due. */
  readonly at: Millis
  /** Place in the heap; -1 when it ran or was cancelled. */
  index: number
  readonly run: () => void
}

/** A binary heap of deadlines, the earliest on top; equal ones run in no particular order. */
export class Timers {
  readonly #heap: Timer[] = []

  /** How many are pending. */
  get size(): number {
    return this.#heap.length
  }

  /** When the next one is due; Infinity when none. */
  deadline(): Millis {
    return this.#heap[0]?.at ?? Infinity
  }

  set(at: Millis, run: () => void): Timer {
    const timer: Timer = { at, index: this.#heap.length, run }
    this.#heap.push(timer)
    this.#up(timer)
    return timer
  }

  /** Cancelling one that ran, or was cancelled, does nothing. */
  cancel(timer: Timer | null): void {
    if (timer === null || timer.index < 0) return
    const { index } = timer
    timer.index = -1
    const last = this.#heap.pop()!
    if (last === timer) return
    this.#heap[index] = last
    last.index = index
    this.#up(last)
    this.#down(last)
  }

  /** Runs everything due at or before `now`, also what those runs set for now. Runs must not throw. */
  advance(now: Millis): void {
    for (let top = this.#heap[0]; top !== undefined && top.at <= now; top = this.#heap[0]) {
      this.cancel(top)
      top.run()
    }
  }

  clear(): void {
    for (const timer of this.#heap) timer.index = -1
    this.#heap.length = 0
  }

  #up(timer: Timer): void {
    const heap = this.#heap
    let { index } = timer
    while (index > 0) {
      const parent = heap[(index - 1) >> 1]!
      if (parent.at <= timer.at) break
      heap[index] = parent
      parent.index = index
      index = (index - 1) >> 1
    }
    heap[index] = timer
    timer.index = index
  }

  #down(timer: Timer): void {
    const heap = this.#heap
    let { index } = timer
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++
      if (heap[child]!.at >= timer.at) break
      heap[index] = heap[child]!
      heap[index]!.index = index
      index = child
    }
    heap[index] = timer
    timer.index = index
  }
}
