// Reliable commands in flight: which datagram carried them, what its acknowledgement proves, and when to send them again.
//
// Theory. A C ENet receiver echoes the 16-bit sent-time field without looking at it, so the field can carry a datagram
// number: every acknowledgement then names the very transmission that arrived. That gives exact round trips, no doubt
// about retransmissions, and proof of loss: when a datagram sent later has been acknowledged and the earlier one is
// overdue by more than the reordering seen so far, it is lost (RFC 8985, RACK, in time form). What nothing later can
// prove is found by a tail timer (RFC 8985 TLP, RFC 9002 §6.2): mean + 4 deviations + a learned slack after sending.
// C ENet has only a timer per command, doubled at each expiry and hidden behind the first one in its list.
// SPEC §6 · a wrong suspicion costs a few dozen bytes, so small commands are sent again on suspicion; large ones and the
// bookkeeping of losses wait for certainty.

import type { Millis } from '../endpoint.ts'
import type { DeliveryTrace } from '../types.ts'
import type { Congestion } from './congestion.ts'
import type { Copies } from './copies.ts'
import type { Report } from './extension.ts'
import { LossRate } from './loss-rate.ts'
import type { Message, ReliableCommand } from './message.ts'
import { OneWay } from './one-way.ts'
import { Repeats } from './repeats.ts'
import { RoundTrip } from './round-trip.ts'
import { SentDatagrams } from './sent-datagrams.ts'
import type { SentDatagram } from './sent-datagrams.ts'
import { Tolerances } from './tolerances.ts'

/** Told of every step of a command; `datagram` is the one that the step is about. */
export type CommandTrace = (what: DeliveryTrace['what'], command: ReliableCommand, datagram: number, at: Millis) => void

/** What an acknowledgement turned out to be. */
export const Acknowledged = {
  /** Names nothing that we sent: forged, or older than we remember. */
  stray: 0,
  /** Of something already acknowledged: a copy arrived, or the acknowledgement was doubled. */
  again: 1,
  /** First proof that this command arrived. */
  first: 2,
} as const
export type Acknowledged = (typeof Acknowledged)[keyof typeof Acknowledged]

/** A suspected datagram of which nothing is heard for so many tail times is lost. */
const LAPSE_TAILS = 4
/** Least allowance of the tail time for timers and pumps on both sides; the slack learns what a path needs beyond it. */
const TAIL_FLOOR_MS = 1
/** Nobody may stretch its round trips until its silence goes unnoticed for minutes. */
const LONGEST_TAIL_MS = 5_000
/** Tail time before the first round trip is known. */
const INITIAL_TAIL_MS = 250
const MAX_TAIL_MS = 1_000
/** Tail firings without any acknowledgement after which everything older is given up for lost, once. */
const OUTAGE_PROBES = 4
/** An unreliable datagram may wait this much longer for its report than two tail times. */
const PASSIVE_WAIT_MS = 100
/** IPv4 and UDP headers: a bottleneck carries them too. */
const WIRE_OVERHEAD = 28
/** Datagrams that a firing tail timer may send beyond the congestion window. */
const FORCED = 2

export class Recovery {
  readonly roundTrip = new RoundTrip()
  /** Commands to send again. */
  readonly again = new Repeats()
  /** Reliable payload bytes sent and neither acknowledged nor suspected lost. */
  inTransitBytes = 0
  /** Bytes on the wire of datagrams neither acknowledged nor lost. */
  inFlightBytes = 0
  /** Datagrams that may still leave beyond the congestion window, and among them the one probe of bulk data. */
  forced = 0
  forcedBulk = 0
  /** Nothing large is waiting: what is sent now is limited by the application. Set by the sender. */
  appLimited = true
  /** Nothing large waits that has never left: repairs have the path for themselves. Set by the sender. */
  idle = true
  /** Unreliable datagrams that may still get a ping, so that their acknowledgement proves a gap. */
  followUps = 0
  lastElicitedAt: Millis = 0
  readonly copies: Copies
  readonly congestion: Congestion | null
  /** For whoever wants to know why something was late; see `Host.trace`. */
  trace: CommandTrace | null = null
  /** Commands sent again, ever. */
  retransmissions = 0
  /** Tail firings since the last acknowledgement. */
  probes = 0
  /** Live time since which something is overdue without any acknowledgement; -1 when nothing is. */
  overdueSince: Millis = -1
  readonly #sent: SentDatagrams
  #largestAcknowledged = -1
  /** Round trip of the newest-sent acknowledged datagram. */
  #rackRoundTrip = 0
  readonly #tolerances = new Tolerances()
  readonly #loss = new LossRate()
  #outstanding = 0
  #lastProbeAt = -Infinity
  /** During an outage the next probe leaves not before this. */
  #probeAt = -Infinity
  #lastAcknowledgedAt: Millis
  #now: Millis
  #outageHandled = false
  // Delivery, for the controller's rate.
  #delivered = 0
  #deliveredAt: Millis = 0
  #firstSentAt: Millis = 0
  #batchBytes = 0
  #rateRecord: SentDatagram | null = null
  // The batch: all acknowledgements of one incoming datagram.
  #newest: SentDatagram | null = null
  #late: SentDatagram[] = []
  #arrivals: SentDatagram[] = []
  #largestBefore = -1
  #anyArrived = false
  /** From a report: how long it waited, and how much longer than at best our datagram took. */
  #delayMs = 0
  #growthMs = Infinity
  readonly #oneWay = new OneWay()
  readonly #onListenerError: (error: unknown) => void
  /** Commands of datagrams that arrived whose own acknowledgement is still missing. */
  #partial: PartlyAcknowledged[] = []
  /** Unreliable packets whose fate is known and whose sender is not told yet. */
  #toTell: { readonly message: Message; readonly outcome: 'delivered' | 'lost' }[] = []
  #timerAt: Millis = Infinity

  /**
   * @param start first datagram number, 0 to 65535
   * @param now the time at which the connection begins
   * @param clock true: the token is a 16-bit millisecond clock instead of the datagram number
   * @param congestion the controller that is told of everything; `null`: none
   * @param onListenerError told of what a listener of a message throws
   * @param copies what is sent more than once before it is known to be lost
   */
  constructor(
    start: number, now: Millis, clock: boolean, congestion: Congestion | null, copies: Copies, onListenerError: (error: unknown) => void,
  ) {
    this.#sent = new SentDatagrams(start, clock)
    this.#now = this.#lastAcknowledgedAt = now
    this.congestion = congestion
    this.copies = copies
    this.#onListenerError = onListenerError
  }

  /** Commands that have left and are not acknowledged. */
  get busy(): boolean {
    return this.#outstanding > 0
  }

  /** Smoothed share of datagrams found lost. */
  get lossRatio(): number {
    return this.#loss.fast
  }

  /** The time after which an unanswered datagram is suspected lost. */
  get tailMs(): number {
    const { mean, deviation, sampled } = this.roundTrip
    return sampled ? Math.min(mean + Math.max(4 * deviation, TAIL_FLOOR_MS) + this.#tolerances.slack, LONGEST_TAIL_MS) : INITIAL_TAIL_MS
  }

  get lastAcknowledgedAt(): Millis {
    return this.#lastAcknowledgedAt
  }

  /** When `onTimer` has something to do. */
  get deadline(): Millis {
    return this.#timerAt
  }

  /** The connection stands: silence counts from here, not from a time before the host was told what time it is. */
  begin(now: Millis): void {
    this.#now = this.#lastAcknowledgedAt = now
  }

  /** Begins a datagram that will carry reliable commands; its token goes into the header. */
  open(now: Millis): SentDatagram {
    this.#now = now
    return this.#sent.open(now)
  }

  /** A reliable command goes into the open datagram: for the first time, again, or as a copy. */
  carry(record: SentDatagram, command: ReliableCommand, copy = false): void {
    record.add(command)
    command.lastDatagram = record.number
    if (command.transmissions++ === 0) {
      command.sentAt = record.sentAt
      if (!command.once) this.#outstanding++
    } else if (!copy) this.retransmissions++
    this.trace?.(command.transmissions === 1 ? 'sent' : copy ? 'copied' : 'repeated', command, record.number, record.sentAt)
    if (!copy) this.copies.sent(command, record.sentAt, this.roundTrip.mean, this.probes, this.#lastAcknowledgedAt, this.idle)
    if (!command.inTransit) {
      command.inTransit = true
      this.inTransitBytes += command.payloadBytes
    }
  }

  /** The open datagram leaves. */
  commit(record: SentDatagram, now: Millis, bytes: number): void {
    this.#sent.next = record.number + 1
    record.bytes = bytes + WIRE_OVERHEAD
    if (this.inFlightBytes === 0) this.#firstSentAt = this.#deliveredAt = now
    this.inFlightBytes += record.bytes
    record.deliveredBefore = this.#delivered
    record.deliveredAt = this.#deliveredAt
    record.firstSentAt = this.#firstSentAt
    record.appLimited = this.appLimited
    if (this.congestion !== null) {
      record.calm = this.congestion.calmAt(this.appLimited)
      record.phase = this.congestion.phaseAt(now)
    }
    this.lastElicitedAt = now
    if (record.bulk) {
      if (this.forcedBulk > 0) this.forcedBulk--
    } else if (this.forced > 0) this.forced--
    record.tail = this.tailMs
    record.tailAt = now + (record.passive ? 2 * record.tail + PASSIVE_WAIT_MS : this.#backedOff(record.tail))
    if (record.tailAt < this.#timerAt) this.#timerAt = record.tailAt
  }

  /** Is so much more allowed to be under way for something urgent? It may go beyond the controller's window. */
  urgentAllowed(mtu: number): boolean {
    if (this.congestion === null || this.forced > 0) return true
    const { window } = this.congestion
    return this.inFlightBytes + 200 <= window + Math.max(4 * mtu, window / 4)
  }

  /** Is so much more bulk allowed to be under way? */
  bulkAllowed(bytes: number): boolean {
    if (this.congestion === null || this.forcedBulk > 0) return true
    return this.inFlightBytes + bytes + WIRE_OVERHEAD <= this.congestion.window
  }

  /** All acknowledgements of one datagram are judged together: call before the first. */
  beginBatch(): void {
    this.#newest = null
    if (this.#late.length > 0) this.#late = []
    if (this.#arrivals.length > 0) this.#arrivals = []
    this.#batchBytes = 0
    this.#rateRecord = null
    this.#anyArrived = false
    this.#delayMs = 0
    this.#growthMs = Infinity
    this.#largestBefore = this.#largestAcknowledged
  }

  /**
   * One acknowledgement. Counts only if the datagram with that token really carried that command.
   * @returns what it was; the caller releases the command on `first`
   */
  acknowledge(channel: number, sequence: number, token: number, command: ReliableCommand | undefined, now: Millis): Acknowledged {
    const record = this.#sent.carrying(channel, sequence, token)
    if (record === null) return Acknowledged.stray
    if (!record.acknowledged) this.#arrived(record, now, true)
    if (command === undefined || command.acknowledged) return Acknowledged.again
    this.#settle(command)
    this.trace?.('acknowledged', command, record.number, now)
    return Acknowledged.first
  }

  /**
   * A report of the other side: datagrams that have arrived whole.
   * @param release called for each command that is thereby acknowledged for the first time
   * @returns false when it names nothing that we sent
   */
  reported(report: Report, now: Millis, release: (command: ReliableCommand) => void): boolean {
    const newest = this.#sent.numbered(report.newest)
    if (newest === null) return false
    if (!newest.acknowledged) {
      this.#delayMs = report.delayMs
      const roundTrip = now - newest.sentAt - report.delayMs
      this.#growthMs = this.#oneWay.sample(newest.sentAt, report.arrivedMs, roundTrip - (this.congestion?.propagationMs ?? 0))
      this.#arrived(newest, now, true)
    }
    this.#release(newest, now, release)
    for (let i = -1; i < 64; i++) {
      if (i >= 0 && (((i < 32 ? report.mapLow : report.mapHigh) >>> (i & 31)) & 1) === 0) continue
      const record = this.#sent.numbered((report.largest - 1 - i) & 0xffff)
      if (record === null || record.acknowledged) continue
      this.#arrived(record, now, false)
      this.#release(record, now, release)
    }
    return true
  }

  /**
   * The batch is complete: learn from it and look for losses.
   * @param trustedSince our own loop stood still before this time: what was sent earlier says nothing about the path
   * @returns true when there is something to send again now
   */
  endBatch(now: Millis, trustedSince: Millis): boolean {
    this.#now = now
    const newest = this.#newest
    if (!this.#anyArrived) return false
    this.#lastAcknowledgedAt = now
    this.overdueSince = -1
    this.probes = 0
    this.#outageHandled = false
    if (newest === null) return this.#judge(now)
    const roundTrip = Math.max(0, now - newest.sentAt - this.#delayMs)
    if (newest.number > this.#largestAcknowledged) {
      this.#largestAcknowledged = newest.number
      this.#rackRoundTrip = roundTrip
    }
    if (newest.sentAt >= trustedSince) {
      this.roundTrip.sample(roundTrip)
      this.#learnReordering(now)
      this.#informController(newest, roundTrip, now)
    }
    for (const record of this.#arrivals) {
      for (const command of record.commands) {
        if (!command.acknowledged && !command.once && command.lastDatagram === record.number) {
          this.#partial.push({ command, datagram: record.number, since: now, tailAt: now + this.tailMs })
        }
      }
    }
    return this.#judge(now)
  }

  /**
   * Time has come to `deadline`.
   * @param live time with our own stalls taken out
   * @returns true when there is something to send now
   */
  onTimer(now: Millis, live: Millis): boolean {
    if (now < this.#timerAt) return false
    this.#now = now
    let fired = false
    let overdue = false
    let oldestBulk: SentDatagram | null = null
    for (let n = this.#sent.low; n < this.#sent.next; n++) {
      const record = this.#sent.at(n)
      if (record.acknowledged || record.lost) continue
      if (record.suspected) {
        // What it carried has left again in others; after so long nothing will be heard of this one.
        if (now >= record.sentAt + LAPSE_TAILS * record.tail) {
          this.#lose(record, now)
          // What it carried has mostly left again long ago: then there is nothing to do now.
          if (this.again.any) fired = true
        }
        continue
      }
      if (this.#endOf(record) > now) continue
      if (record.passive) {
        // Nothing to repeat, and nothing proved: reports about it may have been lost.
        this.#forget(record)
        continue
      }
      if (record.commands.every((command) => command.acknowledged || command.once)) {
        // Everything in it has arrived by another copy, or was only a ping: nothing to repeat.
        record.suspected = true
        continue
      }
      const left = ({ acknowledged, lastDatagram, againAt }: ReliableCommand): boolean =>
        acknowledged || (lastDatagram !== record.number && now - againAt < this.tailMs)
      if (record.commands.every(left)) {
        // All of it was sent again less than a tail time ago. One more silence, but no reason to send it once more: every copy
        // would make more of them.
        record.suspected = overdue = true
        continue
      }
      if (overdue && this.probes >= 2) {
        // During an outage only the oldest is a probe.
        record.tailAt = now + this.#backedOff(this.tailMs)
        continue
      }
      if (record.bulk && oldestBulk !== null) {
        record.tailAt = now + this.#backedOff(this.tailMs)
        continue
      }
      fired = overdue = true
      if (record.bulk) oldestBulk = record
      else this.#suspect(record, now)
    }
    // Of large packets only the oldest datagram is repeated: one probe, not a whole window.
    if (oldestBulk !== null) {
      this.#suspect(oldestBulk, now)
      for (const command of oldestBulk.commands) {
        if (!command.acknowledged && command.lastDatagram === oldestBulk.number) this.#queueAgain(command)
      }
      this.forcedBulk = 1
    }
    if (overdue) {
      this.forced = FORCED
      this.#probeAt = now + this.#backedOff(0)
      if (this.overdueSince < 0) this.overdueSince = live
      if (now - this.#lastProbeAt >= 0.9 * this.tailMs) {
        this.probes++
        this.#lastProbeAt = now
      }
      if (this.probes >= OUTAGE_PROBES && !this.#outageHandled) this.#outage(now)
    }
    const gap = this.#detect(now)
    this.#tell()
    return fired || gap
  }

  /** A command that has left is given up: nobody waits for its acknowledgement any more. */
  forget(command: ReliableCommand): void {
    if (!command.acknowledged) this.#settle(command)
  }

  clear(): void {
    this.#sent.clear((record) => {
      if (record.unreliable.length > 0) this.#settleUnreliable(record, 'lost')
    })
    this.again.clear()
    this.#partial = []
    this.copies.clear()
    this.inTransitBytes = this.inFlightBytes = this.#outstanding = 0
    this.#timerAt = Infinity
    this.#tell()
  }

  #release(record: SentDatagram, now: Millis, release: (command: ReliableCommand) => void): void {
    for (const command of record.commands) {
      if (command.acknowledged) continue
      this.#settle(command)
      this.trace?.('acknowledged', command, record.number, now)
      release(command)
    }
  }

  // It is no longer waited for.
  #settle(command: ReliableCommand): void {
    command.acknowledged = true
    if (!command.once) this.#outstanding--
    if (!command.inTransit) return
    command.inTransit = false
    this.inTransitBytes -= command.payloadBytes
  }

  /** @param told the acknowledgement is about this datagram; false: a report says so by the way, perhaps again */
  #arrived(record: SentDatagram, now: Millis, told: boolean): void {
    record.acknowledged = true
    if (record.unreliable.length > 0) this.#settleUnreliable(record, 'delivered')
    this.#arrivals.push(record)
    this.#delivered += record.bytes
    this.#deliveredAt = now
    this.#batchBytes += record.bytes
    if (this.#rateRecord === null || record.deliveredBefore > this.#rateRecord.deliveredBefore) this.#rateRecord = record
    if (record.lost) {
      // A late acknowledgement proves the suspicion wrong: take it out of the estimates again (Eifel, RFC 3522).
      this.#loss.undo()
      this.congestion?.undoLoss()
    } else {
      this.inFlightBytes -= record.bytes
      this.#outcome(record, false)
    }
    this.#sent.advanceLow()
    this.#anyArrived = true
    // What a report repeats came late by design: it would poison everything learned from times.
    if (!told) return
    if (this.#newest === null || record.number > this.#newest.number) this.#newest = record
    if (record.number < this.#largestBefore) this.#late.push(record)
    const residence = now - record.sentAt
    if (this.#growthMs === Infinity) this.congestion?.residence(residence)
    this.#tolerances.answered(residence, record.tail, this.roundTrip.mean)
  }

  #learnReordering(now: Millis): void {
    const { mean } = this.roundTrip
    for (const record of this.#late) this.#tolerances.overtaken(now - (record.sentAt + this.#rackRoundTrip), mean)
    this.#tolerances.shrink(mean)
  }

  #judge(now: Millis): boolean {
    const found = this.#detect(now)
    this.#tell()
    return found
  }

  // Everything sent before the newest acknowledged datagram is overdue once the tolerance has passed; the rest waits for
  // the tail timer. Sets the next deadline.
  #detect(now: Millis): boolean {
    let wake = Infinity
    let looked = 0
    let found = false
    const { tight } = this.#tolerances
    const wide = Math.max(this.#tolerances.wide, this.roundTrip.mean / 8)
    for (let n = this.#sent.low; n < this.#sent.next; n++) {
      const record = this.#sent.at(n)
      if (record.acknowledged || record.lost) continue
      if (n < this.#largestAcknowledged) {
        const due = record.sentAt + this.#rackRoundTrip
        if (!record.suspected && !record.bulk) {
          if (due + tight <= now) {
            this.#suspect(record, now)
            found = true
          } else wake = Math.min(wake, due + tight)
        }
        if (due + wide <= now) {
          this.#lose(record, now)
          found = true
        } else wake = Math.min(wake, due + wide)
      } else if (record.suspected) {
        wake = Math.min(wake, Math.max(now + 1, record.sentAt + LAPSE_TAILS * record.tail))
      } else {
        wake = Math.min(wake, this.#endOf(record))
        // Sent in order, so what follows is due later or little earlier: looking at a few is enough.
        if (++looked >= 64) break
      }
    }
    this.#sent.advanceLow()
    if (this.#partial.length > 0) {
      // The acknowledgements of one datagram may be split over two, of which one was lost; or the receiver refused the
      // rest of a datagram. Its arrival never stands for the arrival of what it carried.
      this.#partial = this.#partial.filter((part) => {
        if (part.command.acknowledged || part.command.lastDatagram !== part.datagram) return false
        const overtaken = this.#largestAcknowledged > part.datagram
        const due = overtaken ? Math.min(part.tailAt, part.since + Math.max(2, tight)) : part.tailAt
        if (due > now) {
          wake = Math.min(wake, due)
          return true
        }
        this.#queueAgain(part.command)
        found = true
        return false
      })
    }
    this.#timerAt = wake
    return found
  }

  // Good enough to send urgent commands again; large ones wait for certainty.
  #suspect(record: SentDatagram, now: Millis): void {
    record.suspected = true
    this.#traceAll('suspected', record, now)
    for (const command of record.commands) {
      if (command.acknowledged || !command.urgent || command.once) continue
      if (command.lastDatagram === record.number) this.#queueAgain(command)
      else if (now - command.extraAt >= this.roundTrip.mean / 2) {
        // A copy of it is still under way, but losses cluster: do not wait for its fate.
        command.extraAt = now
        this.#queueAgain(command)
      }
    }
  }

  #lose(record: SentDatagram, now: Millis): void {
    if (!record.suspected) this.#suspect(record, now)
    record.lost = true
    this.inFlightBytes -= record.bytes
    this.#traceAll('lost', record, now)
    this.#outcome(record, true)
    if (record.unreliable.length > 0) this.#settleUnreliable(record, 'lost')
    for (const command of record.commands) {
      if (command.acknowledged || command.lastDatagram !== record.number) continue
      if (command.once) {
        command.acknowledged = true
        command.lane.sent.delete(command.sequence)
      } else this.#queueAgain(command)
    }
  }

  #traceAll(what: DeliveryTrace['what'], record: SentDatagram, at: Millis): void {
    if (this.trace === null) return
    for (const command of record.commands) if (!command.acknowledged) this.trace(what, command, record.number, at)
  }

  #forget(record: SentDatagram): void {
    record.lost = true
    this.inFlightBytes -= record.bytes
    this.#settleUnreliable(record, 'lost')
  }

  #settleUnreliable(record: SentDatagram, outcome: 'delivered' | 'lost'): void {
    for (const message of record.unreliable) {
      if (outcome === 'delivered' && --message.missing > 0) continue
      this.#toTell.push({ message, outcome })
    }
    record.forgetUnreliable()
  }

  // A listener may end the connection, which empties what is being walked through here: it is told when that is done.
  #tell(): void {
    if (this.#toTell.length === 0) return
    const toTell = this.#toTell
    this.#toTell = []
    for (const { message, outcome } of toTell) message.settle(outcome, this.#onListenerError)
  }

  #informController(newest: SentDatagram, roundTrip: number, now: Millis): void {
    const sample = this.#rateRecord
    if (this.congestion === null || sample === null) return
    const interval = Math.max(sample.sentAt - sample.firstSentAt, now - sample.deliveredAt)
    this.#firstSentAt = sample.sentAt
    const rate = interval > 0 && interval >= 0.9 * this.roundTrip.min ? (this.#delivered - sample.deliveredBefore) / interval : 0
    const { mean } = this.roundTrip
    // What the round trip grew by on the way back is no queue of ours.
    const { propagationMs } = this.congestion
    let trip = roundTrip
    if (this.#growthMs !== Infinity) {
      trip = Math.min(roundTrip, Math.max(propagationMs + this.#growthMs, Math.min(roundTrip, propagationMs)))
      this.congestion.residence(trip + this.#delayMs)
    }
    this.congestion.acknowledged(trip, mean, newest.phase, rate, sample, this.#batchBytes, this.#delivered, this.inFlightBytes, now)
  }

  #outage(now: Millis): void {
    this.#outageHandled = true
    this.congestion?.outage()
    const before = now - this.tailMs
    for (let n = this.#sent.low; n < this.#sent.next; n++) {
      const record = this.#sent.at(n)
      if (!record.acknowledged && !record.lost && record.sentAt < before) this.#lose(record, now)
    }
  }

  #queueAgain(command: ReliableCommand): void {
    if (command.inTransit) {
      command.inTransit = false
      this.inTransitBytes -= command.payloadBytes
    }
    this.again.add(command, this.#now)
  }

  #outcome(record: SentDatagram, lost: boolean): void {
    this.#loss.outcome(lost)
    this.copies.lossRatio = this.#loss.cautious
    this.congestion?.result(record.calm, lost)
  }

  // When the tail timer of this datagram ends.
  #endOf(record: SentDatagram): Millis {
    const { tailAt } = record
    const restarted = record.bulk ? Math.max(tailAt, this.#lastAcknowledgedAt + this.#backedOff(this.tailMs)) : tailAt
    // During an outage probes are apart, however many datagrams are under way.
    return this.probes < 2 || record.passive ? restarted : Math.max(restarted, this.#probeAt)
  }

  // While nothing comes back, probes thin out with the silence: an outage of T costs at most 8 % more than T, and a dead
  // path gets some dozens of datagrams until its peer is given up.
  #backedOff(tail: number): number {
    if (this.probes <= 2) return tail
    return Math.max(tail, Math.min(0.08 * (this.#now - this.#lastAcknowledgedAt), MAX_TAIL_MS))
  }
}

interface PartlyAcknowledged {
  readonly command: ReliableCommand
  readonly datagram: number
  readonly since: Millis
  readonly tailAt: Millis
}
