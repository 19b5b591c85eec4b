// What waits to leave: an application's packet on its way out, and each reliable command made from it.

import type { DeliveryOutcome } from '../types.ts'
import { Command, FLAG_ACKNOWLEDGE, FLAG_UNSEQUENCED } from './constants.ts'
import type { Lane } from './lane.ts'

/** How a packet travels on the wire: the command bytes that C ENet sends. */
export const Kind = {
  reliable: Command.sendReliable | FLAG_ACKNOWLEDGE,
  fragment: Command.sendFragment | FLAG_ACKNOWLEDGE,
  unreliable: Command.sendUnreliable,
  unreliableFragment: Command.sendUnreliableFragment,
  unsequenced: Command.sendUnsequenced | FLAG_UNSEQUENCED,
} as const
export type Kind = (typeof Kind)[keyof typeof Kind]

/** One packet of the application, from `send` until it is acknowledged, handed over, or given up. */
export class Message {
  bytes: Uint8Array
  kind: Kind
  /** Pieces, 1 when it fits into one command. */
  pieces = 1
  /** Bytes in every piece but the last. */
  pieceBytes: number
  /** Pieces that have left at least once. */
  begun = 0
  /** Reliable: pieces not yet acknowledged. */
  missing = 1
  /** First reliable number (reliable), or the unreliable number: valid once `begun` is above 0. */
  start = 0
  /** Unreliable fragments: the reliable number they belong to. */
  behind = 0
  /** How long it may wait, ms; turned into `expiresAt` at the next step of time. 0: for ever. */
  ttlMs = 0
  expiresAt = Infinity
  /** Unreliable: from here on it is not worth sending any more. Set when it could not leave at once. */
  freshUntil = Infinity
  key: string | number | undefined = undefined
  onSettled: ((outcome: DeliveryOutcome) => void) | null = null

  constructor(bytes: Uint8Array, kind: Kind) {
    this.bytes = bytes
    this.kind = kind
    this.pieceBytes = bytes.length
  }

  /** Fixed part of each of its commands. */
  get headBytes(): number {
    return this.kind === Kind.reliable ? 6 : this.kind === Kind.unreliable || this.kind === Kind.unsequenced ? 8 : 24
  }

  get reliable(): boolean {
    return (this.kind & FLAG_ACKNOWLEDGE) !== 0
  }

  /** Tells the sender, once, what became of it. The listener is the application's: what it throws must not reach the core. */
  settle(outcome: DeliveryOutcome, onError: (error: unknown) => void): void {
    const listener = this.onSettled
    if (listener === null) return
    this.onSettled = null
    try {
      listener(outcome)
    } catch (error) {
      onError(error)
    }
  }
}

/** A reliable command: sent, perhaps several times, until it is acknowledged. */
export class ReliableCommand {
  readonly lane: Lane
  readonly sequence: number
  /** The packet that it carries a piece of; `null` for commands of the peer channel. */
  message: Message | null
  /** Which piece. */
  readonly piece: number
  /** Peer channel: the whole encoded command; else `null`. */
  readonly encoded: Uint8Array | null
  /** Payload bytes, as ENet counts them against the window. */
  readonly payloadBytes: number
  /** Position in the order of first transmissions, over all channels. */
  readonly order: number
  acknowledged = false
  /** When it left for the first time. */
  sentAt = 0
  /** Told of its acknowledgement; for pings of the application. */
  onAcknowledged: ((command: ReliableCommand) => void) | null = null
  /** It waits in a retransmission queue. */
  queued = false
  transmissions = 0
  /** Its payload counts against the window. */
  inTransit = false
  /** The datagram that carried it last. */
  lastDatagram = -1
  /** Small and not on a bulk channel: sent again on suspicion, and in copies. */
  readonly urgent: boolean
  /** Sent once and forgotten when lost: a ping that only serves to get an acknowledgement. */
  readonly once: boolean
  // Copies: see copies.ts.
  copiesLeft = 0
  copyNotBefore = 0
  copyDue = 0
  owing = false
  /** Last time it was sent again because an older copy was lost. */
  extraAt = -Infinity
  /** Last time it was to be sent again. */
  againAt = -Infinity

  constructor(
    lane: Lane,
    sequence: number,
    message: Message | null,
    piece: number,
    encoded: Uint8Array | null,
    payloadBytes: number,
    order: number,
    urgent: boolean,
    once = false,
  ) {
    this.lane = lane
    this.sequence = sequence
    this.message = message
    this.piece = piece
    this.encoded = encoded
    this.payloadBytes = payloadBytes
    this.order = order
    this.urgent = urgent
    this.once = once
  }

  /** Bytes of the whole command on the wire. */
  get wireBytes(): number {
    return this.encoded?.length ?? (this.message === null ? 0 : this.message.headBytes) + this.payloadBytes
  }
}
