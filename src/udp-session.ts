// A session with calls on a host with a socket: who pumps it, and when. The protocol is below, the rules are in session and rpc.

import { addAbortListener } from 'node:events'
import { GameSession } from './game/game-session.ts'
import type { GameSessionOptions } from './game/game-session.ts'
import { LATE_ACCEPT } from './session/client-role.ts'
import type { HostPort } from './session/host-port.ts'
import type { Address, Millis } from './transport/endpoint.ts'
import type { HostEvent, Peer } from './transport/types.ts'
import type { UdpHost } from './transport/udp-host.ts'
import { aborted, VaivenError } from './util/errors.ts'

/** How often a manual session looks at its socket while it connects, and while it says goodbye. */
const CONNECT_POLL_MS = 2
/** The longest delay that setTimeout takes. */
const MAX_TIMER_MS = 0x7fffffff

/** A session on a UDP socket. Made by `listen` and `connect`. */
export class UdpSession extends GameSession {
  readonly #udp: UdpPort

  /** @internal */
  constructor(port: UdpPort, options: GameSessionOptions) {
    super(port, options)
    this.#udp = port
    port.session = this
    port.ownDeadline = () => super.deadline
  }

  /** The transport underneath: statistics, ledger, bandwidth limits. */
  get host(): UdpHost {
    return this.#udp.host
  }

  /** Where the socket is bound. */
  get address(): Address {
    return this.#udp.host.address
  }

  /** Manual pump: receives what has arrived and runs everything due: signals, calls, answers. [MultiplayerAPI.poll] */
  poll(): void {
    this.#udp.poll()
  }

  /** Manual pump: sends what was said since, one datagram per peer where it fits. */
  flush(): void {
    this.#udp.host.flush()
  }

  /** Manual pump: when it next wants `poll`, on the clock of `performance.now()`; Infinity when never. */
  override get deadline(): Millis {
    return Math.min(super.deadline, this.#udp.host.deadline)
  }

  /** @internal Client: resolves when we are in; rejects at `until`, when `signal` fires, or with the server's refusal. */
  async joined(until: Millis, signal: AbortSignal | undefined): Promise<void> {
    const stopPolling = this.#udp.pollWhileConnecting()
    let timer: NodeJS.Timeout | undefined
    let listening: Disposable | undefined
    const givenUp = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new VaivenError('ERR_TIMEOUT', LATE_ACCEPT)), Math.max(1, until - performance.now()))
      if (signal !== undefined) listening = addAbortListener(signal, () => reject(aborted('joining the session', signal)))
    })
    try {
      await Promise.race([this.ready, givenUp])
    } finally {
      clearTimeout(timer)
      listening?.[Symbol.dispose]()
      stopPolling()
    }
  }
}

/** A host with a socket, as a session wants hosts: its events in a queue, and a timer for the session's own deadlines. */
export class UdpPort implements HostPort {
  readonly host: UdpHost
  session: GameSession | null = null
  /** The session's deadline, without the host's. */
  ownDeadline: () => Millis = () => Infinity
  readonly #manual: boolean
  #events: HostEvent[] = []
  #taken = 0
  #paused = false
  #immediate: NodeJS.Immediate | null = null
  #timer: NodeJS.Timeout | null = null
  #timerAt: Millis = Infinity
  #closing = false
  #released = false
  /** Manual pump: runs the session between `session.close()` and the host's own closing. */
  #settling: NodeJS.Timeout | null = null

  constructor(host: UdpHost, manual: boolean) {
    this.host = host
    this.#manual = manual
    host.on('connect', (peer, data) => this.#push({ type: 'connect', peer, data }))
    host.on('receive', (peer, channel, bytes, delivery) => this.#push({ type: 'receive', peer, channel, bytes, delivery }))
    host.on('disconnect', (peer, { reason, data }) => this.#push({ type: 'disconnect', peer, reason, data }))
    host.on('error', (error) => this.session?.report(error, { event: 'host' }))
  }

  now(): Millis {
    return performance.now()
  }

  pollEvent(): HostEvent | null {
    if (this.#paused) return null
    const event = this.#events[this.#taken]
    if (event === undefined) {
      this.#events = []
      this.#taken = 0
      return null
    }
    this.#taken++
    return event
  }

  connect(): Peer {
    throw new VaivenError('ERR_ARGUMENT', 'a session with a socket connects through connect()')
  }

  /** A manual session pumps itself from its `close` on. */
  settle(): void {
    if (!this.#manual || this.#settling !== null || this.#closing) return
    this.#settling = setInterval(() => {
      this.poll()
      this.host.flush()
    }, CONNECT_POLL_MS)
  }

  close(data = 0): void {
    if (this.#closing) return
    this.#closing = true
    this.#stopSettling()
    this.host.close({ data }).then(
      () => this.#release(),
      () => this.#release(),
    )
  }

  get closed(): boolean {
    return this.#released
  }

  destroy(): void {
    this.#closing = true
    this.#released = true
    this.#stop()
    this.host.destroy()
  }

  /** Code behind `await connect()` runs, and adds its listeners, before the next event. Manual: until the next `poll()`. */
  pause(): boolean {
    this.#paused = true
    if (!this.#manual) this.#pumpSoon()
    return true
  }

  wake(): void {
    if (!this.#manual) this.#pumpSoon()
  }

  /** Manual pump. */
  poll(): void {
    this.#paused = false
    this.host.poll()
    this.session?.update()
  }

  /** A manual session pumps itself until `connect` settles. @returns a function that ends it */
  pollWhileConnecting(): () => void {
    if (!this.#manual) return () => undefined
    const timer = setInterval(() => {
      if (this.#paused) return
      this.host.poll()
      this.session?.update()
      this.host.flush()
    }, CONNECT_POLL_MS)
    return () => clearInterval(timer)
  }

  #push(event: HostEvent): void {
    this.#events.push(event)
    // Manual: poll() runs the session once all events of the frame are there.
    if (this.#manual || this.#paused) return
    this.#run()
  }

  #pumpSoon(): void {
    this.#immediate ??= setImmediate(() => {
      this.#immediate = null
      this.#paused = false
      this.#run()
    })
  }

  #run(): void {
    if (this.#released) return
    this.session?.update()
    this.#rearm()
  }

  /** One timer at or before the session's deadline; the host has its own for its own. */
  #rearm(): void {
    const deadline = this.ownDeadline()
    if (deadline >= this.#timerAt || this.#released || this.#manual) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timerAt = deadline
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#timerAt = Infinity
      this.#run()
    }, Math.min(Math.max(1, Math.ceil(deadline - performance.now())), MAX_TIMER_MS))
  }

  #release(): void {
    this.#released = true
    this.#stop()
    this.session?.update()
  }

  #stopSettling(): void {
    if (this.#settling !== null) clearInterval(this.#settling)
    this.#settling = null
  }

  #stop(): void {
    this.#stopSettling()
    if (this.#immediate !== null) clearImmediate(this.#immediate)
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#immediate = null
    this.#timer = null
  }
}
