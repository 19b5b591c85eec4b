// A UDP relay on the loopback interface: two links of the shipped simulator between real programs and one target. Each client
// gets a socket of its own towards the target, so that the target can tell them apart.

import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Conditions } from '../../../src/transport/simulator/conditions.ts'
import { Link } from '../../../src/transport/simulator/link.ts'

/** A running relay. */
export interface Relay {
  /** Where clients must send to, on 127.0.0.1. */
  readonly port: number
  /** Datagrams in both directions, by what became of them. */
  readonly sent: number
  readonly lost: number
  readonly doubled: number
  readonly reordered: number
  close(): Promise<void>
}

/** Opens a relay to 127.0.0.1:`targetPort`. The seed decides each datagram's fate by its number, in either direction. */
export const openRelay = async (targetPort: number, conditions: Conditions, seed: number): Promise<Relay> => {
  const front = createSocket('udp4')
  const backs = new Map<number, Socket>()
  const up = new Direction(conditions, seed)
  const down = new Direction(conditions, seed + 1)

  const backFor = (clientPort: number): Socket => {
    const known = backs.get(clientPort)
    if (known !== undefined) return known
    const back = createSocket({ type: 'udp4', recvBufferSize: 1 << 20, sendBufferSize: 1 << 20 })
    back.on('error', () => {})
    back.on('message', (bytes) => down.pass(bytes, (out) => front.send(out, clientPort, '127.0.0.1')))
    back.bind(0, '127.0.0.1')
    backs.set(clientPort, back)
    return back
  }

  front.on('error', () => {})
  front.on('message', (bytes, from) => {
    const back = backFor(from.port)
    up.pass(bytes, (out) => back.send(out, targetPort, '127.0.0.1'))
  })
  front.bind(0, '127.0.0.1')
  await once(front, 'listening')
  const total = (counter: 'sent' | 'lost' | 'duplicated' | 'reordered'): number => up.link.ledger[counter] + down.link.ledger[counter]
  return {
    port: (front.address() as AddressInfo).port,
    get sent() {
      return total('sent')
    },
    get lost() {
      return total('lost')
    },
    get doubled() {
      return total('duplicated')
    },
    get reordered() {
      return total('reordered')
    },
    async close() {
      up.stop()
      down.stop()
      for (const socket of [front, ...backs.values()]) {
        socket.close()
        await once(socket, 'close')
      }
    },
  }
}

/** A link of the simulator on the real clock. */
class Direction {
  readonly link: Link<(bytes: Uint8Array) => void>
  #timer: NodeJS.Timeout | undefined
  #timerAt = Infinity

  constructor(conditions: Conditions, seed: number) {
    this.link = new Link(conditions, { seed })
  }

  pass(bytes: Uint8Array, send: (bytes: Uint8Array) => void): void {
    this.link.send(bytes, performance.now(), send)
    this.#release()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #release(): void {
    const now = performance.now()
    for (let arrival = this.link.poll(now); arrival !== null; arrival = this.link.poll(now)) arrival.tag(arrival.bytes)
    const next = this.link.deadline()
    if (next === this.#timerAt) return
    clearTimeout(this.#timer)
    this.#timerAt = next
    if (next === Infinity) return
    this.#timer = setTimeout(() => {
      this.#timerAt = Infinity
      this.#release()
    }, next - now)
  }
}
