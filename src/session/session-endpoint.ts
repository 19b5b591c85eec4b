// A session and its host as one endpoint, so that anything that drives endpoints (the virtual network, a socket driver, a
// bad network around it) drives a whole session.

import type { Address, Datagram, Endpoint, Millis } from '../transport/endpoint.ts'
import type { HostEvent } from '../transport/types.ts'
import { hostPort } from './host-port.ts'
import type { HostPort, PureHost } from './host-port.ts'

/** What runs on the host: a session. */
export interface Updatable {
  update(): void
  readonly deadline: Millis
}

/** A pure host that is also an endpoint: the core's. */
export type EndpointHost = Endpoint<HostEvent> & PureHost

/**
 * Runs a session on a pure host.
 *
 * @example
 * const endpoint = new SessionEndpoint(new Host(), (port) => new Session(port, { role: 'server', random }))
 * network.add('server', endpoint)
 */
export class SessionEndpoint<S extends Updatable> implements Endpoint<never> {
  readonly session: S
  readonly #host: EndpointHost
  #now: Millis = 0
  #wake: (() => void) | null = null

  constructor(host: EndpointHost, make: (port: HostPort) => S, now?: () => Millis) {
    this.#host = host
    this.session = make(hostPort(host, now ?? (() => this.#now)))
  }

  /** Set by whoever drives it. */
  get wake(): (() => void) | null {
    return this.#wake
  }

  set wake(wake: (() => void) | null) {
    this.#wake = wake
    this.#host.wake = wake
  }

  receive(bytes: Uint8Array, from: Address, now: Millis): void {
    this.#now = Math.max(this.#now, now)
    this.#host.receive(bytes, from, now)
  }

  advance(now: Millis): void {
    this.#now = Math.max(this.#now, now)
    this.#host.advance(now)
  }

  /** The session takes all events; none is left for the driver. */
  pollEvent(): null {
    this.session.update()
    return null
  }

  pollTransmit(out: Datagram): boolean {
    return this.#host.pollTransmit(out)
  }

  deadline(): Millis {
    return Math.min(this.#host.deadline(), this.session.deadline)
  }
}
