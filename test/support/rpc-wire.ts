// Dispatchers without a session: a full mesh of ports over queues, with a virtual clock. Small and fast enough to run tens of
// thousands of schedules.

import { Dispatcher, NativeDialect } from '../../src/rpc/index.ts'
import type { CallDelivery, DispatcherOptions, RpcPort, RpcViolation } from '../../src/rpc/index.ts'
import { VaivenError } from '../../src/util/errors.ts'
import { Timers } from '../../src/util/timers.ts'
import type { Timer } from '../../src/util/timers.ts'

interface Letter {
  readonly from: number
  readonly to: number
  readonly payload: Uint8Array
  readonly delivery: CallDelivery
}

/** One peer of the mesh. */
export interface MeshPeer {
  readonly id: number
  readonly dispatcher: Dispatcher
  readonly errors: unknown[]
  readonly violations: RpcViolation[]
}

/** Peers that all reach each other; 1 is the server. */
export class Mesh {
  now = 0
  readonly timers = new Timers()
  readonly peers = new Map<number, MeshPeer>()
  /** Letters under way, oldest first. */
  readonly mail: Letter[] = []

  constructor(ids: readonly number[], options: DispatcherOptions = {}) {
    for (const id of ids) this.#add(id, options)
    for (const a of ids) for (const b of ids) if (a !== b) this.peers.get(a)!.dispatcher.peerConnected(b, 'vaiven', a === 1 || b === 1)
    this.deliverAll()
  }

  peer(id: number): MeshPeer {
    return this.peers.get(id)!
  }

  /** Delivers the letter at `index`; those in front of it are overtaken. @returns false when there is none */
  deliver(index = 0): boolean {
    const [letter] = this.mail.splice(index, 1)
    if (letter === undefined) return false
    const receiver = this.peers.get(letter.to)
    if (receiver !== undefined && this.peers.has(letter.from)) receiver.dispatcher.receive(
      letter.from,
      letter.payload,
      letter.delivery,
      'vaiven',
    )
    return true
  }

  deliverAll(): void {
    while (this.deliver());
  }

  advance(ms: number): void {
    this.now += ms
    this.timers.advance(this.now)
  }

  /** A peer is gone, for everybody and for itself. */
  leave(id: number): void {
    const gone = this.peers.get(id)
    if (gone === undefined) return
    this.peers.delete(id)
    for (const peer of this.peers.values()) peer.dispatcher.peerDisconnected(id)
    gone.dispatcher.ended(new VaivenError('ERR_DISCONNECTED', 'left'))
  }

  #add(id: number, options: DispatcherOptions): void {
    const mesh = this
    const errors: unknown[] = []
    const violations: RpcViolation[] = []
    const others = (): number[] => [...this.peers.keys()].filter((other) => other !== id).sort((a, b) => a - b)
    const port: RpcPort = {
      get id() {
        return mesh.peers.has(id) ? id : 0
      },
      isServer: id === 1,
      get peerIds() {
        return others()
      },
      has: (peer) => peer !== id && this.peers.has(peer),
      dialectOf: (peer) => (peer !== id && this.peers.has(peer) ? 'vaiven' : null),
      now: () => this.now,
      send: (target, payload, delivery) => {
        const meant = typeof target !== 'number' ? target : target > 0 ? [target] : others().filter((other) => other !== -target)
        for (const to of meant) {
          if (!this.peers.has(to)) throw new VaivenError('ERR_NOT_CONNECTED', `no peer ${to}`)
          this.mail.push({ from: id, to, payload: payload.slice(), delivery })
        }
      },
      setDeadline: (at, run) => this.timers.set(at, run),
      clearDeadline: (deadline) => this.timers.cancel(deadline as Timer),
      report: (error) => errors.push(error),
      violation: (violation) => violations.push(violation),
      contractMismatch: () => undefined,
    }
    const dispatcher = new Dispatcher(port, options).use((p, inbound) => new NativeDialect(p, inbound))
    this.peers.set(id, { id, dispatcher, errors, violations })
  }
}
