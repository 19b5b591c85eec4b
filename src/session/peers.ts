// Who is in a scope: ids, seats, and what a program may know of each. No traffic here.

import type { Peer, PeerStats } from '../transport/types.ts'
import type { Seats } from './framing.ts'
import { SERVER_ID } from './ids.ts'
import { SERVER_SEAT } from './native-framing.ts'

/** Somebody else in the session. */
export interface SessionPeer {
  /** 1 is the server; clients are unpredictable numbers above. Unique while it is here. */
  readonly id: number
  /** Address and port of the connection [get_peer_address, get_peer_port]; '' and 0 for peers reached through the server. */
  readonly address: string
  readonly port: number
  /** Numbers of the connection; null for peers reached through the server. */
  readonly stats: PeerStats | null
  /** Yours: the session never looks at it. */
  userData: unknown
}

/** One line of a roster. */
export class Member implements SessionPeer {
  readonly id: number
  readonly seat: number
  userData: unknown = undefined
  readonly #connection: Peer | null

  constructor(id: number, seat: number, connection: Peer | null) {
    this.id = id
    this.seat = seat
    this.#connection = connection
  }

  get address(): string {
    return this.#connection?.address ?? ''
  }

  get port(): number {
    return this.#connection?.port ?? 0
  }

  get stats(): PeerStats | null {
    return this.#connection?.stats ?? null
  }
}

/** The members of a scope, without ourselves, by id and by seat. */
export class Roster implements Seats {
  readonly #members = new Map<number, Member>()
  readonly #seats = new Map<number, number>()
  #ids: readonly number[] | null = null

  /** In the order of joining. */
  get members(): ReadonlyMap<number, Member> {
    return this.#members
  }

  /** Ascending, as Godot walks its peers. */
  get ids(): readonly number[] {
    this.#ids ??= [...this.#members.keys()].sort((a, b) => a - b)
    return this.#ids
  }

  get size(): number {
    return this.#members.size
  }

  has(id: number): boolean {
    return this.#members.has(id)
  }

  get(id: number): Member | undefined {
    return this.#members.get(id)
  }

  add(member: Member): void {
    this.#members.set(member.id, member)
    this.#seats.set(member.seat, member.id)
    this.#ids = null
  }

  remove(id: number): Member | undefined {
    const member = this.#members.get(id)
    if (member === undefined) return undefined
    this.#members.delete(id)
    this.#seats.delete(member.seat)
    this.#ids = null
    return member
  }

  seatOf(id: number): number {
    return id === SERVER_ID ? SERVER_SEAT : (this.#members.get(id)?.seat ?? 0)
  }

  idOf(seat: number): number {
    return seat === SERVER_SEAT ? SERVER_ID : (this.#seats.get(seat) ?? 0)
  }
}
