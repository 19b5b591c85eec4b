// Sessions with calls on a real core in a virtual network: one server, any number of clients, one seed.

import { GameSession } from '../../src/game/game-session.ts'
import type { GameSessionOptions } from '../../src/game/game-session.ts'
import { SessionEndpoint } from '../../src/session/session-endpoint.ts'
import { Host } from '../../src/transport/core/host.ts'
import type { HostOptions } from '../../src/transport/core/options.ts'
import { Network } from '../../src/transport/simulator/network.ts'
import type { NetworkNode } from '../../src/transport/simulator/node.ts'
import type { PathConditions } from '../../src/transport/simulator/conditions.ts'
import { SeededRandom } from '../../src/util/random.ts'
import { logSignals } from './session-bench.ts'

export interface GamePlayer {
  readonly name: string
  readonly session: GameSession
  readonly node: NetworkNode<never>
  readonly host: Host
  readonly log: string[]
}

export interface GameBenchOptions {
  readonly seed?: number
  readonly path?: PathConditions
  readonly server?: Partial<GameSessionOptions>
  readonly host?: HostOptions
}

/** A bad network in the words of the issue: 80 ms there and back, jitter, loss. */
export const badPath = (lossRatio = 0.05): PathConditions => ({ latencyMs: 40, jitterMs: 20, lossRatio, duplicateRatio: 0.01, reorderRatio: 0.02 })

export class GameBench {
  readonly network: Network
  readonly server: GamePlayer
  readonly clients: GamePlayer[] = []
  readonly #random: SeededRandom
  readonly #host: HostOptions
  #made = 0

  constructor({ seed = 1, path = {}, server = {}, host = {} }: GameBenchOptions = {}) {
    this.network = new Network({ seed, path, hash: false })
    this.#random = new SeededRandom(seed)
    this.#host = { timeout: { limit: 32, minimumMs: 2000, maximumMs: 5000 }, ...host }
    let session: GameSession | null = null
    const made = this.#make('server', { role: 'server', ...server }, (request) => session!.gate(request))
    session = made.session
    this.server = made
  }

  /** A client on its way in. */
  client(options: Partial<GameSessionOptions> & { timeoutMs?: number } = {}): GamePlayer {
    const { timeoutMs = 20_000, ...rest } = options
    const player = this.#make(`client${++this.#made}`, { role: 'client', ...rest })
    this.clients.push(player)
    player.session.start(this.server.node.address, timeoutMs)
    return player
  }

  /** So many clients, all knowing each other; logs emptied. */
  join(count: number, options: Partial<GameSessionOptions> = {}): GamePlayer[] {
    const joined = Array.from({ length: count }, () => this.client(options))
    const here = [this.server, ...this.clients]
    this.network.runUntil(() => here.every(({ session }) => session.peerIds.length === here.length - 1), { limitMs: 30_000, what: 'all joined' })
    for (const { log } of here) log.length = 0
    return joined
  }

  /** Gone without a word. */
  crash(player: GamePlayer): void {
    this.network.remove(player.name)
  }

  #make(name: string, options: Pick<GameSessionOptions, 'role'> & Partial<GameSessionOptions>, accept?: HostOptions['accept']): GamePlayer {
    const random = this.#random.fork()
    const host = new Host({ ...this.#host, random: random.bytes, ...(accept === undefined ? {} : { accept }) })
    const endpoint = new SessionEndpoint(host, (port) => new GameSession(port, { random: random.bytes, ...options }), () => this.network.now)
    const node = this.network.add<never>(name, endpoint)
    return { name, session: endpoint.session, node, host, log: logSignals(endpoint.session as never) }
  }
}
