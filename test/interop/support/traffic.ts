// Seeded traffic between two connected hosts, with the books of both directions.

import { SeededRandom } from '../../../src/util/random.ts'
import type { Delivery } from '../../../src/transport/types.ts'
import type { AnyPeer } from './any.ts'
import { Book } from './book.ts'
import type { Pair } from './hosts.ts'
import { payload } from './payload.ts'
import type { Station } from './world.ts'

/** What a conversation consists of. */
export interface TrafficOptions {
  seed: number
  /** Packets in each direction. */
  packets: number
  channels: number
  /** How the choice falls; equal chances. @default reliable, unreliable and unsequenced */
  deliveries?: readonly Delivery[]
  /** Largest packet of all, bytes; most are small. Unsequenced ones stay below 500, so that they need no fragments. */
  maxBytes?: number
  /** Smallest packet, bytes: 1 where empty ones must not be sent. @default 0 */
  minBytes?: number
  /** Longest pause between two bursts of sending, ms. @default 30 */
  pauseMs?: number
  /** Longest wait for what is still owed in the end, ms of virtual time. @default 120000 */
  limitMs?: number
  /** Which ways. @default both */
  directions?: 'both' | 'up' | 'down'
}

/** The books of a conversation. `up`: client to server. */
export interface Books {
  readonly up: Book
  readonly down: Book
}

/** Starts keeping books: every packet that arrives from now on is checked. */
export const keepBooks = ({ client, server }: Pair): Books => {
  const books = { up: new Book(), down: new Book() }
  const check = (station: Station, book: Book): void => {
    station.onEvent = (event) => {
      if (event.type === 'receive') book.arrived(event)
    }
  }
  check(server, books.up)
  check(client, books.down)
  return books
}

/** Sends packet number `book.count` and notes it. */
export const sendNoted = (peer: AnyPeer, book: Book, seed: number, channel: number, delivery: Delivery, size: number): void => {
  const bytes = payload(seed, book.count, size)
  book.sent(channel, delivery, bytes)
  peer.send(channel, bytes, delivery)
}

/** Talks in both directions at once, in bursts of a few packets, and waits until everything reliable has arrived. */
export const converse = (pair: Pair, options: TrafficOptions): Books => {
  const { seed, packets, channels, maxBytes = 8_000, minBytes = 0, pauseMs = 30, limitMs = 120_000, directions = 'both' } = options
  const { deliveries = ['reliable', 'unreliable', 'unsequenced'] } = options
  const random = new SeededRandom(seed)
  const books = keepBooks(pair)
  const size = (delivery: Delivery): number => {
    const kind = random.unit()
    const most = kind < 0.7 ? 100 : kind < 0.9 ? 1_400 : maxBytes
    return minBytes + random.below(Math.min(most, delivery === 'unsequenced' ? 500 : maxBytes) + 1 - minBytes)
  }
  const speak = (peer: AnyPeer, book: Book): void => {
    for (let burst = 1 + random.below(5); burst > 0 && book.count < packets; burst--) {
      const delivery = deliveries[random.below(deliveries.length)]!
      sendNoted(peer, book, seed, random.below(channels), delivery, size(delivery))
    }
  }
  const isSaid = (book: Book, way: 'up' | 'down'): boolean => book.count >= packets || (directions !== 'both' && directions !== way)
  while (!isSaid(books.up, 'up') || !isSaid(books.down, 'down')) {
    if (!isSaid(books.up, 'up')) speak(pair.clientPeer, books.up)
    if (!isSaid(books.down, 'down')) speak(pair.serverPeer, books.down)
    pair.world.runFor(random.unit() * pauseMs)
  }
  pair.world.runUntil(() => books.up.owed === 0 && books.down.owed === 0, limitMs)
  // Late copies must not be delivered: give them time to come.
  pair.world.runFor(1_000)
  return books
}
