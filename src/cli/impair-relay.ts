// A UDP relay with bad networks inside: one path for each client, carried by the simulator's links on the real clock. Knows
// sockets and time; what happens to datagrams is the links' business. Used by `vaiven impair` and by the bench.

import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { createHistogram } from 'node:perf_hooks'
import type { RecordableHistogram } from 'node:perf_hooks'
import { VaivenError } from '../util/errors.ts'
import { displayAddress } from '../transport/index.ts'
import type { Address } from '../transport/index.ts'
import { Link } from '../transport/simulator/index.ts'
import type { Conditions, LinkLedger } from '../transport/simulator/index.ts'
import type { BothWays } from './impair-settings.ts'

/** What a relay is made of. */
export interface RelayOptions {
  /** Where clients send to. */
  readonly listen: { readonly host: string; readonly port: number }
  /** Numeric address of the program behind it. */
  readonly to: Address
  readonly conditions: BothWays
  /** Client number n gets its chance from this and n. */
  readonly seed: number
  /** Clients at once; further ones are ignored until one has been silent for a while. */
  readonly maxClients: number
  /** Watches the clock instead of sleeping when a datagram is nearly due: at most 1 ms late, at the price of a core. */
  readonly precise: boolean
  /** Loses what it answers `false` to. */
  readonly filter?: (bytes: Uint8Array, direction: 'to' | 'from') => boolean
  readonly onClient?: (client: Address, what: 'new' | 'gone' | 'refused') => void
  /** The target cannot be reached, as the operating system says. */
  readonly onUnreachable?: (error: Error) => void
}

/** One client's path. */
interface Path {
  readonly client: Address
  readonly back: Socket
  readonly to: Link
  readonly from: Link
  bound: boolean
  heardAt: number
}

/** Counters of one direction: the simulator's ledger, summed over all clients so far. */
export type Totals = LinkLedger

/** A client that says nothing for so long makes room when room is needed, and is forgotten in any case after IDLE_MS. */
const QUIET_MS = 10_000
const IDLE_MS = 120_000
const BUFFER_BYTES = 4 * 1024 * 1024
/** With `precise`: so long before a datagram is due the relay stops sleeping. A timer may be that late. */
const SPIN_MS = 2.5
/** Without `precise`: what is due so soon leaves now, for the next timer would come later than that is early. */
const EARLY_MS = 0.3

/** A running relay. */
export class ImpairRelay {
  /** How late (or up to 0.3 ms early) datagrams left, µs: the error that the relay itself adds. Yours to reset. */
  readonly lateMicros: RecordableHistogram = createHistogram({ lowest: 1, highest: 60_000_000, figures: 3 })
  /** Datagrams of clients for which there was no room. */
  refused = 0
  /** Datagrams that a socket would not send. */
  sendErrors = 0
  readonly #options: RelayOptions
  readonly #front: Socket
  readonly #paths = new Map<string, Path>()
  readonly #gone: { to: LinkLedger; from: LinkLedger } = { to: { ...new Link().ledger }, from: { ...new Link().ledger } }
  #conditions: BothWays
  #up = { to: true, from: true }
  #clients = 0
  #timer: NodeJS.Timeout | null = null
  #timerAt = Infinity
  #spin: NodeJS.Immediate | null = null
  #sweeper: NodeJS.Timeout | null = null
  #closed = false

  private constructor(options: RelayOptions, front: Socket) {
    this.#options = options
    this.#front = front
    this.#conditions = options.conditions
    front.on('message', (bytes, from) => this.#fromClient(bytes, from))
    // A client that has left: its port answers with an ICMP message.
    front.on('error', () => (this.sendErrors += 1))
    this.#sweeper = setInterval(() => this.#sweep(IDLE_MS), 5_000)
  }

  /** @throws VaivenError `ERR_SOCKET`, `ERR_OPTION_RANGE` */
  static async open(options: RelayOptions): Promise<ImpairRelay> {
    // Wrong numbers are said before a socket is opened.
    new Link(options.conditions.to)
    new Link(options.conditions.from)
    const { host, port } = options.listen
    const front = newSocket(host)
    await new Promise<void>((resolve, reject) => {
      const failed = (cause: NodeJS.ErrnoException): void => {
        const why = cause.code === 'EADDRINUSE' ? `UDP port ${port} is in use; stop the other program or listen on another port`
          : cause.message
        reject(new VaivenError('ERR_SOCKET', `cannot listen on ${displayAddress(host, port)}: ${why}`, { cause }))
      }
      front.once('error', failed)
      front.bind(port, host, () => {
        front.off('error', failed)
        resolve()
      })
    })
    enlarge(front)
    return new ImpairRelay(options, front)
  }

  /** Where clients send to. */
  get address(): Address {
    const { address, port } = this.#front.address()
    return { address, port }
  }

  get clients(): number {
    return this.#paths.size
  }

  /** New conditions for what is sent from now on, for all clients. @throws VaivenError `ERR_OPTION_RANGE` and nothing changes */
  get conditions(): BothWays {
    return this.#conditions
  }

  set conditions(conditions: BothWays) {
    new Link(conditions.to)
    new Link(conditions.from)
    this.#conditions = conditions
    for (const path of this.#paths.values()) {
      path.to.conditions = conditions.to
      path.from.conditions = conditions.from
    }
  }

  /** Cuts or mends a direction. */
  setUp(direction: 'to' | 'from', up: boolean): void {
    this.#up[direction] = up
    for (const path of this.#paths.values()) path[direction].up = up
  }

  /** All datagrams of a direction so far, by what became of them. */
  totals(direction: 'to' | 'from'): Totals {
    const sum: LinkLedger = { ...this.#gone[direction] }
    for (const path of this.#paths.values()) add(sum, path[direction].ledger)
    return sum
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    if (this.#sweeper !== null) clearInterval(this.#sweeper)
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (this.#spin !== null) clearImmediate(this.#spin)
    const sockets = [this.#front, ...[...this.#paths.values()].map(({ back }) => back)]
    await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))))
  }

  #fromClient(bytes: Uint8Array, from: Address): void {
    const now = performance.now()
    const path = this.#paths.get(`${from.address} ${from.port}`) ?? this.#newPath(from, now)
    if (path === null) return
    path.heardAt = now
    this.#schedule(path.to.send(bytes, now), now)
  }

  #newPath(client: Address, now: number): Path | null {
    const { maxClients, seed, to, filter, onClient, onUnreachable } = this.#options
    if (this.#paths.size >= maxClients) this.#sweep(QUIET_MS)
    if (this.#paths.size >= maxClients) {
      this.refused += 1
      onClient?.(client, 'refused')
      return null
    }
    const number = this.#clients++
    const conditions: { to: Conditions; from: Conditions } = this.#conditions
    const back = newSocket(to.address)
    const path: Path = {
      client: { address: client.address, port: client.port },
      back,
      to: new Link(conditions.to, { seed: seed + 2 * number }),
      from: new Link(conditions.from, { seed: seed + 2 * number + 1 }),
      bound: false,
      heardAt: now,
    }
    path.to.up = this.#up.to
    path.from.up = this.#up.from
    if (filter !== undefined) {
      path.to.filter = (bytes) => filter(bytes, 'to')
      path.from.filter = (bytes) => filter(bytes, 'from')
    }
    back.on('error', (error) => {
      this.sendErrors += 1
      onUnreachable?.(error)
    })
    back.on('message', (bytes: Buffer) => {
      const at = performance.now()
      this.#schedule(path.from.send(bytes, at), at)
    })
    // Connected: it hears the target alone, and is told when nobody listens there.
    back.connect(to.port, to.address, () => {
      path.bound = true
      enlarge(back)
      this.#release()
    })
    this.#paths.set(`${client.address} ${client.port}`, path)
    onClient?.(path.client, 'new')
    return path
  }

  #sweep(silentMs: number): void {
    const now = performance.now()
    for (const [key, path] of this.#paths) {
      if (now - path.heardAt < silentMs) continue
      this.#paths.delete(key)
      add(this.#gone.to, path.to.ledger)
      add(this.#gone.from, path.from.ledger)
      path.back.close()
      this.#options.onClient?.(path.client, 'gone')
    }
  }

  /** Makes sure that the relay looks at its links at `at`. */
  #schedule(at: number, now: number): void {
    if (at <= now) return this.#release()
    if (at >= this.#timerAt || this.#spin !== null) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#timerAt = Infinity
    if (at === Infinity || this.#closed) return
    const early = this.#options.precise ? SPIN_MS : 0
    if (at - now <= early) {
      this.#spin = setImmediate(this.#spun)
      return
    }
    this.#timerAt = at
    this.#timer = setTimeout(this.#onTimer, at - now - early)
  }

  readonly #onTimer = (): void => {
    this.#timer = null
    this.#timerAt = Infinity
    this.#release()
  }

  readonly #spun = (): void => {
    this.#spin = null
    this.#release()
  }

  /** Sends everything that is due. */
  #release(): void {
    let next = Infinity
    let now = performance.now()
    const due = now + (this.#options.precise ? 0 : EARLY_MS)
    for (const path of this.#paths.values()) {
      // A socket that is still being connected keeps its datagrams a moment longer.
      if (path.bound) {
        for (let arrival = path.to.poll(due); arrival !== null; arrival = path.to.poll(due)) {
          this.#note(now - arrival.atMs)
          path.back.send(arrival.bytes, this.#sent)
        }
        next = Math.min(next, path.to.deadline())
      }
      for (let arrival = path.from.poll(due); arrival !== null; arrival = path.from.poll(due)) {
        this.#note(now - arrival.atMs)
        this.#front.send(arrival.bytes, path.client.port, path.client.address, this.#sent)
      }
      next = Math.min(next, path.from.deadline())
    }
    if (next === Infinity) return
    now = performance.now()
    // What became due meanwhile leaves in a turn of its own, so that sockets are read in between.
    this.#schedule(Math.max(next, now + 0.001), now)
  }

  #note(lateMs: number): void {
    this.lateMicros.record(Math.min(60_000_000, Math.max(1, Math.round(Math.abs(lateMs) * 1000))))
  }

  readonly #sent = (error: Error | null): void => {
    if (error) this.sendErrors += 1
  }
}

type LookupDone = (error: null, address: string, family: number) => void

const newSocket = (address: string): Socket => {
  const family = address.includes(':') ? 6 : 4
  // All addresses are numeric; answered at once, so that sends keep their order and leave when they are due.
  const lookup = (name: string, options: unknown, callback?: LookupDone): void => (callback ?? (options as LookupDone))(null, name, family)
  return createSocket({ type: family === 6 ? 'udp6' : 'udp4', lookup: lookup as never })
}

const enlarge = (socket: Socket): void => {
  try {
    socket.setRecvBufferSize(BUFFER_BYTES)
    socket.setSendBufferSize(BUFFER_BYTES)
  } catch {
    // Some systems refuse more than they grant; the default will do.
  }
}

const add = (sum: LinkLedger, more: Readonly<LinkLedger>): void => {
  for (const key of Object.keys(sum) as (keyof LinkLedger)[]) sum[key] += more[key]
}
