// What users of the transport see: a connection (Peer), its deliveries, endings, numbers and events. No code.

import type { Address, Millis } from './endpoint.ts'

/**
 * How a packet travels.
 *
 * | delivery | lost? | twice? | order |
 * |---|---|---|---|
 * | `reliable` | never (until the connection ends) | never | as sent, per channel |
 * | `unreliable` | perhaps | never | newest wins: late ones are dropped; after the reliable ones sent before it on its channel |
 * | `unsequenced` | perhaps | never within the last 1,024 | as they arrive |
 */
export type Delivery = 'reliable' | 'unreliable' | 'unsequenced'

/** Why a connection ended. */
export type EndReason =
  /** This side asked for it. */
  | 'local'
  /** The other side asked for it; `data` is what it said. */
  | 'remote'
  /** The other side stopped answering. */
  | 'timeout'
  /** The other side answered our connect with a refusal; `data` says why. */
  | 'refused'
  /** Our connect was never answered. */
  | 'connect-timeout'
  /** This host was closed. */
  | 'host-closed'

/**
 * Where a peer stands.
 *
 * | state | `send` works | what is queued |
 * |---|---|---|
 * | `connecting` | no | – |
 * | `connected` | yes | is sent |
 * | `disconnect-later` | no | is still delivered, then `disconnecting` |
 * | `disconnecting` | no | dropped; our DISCONNECT waits for its acknowledgement |
 * | `disconnected` | no | dropped; the object is only a record now |
 */
export type PeerState = 'connecting' | 'connected' | 'disconnect-later' | 'disconnecting' | 'disconnected'

/** What became of a message whose sender asked to know. */
export type DeliveryOutcome =
  /**
   * Reliable: the other side acknowledged all of it. Unreliable: a host of our own reported its datagram; towards a C peer it
   * was handed to the network, and more cannot be known.
   */
  | 'delivered'
  /** `expiresMs` passed before it was first sent. */
  | 'expired'
  /** A newer message with the same key took its place. */
  | 'superseded'
  /** Dropped by the packet throttle, or held back for longer than `freshnessMs` (unreliable only). */
  | 'throttled'
  /** Dropped because the queue was full (unreliable only). */
  | 'queue-full'
  /** Unreliable, towards a host of our own: its datagram was lost, or nothing was heard of it. */
  | 'lost'
  /** The connection ended first. */
  | 'disconnected'

/** How one message is to be sent; all optional. */
export interface SendOptions {
  /** @default 'reliable' */
  delivery?: Delivery
  /**
   * Give the message up if it has not left within so many milliseconds, 1 to 86,400,000. Counted in the ledger as
   * `expired`. A reliable message that has begun to leave is always finished.
   * @default undefined: never
   */
  expiresMs?: number
  /**
   * Latest wins: while a message with the same key still waits on this channel, this one replaces it in its place in the
   * queue. Any string or number. Unsequenced messages have a queue, and keys, of their own.
   */
  key?: string | number
  /**
   * An unreliable packet longer than one datagram: `true` sends it in unreliable fragments (one lost fragment loses the
   * packet), `'reliable'` sends it as a reliable packet as C ENet does, `false` makes the call throw.
   * @default true
   */
  fragment?: boolean | 'reliable'
  /** Called once with what became of the message. Costs nothing when absent. */
  onSettled?: (outcome: DeliveryOutcome) => void
}

/** Numbers about one connection. A snapshot: units are in the names. */
export interface PeerStats {
  /** Smoothed round-trip time; 500 before the first measurement, as in ENet. */
  readonly roundTripMs: number
  /** Smoothed mean deviation of the round trip. */
  readonly roundTripDeviationMs: number
  /** Smallest round trip seen. */
  readonly minRoundTripMs: number
  /** The latest measurement. */
  readonly lastRoundTripMs: number
  /** Smoothed share of datagrams that had to be repaired, 0 to 1 (towards C peers lost acknowledgements count too). */
  readonly lossRatio: number
  /** Bytes of messages that wait to leave. */
  readonly queuedBytes: number
  /** Messages that wait to leave. */
  readonly queuedMessages: number
  /** Payload bytes sent reliably and not yet acknowledged. */
  readonly inFlightBytes: number
  /** Largest value `inFlightBytes` may reach at the moment. */
  readonly windowBytes: number
  /** Bytes received and not yet taken by the application, including what waits for something missing before it. */
  readonly waitingBytes: number
  readonly mtu: number
  readonly datagramsSent: number
  readonly datagramsReceived: number
  /** UDP payload bytes. */
  readonly bytesSent: number
  readonly bytesReceived: number
  /** Messages whose last piece has left (first transmission). */
  readonly messagesSent: number
  readonly messagesReceived: number
  /** Reliable commands that were sent again. */
  readonly retransmissions: number
  /** Messages per datagram that carried any, so far; above 1 means that small messages share datagrams. */
  readonly messagesPerDatagram: number
  /** Since the connect event; 0 before. */
  readonly connectedMs: number
}

/** Everything that was not delivered, by cause. Only ever grows. SPEC §10. */
export interface Ledger {
  // -- datagrams that arrived and were dropped whole
  /** Shorter than a header, or longer than any host may send. */
  malformedDatagram: number
  /** No connection with that number, address and session. */
  unknownPeer: number
  /** Checksum wrong or missing. */
  checksum: number
  /** Compressed, and cannot be decompressed here. */
  compression: number
  /** A CONNECT that was refused, malformed, or over a budget. */
  refusedConnect: number
  // -- commands that arrived and were dropped
  /** Unknown command or bytes after the last complete one; the rest of its datagram goes with it. */
  unknownCommand: number
  /** Breaks a rule of the protocol (lengths, channel, state); the rest of its datagram goes with it. */
  malformedCommand: number
  /** An acknowledgement of something that we never sent, or not in that datagram. */
  strayAcknowledgement: number
  /** Already received. */
  duplicate: number
  /** Unreliable: overtaken by a newer one, or by a later reliable one. */
  stale: number
  /** Sequence number outside the window. */
  outsideWindow: number
  /** The memory budget of the peer or host was used up. */
  budget: number
  /** Unreliable fragments whose message can no longer be completed (counted per message). */
  incomplete: number
  /** Arrived whole for an application that no longer listens (the connection is closing). */
  closing: number
  // -- messages that were queued here and never left, or never arrived
  expired: number
  superseded: number
  throttled: number
  queueFull: number
  /** Were queued or unacknowledged when the connection ended. */
  disconnected: number
  // -- the socket
  /** Datagrams that the socket would not take. */
  socket: number
}

/** What came of one ping. */
export interface PingAnswer {
  /** From its first transmission to its acknowledgement, ms. */
  readonly roundTripMs: number
  /** How often it was sent: more than 1 when it, or its acknowledgement, was lost or late. */
  readonly transmissions: number
}

/** One connection to one other host. */
export interface Peer {
  /**
   * A number unique among the living peers of its host, 0 to 4094: the lowest that was free. What stands in headers is another one,
   * drawn at random.
   */
  readonly id: number
  readonly address: string
  readonly port: number
  readonly state: PeerState
  /** Channels agreed on, 1 to 255; channel numbers are 0 to `channelCount - 1`. */
  readonly channelCount: number
  /** The 32-bit data that came with the connect (accepting side), or that we sent with it (connecting side). */
  readonly connectData: number
  /** Bytes of messages waiting to leave. */
  readonly queuedBytes: number
  readonly stats: PeerStats
  readonly ledger: Readonly<Ledger>
  /** Yours: the transport never looks at it. */
  userData: unknown

  /**
   * Queues a packet. The bytes are copied; the caller may reuse them.
   * @returns `false` when the queue is above its high mark: the packet is queued all the same, and a `drain` event will
   *   follow once the queue has shrunk to the low mark.
   * @throws VaivenError `ERR_NOT_CONNECTED`, `ERR_PACKET_SIZE`, `ERR_ARGUMENT` (no such channel), `ERR_QUEUE_FULL`
   *   (reliable, above the hard cap; unreliable ones are dropped and counted instead)
   */
  send(channel: number, bytes: Uint8Array, options?: Delivery | SendOptions): boolean
  /**
   * As `send`, and resolves when the other side has acknowledged all of it (unreliable: when its outcome is `delivered`, see
   * `DeliveryOutcome`). Never hangs: rejects with `ERR_NOT_DELIVERED`, `ERR_DISCONNECTED`, `ERR_ABORTED` (the message itself
   * goes on) or what `send` throws.
   */
  deliver(channel: number, bytes: Uint8Array, options?: Delivery | (SendOptions & { signal?: AbortSignal })): Promise<void>
  /** Resolves when `queuedBytes` is at or below the low mark; rejects when the connection ends or `signal` fires. */
  drained(options?: { signal?: AbortSignal }): Promise<void>

  /**
   * Ends the connection gracefully: what was queued is delivered first, then a DISCONNECT with `data` (32 bits) that waits
   * for its acknowledgement. ENet: `enet_peer_disconnect_later`.
   */
  disconnect(data?: number): void
  /** Drops what is queued, then as `disconnect`. ENet: `enet_peer_disconnect`. */
  disconnectPlain(data?: number): void
  /** Drops everything and says goodbye in unacknowledged datagrams. ENet: `enet_peer_disconnect_now`. */
  disconnectNow(data?: number): void
  /** Forgets the peer without a word; the other side will time out. ENet: `enet_peer_reset`. */
  reset(): void

  /**
   * Sends a ping now instead of at the next interval.
   * @param onAnswered called once when this very ping is acknowledged; never when the connection ends first
   */
  ping(onAnswered?: (answer: PingAnswer) => void): void
  /** The other side is known to be busy (loading a level): its silence is not counted for so many milliseconds from now. */
  hold(durationMs: number): void
  /** ENet's throttle parameters, for the other side's sending towards us. ENet: `enet_peer_throttle_configure`. */
  throttleConfigure(intervalMs: number, acceleration: number, deceleration: number): void
  /** How often an idle connection is probed, ms. */
  pingIntervalMs: number
  /** ENet's three timeout numbers; see `HostOptions.timeout`. */
  setTimeout(timeout: { limit?: number; minimumMs?: number; maximumMs?: number }): void
  /** Scheduling of one channel; see `HostOptions.channelPriorities`. */
  setChannelPriority(channel: number, priority: ChannelPriority): void
}

/** Which channel may send first. */
export interface ChannelPriority {
  /** Channels of a higher level go first, always. Integer, 0 to 7. @default 4 */
  level?: number
  /** Share among channels of one level that all have something to send, 1 to 100. @default 10 */
  weight?: number
  /** Everything on this channel is bulk: it waits for the congestion controller however small it is. @default false */
  bulk?: boolean
  /** As `HostOptions.redundancy`, for this channel. @default what the host says */
  redundancy?: 'off' | 'auto' | 0 | 1 | 2 | 3
  /**
   * An unreliable packet without `expiresMs` that could not leave for so long (a bandwidth limit, or a path full of bulk) is
   * dropped for a newer one behind it; ms, 0 to 60,000, 0: never. Counted as `throttled`. @default 50
   */
  freshnessMs?: number
}

/** A CONNECT, before anything has been promised to its sender (its address is not even proved). */
export interface ConnectRequest {
  readonly address: string
  readonly port: number
  /** The 32 bits that came with it. */
  readonly data: number
  readonly channelCount: number
}

/** What a host tells its application, in order. */
export type HostEvent =
  | { readonly type: 'connect'; readonly peer: Peer; readonly data: number }
  | { readonly type: 'receive'; readonly peer: Peer; readonly channel: number; readonly bytes: Uint8Array; readonly delivery: Delivery }
  | { readonly type: 'disconnect'; readonly peer: Peer; readonly reason: EndReason; readonly data: number }
  | { readonly type: 'drain'; readonly peer: Peer }
  | Diagnostic

/** Something worth telling a person. At most one for each address and code every ten seconds, and 32 in all. */
export interface Diagnostic {
  readonly type: 'diagnostic'
  readonly code:
    /** Datagrams carry a checksum that this host may not or cannot verify, or lack one that it demands. */
    | 'dialect-checksum'
    /** Datagrams are compressed in a way that this host cannot undo. */
    | 'dialect-compression'
    /** Looks like a fork of ENet with another header. */
    | 'dialect-fork'
    /** Our own loop stood still; timeouts were paused by as much. */
    | 'stall'
  /** In words, with what to do. */
  readonly message: string
  readonly from: Address | null
  readonly at: Millis
}

/**
 * What became of one reliable command of a peer, step by step: see `Host.trace`. A packet is one command, or as many as it has
 * pieces; channel 255 is the connection itself (pings, goodbyes).
 */
export interface DeliveryTrace {
  readonly what:
    /** Left for the first time. */
    | 'sent'
    /** Left once more before anybody missed it: redundancy. */
    | 'copied'
    /** Left once more because the datagram that carried it is missed. */
    | 'repeated'
    /** The datagram that carried it is overdue: small packets are sent again on suspicion. */
    | 'suspected'
    /** The datagram that carried it is given up. */
    | 'lost'
    /** The other side has it. */
    | 'acknowledged'
  readonly at: Millis
  readonly peer: Peer
  readonly channel: number
  /** Number of the command on its channel, 0 to 65,535. */
  readonly sequence: number
  /** Number of the datagram that carried it; the same one for all commands that travelled together. */
  readonly datagram: number
  /** How often it has left so far, copies included. */
  readonly transmissions: number
  /** When it left for the first time. */
  readonly sentAt: Millis
}

/** A compressor in the place of ENet's range coder: no state may cross datagrams. */
export interface Compressor {
  /** For diagnostics. */
  readonly name: string
  /** Compresses `input` into `output`; returns the size, or 0 when it does not fit. */
  compress(input: Uint8Array, output: Uint8Array): number
  /** Decompresses `input` into `output`; returns the size, or 0 when it is damaged or does not fit. Must never throw. */
  decompress(input: Uint8Array, output: Uint8Array): number
}

/** A checksum in the place of CRC-32: any 32-bit function of the bytes. Stored big-endian. */
export type Checksum = (bytes: Uint8Array) => number
