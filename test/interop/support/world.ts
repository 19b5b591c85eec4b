// A virtual network for hosts of either kind: stations with addresses, a seeded link from each to each, one clock that
// jumps to whatever happens next. Small on purpose: it is the measuring device here, not the thing measured.

import type { Address, Datagram, Millis } from '../../../src/transport/endpoint.ts'
import { SeededRandom } from '../../../src/util/random.ts'
import type { AnyEvent, AnyHost, AnyPeer, EventOf } from './any.ts'

/** What a link does to datagrams. Probabilities 0 to 1. */
export interface Conditions {
  latencyMs?: number
  /** Even chance between 0 and this is added to the latency; datagrams overtake each other when it is large. */
  jitterMs?: number
  loss?: number
  duplicate?: number
  /** Held back by `reorderMs` more. */
  reorder?: number
  reorderMs?: number
}

/** One host in the world, and all that has happened to it. */
export class Station {
  readonly name: string
  readonly host: AnyHost
  readonly address: Address
  readonly events: AnyEvent[] = []
  /** Called for each event as it happens. */
  onEvent: ((event: AnyEvent) => void) | null = null

  constructor(name: string, host: AnyHost, address: Address) {
    this.name = name
    this.host = host
    this.address = address
  }

  of<Type extends AnyEvent['type']>(type: Type): EventOf<Type>[] {
    return this.events.filter((event): event is EventOf<Type> => event.type === type)
  }

  /** The peer of the latest connect event. */
  get peer(): AnyPeer {
    const last = this.of('connect').at(-1)
    if (last === undefined) throw new Error(`${this.name} has had no connect event`)
    return last.peer
  }
}

/** A datagram in the world's record. */
export interface Trace {
  readonly at: Millis
  readonly from: string
  readonly to: string
  readonly bytes: Uint8Array
  /** Times of arrival; none when lost. */
  readonly arrivals: readonly Millis[]
}

interface Flight {
  readonly at: Millis
  readonly order: number
  readonly bytes: Uint8Array
  readonly from: Address
  readonly to: Station
}

/** Stations, links and the clock. */
export class World {
  now: Millis = 0
  /** Every datagram that was sent; only kept when asked for. */
  readonly traces: Trace[] = []
  keepTraces = false
  datagrams = 0
  lost = 0
  /** What a datagram's fate is when it is not left to chance: null for chance, or its delays (none: lost). */
  fate: ((bytes: Uint8Array, from: Station, to: Station) => readonly Millis[] | null) | null = null
  readonly #stations: Station[] = []
  readonly #conditions = new Map<string, Conditions>()
  readonly #random: SeededRandom
  #flights: Flight[] = []
  #order = 0
  readonly #out: Datagram = { bytes: new Uint8Array(65_536), length: 0, address: '', port: 0 }
  readonly #default: Conditions

  constructor(seed: number, conditions: Conditions = {}) {
    this.#random = new SeededRandom(seed)
    this.#default = conditions
  }

  /** Puts a host into the world, at an address of its own: 10.0.0.1 for the first. */
  add(name: string, host: AnyHost, port = 7777): Station {
    const station = new Station(name, host, { address: `10.0.0.${this.#stations.length + 1}`, port })
    this.#stations.push(station)
    return station
  }

  /** What lies between two stations, in one direction. */
  setLink(from: Station, to: Station, conditions: Conditions): void {
    this.#conditions.set(`${from.name}>${to.name}`, conditions)
  }

  /** The same, for all links that were not set. */
  setAll(conditions: Conditions): void {
    Object.assign(this.#default, { latencyMs: 0, jitterMs: 0, loss: 0, duplicate: 0, reorder: 0, reorderMs: 0 }, conditions)
  }

  /** Lets bytes arrive at a station, as if `from` had sent them: for datagrams that no host here would make. */
  inject(bytes: Uint8Array, from: Address, to: Station): void {
    this.#schedule(bytes, from, to, this.now)
  }

  /** Lets so much virtual time pass. */
  runFor(durationMs: Millis): void {
    const end = this.now + durationMs
    this.#run(() => false, end)
    this.now = end
  }

  /** Runs until `done` answers true. @returns false when that took longer than `limitMs` of virtual time */
  runUntil(done: () => boolean, limitMs: Millis): boolean {
    return this.#run(done, this.now + limitMs)
  }

  #run(done: () => boolean, end: Millis): boolean {
    // Commands were given since the last run: nobody's deadline can know of them.
    this.#settle(this.#stations)
    let repeats = 0
    while (!done()) {
      let next = this.#flights[0]?.at ?? Infinity
      for (const station of this.#stations) next = Math.min(next, station.host.deadline())
      next = Math.max(next, this.now)
      if (next > end) {
        this.now = end
        return done()
      }
      repeats = next === this.now ? repeats + 1 : 0
      if (repeats > 10_000) throw new Error(`time stands still at ${this.now}: a host's deadline does not move`)
      this.now = next
      const due = this.#stations.filter((station) => station.host.deadline() <= next)
      while (this.#flights.length > 0 && this.#flights[0]!.at <= next) {
        const { bytes, from, to } = popFlight(this.#flights)
        to.host.receive(bytes, from, next)
        if (!due.includes(to)) due.push(to)
      }
      this.#settle(due)
    }
    return true
  }

  /** Lets hosts work at the present moment: advance, hand out events, then datagrams. */
  #settle(stations: readonly Station[]): void {
    for (const station of stations) {
      station.host.advance(this.now)
      for (let event = station.host.pollEvent(); event !== null; event = station.host.pollEvent()) {
        station.events.push(event)
        station.onEvent?.(event)
      }
      while (station.host.pollTransmit(this.#out)) {
        const to = this.#stations.find(({ address }) => address.address === this.#out.address && address.port === this.#out.port)
        const bytes = this.#out.bytes.slice(0, this.#out.length)
        this.datagrams++
        if (to !== undefined) this.#send(bytes, station, to)
      }
    }
  }

  #send(bytes: Uint8Array, from: Station, to: Station): void {
    const delays = this.fate?.(bytes, from, to) ?? this.#chance(this.#conditions.get(`${from.name}>${to.name}`) ?? this.#default)
    if (delays.length === 0) this.lost++
    const arrivals = delays.map((delay) => this.now + delay)
    // Each copy is its own bytes: a receiver may keep views of them.
    for (const at of arrivals) this.#schedule(bytes.slice(), from.address, to, at)
    if (this.keepTraces) this.traces.push({ at: this.now, from: from.name, to: to.name, bytes, arrivals })
  }

  #chance(conditions: Conditions): Millis[] {
    const { latencyMs = 0, jitterMs = 0, loss = 0, duplicate = 0, reorder = 0, reorderMs = 20 } = conditions
    const delay = (): Millis =>
      latencyMs + this.#random.unit() * jitterMs + (this.#random.chance(reorder) ? this.#random.unit() * reorderMs : 0)
    if (this.#random.chance(loss)) return []
    return this.#random.chance(duplicate) ? [delay(), delay()] : [delay()]
  }

  #schedule(bytes: Uint8Array, from: Address, to: Station, at: Millis): void {
    pushFlight(this.#flights, { at, order: this.#order++, bytes, from, to })
  }
}

// A binary heap by time of arrival, then by time of departure.

const before = (a: Flight, b: Flight): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

const pushFlight = (heap: Flight[], flight: Flight): void => {
  let i = heap.push(flight) - 1
  while (i > 0) {
    const parent = (i - 1) >> 1
    if (!before(flight, heap[parent]!)) break
    heap[i] = heap[parent]!
    i = parent
  }
  heap[i] = flight
}

const popFlight = (heap: Flight[]): Flight => {
  const first = heap[0]!
  const last = heap.pop()!
  if (heap.length === 0) return first
  let i = 0
  for (;;) {
    let child = 2 * i + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
    if (!before(heap[child]!, last)) break
    heap[i] = heap[child]!
    i = child
  }
  heap[i] = last
  return first
}
