// A virtual network: endpoints, the paths between them, and one clock that jumps to the next thing that happens. An hour
// of play takes seconds, and the same seed gives the same run, bit for bit.

import type { Address, Endpoint, Millis } from '../endpoint.ts'
import { VaivenError } from '../../util/errors.ts'
import { Carrier, type TraceEvent } from './carrier.ts'
import { Clockwork } from './clockwork.ts'
import { directions, type ConditionsOverTime, type PathConditions } from './conditions.ts'
import { Course } from './course.ts'
import type { Link, LinkLedger } from './link.ts'
import { NetworkNode, addressOf, type Hub, type NodeOptions } from './node.ts'
import { Routes } from './routes.ts'
import { within } from './rules.ts'
import { RunHash } from './run-hash.ts'
import { Script } from './script.ts'
import { isWakeable } from './wakeable.ts'

export interface NetworkOptions {
  /** Decides everything that is left to chance; any integer. @default 1 */
  seed?: number
  /** The path between nodes for which `path` was not called: `to` runs from the node added first. @default a perfect one */
  path?: PathConditions
  /** Virtual time at the beginning, ms, 0 to 1e12. @default 0 */
  startMs?: Millis
  /** Told of every datagram when it is sent, arrives or is lost. @default none */
  trace?: (event: TraceEvent) => void
  /** Whether to keep `hash`. Costs about 0.1 µs for a small datagram, 0.8 for a full one. @default true */
  hash?: boolean
}

/** A node (what `add` returned), or its name. */
export type NodeRef = string | { readonly name: string }

/**
 * A network under virtual time.
 *
 * ```ts
 * const network = new Network({ seed: 42 })
 * network.add('server', server)
 * network.add('client', client)
 * network.path('client', 'server', profiles.lteTrain)
 * network.runUntil(() => connected, { limitMs: 5_000 })
 * ```
 */
export class Network {
  readonly #nodes = new Map<string, NetworkNode>()
  readonly #clockwork: Clockwork
  readonly #script: Script
  readonly #routes: Routes
  readonly #carrier: Carrier
  readonly #hash: RunHash | null
  readonly #hub: Hub
  /** Nodes whose endpoint cannot say that it was given a command: looked at after everything that could have done so. */
  readonly #mute = new Set<NetworkNode>()
  #nodesMade = 0

  /** @throws VaivenError `ERR_OPTION_RANGE` */
  constructor(options: NetworkOptions = {}) {
    const clockwork = new Clockwork(within('options.startMs', options.startMs ?? 0, 0, 1e12), () => this.#busiest())
    const { schedule } = clockwork
    this.#clockwork = clockwork
    this.#hash = options.hash ?? true ? new RunHash() : null
    this.#routes = new Routes(options.seed ?? 1, checked(options.path ?? {}), schedule,
      (from, to, link) => { this.#carrier.deliver(from, to, link, clockwork.now) })
    this.#carrier = new Carrier(this.#routes, schedule, this.#hash, options.trace ?? null)
    this.#script = new Script(schedule, () => { this.#wakeMute() })
    this.#hub = {
      get now() { return clockwork.now },
      schedule,
      hash: this.#hash,
      transmit: (from, out) => { this.#carrier.transmit(from, out, clockwork.now) },
    }
  }

  /** Virtual time, ms. */
  get now(): Millis { return this.#clockwork.now }

  /**
   * A fingerprint of the run so far: every datagram and event with its time. Two runs with the same seed and the same code
   * have the same. @throws VaivenError `ERR_ARGUMENT` with `hash: false`
   */
  get hash(): string {
    if (this.#hash === null) throw new VaivenError('ERR_ARGUMENT', 'this network keeps no hash; make it without { hash: false }')
    return this.#hash.value
  }

  /** The nodes by name. */
  get nodes(): ReadonlyMap<string, NetworkNode> { return this.#nodes }

  /** The ledgers of all links, added up. */
  get ledger(): LinkLedger { return this.#routes.ledger() }

  /** Datagrams to addresses that nobody has (any more). */
  get unroutable(): number { return this.#carrier.unroutable }

  // -- places and paths

  /**
   * Puts an endpoint into the network. If it has a `wake` property (`Host` has), that is set; if not, it is pumped after
   * every scripted action and at the start of every run, so that commands given to it outside are noticed.
   * @throws VaivenError `ERR_ARGUMENT` (name or address taken), `ERR_OPTION_RANGE`
   */
  add<Event>(name: string, endpoint: Endpoint<Event>, options: NodeOptions<Event> = {}): NetworkNode<Event> {
    if (this.#nodes.has(name)) throw new VaivenError('ERR_ARGUMENT', `there is a node '${name}' already`)
    const node = new NetworkNode(this.#hub, ++this.#nodesMade, name, endpoint, options)
    const plain = node as unknown as NetworkNode
    this.#routes.claim(plain)
    this.#nodes.set(name, plain)
    if (!isWakeable(endpoint)) this.#mute.add(plain)
    return node
  }

  /** Takes a node out; what is on its way to it finds nobody. */
  remove(node: NodeRef): void {
    const gone = this.#node(node)
    gone.leave()
    this.#routes.release(gone)
    this.#nodes.delete(gone.name)
    this.#mute.delete(gone)
  }

  /** The process at a place has died and another one has its address: what is on its way reaches the new one. */
  replace<Event>(node: NodeRef, endpoint: Endpoint<Event>): void {
    const place = this.#node(node)
    place.endpoint = endpoint
    if (isWakeable(endpoint)) this.#mute.delete(place)
    else this.#mute.add(place)
  }

  /**
   * Moves a node to another address, as a NAT does that has forgotten it: others see the new one as the sender, and what
   * they send to the old one from now on finds nobody. @throws VaivenError `ERR_ARGUMENT` (taken)
   */
  rebind(node: NodeRef, to: { address?: string; port?: number }): Address {
    const moved = this.#node(node)
    const address = addressOf(to.address ?? moved.address.address, to.port ?? moved.address.port)
    this.#routes.move(moved, address)
    return address
  }

  /**
   * Sets the path between two nodes: `to` (of a profile or a pair) is the direction from `a` to `b`. Can be called again at
   * any time; links and their ledgers stay. @throws VaivenError `ERR_OPTION_RANGE`, `ERR_ARGUMENT` (no such node)
   */
  path(a: NodeRef, b: NodeRef, conditions: PathConditions): void {
    const { to, from } = directions(conditions)
    const [first, second] = [this.#node(a), this.#node(b)]
    // Checked before either changes.
    checked(conditions)
    this.#routes.wire(first, second).link.conditions = to
    this.#routes.wire(second, first).link.conditions = from
  }

  /** The link from `a` to `b`: its conditions, ledger and filter. */
  link(a: NodeRef, b: NodeRef): Link<Address> {
    return this.#routes.wire(this.#node(a), this.#node(b)).link
  }

  /**
   * Cuts the network: nothing passes between the nodes of `a` and those of `b` (default: all others) any more. What is on
   * the way still arrives. Nodes added later are not affected. Lost datagrams count as `blackout`.
   * @param options `oneWay`: only from `a` to `b`
   */
  partition(a: NodeRef | readonly NodeRef[], b?: NodeRef | readonly NodeRef[], options: { oneWay?: boolean } = {}): void {
    this.#setUp(a, b, options.oneWay ?? false, false)
  }

  /** Undoes `partition`: between `a` and `b`, or everywhere when called without arguments. */
  heal(a?: NodeRef | readonly NodeRef[], b?: NodeRef | readonly NodeRef[]): void {
    if (a === undefined) for (const wire of this.#routes.wires) wire.link.up = true
    else this.#setUp(a, b, false, true)
  }

  // -- what happens to nodes

  /** The node's program stands still for `durationMs` from now: it neither receives nor sends; its socket buffer fills. */
  stall(node: NodeRef, durationMs: Millis): void {
    this.#node(node).stall(within('durationMs', durationMs, 0, 1e12))
  }

  /** Changes the node's clock from now on: how fast it runs (0.5 to 2), and a jump ahead (0 to 1e12 ms). */
  adjustClock(node: NodeRef, change: { rate?: number; jumpMs?: Millis }): void {
    const adjusted = this.#node(node)
    adjusted.setClock(within('jumpMs', change.jumpMs ?? 0, 0, 1e12), within('rate', change.rate ?? adjusted.clockRate, 0.5, 2))
  }

  /** There is work for a node whose endpoint has no `wake` of its own. */
  wake(node: NodeRef): void { this.#node(node).wake() }

  // -- the script

  /** Calls `action` once, at the given virtual time (not before now). @returns a function that calls it off */
  at(timeMs: Millis, action: () => void): () => void {
    return this.#script.once(within('timeMs', timeMs, this.now, Number.MAX_VALUE), action)
  }

  /** Calls `action` every `intervalMs`, first after `firstMs` (default: the interval). @returns a function that ends it */
  every(intervalMs: Millis, action: () => void, options: { firstMs?: Millis } = {}): () => void {
    within('intervalMs', intervalMs, 0.001, 1e12)
    return this.#script.every(this.now + within('firstMs', options.firstMs ?? intervalMs, 0, 1e12), intervalMs, action)
  }

  // -- running

  /** Lets `durationMs` of virtual time pass. @throws what a listener or action throws; the run can be continued */
  runFor(durationMs: Millis): void {
    this.#run(this.now + within('durationMs', durationMs, 0, 1e12), null)
  }

  /**
   * Lets time pass until `predicate` is true; it is asked after everything that happens.
   * @param options `limitMs`: how long at most (default 60,000 ms of virtual time); `what`: what is waited for, for the error
   * @returns how long it took, ms of virtual time
   * @throws VaivenError `ERR_TIMEOUT` that says what was waited for
   */
  runUntil(predicate: () => boolean, options: { limitMs?: Millis; what?: string } = {}): Millis {
    const began = this.now
    const limitMs = within('limitMs', options.limitMs ?? 60_000, 0, 1e12)
    if (this.#run(began + limitMs, predicate)) return this.now - began
    throw this.#timeout(options.what ?? inWords(predicate), limitMs)
  }

  /**
   * Lets time pass until a promise of the endpoints settles, and settles like it. Between two moments of virtual time the
   * promise's own steps get their turn, so `await` in a test works as it does over a real network.
   * @throws VaivenError `ERR_TIMEOUT`
   */
  async settle<Value>(promise: Promise<Value>, options: { limitMs?: Millis; what?: string } = {}): Promise<Value> {
    const limitMs = within('limitMs', options.limitMs ?? 60_000, 0, 1e12)
    const endMs = this.now + limitMs
    let settled = false
    const done = (): void => { settled = true }
    promise.then(done, done)
    for (;;) {
      // A chain of awaits needs one turn for each link; time must not pass while it is being followed.
      for (let turn = 0; turn < MICROTASK_TURNS && !settled; turn++) await undefined
      if (settled) return promise
      const next = Math.max(this.now, this.#clockwork.schedule.firstDueMs)
      if (next > endMs) break
      this.#run(next, null)
    }
    this.#run(endMs, null)
    throw this.#timeout(options.what ?? 'the promise to settle', limitMs)
  }

  #run(untilMs: Millis, predicate: (() => boolean) | null): boolean {
    this.#wakeMute()
    return this.#clockwork.run(untilMs, predicate)
  }

  // -- small help

  #node(ref: NodeRef): NetworkNode {
    const name = typeof ref === 'string' ? ref : ref.name
    const node = this.#nodes.get(name)
    // A node that was removed is not the one that has its name now.
    if (node === undefined || (typeof ref !== 'string' && ref !== node)) {
      throw new VaivenError('ERR_ARGUMENT', `there is no node '${name}'; there are ${[...this.#nodes.keys()].join(', ')}`)
    }
    return node
  }

  #group(refs: NodeRef | readonly NodeRef[]): NetworkNode[] {
    return Array.isArray(refs) ? refs.map((ref: NodeRef) => this.#node(ref)) : [this.#node(refs as NodeRef)]
  }

  #setUp(a: NodeRef | readonly NodeRef[], b: NodeRef | readonly NodeRef[] | undefined, oneWay: boolean, up: boolean): void {
    const here = this.#group(a)
    const there = b === undefined ? [...this.#nodes.values()].filter((node) => !here.includes(node)) : this.#group(b)
    for (const x of here) {
      for (const y of there) {
        this.#routes.wire(x, y).link.up = up
        if (!oneWay) this.#routes.wire(y, x).link.up = up
      }
    }
  }

  #busiest(): string {
    const busiest = [...this.#nodes.values()].sort((a, b) => b.datagramsReceived - a.datagramsReceived).slice(0, 2)
    return busiest.map((node) => `'${node.name}'`).join(', ')
  }

  #wakeMute(): void { for (const node of this.#mute) node.wake() }

  #timeout(what: string, limitMs: Millis): VaivenError {
    const { inFlight, copiesInFlight } = this.ledger
    const next = this.#clockwork.schedule.firstDueMs
    const coming = next === Infinity ? 'nothing more would happen' : `next thing at ${next} ms`
    return new VaivenError('ERR_TIMEOUT', `waited ${limitMs} ms of virtual time for ${what}, in vain ` +
      `(it is ${this.now} ms; ${inFlight + copiesInFlight} datagrams on the way; ${coming})`)
  }
}

/** Turns for promises between two moments in `settle`: more awaits in a row than code between two datagrams has. */
const MICROTASK_TURNS = 24

/** The conditions, if they are legal. */
const checked = (path: PathConditions): { to: ConditionsOverTime; from: ConditionsOverTime } => {
  const both = directions(path)
  new Course(both.to)
  new Course(both.from)
  return both
}

/** A predicate as people read it: its source on one line, cut where it gets long. */
const inWords = (predicate: () => boolean): string => {
  const source = predicate.toString().replace(/\s+/g, ' ')
  return source.length <= 120 ? source : `${source.slice(0, 117)}...`
}
