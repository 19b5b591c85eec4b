// A connection that has ended, remembered for a few seconds: a DISCONNECT that comes again is acknowledged again (C would
// leave its sender waiting for five seconds), and a last word without acknowledgement is repeated. SPEC §4.9.

import type { Millis } from '../endpoint.ts'
import { Command, HEADER_SENT_TIME, HEADER_SESSION_SHIFT } from './constants.ts'
import type { Dialect } from './dialect.ts'
import type { Host } from './host.ts'
import type { PeerCore } from './peer.ts'
import type { Timed } from './timers.ts'
import { CommandRecord, decodeCommand, encodeAcknowledge, u16 } from './wire.ts'

const MEMORY_MS = 5_000
/** When a last word is repeated, ms after the first time: apart, so that one burst of losses does not take all. */
const REPEATS_MS = [20, 60]
/** Answers to one departed connection, in all. */
const MAX_ANSWERS = 20

export class Departed implements Timed {
  readonly kind = 'departed'
  readonly wireId: number
  readonly address: string
  readonly port: number
  readonly incomingSession: number
  nextSameId: unknown = null
  armedAt: Millis = Infinity
  readonly #host: Host
  readonly #word: number
  readonly #dialect: Dialect
  readonly #connectId: number
  readonly #farewell: Uint8Array | null
  /** When the last word left; NaN until the next step of time says what time it is. */
  #since: Millis
  #repeats = 0
  #answers = 0

  constructor(host: Host, peer: PeerCore, farewell: Uint8Array | null) {
    this.#host = host
    this.wireId = peer.wireId
    this.address = peer.address
    this.port = peer.port
    this.incomingSession = peer.incomingSession
    this.#word = peer.outgoingId | (peer.outgoingSession << HEADER_SESSION_SHIFT)
    this.#dialect = peer.dialect
    this.#connectId = peer.connectId
    this.#farewell = farewell
    // What we know of time may be old when the application ends a connection, fresh when the other side does.
    this.#since = farewell === null ? host.now : NaN
    if (farewell !== null) this.#say(farewell)
    host.timers.arm(this, farewell === null ? this.#nextAt() : -Infinity)
  }

  due(now: Millis): void {
    if (Number.isNaN(this.#since)) this.#since = now
    else if (this.#farewell !== null && this.#repeats < REPEATS_MS.length) {
      this.#repeats++
      this.#say(this.#farewell)
    }
    if (now >= this.#since + MEMORY_MS) this.#host.forget(this)
    else this.#host.timers.arm(this, this.#nextAt())
  }

  /** Something still arrives from the other side: a repeated DISCONNECT is acknowledged. */
  answer(bytes: Uint8Array): void {
    const { sealer, options, scratchCommand } = this.#host
    if (this.#answers >= MAX_ANSWERS || sealer.open(bytes, this.#dialect, options.compressors, this.#connectId) !== null) return
    const { bytes: body, start, end } = sealer.opened
    if ((u16(bytes, 0) & HEADER_SENT_TIME) === 0) return
    const echo = u16(bytes, 2)
    let at = start
    for (;;) {
      const size = decodeCommand(body, at, end, scratchCommand)
      if (size <= 0) return
      if (scratchCommand.number === Command.disconnect && scratchCommand.acknowledge) return this.#acknowledge(scratchCommand, echo)
      at += size
    }
  }

  #acknowledge(command: CommandRecord, echo: number): void {
    this.#answers++
    const encoded = new Uint8Array(8)
    encodeAcknowledge(encoded, 0, command.channel, command.sequence, echo)
    this.#say(encoded)
  }

  #say(command: Uint8Array): void {
    this.#host.post(command, this.#word, -1, this.#dialect, this.#connectId, this)
  }

  #nextAt(): Millis {
    const repeat = this.#farewell === null ? undefined : REPEATS_MS[this.#repeats]
    return this.#since + (repeat ?? MEMORY_MS)
  }
}

/** An acknowledgement on its own, for a connection that is being closed. */
export const lastAcknowledgement = (channel: number, sequence: number, echo: number): Uint8Array => {
  const encoded = new Uint8Array(8)
  encodeAcknowledge(encoded, 0, channel, sequence, echo)
  return encoded
}

