// The seam between a scope and what runs on top of it (the rpc dispatcher). The session knows no more of it than this.

import type { Ending } from './endings.ts'
import type { MessageDelivery, Packet } from './framing.ts'

/** Something that takes the `rpc` lane of a scope. */
export interface ScopeLayer {
  /** A message of the lane `rpc` has arrived for us. `dialect` names the framing that it came through. */
  receive(source: number, payload: Uint8Array, delivery: MessageDelivery, dialect: string): void
  /** Somebody can be reached now; called before the program hears of it. `direct`: over a connection of our own. */
  peerConnected(id: number, dialect: string, direct: boolean): void
  /** Somebody is gone; called before the program hears of it. */
  peerDisconnected(id: number, ending: Ending): void
  /** The scope has ended; nothing more can be sent. */
  ended(ending: Ending): void
  /**
   * Server: a message is to be relayed between peers of different dialects. Answers with the same message in the other
   * dialect, or null when it cannot be said there.
   */
  translate(packet: Packet, from: string, to: string): readonly Uint8Array[] | null
}
