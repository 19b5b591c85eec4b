// The one interface between protocol code and the world. Everything that knows the protocol is an Endpoint; sockets,
// virtual networks, encryption and tests only know Endpoints.

/** A point in time or a duration, in milliseconds, fractional, on a monotonic clock with any origin. */
export type Millis = number

/** Where a datagram comes from or goes to. */
export interface Address {
  /** A numeric IP address in the form in which the socket reports it. */
  readonly address: string
  /** UDP port, 1 to 65535. */
  readonly port: number
}

/** A datagram on its way out: `bytes` is the caller's buffer, filled by `pollTransmit` up to `length`. */
export interface Datagram {
  /** At least `MAX_DATAGRAM_BYTES` long; written from index 0. */
  bytes: Uint8Array
  /** How many of `bytes` belong to the datagram. */
  length: number
  /** Destination address. */
  address: string
  /** Destination port. */
  port: number
}

/** No endpoint of this package sends or accepts a UDP payload longer than this (the buffer of C ENet hosts). */
export const MAX_DATAGRAM_BYTES = 4096

/**
 * Pure protocol code: datagrams and time go in; events and datagrams come out. No socket, clock, timer or global chance
 * inside, so the same inputs give the same outputs, byte for byte.
 *
 * The loop, in one sentence: after any input or command, hand out all events, then drain `pollTransmit`, then sleep until
 * `deadline()`. Events come before transmit so that what a listener sends in reply leaves in the same datagram as the
 * acknowledgements.
 *
 * Time never runs backwards: a `now` smaller than an earlier one is taken as the earlier one.
 */
export interface Endpoint<Event = unknown> {
  /**
   * Takes one datagram that arrived at `now`. The bytes change owner: delivered packets may be views of them, so the
   * caller must not write to them again. Any bytes are legal; nonsense is counted and dropped, never thrown.
   */
  receive(bytes: Uint8Array, from: Address, now: Millis): void
  /** Lets time pass: does everything due at or before `now`, and stamps what was queued since the last call. */
  advance(now: Millis): void
  /** The next thing that happened, or `null` when there is nothing more. */
  pollEvent(): Event | null
  /** Writes the next datagram to send into `out`; `false` when there is none left. */
  pollTransmit(out: Datagram): boolean
  /** When `advance` next has something to do; `Infinity` when never. */
  deadline(): Millis
}
