// Watches an endpoint from the outside: whoever asks to be woken must have something to do then, and after that must not ask
// for the same moment again. Otherwise a driver spins, or sleeps through what is due.

import type { Address, Datagram, Endpoint, Millis } from '../../src/transport/endpoint.ts'

/** More pumps than this at one moment, although nothing came in and nothing went out, are a busy loop. */
const MAX_IDLE_PUMPS = 3

/** The same endpoint; throws where it breaks that rule. */
export const patient = <Event>(
  inner: Endpoint<Event> & { wake?: (() => void) | null },
): Endpoint<Event> & { wake: (() => void) | null } => {
  let now: Millis = -Infinity
  let idle = 0
  return {
    get wake(): (() => void) | null { return inner.wake ?? null },
    set wake(wake: (() => void) | null) { if ('wake' in inner) inner.wake = wake },
    receive(bytes: Uint8Array, from: Address, at: Millis): void {
      idle = 0
      inner.receive(bytes, from, at)
    },
    advance(at: Millis): void {
      if (at > now) idle = 0
      now = at
      idle++
      inner.advance(at)
    },
    pollEvent(): Event | null {
      const event = inner.pollEvent()
      if (event !== null) idle = 0
      return event
    },
    pollTransmit(out: Datagram): boolean {
      const more = inner.pollTransmit(out)
      if (more) idle = 0
      return more
    },
    deadline(): Millis {
      const deadline = inner.deadline()
      if (Number.isNaN(deadline)) throw new Error('the deadline is not a number')
      if (deadline <= now && idle > MAX_IDLE_PUMPS) {
        throw new Error(`wants to be woken at ${deadline} again, though it is ${now} and there is nothing to do`)
      }
      return deadline
    },
  }
}
