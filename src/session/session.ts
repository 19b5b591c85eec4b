// Session: who is in, who comes and goes, and what they say to each other, over one transport host. Both roles.
// Pure: a host port gives events, time and connections; whoever drives the host calls `update`.

import type { Address, Millis } from '../transport/endpoint.ts'
import type { ConnectRequest, Delivery, HostEvent, Peer } from '../transport/types.ts'
import { VaivenError } from '../util/errors.ts'
import { Timers } from '../util/timers.ts'
import type { Timer } from '../util/timers.ts'
import { TokenBucket } from '../util/token-bucket.ts'
import { ClientClock, ServerClock } from './clock.ts'
import type { SessionClock } from './clock.ts'
import { observe } from './diagnostics.ts'
import { EndCode, endingOf } from './endings.ts'
import type { Ending } from './endings.ts'
import type { SessionEvents, Violation } from './events.ts'
import type { Framing, FramingContext, Packet, Seats } from './framing.ts'
import { isThenable } from './guarded-emitter.ts'
import type { HostPort } from './host-port.ts'
import { pickClientId, SERVER_ID } from './ids.ts'
import { Link } from './link.ts'
import { LoopLag } from './loop-lag.ts'
import type { LoopLagStats } from './loop-lag.ts'
import { NATIVE_VERSION } from './native-framing.ts'
import { readVerdict, resolveSessionOptions } from './options.ts'
import type { ResolvedSessionOptions, SessionOptions } from './options.ts'
import { Member } from './peers.ts'
import { connectError } from './refused.ts'
import { checkRoomName, Room } from './room.ts'
import { Scope } from './scope.ts'
import type { ScopeHome } from './scope.ts'
import type { SystemMessage } from './system-messages.ts'

/** Where a session stands. `draining` and `closing` still carry what is on the way; `closed` is the end. */
export type SessionState = 'connecting' | 'open' | 'draining' | 'closing' | 'closed'

/** How often a client whose id is taken picks another one. Two collisions in a row in 31 bits are no accident. */
const MAX_ID_ATTEMPTS = 3

/** A session of the role that its options name. Use `listen` or `connect`, unless you drive a host of your own. */
export class Session<R extends Room = Room> extends Scope<SessionEvents<R>> implements AsyncDisposable {
  readonly #port: HostPort
  readonly #options: ResolvedSessionOptions
  readonly #timers = new Timers()
  readonly #lag = new LoopLag()
  readonly #links = new Map<Peer, Link>()
  /** Server: connections by the id of their client, from the connect on. */
  readonly #byId = new Map<number, Link>()
  readonly #rooms = new Map<number, R>()
  /** Acknowledged introductions and answers of `accept` that came outside of an update. */
  readonly #introduced: [Link, number][] = []
  readonly #decided = new Set<Link>()
  #state: SessionState
  #id: number
  #nextSeat = 2
  #nextRoom = 1
  #link: Link | null = null
  #idAttempts = 0
  #address: Address | null = null
  #refusing = false
  #welcomed = false
  #updating = false
  #goodbye: { data: number; text: string } | null = null
  #connectTimer: Timer | null = null
  #whenReady: { resolve: () => void; reject: (error: VaivenError) => void } | null = null
  #whenClosed: (() => void)[] = []

  /** Resolves when we are in (a server is at once); rejects with a coded error when that fails. */
  readonly ready: Promise<void>
  /** Time that is the same for everybody in the session, within `clock.errorMs`. */
  readonly clock: SessionClock

  constructor(port: HostPort, options: SessionOptions) {
    super(0)
    this.#port = port
    this.#options = resolveSessionOptions(options)
    const server = this.#options.role === 'server'
    this.#id = server ? SERVER_ID : pickClientId(this.#options.random)
    this.#state = server ? 'open' : 'connecting'
    this.#refusing = this.#options.refuseNewConnections
    this.clock = server ? new ServerClock(() => port.now()) : new ClientClock(() => port.now())
    this.ready = server ? Promise.resolve() : new Promise((resolve, reject) => (this.#whenReady = { resolve, reject }))
    // Whoever prefers the event to the promise must not be told of an unhandled rejection.
    this.ready.catch(() => undefined)
  }

  // ── what programs use ────────────────────────────────────────────────────────────────────────────────────────────────

  get state(): SessionState {
    return this.#state
  }

  /** Server: turn newcomers away, at once and with the reason. [set_refuse_new_network_connections] */
  get refuseNewConnections(): boolean {
    return this.#refusing
  }

  set refuseNewConnections(refuse: boolean) {
    this.#refusing = refuse
  }

  /** The rooms of this session; on a client the ones that it is in. */
  get rooms(): ReadonlyMap<number, R> {
    return this.#rooms
  }

  /** How late our own loop ran; the network's delays are in `peers.get(id).stats`. */
  get loopLag(): LoopLagStats {
    return this.#lag
  }

  /** When the session next wants `update`, on the host's clock; Infinity when only the host's events matter. */
  get deadline(): Millis {
    return this.#decided.size > 0 || this.#introduced.length > 0 || this.#welcomed ? this.#port.now() : this.#timers.deadline()
  }

  /**
   * Server: removes a client. What was sent to it before arrives first. [disconnect_peer]
   * @param options.reason words for the client and the others, at most 256 bytes
   * @param options.data a number of your own, 256 to 4294967295. @default EndCode.kicked
   * @param options.now do not wait for what was sent: gone when this returns [disconnect_peer(id, true)]
   * @throws VaivenError ERR_ARGUMENT (not a server, nobody with that id)
   */
  kick(id: number, options: { reason?: string; data?: number; now?: boolean } = {}): void {
    const link = this.isServer ? this.#byId.get(id) : undefined
    if (!this.isServer) throw new VaivenError('ERR_ARGUMENT', 'only the server can kick; a client may close() its own session')
    if (link === undefined || !this.roster.has(id)) throw new VaivenError('ERR_ARGUMENT', `peer ${id} is not here; nobody to kick`)
    const { reason: text = '', data = EndCode.kicked, now = false } = options
    if (link.state === 'leaving' && !now) return
    this.#end(link, { reason: 'kicked', data, text }, now)
  }

  /**
   * Server: opens a room, an isolated roster with its own broadcast and RPC scope.
   * @throws VaivenError ERR_ARGUMENT (not a server, a name longer than 64 bytes or taken)
   */
  createRoom(name: string, options: { maxPeers?: number; relay?: boolean } = {}): R {
    if (!this.isServer) throw new VaivenError('ERR_ARGUMENT', 'only the server opens rooms; clients are put into them')
    checkRoomName(name)
    for (const room of this.#rooms.values()) if (room.name === name) throw new VaivenError('ERR_ARGUMENT', `there is a room "${name}" already`)
    const room = this.#makeRoom(this.#nextRoom++, name, options)
    this.#rooms.set(room.number, room)
    return room
  }

  /** The room with that name, if there is one. */
  room(name: string): R | undefined {
    for (const room of this.#rooms.values()) if (room.name === name) return room
    return undefined
  }

  /**
   * Server: takes no newcomers, tells the clients, and closes when the last one has left or `withinMs` have passed.
   * @param options.withinMs 0 to 86,400,000. @default 30000
   */
  drain(options: { withinMs?: number; text?: string } = {}): Promise<void> {
    const { withinMs = 30_000, text = '' } = options
    if (this.#state === 'open' && this.isServer) {
      this.#state = 'draining'
      for (const link of this.#byId.values()) if (link.state === 'joined') this.sendSystem(link, { kind: 'drain', withinMs, text })
      this.signal('draining', { withinMs, text })
      this.#timers.set(this.#port.now() + withinMs, () => void this.close())
      if (this.roster.size === 0) return this.close()
      this.#port.wake()
    } else if (this.#state !== 'draining') return this.close()
    return this.#closed()
  }

  /** Leaves, or (server) ends the session: what was sent is delivered, then goodbye. Resolves when all is done. */
  close(options: { reason?: string; data?: number } = {}): Promise<void> {
    if (this.#state !== 'closed' && this.#state !== 'closing') {
      const data = options.data ?? (this.isServer ? EndCode.closed : EndCode.left)
      this.#state = 'closing'
      this.#goodbye = { data, text: options.reason ?? '' }
      for (const link of this.#links.values()) {
        if (link.state === 'joined') this.#sayGoodbye(link, data, options.reason ?? '')
        if (link.state !== 'leaving') link.peer.disconnect(data)
        link.state = 'leaving'
      }
      this.#scopesEnded({ reason: 'left', data, text: options.reason ?? '' })
      this.#timers.clear()
      this.#failConnecting(new VaivenError('ERR_CLOSED', 'the session was closed while connecting'))
      this.#port.close(data)
      this.#port.wake()
      this.#noteClosed()
    }
    return this.#closed()
  }

  /** Ends at once; what was on the way may be lost. */
  destroy(): void {
    if (this.#state === 'closed') return
    if (this.#state !== 'closing') this.#scopesEnded({ reason: 'left', data: EndCode.left, text: '' })
    this.#port.destroy()
    this.#finish(new VaivenError('ERR_CLOSED', 'the session was destroyed while connecting'))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Client: the connection could not be made. For whoever makes it outside of the session. */
  abandon(error: VaivenError): void {
    if (this.#state !== 'connecting') return
    this.#failConnecting(error)
    const link = this.#link
    if (link !== null) {
      this.#links.delete(link.peer)
      link.peer.disconnectNow(EndCode.left)
    }
    this.#port.close()
    this.#finishSoon()
  }

  // ── what drives it ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Client: connects through the port. (`connect` in open.ts resolves names and hands over the connection: `begin`.) */
  start(address: Address, timeoutMs?: Millis): void {
    this.#address = address
    if (timeoutMs !== undefined) this.#connectTimer = this.#timers.set(this.#port.now() + timeoutMs, () => this.#giveUp())
    const { channels } = this.#options
    const peer = this.#port.connect(address, { channels, data: this.connectData })
    this.#link = new Link(peer, this.#framing, SERVER_ID)
    this.#links.set(peer, this.#link)
    this.#port.wake()
  }

  /** Client: takes over a transport connection that stands already. */
  begin(peer: Peer): void {
    const link = new Link(peer, this.#framing, SERVER_ID)
    this.#link = link
    this.#links.set(peer, link)
    this.#sayHello(link)
    this.#port.wake()
  }

  /** Client: the 32 bits for the CONNECT. */
  get connectData(): number {
    return this.#framing.connectData(this.#id)
  }

  /** Client: another id, since the server says that ours is taken. @returns false when that has been tried often enough */
  pickAnotherId(): boolean {
    this.#id = pickClientId(this.#options.random)
    return ++this.#idAttempts < MAX_ID_ATTEMPTS
  }

  /** Client: channels that the connection needs. */
  get channels(): number {
    return this.#options.channels
  }

  /** Server: answers a CONNECT before anything is promised; for the host's option `accept`. */
  gate(request: ConnectRequest): true | number {
    if (this.#state === 'draining') return EndCode.draining
    if (this.#state !== 'open') return EndCode.closed
    if (this.#refusing) return EndCode.refusing
    const [framing, id] = this.#claim(request.data)
    if (framing === null) return EndCode.dialect
    if (this.#byId.has(id)) return EndCode.badId
    if (this.#byId.size >= this.#options.maxPeers) return EndCode.full
    return this.#options.gate === null ? true : this.#options.gate(request)
  }

  /** Takes the host's events and does what is due. Whoever drives the host calls it after every advance. */
  update(): void {
    if (this.#updating) return
    this.#updating = true
    try {
      const now = this.#port.now()
      const due = this.#timers.deadline()
      if (due <= now) this.#lag.note(due, now)
      this.#announceWelcome()
      for (let event = this.#port.pollEvent(); event !== null; event = this.#port.pollEvent()) {
        this.#take(event)
        // The promise `ready` has resolved: code behind its `await` adds listeners before the next event.
        if (this.#welcomed && this.#port.pause?.() === true) break
        this.#announceWelcome()
      }
      this.#settle()
      this.#timers.advance(now)
      this.#tellSeen()
      this.#noteClosed()
    } finally {
      this.#updating = false
    }
  }

  // ── for the layers above ─────────────────────────────────────────────────────────────────────────────────────────────

  /** @internal Deadlines of the session and of what runs on it. */
  get timers(): Timers {
    return this.#timers
  }

  /** @internal */
  get port(): HostPort {
    return this.#port
  }

  /** @internal Makes rooms; subclasses make richer ones. */
  protected newRoom(number: number, name: string, home: ScopeHome, options: { maxPeers?: number }): R {
    return new Room(number, name, home, options) as R
  }

  // ── the host's events ────────────────────────────────────────────────────────────────────────────────────────────────

  #take(event: HostEvent): void {
    switch (event.type) {
      case 'connect':
        if (this.isServer) this.#arrived(event.peer, event.data)
        else if (this.#link?.peer === event.peer && this.#link.state === 'hello') this.#sayHello(this.#link)
        break
      case 'receive': {
        const link = this.#links.get(event.peer)
        if (link !== undefined) this.#received(link, event.channel, event.bytes, event.delivery)
        break
      }
      case 'disconnect': {
        const link = this.#links.get(event.peer)
        if (link === undefined) break
        // What was said beats what the transport saw.
        const ending = link.ending ?? endingOf(event.reason, event.data, '', !this.isServer)
        if (this.isServer) this.#departed(link, ending)
        else this.#lostServer(link, ending)
        break
      }
      case 'drain':
      case 'diagnostic':
        break
    }
  }

  /** Server: a transport connection stands. */
  #arrived(peer: Peer, data: number): void {
    const [framing, id] = this.#claim(data)
    const link = new Link(peer, framing ?? this.#framing, id)
    this.#links.set(peer, link)
    const refusal = this.gate({ address: peer.address, port: peer.port, data, channelCount: peer.channelCount })
    // Only what the gate has missed meanwhile (two newcomers for one place) is refused here.
    if (refusal !== true) return this.#refuse(link, refusal, '')
    this.#byId.set(id, link)
    if (!link.framing.handshake) return this.#decide(link, new Uint8Array(0))
    link.helloTimer = this.#timers.set(this.#port.now() + this.#options.helloTimeoutMs, () => this.#refuse(link, EndCode.helloTimeout, ''))
  }

  #received(link: Link, channel: number, bytes: Uint8Array, delivery: Delivery): void {
    if (link.state === 'leaving') return
    const packet = link.framing.decode(channel, bytes, this.#context(link))
    if (packet === null) {
      this.noteViolation({ peer: link.id, kind: 'shape' })
      return
    }
    if (packet.system !== null) return this.#takeSystem(link, packet.scope, packet.system)
    if (link.state !== 'joined') {
      if (!link.keepEarly({ channel, bytes, delivery })) this.#refuse(link, EndCode.violations, 'too much before joining')
      return
    }
    this.#dispatch(link, packet, channel, delivery)
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

  #takeSystem(link: Link, scope: number, message: SystemMessage): void {
    if (message.kind === 'bye') {
      link.ending = endingOf('remote', message.code, message.text, !this.isServer)
      return
    }
    const understood = this.isServer ? this.#takeFromClient(link, message) : this.#takeFromServer(link, scope, message)
    if (!understood) this.noteViolation({ peer: link.id, kind: 'shape' })
  }

  #takeFromClient(link: Link, message: SystemMessage): boolean {
    switch (message.kind) {
      case 'hello':
        if (link.state !== 'hello') return false
        this.#timers.cancel(link.helloTimer)
        if (message.version === NATIVE_VERSION) this.#decide(link, message.data)
        else this.#refuse(link, EndCode.dialect, `the server speaks version ${NATIVE_VERSION}, this client version ${message.version}`)
        return true
      case 'seen':
        if (message.count > link.introductions.made) return false
        for (const held of link.introductions.seen(message.count)) this.sendRaw(link, held.channel, held.bytes, held.delivery)
        return true
      case 'clockAsk':
        this.#sendUnordered(link, { kind: 'clockAnswer', token: message.token, timeMs: this.clock.now() })
        return true
      default:
        return false
    }
  }

  #takeFromServer(link: Link, number: number, message: SystemMessage): boolean {
    const scope = number === 0 ? this : this.#rooms.get(number)
    switch (message.kind) {
      case 'welcome':
        if (link.state !== 'hello') return false
        link.introductionsTaken++
        link.seat = message.seat
        this.#joined(link)
        return true
      case 'add':
        link.introductionsTaken++
        if (scope === undefined || message.id === this.#id || scope.roster.has(message.id)) return false
        this.#announceWelcome()
        scope.memberArrived(new Member(message.id, message.seat, null), link.framing.name, false)
        return true
      case 'remove': {
        const id = message.id === 0 ? (scope?.roster.idOf(message.seat) ?? 0) : message.id
        if (scope === undefined || id <= SERVER_ID || scope.roster.remove(id) === undefined) return false
        scope.memberDeparted(id, { reason: message.reason, data: message.data, text: message.text })
        return true
      }
      case 'drain':
        this.signal('draining', { withinMs: message.withinMs, text: message.text })
        return true
      case 'roomJoined': {
        link.introductionsTaken++
        if (number === 0 || scope !== undefined) return false
        const room = this.#makeRoom(number, message.name, {})
        this.#rooms.set(number, room)
        this.signal('roomJoined', room)
        room.memberArrived(new Member(SERVER_ID, 1, link.peer), link.framing.name, true)
        return true
      }
      case 'roomLeft': {
        const room = this.#rooms.get(number)
        if (room === undefined) return false
        this.#rooms.delete(number)
        room.scopeEnded({ reason: 'left', data: EndCode.none, text: message.text })
        this.signal('roomLeft', room, message.text)
        return true
      }
      case 'clockAnswer':
        if (this.clock instanceof ClientClock) this.clock.answer(message.token, message.timeMs)
        return true
      default:
        return false
    }
  }

  // ── joining ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Client: the connection stands; say what `accept` needs to know. */
  #sayHello(link: Link): void {
    if (!link.framing.handshake) return this.#joined(link)
    this.sendSystem(link, { kind: 'hello', version: NATIVE_VERSION, data: this.#options.hello })
  }

  /** Client: we are in. The signals follow in the next turn where somebody may be waiting for `ready`. */
  #joined(link: Link): void {
    link.state = 'joined'
    this.#state = 'open'
    this.#welcomed = true
    this.#timers.cancel(this.#connectTimer)
    this.memberReachable(new Member(SERVER_ID, 1, link.peer), link.framing.name, true)
    this.#whenReady?.resolve()
    this.#whenReady = null
    if (link.framing.handshake) this.#askClock()
  }

  #announceWelcome(): void {
    const link = this.#link
    if (!this.#welcomed || link === null) return
    this.#welcomed = false
    this.signal('peerConnected', this.roster.get(SERVER_ID)!)
    this.signal('connectedToServer')
    observe('joined', { session: this, id: this.#id })
    for (const { channel, bytes, delivery } of link.takeEarly()) this.#received(link, channel, bytes, delivery)
  }

  /** Server: may this client come in? */
  #decide(link: Link, hello: Uint8Array): void {
    link.state = 'deciding'
    const { accept } = this.#options
    if (accept === null) return this.#admit(link)
    const { address, port } = link.peer
    try {
      const answer: unknown = accept({ id: link.id, address, port, hello, dialect: link.framing.name })
      if (!isThenable(answer)) return this.#conclude(link, answer)
      const later = (verdict: Link['verdict']): void => {
        link.verdict = verdict
        this.#decided.add(link)
        this.#port.wake()
      }
      answer.then((value) => later({ value }), (failed: unknown) => later({ failed }))
    } catch (error) {
      this.report(error, { event: 'accept', peer: link.id })
      this.#refuse(link, EndCode.refused, '')
    }
  }

  #conclude(link: Link, answer: unknown): void {
    const verdict = readVerdict(answer)
    if (verdict === null) this.#admit(link)
    else this.#refuse(link, verdict.data, verdict.text)
  }

  #admit(link: Link): void {
    if (this.#state !== 'open') return this.#refuse(link, this.#state === 'draining' ? EndCode.draining : EndCode.closed, '')
    link.state = 'joined'
    link.seat = this.#nextSeat++
    const { relayLimit, relay } = this.#options
    if (relayLimit !== null) link.relayBudget = new TokenBucket(relayLimit.perSecond, relayLimit.burst, this.#port.now())
    this.introduce(link, SERVER_ID, { kind: 'welcome', version: NATIVE_VERSION, seat: link.seat, relay })
    observe('peer-joined', { session: this, id: link.id, address: link.peer.address, port: link.peer.port })
    this.admit(link)
    for (const { channel, bytes, delivery } of link.takeEarly()) this.#received(link, channel, bytes, delivery)
  }

  #refuse(link: Link, code: number, text: string): void {
    observe('peer-refused', { session: this, id: link.id, data: code, text })
    this.#end(link, { reason: 'refused', data: code, text }, false)
  }

  // ── leaving ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Server: ends a connection with words, after what was sent; or `now`. */
  #end(link: Link, ending: Ending, now: boolean): void {
    link.ending ??= ending
    this.#timers.cancel(link.helloTimer)
    this.#sayGoodbye(link, ending.data, ending.text)
    link.state = 'leaving'
    if (now) {
      link.peer.disconnectNow(ending.data)
      this.#departed(link, link.ending)
    } else link.peer.disconnect(ending.data)
    this.#port.wake()
  }

  /** The 32 bits of the transport come anyway; words only when there are some. */
  #sayGoodbye(link: Link, code: number, text: string): void {
    if (text !== '' && link.peer.state === 'connected') this.sendSystem(link, { kind: 'bye', code, text })
  }

  /** Server: a connection has ended. */
  #departed(link: Link, ending: Ending): void {
    if (!this.#links.delete(link.peer)) return
    this.#timers.cancel(link.helloTimer)
    this.#decided.delete(link)
    if (this.#byId.get(link.id) === link) this.#byId.delete(link.id)
    if (link.seat === 0) return
    link.state = 'leaving'
    observe('peer-left', { session: this, id: link.id, ...ending })
    if (this.#state === 'closing') return
    for (const room of this.#rooms.values()) room.dismiss(link.id, ending)
    this.dismiss(link.id, ending)
    if (this.#state === 'draining' && this.roster.size === 0) void this.close()
  }

  /** Client: the connection has ended, before or after we were in. */
  #lostServer(link: Link, ending: Ending): void {
    this.#links.delete(link.peer)
    if (this.#state === 'closing' || this.#state === 'closed') return
    if (this.#state === 'connecting') {
      if (ending.data === EndCode.badId && this.#address !== null && this.pickAnotherId()) return this.start(this.#address)
      const error = connectError(ending)
      this.#failConnecting(error)
      this.#port.close()
      this.#finishSoon()
      return
    }
    this.#announceWelcome()
    observe('left', { session: this, id: this.#id, ...ending })
    // As in Godot the list of peers is not emptied one by one: the session as a whole is over.
    this.#scopesEnded(ending)
    this.signal('serverDisconnected', ending)
    this.#port.close()
    this.#finishSoon()
  }

  #giveUp(): void {
    this.abandon(new VaivenError('ERR_TIMEOUT', connectTimeoutText(this.#link)))
  }

  #failConnecting(error: VaivenError): void {
    const waiting = this.#whenReady
    if (waiting === null) return
    this.#whenReady = null
    waiting.reject(error)
    if (this.#state === 'connecting') this.signal('connectionFailed', error)
  }

  #finishSoon(): void {
    if (this.#state === 'closed') return
    this.#state = 'closing'
    this.#timers.clear()
    this.#port.wake()
    this.#noteClosed()
  }

  #noteClosed(): void {
    if (this.#state === 'closing' && this.#port.closed) this.#finish(null)
  }

  #finish(connecting: VaivenError | null): void {
    if (connecting !== null) this.#failConnecting(connecting)
    this.#state = 'closed'
    this.#timers.clear()
    this.#links.clear()
    this.#byId.clear()
    this.signal('closed')
    for (const resolve of this.#whenClosed.splice(0)) resolve()
  }

  #closed(): Promise<void> {
    return this.#state === 'closed' ? Promise.resolve() : new Promise((resolve) => this.#whenClosed.push(resolve))
  }

  #scopesEnded(ending: Ending): void {
    for (const room of this.#rooms.values()) room.scopeEnded(ending)
    this.scopeEnded(ending)
  }

  // ── small things ─────────────────────────────────────────────────────────────────────────────────────────────────────

  get #framing(): Framing {
    return this.#options.framings[0]!
  }

  #claim(data: number): [Framing, number] | [null, 0] {
    for (const framing of this.#options.framings) {
      const id = framing.claimedId(data)
      if (id !== 0) return [framing, id]
    }
    return [null, 0]
  }

  #context(link: Link): FramingContext {
    return { ownId: this.#id, linkId: link.id, seatsOf: (scope) => this.#seatsOf(link, scope) }
  }

  /** The roster of a scope, as far as the other end may know it: a client's own rooms only. */
  #seatsOf(link: Link, number: number): Seats | null {
    if (number === 0) return this.roster
    const roster = this.#rooms.get(number)?.roster ?? null
    return roster === null || (this.isServer && !roster.has(link.id)) ? null : roster
  }

  /** What happened outside of an update: acknowledgements, and promises of `accept`. */
  #settle(): void {
    for (const [link, number] of this.#introduced.splice(0)) {
      for (const held of link.introductions.acknowledge(number)) this.sendRaw(link, held.channel, held.bytes, held.delivery)
    }
    for (const link of this.#decided) {
      this.#decided.delete(link)
      const { verdict } = link
      if (verdict === null || link.state !== 'deciding') continue
      if ('value' in verdict) this.#conclude(link, verdict.value)
      else {
        this.report(verdict.failed, { event: 'accept', peer: link.id })
        this.#refuse(link, EndCode.refused, '')
      }
    }
  }

  #tellSeen(): void {
    const link = this.#link
    if (link === null || link.state !== 'joined' || link.introductionsTold === link.introductionsTaken) return
    link.introductionsTold = link.introductionsTaken
    if (link.framing.handshake) this.sendSystem(link, { kind: 'seen', count: link.introductionsTaken })
  }

  #askClock(): void {
    const { clock } = this
    const link = this.#link
    if (!(clock instanceof ClientClock) || link === null || link.state !== 'joined') return
    this.#sendUnordered(link, { kind: 'clockAsk', token: clock.ask() })
    this.#timers.set(this.#port.now() + clock.intervalMs, () => this.#askClock())
  }

  #sendUnordered(link: Link, message: SystemMessage): void {
    const bytes = link.framing.encodeSystem(message, 0, !this.isServer)
    if (bytes !== null) this.sendRaw(link, link.framing.unreliableChannel, bytes, 'unsequenced')
  }

  #countViolation(link: Link | null, violation: Omit<Violation, 'count'>, weight: number): Violation {
    let count = 0
    const limit = this.#options.kickAfter
    if (link !== null) {
      const now = this.#port.now()
      if (limit !== null && now - link.violationsSince > limit.withinMs) {
        link.violationsSince = now
        link.violations = 0
      }
      link.violations += weight
      count = link.violations
    }
    const counted = { ...violation, count }
    observe('violation', { session: this, ...counted })
    if (limit !== null && link !== null && link.state === 'joined' && count > limit.violations) {
      this.#end(link, { reason: 'kicked', data: EndCode.violations, text: '' }, false)
    }
    return counted
  }

  #makeRoom(number: number, name: string, options: { maxPeers?: number; relay?: boolean }): R {
    const home = this.#homeWith(options.relay ?? true)
    const room = this.newRoom(number, name, home, options)
    room.onClosed = () => this.#rooms.delete(number)
    return room
  }

  #homeWith(relay: boolean): ScopeHome {
    const session = this
    return {
      get id() {
        return session.#id
      },
      isServer: this.isServer,
      get isOpen() {
        return session.#state === 'open' || session.#state === 'draining'
      },
      relayEnabled: relay,
      get serverLink() {
        return session.#link
      },
      linkOf: (id) => this.#byId.get(id),
      now: () => this.#port.now(),
      wake: () => this.#port.wake(),
      introduced: (link, number) => {
        this.#introduced.push([link, number])
        this.#port.wake()
      },
      noteViolation: (link, violation, weight) => this.#countViolation(link, violation, weight),
      expel: (link, text) => this.#end(link, { reason: 'kicked', data: EndCode.violations, text }, false),
    }
  }

  #home: ScopeHome | null = null

  /** @internal */
  protected get home(): ScopeHome {
    this.#home ??= this.#homeWith(this.#options.relay)
    return this.#home
  }

  override get isServer(): boolean {
    return this.#options.role === 'server'
  }

  override get id(): number {
    return this.#state === 'closed' || this.#state === 'connecting' ? 0 : this.#id
  }

  /** What the other sides were told when this session was closed. */
  get goodbye(): { readonly data: number; readonly text: string } | null {
    return this.#goodbye
  }
}

/** @internal */
export const connectTimeoutText = (link: Link | null): string =>
  link?.peer.state === 'connected'
    ? 'the server answered, but did not let us in in time; is it a vaiven session, and does its accept() settle?'
    : 'the server did not answer in time'
