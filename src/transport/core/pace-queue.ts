// Peers that wait for the host's outgoing limit, first come, first served. Each with a timer of its own, whoever happens to
// wake first would always take what little there is. SPEC §7.3.

import type { Millis } from '../endpoint.ts'
import type { Host } from './host.ts'
import type { PeerCore } from './peer.ts'
import { Fifo } from './ring.ts'
import type { Timed } from './timers.ts'

export class PaceQueue implements Timed {
  armedAt: Millis = Infinity
  readonly #host: Host
  readonly #waiting = new Fifo<PeerCore>()

  constructor(host: Host) {
    this.#host = host
  }

  /** The peer has something to send that the limit holds back: it is called when that may leave. */
  wait(peer: PeerCore, now: Millis): void {
    if (!peer.awaitsPace) {
      peer.awaitsPace = true
      this.#waiting.push(peer)
    }
    this.#host.timers.arm(this, Math.max(now + 0.5, this.#host.pace.opensAt(now)))
  }

  due(now: Millis): void {
    if (this.#host.pace.allows(now)) this.release()
    else if (this.#waiting.length > 0) this.#host.timers.arm(this, Math.max(now + 0.5, this.#host.pace.opensAt(now)))
  }

  /** Calls everybody, in the order in which they came; who finds nothing left comes back behind the others. */
  release(): void {
    for (let peer = this.#waiting.shift(); peer !== undefined; peer = this.#waiting.shift()) {
      peer.awaitsPace = false
      this.#host.ready(peer)
    }
  }
}
