// The end of a connection whose other side needs time to look at the last words (`Framing.goodbyeDelayMs`).

import type { Millis } from '../transport/endpoint.ts'
import type { Timers } from '../util/timers.ts'
import type { Link } from './link.ts'

/** How often to look whether everything has been acknowledged. */
export const PARTING_LOOK_MS = 20

/** `partFrom` was called and has not disconnected yet. */
export const isParting = ({ peer, framing, state }: Link): boolean =>
  state === 'leaving' && framing.goodbyeDelayMs !== undefined && peer.state === 'connected'

/** Disconnects gracefully: once what was sent has been acknowledged, and the other side has had time to look at it. */
export const partFrom = (link: Link, data: number, timers: Timers, now: () => Millis): void => {
  const { peer, framing } = link
  const delayMs = framing.goodbyeDelayMs ?? 0
  // Where nothing was said, nothing can be thrown away.
  if (delayMs === 0 || peer.stats.messagesSent + peer.stats.queuedMessages === 0) return peer.disconnect(data)
  let quietSince = Infinity
  const look = (): void => {
    if (peer.state !== 'connected') return
    const { queuedMessages, inFlightBytes } = peer.stats
    if (queuedMessages === 0 && inFlightBytes === 0) quietSince = Math.min(quietSince, now())
    if (now() - quietSince >= delayMs) peer.disconnect(data)
    else timers.set(now() + PARTING_LOOK_MS, look)
  }
  look()
}
