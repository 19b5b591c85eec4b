// Hundreds of thousands of damaged, forged and rearranged datagrams, made from real ones of living connections of every
// dialect. What must hold after each: no exception, no deadline in the past, no more memory than the budgets say, books that
// add up. FUZZ_DATAGRAMS=5000000 and FUZZ_SEED=7 run it longer or elsewhere.

import t from 'tap'
import { crc32 } from '../../../src/transport/core/crc32.ts'
import { encodeAnnounce } from '../../../src/transport/core/extension.ts'
import { Host } from '../../../src/transport/core/host.ts'
import type { HostOptions } from '../../../src/transport/core/options.ts'
import type { PeerCore } from '../../../src/transport/core/peer.ts'
import { COMMAND_BYTES } from '../../../src/transport/core/constants.ts'
import { CommandRecord, decodeCommand, put16, put32, u16 } from '../../../src/transport/core/wire.ts'
import type { Address } from '../../../src/transport/endpoint.ts'
import type { Delivery, Ledger } from '../../../src/transport/types.ts'
import { SeededRandom } from '../../../src/util/random.ts'
import { out } from '../../support/attack.ts'

const DATAGRAMS = Number(process.env['FUZZ_DATAGRAMS'] ?? 200_000)
const SEED = Number(process.env['FUZZ_SEED'] ?? 1)
/** Datagrams of one world; then everybody begins anew. */
const WORLD = 5_000
const MAX_PACKET = 65_536
const PEER_BUDGET = 200_000
const HOST_BUDGET = 400_000

const DIALECTS: readonly HostOptions[] = [
  {}, { extension: false }, { checksum: 'crc32' }, { compression: 'rangeCoder' }, { checksum: 'crc32', compression: 'rangeCoder' },
  { sentTime: 'clock', throttle: 'enet' }, { redundancy: 2, mtu: 576 }, { congestionControl: false, strictWindow: true },
]
const DELIVERIES: readonly Delivery[] = ['reliable', 'unreliable', 'unsequenced']
const EDGES = [0, 1, 2, 0x7f, 0x80, 0xff, 0xfff, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff]

class World {
  readonly random: SeededRandom
  readonly server: Host
  readonly clients: { host: Host; address: Address; peer: PeerCore }[] = []
  /** Datagrams of the last while, with who got them. */
  readonly seen: { bytes: Uint8Array; to: Host; from: Address }[] = []
  readonly everybody = new Map<Host, Set<PeerCore>>()
  readonly #out = out()
  readonly #address: Address = { address: '192.0.2.1', port: 1 }
  now = 0
  given = 0
  delivered = 0

  constructor(seed: number) {
    this.random = new SeededRandom(seed)
    const common: HostOptions = { maxPacketBytes: MAX_PACKET, receiveBudgetBytes: PEER_BUDGET, hostReceiveBudgetBytes: HOST_BUDGET, maxHalfOpen: 64 }
    this.server = new Host({ ...common, seed: seed + 1, maxPeers: 12 })
    this.everybody.set(this.server, new Set())
    DIALECTS.forEach((dialect, i) => {
      const host = new Host({ ...common, ...dialect, seed: seed + 2 + i })
      this.clients.push({ host, address: { address: '192.0.2.2', port: 2 + i }, peer: null as unknown as PeerCore })
      this.everybody.set(host, new Set())
    })
    for (const client of this.clients) this.#connect(client)
  }

  get hosts(): Host[] {
    return [this.server, ...this.clients.map(({ host }) => host)]
  }

  #connect(client: World['clients'][number]): void {
    client.peer = client.host.connect(this.#address, { channels: 1 + this.random.below(8) }) as PeerCore
    this.everybody.get(client.host)?.add(client.peer)
  }

  /** What really happens between the honest ones in a moment, with losses. */
  live(ms: number): void {
    this.now += ms
    const { random } = this
    for (const client of this.clients) {
      const { host, peer } = client
      if (peer.state === 'disconnected') this.#connect(client)
      for (const side of [peer, ...(random.chance(0.2) ? this.server.peers : [])]) {
        if (side.state !== 'connected' || !random.chance(0.3)) continue
        const length = random.chance(0.1) ? random.below(5_000) : random.below(60)
        side.send(random.below(side.channelCount), new Uint8Array(length).fill(random.below(256)), DELIVERIES[random.below(3)] as Delivery)
      }
      if (peer.state === 'connected' && random.chance(0.002)) peer.disconnect(9)
      this.pump(host, client.address)
    }
    this.pump(this.server, this.#address)
  }

  /** One turn of a driver, and what must be true after it. */
  pump(host: Host, address: Address): void {
    let turns = 0
    do {
      host.advance(this.now)
      // Now and then the application looks away for a while.
      if (!this.random.chance(0.1)) this.#poll(host)
      while (host.pollTransmit(this.#out)) this.#carry(host, address)
      if (++turns > 8) throw new Error(`the deadline ${host.deadline()} stays behind ${this.now}`)
    } while (!(host.deadline() > this.now))
    const { waitingBytes } = host.stats
    if (!(waitingBytes >= 0 && waitingBytes <= HOST_BUDGET + 3 * MAX_PACKET + 16 * 16_384)) throw new Error(`${waitingBytes} bytes wait`)
  }

  #poll(host: Host): void {
    for (let event = host.pollEvent(); event !== null; event = host.pollEvent()) {
      if (event.type === 'connect') this.everybody.get(host)?.add(event.peer as PeerCore)
      if (event.type === 'receive') this.delivered++
    }
  }

  #carry(from: Host, address: Address): void {
    const { bytes, length, address: ip, port } = this.#out
    const copy = bytes.slice(0, length)
    const to = from === this.server ? this.clients.find((client) => client.address.port === port && client.address.address === ip)?.host : this.server
    if (to === undefined) return
    if (this.seen.length > 200) this.seen[this.random.below(200)] = { bytes: copy, to, from: address }
    else this.seen.push({ bytes: copy, to, from: address })
    if (!this.random.chance(0.1)) to.receive(copy.slice(), address, this.now)
  }

  /** A hostile datagram, from somebody who knows the connection or from anybody. */
  strike(): void {
    const { random } = this
    const model = this.seen[random.below(this.seen.length)]
    if (model === undefined) return
    const port = model.to === this.server ? model.from.port : this.clients.find(({ host }) => host === model.to)?.address.port
    const peer = this.clients.find(({ address }) => address.port === port)?.peer
    const checksum = peer?.dialect.checksum != null
    const bytes = mutate(random, model.bytes, (this.seen[random.below(this.seen.length)] as typeof model).bytes, checksum)
    // Whoever belongs to the connection can make the checksum right again.
    if (peer !== undefined && checksum && random.chance(0.9)) seal(bytes, peer.connectId)
    const from = random.chance(0.9) ? model.from : { address: '198.51.100.1', port: 1 + random.below(5) }
    model.to.receive(bytes, from, this.now)
    this.given++
  }

  /** Books that must agree whatever has happened. */
  audit(): void {
    for (const [host, peers] of this.everybody) {
      const sums: Partial<Record<keyof Ledger, number>> = {}
      for (const peer of peers) {
        if (peer.stats.waitingBytes < 0) throw new Error(`a peer holds ${peer.stats.waitingBytes} bytes`)
        // The least round trip is Infinity before the first.
        for (const [name, value] of Object.entries(peer.stats)) {
          if (!(value >= 0 && (value < Infinity || name === 'minRoundTripMs'))) throw new Error(`${name}: ${value}`)
        }
        for (const [cause, count] of Object.entries(peer.ledger)) sums[cause as keyof Ledger] = (sums[cause as keyof Ledger] ?? 0) + (count as number)
      }
      this.#poll(host)
      for (const [cause, count] of Object.entries(host.ledger)) {
        if (!(count >= (sums[cause as keyof Ledger] ?? 0))) throw new Error(`${cause}: ${count} at the host, ${sums[cause as keyof Ledger]} at its peers`)
      }
    }
  }

  /** Everybody leaves; nothing may remain. */
  end(): void {
    for (const host of this.hosts) host.destroy()
    for (let i = 0; i < 40; i++) {
      this.now += 1_000
      for (const client of this.clients) this.pump(client.host, client.address)
      this.pump(this.server, this.#address)
    }
    for (const host of this.hosts) {
      this.#poll(host)
      if (host.stats.waitingBytes !== 0) throw new Error(`${host.stats.waitingBytes} bytes wait after the end`)
      if (host.stats.peers !== 0 || host.stats.halfOpen !== 0) throw new Error('somebody is left')
      if (host.deadline() !== Infinity) throw new Error(`something wants to be woken at ${host.deadline()}`)
    }
  }
}

/** Writes the checksum that belongs to a datagram; a compressed one is left as it is. */
const seal = (bytes: Uint8Array, connectId: number): void => {
  const word = u16(bytes, 0)
  const at = (word & 0x8000) !== 0 ? 4 : 2
  if (bytes.length < at + 4 || (word & 0x4000) !== 0) return
  put32(bytes, at, (word & 0x0fff) === 0x0fff ? 0 : connectId)
  put32(bytes, at, crc32(bytes))
}

/** Where the commands of a plain datagram begin. */
const commandsOf = (bytes: Uint8Array, checksum: boolean): { at: number; size: number; number: number }[] => {
  const found: { at: number; size: number; number: number }[] = []
  const record = new CommandRecord()
  let at = ((u16(bytes, 0) & 0x8000) !== 0 ? 4 : 2) + (checksum ? 4 : 0)
  for (let size = decodeCommand(bytes, at, bytes.length, record); size > 0; size = decodeCommand(bytes, at, bytes.length, record)) {
    found.push({ at, size, number: record.number })
    at += size
  }
  return found
}

const edge = (random: SeededRandom): number => (random.chance(0.6) ? (EDGES[random.below(EDGES.length)] as number) : random.uint32())

/** One or several changes to a real datagram, most of them to fields of commands. */
const mutate = (random: SeededRandom, model: Uint8Array, other: Uint8Array, checksum: boolean): Uint8Array => {
  let bytes: Uint8Array = new Uint8Array(model)
  for (let changes = 1 + random.below(3); changes > 0; changes--) {
    if (bytes.length < 4) break
    const commands = commandsOf(bytes, checksum)
    const one = commands[random.below(Math.max(1, commands.length))]
    switch (random.below(14)) {
      case 0: // a bit
        bytes[random.below(bytes.length)]! ^= 1 << random.below(8)
        break
      case 1: // cut off
        bytes = bytes.slice(0, random.below(bytes.length + 1))
        break
      case 2: // something behind it
        bytes = concat(bytes, noise(random, random.below(40)))
        break
      case 3: // the commands of another one behind it
        bytes = concat(bytes, other.subarray(random.chance(0.5) ? 4 : 2))
        break
      case 4: // the same commands again and again
        if (one !== undefined) for (let i = random.below(20); i > 0; i--) bytes = concat(bytes, bytes.subarray(one.at, one.at + one.size))
        break
      case 5: // another sequence number, near or far
        if (one !== undefined) put16(bytes, one.at + 2, random.chance(0.5) ? u16(bytes, one.at + 2) + random.below(9) - 4 : edge(random))
        break
      case 6: // another channel
        if (one !== undefined) bytes[one.at + 1] = random.chance(0.5) ? random.below(9) : edge(random)
        break
      case 7: // a field of 16 bits, somewhere in the fixed part
      case 8: // a field of 32 bits
        if (one !== undefined) {
          const at = one.at + 2 * random.below((COMMAND_BYTES[one.number] as number) / 2)
          if (at + 4 <= bytes.length && random.chance(0.5)) put32(bytes, at, edge(random))
          else if (at + 2 <= bytes.length) put16(bytes, at, edge(random))
        }
        break
      case 9: // another command, or other flags
        if (one !== undefined) bytes[one.at] = random.chance(0.5) ? (bytes[one.at]! & 0xf0) | random.below(16) : (bytes[one.at]! & 0x0f) | (random.below(16) << 4)
        break
      case 10: // the header
        if (random.chance(0.5)) bytes[random.below(4)] = random.below(256)
        else bytes[0]! ^= [0x80, 0x40, 0x30, 0x10][random.below(4)] as number
        break
      case 11: { // reports, true, nearly true, and invented
        const tail = noise(random, 8 * (1 + random.below(30)))
        for (let at = 0; at < tail.length; at += 8) {
          tail[at] = 0x0f
          tail[at + 1] = 0x02 | ([0, 0, 0, 0x10, 0x20, 0x30][random.below(6)] as number)
          if (random.chance(0.5)) put16(tail, at + 2, u16(other, 2) + random.below(3))
        }
        bytes = concat(bytes, tail)
        break
      }
      case 12: { // an announcement
        const tail = new Uint8Array(8)
        encodeAnnounce(tail, 0)
        bytes = concat(bytes, tail)
        break
      }
      case 13: // commands in another order
        if (commands.length > 1 && one !== undefined) {
          const moved = bytes.slice(one.at, one.at + one.size)
          bytes = concat(concat(bytes.subarray(0, one.at), bytes.subarray(one.at + one.size)), moved)
        }
        break
    }
  }
  return bytes.length > 4_200 ? bytes.slice(0, 4_200) : bytes
}

const concat = (first: Uint8Array, second: Uint8Array): Uint8Array => {
  const all = new Uint8Array(first.length + second.length)
  all.set(first)
  all.set(second, first.length)
  return all
}

const noise = (random: SeededRandom, length: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  random.bytes(bytes)
  return bytes
}

t.test(`${DATAGRAMS.toLocaleString('en')} hostile datagrams made from real ones: no exception, no deadline behind, no memory beyond the budgets, books that add up`, (t) => {
  let given = 0
  let delivered = 0
  for (let seed = SEED * 1_000; given < DATAGRAMS; seed++) {
    const world = new World(seed)
    try {
      for (let i = 0; i < 40; i++) world.live(10)
      while (world.given < WORLD) {
        for (let i = world.random.below(20); i > 0; i--) world.strike()
        world.live(world.random.chance(0.01) ? 1_000 * world.random.below(20) : world.random.below(30))
        if (world.random.chance(0.02)) world.audit()
      }
      world.audit()
      world.end()
    } catch (error) {
      t.fail(`seed ${seed}, after ${world.given} datagrams: ${error instanceof Error ? error.stack ?? error.message : String(error)}`)
      break
    }
    given += world.given
    delivered += world.delivered
  }
  t.ok(given >= DATAGRAMS, `${given} datagrams`)
  t.ok(delivered > given / 20, `${delivered} packets were delivered meanwhile: the connections lived`)
  t.end()
})
