// A sender's recovery without a host around it: datagrams leave, acknowledgements come back, time passes, all by hand.

import { Copies } from '../../src/transport/core/copies.ts'
import type { Redundancy } from '../../src/transport/core/copies.ts'
import { Congestion } from '../../src/transport/core/congestion.ts'
import { Report } from '../../src/transport/core/extension.ts'
import { Lane } from '../../src/transport/core/lane.ts'
import { Kind, Message, ReliableCommand } from '../../src/transport/core/message.ts'
import { Acknowledged, Recovery } from '../../src/transport/core/recovery.ts'
import type { SentDatagram } from '../../src/transport/core/sent-datagrams.ts'
import { URGENT_BYTES } from '../../src/transport/core/schedule.ts'

/** A datagram as its sender remembers it; the record itself is used again later. */
export interface Flown {
  readonly token: number
  readonly number: number
  readonly at: number
  readonly commands: readonly ReliableCommand[]
}

export interface FlightOptions {
  /** First datagram number. @default 100 */
  start?: number
  clock?: boolean
  congestion?: boolean
  redundancy?: Redundancy
  now?: number
}

export class Flight {
  now: number
  readonly recovery: Recovery
  readonly copies: Copies
  readonly lane = new Lane(0, true, 4, 10)
  /** Commands in the order in which they were acknowledged for the first time. */
  readonly released: ReliableCommand[] = []
  readonly listenerErrors: unknown[] = []
  #order = 0
  #sequence = 0

  constructor(options: FlightOptions = {}) {
    this.now = options.now ?? 1000
    this.copies = new Copies(options.redundancy ?? 'off', 256)
    this.recovery = new Recovery(options.start ?? 100, this.now, options.clock ?? false,
      options.congestion === true ? new Congestion(1200) : null, this.copies, (error) => this.listenerErrors.push(error))
  }

  /** A command that has not left yet. */
  command(bytes = 50): ReliableCommand {
    const one = new ReliableCommand(this.lane, ++this.#sequence & 0xffff, new Message(new Uint8Array(bytes), Kind.reliable), 0, null, bytes,
      this.#order++, bytes <= URGENT_BYTES)
    this.lane.sent.set(one)
    return one
  }

  /** A datagram with these commands leaves now (new ones of 50 bytes by default). */
  leave(commands: readonly ReliableCommand[] = [this.command()], copies: readonly ReliableCommand[] = []): Flown {
    const record = this.recovery.open(this.now)
    for (const one of commands) this.recovery.carry(record, one)
    for (const one of copies) this.recovery.carry(record, one, true)
    this.#commit(record)
    return { token: record.token, number: record.number, at: this.now, commands: [...commands, ...copies] }
  }

  /** A datagram with an unreliable packet whose sender wants to know. */
  leaveUnreliable(onSettled: (outcome: string) => void): Flown {
    const record = this.recovery.open(this.now)
    const message = new Message(new Uint8Array(50), Kind.unreliable)
    message.onSettled = onSettled
    record.addUnreliable(message)
    this.#commit(record)
    return { token: record.token, number: record.number, at: this.now, commands: [] }
  }

  /** Sends again, each in a datagram of its own, what waits for that. */
  repeat(): Flown[] {
    const all: Flown[] = []
    for (;;) {
      const command = this.recovery.again.peekUrgent() ?? this.recovery.again.peekBulk()
      if (command === null) return all
      this.recovery.again.take(command)
      all.push(this.leave([command]))
    }
  }

  /** The acknowledgements of these commands, each by the datagram that carried it, arrive in one datagram. */
  acknowledge(...what: readonly (readonly [Flown, ReliableCommand])[]): Acknowledged[] {
    this.recovery.beginBatch()
    const results = what.map(([flown, one]) => {
      const result = this.recovery.acknowledge(one.lane.channel, one.sequence, flown.token, this.lane.sent.get(one.sequence), this.now)
      if (result === Acknowledged.first) this.#release(one)
      return result
    })
    this.recovery.endBatch(this.now, -Infinity)
    return results
  }

  /** All of a datagram is acknowledged. */
  arrived(...all: readonly Flown[]): Acknowledged[] {
    return this.acknowledge(...all.flatMap((flown) => flown.commands.map((one): [Flown, ReliableCommand] => [flown, one])))
  }

  /** A report of the other side arrives: its newest datagram, and others that it has. */
  report(newest: Flown, others: readonly Flown[] = [], delayMs = 0): boolean {
    const report = new Report()
    const largest = [newest, ...others].reduce((most, flown) => (flown.number > most.number ? flown : most))
    report.largest = largest.token
    report.newest = newest.token
    report.delayMs = delayMs
    report.arrivedMs = this.now % 8192
    for (const { number } of [newest, ...others]) {
      const bit = largest.number - 1 - number
      if (bit < 0 || bit > 63) continue
      if (bit < 32) report.mapLow = (report.mapLow | (1 << bit)) >>> 0
      else report.mapHigh = (report.mapHigh | (1 << (bit - 32))) >>> 0
    }
    this.recovery.beginBatch()
    const known = this.recovery.reported(report, this.now, (one) => this.#release(one))
    this.recovery.endBatch(this.now, -Infinity)
    return known
  }

  /** Time passes; the timer fires whenever it is due. @returns what is to be sent again, and when, in datagrams that left */
  pass(ms: number, repeats = true): Flown[] {
    const all: Flown[] = []
    const end = this.now + ms
    while (this.recovery.deadline <= end) {
      this.now = Math.max(this.now, this.recovery.deadline)
      this.recovery.onTimer(this.now, this.now)
      if (repeats) all.push(...this.repeat())
      if (this.recovery.deadline <= this.now) throw new Error(`the deadline stands at ${this.recovery.deadline}, it is ${this.now}`)
    }
    this.now = end
    return all
  }

  /** A round trip of so many ms, so that times are known. */
  measure(roundTripMs = 40): void {
    const flown = this.leave()
    this.now += roundTripMs
    this.arrived(flown)
  }

  #commit(record: SentDatagram): void {
    this.recovery.commit(record, this.now, 20 + record.commands.reduce((sum, one) => sum + one.wireBytes, 0))
  }

  #release(one: ReliableCommand): void {
    this.released.push(one)
    this.lane.sent.delete(one.sequence)
  }
}
