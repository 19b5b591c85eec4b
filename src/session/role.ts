// The two roles of a session, server and client, and what both see of it. Types only.

import type { Delivery, Peer } from '../transport/types.ts'
import type { Timers } from '../util/timers.ts'
import type { Ending } from './endings.ts'
import type { SessionEvents } from './events.ts'
import type { HostPort } from './host-port.ts'
import type { Link } from './link.ts'
import type { ResolvedSessionOptions } from './options.ts'
import type { Room } from './room.ts'
import type { Scope } from './scope.ts'
import type { SystemMessage } from './system-messages.ts'

/** Where a session stands. `draining` and `closing` still carry what is on the way; `closed` is the end. */
export type SessionState = 'connecting' | 'open' | 'draining' | 'closing' | 'closed'

/** The session, as its role works on it. */
export interface SessionCore {
  readonly port: HostPort
  readonly options: ResolvedSessionOptions
  readonly timers: Timers
  /** The session itself as scope 0. */
  readonly scope: Scope<SessionEvents<Room>>
  readonly links: Map<Peer, Link>
  readonly rooms: Map<number, Room>
  state: SessionState
  /** Our own id. */
  id: number
  tell<Name extends keyof SessionEvents<Room> & string>(name: Name, ...args: SessionEvents<Room>[Name]): void
  openRoom(number: number, name: string, options: { maxPeers?: number; relay?: boolean }): Room
  /** Takes a packet as if it came now: for those that came too early. */
  receive(link: Link, channel: number, bytes: Uint8Array, delivery: Delivery): void
  /** Something that is no call and whose order does not matter. */
  sendUnordered(link: Link, message: SystemMessage): void
  /** What the session's clock shows, ms. */
  sessionTime(): number
  /** All calls that wait are told that nothing comes any more. */
  endScopes(ending: Ending): void
  /** The session is over, and not by our own wish: let go of the host. */
  letGo(): void
  close(): void
}

/** What a session does differently as a server and as a client. */
export interface Role {
  /** Client: the server, once connected. */
  readonly serverLink: Link | null
  /** Something waits for the next update. */
  readonly pending: boolean
  /** Server: a client's connection. */
  linkOf(id: number): Link | undefined
  /** A transport connection stands. */
  connected(peer: Peer, data: number): void
  /** A transport connection has ended. */
  disconnected(link: Link, ending: Ending): void
  /** A system message. @returns false when it makes no sense from there, or now */
  takeSystem(link: Link, scope: number, message: SystemMessage): boolean
  /** A connection has sent more than may wait before it has joined. */
  overflowed(link: Link): void
  /** Before the events of an update. */
  before(): void
  /** After one event. @returns false to leave the others for a later turn */
  afterEvent(): boolean
  /** After the events of an update. */
  after(): void
  /** The session is being closed by our own wish. */
  closing(data: number, text: string): void
  /** After `closing`: somebody still gets the time that its framing asks for. */
  readonly parting: boolean
}

/** Says goodbye in words; the 32 bits of the transport come anyway. */
export const sayGoodbye = (core: SessionCore, link: Link, code: number, text: string): void => {
  if (text !== '') core.scope.sendSystem(link, { kind: 'bye', code, text })
}
