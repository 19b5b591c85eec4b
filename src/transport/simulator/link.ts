// One direction of a path: datagrams go in, the survivors come out when they are due. No socket, no clock, no timer: time is
// an argument, chance comes from a seed, so the same calls give the same results, byte for byte.

import type { Millis } from '../endpoint.ts'
import { SeededRandom } from '../../util/random.ts'
import { Arrivals, type Arrival } from './arrivals.ts'
import { Bottleneck } from './bottleneck.ts'
import { BurstState } from './burst-loss.ts'
import { exponential, from } from './chance.ts'
import type { ConditionsOverTime } from './conditions.ts'
import { copyOf } from './copy.ts'
import { Course } from './course.ts'
import { corrupt, extend, truncate } from './damage.ts'
import { Replays } from './replays.ts'
import { blackoutEnd, type Rules } from './rules.ts'

export type { Arrival } from './arrivals.ts'

/** Why a datagram was lost; also the name of its counter. */
export type DropCause =
  /** Even loss. */
  | 'lost'
  /** Within a burst. */
  | 'burstLost'
  /** The queue before the bottleneck was full. */
  | 'queueDropped'
  /** In a blackout, or while the link was cut (`up = false`). */
  | 'blackout'
  /** Larger than `mtuBytes`. */
  | 'tooLarge'
  /** Taken out by `filter`. */
  | 'filtered'

/**
 * Every datagram of a link, by what became of it. Always:
 * `sent = delivered + lost + burstLost + queueDropped + blackout + tooLarge + filtered + inFlight`, and
 * `duplicated + replayed = copiesDelivered + copiesInFlight`.
 */
export interface LinkLedger {
  /** Given to the link. */
  sent: number
  /** Come out of it, once for each sent (damaged ones included). */
  delivered: number
  lost: number
  burstLost: number
  queueDropped: number
  blackout: number
  tooLarge: number
  filtered: number
  /** On the way, those that wait before the bottleneck included. */
  inFlight: number

  /** Second copies that the link made. */
  duplicated: number
  /** Old datagrams that it sent again. */
  replayed: number
  copiesDelivered: number
  copiesInFlight: number

  // -- what else befell datagrams that were not lost; each is also `delivered` or `inFlight`
  reordered: number
  corrupted: number
  truncated: number
  extended: number

  /** UDP payload bytes given to the link, and come out of it (copies included). */
  bytesSent: number
  bytesDelivered: number
}

const emptyLedger = (): LinkLedger => ({
  sent: 0, delivered: 0, lost: 0, burstLost: 0, queueDropped: 0, blackout: 0, tooLarge: 0, filtered: 0, inFlight: 0,
  duplicated: 0, replayed: 0, copiesDelivered: 0, copiesInFlight: 0,
  reordered: 0, corrupted: 0, truncated: 0, extended: 0, bytesSent: 0, bytesDelivered: 0,
})

export interface LinkOptions {
  /** Decides everything that is left to chance; any integer. @default 1 */
  seed?: number
  /** The time from which blackouts and timelines count. @default that of the first `send` */
  startMs?: Millis
}

/**
 * A link carries datagrams in one direction under given conditions.
 *
 * ```ts
 * const link = new Link({ latencyMs: 40, lossRatio: 0.05 }, { seed: 7 })
 * link.send(bytes, 0)
 * for (let a = link.poll(40); a !== null; a = link.poll(40)) receive(a.bytes)
 * ```
 *
 * `Tag` is anything that should travel along, such as an address.
 */
export class Link<Tag = void> {
  /** Told of each datagram that is lost. The bytes are the sender's, and valid only during the call. */
  onDrop: ((bytes: Uint8Array, cause: DropCause, tag: Tag) => void) | null = null
  /**
   * Asked about each datagram before anything else happens to it: return `false` to lose it. For losses that chance should
   * not decide ("the third datagram"). The bytes are the sender's, and valid only during the call.
   */
  filter: ((bytes: Uint8Array, tag: Tag) => boolean) | null = null
  /** `false` cuts the link: what is sent is lost (counted as `blackout`); what is on the way still arrives. */
  up = true
  /** Why the latest datagram given to `send` was lost, or `null` if it was not. */
  lastDrop: DropCause | null = null

  readonly #ledger = emptyLedger()
  readonly #arrivals = new Arrivals<Tag>()
  readonly #bottleneck = new Bottleneck()
  // Each kind of chance has a generator of its own, so that switching jitter on does not change which datagrams are lost.
  readonly #lossChance: SeededRandom
  readonly #burstChance: SeededRandom
  readonly #delayChance: SeededRandom
  readonly #damageChance: SeededRandom
  readonly #copyChance: SeededRandom
  readonly #replays = new Replays<Tag>()
  #conditions: ConditionsOverTime
  #course: Course
  #burst: BurstState | null = null
  #startMs: Millis
  #now = -Infinity
  /** The latest arrival in the row that nothing overtakes. */
  #rowMs = -Infinity
  #order = 0

  /** @throws VaivenError `ERR_OPTION_RANGE` */
  constructor(conditions: ConditionsOverTime = {}, options: LinkOptions = {}) {
    this.#conditions = conditions
    this.#course = new Course(conditions)
    this.#startMs = options.startMs ?? NaN
    const seed = new SeededRandom(options.seed ?? 1)
    this.#lossChance = seed.fork()
    this.#burstChance = seed.fork()
    this.#delayChance = seed.fork()
    this.#damageChance = seed.fork()
    this.#copyChance = seed.fork()
  }

  /**
   * The conditions; may be replaced at any time. New ones hold for what is sent from then on; what waits in the queue or is
   * on the way is not touched. @throws VaivenError `ERR_OPTION_RANGE` when set
   */
  get conditions(): ConditionsOverTime { return this.#conditions }
  set conditions(conditions: ConditionsOverTime) {
    this.#course = new Course(conditions)
    this.#conditions = conditions
  }

  /** What became of every datagram so far. Live: read it again for newer numbers. */
  get ledger(): Readonly<LinkLedger> { return this.#ledger }

  /**
   * Sends one datagram: the first `length` of `bytes`, which are copied.
   * @param now not before an earlier `now`; if it is, the earlier one counts
   * @returns when it will arrive; Infinity when it is lost
   */
  send(bytes: Uint8Array, now: Millis, tag: Tag, length: number = bytes.length): Millis {
    if (now < this.#now) now = this.#now
    this.#now = now
    if (Number.isNaN(this.#startMs)) this.#startMs = now
    const rules = this.#course.at(now - this.#startMs)
    const ledger = this.#ledger
    ledger.sent++
    ledger.bytesSent += length

    if (this.filter !== null && !this.filter(bytes.subarray(0, length), tag)) return this.#drop(bytes, length, 'filtered', tag)
    if (!this.up) return this.#drop(bytes, length, 'blackout', tag)
    if (length > rules.mtuBytes) return this.#drop(bytes, length, 'tooLarge', tag)
    // Loss strikes behind the bottleneck: a lost datagram has used its share of the rate, as on a radio link.
    const leavesMs = this.#bottleneck.pass(rules, length, now, this.#startMs)
    if (leavesMs < 0) return this.#drop(bytes, length, 'queueDropped', tag)
    if (rules.blackouts.length > 0) {
      const elapsedMs = leavesMs - this.#startMs
      if (blackoutEnd(rules.blackouts, false, elapsedMs) !== elapsedMs) return this.#drop(bytes, length, 'blackout', tag)
    }
    const burst = this.#burstOf(rules, leavesMs)
    const inBurst = burst !== null && burst.loses(leavesMs)
    if (this.#lossChance.chance(rules.lossRatio)) return this.#drop(bytes, length, 'lost', tag)
    if (inBurst) return this.#drop(bytes, length, 'burstLost', tag)

    this.lastDrop = null
    const arriving = this.#damaged(copyOf(bytes, length), rules)
    const atMs = leavesMs + rules.latencyMs + this.#extraDelay(rules)
    const arrivesMs = this.#inRow(atMs, rules)
    ledger.inFlight++
    this.#arrivals.add({ atMs: arrivesMs, sentAtMs: now, bytes: arriving, tag, isCopy: false, order: this.#order++ })
    if (rules.duplicateRatio > 0 || rules.replayRatio > 0) this.#copies(arriving, arrivesMs, now, tag, rules)
    return arrivesMs
  }

  /** The next datagram that is due at `now`, or `null`. */
  poll(now: Millis): Arrival<Tag> | null {
    const first = this.#arrivals.first
    if (first === undefined || first.atMs > now) return null
    this.#arrivals.removeFirst()
    const ledger = this.#ledger
    ledger.bytesDelivered += first.bytes.length
    if (first.isCopy) {
      ledger.copiesInFlight--
      ledger.copiesDelivered++
    } else {
      ledger.inFlight--
      ledger.delivered++
    }
    return first
  }

  /** When the next datagram arrives; Infinity when none is on the way. */
  deadline(): Millis {
    const first = this.#arrivals.first
    return first === undefined ? Infinity : first.atMs
  }

  #drop(bytes: Uint8Array, length: number, cause: DropCause, tag: Tag): Millis {
    this.#ledger[cause]++
    this.lastDrop = cause
    if (this.onDrop !== null) this.onDrop(bytes.subarray(0, length), cause, tag)
    return Infinity
  }

  /** The state of bursts; begun anew when the rules for bursts are new. */
  #burstOf(rules: Rules, nowMs: Millis): BurstState | null {
    if (rules.burst === null) this.#burst = null
    else if (this.#burst === null || this.#burst.rules !== rules.burst) this.#burst = new BurstState(rules.burst, this.#burstChance, nowMs)
    return this.#burst
  }

  #damaged(bytes: Uint8Array, rules: Rules): Uint8Array {
    const chance = this.#damageChance
    const ledger = this.#ledger
    if (chance.chance(rules.corruptRatio)) {
      ledger.corrupted++
      corrupt(bytes, chance)
    }
    if (chance.chance(rules.truncateRatio)) {
      ledger.truncated++
      bytes = truncate(bytes, chance)
    }
    if (chance.chance(rules.extendRatio)) {
      ledger.extended++
      bytes = extend(bytes, chance)
    }
    return bytes
  }

  #extraDelay(rules: Rules): Millis {
    const chance = this.#delayChance
    let extra = 0
    if (rules.jitterMs > 0) extra = rules.jitterMs * (rules.exponentialJitter ? exponential(chance) : chance.unit())
    if (chance.chance(rules.spikeRatio)) extra += rules.spikeMs * exponential(chance)
    return extra
  }

  /** The arrival of a datagram that would arrive at `atMs` if it were alone: not before the one ahead, unless order is free. */
  #inRow(atMs: Millis, rules: Rules): Millis {
    if (rules.keepOrder) {
      if (atMs < this.#rowMs) atMs = this.#rowMs
      else this.#rowMs = atMs
    }
    if (!this.#delayChance.chance(rules.reorderRatio)) return atMs
    this.#ledger.reordered++
    return atMs + from(rules.reorderByMs, this.#delayChance)
  }

  #copies(bytes: Uint8Array, arrivesMs: Millis, sentAtMs: Millis, tag: Tag, rules: Rules): void {
    const chance = this.#copyChance
    const ledger = this.#ledger
    if (chance.chance(rules.duplicateRatio)) {
      ledger.duplicated++
      this.#addCopy(copyOf(bytes), arrivesMs + from(rules.duplicateByMs, chance), sentAtMs, tag)
    }
    if (rules.replayRatio === 0) return
    const replayed = chance.chance(rules.replayRatio) ? this.#replays.any(chance) : undefined
    if (replayed !== undefined) {
      ledger.replayed++
      this.#addCopy(copyOf(replayed.bytes), arrivesMs, sentAtMs, replayed.tag)
    }
    this.#replays.remember(copyOf(bytes), tag)
  }

  #addCopy(bytes: Uint8Array, atMs: Millis, sentAtMs: Millis, tag: Tag): void {
    this.#ledger.copiesInFlight++
    this.#arrivals.add({ atMs, sentAtMs, bytes, tag, isCopy: true, order: this.#order++ })
  }
}
