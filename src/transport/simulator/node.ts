// One place in a virtual network: an endpoint, its address, its own clock, and what stands between it and the network
// (a socket buffer, a program that is not always listening).

import { MAX_DATAGRAM_BYTES, type Address, type Datagram, type Endpoint, type Millis } from '../endpoint.ts'
import { VaivenError, outOfRange } from '../../util/errors.ts'
import { within } from './rules.ts'
import type { RunHash } from './run-hash.ts'
import type { Schedule, Scheduled } from './schedule.ts'
import { isWakeable } from './wakeable.ts'

export interface NodeOptions<Event = unknown> {
  /** IP address; unique together with the port. @default '10.0.0.1' and so on, in the order of `add` */
  address?: string
  /** UDP port, 1 to 65535. @default 7777 */
  port?: number
  /** Called with each event, inside the run, before what it causes is sent. @default none: they are collected in `events` */
  onEvent?: (event: Event, node: NetworkNode<Event>) => void
  /**
   * The program looks at its socket and clock only every so many milliseconds, as a game loop or a C program does, 0.01 to
   * 60,000. @default at once, as a server driven by its socket does
   */
  serviceEveryMs?: number
  /** When the first such look happens, counted from now. @default 0 */
  servicePhaseMs?: number
  /** What the endpoint's own clock shows when the network's shows 0, ms. @default 0 */
  clockOffsetMs?: number
  /** How fast its clock runs: 1.02 is 2 % too fast; 0.5 to 2. @default 1 */
  clockRate?: number
  /** Datagrams that the socket keeps while the program does not look; more are lost, 1 to 1e9. @default 4096 */
  socketBufferDatagrams?: number
}

/** Of the network, what its nodes need. */
export interface Hub {
  readonly now: Millis
  readonly schedule: Schedule
  readonly hash: RunHash | null
  transmit(from: NetworkNode, out: Datagram): void
}

/** So many rounds without time passing, or pumps without the deadline moving, are no coincidence any more. */
const STUCK_PUMPS = 1000
const STUCK_ROUNDS = 1_000_000
/** Nodes come after links at the same moment, so that datagrams that arrive together are answered together. */
const NODE_RANK = 0x40000000

export class NetworkNode<Event = unknown> implements Scheduled {
  readonly name: string
  /** Called with each event; while `null`, events are collected in `events`. */
  onEvent: ((event: Event, node: NetworkNode<Event>) => void) | null
  /** Events that no `onEvent` took; yours to empty. */
  readonly events: Event[] = []
  /** Datagrams that the endpoint sent and was given. */
  datagramsSent = 0
  datagramsReceived = 0
  /** Datagrams that found the socket buffer full while the program was not looking. */
  socketDropped = 0

  /** Of `Schedule`. */
  place = -1
  readonly rank: number

  readonly #hub: Hub
  #endpoint: Endpoint<Event>
  #address: Address
  readonly #inbox: { bytes: Uint8Array; from: Address }[] = []
  readonly #inboxLimit: number
  readonly #serviceEveryMs: number
  #nextServiceMs: Millis
  #stalledUntilMs: Millis = -Infinity
  // The endpoint's clock: clockBase + (now - clockSince) * clockRate.
  #clockBase: Millis
  #clockSince: Millis
  #clockRate: number
  #pumpsInPlace = 0
  #pumping = false
  #gone = false
  readonly #out: Datagram = { bytes: new Uint8Array(MAX_DATAGRAM_BYTES), length: 0, address: '', port: 0 }

  /** Made by `Network.add`. */
  constructor(hub: Hub, id: number, name: string, endpoint: Endpoint<Event>, options: NodeOptions<Event>) {
    this.#hub = hub
    this.name = name
    this.rank = NODE_RANK + id
    this.onEvent = options.onEvent ?? null
    this.#address = addressOf(options.address ?? `10.${id >> 16 & 255}.${id >> 8 & 255}.${id & 255}`, options.port ?? 7777)
    this.#inboxLimit = within('options.socketBufferDatagrams', options.socketBufferDatagrams ?? 4096, 1, 1e9)
    this.#serviceEveryMs = options.serviceEveryMs === undefined ? 0 : within('options.serviceEveryMs', options.serviceEveryMs, 0.01, 60_000)
    this.#nextServiceMs = hub.now + within('options.servicePhaseMs', options.servicePhaseMs ?? 0, 0, 60_000)
    this.#clockRate = within('options.clockRate', options.clockRate ?? 1, 0.5, 2)
    this.#clockBase = within('options.clockOffsetMs', options.clockOffsetMs ?? 0, -1e15, 1e15) + hub.now * this.#clockRate
    this.#clockSince = hub.now
    this.#endpoint = endpoint
    this.endpoint = endpoint
  }

  /** What runs here. */
  get endpoint(): Endpoint<Event> { return this.#endpoint }
  /** Of `Network.replace`: another one takes over address, clock and links. */
  set endpoint(endpoint: Endpoint<Event>) {
    if (isWakeable(this.#endpoint)) this.#endpoint.wake = null
    this.#endpoint = endpoint
    if (isWakeable(endpoint)) endpoint.wake = () => this.wake()
    this.#inbox.length = 0
    this.#pumpsInPlace = 0
    this.wake()
  }

  /** Where it can be reached, and what others see as the sender. */
  get address(): Address { return this.#address }

  /** What its own clock shows. */
  get clockMs(): Millis { return this.#clockBase + (this.#hub.now - this.#clockSince) * this.#clockRate }

  /** Datagrams in the socket buffer. */
  get waiting(): number { return this.#inbox.length }

  /** There is work to do: it will be pumped now, or when its program looks next. */
  wake(): void {
    // Not while it is being pumped: the pump goes on until there is nothing more to say, and then looks at the deadline.
    if (this.#gone || this.#pumping) return
    const { now, schedule } = this.#hub
    schedule.set(this, this.#serviceEveryMs > 0 ? Math.max(now, this.#nextServiceMs) : now)
  }

  // -- what Network does with it

  /** @internal */
  moveTo(address: Address): void { this.#address = address }

  /** @internal */
  leave(): void {
    this.#gone = true
    this.#inbox.length = 0
    if (isWakeable(this.#endpoint)) this.#endpoint.wake = null
    this.#hub.schedule.set(this, Infinity)
  }

  /** @internal */
  get gone(): boolean { return this.#gone }

  /** @internal */
  stall(durationMs: Millis): void {
    this.#stalledUntilMs = Math.max(this.#stalledUntilMs, this.#hub.now + durationMs)
    this.wake()
  }

  /** @internal */
  setClock(jumpMs: Millis, rate: number): void {
    this.#clockBase = this.clockMs + jumpMs
    this.#clockSince = this.#hub.now
    this.#clockRate = rate
    this.wake()
  }

  /** @internal */
  get clockRate(): number { return this.#clockRate }

  /** @internal A datagram has arrived; the bytes become the endpoint's. */
  accept(bytes: Uint8Array, from: Address): void {
    const now = this.#hub.now
    if (this.#serviceEveryMs > 0 || now < this.#stalledUntilMs) {
      if (this.#inbox.length >= this.#inboxLimit) this.socketDropped++
      else this.#inbox.push({ bytes, from })
    } else {
      this.#receive(bytes, from)
      this.#hub.schedule.set(this, now)
    }
  }

  /** @internal Of `Schedule`: the pump, as a driver does it. */
  run(now: Millis): void {
    if (now < this.#stalledUntilMs) return this.#hub.schedule.set(this, this.#stalledUntilMs)
    this.#pumping = true
    if (now >= this.#nextServiceMs) this.#nextServiceMs = nextTick(now, this.#nextServiceMs, this.#serviceEveryMs)
    let nextMs = now
    try {
      this.#pump()
      nextMs = this.#nextRun(now)
    } finally {
      // After a listener has thrown, the rest is handed out when the run goes on.
      this.#pumping = false
      if (!this.#gone) this.#hub.schedule.set(this, nextMs)
    }
  }

  #pump(): void {
    const { hash } = this.#hub
    if (this.#inbox.length > 0) {
      for (const { bytes, from } of this.#inbox.splice(0)) this.#receive(bytes, from)
    }
    const endpoint = this.#endpoint
    endpoint.advance(this.clockMs)
    for (let rounds = 0; ;) {
      for (let event = endpoint.pollEvent(); event !== null; event = endpoint.pollEvent()) {
        if (hash !== null) {
          hash.word(this.rank)
          hash.event(event)
        }
        if (this.onEvent === null) this.events.push(event)
        else this.onEvent(event, this)
        if (++rounds > STUCK_ROUNDS) throw this.#stuck('hands out events without end')
        if (this.#gone || endpoint !== this.#endpoint) return
      }
      let sent = 0
      while (endpoint.pollTransmit(this.#out)) {
        sent++
        this.datagramsSent++
        this.#hub.transmit(this as unknown as NetworkNode, this.#out)
        if (++rounds > STUCK_ROUNDS) throw this.#stuck('hands out datagrams without end')
      }
      // Sending can make events (a queue has drained), and their listeners can send.
      if (sent === 0) return
    }
  }

  #receive(bytes: Uint8Array, from: Address): void {
    this.datagramsReceived++
    this.#endpoint.receive(bytes, from, this.clockMs)
  }

  /** When to pump next. */
  #nextRun(now: Millis): Millis {
    if (this.#serviceEveryMs > 0) return this.#nextServiceMs
    const deadline = this.#endpoint.deadline()
    if (Number.isNaN(deadline)) throw this.#stuck('has NaN for a deadline')
    if (deadline > this.clockMs) {
      this.#pumpsInPlace = 0
      return this.#networkTime(deadline)
    }
    if (++this.#pumpsInPlace > STUCK_PUMPS) {
      throw this.#stuck(`wants to run at ${deadline} again and again, though its clock shows ${this.clockMs}`)
    }
    return now
  }

  /** The network's time when the endpoint's clock will show `clockMs`, or the next representable moment after that. */
  #networkTime(clockMs: Millis): Millis {
    if (clockMs === Infinity) return Infinity
    let at = this.#clockSince + (clockMs - this.#clockBase) / this.#clockRate
    // Rounding must not wake it a hair too early, for it would find nothing to do and ask for the same moment again.
    while (this.#clockBase + (at - this.#clockSince) * this.#clockRate < clockMs) at += Math.max(1e-9, Math.abs(at) * Number.EPSILON)
    return at
  }

  #stuck(what: string): VaivenError {
    return new VaivenError('ERR_ARGUMENT', `the endpoint of '${this.name}' ${what}; virtual time cannot go on from ${this.#hub.now} ms`)
  }
}

/** Checks an address. @throws VaivenError `ERR_ARGUMENT` */
export const addressOf = (address: string, port: number): Address => {
  if (typeof address !== 'string' || address === '') throw outOfRange('address', address, 'a numeric IP address', 'ERR_ARGUMENT')
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw outOfRange('port', port, 'an integer from 1 to 65535', 'ERR_ARGUMENT')
  return Object.freeze({ address, port })
}

/** The first of the moments `tick`, `tick + every`, ... that is later than `now`. */
const nextTick = (now: Millis, tick: Millis, every: Millis): Millis => {
  if (every === 0) return tick
  const next = tick + (Math.floor((now - tick) / every) + 1) * every
  return next > now ? next : next + every
}
