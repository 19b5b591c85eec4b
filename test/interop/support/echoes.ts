// Talks to an echo server through a host of ours on a real socket: packets of every kind and size, and a check of every echo.

import { once } from 'node:events'
import { SeededRandom } from '../../../src/util/random.ts'
import type { Delivery, Peer } from '../../../src/transport/types.ts'
import type { UdpHost } from '../../../src/transport/udp-host.ts'
import { Book } from './book.ts'
import { payload } from './payload.ts'

/** What to say. */
export interface MixedOptions {
  packets: number
  seed: number
  channels: number
  /** Largest packet of all. */
  maxBytes: number
  /** Smallest: 1 where the C library must not compress an empty one. @default 0 */
  minBytes?: number
}

/**
 * Sends packets of every kind and size and waits until every reliable one is back.
 * @returns the book of the echoes
 */
export const exchangeMixed = async (host: UdpHost, peer: Peer, options: MixedOptions): Promise<Book> => {
  const { packets, seed, channels, maxBytes, minBytes = 0 } = options
  const random = new SeededRandom(seed)
  const book = new Book()
  const onReceive = (_: Peer, channel: number, bytes: Uint8Array, delivery: Delivery): void => book.arrived({ channel, bytes, delivery })
  host.on('receive', onReceive)
  const kinds = ['reliable', 'unreliable', 'reliable', 'unsequenced'] as const
  for (let i = 0; i < packets; i++) {
    const size = mixedSize(random, i, packets, minBytes, maxBytes)
    const delivery = size > 8_000 ? 'reliable' : size > 500 ? kinds[random.below(3)]! : kinds[random.below(4)]!
    const channel = random.below(channels)
    const bytes = payload(seed, book.count, size)
    book.sent(channel, delivery, bytes)
    peer.send(channel, bytes, delivery)
    // A window of our own: endless queues are not what is tested here.
    while (book.owed > 300) await once(host, 'receive')
  }
  while (book.owed > 0) await once(host, 'receive')
  host.off('receive', onReceive)
  return book
}

/** Mostly small, as in games; some need several datagrams; five large ones. */
const mixedSize = (random: SeededRandom, i: number, packets: number, minBytes: number, maxBytes: number): number => {
  if (i === packets >> 1) return maxBytes
  if (i > 0 && i % Math.ceil(packets / 5) === 0) return (maxBytes >> 3) + random.below(maxBytes >> 3)
  const kind = random.unit()
  const most = kind < 0.7 ? 100 : kind < 0.92 ? 1_400 : kind < 0.99 ? 6_000 : 20_000
  return Math.max(minBytes, random.below(Math.min(most, maxBytes) + 1))
}
