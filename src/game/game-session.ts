// A session with calls, and rooms with calls: what `listen` and `connect` give. Puts session and rpc together, adds nothing.

import { Room, Session } from '../session/index.ts'
import type { ContractDifference, HostPort, ScopeHome, SessionOptions } from '../session/index.ts'
import { Timers } from '../util/timers.ts'
import { callMethods, Calls } from './calls.ts'
import type { CallMethods, CallsOptions } from './calls.ts'

/** Options of a session with calls. */
export interface GameSessionOptions extends SessionOptions {
  /** Limits and bounds of calls, here and in rooms. */
  calls?: CallsOptions
}

/** A room with calls. */
export class GameRoom extends Room {
  /** @internal */
  readonly calls: Calls

  /** @internal rooms are opened by `session.createRoom` */
  constructor(number: number, name: string, home: ScopeHome, options: { maxPeers?: number }, timers: Timers, calls: CallsOptions) {
    super(number, name, home, options)
    this.calls = new Calls(
      {
        scope: this,
        timers,
        now: () => home.now(),
        wake: () => home.wake(),
        contractMismatch: (difference) => this.signal('contractMismatch', difference as ContractDifference),
      },
      calls,
    )
    this.layer = this.calls.layer
  }
}

/** A session with calls. */
export class GameSession extends Session<GameRoom> {
  /** @internal */
  readonly calls: Calls
  readonly #callsOptions: CallsOptions

  constructor(port: HostPort, options: GameSessionOptions) {
    super(port, options)
    this.#callsOptions = options.calls ?? {}
    this.calls = new Calls(
      {
        scope: this as never,
        timers: this.timers,
        now: () => port.now(),
        wake: () => port.wake(),
        contractMismatch: (difference) => this.signal('contractMismatch', difference as ContractDifference),
      },
      this.#callsOptions,
    )
    this.layer = this.calls.layer
  }

  protected override newRoom(number: number, name: string, home: ScopeHome, options: { maxPeers?: number }): GameRoom {
    return new GameRoom(number, name, home, options, this.timers, this.#callsOptions)
  }
}

// Both have the same methods, written once in calls.ts.
export interface GameSession extends CallMethods {}
export interface GameRoom extends CallMethods {}
for (const { prototype } of [GameSession, GameRoom]) {
  for (const [name, value] of Object.entries(callMethods)) {
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true })
  }
}
