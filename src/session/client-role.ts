// A client's side of a session: getting in, hearing who else is there, and the end. SPEC §13.2 and §13.6.

import type { Address, Millis } from '../transport/endpoint.ts'
import type { Peer } from '../transport/types.ts'
import { EndCode } from '../util/end-codes.ts'
import { VaivenError } from '../util/errors.ts'
import type { Timer } from '../util/timers.ts'
import { ClientClock } from './clock.ts'
import { observe } from './diagnostics.ts'
import type { Ending } from './endings.ts'
import type { Framing } from './framing.ts'
import { pickClientId, SERVER_ID } from './ids.ts'
import { Link } from './link.ts'
import { NATIVE_VERSION, SERVER_SEAT } from './native-framing.ts'
import { isParting, partFrom } from './parting.ts'
import { Member } from './peers.ts'
import { connectError } from './refused.ts'
import { sayGoodbye } from './role.ts'
import type { Role, SessionCore } from './role.ts'
import type { SystemMessage } from './system-messages.ts'

/** How often a client whose id is taken picks another one. Two collisions in a row in 31 bits are no accident. */
const MAX_ID_ATTEMPTS = 3

export class ClientRole implements Role {
  /** Resolves when we are in. */
  readonly ready: Promise<void>
  readonly #core: SessionCore
  readonly #clock: ClientClock
  #link: Link | null = null
  #address: Address | null = null
  #idAttempts = 0
  #timer: Timer | null = null
  /** We are in, and the signals that say so are still to come. */
  #welcomed = false
  #whenReady: { resolve: () => void; reject: (error: VaivenError) => void } | null = null

  constructor(core: SessionCore, clock: ClientClock) {
    this.#core = core
    this.#clock = clock
    this.ready = new Promise((resolve, reject) => (this.#whenReady = { resolve, reject }))
    // Whoever prefers the event to the promise must not be told of an unhandled rejection.
    this.ready.catch(() => undefined)
  }

  get serverLink(): Link | null {
    return this.#link
  }

  get pending(): boolean {
    return this.#welcomed
  }

  linkOf(): undefined {
    return undefined
  }

  get framing(): Framing {
    return this.#core.options.framings[0]!
  }

  // --- getting in

  start(address: Address, timeoutMs: Millis | undefined): void {
    const { port, timers, options, links, id } = this.#core
    this.#address = address
    if (timeoutMs !== undefined) this.#timer = timers.set(port.now() + timeoutMs, () => this.abandon(this.#tooLate()))
    const peer = port.connect(address, { channels: options.channels, data: this.framing.connectData(id) })
    this.#link = new Link(peer, this.framing, SERVER_ID)
    links.set(peer, this.#link)
    port.wake()
  }

  begin(peer: Peer): void {
    this.#link = new Link(peer, this.framing, SERVER_ID)
    this.#core.links.set(peer, this.#link)
    this.#sayHello(this.#link)
    this.#core.port.wake()
  }

  /** @returns false when that has been tried often enough */
  pickAnotherId(): boolean {
    this.#core.id = pickClientId(this.#core.options.random)
    return ++this.#idAttempts < MAX_ID_ATTEMPTS
  }

  abandon(error: VaivenError): void {
    if (this.#core.state !== 'connecting') return
    this.fail(error)
    const link = this.#link
    if (link !== null) {
      this.#core.links.delete(link.peer)
      link.peer.disconnectNow(EndCode.left)
    }
    this.#core.letGo()
  }

  /** Whoever waits for `ready` waits in vain. */
  fail(error: VaivenError): void {
    const waiting = this.#whenReady
    if (waiting === null) return
    this.#whenReady = null
    waiting.reject(error)
    if (this.#core.state === 'connecting') this.#core.tell('connectionFailed', error)
  }

  connected(peer: Peer): void {
    if (this.#link?.peer === peer && this.#link.state === 'hello') this.#sayHello(this.#link)
  }

  #sayHello(link: Link): void {
    link.framing.prepare?.(link.peer)
    if (!link.framing.handshake) return this.#joined(link)
    // `accept` at the server wants to know.
    this.#core.scope.sendSystem(link, { kind: 'hello', version: NATIVE_VERSION, data: this.#core.options.hello })
  }

  /** We are in, and can call. The signals follow; where somebody awaits `ready`, in the next turn of the event loop. */
  #joined(link: Link): void {
    const { scope, timers } = this.#core
    link.state = 'joined'
    this.#core.state = 'open'
    this.#welcomed = true
    timers.cancel(this.#timer)
    scope.memberReachable(new Member(SERVER_ID, SERVER_SEAT, link.peer), link.framing.name, true)
    this.#whenReady?.resolve()
    this.#whenReady = null
    if (link.framing.handshake) this.#askClock()
  }

  #announce(): void {
    const link = this.#link
    if (!this.#welcomed || link === null) return
    this.#welcomed = false
    const { scope, id, tell, receive } = this.#core
    tell('peerConnected', scope.roster.get(SERVER_ID)!)
    tell('connectedToServer')
    observe('joined', { session: scope, id })
    for (const { channel, bytes, delivery } of link.takeEarly()) receive(link, channel, bytes, delivery)
  }

  // --- being in

  takeSystem(link: Link, number: number, message: SystemMessage): boolean {
    const { scope: session, rooms, id, tell } = this.#core
    const scope = number === 0 ? session : rooms.get(number)
    switch (message.kind) {
      case 'welcome':
        if (link.state !== 'hello') return false
        link.introductionsTaken++
        link.seat = message.seat
        this.#joined(link)
        return true
      case 'add':
        link.introductionsTaken++
        if (scope === undefined || message.id === id || scope.roster.has(message.id)) return false
        this.#announce()
        scope.memberArrived(new Member(message.id, message.seat, null), link.framing.name, false)
        return true
      case 'remove': {
        const gone = message.id === 0 ? (scope?.roster.idOf(message.seat) ?? 0) : message.id
        if (scope === undefined || gone <= SERVER_ID || scope.roster.remove(gone) === undefined) return false
        scope.memberDeparted(gone, { reason: message.reason, data: message.data, text: message.text })
        return true
      }
      case 'drain':
        tell('draining', { withinMs: message.withinMs, text: message.text })
        return true
      case 'roomJoined':
        link.introductionsTaken++
        if (number === 0 || scope !== undefined) return false
        this.#enterRoom(link, number, message.name)
        return true
      case 'roomLeft': {
        const room = rooms.get(number)
        if (room === undefined) return false
        rooms.delete(number)
        room.scopeEnded({ reason: 'left', data: EndCode.none, text: message.text })
        tell('roomLeft', room, message.text)
        return true
      }
      case 'clockAnswer':
        this.#clock.answer(message.token, message.timeMs)
        return true
      default:
        return false
    }
  }

  #enterRoom(link: Link, number: number, name: string): void {
    const { rooms, openRoom, tell } = this.#core
    const room = openRoom(number, name, {})
    rooms.set(number, room)
    tell('roomJoined', room)
    room.memberArrived(new Member(SERVER_ID, SERVER_SEAT, link.peer), link.framing.name, true)
  }

  overflowed(link: Link): void {
    link.peer.disconnectNow(EndCode.violations)
    this.disconnected(link, { reason: 'protocol-error', data: EndCode.violations, text: 'the server sent too much before letting us in' })
  }

  before(): void {
    this.#announce()
  }

  afterEvent(): boolean {
    // `ready` has resolved: code behind its `await` adds listeners before the next event is told.
    if (this.#welcomed && this.#core.port.pause?.() === true) return false
    this.#announce()
    return true
  }

  after(): void {
    const link = this.#link
    if (link === null || link.state !== 'joined' || link.introductionsTold === link.introductionsTaken) return
    link.introductionsTold = link.introductionsTaken
    if (link.framing.handshake) this.#core.scope.sendSystem(link, { kind: 'seen', count: link.introductionsTaken })
  }

  #askClock(): void {
    const { sendUnordered, timers, port } = this.#core
    const link = this.#link
    if (link === null || link.state !== 'joined') return
    sendUnordered(link, { kind: 'clockAsk', token: this.#clock.ask() })
    timers.set(port.now() + this.#clock.intervalMs, () => this.#askClock())
  }

  // --- the end

  disconnected(link: Link, ending: Ending): void {
    const { links, state, id, scope, tell, endScopes, letGo } = this.#core
    links.delete(link.peer)
    if (state === 'closing' || state === 'closed') return
    if (state === 'connecting') {
      if (ending.data === EndCode.badId && this.#address !== null && this.pickAnotherId()) return this.start(this.#address, undefined)
      this.fail(connectError(ending))
      return letGo()
    }
    this.#announce()
    observe('left', { session: scope, id, ...ending })
    // As in Godot the list of peers is not emptied one by one: the session as a whole is over.
    endScopes(ending)
    tell('serverDisconnected', ending)
    letGo()
  }

  closing(data: number, text: string): void {
    const link = this.#link
    this.fail(new VaivenError('ERR_CLOSED', 'the session was closed while connecting'))
    if (link === null || link.state === 'leaving') return
    if (link.state === 'joined') sayGoodbye(this.#core, link, data, text)
    partFrom(link, data, this.#core.timers, () => this.#core.port.now())
    link.state = 'leaving'
  }

  get parting(): boolean {
    return this.#link !== null && isParting(this.#link)
  }

  #tooLate(): VaivenError {
    const answered = this.#link?.peer.state === 'connected'
    return new VaivenError('ERR_TIMEOUT', answered ? LATE_ACCEPT : 'the server did not answer in time')
  }
}

/** Connected, but never let in. */
export const LATE_ACCEPT = 'the server answered, but did not let us in in time; is it a vaiven session, and does its accept() settle?'
