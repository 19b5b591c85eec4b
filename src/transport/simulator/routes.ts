// Who is where, and the links between all pairs of nodes. Links are made when they are first needed; the chance of each
// comes from the seed and the two nodes alone, so that one more node in a test does not reshuffle the luck of the others.

import type { Address } from '../endpoint.ts'
import { VaivenError } from '../../util/errors.ts'
import type { ConditionsOverTime } from './conditions.ts'
import { Link, type LinkLedger } from './link.ts'
import type { NetworkNode } from './node.ts'
import type { Schedule, Scheduled } from './schedule.ts'

/** Actions first, then links, then nodes. */
const WIRE_RANK = 0x20000000

type Deliver = (from: NetworkNode, to: NetworkNode, link: Link<Address>) => void

/** A link in its place between two nodes. */
export class Wire implements Scheduled {
  readonly link: Link<Address>
  place = -1
  readonly rank: number
  readonly #from: NetworkNode
  readonly #to: NetworkNode
  readonly #schedule: Schedule
  readonly #deliver: Deliver

  constructor(link: Link<Address>, id: number, from: NetworkNode, to: NetworkNode, schedule: Schedule, deliver: Deliver) {
    this.link = link
    this.rank = WIRE_RANK + id
    this.#from = from
    this.#to = to
    this.#schedule = schedule
    this.#deliver = deliver
  }

  run(): void {
    this.#deliver(this.#from, this.#to, this.link)
    this.#schedule.set(this, this.link.deadline())
  }
}

export class Routes {
  readonly wires: Wire[] = []
  readonly #seed: number
  readonly #standard: { to: ConditionsOverTime; from: ConditionsOverTime }
  readonly #schedule: Schedule
  readonly #deliver: Deliver
  // Two maps instead of one with 'address:port' keys: joining strings for each datagram would cost more than the rest.
  readonly #places = new Map<string, Map<number, NetworkNode>>()
  readonly #wiresOf = new Map<NetworkNode, Map<NetworkNode, Wire>>()

  constructor(seed: number, standard: { to: ConditionsOverTime; from: ConditionsOverTime }, schedule: Schedule, deliver: Deliver) {
    this.#seed = seed
    this.#standard = standard
    this.#schedule = schedule
    this.#deliver = deliver
  }

  /** The node with that address. */
  find(address: string, port: number): NetworkNode | undefined { return this.#places.get(address)?.get(port) }

  /** Enters the node's address. @throws VaivenError `ERR_ARGUMENT` when another node has it */
  claim(node: NetworkNode): void { this.#enter(node, node.address) }

  /** Forgets the node's address. Its links live on until what is on them has arrived. */
  release(node: NetworkNode): void { this.#places.get(node.address.address)?.delete(node.address.port) }

  /** Gives the node another address. @throws VaivenError `ERR_ARGUMENT` when another node has it */
  move(node: NetworkNode, address: Address): void {
    this.#enter(node, address)
    const same = address.address === node.address.address && address.port === node.address.port
    if (!same) this.release(node)
    node.moveTo(address)
  }

  /** The link from one node to another, made if need be. */
  wire(from: NetworkNode, to: NetworkNode): Wire {
    let wires = this.#wiresOf.get(from)
    if (wires === undefined) this.#wiresOf.set(from, wires = new Map())
    let wire = wires.get(to)
    if (wire === undefined) {
      const conditions = from.rank <= to.rank ? this.#standard.to : this.#standard.from
      const seed = Math.imul(this.#seed, 0x9e3779b1) ^ Math.imul(from.rank, 0x85ebca6b) ^ Math.imul(to.rank, 0xc2b2ae35)
      const link = new Link<Address>(conditions, { seed, startMs: 0 })
      wires.set(to, wire = new Wire(link, this.wires.length, from, to, this.#schedule, this.#deliver))
      this.wires.push(wire)
    }
    return wire
  }

  /** All ledgers, added up. */
  ledger(): LinkLedger {
    const sum: LinkLedger = { ...new Link().ledger }
    for (const { link } of this.wires) {
      for (const key of Object.keys(sum) as (keyof LinkLedger)[]) sum[key] += link.ledger[key]
    }
    return sum
  }

  #enter(node: NetworkNode, { address, port }: Address): void {
    let ports = this.#places.get(address)
    if (ports === undefined) this.#places.set(address, ports = new Map())
    const other = ports.get(port)
    if (other !== undefined && other !== node) throw new VaivenError('ERR_ARGUMENT', `${address}:${port} is the address of '${other.name}'`)
    ports.set(port, node)
  }
}
