// The lobby: who plays, what they tell about themselves, who is ready, and Godot's start of a game: everybody prepares, reports done,
// and only the server releases them. Made of ordinary calls; works in a session and in a room. The server decides everything.

import { defineNode, rpc, RpcError, t } from '../rpc/index.ts'
import type { CallContext, NodeHandle, Type } from '../rpc/index.ts'
import { GuardedEmitter } from '../session/index.ts'
import type { ErrorEvents } from '../session/index.ts'
import { outOfRange, VaivenError } from '../util/errors.ts'
import type { GameRoom, GameSession } from './game-session.ts'

/** Where a lobby lives: a session, or a room. */
export type LobbyScope = GameSession | GameRoom

/** Somebody in the lobby. */
export interface Player<Info> {
  /** The id of its peer. */
  readonly id: number
  /** What it told about itself last. */
  readonly info: Info
  /** Whether it said `setReady`. */
  readonly ready: boolean
}

/** `gathering`: players come, go, get ready. `preparing`: everybody loads. `playing`: released. */
export type LobbyState = 'gathering' | 'preparing' | 'playing'

/** What a lobby tells, at the server and at every client alike. */
export interface LobbyEvents<Info> extends ErrorEvents {
  /** Somebody joined; at a client also those who joined after it, never itself. */
  playerJoined: [player: Player<Info>]
  /** New info, or ready or not. */
  playerChanged: [player: Player<Info>]
  /** Somebody left, or its connection ended. */
  playerLeft: [player: Player<Info>]
  /** Everybody prepares. [pre_configure_game] */
  preparing: []
  /** Everybody is prepared, and the server has released them. [post_configure_game] */
  started: []
  /** The start was called off, in words. */
  calledOff: [reason: string]
  /** The game is over; the lobby gathers again. */
  ended: []
}

/** What both sides say about a lobby; must be the same. */
interface SharedOptions<Info> {
  /** The codec type of what players tell about themselves. */
  info: Type<Info>
}

/** Options of `openLobby`. */
export interface OpenLobbyOptions<Info> extends SharedOptions<Info> {
  /** Most players, 1 to 4095; more are refused. @default 8 */
  maxPlayers?: number
  /** Fewest players that a game can have, 0 to 4095. @default 1 */
  minPlayers?: number
  /** Players may come while others play. @default false */
  joinWhilePlaying?: boolean
  /** Everybody must be ready before `start()`. @default true */
  requireReady?: boolean
  /** How long a player may take to prepare, ms, 1 to 86,400,000. @default 60000 */
  prepareTimeoutMs?: number
  /** The server's own say about what a player tells: nothing to accept, or why not. */
  check?: (info: Info, id: number) => string | undefined | void
}

/** Options of `joinLobby`. */
export interface JoinLobbyOptions<Info> extends SharedOptions<Info> {
  /** What we tell about ourselves. */
  me: Info
  /** Loads the level; the server waits for it. The signal fires when the start is called off. */
  prepare?: (signal: AbortSignal) => unknown
  /** How long to wait for the server's answer, ms. @default 10000 */
  timeoutMs?: number
}

const lobbyNode = <Info>(info: Type<Info>) => {
  const player = t.record({ id: t.u32, info, ready: t.bool })
  return defineNode('vaiven.lobby', {
    // client → server
    join: rpc.remote(info).returns(t.array(player, { max: 4095 })),
    change: rpc.remote(info),
    ready: rpc.remote(t.bool),
    leave: rpc.remote(),
    // server → clients
    joined: rpc.server(player),
    changed: rpc.server(player),
    left: rpc.server(t.u32),
    prepare: rpc.server().returns(t.bool),
    started: rpc.server(),
    calledOff: rpc.server(t.string),
    ended: rpc.server(),
  })
}

type LobbyNode<Info> = NodeHandle<ReturnType<typeof lobbyNode<Info>>['members']>
/** Info types are the program's; inside here a player is a player. */
type AnyPlayer<Info> = { id: number; info: Info; ready: boolean }

/** What servers and clients see of a lobby. */
export abstract class Lobby<Info> extends GuardedEmitter<LobbyEvents<Info>> {
  protected readonly all = new Map<number, Player<Info>>()
  protected phase: LobbyState = 'gathering'

  /** Everybody in it, by id; at a client ourselves, too. */
  get players(): ReadonlyMap<number, Player<Info>> {
    return this.all
  }

  /** Where the lobby stands. */
  get state(): LobbyState {
    return this.phase
  }

  /** Leaves the lobby (client), or ends it (server); nothing stays attached, and the session goes on. */
  abstract close(): void

  protected put(player: Player<Info>, event: 'playerJoined' | 'playerChanged'): void {
    this.all.set(player.id, player)
    this.tell(event, player)
  }

  protected drop(id: number): void {
    const player = this.all.get(id)
    if (player === undefined) return
    this.all.delete(id)
    this.tell('playerLeft', player)
  }

  /** The guarded dispatch, without asking the compiler what a generic event map is. */
  protected tell<Name extends keyof LobbyEvents<Info> & string>(name: Name, ...args: LobbyEvents<Info>[Name]): void {
    this.signal(name, ...(args as never))
  }
}

/** The server's side. */
export class ServerLobby<Info> extends Lobby<Info> {
  readonly #scope: LobbyScope
  readonly #node: LobbyNode<Info>
  readonly #options: Required<Omit<OpenLobbyOptions<Info>, 'info' | 'check'>> & Pick<OpenLobbyOptions<Info>, 'check'>
  #start: AbortController | null = null
  /** Who prepares; aborted for whoever leaves meanwhile. */
  readonly #preparing = new Map<number, AbortController>()
  readonly #onLeave = ({ id }: { id: number }): void => this.#remove(id)

  /** @internal use `openLobby` */
  constructor(scope: LobbyScope, options: OpenLobbyOptions<Info>) {
    super()
    if (!scope.isServer) throw new VaivenError('ERR_ARGUMENT', 'only the server opens a lobby; clients use joinLobby')
    integer('maxPlayers', options.maxPlayers, 1, 4095)
    integer('minPlayers', options.minPlayers, 0, 4095)
    integer('prepareTimeoutMs', options.prepareTimeoutMs, 1, 86_400_000)
    const { maxPlayers = 8, minPlayers = 1, joinWhilePlaying = false, requireReady = true, prepareTimeoutMs = 60_000, check } = options
    this.#options = { maxPlayers, minPlayers, joinWhilePlaying, requireReady, prepareTimeoutMs, ...(check === undefined ? {} : { check }) }
    this.#scope = scope
    const contract = lobbyNode(options.info)
    this.#node = scope.attach(contract, {
      join: (info: Info, { sender }: CallContext) => this.#join(info, sender),
      change: (info: Info, { sender }: CallContext) => this.#change(info, sender),
      ready: (ready: boolean, { sender }: CallContext) => this.#setReady(ready, sender),
      leave: ({ sender }: CallContext) => this.#remove(sender),
    } as never) as LobbyNode<Info>
    ;(scope as GameSession).on('peerDisconnected', this.#onLeave)
  }

  /** How many places are left. */
  get freePlaces(): number {
    return Math.max(0, this.#options.maxPlayers - this.all.size)
  }

  /** Everybody is there who must be, and ready. */
  get canStart(): boolean {
    return this.#obstacle() === null
  }

  /**
   * Starts a game: every player prepares, and when all are done, all are released at once. Resolves then.
   * @throws VaivenError (as a rejection) ERR_ARGUMENT (not enough players, somebody not ready, started already), ERR_TIMEOUT or
   *   ERR_REMOTE (a player could not prepare), ERR_ABORTED (called off)
   */
  async start(): Promise<void> {
    const obstacle = this.#obstacle()
    if (obstacle !== null) throw new VaivenError('ERR_ARGUMENT', `the game cannot start: ${obstacle}`)
    const controller = new AbortController()
    this.#start = controller
    this.phase = 'preparing'
    this.tell('preparing')
    try {
      await Promise.all([...this.all.keys()].map((id) => this.#prepare(id, controller.signal)))
      if (controller.signal.aborted) throw controller.signal.reason
      if (this.all.size < this.#options.minPlayers) throw new VaivenError('ERR_ABORTED', 'too few players are left')
    } catch (error) {
      if (this.#start === controller) this.#fallBack(error instanceof Error ? error.message : String(error))
      throw error
    }
    this.#start = null
    this.phase = 'playing'
    this.#toPlayers()?.started()
    this.tell('started')
  }

  /** Calls a start off that is under way; otherwise does nothing. */
  callOff(reason: string): void {
    if (this.#start !== null) this.#fallBack(reason)
  }

  /** The game is over: everybody gathers again, not ready. */
  end(): void {
    if (this.phase !== 'playing') return
    this.phase = 'gathering'
    for (const player of [...this.all.values()]) this.all.set(player.id, { ...player, ready: false })
    this.#toPlayers()?.ended()
    this.tell('ended')
  }

  close(): void {
    this.callOff('the lobby is closed')
    ;(this.#scope as GameSession).off('peerDisconnected', this.#onLeave)
    this.#node.detach()
  }

  #join(info: Info, id: number): AnyPlayer<Info>[] {
    if (this.all.has(id)) throw new RpcError('you are in the lobby already')
    if (this.phase !== 'gathering' && !this.#options.joinWhilePlaying) throw new RpcError('the game has started')
    if (this.freePlaces === 0) throw new RpcError(`the lobby is full (${this.#options.maxPlayers} players)`)
    const objection = this.#options.check?.(info, id)
    if (typeof objection === 'string') throw new RpcError(objection)
    const player = { id, info, ready: false }
    this.#toPlayers()?.joined(player as never)
    this.put(player, 'playerJoined')
    return [...this.all.values()]
  }

  #change(info: Info, id: number): void {
    const player = this.all.get(id)
    if (player === undefined || typeof this.#options.check?.(info, id) === 'string') return
    this.#update({ ...player, info })
  }

  #setReady(ready: boolean, id: number): void {
    const player = this.all.get(id)
    if (player !== undefined && player.ready !== ready && this.phase === 'gathering') this.#update({ ...player, ready })
  }

  #update(player: Player<Info>): void {
    this.#toPlayers()?.changed(player as never)
    this.put(player, 'playerChanged')
  }

  #remove(id: number): void {
    if (!this.all.has(id)) return
    this.drop(id)
    this.#preparing.get(id)?.abort()
    this.#toPlayers()?.left(id)
  }

  /** The players as a group; null when there is none. */
  #toPlayers(): ReturnType<LobbyNode<Info>['except']> | null {
    const here = [...this.all.keys()].filter((id) => this.#scope.peers.has(id))
    return here.length === 0 ? null : (this.#node.to(here) as ReturnType<LobbyNode<Info>['except']>)
  }

  async #prepare(id: number, signal: AbortSignal): Promise<void> {
    const leaving = new AbortController()
    this.#preparing.set(id, leaving)
    try {
      const player = this.#node.to(id) as unknown as { prepare(options: object): Promise<boolean> }
      await player.prepare({ timeoutMs: this.#options.prepareTimeoutMs, signal: AbortSignal.any([signal, leaving.signal]) })
    } catch (error) {
      // Whoever leaves meanwhile is no longer waited for.
      if (!this.all.has(id) || (error instanceof VaivenError && error.code === 'ERR_DISCONNECTED')) return
      throw error
    } finally {
      this.#preparing.delete(id)
    }
  }

  #fallBack(reason: string): void {
    const controller = this.#start
    this.#start = null
    this.phase = 'gathering'
    controller?.abort(new VaivenError('ERR_ABORTED', reason))
    this.#toPlayers()?.calledOff(reason)
    this.tell('calledOff', reason)
  }

  #obstacle(): string | null {
    if (this.phase !== 'gathering') return this.phase === 'playing' ? 'it is being played already' : 'it is starting already'
    if (this.all.size < this.#options.minPlayers) return `${this.all.size} of at least ${this.#options.minPlayers} players are here`
    const waiting = [...this.all.values()].filter(({ ready }) => !ready)
    return this.#options.requireReady && waiting.length > 0 ? `not ready: ${waiting.map(({ id }) => id).join(', ')}` : null
  }
}

/** A client's side. */
export class ClientLobby<Info> extends Lobby<Info> {
  readonly #scope: LobbyScope
  readonly #node: LobbyNode<Info>

  /** @internal use `joinLobby` */
  constructor(scope: LobbyScope, options: JoinLobbyOptions<Info>) {
    super()
    this.#scope = scope
    this.#node = scope.attach(lobbyNode(options.info), {
      joined: (player: AnyPlayer<Info>) => this.put(player, 'playerJoined'),
      changed: (player: AnyPlayer<Info>) => this.put(player, 'playerChanged'),
      left: (id: number) => this.drop(id),
      prepare: async ({ signal }: CallContext) => {
        this.phase = 'preparing'
        this.tell('preparing')
        await options.prepare?.(signal)
        return true
      },
      started: () => {
        this.phase = 'playing'
        this.tell('started')
      },
      calledOff: (reason: string) => {
        this.phase = 'gathering'
        this.tell('calledOff', reason)
      },
      ended: () => {
        this.phase = 'gathering'
        for (const player of [...this.all.values()]) this.all.set(player.id, { ...player, ready: false })
        this.tell('ended')
      },
    } as never) as LobbyNode<Info>
  }

  /** @internal */
  async enter(me: Info, timeoutMs: number): Promise<void> {
    const server = this.#server as unknown as { join(info: Info, o: object): Promise<AnyPlayer<Info>[]> }
    for (const player of await server.join(me, { timeoutMs })) this.all.set(player.id, player)
  }

  /** Ourselves. */
  get me(): Player<Info> | undefined {
    return this.all.get(this.#scope.id)
  }

  /** Tells something new about ourselves; everybody hears of it from the server. What its `check` objects to changes nothing. */
  update(info: Info): void {
    ;(this.#server as unknown as { change(info: Info): void }).change(info)
  }

  setReady(ready = true): void {
    ;(this.#server as unknown as { ready(ready: boolean): void }).ready(ready)
  }

  close(): void {
    if (this.#scope.peers.has(1)) (this.#server as { leave(): void }).leave()
    this.#node.detach()
    this.all.clear()
  }

  get #server(): unknown {
    return this.#node.to(1)
  }
}

/**
 * Opens a lobby at the server, in a session or a room.
 * @throws VaivenError ERR_ARGUMENT (not a server), ERR_OPTION_RANGE, ERR_CONTRACT (there is one already)
 */
export const openLobby = <Info>(scope: LobbyScope, options: OpenLobbyOptions<Info>): ServerLobby<Info> => new ServerLobby(scope, options)

/**
 * Joins the server's lobby; resolves when we are in it, with everybody who is.
 * @throws VaivenError (as a rejection) ERR_REMOTE with the server's words (full, started, not accepted), ERR_TIMEOUT, ERR_DISCONNECTED
 */
export const joinLobby = async <Info>(scope: LobbyScope, options: JoinLobbyOptions<Info>): Promise<ClientLobby<Info>> => {
  const lobby = new ClientLobby(scope, options)
  try {
    await lobby.enter(options.me, options.timeoutMs ?? 10_000)
  } catch (error) {
    lobby.close()
    throw error
  }
  return lobby
}

/** @throws VaivenError ERR_OPTION_RANGE */
const integer = (name: string, value: number | undefined, min: number, max: number): void => {
  if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) return
  throw outOfRange(`options.${name}`, value, `an integer from ${min} to ${max}`)
}
