// A room: an isolated roster in the server's process, with its own broadcast and RPC scope. The server puts clients in and
// takes them out; clients ask by an ordinary call of the program's own.

import { VaivenError } from '../util/errors.ts'
import type { ScopeEvents } from './events.ts'
import { MAX_NAME_BYTES } from './system-messages.ts'
import type { ScopeHome } from './scope.ts'
import { Scope } from './scope.ts'

/** One room of a session. On a client: a room that it is in, with the server as peer 1. */
export class Room extends Scope<ScopeEvents> {
  readonly name: string
  /** Most clients, 1 to 4095. */
  readonly maxPeers: number
  readonly #home: ScopeHome
  #open = true
  /** @internal */
  onClosed: () => void = () => undefined

  constructor(number: number, name: string, home: ScopeHome, options: { maxPeers?: number } = {}) {
    super(number)
    this.name = name
    this.maxPeers = options.maxPeers ?? 4095
    this.#home = home
  }

  /** @internal */
  protected get home(): ScopeHome {
    return this.#home
  }

  /** False once the server has closed it, or taken us out. */
  get isOpen(): boolean {
    return this.#open
  }

  /**
   * Server: puts a client into the room.
   * @throws VaivenError ERR_ARGUMENT (not a server, nobody with that id), ERR_NO_SLOT (the room is full), ERR_CLOSED
   */
  add(id: number): void {
    const { home } = this
    if (!home.isServer) throw new VaivenError('ERR_ARGUMENT', 'only the server puts clients into rooms')
    if (!this.#open) throw new VaivenError('ERR_CLOSED', `room "${this.name}" is closed`)
    if (this.roster.has(id)) return
    const link = home.linkOf(id)
    if (link === undefined || link.state !== 'joined') throw new VaivenError('ERR_ARGUMENT', `peer ${id} is not here`)
    if (this.roster.size >= this.maxPeers) throw new VaivenError('ERR_NO_SLOT', `room "${this.name}" is full (${this.maxPeers})`)
    if (!link.framing.handshake) link.homeScope = this.number
    this.introduce(link, home.id, { kind: 'roomJoined', name: this.name })
    this.admit(link)
    home.wake()
  }

  /** Server: takes a client out of the room; it stays in the session. Nobody there: does nothing. */
  remove(id: number, text = ''): void {
    if (!this.home.isServer || !this.roster.has(id)) return
    const link = this.home.linkOf(id)
    if (link !== undefined) {
      if (link.homeScope === this.number) link.homeScope = 0
      link.introductions.cancel(this.number, this.home.id)
      this.sendSystem(link, { kind: 'roomLeft', text })
    }
    this.dismiss(id, { reason: 'left', data: 0, text })
    this.home.wake()
  }

  /** Server: takes everybody out and forgets the room. */
  close(text = ''): void {
    if (!this.#open) return
    for (const id of this.roster.ids) this.remove(id, text)
    this.scopeEnded({ reason: 'closed', data: 0, text })
    this.onClosed()
  }

  /** @internal */
  override scopeEnded(ending: Parameters<Scope<ScopeEvents>['scopeEnded']>[0]): void {
    if (!this.#open) return
    this.#open = false
    super.scopeEnded(ending)
  }
}

/** @throws VaivenError ERR_ARGUMENT */
export const checkRoomName = (name: string): void => {
  if (typeof name !== 'string' || name === '' || new TextEncoder().encode(name).length > MAX_NAME_BYTES) {
    throw new VaivenError('ERR_ARGUMENT', `a room's name is ${JSON.stringify(name)}; it must be a text of 1 to ${MAX_NAME_BYTES} bytes`)
  }
}
