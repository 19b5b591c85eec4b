// The public `VirtualSessions` with a log of signals for each session: one server, any number of clients, one seed.

import type { GameSession, GameSessionOptions } from '../../src/game/game-session.ts'
import { VirtualSessions } from '../../src/testing.ts'
import type { Host } from '../../src/transport/core/host.ts'
import type { HostOptions } from '../../src/transport/core/options.ts'
import type { PathConditions } from '../../src/transport/simulator/conditions.ts'
import type { Network } from '../../src/transport/simulator/network.ts'
import { logSignals } from './session-bench.ts'

export interface GamePlayer {
  readonly name: string
  readonly session: GameSession
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
export const badPath = (lossRatio = 0.05): PathConditions =>
  ({ latencyMs: 40, jitterMs: 20, lossRatio, duplicateRatio: 0.01, reorderRatio: 0.02 })

export class GameBench {
  readonly play: VirtualSessions
  readonly network: Network
  readonly server: GamePlayer
  readonly clients: GamePlayer[] = []
  readonly #host: HostOptions

  constructor({ seed = 1, path = {}, server = {}, host = {} }: GameBenchOptions = {}) {
    this.play = new VirtualSessions({ seed, path, hash: false })
    this.network = this.play.network
    this.#host = { timeout: { limit: 32, minimumMs: 2000, maximumMs: 5000 }, ...host }
    this.server = this.#player(this.play.listen({ host: this.#host, ...server }))
  }

  /** A client on its way in. */
  client(options: Partial<GameSessionOptions> & { timeoutMs?: number } = {}): GamePlayer {
    const player = this.#player(this.play.connect(this.server.session, { host: this.#host, timeoutMs: 20_000, ...options }))
    this.clients.push(player)
    return player
  }

  /** So many clients, all knowing each other; logs emptied. */
  join(count: number, options: Partial<GameSessionOptions> = {}): GamePlayer[] {
    const joined = this.play.join(
      this.server.session,
      count,
      { host: this.#host, timeoutMs: 30_000, ...options },
    ).map((session) => this.#player(session))
    this.clients.push(...joined)
    this.server.log.length = 0
    return joined
  }

  /** Gone without a word. */
  crash(player: GamePlayer): void {
    this.play.crash(player.session)
  }

  #player(session: GameSession): GamePlayer {
    return { name: this.play.nameOf(session), session, host: this.play.hostOf(session), log: logSignals(session as never) }
  }
}
