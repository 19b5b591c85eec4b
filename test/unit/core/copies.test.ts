// Sending before anybody knows that something is lost: how many copies, when, and within which limits. SPEC §6.6.

import t from 'tap'
import { Copies, MAX_COPY_BYTES } from '../../../src/transport/core/copies.ts'
import type { Redundancy } from '../../../src/transport/core/copies.ts'
import { Lane } from '../../../src/transport/core/lane.ts'
import { Kind, Message, ReliableCommand } from '../../../src/transport/core/message.ts'

const lane = new Lane(0, true, 4, 10)

const command = (sequence: number, bytes = 50, urgent = true, once = false): ReliableCommand =>
  new ReliableCommand(lane, sequence, new Message(new Uint8Array(bytes), Kind.reliable), 0, null, bytes, sequence, urgent, once)

/** It leaves for the first time, or again. */
const leave = (copies: Copies, one: ReliableCommand, now: number, datagram = one.sequence, idle = false): void => {
  one.transmissions++
  one.lastDatagram = datagram
  copies.sent(one, now, 40, 0, now, idle)
}

t.test('lean: only what is sent again gets copies, two of them', (t) => {
  const copies = new Copies('off', 256)
  const one = command(1)
  leave(copies, one, 0)
  t.same([one.copiesLeft, copies.deadline], [0, Infinity])
  leave(copies, one, 100, 2)
  t.equal(one.copiesLeft, 2)
  t.equal(copies.deadline, 110, 'a quarter of the round trip')
  for (const at of [110, 120]) {
    t.equal(copies.next(at, 9, 1000, false), one)
    one.lastDatagram = at
    copies.copied(one, at, 40, 0, 100)
  }
  t.same([one.copiesLeft, copies.deadline, copies.next(200, 9, 1000, false), copies.sentCopies], [0, Infinity, null, 2])
  t.end()
})

t.test('what is large, and pings that only prove, get none', (t) => {
  const copies = new Copies(3, 256)
  for (const one of [command(1, 50, false), command(2, 4, true, true)]) {
    leave(copies, one, 0)
    leave(copies, one, 10)
    t.equal(one.copiesLeft, 0)
  }
  t.equal(copies.deadline, Infinity)
  t.end()
})

t.test('a copy is not in the datagram of the original, nor within 5 ms of it, nor larger than the room', (t) => {
  const copies = new Copies('off', 256)
  const one = command(1, 100)
  leave(copies, one, 0, 3)
  leave(copies, one, 100, 4)
  t.equal(copies.next(104, 5, 1000, false), null, 'back to back: one burst would take both')
  t.equal(copies.next(105, 4, 1000, false), null, 'the same datagram')
  t.equal(copies.next(105, 5, 105, false), null, 'no room for 106 bytes')
  t.equal(copies.next(105, 5, 106, false), one)
  one.queued = true
  t.equal(copies.next(105, 5, 1000, false), null, 'it is about to be sent again anyway')
  one.queued = false
  one.acknowledged = true
  t.equal(copies.next(105, 5, 1000, false), null)
  t.same([copies.due(500), copies.deadline], [false, Infinity])
  t.end()
})

t.test('a copy waits for company a quarter of the round trip, between 5 and 25 ms', (t) => {
  for (const [roundTrip, waits] of [[1, 5], [20, 5], [60, 15], [100, 25], [800, 25]] as const) {
    const copies = new Copies('off', 256)
    const one = command(1)
    one.transmissions = 2
    copies.sent(one, 0, roundTrip, 0, 0, false)
    t.equal(copies.deadline, waits, `${roundTrip} ms`)
    t.same([copies.due(waits - 0.1), copies.due(waits)], [false, true])
  }
  t.end()
})

t.test('redundancy by number or by the loss seen', (t) => {
  for (const fixed of ['off', 0, 1, 2, 3] as const) t.equal(new Copies(fixed, 256).planned(undefined), fixed === 'off' ? 0 : fixed)
  const auto = new Copies('auto', 256)
  auto.forwardOnly = true
  for (const [loss, planned] of [[0, 0], [0.0029, 0], [0.003, 1], [0.039, 1], [0.04, 2], [0.149, 2], [0.15, 3], [0.9, 3]] as const) {
    auto.lossRatio = loss
    t.equal(auto.planned(undefined), planned, `${loss}`)
  }
  // Towards a C peer lost acknowledgements count too: half of it is ours.
  auto.forwardOnly = false
  for (const [loss, planned] of [[0.0059, 0], [0.0061, 1], [0.077, 1], [0.079, 2], [0.27, 2], [0.28, 3], [1, 3]] as const) {
    auto.lossRatio = loss
    t.equal(auto.planned(undefined), planned, `${loss}`)
  }
  const perLane: readonly (readonly [Redundancy, number])[] = [['off', 0], [2, 2]]
  for (const [setting, planned] of perLane) t.equal(auto.planned(setting), planned, 'a channel has its own word')
  t.end()
})

t.test('first transmissions above redundancyBytes are not doubled', (t) => {
  const copies = new Copies(2, 256)
  copies.earn(65_536)
  for (const [bytes, planned] of [[256, 2], [257, 0]] as const) {
    const one = command(bytes, bytes)
    leave(copies, one, 0)
    t.equal(one.copiesLeft, planned)
  }
  t.end()
})

t.test('copies of first transmissions use as many bytes as everything else, and 8 per ms', (t) => {
  const copies = new Copies(3, 1200)
  const bytesPlanned = (from: number, count: number, now: number): number => {
    let bytes = 0
    for (let i = 0; i < count; i++) {
      const one = command(from + i, 94)
      leave(copies, one, now)
      bytes += one.copiesLeft * 100
    }
    return bytes
  }
  t.equal(bytesPlanned(0, 50, 0), 0, 'nothing was earned yet')
  t.equal(bytesPlanned(100, 50, 100), 800, '100 ms')
  copies.earn(1_000)
  t.equal(bytesPlanned(200, 50, 100), 1_000)
  copies.earn(1e9)
  const most = bytesPlanned(300, 5_000, 1e7)
  t.ok(most <= 65_536 && most > 60_000, `${most}: savings have a limit`)
  t.end()
})

t.test('while nothing comes back copies only ride along, further and further apart, and are not used up', (t) => {
  const copies = new Copies('off', 256)
  const one = command(1)
  one.transmissions = 3
  copies.sent(one, 1000, 40, 2, 0, false)
  t.equal(copies.deadline, Infinity)
  t.equal(copies.next(1039, 9, 1000, false), null)
  t.equal(copies.next(1040, 9, 1000, false), one, '4 % of the silence')
  copies.copied(one, 1040, 40, 2, 0)
  t.equal(one.copiesLeft, 2)
  t.end()
})

t.test('no more than 1,024 commands owe copies, and clear forgets all', (t) => {
  const copies = new Copies('off', 256)
  const all = Array.from({ length: 2000 }, (_, i) => command(i))
  for (const one of all) {
    one.transmissions = 2
    copies.sent(one, 0, 40, 0, 0, false)
  }
  t.equal(all.filter((one) => one.owing).length, 1024)
  copies.clear()
  t.same([copies.deadline, copies.next(1000, -1, MAX_COPY_BYTES, false)], [Infinity, null])
  t.end()
})
