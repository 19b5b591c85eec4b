// What a host tells its peers about its limits, and how it shares its outgoing limit. SPEC §7.3.
// C ENet sends BANDWIDTH_LIMIT to every peer whenever one joins or leaves, limits or not; a host without limits has
// nothing to tell.

import type { Millis } from '../endpoint.ts'
import { BANDWIDTH_INTERVAL_MS, Command, FLAG_ACKNOWLEDGE, PEER_CHANNEL } from './constants.ts'
import { sendingWindow } from './flow.ts'
import type { Host } from './host.ts'
import type { PeerCore } from './peer.ts'
import type { Timed } from './timers.ts'
import { encodeHead, put32 } from './wire.ts'

export class Bandwidth implements Timed {
  armedAt: Millis = Infinity
  readonly #host: Host
  /**
   * There was a limit at some time: whoever heard of it must hear that it is lifted, also one whose handshake was under way
   * just then.
   */
  #everLimited: boolean

  constructor(host: Host) {
    this.#host = host
    this.#everLimited = this.#limited
  }

  /** A connection was made: within a second everybody's share is computed anew. */
  joined(): void {
    if (this.#everLimited) this.#soon()
  }

  left(): void {
    if (this.#limited) this.#soon()
  }

  /** The host's limits have changed. */
  changed(): void {
    for (const peer of this.#host.peers as PeerCore[]) {
      peer.windowBytes = sendingWindow(this.#host.outgoingBandwidth, peer.peerIncomingBandwidth)
    }
    this.#everLimited ||= this.#limited
    this.#host.timers.arm(this, this.#host.now)
  }

  due(): void {
    const { incomingBandwidth, outgoingBandwidth } = this.#host
    const peers = this.#host.peers as PeerCore[]
    if (!this.#everLimited) return
    const shares = shareIncoming(incomingBandwidth, peers)
    peers.forEach((peer, i) => {
      const encoded = new Uint8Array(12)
      encodeHead(encoded, 0, Command.bandwidthLimit | FLAG_ACKNOWLEDGE, PEER_CHANNEL, peer.nextControl())
      put32(encoded, 4, shares[i] as number)
      put32(encoded, 8, outgoingBandwidth)
      peer.queueControl(encoded)
      this.#host.ready(peer)
    })
  }

  get #limited(): boolean {
    return this.#host.incomingBandwidth > 0 || this.#host.outgoingBandwidth > 0
  }

  #soon(): void {
    this.#host.timers.arm(this, this.#host.now + BANDWIDTH_INTERVAL_MS)
  }
}

/** Shares of an incoming limit: who sends less than an equal share by its own limit leaves the rest to the others. */
export const shareIncoming = (limit: number, peers: readonly { readonly peerOutgoingBandwidth: number }[]): number[] => {
  if (limit === 0 || peers.length === 0) return peers.map(() => 0)
  const shares = new Array<number>(peers.length).fill(-1)
  let rest = limit
  let open = peers.length
  for (let changed = true; changed && open > 0; ) {
    changed = false
    const share = Math.floor(rest / open)
    peers.forEach((peer, i) => {
      const own = peer.peerOutgoingBandwidth
      if (shares[i] !== -1 || own === 0 || own >= share) return
      shares[i] = own
      rest -= own
      open--
      changed = true
    })
  }
  const share = open > 0 ? Math.floor(rest / open) : 0
  return shares.map((own) => (own === -1 ? share : own))
}
