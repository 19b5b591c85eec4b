// What a session needs from a transport host: little enough that a pure core host in virtual time, a host behind a socket,
// and two arrays in a test all fit.

import type { Address, Millis } from '../transport/endpoint.ts'
import type { HostEvent, Peer } from '../transport/types.ts'

/** A transport host as the session sees it. */
export interface HostPort {
  /** The clock that drives this host. */
  now(): Millis
  /** The next thing that happened, or null. */
  pollEvent(): HostEvent | null
  connect(to: Address, options?: { channels?: number; data?: number }): Peer
  /** Refuses newcomers, ends every connection gracefully; `closed` becomes true. */
  close(data?: number): void
  readonly closed: boolean
  /** At once. */
  destroy(): void
  /** The session is closing and still waits for deadlines: from now on they must come, even if the program no longer pumps. */
  settle?(): void
  /** Leaves further events for the next turn of the event loop; false or absent: there are no turns (virtual time). */
  pause?(): boolean
  /** Called after the session made work outside of `update`: somebody should pump soon. */
  wake(): void
}

/** The part of the pure core host that `hostPort` adapts; structural, so that the session imports no core. */
export interface PureHost {
  pollEvent(): HostEvent | null
  connect(to: Address, options?: { channels?: number; data?: number }): Peer
  close(data?: number): void
  readonly closed: boolean
  destroy(): void
  wake: (() => void) | null
}

/** A pure host and the clock that drives it, as a session wants them. */
export const hostPort = (host: PureHost, now: () => Millis): HostPort => ({
  now,
  pollEvent: () => host.pollEvent(),
  connect: (to, options) => host.connect(to, options),
  close: (data) => host.close(data),
  get closed() {
    return host.closed
  },
  destroy: () => host.destroy(),
  wake: () => host.wake?.(),
})
