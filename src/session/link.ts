// One connection of a session: a client at the server, or the server at a client. Its state, and what waits for that state.

import type { Delivery, Peer } from '../transport/types.ts'
import type { Timer } from '../util/timers.ts'
import type { TokenBucket } from '../util/token-bucket.ts'
import type { Ending } from './endings.ts'
import type { Framing } from './framing.ts'
import { Introductions } from './introductions.ts'

/**
 * Where a connection stands.
 *
 * | state | may send to it | its packets |
 * |---|---|---|
 * | `hello` | no | only HELLO (server) or WELCOME (client); others wait |
 * | `deciding` | no | wait; `accept` is thinking |
 * | `joined` | yes | are taken |
 * | `leaving` | no | are dropped; its goodbye is on the way |
 */
export type LinkState = 'hello' | 'deciding' | 'joined' | 'leaving'

/** A packet that came too early, or must go later. */
export interface HeldPacket {
  readonly channel: number
  readonly bytes: Uint8Array
  readonly delivery: Delivery
}

/** What one connection may make us hold before it has joined. */
const MAX_EARLY_BYTES = 64 * 1024

export class Link {
  readonly peer: Peer
  readonly framing: Framing
  readonly id: number
  /** 0 until it has joined. */
  seat = 0
  state: LinkState = 'hello'
  /** Set when this side decided about the end, or the other side told why. */
  ending: Ending | null = null
  /** For peers whose framing knows no rooms: the one scope that is their world. */
  homeScope = 0
  /** What `accept` answered, once it has. */
  verdict: { readonly value: unknown } | { readonly failed: unknown } | null = null
  /** Runs out when there is no HELLO. */
  helloTimer: Timer | null = null
  /** How much this peer may have relayed. */
  relayBudget: TokenBucket | null = null
  /** Violations in the current window, and when it began. */
  violations = 0
  violationsSince = 0
  /** Server: which other peers this one has been told about but may not know yet. */
  readonly introductions = new Introductions()
  /** Client: introductions taken, and how many of them we have told. */
  introductionsTaken = 0
  introductionsTold = 0
  #early: HeldPacket[] = []
  #earlyBytes = 0

  constructor(peer: Peer, framing: Framing, id: number) {
    this.peer = peer
    this.framing = framing
    this.id = id
  }

  /** Keeps a packet that came before its time. @returns false when it is too much */
  keepEarly(packet: HeldPacket): boolean {
    if (this.#earlyBytes + packet.bytes.length > MAX_EARLY_BYTES) return packet.delivery !== 'reliable'
    this.#early.push(packet)
    this.#earlyBytes += packet.bytes.length + 32
    return true
  }

  takeEarly(): HeldPacket[] {
    const early = this.#early
    this.#early = []
    this.#earlyBytes = 0
    return early
  }
}
