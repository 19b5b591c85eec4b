// A Host with a socket under it: promises, Node's events and a graceful end around the pure core.

import { EventEmitter, addAbortListener } from 'node:events'
import { EndCode } from '../util/end-codes.ts'
import { VaivenError, aborted, outOfRange } from '../util/errors.ts'
import { dispatch, surface } from '../util/guarded.ts'
import type { ErrorContext } from '../util/guarded.ts'
import { displayAddress } from './address.ts'
import { closedWhileConnecting, ConnectAttempt } from './connecting.ts'
import type { Host, HostStats } from './core/host.ts'
import type { Address, Endpoint, Millis } from './endpoint.ts'
import { resolveHost } from './resolve.ts'
import type { Reach } from './resolve.ts'
import type { Delivery, DeliveryTrace, Diagnostic, EndReason, HostEvent, Ledger, Peer, SendOptions } from './types.ts'
import { UdpDriver } from './udp.ts'
import type { DriverSocket, Pump } from './udp.ts'

/** Something about the socket worth telling a person. At most one for each address and code every ten seconds. */
export interface SocketDiagnostic {
  readonly type: 'diagnostic'
  readonly code:
    /** The operating system says that an address or port cannot be reached (ICMP). A hint: connections go on. */
    | 'unreachable'
    /** The socket refused to send or receive something; the datagram is lost and counted. */
    | 'socket'
  readonly message: string
  /** Whom it concerns, where that is known. */
  readonly from: Address | null
  readonly at: Millis
}

/** What a `UdpHost` emits. */
export interface UdpHostEvents {
  /** A connection stands: one that came to us, with the 32 bits of its connect, or one of ours (0), just before its promise resolves. */
  connect: [peer: Peer, data: number]
  /** A packet. The bytes are yours to keep; they may be a view of the datagram that they came in. */
  receive: [peer: Peer, channel: number, bytes: Uint8Array, delivery: Delivery]
  /** A connection that stood has ended. A connect of ours that failed rejects its promise instead. */
  disconnect: [peer: Peer, ending: { readonly reason: EndReason; readonly data: number }]
  /** A peer's queue, once above its high mark, has shrunk to its low mark. */
  drain: [peer: Peer]
  diagnostic: [diagnostic: Diagnostic | SocketDiagnostic]
  /**
   * A listener threw, or its promise rejected. Other listeners and the host go on. With no listener here the error is printed as a
   * process warning instead of ending the process, as with sessions. Nothing that comes from the network is ever an `error`.
   */
  error: [error: Error, context: ErrorContext]
}

/** Numbers about a host and its socket. */
export interface UdpHostStats extends HostStats {
  /** What the operating system granted, bytes, as it reports it (Linux reports twice what was asked for). */
  readonly socketReceiveBufferBytes: number
  readonly socketSendBufferBytes: number
  /** How often the host ran; received datagrams per pump show how well bursts share one. */
  readonly pumps: number
  /** Datagrams that the socket would not send. */
  readonly sendErrors: number
  /** Datagrams dropped because `poll()` was not called for too long (manual pump). */
  readonly pendingDropped: number
}

/** Where and how to connect. */
export interface ConnectOptions {
  /** A name or a numeric address. */
  host: string
  /** 1 to 65535. */
  port: number
  /** Channels to ask for, 1 to 255; the other side may grant fewer. @default 1 */
  channels?: number
  /** 32 bits that the other side sees before it decides. @default 0 */
  data?: number
  /** Ends the wait: the promise rejects with `ERR_ABORTED`. */
  signal?: AbortSignal
  /** How long to wait in all, name look-up included, ms, 1 to 86,400,000. @default `connectTimeoutMs` of the host */
  timeoutMs?: number
}

/** How to close. */
export interface CloseOptions {
  /** 32 bits for the other sides. @default 3, "server closing" (SPEC §9); 0 for a host with the option `client` */
  data?: number
  /** How long what was sent may take to be delivered, ms, 0 to 86,400,000; then as `destroy()`. @default 5000 */
  timeoutMs?: number
  /** Hurry: destroys the host, and the promise rejects with `ERR_ABORTED`. */
  signal?: AbortSignal
}

/** What `createHost` puts together. */
export interface UdpHostParts {
  readonly core: Host
  /** The core, or what wraps it. */
  readonly endpoint: Endpoint<HostEvent> & { wake: (() => void) | null }
  /** Whether everything that the endpoint took for sending has come out of it (a bad network holds datagrams back). */
  readonly empty: () => boolean
  readonly socket: DriverSocket
  readonly bound: Address
  readonly reach: Reach
  readonly receiveBufferBytes: number
  readonly sendBufferBytes: number
  readonly pump: Pump
  readonly client: boolean
  readonly connectTimeoutMs: number
  readonly signal: AbortSignal | undefined
}

const DIAGNOSTIC_INTERVAL_MS = 10_000
const UNREACHABLE = new Set(['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN'])

/**
 * An ENet host on a UDP socket. Made by `createHost`.
 *
 * Events start in the turn of the loop after the promise of `createHost` or `connect` has resolved, so that listeners
 * added right behind the `await` miss nothing. With `pump: 'manual'` they come only inside of `poll()`.
 */
export class UdpHost extends EventEmitter<UdpHostEvents> implements AsyncDisposable {
  /** Where the socket is bound, as the operating system reports it. */
  readonly address: Address
  readonly #parts: UdpHostParts
  readonly #core: Host
  readonly #driver: UdpDriver<HostEvent>
  readonly #attempts = new Set<ConnectAttempt>()
  /** Whose first event is an attempt's business: what becomes of a connect that was given up is told to nobody. */
  readonly #attemptOf = new WeakMap<Peer, ConnectAttempt>()
  readonly #told = new Map<string, Millis>()
  /** Manual pump: events that came while a connect pumped by itself. */
  #held: HostEvent[] = []
  #polling = false
  #closing: Promise<void> | null = null
  #ending: Promise<void> | null = null
  #ended = false
  #onPumped: (() => void) | null = null
  #signalListener: Disposable | null = null

  /** @internal use `createHost` */
  constructor(parts: UdpHostParts) {
    super()
    this.#parts = parts
    this.#core = parts.core
    this.address = parts.bound
    this.#driver = new UdpDriver(parts.endpoint, parts.socket, {
      pump: parts.pump,
      onEvent: (event) => this.#take(event),
      onHint: (error, about) => this.#hint(error, about),
      onLost: () => this.#core.noteSocketLoss(),
      onPumped: () => this.#onPumped?.(),
    })
    parts.endpoint.wake = () => this.#driver.wake()
    this.#core.onListenerError = (error) => surface(this, error, { event: 'settled' })
    if (parts.signal !== undefined) this.#signalListener = addAbortListener(parts.signal, () => this.destroy())
  }

  /** Connected peers. */
  get peers(): Iterable<Peer> {
    return this.#core.peers
  }

  /** Peer slots in use, connected or not yet. */
  get peerCount(): number {
    return this.#core.peerCount
  }

  /** A snapshot. */
  get stats(): UdpHostStats {
    return {
      ...this.#core.stats,
      socketReceiveBufferBytes: this.#parts.receiveBufferBytes,
      socketSendBufferBytes: this.#parts.sendBufferBytes,
      ...this.#driver.stats,
    }
  }

  /** Everything that was not delivered, by cause. Live: it goes on counting. */
  get ledger(): Readonly<Ledger> {
    return this.#core.ledger
  }

  /** Whether new connects are refused; changes at once. */
  get refuseConnections(): boolean {
    return this.#core.refuseConnections
  }

  set refuseConnections(refuse: boolean) {
    this.#core.refuseConnections = refuse
  }

  /**
   * Told of every step of every reliable command, with times: it shows why a message was late. Must be quick, must not throw, and
   * must not call the host. `null`, the default, costs nothing.
   */
  get trace(): ((step: DeliveryTrace) => void) | null {
    return this.#core.trace
  }

  set trace(trace: ((step: DeliveryTrace) => void) | null) {
    this.#core.trace = trace
  }

  /** The host has been closed or destroyed; it does nothing any more. */
  get closed(): boolean {
    return this.#ended
  }

  /** Manual pump: when the host next wants to run, ms on the clock of `performance.now()`; `Infinity` when never. */
  get deadline(): Millis {
    return this.#driver.deadline
  }

  /**
   * Connects. Names with several addresses are tried in turn, each with a short head start.
   *
   * @throws VaivenError (as a rejection) `ERR_REFUSED` with the other side's `data`, `ERR_TIMEOUT`, `ERR_UNREACHABLE` (no
   *   answer, and the operating system said why), `ERR_DIALECT`, `ERR_ABORTED`, `ERR_SOCKET` (no such name), `ERR_NO_SLOT`, `ERR_CLOSED`,
   *   `ERR_ARGUMENT`
   */
  async connect(options: ConnectOptions): Promise<Peer> {
    const { host, port, channels = 1, data = 0, signal, timeoutMs = this.#parts.connectTimeoutMs } = options
    if (typeof host !== 'string' || host === '') throw outOfRange('host', host, 'a name or a numeric address', 'ERR_ARGUMENT')
    integer('port', port, 1, 65_535)
    integer('channels', channels, 1, 255)
    integer('data', data, 0, 0xffffffff)
    integer('timeoutMs', timeoutMs, 1, 86_400_000)
    if (signal?.aborted === true) throw aborted(`connecting to ${displayAddress(host, port)}`, signal)
    if (this.#closing !== null || this.#ended) throw new VaivenError('ERR_CLOSED', 'the host is closed; create a new one')
    if (this.#parts.client && this.#attempts.size > 0) throw oneServer()

    const attempt = new ConnectAttempt(
      {
        begin: (to) => {
          const peer = this.#core.connect(to, { channels, data })
          this.#attemptOf.set(peer, attempt)
          return peer
        },
        abandon: (peer) => peer.disconnectNow(),
        focus: (to) => {
          if (this.#parts.client) this.#driver.connectSocket(to)
        },
        settled: () => {
          this.#attempts.delete(attempt)
          this.#choosePump()
        },
      },
      { host, port, timeoutMs, signal },
    )
    this.#attempts.add(attempt)
    this.#choosePump()
    resolveHost(host, port, this.#parts.reach)
      .then((addresses) => attempt.start(this.#within(addresses)))
      .catch((error: unknown) => attempt.fail(error))
    return attempt.promise
  }

  /** Sends to every connected peer but those in `except`; the bytes are encoded once. @returns how many peers */
  broadcast(channel: number, bytes: Uint8Array, options?: Delivery | SendOptions, except?: Peer | ReadonlySet<Peer>): number {
    return this.#core.broadcast(channel, bytes, options, except)
  }

  /** What this host may receive and send in total, bytes per second; 0: no limit. Told to every peer. */
  setBandwidth(incomingBytesPerSecond: number, outgoingBytesPerSecond: number): void {
    this.#core.setBandwidth(incomingBytesPerSecond, outgoingBytesPerSecond)
  }

  /**
   * Receives what has arrived, lets time pass and emits the events. For `pump: 'manual'`, at the start of each frame. The
   * socket is read whenever the event loop turns; a loop that never yields to it receives nothing.
   */
  poll(): void {
    if (this.#polling) return
    this.#polling = true
    try {
      this.#emitHeld()
      this.#driver.poll()
    } finally {
      this.#polling = false
    }
  }

  /** Sends everything that may be sent now, in as few datagrams as possible. For `pump: 'manual'`, at the end of each frame. */
  flush(): void {
    this.#driver.flush()
  }

  /**
   * Ends gracefully: newcomers are refused, what was sent is delivered, every peer is told, and the socket is freed.
   * Later calls wait for the same end.
   *
   * @throws VaivenError (as a rejection) `ERR_ABORTED` when `signal` fired first; the host is destroyed all the same
   */
  async close(options: CloseOptions = {}): Promise<void> {
    const { data = this.#parts.client ? EndCode.none : EndCode.closing, timeoutMs = 5_000, signal } = options
    integer('data', data, 0, 0xffffffff)
    integer('timeoutMs', timeoutMs, 0, 86_400_000)
    return (this.#closing ??= this.#close(data, timeoutMs, signal))
  }

  /** Ends at once: peers are told in datagrams that nobody repeats, and what was queued is dropped. */
  destroy(): void {
    const ended = this.#end()
    this.#closing ??= ended
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(data: number, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    for (const attempt of this.#attempts) attempt.fail(closedWhileConnecting())
    if (signal?.aborted !== true) {
      this.#core.close(data)
      this.#driver.pump = 'auto'
      this.#emitHeld()
      await this.#goodbyes(timeoutMs, signal)
    }
    await this.#end()
    if (signal?.aborted === true) throw aborted('closing the host', signal)
  }

  /** Resolves when every connection has ended, or it has taken too long. */
  #goodbyes(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        listening?.[Symbol.dispose]()
        this.#onPumped = null
        resolve()
      }
      const timer = setTimeout(done, timeoutMs)
      const listening = signal === undefined ? null : addAbortListener(signal, done)
      this.#onPumped = () => {
        if (this.#ended || (this.#core.closed && this.#parts.empty())) done()
      }
      this.#driver.wake()
    })
  }

  #end(): Promise<void> {
    return (this.#ending ??= this.#finish())
  }

  async #finish(): Promise<void> {
    this.#ended = true
    for (const attempt of this.#attempts) attempt.fail(closedWhileConnecting())
    this.#signalListener?.[Symbol.dispose]()
    if (!this.#core.closed) this.#core.destroy()
    this.#driver.flush()
    const freed = this.#driver.close()
    this.#onPumped?.()
    await freed
    this.#emitHeld()
    this.#driver.drainEvents()
  }

  /** A manual host pumps by itself while a connect is under way, and for good once it closes. */
  #choosePump(): void {
    if (this.#closing === null) this.#driver.pump = this.#attempts.size > 0 ? 'auto' : this.#parts.pump
  }

  /** The addresses that a connect may use beside the connections that stand: a client's socket reaches one server. */
  #within(addresses: Address[]): Address[] {
    const server = this.#driver.connectedTo
    if (server === null || this.#core.peerCount === 0) return addresses
    const same = addresses.filter(({ address, port }) => address === server.address && port === server.port)
    if (same.length === 0) throw oneServer()
    return same
  }

  #take(event: HostEvent): void {
    if (event.type === 'diagnostic') {
      for (const attempt of this.#attempts) if (event.from !== null) attempt.otherDialect(event.from, event.message)
    } else {
      const attempt = event.type === 'connect' || event.type === 'disconnect' ? this.#attemptOf.get(event.peer) : undefined
      if (attempt !== undefined) {
        this.#attemptOf.delete(event.peer)
        if (event.type === 'disconnect') {
          attempt.disconnected(event.peer, event.reason, event.data)
          return
        }
        this.#emitOrHold(event)
        attempt.connected(event.peer)
        this.#driver.pause()
        return
      }
    }
    this.#emitOrHold(event)
  }

  #emitOrHold(event: HostEvent): void {
    if (this.#parts.pump === 'manual' && !this.#polling && this.#closing === null) this.#held.push(event)
    else this.#emitEvent(event)
  }

  #emitHeld(): void {
    const held = this.#held
    this.#held = []
    for (const event of held) this.#emitEvent(event)
  }

  #emitEvent(event: HostEvent): void {
    switch (event.type) {
      case 'receive':
        return this.#emitGuarded('receive', event.peer, event.channel, event.bytes, event.delivery)
      case 'connect':
        return this.#emitGuarded('connect', event.peer, event.data)
      case 'disconnect':
        return this.#emitGuarded('disconnect', event.peer, { reason: event.reason, data: event.data })
      case 'drain':
        return this.#emitGuarded('drain', event.peer)
      case 'diagnostic':
        return this.#emitGuarded('diagnostic', event)
    }
  }

  /** As `emit`, but one listener's exception neither keeps the event from the others nor reaches the host. */
  #emitGuarded<Name extends Exclude<keyof UdpHostEvents, 'error'>>(name: Name, ...args: UdpHostEvents[Name]): void {
    dispatch(this, name, args)
  }

  #hint(error: NodeJS.ErrnoException, about: Address | null): void {
    const unreachable = UNREACHABLE.has(error.code ?? '')
    if (unreachable) for (const attempt of this.#attempts) attempt.unreachable(error, about)
    const where = about === null ? 'the other side' : displayAddress(about.address, about.port)
    const at = performance.now()
    const key = `${error.code} ${where}`
    if (this.#ended || at - (this.#told.get(key) ?? -Infinity) < DIAGNOSTIC_INTERVAL_MS) return
    if (this.#told.size >= 256) this.#told.clear()
    this.#told.set(key, at)
    const message = unreachable
      ? `the operating system says that ${where} cannot be reached (${error.code}); connections go on until they time out`
      : `the socket lost a datagram (${error.code ?? error.message})`
    const diagnostic: SocketDiagnostic = { type: 'diagnostic', code: unreachable ? 'unreachable' : 'socket', message, from: about, at }
    this.#emitGuarded('diagnostic', diagnostic)
  }
}

const oneServer = (): VaivenError =>
  new VaivenError('ERR_NO_SLOT', 'a host with the option client talks to one server at a time; end the other connection first')

const integer = (name: string, value: unknown, min: number, max: number): void => {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
    throw outOfRange(name, value, `an integer from ${min} to ${max}`, 'ERR_ARGUMENT')
  }
}
