// A UDP relay on the loopback interface that loses, doubles and delays datagrams by seed, between real programs and one
// target. Each client gets a socket of its own towards the target, so that the target can tell them apart.

import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SeededRandom } from '../../../src/util/random.ts'
import type { Conditions } from './world.ts'

/** A running relay. */
export interface Relay {
  /** Where clients must send to, on 127.0.0.1. */
  readonly port: number
  readonly forwarded: number
  readonly lost: number
  readonly doubled: number
  close(): Promise<void>
}

/** Opens a relay to 127.0.0.1:`targetPort`. The seed decides each datagram's fate by its number, in either direction. */
export const openRelay = async (targetPort: number, conditions: Conditions, seed: number): Promise<Relay> => {
  const random = new SeededRandom(seed)
  const upward = random.fork()
  const downward = random.fork()
  const front = createSocket('udp4')
  const backs = new Map<number, Socket>()
  const timers = new Set<NodeJS.Timeout>()
  const counts = { forwarded: 0, lost: 0, doubled: 0 }
  let closed = false

  const pass = (chance: SeededRandom, send: () => void): void => {
    const { latencyMs = 0, jitterMs = 0, loss = 0, duplicate = 0, reorder = 0, reorderMs = 20 } = conditions
    if (chance.chance(loss)) {
      counts.lost++
      return
    }
    const copies = chance.chance(duplicate) ? 2 : 1
    counts.doubled += copies - 1
    for (let copy = 0; copy < copies; copy++) {
      counts.forwarded++
      const delay = latencyMs + chance.unit() * jitterMs + (chance.chance(reorder) ? chance.unit() * reorderMs : 0)
      if (delay === 0) {
        send()
        continue
      }
      const timer = setTimeout(() => {
        timers.delete(timer)
        if (!closed) send()
      }, delay)
      timers.add(timer)
    }
  }

  const backFor = (clientPort: number): Socket => {
    const known = backs.get(clientPort)
    if (known !== undefined) return known
    const back = createSocket({ type: 'udp4', recvBufferSize: 1 << 20, sendBufferSize: 1 << 20 })
    back.on('error', () => {})
    back.on('message', (bytes) => pass(downward, () => front.send(bytes, clientPort, '127.0.0.1')))
    back.bind(0, '127.0.0.1')
    backs.set(clientPort, back)
    return back
  }

  front.on('error', () => {})
  front.on('message', (bytes, from) => {
    const back = backFor(from.port)
    pass(upward, () => back.send(bytes, targetPort, '127.0.0.1'))
  })
  front.bind(0, '127.0.0.1')
  await once(front, 'listening')
  return {
    port: (front.address() as AddressInfo).port,
    get forwarded() {
      return counts.forwarded
    },
    get lost() {
      return counts.lost
    },
    get doubled() {
      return counts.doubled
    },
    async close() {
      closed = true
      for (const timer of timers) clearTimeout(timer)
      for (const socket of [front, ...backs.values()]) {
        socket.close()
        await once(socket, 'close')
      }
    },
  }
}
