// Sessions in a virtual network, for tests of games: no sockets, no waiting, bad networks on demand, and the same run from the
// same seed. Public next to the simulator.

import { GameSession } from './game/game-session.ts'
import type { GameSessionOptions } from './game/game-session.ts'
import type { HostPort } from './session/host-port.ts'
import { SessionEndpoint } from './session/session-endpoint.ts'
import { Host } from './transport/core/host.ts'
import type { HostOptions } from './transport/core/options.ts'
import type { Address } from './transport/endpoint.ts'
import { Network } from './transport/simulator/network.ts'
import type { PathConditions } from './transport/simulator/conditions.ts'
import { VaivenError } from './util/errors.ts'
import { SeededRandom } from './util/random.ts'

/** Options of a virtual server or client: the session's, and its host's. */
export interface VirtualOptions extends Partial<Omit<GameSessionOptions, 'role' | 'random'>> {
  /** Name of its place in the network, for `network.path` and error messages. @default 'server', 'client1', 'client2' … */
  name?: string
  /** Options of the transport underneath. */
  host?: Omit<HostOptions, 'accept' | 'random' | 'seed' | 'maxPeers'>
}

/** Options of a virtual client. */
export interface VirtualClientOptions extends VirtualOptions {
  /** The path to the server, towards it as `to`. @default that of the network */
  path?: PathConditions
  /** How long it may take to get in, ms of virtual time. @default 10000 */
  timeoutMs?: number
}

/**
 * Servers and clients that live in virtual time.
 *
 * @example
 * const play = new VirtualSessions({ seed: 7, path: { latencyMs: 40, lossRatio: 0.05 } })
 * const server = play.listen()
 * const [a, b] = play.join(server, 2)        // both are in, and know each other
 * a.send(b.id, hello)
 * play.network.runFor(200)                   // instant
 */
export class VirtualSessions {
  /** The network: time, paths, partitions, stalls. */
  readonly network: Network
  readonly #random: SeededRandom
  readonly #places = new Map<GameSession, { readonly name: string; readonly address: Address; readonly host: Host }>()
  #servers = 0
  #clients = 0

  /** @param options `seed` and `path` of the network; `hash`: whether `network.hash` is kept, for comparing runs. @default true */
  constructor(options: { seed?: number; path?: PathConditions; hash?: boolean } = {}) {
    const { seed = 1, path = {}, hash = true } = options
    this.network = new Network({ seed, path, hash })
    this.#random = new SeededRandom(seed)
  }

  /** Opens a server. */
  listen(options: VirtualOptions = {}): GameSession {
    const { name = this.#servers++ === 0 ? 'server' : `server${this.#servers}`, host, ...session } = options
    return this.#open(name, 'server', session, host)
  }

  /** A client on its way in: `await session.ready`, its signals, or `join` tell when it is. */
  connect(server: GameSession, options: VirtualClientOptions = {}): GameSession {
    const { name = `client${++this.#clients}`, host, path, timeoutMs = 10_000, ...session } = options
    const client = this.#open(name, 'client', session, host)
    if (path !== undefined) this.network.path(name, this.nameOf(server), path)
    client.start(this.#place(server).address, timeoutMs)
    return client
  }

  /** So many clients; time passes until they are in, and know of everybody whom they may know. */
  join(server: GameSession, count: number, options: VirtualClientOptions = {}): GameSession[] {
    const joined = Array.from({ length: count }, () => this.connect(server, options))
    const here = joined.map(({ ready }) => ready)
    for (const promise of here) promise.catch(() => undefined)
    const isIn = (client: GameSession): boolean => client.peers.has(1) && server.peers.has(client.id) && this.#knowsAll(client, server)
    const settled = (): boolean => joined.every((client) => client.state === 'closed' || isIn(client))
    this.network.runUntil(settled, { limitMs: (options.timeoutMs ?? 10_000) + 1000, what: `${count} clients to join` })
    const failed = joined.find(({ state }) => state === 'closed')
    if (failed !== undefined) {
      throw new VaivenError('ERR_REFUSED', `${this.nameOf(failed)} did not get in; connect() and its promise "ready" say why`)
    }
    return joined
  }

  /** Gone without a word, as a killed process is. The others notice after their timeout. */
  crash(session: GameSession): void {
    this.network.remove(this.nameOf(session))
    this.#places.delete(session)
  }

  /** The name of a session's place in the network. */
  nameOf(session: GameSession): string {
    return this.#place(session).name
  }

  /** The transport under a session: statistics, ledger. */
  hostOf(session: GameSession): Host {
    return this.#place(session).host
  }

  #knowsAll(client: GameSession, server: GameSession): boolean {
    // Without a relay clients know only the server; otherwise as many as the server knows, itself instead of the client.
    return !server.relays || client.peers.size === server.peers.size
  }

  #place(session: GameSession): { readonly name: string; readonly address: Address; readonly host: Host } {
    const place = this.#places.get(session)
    if (place === undefined) throw new VaivenError('ERR_ARGUMENT', 'this session does not live in this network')
    return place
  }

  #open(name: string, role: 'server' | 'client', options: Partial<GameSessionOptions>, hostOptions: HostOptions = {}): GameSession {
    const random = this.#random.fork()
    let session: GameSession | null = null
    const host = new Host({
      maxPeers: role === 'client' ? 2 : Math.min(4095, (options.maxPeers ?? 32) + 8),
      ...hostOptions,
      random: random.bytes,
      ...(role === 'server' ? { accept: (request) => session!.gate(request) } : { refuseConnections: true }),
    })
    const make = (port: HostPort): GameSession => new GameSession(port, { ...options, role, random: random.bytes })
    const endpoint = new SessionEndpoint(host, make, () => this.network.now)
    session = endpoint.session
    const { address } = this.network.add<never>(name, endpoint)
    this.#places.set(session, { name, address, host })
    return session
  }
}
