// Counters that run over, between our host and the C library: 16-bit sequence numbers, the unreliable number that must not
// wrap, unsequenced groups, and clocks of 16 and 32 bits.

import t from 'tap'
import type { Delivery } from '../../src/transport/types.ts'
import { bothWays, closeHosts, connectedPair } from './support/hosts.ts'
import type { Pair } from './support/hosts.ts'
import { skipReason } from './support/native.ts'
import { converse, keepBooks, sendNoted } from './support/traffic.ts'
import type { Books } from './support/traffic.ts'

t.afterEach(closeHosts)
const skip = { skip: skipReason }

/** Sends `count` packets of 8 bytes each way on channel 0, as fast as they are taken. */
const stream = (pair: Pair, delivery: Delivery, count: number, perStep: number): Books => {
  const books = keepBooks(pair)
  while (books.up.count < count || books.down.count < count) {
    for (let i = 0; i < perStep; i++) {
      if (books.up.count < count && books.up.owed < 3_000) sendNoted(pair.clientPeer, books.up, 1, 0, delivery, 8)
      if (books.down.count < count && books.down.owed < 3_000) sendNoted(pair.serverPeer, books.down, 1, 0, delivery, 8)
    }
    pair.world.runFor(10)
  }
  pair.world.runUntil(() => books.up.owed === 0 && books.down.owed === 0, 60_000)
  pair.world.runFor(1_000)
  return books
}

for (const roles of bothWays) {
  t.test(`${roles.title}: 70,000 reliable packets on one channel each way, past the end of the 16-bit numbers`, skip, (t) => {
    const books = stream(connectedPair(roles, { conditions: { latencyMs: 1 } }), 'reliable', 70_000, 1_000)
    t.same([...books.up.wrong, ...books.down.wrong, books.up.owed, books.down.owed], [0, 0])
    t.end()
  })

  t.test(`${roles.title}: the same through loss, doubling and reordering`, skip, (t) => {
    const worse = { lossRatio: 0.01, duplicateRatio: 0.01, reorderRatio: 0.02, reorderByMs: [0, 30] as const }
    const conditions = { latencyMs: 2, jitterMs: 3, keepOrder: false, ...worse }
    const books = stream(connectedPair(roles, { seed: 5, conditions }), 'reliable', 67_000, 500)
    t.same([...books.up.wrong, ...books.down.wrong, books.up.owed, books.down.owed], [0, 0])
    t.end()
  })

  t.test(`${roles.title}: the unreliable packet after number 65,535 on a channel becomes reliable, and those after it go on`, skip, (t) => {
    const pair = connectedPair(roles, { conditions: { latencyMs: 1 } })
    const heard = { up: 0, down: 0, reliable: [] as number[], backwards: 0 }
    const count = (way: 'up' | 'down') => (event: (typeof pair.client.events)[number]): void => {
      if (event.type !== 'receive') return
      const number = new DataView(event.bytes.buffer, event.bytes.byteOffset).getUint32(0)
      if (number !== heard[way]) heard.backwards++
      heard[way] = number + 1
      if (event.delivery === 'reliable') heard.reliable.push(number)
    }
    pair.server.onEvent = count('up')
    pair.client.onEvent = count('down')
    const bytes = new Uint8Array(8)
    const last = 65_600
    for (let i = 0; i < last; ) {
      for (let burst = 0; burst < 400 && i < last; burst++, i++) {
        new DataView(bytes.buffer).setUint32(0, i)
        pair.clientPeer.send(0, bytes.slice(), 'unreliable')
        pair.serverPeer.send(0, bytes.slice(), 'unreliable')
      }
      pair.world.runFor(10)
    }
    pair.world.runFor(1_000)
    t.same([heard.up, heard.down, heard.backwards], [last, last, 0], 'none is missing on a link without loss')
    t.same(heard.reliable, [65_535, 65_535], 'the 65,536th in a row')
    t.end()
  })

  t.test(`${roles.title}: 67,000 unsequenced packets, past the end of their 16-bit groups`, skip, (t) => {
    const books = stream(connectedPair(roles, { conditions: { latencyMs: 1 } }), 'unsequenced', 67_000, 400)
    t.same([...books.up.wrong, ...books.down.wrong], [])
    t.same([books.up.received.unsequenced, books.down.received.unsequenced], [67_000, 67_000])
    t.end()
  })

  for (const [what, clock] of [
    ['the 16-bit sent time', 64_000],
    ['the 32-bit clock', 2 ** 32 - 2_000],
  ] as const) {
    t.test(`${roles.title}: ${what} runs over on both sides during a conversation through loss`, skip, (t) => {
      // Ours tells the time that the world gives it, the C library its own.
      const conditions = { latencyMs: 30, jitterMs: 10, lossRatio: 0.1 }
      const pair = connectedPair(roles, { seed: 4, conditions, startMs: clock, both: { clockStartMs: clock } })
      const books = converse(pair, { seed: 4, packets: 400, channels: 3, pauseMs: 90 })
      t.same([...books.up.wrong, ...books.down.wrong, books.up.owed, books.down.owed], [0, 0])
      t.ok(pair.world.now > clock + 3_000, 'it did run over')
      t.same([pair.client.of('disconnect').length, pair.server.of('disconnect').length], [0, 0])
      t.end()
    })
  }
}
