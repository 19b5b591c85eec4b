// The shipped relay (`vaiven impair`) between real programs on the loopback interface, the same conditions both ways.

import { openLoopbackRelay } from '../../../bench/lib/loopback-relay.ts'
import type { Conditions } from '../../../src/transport/simulator/conditions.ts'

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

/** Opens a relay to 127.0.0.1:`targetPort`. The seed decides each datagram's fate by its client and number, in either direction. */
export const openRelay = async (targetPort: number, conditions: Conditions, seed: number): Promise<Relay> => {
  const relay = await openLoopbackRelay(targetPort, { conditions, seed, maxClients: 64, precise: false })
  const total = (counter: 'sent' | 'lost' | 'duplicated' | 'reordered'): number =>
    relay.totals('to')[counter] + relay.totals('from')[counter]
  return {
    port: relay.address.port,
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
    close: () => relay.close(),
  }
}
