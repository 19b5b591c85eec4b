// A scope: a roster with its own signals, messages and RPC. The session is one, each of its rooms is another.
// Who reaches whom is decided here and in relay.ts; connections come and go in session.ts.

import type { Delivery } from '../transport/types.ts'
import { VaivenError } from '../util/errors.ts'
import type { Ending } from './endings.ts'
import type { ScopeEvents, Violation } from './events.ts'
import { MESSAGE_DELIVERY, TRANSPORT_DELIVERY } from './framing.ts'
import type { Framing, Lane, MessageDelivery, Packet } from './framing.ts'
import { GuardedEmitter } from './guarded-emitter.ts'
import { covers, resolveTarget, SERVER_ID } from './ids.ts'
import type { ResolvedTarget, Target } from './ids.ts'
import type { ScopeLayer } from './layer.ts'
import type { Link } from './link.ts'
import { Member, Roster } from './peers.ts'
import type { SessionPeer } from './peers.ts'
import { relay } from './relay.ts'
import type { SystemMessage } from './system-messages.ts'

/** How a message is to be sent. */
export interface MessageOptions {
  /** @default 'reliable' */
  delivery?: MessageDelivery
  /**
   * Channel, 1 to the number agreed on minus one; messages keep their order only within one. 0 belongs to the session.
   * @default 1 for reliable, 2 for the others
   */
  channel?: number
}

/** What a scope needs from the session that it belongs to. */
export interface ScopeHome {
  readonly id: number
  readonly isServer: boolean
  readonly isOpen: boolean
  readonly relayEnabled: boolean
  /** Client: the connection to the server, once we have joined. */
  readonly serverLink: Link | null
  /** Server: the connection of a client. */
  linkOf(id: number): Link | undefined
  now(): number
  wake(): void
  /** The transport has acknowledged introduction `number` to `link`; to be handled in the next update. */
  introduced(link: Link, number: number): void
  noteViolation(link: Link | null, violation: Omit<Violation, 'count'>, weight: number): Violation
  /** For a peer that does not keep up. */
  expel(link: Link, text: string): void
}

/** A roster with its own signals, messages and RPC scope. */
export abstract class Scope<Events extends ScopeEvents & Record<keyof Events, unknown[]>> extends GuardedEmitter<Events> {
  /** 0: the session itself. Rooms count from 1. */
  readonly number: number
  /** @internal */
  readonly roster = new Roster()
  /** What takes the `rpc` lane. */
  protected layer: ScopeLayer | null = null

  constructor(number: number) {
    super()
    this.number = number
  }

  /** @internal */
  protected abstract get home(): ScopeHome

  /** Our own id: 1 at the server, 0 when not connected. [get_network_unique_id] */
  get id(): number {
    return this.home.isOpen ? this.home.id : 0
  }

  /** [is_network_server] */
  get isServer(): boolean {
    return this.home.isServer
  }

  /** Everybody else who can be reached, by id, in the order of joining. */
  get peers(): ReadonlyMap<number, SessionPeer> {
    return this.roster.members
  }

  /** Their ids, ascending. [get_network_connected_peers] */
  get peerIds(): readonly number[] {
    return this.roster.ids
  }

  /**
   * Sends a raw message. The bytes are copied. [send_bytes]
   * @throws VaivenError ERR_NOT_CONNECTED, ERR_ARGUMENT (nobody there, no such channel), ERR_PACKET_SIZE, ERR_QUEUE_FULL
   */
  send(target: Target, bytes: Uint8Array, options: MessageOptions = {}): void {
    if (!(bytes instanceof Uint8Array)) throw new VaivenError('ERR_ARGUMENT', 'bytes is no Uint8Array; encode the value first, or use rpc')
    this.transmit('message', resolveTarget(target), bytes, options.delivery ?? 'reliable', options.channel)
  }

  /** Sends in our own name. `dialect`, at the server: only to peers that speak it. */
  transmit(lane: Lane, target: ResolvedTarget, payload: Uint8Array, delivery: MessageDelivery, channel?: number, dialect?: string): void {
    const { home } = this
    if (!home.isOpen) throw new VaivenError('ERR_NOT_CONNECTED', 'the session is not connected')
    this.#checkTarget(target)
    const packet: Packet = { lane, scope: this.number, source: home.id, target, payload, system: null }
    if (home.isServer) this.#sendToMembers(packet, delivery, channel, dialect)
    else this.#sendToServer(packet, delivery, channel)
    home.wake()
  }

  /** The framing (dialect) that reaches a peer; null when it is not here. */
  dialectOf(id: number): string | null {
    const link = this.home.isServer ? this.home.linkOf(id) : this.home.serverLink
    return link === undefined || link === null || !this.roster.has(id) ? null : link.framing.name
  }

  /** @internal A packet for this scope has come through `link`. */
  takePacket(link: Link, packet: Packet, channel: number, delivery: Delivery): void {
    if (this.home.isServer) {
      relay(this, this.home, link, packet, channel, delivery, this.layer)
      if (!covers(packet.target, packet.source, SERVER_ID)) return
    }
    const { source, payload } = packet
    const how = MESSAGE_DELIVERY[delivery]
    if (packet.lane === 'rpc') this.layer?.receive(source, payload, how, link.framing.name)
    else this.events.signal('message', source, payload, { delivery: how, channel })
  }

  /** @internal Server: a client comes in. Everybody hears of everybody else, in Godot's order. */
  admit(link: Link): void {
    const member = new Member(link.id, link.seat, link.peer)
    this.memberArrived(member, link.framing.name, true)
    // Whatever the game sent from inside its own signal goes out before the introductions, as in Godot. It may also
    // have thrown the newcomer out.
    if (!this.home.relayEnabled || this.roster.get(link.id) !== member) return
    for (const id of this.roster.ids) {
      const other = this.home.linkOf(id)
      if (other === undefined || other === link || other.state !== 'joined') continue
      this.introduce(link, id, { kind: 'add', id, seat: other.seat })
      this.introduce(other, link.id, { kind: 'add', id: link.id, seat: link.seat })
    }
  }

  /** @internal Server: a client is gone. The others hear of it first, then the program. */
  dismiss(id: number, ending: Ending): void {
    const member = this.roster.remove(id)
    if (member === undefined) return
    for (const otherId of this.home.relayEnabled ? this.roster.ids : []) {
      const other = this.home.linkOf(otherId)
      if (other === undefined) continue
      other.introductions.cancel(this.number, id)
      this.sendSystem(other, { kind: 'remove', id, seat: member.seat, ...ending })
    }
    this.memberDeparted(id, ending)
  }

  /** @internal */
  memberArrived(member: Member, dialect: string, direct: boolean): void {
    this.memberReachable(member, dialect, direct)
    this.events.signal('peerConnected', member)
  }

  /** @internal It can be called from now on; the signal follows. */
  memberReachable(member: Member, dialect: string, direct: boolean): void {
    this.roster.add(member)
    this.layer?.peerConnected(member.id, dialect, direct)
  }

  /** @internal The roster has already forgotten `id`. */
  memberDeparted(id: number, ending: Ending): void {
    this.layer?.peerDisconnected(id, ending)
    this.events.signal('peerDisconnected', { id, ...ending })
  }

  /** @internal Nothing can be sent any more. */
  scopeEnded(ending: Ending): void {
    this.layer?.ended(ending)
  }

  /** A peer broke a rule. `weight` 0: told, but not held against it. */
  noteViolation(violation: Omit<Violation, 'count'>, weight = 1): void {
    const link = this.home.isServer ? (this.home.linkOf(violation.peer) ?? null) : null
    this.events.signal('violation', this.home.noteViolation(link, violation, weight))
  }

  /**
   * @internal Sends what `source` says, or keeps it back while `link` does not know `source` in this scope.
   * @returns 'overflow' when a client has made us keep too much
   */
  sendInOrder(link: Link, source: number, channel: number, bytes: Uint8Array, delivery: Delivery): Fate {
    const { introductions, framing } = link
    // An introduction that is on its way on the very channel that the packet takes arrives first by itself.
    if (!introductions.isPending(this.number, source) || (delivery === 'reliable' && channel === framing.systemChannel)) {
      this.sendRaw(link, channel, bytes, delivery)
      return 'sent'
    }
    return introductions.hold(this.number, source, { channel, bytes, delivery }, source !== SERVER_ID)
  }

  /** @internal Tells `link` of `id` (the server's own id: of this scope itself); what `id` says here follows after that. */
  introduce(link: Link, id: number, message: SystemMessage): void {
    const number = link.introductions.begin(this.number, id)
    // Our own clients tell what they have seen; for others the acknowledgement must do. It arrives in the middle of
    // the core's work; the session handles it in its next update.
    this.sendSystem(link, message, link.framing.handshake ? undefined : () => this.home.introduced(link, number))
  }

  /** @internal Sends a packet as it is. A slow consumer's full queue must not stop the others: it surfaces as an error. */
  sendRaw(link: Link, channel: number, bytes: Uint8Array, delivery: Delivery): void {
    // Gone, and the event that says so is still on its way to us.
    if (link.peer.state !== 'connected') return
    try {
      link.peer.send(Math.min(channel, link.peer.channelCount - 1), bytes, delivery)
    } catch (error) {
      this.report(error, { peer: link.id })
    }
  }

  /** @internal */
  sendSystem(link: Link, message: SystemMessage, onSettled?: () => void): void {
    const bytes = link.framing.encodeSystem(message, this.number, !this.home.isServer)
    if (bytes === null) {
      onSettled?.()
      return
    }
    if (link.peer.state !== 'connected') return
    try {
      link.peer.send(link.framing.systemChannel, bytes, onSettled === undefined ? 'reliable' : { delivery: 'reliable', onSettled })
    } catch (error) {
      this.report(error, { peer: link.id })
    }
  }

  /** The guarded dispatch with our own event map: subclasses only add events. */
  protected get events(): { signal<Name extends keyof ScopeEvents>(name: Name, ...args: ScopeEvents[Name]): void } {
    return this as never
  }

  #checkTarget(target: ResolvedTarget): void {
    for (const id of typeof target === 'number' ? [Math.abs(target)] : target) {
      if (id === 0 || this.roster.has(id)) continue
      if (id === this.home.id) throw new VaivenError('ERR_ARGUMENT', `${id} is our own id; a session does not send to itself`)
      // "All but the one who just left" is a race, not a mistake.
      if (typeof target === 'number' && target < 0) continue
      throw new VaivenError('ERR_NOT_CONNECTED', `peer ${id} is not here`)
    }
  }

  #sendToServer(packet: Packet, delivery: MessageDelivery, channel: number | undefined): void {
    const link = this.home.serverLink
    if (link === null || link.state !== 'joined') throw new VaivenError('ERR_NOT_CONNECTED', 'the server has not let us in yet')
    const targets = typeof packet.target === 'number' || link.framing.sets !== false ? [packet.target] : packet.target
    for (const target of targets) {
      const bytes = link.framing.encode({ ...packet, target }, true, this.roster)
      link.peer.send(pickChannel(link, delivery, channel), bytes, TRANSPORT_DELIVERY[delivery])
    }
  }

  #sendToMembers(packet: Packet, delivery: MessageDelivery, channel: number | undefined, dialect: string | undefined): void {
    const { home } = this
    if (typeof packet.target === 'number' && packet.target > 0) {
      const link = home.linkOf(packet.target)
      if (link === undefined || link.state !== 'joined') throw new VaivenError('ERR_NOT_CONNECTED', `peer ${packet.target} is leaving`)
      const lane = pickChannel(link, delivery, channel)
      const bytes = link.framing.encode(packet, false, this.roster)
      // To one peer a full queue or a size is the caller's to hear of.
      if (link.introductions.isPending(this.number, home.id)) this.sendInOrder(link, home.id, lane, bytes, TRANSPORT_DELIVERY[delivery])
      else link.peer.send(lane, bytes, TRANSPORT_DELIVERY[delivery])
      return
    }
    let framing: Framing | null = null
    let bytes = packet.payload
    for (const id of this.roster.ids) {
      if (!covers(packet.target, home.id, id)) continue
      const link = home.linkOf(id)
      if (link === undefined || link.state !== 'joined' || (dialect !== undefined && link.framing.name !== dialect)) continue
      if (link.framing !== framing) {
        framing = link.framing
        bytes = framing.encode(packet, false, this.roster)
      }
      this.sendInOrder(link, home.id, pickChannel(link, delivery, channel), bytes, TRANSPORT_DELIVERY[delivery])
    }
  }
}

/** What became of a packet that had to be in order. */
export type Fate = 'sent' | 'held' | 'dropped' | 'overflow'

const pickChannel = (link: Link, delivery: MessageDelivery, channel: number | undefined): number => {
  if (channel === undefined) return delivery === 'reliable' ? link.framing.reliableChannel : link.framing.unreliableChannel
  if (!Number.isInteger(channel) || channel < 1 || channel >= link.peer.channelCount) {
    const legal = `it must be 1 to ${link.peer.channelCount - 1} (as many as both sides asked for)`
    throw new VaivenError('ERR_ARGUMENT', `channel is ${channel}; ${legal}`)
  }
  return channel
}
