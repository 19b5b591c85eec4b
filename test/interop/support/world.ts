// The shipped network simulator with hosts of either kind in it: records what happens to each, and lets a test decide the
// fate of single datagrams.

import { VaivenError } from '../../../src/util/errors.ts'
import type { Address, Millis } from '../../../src/transport/endpoint.ts'
import type { ConditionsOverTime, PathConditions } from '../../../src/transport/simulator/conditions.ts'
import { Network } from '../../../src/transport/simulator/network.ts'
import type { NetworkNode } from '../../../src/transport/simulator/node.ts'
import type { AnyEvent, AnyHost, AnyPeer, EventOf } from './any.ts'

/** One host in the world, and all that has happened to it. */
export class Station {
  readonly name: string
  readonly host: AnyHost
  readonly address: Address
  readonly events: AnyEvent[] = []
  /** Called for each event as it happens. */
  onEvent: ((event: AnyEvent) => void) | null = null

  constructor(node: NetworkNode<AnyEvent>, host: AnyHost) {
    this.name = node.name
    this.host = host
    this.address = node.address
    node.onEvent = (event) => {
      this.events.push(event)
      this.onEvent?.(event)
    }
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

/** A datagram that a host has sent. */
export interface Trace {
  readonly at: Millis
  readonly from: string
  readonly bytes: Uint8Array
}

/** A virtual network and its clock. */
export class World {
  /** Every datagram that was sent; only kept when asked for. */
  readonly traces: Trace[] = []
  keepTraces = false
  /** Asked about each datagram: true loses it, whatever chance has in store for the others. */
  loses: ((bytes: Uint8Array, from: Station) => boolean) | null = null
  /** Datagrams that `loses` took. */
  lost = 0
  readonly #network: Network
  readonly #stations: Station[] = []

  /** @param startMs what the clock shows in the beginning */
  constructor(seed: number, conditions: PathConditions = {}, startMs = 0) {
    this.#network = new Network({
      seed,
      path: conditions,
      startMs,
      hash: false,
      trace: ({ type, atMs, from, bytes }) => {
        if (type === 'sent' && this.keepTraces) this.traces.push({ at: atMs, from, bytes: bytes.slice() })
      },
    })
  }

  get now(): Millis {
    return this.#network.now
  }

  /** Puts a host into the world, at an address of its own. */
  add(name: string, host: AnyHost): Station {
    const station = new Station(this.#network.add<AnyEvent>(name, host), host)
    for (const other of this.#stations) {
      this.#watch(station, other)
      this.#watch(other, station)
    }
    this.#stations.push(station)
    return station
  }

  /** What lies between two stations, in both directions, for what is sent from now on. */
  setPath(a: Station, b: Station, conditions: PathConditions): void {
    this.#network.path(a.name, b.name, conditions)
  }

  /** The same in one direction only. */
  setLink(from: Station, to: Station, conditions: ConditionsOverTime): void {
    this.#network.link(from.name, to.name).conditions = conditions
  }

  /** Lets bytes arrive at a station, as if they came from there: for datagrams that no host here would make. */
  inject(bytes: Uint8Array, from: Address, to: Station): void {
    to.host.receive(bytes.slice(), from, this.now)
    this.#network.wake(to.name)
  }

  /** The program of a station stands still from now on: its socket buffer fills, its timers wait. */
  stall(station: Station, durationMs: Millis): void {
    this.#network.stall(station.name, durationMs)
  }

  /** Lets so much virtual time pass. */
  runFor(durationMs: Millis): void {
    this.#network.runFor(durationMs)
  }

  /** Runs until `done` answers true. @returns false when that took longer than `limitMs` of virtual time */
  runUntil(done: () => boolean, limitMs: Millis): boolean {
    try {
      this.#network.runUntil(done, { limitMs })
      return true
    } catch (error) {
      if (error instanceof VaivenError && error.code === 'ERR_TIMEOUT') return false
      throw error
    }
  }

  #watch(from: Station, to: Station): void {
    this.#network.link(from.name, to.name).filter = (bytes) => {
      if (this.loses === null || !this.loses(bytes, from)) return true
      this.lost++
      return false
    }
  }
}
