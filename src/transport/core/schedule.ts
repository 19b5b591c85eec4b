// Which lane sends next. Strict between levels; within a level packets that fit into one datagram go before large ones,
// and lanes of the same sort share by deficit round robin (Shreedhar and Varghese, 1995), so that neither many channels
// nor a long transfer on one of them can hold up a small packet on another. C ENet has one queue for all. SPEC §7.5.

import type { Lane } from './lane.ts'

const LEVELS = 8
/** Bytes that one unit of weight adds to a lane's deficit each time its turn comes. */
const QUANTUM = 150

export class Schedule {
  readonly #levels: (Lane[] | undefined)[] = []
  readonly #cursors: number[] = new Array<number>(LEVELS).fill(0)
  #highest = -1

  /** Takes in a lane that has something to send. */
  add(lane: Lane): void {
    if (lane.scheduled) return
    lane.scheduled = true
    ;(this.#levels[lane.level] ??= []).push(lane)
    if (lane.level > this.#highest) this.#highest = lane.level
  }

  /** Takes out a lane that has nothing left. */
  remove(lane: Lane): void {
    if (!lane.scheduled) return
    lane.scheduled = false
    lane.deficit = 0
    const lanes = this.#levels[lane.level] as Lane[]
    const at = lanes.indexOf(lane)
    lanes.splice(at, 1)
    if ((this.#cursors[lane.level] as number) > at) (this.#cursors[lane.level] as number)--
    while (this.#highest >= 0 && (this.#levels[this.#highest]?.length ?? 0) === 0) this.#highest--
  }

  /** Moves a lane to another level. */
  move(lane: Lane, level: number, weight: number): void {
    const scheduled = lane.scheduled
    this.remove(lane)
    lane.level = level
    lane.weight = weight
    if (scheduled) this.add(lane)
  }

  /**
   * The lane whose turn it is, leaving out those that are blocked in this datagram; `null` when all are.
   * @param datagram identifies the datagram that is being built
   */
  next(datagram: number): Lane | null {
    for (let level = this.#highest; level >= 0; level--) {
      const lanes = this.#levels[level]
      if (lanes === undefined || lanes.length === 0) continue
      const lane = this.#turn(level, lanes, datagram, true) ?? this.#turn(level, lanes, datagram, false)
      if (lane !== null) return lane
    }
    return null
  }

  /** Does a lane wait to send something that is not urgent? */
  get hasBulk(): boolean {
    for (const lanes of this.#levels) {
      if (lanes === undefined) continue
      for (const lane of lanes) if (!isSmall(lane) && lane.queue.peek()?.reliable === true) return true
    }
    return false
  }

  /** What the lane just sent, in bytes, is taken from its turn. */
  charge(lane: Lane, bytes: number): void {
    lane.deficit -= bytes
  }

  #turn(level: number, lanes: Lane[], datagram: number, small: boolean): Lane | null {
    const count = lanes.length
    let cursor = this.#cursors[level] as number
    let open = 0
    for (let i = 0; i < count; i++) {
      const lane = lanes[i] as Lane
      if (lane.blockedIn !== datagram && isSmall(lane) === small) open++
    }
    if (open === 0) return null
    // Every round adds at least QUANTUM to an open lane, so this ends.
    for (;;) {
      if (cursor >= count) cursor = 0
      const lane = lanes[cursor] as Lane
      if (lane.blockedIn !== datagram && isSmall(lane) === small) {
        if (lane.deficit > 0 || open === 1) {
          this.#cursors[level] = cursor
          if (lane.deficit < 0 && open === 1) lane.deficit = 0
          return lane
        }
        // Used up: its share of the next round, and the turn goes on.
        lane.deficit += lane.weight * QUANTUM
      }
      cursor++
    }
  }
}

/** Packets up to this size, whole in one command, are urgent: they are not held back for bulk's sake. SPEC §7.5. */
export const URGENT_BYTES = 1000

/** Is the lane's first packet urgent? */
export const isSmall = (lane: Lane): boolean => {
  if (lane.bulk) return false
  const first = lane.queue.peek()
  return first !== undefined && first.pieces === 1 && first.bytes.length <= URGENT_BYTES
}
