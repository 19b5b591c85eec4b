// Which lane sends next. Strict between levels; within a level packets that fit into one datagram go before large ones,
// and lanes of the same sort share by weight, so that neither many channels nor a long transfer on one of them can hold up
// a small packet on another. C ENet has one queue for all. SPEC §7.5.
//
// Shares by start-time fair queueing (Goyal, Vin and Cheng, 1996): whoever was served moves on by bytes / weight, and the
// one furthest behind goes next, but nobody is further behind than the one that was served last. Being looked at and found
// blocked changes nothing; in a round robin it would cost the turn.

import type { Lane } from './lane.ts'

export class Schedule {
  readonly #levels: (Lane[] | undefined)[] = []
  /** Where the lane served last stood, by level: of small packets, and of large ones. */
  readonly #smallClocks: number[] = []
  readonly #largeClocks: number[] = []
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
    const lanes = this.#levels[lane.level] as Lane[]
    lanes.splice(lanes.indexOf(lane), 1)
    while (this.#highest >= 0 && (this.#levels[this.#highest]?.length ?? 0) === 0) this.#highest--
  }

  /** Moves a lane to another level. */
  move(lane: Lane, level: number, weight: number): void {
    const scheduled = lane.scheduled
    this.remove(lane)
    // Other clocks: it begins as a newcomer.
    if (level !== lane.level) lane.smallServed = lane.largeServed = 0
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
      const lane = this.#first(level, lanes, datagram, true) ?? this.#first(level, lanes, datagram, false)
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

  /** The lane has sent so many bytes. @param small what it sent was urgent */
  charge(lane: Lane, bytes: number, small: boolean): void {
    const clocks = small ? this.#smallClocks : this.#largeClocks
    const from = Math.max(small ? lane.smallServed : lane.largeServed, clocks[lane.level] ?? 0)
    clocks[lane.level] = from
    const to = from + bytes / lane.weight
    if (small) lane.smallServed = to
    else lane.largeServed = to
  }

  #first(level: number, lanes: readonly Lane[], datagram: number, small: boolean): Lane | null {
    const clock = (small ? this.#smallClocks : this.#largeClocks)[level] ?? 0
    let found: Lane | null = null
    let least = Infinity
    for (const lane of lanes) {
      if (lane.blockedIn === datagram || isSmall(lane) !== small) continue
      const served = Math.max(small ? lane.smallServed : lane.largeServed, clock)
      if (served >= least) continue
      least = served
      found = lane
    }
    return found
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
