// A host with a counter at its door: how often it is woken, and whether its application takes events at all.

import type { Host } from '../../src/transport/core/host.ts'
import type { Address, Datagram, Endpoint, Millis } from '../../src/transport/endpoint.ts'
import type { HostEvent } from '../../src/transport/types.ts'

export interface Watched extends Endpoint<HostEvent> {
  wake: (() => void) | null
  /** Calls of `advance` so far. */
  advances: number
  /** The application takes no events. */
  asleep: boolean
}

export const watched = (host: Host): Watched => ({
  advances: 0,
  asleep: false,
  get wake(): (() => void) | null { return host.wake },
  set wake(wake: (() => void) | null) { host.wake = wake },
  receive(bytes: Uint8Array, from: Address, now: Millis): void { host.receive(bytes, from, now) },
  advance(now: Millis): void {
    this.advances++
    host.advance(now)
  },
  pollEvent(): HostEvent | null { return this.asleep ? null : host.pollEvent() },
  pollTransmit(out: Datagram): boolean { return host.pollTransmit(out) },
  deadline(): Millis { return host.deadline() },
})
