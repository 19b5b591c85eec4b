// A world of two to eight hosts that talk, leave, come back, stall and die on networks of every kind of badness, all from one
// seed; and the invariants that hold all the while. First chaos, then everything heals, then what is wanted must come about.
//
// Swarm testing: each fault is switched on or off for a whole run, and its strength is drawn too. Runs in which a fault is
// absent find what it hides.

import { Host } from '../../src/transport/core/host.ts'
import type { HostOptions } from '../../src/transport/core/options.ts'
import type { Conditions } from '../../src/transport/simulator/conditions.ts'
import { Network } from '../../src/transport/simulator/network.ts'
import type { NetworkNode, NodeOptions } from '../../src/transport/simulator/node.ts'
import { profiles } from '../../src/transport/simulator/profiles.ts'
import type { Delivery, EndReason, HostEvent, Peer } from '../../src/transport/types.ts'
import { SeededRandom } from '../../src/util/random.ts'
import { patient } from '../laws/patient.ts'

const CHANNELS = 3
const DELIVERIES: readonly Delivery[] = ['reliable', 'reliable', 'unreliable', 'unsequenced']
/** uid, direction, channel, delivery, number. */
const HEAD_BYTES = 11
const HEALED_MS = 45_000
/** Default of `timeout.maximumMs`, and a little. */
const DEAD_MS = 35_000

/** What was sent and received in one direction of a connection. */
class Way {
  readonly reliable: number[] = new Array<number>(CHANNELS).fill(0)
  readonly reliableSeen: number[] = new Array<number>(CHANNELS).fill(0)
  readonly unreliable: number[] = new Array<number>(CHANNELS).fill(0)
  readonly unreliableSeen: number[] = new Array<number>(CHANNELS).fill(-1)
  unsequenced = 0
  readonly unsequencedSeen = new Set<number>()

  get owed(): number {
    return this.reliable.reduce((sum, count, channel) => sum + count - (this.reliableSeen[channel] ?? 0), 0)
  }
}

/** One connection, known to both sides by the number that came with its CONNECT. */
interface Link {
  readonly uid: number
  readonly client: Station
  readonly server: Station
  readonly since: number
  readonly ways: { readonly up: Way; readonly down: Way }
  /** Each side's object while it is connected there. */
  clientPeer: Peer | null
  serverPeer: Peer | null
  /** How it ended, by side; null while it has not. */
  clientEnd: EndReason | null
  serverEnd: EndReason | null
}

/** One host, its application, and what it has been told. */
interface Station {
  readonly name: string
  readonly node: NetworkNode<HostEvent>
  host: Host
  /** Counts restarts. */
  life: number
  /** When it last got another address: its connections from before are dead. */
  movedAt: number
  /** Servers that it wants to be connected to. */
  readonly wants: Station[]
  readonly links: Map<Station, Link>
  readonly byPeer: Map<Peer, Link>
  options: HostOptions
}

export interface Outcome {
  readonly seed: number
  /** Which faults were on. */
  readonly faults: readonly string[]
  readonly hash: string
  readonly delivered: number
  readonly connections: number
  /** Endings by reason. */
  readonly ended: Readonly<Record<string, number>>
  readonly virtualMs: number
}

/** Something that must never happen has happened. The seed is all that is needed to see it again. */
export class Violation extends Error {}

export class Chaos {
  readonly #seed: number
  readonly #random: SeededRandom
  readonly #network: Network
  readonly #stations: Station[] = []
  readonly #links = new Map<number, Link>()
  readonly #faults: string[] = []
  readonly #ended: Record<string, number> = {}
  /** Last arrival by "from>to", and when there was last a pause longer than a second. */
  readonly #arrivals = new Map<string, { last: number; gapEnded: number }>()
  readonly #disturbedAt = new Map<string, number>()
  #uid = 1
  #delivered = 0
  #connections = 0
  #healing = false
  #closing = false

  constructor(seed: number) {
    this.#seed = seed
    this.#random = new SeededRandom(seed)
    const startMs = [0, 65_000, 4_294_960_000][this.#random.below(3)] ?? 0
    this.#network = new Network({
      seed, startMs,
      trace: ({ type, from, to, atMs }) => {
        if (type !== 'arrived') return
        const key = `${from}>${to}`
        const seen = this.#arrivals.get(key)
        if (seen === undefined) this.#arrivals.set(key, { last: atMs, gapEnded: atMs })
        else {
          if (atMs - seen.last > 1_000) seen.gapEnded = atMs
          seen.last = atMs
        }
      },
    })
    this.#build()
  }

  /** Plays the whole run. @throws Violation */
  run(): Outcome {
    try {
      this.#chaos()
      this.#heal()
      this.#mustBeQuiet()
      this.#mustNoticeDeath()
      this.#mustEnd()
    } catch (error) {
      const { message, stack } = error as Error
      throw new Violation(`seed ${this.#seed}, ${this.#network.now.toFixed(3)} ms, ${this.#faults.join(' ')}: ${message}\n${stack}`)
    }
    return {
      seed: this.#seed, faults: this.#faults, hash: this.#network.hash, delivered: this.#delivered, connections: this.#connections,
      ended: this.#ended, virtualMs: this.#network.now,
    }
  }

  // ---------------------------------------------------------------- the world

  #build(): void {
    const random = this.#random
    const count = 2 + Math.min(random.below(7), random.below(7))
    const dialects = this.#on('dialects')
    const damage = this.#on('damage')
    for (let i = 0; i < count; i++) {
      const options: HostOptions = {
        seed: this.#seed * 100 + i, maxPeers: 16, connectTimeoutMs: 5_000,
        receiveBudgetBytes: 1_000_000, maxPacketBytes: 200_000, sendHighMarkBytes: 100_000,
        // Damaged datagrams are only dropped where everybody has a checksum.
        ...(damage ? { checksum: { require: 'crc32' as const } } : dialects && random.chance(0.5) ? { checksum: 'crc32' as const } : {}),
        ...(dialects && random.chance(0.5) ? { compression: 'rangeCoder' as const } : {}),
        ...(dialects && random.chance(0.3) ? { extension: false } : {}),
        ...(dialects && random.chance(0.3) ? { sentTime: 'clock' as const } : {}),
        ...(dialects ? { mtu: [576, 1_200, 1_400, 4_000][random.below(4)] ?? 1_200 } : {}),
        ...(dialects && random.chance(0.3) ? { redundancy: 'auto' as const } : {}),
        ...(dialects && random.chance(0.2) ? { congestionControl: false } : {}),
        ...(dialects && random.chance(0.2) ? { throttle: 'enet' as const } : {}),
        ...(dialects && random.chance(0.2) ? { outgoingBandwidthBytesPerSecond: 50_000 } : {}),
      }
      this.#stations.push(this.#place(`h${i}`, options))
    }
    // Everybody wants to be connected to one or two others; no two in both directions, so that a pair is one connection.
    this.#stations.forEach((station, i) => {
      for (const other of this.#stations.slice(0, i)) if (other === this.#stations[0] || random.chance(0.3)) station.wants.push(other)
    })
  }

  #place(name: string, options: HostOptions): Station {
    const random = this.#random
    const host = new Host(options)
    const crooked = this.#faults.includes('clocks') || (this.#stations.length === 0 && this.#on('clocks'))
    const nodeOptions: NodeOptions<HostEvent> = {
      ...(crooked ? { clockOffsetMs: random.below(3) * 2 ** 31 - 1_000, clockRate: 0.98 + random.unit() * 0.04 } : {}),
      ...(random.chance(0.2) ? { serviceEveryMs: 5 + random.below(20) } : {}),
    }
    const node = this.#network.add<HostEvent>(name, patient<HostEvent>(host), nodeOptions)
    const station: Station = { name, node, host, life: 0, movedAt: -Infinity, wants: [], links: new Map(), byPeer: new Map(), options }
    node.onEvent = (event) => this.#told(station, event)
    return station
  }

  #on(fault: string): boolean {
    const on = this.#random.chance(0.5)
    if (on) this.#faults.push(fault)
    return on
  }

  #pathOf(): Conditions {
    const random = this.#random
    const has = (fault: string): boolean => this.#faults.includes(fault)
    if (has('profiles') && random.chance(0.7)) {
      const all = Object.values(profiles)
      return all[random.below(all.length)]?.to ?? {}
    }
    return {
      latencyMs: random.below(100),
      ...(has('jitter') ? { jitterMs: random.below(100), jitterShape: random.chance(0.5) ? 'exponential' : 'uniform',
        keepOrder: random.chance(0.5) } : {}),
      ...(has('loss') ? { lossRatio: random.unit() * 0.3 } : {}),
      ...(has('bursts') ? { burstLoss: { lossRatio: random.unit() * 0.2, meanBurstMs: 10 + random.below(500) } } : {}),
      ...(has('copies') ? { duplicateRatio: random.unit() * 0.1, replayRatio: random.unit() * 0.05 } : {}),
      ...(has('damage') ? { corruptRatio: random.unit() * 0.02, truncateRatio: random.unit() * 0.02, extendRatio: random.unit() * 0.02 }
        : {}),
      ...(has('narrow') ? { rateBytesPerSecond: 20_000 + random.below(500_000), queueDatagrams: 2 + random.below(100) } : {}),
    }
  }

  #repath(): void {
    for (const a of this.#stations) {
      for (const b of this.#stations) if (a !== b && a.node.rank < b.node.rank) this.#network.path(a.name, b.name, this.#pathOf())
    }
  }

  // ---------------------------------------------------------------- the phases

  #chaos(): void {
    const network = this.#network
    const random = this.#random
    for (const fault of ['profiles', 'jitter', 'loss', 'bursts', 'copies', 'narrow', 'partitions', 'stalls', 'restarts', 'leaving', 'bulk',
      'moving']) {
      this.#on(fault)
    }
    this.#repath()
    for (const station of this.#stations) this.#seek(station)
    const has = (fault: string): boolean => this.#faults.includes(fault)
    const end = network.now + 3_000 + random.below(6_000)
    while (network.now < end) {
      network.runFor(1 + random.below(60))
      for (const station of this.#stations) this.#speak(station)
      const one = this.#stations[random.below(this.#stations.length)]
      if (one === undefined) continue
      if (random.chance(0.03)) this.#repath()
      if (has('partitions') && random.chance(0.02)) this.#partition()
      if (has('stalls') && random.chance(0.01)) {
        const ms = random.chance(0.2) ? random.below(20_000) : random.below(1_000)
        network.stall(one.name, ms)
        this.#disturb(one.name, ms)
      }
      if (has('restarts') && random.chance(0.005)) this.#restart(one)
      if (has('moving') && random.chance(0.005)) this.#move(one)
      if (has('leaving') && random.chance(0.02)) this.#leave(one)
    }
  }

  #heal(): void {
    const network = this.#network
    this.#healing = true
    network.heal()
    for (const a of this.#stations) {
      for (const b of this.#stations) if (a !== b && a.node.rank < b.node.rank) network.path(a.name, b.name, { latencyMs: 10 })
    }
    // Whoever sleeps wakes up: 20 s at most. Dead connections are noticed within the timeout, and made anew.
    const settled = (): boolean => this.#stations.every((station) => station.wants.every((server) => {
      const link = station.links.get(server)
      return link !== undefined && link.clientPeer?.state === 'connected' && link.serverPeer?.state === 'connected'
    })) && this.#stations.every(({ byPeer }) =>
      [...byPeer.values()].every((link) => isUp(link) && link.ways.up.owed === 0 && link.ways.down.owed === 0))
    network.runUntil(settled, { limitMs: HEALED_MS + 20_000 + DEAD_MS,
      what: 'every wanted connection, and everything that was sent reliably' })
  }

  /** L4: nothing waits, and only pings travel. */
  #mustBeQuiet(): void {
    const network = this.#network
    // Unreliable packets of which pieces are missing are kept until a newer one is delivered.
    for (const station of this.#stations) {
      for (const [peer, link] of station.byPeer) {
        for (let i = 0; i < CHANNELS; i++) this.#say(station, peer, link, i, 'unreliable', HEAD_BYTES)
      }
    }
    // What was suspected lapses, late copies arrive.
    network.runFor(10_000)
    for (const { host, name } of this.#stations) {
      for (const peer of host.peers) {
        const { queuedBytes, queuedMessages, inFlightBytes, waitingBytes } = peer.stats
        if (queuedBytes + queuedMessages + inFlightBytes + waitingBytes > 0) {
          throw new Error(`${name} is not idle: ${JSON.stringify(peer.stats)}`)
        }
      }
      if (host.stats.waitingBytes !== 0) throw new Error(`${name} holds ${host.stats.waitingBytes} bytes`)
    }
    const before = this.#stations.map(({ node }) => node.datagramsSent)
    network.runFor(4_000)
    this.#stations.forEach(({ node, host, name }, i) => {
      const sent = node.datagramsSent - (before[i] ?? 0)
      if (sent > host.peerCount * 4 * 5) throw new Error(`${name} sent ${sent} datagrams in 4 idle seconds to ${host.peerCount} peers`)
    })
  }

  /** L3: a host that is gone is noticed by everybody who was connected to it. */
  #mustNoticeDeath(): void {
    const network = this.#network
    const dead = this.#stations.pop()
    if (dead === undefined || this.#stations.length === 0) return
    this.#closing = true
    network.remove(dead.name)
    network.runUntil(() => this.#stations.every(
      ({ byPeer }) => [...byPeer].every(([peer, link]) => peer.state === 'disconnected' || (link.client !== dead && link.server !== dead))),
      { limitMs: DEAD_MS, what: `everybody to notice that ${dead.name} is gone` })
  }

  /** L5: after all have left there are no timers, no charges, no peers. */
  #mustEnd(): void {
    const network = this.#network
    for (const { host } of this.#stations) host.close()
    network.runUntil(() => this.#stations.every(({ host }) => host.closed), { limitMs: 20_000, what: 'all hosts to close' })
    network.runFor(10_000)
    for (const { host, name, byPeer } of this.#stations) {
      const { waitingBytes, peers, halfOpen } = host.stats
      if (waitingBytes + peers + halfOpen > 0 || host.deadline() !== Infinity) {
        throw new Error(`${name} is not at rest: ${JSON.stringify(host.stats)}, deadline ${host.deadline()}`)
      }
      for (const peer of byPeer.keys()) if (peer.state !== 'disconnected') throw new Error(`${name} still has a peer that is ${peer.state}`)
    }
  }

  // ---------------------------------------------------------------- what the applications do

  #seek(station: Station): void {
    if (this.#closing) return
    for (const server of station.wants) {
      if (station.links.has(server) || station.host.closed) continue
      const uid = this.#uid++
      const peer = station.host.connect(server.node.address, { channels: CHANNELS, data: uid })
      const link: Link = {
        uid, client: station, server, since: this.#network.now, ways: { up: new Way(), down: new Way() }, clientPeer: null,
          serverPeer: null, clientEnd: null, serverEnd: null,
      }
      station.links.set(server, link)
      station.byPeer.set(peer, link)
      this.#links.set(uid, link)
    }
  }

  #speak(station: Station): void {
    const random = this.#random
    for (const [peer, link] of station.byPeer) {
      if (peer.state !== 'connected' || !random.chance(0.6)) continue
      for (let i = random.below(4); i >= 0; i--) {
        const delivery = DELIVERIES[random.below(4)] ?? 'reliable'
        const channel = random.below(CHANNELS)
        const large = random.chance(0.05) ? 3_000 : random.chance(0.02) && this.#faults.includes('bulk') ? 50_000 : 100
        const length = HEAD_BYTES + random.below(delivery === 'unsequenced' ? 100 : large)
        if (peer.queuedBytes > 200_000) continue
        this.#say(station, peer, link, channel, delivery, length)
      }
    }
  }

  #say(station: Station, peer: Peer, link: Link, channel: number, delivery: Delivery, length: number): void {
    const way = link.client === station ? link.ways.up : link.ways.down
    const number = delivery === 'reliable' ? way.reliable[channel]!++ : delivery === 'unreliable' ? way.unreliable[channel]!++
      : way.unsequenced++
    peer.send(channel, write(link.uid, link.client === station ? 0 : 1, channel, delivery, number, length), delivery)
  }

  #leave(station: Station): void {
    const open = [...station.byPeer.keys()].filter((peer) => peer.state === 'connected')
    const peer = open[this.#random.below(open.length || 1)]
    if (peer === undefined) return
    const how = ['disconnect', 'disconnect', 'disconnectPlain', 'disconnectNow', 'reset'] as const
    peer[how[this.#random.below(how.length)] ?? 'disconnect']()
  }

  // The process dies and another one has its address. What it knew is gone.
  #restart(station: Station): void {
    station.life++
    for (const link of station.byPeer.values()) {
      if (link.client === station) link.clientEnd = 'reset' as EndReason
      else link.serverEnd = 'reset' as EndReason
      if (link.client === station) link.clientPeer = null
      else link.serverPeer = null
    }
    station.byPeer.clear()
    station.links.clear()
    station.host = new Host({ ...station.options, seed: this.#random.uint32() })
    this.#network.replace(station.name, patient<HostEvent>(station.host))
    this.#disturb(station.name, 0)
    this.#seek(station)
  }

  // A NAT forgets: what is sent now comes from another port, and nobody knows it.
  #move(station: Station): void {
    if (station === this.#stations[0]) return
    this.#network.rebind(station.name, { port: 1_024 + this.#random.below(60_000) })
    station.movedAt = this.#network.now
  }

  #partition(): void {
    const random = this.#random
    const { length } = this.#stations
    const some = this.#stations.filter(() => random.chance(0.5)).map(({ name }) => name)
    if (some.length === 0 || some.length === length) return
    this.#network.partition(some, undefined, { oneWay: random.chance(0.3) })
    this.#network.at(this.#network.now + random.below(random.chance(0.2) ? 10_000 : 1_500), () => this.#network.heal())
  }

  #disturb(name: string, ms: number): void {
    this.#disturbedAt.set(name, Math.max(this.#disturbedAt.get(name) ?? 0, this.#network.now + ms))
  }

  // ---------------------------------------------------------------- what the applications are told

  #told(station: Station, event: HostEvent): void {
    const { host } = station
    const { hostReceiveBudgetBytes, maxPacketBytes, receiveBudgetBytes } = host.options
    // S6
    if (host.stats.waitingBytes > hostReceiveBudgetBytes + receiveBudgetBytes + maxPacketBytes) {
      throw new Error(`${station.name} holds ${host.stats.waitingBytes} bytes`)
    }
    switch (event.type) {
      case 'connect':
        return this.#connected(station, event.peer, event.data)
      case 'receive':
        return this.#received(station, event.peer, event.channel, event.bytes, event.delivery)
      case 'disconnect':
        return this.#disconnected(station, event.peer, event.reason)
    }
  }

  // S3: one connect for each connection and side, with the data of the other.
  #connected(station: Station, peer: Peer, data: number): void {
    this.#connections++
    const known = station.byPeer.get(peer)
    if (known !== undefined) {
      if (known.clientPeer !== null || known.clientEnd !== null) throw new Error(`${station.name}: a second connect event of ${known.uid}`)
      known.clientPeer = peer
      return
    }
    const link = this.#links.get(data)
    if (link === undefined) throw new Error(`${station.name}: a connect with data ${data}, which nobody has sent`)
    if (link.server !== station) throw new Error(`${station.name}: connection ${data} was meant for ${link.server.name}`)
    // A client that died may have left a handshake that a new server process completes; never one process twice.
    if (link.serverPeer !== null) throw new Error(`${station.name}: a second connect event of ${data}`)
    link.serverPeer = peer
    link.serverEnd = null
    station.byPeer.set(peer, link)
  }

  #received(station: Station, peer: Peer, channel: number, bytes: Uint8Array, delivery: Delivery): void {
    const link = station.byPeer.get(peer)
    if (link === undefined) throw new Error(`${station.name}: a packet of a peer that is not connected`)
    const up = link.server === station
    const { uid, direction, number } = readHead(bytes)
    const what = `${station.name}: ${delivery} packet ${number} on channel ${channel} of connection ${link.uid}`
    // S4
    if (uid !== link.uid || direction !== (up ? 0 : 1)) throw new Error(`${what} belongs to connection ${uid}, direction ${direction}`)
    const wanted = write(uid, direction, channel, delivery, number, bytes.length)
    if (Buffer.compare(wanted, bytes) !== 0) throw new Error(`${what} has other bytes than were sent`)
    const way = up ? link.ways.up : link.ways.down
    this.#delivered++
    switch (delivery) {
      case 'reliable':
        // S1
        if (number !== way.reliableSeen[channel]) throw new Error(`${what} instead of ${way.reliableSeen[channel]}`)
        way.reliableSeen[channel] = number + 1
        break
      case 'unreliable':
        // S2
        if (number <= (way.unreliableSeen[channel] ?? -1)) throw new Error(`${what} after ${way.unreliableSeen[channel]}`)
        way.unreliableSeen[channel] = number
        break
      case 'unsequenced':
        if (way.unsequencedSeen.has(number)) throw new Error(`${what} came twice`)
        way.unsequencedSeen.add(number)
    }
  }

  #disconnected(station: Station, peer: Peer, reason: EndReason): void {
    const link = station.byPeer.get(peer)
    if (link === undefined) throw new Error(`${station.name}: a disconnect of a peer that is not connected`)
    station.byPeer.delete(peer)
    this.#ended[reason] = (this.#ended[reason] ?? 0) + 1
    if (reason === 'timeout') this.#mustHaveBeenDead(station, link)
    if (link.client === station) {
      link.clientPeer = null
      link.clientEnd = reason
      if (station.links.get(link.server) === link) station.links.delete(link.server)
      // Again after a while, as a player does.
      const { life } = station
      this.#network.at(this.#network.now + 100 + this.#random.below(900), () => { if (station.life === life) this.#seek(station) })
    } else {
      link.serverPeer = null
      link.serverEnd = reason
    }
  }

  // L2: nobody is given up while datagrams get through in both directions all the time.
  #mustHaveBeenDead(station: Station, { client, server, since, clientEnd, serverEnd, clientPeer, serverPeer }: Link): void {
    if (client.movedAt >= since || server.movedAt >= since) return
    const other = station === client ? server : client
    const otherAlive = (station === client ? serverPeer : clientPeer)?.state === 'connected' &&
      (station === client ? serverEnd : clientEnd) === null
    if (!otherAlive || this.#closing) return
    const { now } = this.#network
    const calmOn = (key: string): number => {
      const seen = this.#arrivals.get(key)
      return seen === undefined || now - seen.last > 1_000 ? Infinity : seen.gapEnded
    }
    const calmSince = Math.max(calmOn(`${station.name}>${other.name}`), calmOn(`${other.name}>${station.name}`),
      this.#disturbedAt.get(station.name) ?? 0, this.#disturbedAt.get(other.name) ?? 0)
    if (now - calmSince > 6_000) {
      throw new Error(`${station.name} gave ${other.name} up, though datagrams got through for ${now - calmSince} ms`)
    }
  }

  /** For the summary. */
  get healing(): boolean { return this.#healing }
}

const isUp = (link: Link): boolean => link.clientPeer?.state === 'connected' && link.serverPeer?.state === 'connected'

const write = (uid: number, direction: number, channel: number, delivery: Delivery, number: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(length).fill(uid * 31 + number)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, uid)
  bytes[4] = direction
  bytes[5] = channel
  bytes[6] = DELIVERIES.indexOf(delivery)
  view.setUint32(7, number)
  return bytes
}

const readHead = (bytes: Uint8Array): { uid: number; direction: number; number: number } => {
  if (bytes.length < HEAD_BYTES) return { uid: -1, direction: -1, number: -1 }
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return { uid: view.getUint32(0), direction: view.getUint8(4), number: view.getUint32(7) }
}
