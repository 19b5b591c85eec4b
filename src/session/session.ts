// Session: one transport host as a place where peers with ids meet, in either role. Pure: a host port gives events, time and
// connections; whoever drives the host calls `update`. Coming and going is in server-role.ts and client-role.ts.

import type { Address, Millis } from '../transport/endpoint.ts'
import type { ConnectRequest, Delivery, HostEvent, Peer } from '../transport/types.ts'
import { EndCode } from '../util/end-codes.ts'
import { outOfRange, VaivenError } from '../util/errors.ts'
import { Timers } from '../util/timers.ts'
import { ClientRole } from './client-role.ts'
import { ClientClock, ServerClock } from './clock.ts'
import type { SessionClock } from './clock.ts'
import { observe } from './diagnostics.ts'
import { endingOf } from './endings.ts'
import type { Ending } from './endings.ts'
import type { SessionEvents, Violation } from './events.ts'
import type { Packet, Seats } from './framing.ts'
import type { HostPort } from './host-port.ts'
import { pickClientId, SERVER_ID } from './ids.ts'
import type { Link } from './link.ts'
import { LoopLag } from './loop-lag.ts'
import type { LoopLagStats } from './loop-lag.ts'
import { resolveSessionOptions } from './options.ts'
import type { ResolvedSessionOptions, SessionOptions } from './options.ts'
import { PARTING_LOOK_MS } from './parting.ts'
import type { Role, SessionCore, SessionState } from './role.ts'
import { checkRoomName, Room } from './room.ts'
import { Scope } from './scope.ts'
import type { ScopeHome } from './scope.ts'
import { ServerRole } from './server-role.ts'

/** For the last words to be acknowledged and looked at; then the host ends what is left, gracefully too. */
const MAX_PARTING_MS = 2000

/** A session of the role that its options name. Use `listen` or `connect`, unless you drive a host of your own. */
export class Session<R extends Room = Room> extends Scope<SessionEvents<R>> implements AsyncDisposable {
  /** Resolves when we are in (a server is at once); rejects with a coded error when that fails. */
  readonly ready: Promise<void>
  /** Time that is the same for everybody in the session, within `clock.errorMs`. */
  readonly clock: SessionClock

  readonly #port: HostPort
  readonly #options: ResolvedSessionOptions
  readonly #timers = new Timers()
  readonly #lag = new LoopLag()
  readonly #links = new Map<Peer, Link>()
  readonly #rooms = new Map<number, R>()
  readonly #server: ServerRole | null
  readonly #client: ClientRole | null
  readonly #role: Role
  readonly #home: ScopeHome
  #state: SessionState
  #id: number
  #nextRoom = 1
  #updating = false
  #whenClosed: (() => void)[] = []

  /** @throws VaivenError ERR_OPTION_RANGE naming the option */
  constructor(port: HostPort, options: SessionOptions) {
    super(0)
    this.#port = port
    this.#options = resolveSessionOptions(options)
    const core = this.#makeCore()
    if (this.#options.role === 'server') {
      this.#id = SERVER_ID
      this.#state = 'open'
      this.#role = this.#server = new ServerRole(core)
      this.#client = null
      this.clock = new ServerClock(() => port.now())
      this.ready = Promise.resolve()
    } else {
      this.#id = pickClientId(this.#options.random)
      this.#state = 'connecting'
      const clock = new ClientClock(() => port.now())
      this.#role = this.#client = new ClientRole(core, clock)
      this.#server = null
      this.clock = clock
      this.ready = this.#client.ready
    }
    this.#home = this.#makeHome(this.#options.relay)
  }

  // --- what programs use

  /** `connecting` (client), `open`, `draining` (server), `closing`, `closed`. */
  get state(): SessionState {
    return this.#state
  }

  /** Our own id: 1 at the server, 0 before a client is in and after the end. [get_network_unique_id] */
  override get id(): number {
    return this.#state === 'closed' || this.#state === 'connecting' ? 0 : this.#id
  }

  override get isServer(): boolean {
    return this.#server !== null
  }

  /** Server: turn newcomers away, at once and with the reason. [set_refuse_new_network_connections] */
  get refuseNewConnections(): boolean {
    return this.#server?.refusing ?? false
  }

  set refuseNewConnections(refuse: boolean) {
    this.#asServer('refuses connections').refusing = refuse
  }

  /** The rooms of this session by number; on a client the ones that it is in. */
  get rooms(): ReadonlyMap<number, R> {
    return this.#rooms
  }

  /** The room with that name, if there is one. */
  room(name: string): R | undefined {
    for (const room of this.#rooms.values()) if (room.name === name) return room
    return undefined
  }

  /**
   * Server: opens a room, an isolated roster with its own broadcast and RPC scope.
   * @throws VaivenError ERR_ARGUMENT (not a server, a name longer than 64 bytes or taken)
   */
  createRoom(name: string, options: { maxPeers?: number; relay?: boolean } = {}): R {
    this.#asServer('opens rooms')
    checkRoomName(name)
    if (this.room(name) !== undefined) throw new VaivenError('ERR_ARGUMENT', `there is a room "${name}" already`)
    const room = this.#makeRoom(this.#nextRoom++, name, options)
    this.#rooms.set(room.number, room)
    return room
  }

  /** Server: clients hear of each other, and reach each other, through us. [server_relay] */
  get relays(): boolean {
    return this.#options.relay
  }

  /** How late our own loop ran; the network's delays are in `peers.get(id).stats`. */
  get loopLag(): LoopLagStats {
    return this.#lag
  }

  /**
   * Server: removes a client. What was sent to it before arrives first. [disconnect_peer]
   * @param options.reason words for the client and the others, at most 256 bytes
   * @param options.data a number of your own, 256 to 4294967295. @default the code for "kicked"
   * @param options.now do not wait for what was sent: gone when this returns [disconnect_peer(id, true)]
   * @throws VaivenError ERR_ARGUMENT (not a server, nobody with that id)
   */
  kick(id: number, options: { reason?: string; data?: number; now?: boolean } = {}): void {
    this.#asServer('kicks; a client may close() its own session').kick(id, options)
  }

  /**
   * Server: takes no newcomers, tells the clients, and closes when the last one has left or `withinMs` have passed.
   * @param options.withinMs 0 to 86,400,000. @default 30000
   * @param options.reason words for the clients, at most 256 bytes
   * @throws VaivenError ERR_OPTION_RANGE
   */
  drain(options: { withinMs?: number; reason?: string } = {}): Promise<void> {
    const { withinMs = 30_000, reason: text = '' } = options
    if (!Number.isInteger(withinMs) || withinMs < 0 || withinMs > 86_400_000) {
      throw outOfRange('options.withinMs', withinMs, '0 to 86400000')
    }
    const server = this.#server
    if (server === null || this.#state !== 'open') return this.#state === 'draining' ? this.#closed() : this.close()
    this.#state = 'draining'
    server.drain(withinMs, text)
    this.signal('draining', { withinMs, text })
    if (this.roster.size === 0) return this.close()
    this.#timers.set(this.#port.now() + withinMs, () => void this.close())
    this.#port.wake()
    return this.#closed()
  }

  /** Leaves, or (server) ends the session: what was sent is delivered, then goodbye. Resolves when all is done. [network_peer = null] */
  close(options: { reason?: string; data?: number } = {}): Promise<void> {
    if (this.#state !== 'closed' && this.#state !== 'closing') {
      const { reason: text = '', data = this.isServer ? EndCode.closing : EndCode.left } = options
      this.#state = 'closing'
      this.#timers.clear()
      this.#role.closing(data, text)
      this.#endScopes({ reason: 'left', data, text })
      if (this.#role.parting) this.#port.settle?.()
      this.#closePort(data, this.#port.now() + MAX_PARTING_MS)
    }
    return this.#closed()
  }

  /** The host closes once everybody has had the time to look at our last words that its framing asks for. */
  #closePort(data: number, until: Millis): void {
    if (this.#state !== 'closing') return
    const now = this.#port.now()
    if (this.#role.parting && now < until) this.#timers.set(now + PARTING_LOOK_MS, () => this.#closePort(data, until))
    else this.#port.close(data)
    this.#port.wake()
    this.#noteClosed()
  }

  /** Ends at once; what was on the way may be lost. */
  destroy(): void {
    if (this.#state === 'closed') return
    if (this.#state !== 'closing') this.#endScopes({ reason: 'left', data: EndCode.left, text: '' })
    this.#port.destroy()
    this.#client?.fail(new VaivenError('ERR_CLOSED', 'the session was destroyed while connecting'))
    this.#finish()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // --- what drives it

  /** When the session next wants `update`, on the host's clock; Infinity when only the host's events matter. */
  get deadline(): Millis {
    return this.#role.pending ? this.#port.now() : this.#timers.deadline()
  }

  /** Takes the host's events and does what is due. Whoever drives the host calls it after every advance. */
  update(): void {
    if (this.#updating) return
    this.#updating = true
    try {
      const now = this.#port.now()
      const due = this.#timers.deadline()
      if (due <= now) this.#lag.note(due, now)
      this.#role.before()
      for (let event = this.#port.pollEvent(); event !== null; event = this.#port.pollEvent()) {
        this.#take(event)
        if (!this.#role.afterEvent()) break
      }
      this.#timers.advance(now)
      this.#role.after()
      this.#noteClosed()
    } finally {
      this.#updating = false
    }
  }

  /** Server: answers a CONNECT before anything is promised; for the host's option `accept`. */
  gate(request: ConnectRequest): true | number {
    return this.#asServer('answers connects').gate(request)
  }

  /** Client: connects through the port. (`connect` resolves names, and hands over a connection that stands: `begin`.) */
  start(address: Address, timeoutMs?: Millis): void {
    this.#asClient().start(address, timeoutMs)
  }

  /** Client: takes over a transport connection that stands already. */
  begin(peer: Peer): void {
    this.#asClient().begin(peer)
  }

  /** Client: the connection could not be made; for whoever makes it outside of the session. */
  abandon(error: VaivenError): void {
    this.#asClient().abandon(error)
  }

  /** Client: the 32 bits for the CONNECT. */
  get connectData(): number {
    return this.#asClient().framing.connectData(this.#id)
  }

  /** Client: another id, since the server says that ours is taken. @returns false when that has been tried often enough */
  pickAnotherId(): boolean {
    return this.#asClient().pickAnotherId()
  }

  /** Channels that connections have. */
  get channels(): number {
    return this.#options.channels
  }

  // --- for the layers above

  /** @internal Deadlines of the session and of what runs on it. */
  get timers(): Timers {
    return this.#timers
  }

  /** @internal */
  protected get home(): ScopeHome {
    return this.#home
  }

  /** @internal Makes rooms; subclasses make richer ones. */
  protected newRoom(number: number, name: string, home: ScopeHome, options: { maxPeers?: number }): R {
    return new Room(number, name, home, options) as R
  }

  // --- events of the host

  #take(event: HostEvent): void {
    if (event.type === 'connect') return this.#role.connected(event.peer, event.data)
    if (event.type !== 'receive' && event.type !== 'disconnect') return
    const link = this.#links.get(event.peer)
    if (link === undefined) return
    if (event.type === 'receive') return this.#receive(link, event.channel, event.bytes, event.delivery)
    // What was said beats what the transport saw.
    this.#role.disconnected(link, link.ending ?? endingOf(event.reason, event.data, '', !this.isServer))
  }

  #receive(link: Link, channel: number, bytes: Uint8Array, delivery: Delivery): void {
    if (link.state === 'leaving') return
    const packet = link.framing.decode(channel, bytes, { ownId: this.#id, linkId: link.id, seatsOf: (scope) => this.#seatsOf(link, scope) })
    if (packet === null) return this.noteViolation({ peer: link.id, kind: 'shape' })
    if (packet.system?.kind === 'bye') link.ending = endingOf('remote', packet.system.code, packet.system.text, !this.isServer)
    else if (packet.system !== null) {
      if (!this.#role.takeSystem(link, packet.scope, packet.system)) this.noteViolation({ peer: link.id, kind: 'shape' })
    } else if (link.state !== 'joined') {
      if (!link.keepEarly({ channel, bytes, delivery })) this.#role.overflowed(link)
    } else this.#dispatch(link, packet, channel, delivery)
  }

  #dispatch(link: Link, packet: Packet, channel: number, delivery: Delivery): void {
    // From somebody who has left while this was on its way.
    if (packet.source === 0) return
    const number = packet.scope === 0 ? link.homeScope : packet.scope
    if (number === 0) return this.takePacket(link, packet, channel, delivery)
    const room = this.#rooms.get(number)
    // Perhaps it was taken out of the room while the packet was on its way.
    if (room === undefined || (this.isServer && !room.roster.has(link.id))) this.noteViolation({ peer: link.id, kind: 'target' }, 0)
    else room.takePacket(link, packet, channel, delivery)
  }

  /** The roster of a scope, as far as the other end may know it: a client's own rooms only. */
  #seatsOf(link: Link, number: number): Seats | null {
    if (number === 0) return this.roster
    const roster = this.#rooms.get(number)?.roster ?? null
    return roster === null || (this.isServer && !roster.has(link.id)) ? null : roster
  }

  // --- the end

  #letGo(): void {
    if (this.#state === 'closed') return
    this.#state = 'closing'
    this.#timers.clear()
    this.#port.close()
    this.#port.wake()
    this.#noteClosed()
  }

  #noteClosed(): void {
    if (this.#state === 'closing' && this.#port.closed) this.#finish()
  }

  #finish(): void {
    this.#state = 'closed'
    this.#timers.clear()
    this.#links.clear()
    this.signal('closed')
    for (const resolve of this.#whenClosed.splice(0)) resolve()
  }

  #closed(): Promise<void> {
    return this.#state === 'closed' ? Promise.resolve() : new Promise((resolve) => this.#whenClosed.push(resolve))
  }

  #endScopes(ending: Ending): void {
    for (const room of this.#rooms.values()) room.scopeEnded(ending)
    this.scopeEnded(ending)
  }

  // --- how the parts see each other

  #asServer(does: string): ServerRole {
    if (this.#server === null) throw new VaivenError('ERR_ARGUMENT', `only the server ${does}`)
    return this.#server
  }

  #asClient(): ClientRole {
    if (this.#client === null) throw new VaivenError('ERR_ARGUMENT', 'only a client connects')
    return this.#client
  }

  #makeRoom(number: number, name: string, options: { maxPeers?: number; relay?: boolean }): R {
    const room = this.newRoom(number, name, this.#makeHome(options.relay ?? true), options)
    room.onClosed = () => this.#rooms.delete(number)
    return room
  }

  #sendUnordered(link: Link, message: Parameters<SessionCore['sendUnordered']>[1]): void {
    const bytes = link.framing.encodeSystem(message, 0, !this.isServer)
    if (bytes !== null) this.sendRaw(link, link.framing.unreliableChannel, bytes, 'unsequenced')
  }

  #countViolation(link: Link | null, violation: Omit<Violation, 'count'>, weight: number): Violation {
    const counted = this.#server?.countViolation(link, violation, weight) ?? { ...violation, count: 0 }
    observe('violation', { session: this, ...counted })
    return counted
  }

  /** For the role. */
  #makeCore(): SessionCore {
    const session = this
    return {
      port: this.#port,
      options: this.#options,
      timers: this.#timers,
      scope: this as never,
      links: this.#links,
      rooms: this.#rooms as Map<number, Room>,
      get state() {
        return session.#state
      },
      set state(state) {
        session.#state = state
      },
      get id() {
        return session.#id
      },
      set id(id) {
        session.#id = id
      },
      tell: (name, ...args) => this.signal(name, ...(args as never)),
      openRoom: (number, name, options) => this.#makeRoom(number, name, options),
      receive: (link, channel, bytes, delivery) => this.#receive(link, channel, bytes, delivery),
      sendUnordered: (link, message) => this.#sendUnordered(link, message),
      sessionTime: () => this.clock.now(),
      endScopes: (ending) => this.#endScopes(ending),
      letGo: () => this.#letGo(),
      close: () => void this.close(),
    }
  }

  /** For the session's own scope, and for each room. */
  #makeHome(relayEnabled: boolean): ScopeHome {
    const session = this
    return {
      get id() {
        return session.#id
      },
      isServer: this.isServer,
      get isOpen() {
        return session.#state === 'open' || session.#state === 'draining'
      },
      relayEnabled,
      get serverLink() {
        return session.#role.serverLink
      },
      linkOf: (id) => this.#role.linkOf(id),
      now: () => this.#port.now(),
      wake: () => this.#port.wake(),
      introduced: (link, number) => this.#server?.introduced(link, number),
      noteViolation: (link, violation, weight) => this.#countViolation(link, violation, weight),
      expel: (link, text) => this.#server?.end(link, { reason: 'kicked', data: EndCode.violations, text }, false),
    }
  }
}
