// What attacks have in common: what something costs in memory and time, measured roughly, and a resident whose connection
// must not feel anything of them.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Host } from '../../src/transport/core/host.ts'
import type { HostOptions } from '../../src/transport/core/options.ts'
import { MAX_DATAGRAM_BYTES } from '../../src/transport/endpoint.ts'
import type { Address, Datagram } from '../../src/transport/endpoint.ts'
import type { HostEvent, Peer } from '../../src/transport/types.ts'

setFlagsFromString('--expose_gc')
const collect = runInNewContext('gc') as () => void

/** Bytes that the process really uses, after a garbage collection: objects and buffers. */
export const memoryInUse = (): number => {
  // Twice: buffers are freed behind the first.
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** The least of several timings, in ms: what the work itself costs, whatever else the machine does. */
export const costOf = (work: () => void, rounds = 3): number => {
  let least = Infinity
  for (let round = 0; round < rounds; round++) {
    const before = performance.now()
    work()
    least = Math.min(least, performance.now() - before)
  }
  return least
}

/** The address of attacker number `i`: distinct up to 2^24, all in one test network. */
export const addressOf = (i: number, port = 1024 + (i % 50_000)): Address => ({ address: `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`, port })

export const out = (): Datagram => ({ bytes: new Uint8Array(MAX_DATAGRAM_BYTES + 16), length: 0, address: '', port: 0 })

/** Somebody honest who talks to the host under attack: a real host on a path of 20 ms each way. */
export class Resident {
  readonly server: Host
  readonly client: Host
  readonly address: Address
  readonly peer: Peer
  /** Everything that the client got back, as numbers. */
  readonly echoed: number[] = []
  /** How the client's connection ended; null while it lives. */
  ended: string | null = null
  connectedAt = Infinity
  sent = 0
  readonly #server: Address = { address: '192.0.2.1', port: 1 }
  readonly #way: { at: number; bytes: Uint8Array; home: boolean }[] = []
  readonly #out = out()

  constructor(server: Host, address: Address, options: HostOptions = {}) {
    this.server = server
    this.address = address
    this.client = new Host({ seed: address.port, ...options })
    this.peer = this.client.connect(this.#server, { channels: 2 })
  }

  /** Sends a numbered packet that the server's application echoes. */
  say(): void {
    const number = this.sent++
    this.peer.send(0, new Uint8Array([number >> 8, number]), 'reliable')
  }

  /** Takes what the server sends to us. */
  take(bytes: Uint8Array, now: number): void {
    this.#way.push({ at: now + 20, bytes, home: true })
  }

  /** Time goes on to `now` at our end of the path. */
  step(now: number): void {
    while (this.#way.length > 0 && (this.#way[0] as { at: number }).at <= now) {
      const { bytes, home } = this.#way.shift() as { bytes: Uint8Array; home: boolean }
      if (home) this.client.receive(bytes, this.#server, now)
      else this.server.receive(bytes, this.address, now)
    }
    this.client.advance(now)
    for (let event = this.client.pollEvent(); event !== null; event = this.client.pollEvent()) {
      if (event.type === 'connect') this.connectedAt = now
      if (event.type === 'disconnect') this.ended = event.reason
      if (event.type === 'receive') this.echoed.push(((event.bytes[0] as number) << 8) | (event.bytes[1] as number))
    }
    while (this.client.pollTransmit(this.#out)) this.#way.push({ at: now + 20, bytes: this.#out.bytes.slice(0, this.#out.length), home: false })
  }
}

/** A server that echoes, its residents, and everybody else, in steps of a millisecond. */
export class Siege {
  readonly host: Host
  readonly residents: Resident[] = []
  readonly events: HostEvent[] = []
  /** Bytes and datagrams that left for addresses of no resident. */
  bytesToStrangers = 0
  datagramsToStrangers = 0
  /** Called for each datagram to somebody who is no resident. */
  onStranger: ((bytes: Uint8Array, to: Address) => void) | null = null
  now = 0
  readonly #byAddress = new Map<string, Resident>()
  readonly #out = out()

  constructor(options: HostOptions = {}) {
    this.host = new Host({ seed: 99, ...options })
    this.host.advance(0)
  }

  resident(address: Address, options: HostOptions = {}): Resident {
    const resident = new Resident(this.host, address, options)
    this.residents.push(resident)
    this.#byAddress.set(`${address.address}|${address.port}`, resident)
    return resident
  }

  /** An attacker's datagram, now. */
  hit(bytes: Uint8Array, from: Address): void {
    this.host.receive(bytes, from, this.now)
  }

  /** Lets time pass; `each` is called in every millisecond. */
  run(ms: number, each: (now: number) => void = () => {}): void {
    for (const end = this.now + ms; this.now < end;) {
      this.now++
      for (const resident of this.residents) resident.step(this.now)
      each(this.now)
      this.host.advance(this.now)
      for (let event = this.host.pollEvent(); event !== null; event = this.host.pollEvent()) {
        if (event.type === 'receive') event.peer.send(event.channel, event.bytes, event.delivery)
        else this.events.push(event)
      }
      this.flush()
    }
  }

  /** What the host has to send leaves. */
  flush(): void {
    while (this.host.pollTransmit(this.#out)) {
      const { bytes, length, address, port } = this.#out
      const resident = this.#byAddress.get(`${address}|${port}`)
      if (resident !== undefined) {
        resident.take(bytes.slice(0, length), this.now)
        continue
      }
      this.bytesToStrangers += length
      this.datagramsToStrangers++
      this.onStranger?.(bytes.slice(0, length), { address, port })
    }
  }
}
