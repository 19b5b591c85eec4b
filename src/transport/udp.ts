// Drives one endpoint with one UDP socket, the real clock, one timer and one pump per burst of datagrams.
// Knows sockets and time; knows nothing of the protocol.

import type { RemoteInfo, Socket } from 'node:dgram'
import { MAX_DATAGRAM_BYTES } from './endpoint.ts'
import type { Address, Datagram, Endpoint, Millis } from './endpoint.ts'

/** What the driver needs of a bound `node:dgram` socket; a test can give it a stand-in. */
export type DriverSocket = Pick<
  Socket,
  'on' | 'off' | 'send' | 'close' | 'connect' | 'disconnect' | 'getSendQueueCount' | 'getSendQueueSize' | 'unref'
>

/** Who decides when the endpoint runs. */
export type Pump =
  /** The driver: whenever datagrams, commands or deadlines make work. */
  | 'auto'
  /** The application, once per frame: `poll()`, its own work, `flush()`. Nothing runs in between. */
  | 'manual'

/** Options of a driver. */
export interface UdpDriverOptions<Event> {
  /** @default 'auto' */
  pump?: Pump
  /** Takes each event of the endpoint, in order. Must not throw. */
  onEvent: (event: Event) => void
  /** What the operating system reports about the network: an unreachable port, no route. Never more than a hint; `about` where known. */
  onHint?: (error: NodeJS.ErrnoException, about: Address | null) => void
  /** A datagram was lost on its way between socket and endpoint; `stats` says which way. */
  onLost?: () => void
  /** Called after each pump, when everything that could be sent has been handed to the socket. */
  onPumped?: () => void
  /** Bytes that may wait in the socket's own send queue before the driver stops asking for more. @default 262144 */
  maxQueuedBytes?: number
  /**
   * Bytes of datagrams, counting 128 more for each, that may wait for `poll()`; those that arrive above it are dropped
   * and counted, as the kernel drops those that overflow its buffer. Manual pump only. @default 16777216
   */
  maxPendingBytes?: number
  /** The timer does not keep the process alive. @default false */
  unref?: boolean
}

/** What became of the datagrams that never reached the network or the endpoint; plain numbers that only grow. */
export interface UdpDriverStats {
  /** How often the endpoint was pumped. */
  pumps: number
  /** Datagrams that the socket would not send. */
  sendErrors: number
  /** Datagrams dropped because `poll()` was not called for too long. */
  pendingDropped: number
}

/** Node reads at most this many datagrams before timers and immediates get their turn. */
const BURST_MAX = 32
/**
 * After a stall so many bursts are read before time is let pass all the same: more than a socket's buffer holds. Else a flood that
 * fills every burst would keep the host from ever answering.
 */
const CATCH_UPS_MAX = 512
/** Something due for longer than this was not late by the network: our own loop stood still. */
const STALL_MS = 250
/** Bookkeeping bytes charged for each datagram that waits. */
const PENDING_OVERHEAD_BYTES = 128
/** The longest delay that setTimeout takes. */
const MAX_TIMER_MS = 0x7fffffff

interface PendingDatagram {
  readonly bytes: Uint8Array
  readonly from: Address
  readonly at: Millis
}

/**
 * Runs an endpoint over a socket that is already bound.
 *
 * One pump serves a whole burst: datagrams are handed to the endpoint as they come, and a `setImmediate` (which follows
 * the poll phase directly) lets time pass, hands out the events and sends, so that up to 32 datagrams are answered in one.
 *
 * A timer only asks for such a pump. Timers run before the poll phase, and after a stall the acknowledgements that
 * would calm an overdue timer still sit in the socket; they are read first.
 */
export class UdpDriver<Event> {
  readonly stats: UdpDriverStats = { pumps: 0, sendErrors: 0, pendingDropped: 0 }
  readonly #endpoint: Endpoint<Event>
  readonly #socket: DriverSocket
  readonly #options: UdpDriverOptions<Event>
  readonly #maxQueuedBytes: number
  readonly #maxPendingBytes: number
  #pump: Pump

  /** The latest reading of the clock; time never runs backwards. */
  #now: Millis = 0
  /** Datagrams since the last pump, and when the first of them was read: one reading of the clock serves them all. */
  #burst = 0
  #burstAt: Millis = 0
  /** Manual pump: what arrived and waits for `poll()`. */
  #pending: PendingDatagram[] = []
  #pendingBytes = 0

  #immediate: NodeJS.Immediate | null = null
  #timer: NodeJS.Timeout | null = null
  /** The deadline that the timer was set for; `Infinity` without one. */
  #timerAt: Millis = Infinity
  /** Events are being handed out and a transmit follows: commands given meanwhile need no pump of their own. */
  #dispatching = false
  #paused = false
  /** Our loop stood still beyond a deadline; what arrived meanwhile is read before time is let pass. */
  #stalled = false
  #catchUps = 0
  /** The socket's queue is full; its next completed send asks for a pump. */
  #blocked = false
  #connectedTo: Address | null = null
  #closed = false
  readonly #out: Datagram & { bytes: Buffer } = { bytes: Buffer.allocUnsafeSlow(MAX_DATAGRAM_BYTES), length: 0, address: '', port: 0 }

  /** @param socket bound, with a `lookup` that answers numeric addresses at once (see `openSocket`) */
  constructor(endpoint: Endpoint<Event>, socket: DriverSocket, options: UdpDriverOptions<Event>) {
    this.#endpoint = endpoint
    this.#socket = socket
    this.#options = options
    this.#pump = options.pump ?? 'auto'
    this.#maxQueuedBytes = options.maxQueuedBytes ?? 262_144
    this.#maxPendingBytes = options.maxPendingBytes ?? 16 * 1024 * 1024
    this.#clock()
    socket.on('message', this.#onMessage)
    socket.on('error', this.#onSocketError)
    if (options.unref === true) socket.unref()
  }

  /** Who pumps. May change at any time: a manual host pumps itself while it connects or closes. */
  get pump(): Pump {
    return this.#pump
  }

  set pump(pump: Pump) {
    if (pump === this.#pump || this.#closed) return
    this.#pump = pump
    if (pump === 'manual') this.#stopRunning()
    else this.#requestPump()
  }

  /** When the endpoint next wants to run, on the clock of `performance.now()`; `Infinity` when never. */
  get deadline(): Millis {
    return this.#endpoint.deadline()
  }

  get closed(): boolean {
    return this.#closed
  }

  /** What `connectSocket` was last told, unless it failed. */
  get connectedTo(): Address | null {
    return this.#connectedTo
  }

  /** The endpoint was given a command (send, connect …) outside of a pump: run soon. */
  wake(): void {
    if (!this.#dispatching) this.#requestPump()
  }

  /**
   * Leaves the remaining events for the next turn of the loop (manual: the next `poll()`). For whoever settles a promise
   * in `onEvent`: code behind `await` runs, and adds its listeners, before anything else is handed out.
   */
  pause(): void {
    this.#paused = true
  }

  /** Receives what has arrived, lets time pass, hands out the events. Does nothing inside of a listener. */
  poll(): void {
    if (this.#closed || this.#dispatching) return
    const now = this.#clock()
    this.#takePending()
    this.#endpoint.advance(now)
    this.#handOut()
    this.#requestPump()
    this.#rearm(now)
  }

  /** Sends everything that may be sent now. */
  flush(): void {
    if (this.#closed) return
    const now = this.#clock()
    // Acknowledgements that wait here must count before overdue packets are judged; their events wait for poll().
    this.#takePending()
    this.#endpoint.advance(now)
    this.#transmit()
    this.#rearm(now)
    this.#options.onPumped?.()
  }

  /** Hands out what is left after the endpoint has ended. */
  drainEvents(): void {
    while (this.#handOut());
  }

  /**
   * Connects the socket to one address, or to none. A connected socket sends about a microsecond cheaper, hears only
   * that address, and is told by the operating system when nobody listens there.
   *
   * Going from one address to another or to none may change the port that the socket is bound to: Linux gives up a port that
   * it chose itself. So this is for sockets that have one other side at a time.
   */
  connectSocket(to: Address | null): void {
    const from = this.#connectedTo
    if (this.#closed || (from === null ? to === null : from.address === to?.address && from.port === to.port)) return
    if (from !== null) this.#socket.disconnect()
    this.#connectedTo = to
    if (to === null) return
    // With a numeric address all but this callback happens before connect() returns.
    const settled = (error?: Error | null): void => {
      if (error === undefined || error === null || this.#connectedTo !== to) return
      this.#connectedTo = null
      this.#hint(error)
    }
    this.#socket.connect(to.port, to.address, settled)
  }

  /** Stops at once and frees the socket; resolves when no handle is left. */
  close(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    this.#closed = true
    this.#stopRunning()
    this.#pending = []
    return new Promise((resolve) => {
      this.#socket.close(() => {
        this.#socket.off('message', this.#onMessage)
        this.#socket.off('error', this.#onSocketError)
        resolve()
      })
    })
  }

  readonly #onMessage = (message: Buffer, from: RemoteInfo): void => {
    // The memory is ours alone; a plain view keeps Buffer's different `slice` and `toString` out of users' hands.
    const bytes = new Uint8Array(message.buffer as ArrayBuffer, message.byteOffset, message.length)
    if (this.#pump === 'manual') {
      this.#keep(bytes, from)
      return
    }
    if (this.#burst === 0) this.#burstAt = this.#clock()
    this.#burst += 1
    this.#endpoint.receive(bytes, from, this.#burstAt)
    this.#requestPump()
  }

  #keep(bytes: Uint8Array, from: Address): void {
    const cost = bytes.length + PENDING_OVERHEAD_BYTES
    if (this.#pendingBytes + cost > this.#maxPendingBytes) {
      this.stats.pendingDropped += 1
      this.#options.onLost?.()
      return
    }
    this.#pendingBytes += cost
    this.#pending.push({ bytes, from, at: this.#clock() })
  }

  #takePending(): void {
    if (this.#pending.length === 0) return
    const pending = this.#pending
    this.#pending = []
    this.#pendingBytes = 0
    for (const { bytes, from, at } of pending) this.#endpoint.receive(bytes, from, at)
  }

  readonly #onSocketError = (error: NodeJS.ErrnoException): void => this.#hint(error)

  #hint(error: NodeJS.ErrnoException): void {
    // dgram names the destination of a send or connect that failed; what a read reports can only be about the other end.
    const { address, port } = error as { address?: string; port?: number }
    this.#options.onHint?.(error, address !== undefined && port !== undefined ? { address, port } : this.#connectedTo)
  }

  /** One callback for all sends: without one, a send that fails at once would fail in silence. */
  readonly #onSent = (error: NodeJS.ErrnoException | null): void => {
    if (this.#closed) return
    if (error) {
      this.#sendFailed()
      this.#hint(error)
    }
    if (this.#blocked && this.#socket.getSendQueueSize() <= this.#maxQueuedBytes / 2) {
      this.#blocked = false
      this.#requestPump()
    }
  }

  #sendFailed(): void {
    this.stats.sendErrors += 1
    this.#options.onLost?.()
  }

  #requestPump(): void {
    if (this.#immediate === null && this.#pump === 'auto' && !this.#closed) this.#immediate = setImmediate(this.#onTurn)
  }

  readonly #onTurn = (): void => {
    this.#immediate = null
    const now = this.#clock()
    this.#noticeStall(now)
    // After a stall of ours nothing overdue is judged before the socket has been read empty: the peer may have answered
    // long ago. One whole turn of the loop must pass, and a full burst means that still more may wait.
    if (this.#stalled && (this.#catchUps === 0 || (this.#burst >= BURST_MAX && this.#catchUps < CATCH_UPS_MAX))) {
      this.#catchUps += 1
      this.#burst = 0
      this.#requestPump()
      return
    }
    this.#stalled = false
    this.#catchUps = 0
    this.#run(now)
  }

  #run(now: Millis): void {
    this.#burst = 0
    this.stats.pumps += 1
    try {
      this.#takePending()
      this.#endpoint.advance(now)
      this.#handOut()
      if (this.#closed) return
      this.#transmit()
      // Sending may have made events (a queue that drained); what their listeners send leaves in the next turn,
      // so that two who always have more to say cannot hold up the loop.
      if (this.#paused || this.#handOut()) this.#requestPump()
    } finally {
      this.#rearm(now)
    }
    this.#options.onPumped?.()
  }

  /** @returns whether there was any event */
  #handOut(): boolean {
    let any = false
    this.#paused = false
    this.#dispatching = true
    try {
      while (!this.#paused) {
        const event = this.#endpoint.pollEvent()
        if (event === null) break
        any = true
        this.#options.onEvent(event)
      }
    } finally {
      this.#dispatching = false
    }
    return any
  }

  #transmit(): void {
    const socket = this.#socket
    const out = this.#out
    this.#blocked = false
    while (true) {
      if (socket.getSendQueueCount() > 0) {
        if (socket.getSendQueueSize() > this.#maxQueuedBytes) {
          this.#blocked = true
          return
        }
        // libuv keeps a pointer to what it could not send at once: those bytes are no longer ours to overwrite.
        out.bytes = Buffer.allocUnsafeSlow(MAX_DATAGRAM_BYTES)
      }
      if (!this.#endpoint.pollTransmit(out)) return
      this.#send(out)
    }
  }

  #send(out: Datagram): void {
    try {
      const to = this.#connectedTo
      if (to === null) this.#socket.send(out.bytes, 0, out.length, out.port, out.address, this.#onSent)
      else if (to.port === out.port && to.address === out.address) this.#socket.send(out.bytes, 0, out.length, this.#onSent)
      else this.#sendFailed()
    } catch (error) {
      // The socket refuses the call itself (a destination that is no address, port 0): lost like any other datagram.
      this.#sendFailed()
      this.#hint(error as NodeJS.ErrnoException)
    }
  }

  /** Keeps the one timer at or before the deadline. A deadline that moved later costs nothing: the timer fires early once. */
  #rearm(now: Millis): void {
    if (this.#pump === 'manual' || this.#closed) return
    const deadline = this.#endpoint.deadline()
    if (deadline >= this.#timerAt) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timerAt = deadline
    // Whole milliseconds, rounded up: a timer that fires a fraction early would only be set again.
    this.#timer = setTimeout(this.#onTimer, Math.min(Math.max(1, Math.ceil(deadline - now)), MAX_TIMER_MS))
    if (this.#options.unref === true) this.#timer.unref()
  }

  #noticeStall(now: Millis): void {
    if (now - this.#timerAt > STALL_MS) this.#stalled = true
  }

  readonly #onTimer = (): void => {
    const now = this.#clock()
    this.#noticeStall(now)
    this.#timer = null
    this.#timerAt = Infinity
    if (this.#endpoint.deadline() <= now) this.#requestPump()
    else this.#rearm(now)
  }

  #stopRunning(): void {
    if (this.#immediate !== null) clearImmediate(this.#immediate)
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#immediate = null
    this.#timer = null
    this.#timerAt = Infinity
  }

  #clock(): Millis {
    const now = performance.now()
    if (now > this.#now) this.#now = now
    return this.#now
  }
}
