// The server passes on what clients say to each other: to one, to all, to all but one, to a set. SPEC §13.5.
// A peer cannot speak in another's name: the source is whoever owns the connection that the packet came through.

import type { Delivery } from '../transport/types.ts'
import type { Framing, Packet } from './framing.ts'
import { covers, SERVER_ID } from './ids.ts'
import type { ScopeLayer } from './layer.ts'
import type { Link } from './link.ts'
import type { Fate, ScopeHome } from './scope.ts'
import type { Roster } from './peers.ts'

/** The scope as the relay sees it. */
export interface RelayScope {
  readonly number: number
  readonly roster: Roster
  sendInOrder(link: Link, source: number, channel: number, bytes: Uint8Array, delivery: Delivery): Fate
  noteViolation(violation: { peer: number; kind: 'target' | 'rate' }, weight?: number): void
}

/** Passes a client's packet on to every other client that it is meant for. The server's own share is not handled here. */
export const relay = (
  scope: RelayScope,
  home: ScopeHome,
  from: Link,
  packet: Packet,
  channel: number,
  delivery: Delivery,
  layer: ScopeLayer | null,
): void => {
  const { target } = packet
  if (target === SERVER_ID) return
  if (!home.relayEnabled) {
    // What is meant for the server as well still reaches it, unlike in Godot; what is meant for others only is lost.
    if (!covers(target, from.id, SERVER_ID)) scope.noteViolation({ peer: from.id, kind: 'target' }, 0)
    return
  }
  if (from.relayBudget !== null && !from.relayBudget.take(home.now())) {
    scope.noteViolation({ peer: from.id, kind: 'rate' })
    return
  }
  const copies = new Copies(packet, layer, from.framing.name, scope.roster)
  const alone = typeof target === 'number' && target > 0
  // A set may be as long as the roster: it is walked itself, each id once, rather than searched for every peer.
  const meant = typeof target !== 'number' ? target : alone ? [target] : scope.roster.ids
  for (const id of meant) {
    if (typeof target === 'number' ? !covers(target, from.id, id) : id === from.id) continue
    const link = home.linkOf(id)
    if (link === undefined || link.state !== 'joined' || !scope.roster.has(id)) {
      // Perhaps it left while the packet was on its way: told, but held against nobody.
      if (alone) scope.noteViolation({ peer: from.id, kind: 'target' }, 0)
      continue
    }
    for (const bytes of copies.for(link.framing)) {
      if (scope.sendInOrder(link, from.id, channel, bytes, delivery) === 'overflow') {
        // The sender is held to its own budget; it is the receiver that has not told us for too long what it has seen.
        home.expel(link, 'does not keep up')
        break
      }
    }
  }
}

/** One packet in every framing that its receivers speak, each encoded once. */
class Copies {
  readonly #packet: Packet
  readonly #layer: ScopeLayer | null
  readonly #dialect: string
  readonly #seats: Roster
  readonly #made = new Map<Framing, readonly Uint8Array[]>()

  constructor(packet: Packet, layer: ScopeLayer | null, dialect: string, seats: Roster) {
    this.#packet = packet
    this.#layer = layer
    this.#dialect = dialect
    this.#seats = seats
  }

  for(framing: Framing): readonly Uint8Array[] {
    let bytes = this.#made.get(framing)
    if (bytes === undefined) {
      bytes = this.#make(framing)
      this.#made.set(framing, bytes)
    }
    return bytes
  }

  #make(framing: Framing): readonly Uint8Array[] {
    const packet = this.#packet
    if (framing.name === this.#dialect || packet.lane !== 'rpc') return [framing.encode(packet, false, this.#seats)]
    const payloads = this.#layer?.translate(packet, this.#dialect, framing.name) ?? []
    return payloads.map((payload) => framing.encode({ ...packet, payload }, false, this.#seats))
  }
}
