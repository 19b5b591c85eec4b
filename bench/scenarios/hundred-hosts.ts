// Virtual play of a hundred hosts on a bad network: how much faster than real time it runs, and the fingerprint of the run, which
// is the same on every machine and every Node.js. `npm run bench -- hundred-hosts [--quick] [--seed N] [--json FILE]`

import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Host } from '../../src/transport/index.ts'
import type { HostEvent, Peer } from '../../src/transport/index.ts'
import { Network, profiles } from '../../src/transport/simulator/index.ts'

const CLIENTS = 100
const EVERY_MS = 100
const MESSAGE_BYTES = 24

/** What a play has come to. */
export interface HundredHosts {
  /** Of every datagram and event with its time. */
  readonly hash: string
  readonly connected: number
  /** Messages that arrived at the server, and answers that came back. */
  readonly heard: number
  readonly answered: number
  readonly datagrams: number
}

/** A hundred clients and their server, on which a train of phones plays: stepped as far as one likes. */
export class HundredHostsPlay {
  readonly network: Network
  #connected = 0
  #heard = 0
  #answered = 0
  readonly #server: Host

  constructor(seed: number) {
    this.network = new Network({ seed, path: profiles.lteTrain })
    this.#server = new Host({ seed, maxPeers: 2 * CLIENTS })
    const { address } = this.network.add<HostEvent>('server', this.#server, { onEvent: (event) => {
      if (event.type !== 'receive') return
      this.#heard++
      event.peer.send(event.channel, event.bytes, event.delivery)
    } })
    for (let i = 0; i < CLIENTS; i++) {
      const client = new Host({ seed: seed + 1 + i, connectTimeoutMs: 60_000 })
      let peer: Peer | null = null
      this.network.add<HostEvent>(`client ${i}`, client, { onEvent: (event) => {
        if (event.type === 'connect') {
          peer = event.peer
          this.#connected++
        } else if (event.type === 'receive') this.#answered++
        else if (event.type === 'disconnect') peer = null
      } })
      client.connect(address, { channels: 2 })
      const message = new Uint8Array(MESSAGE_BYTES)
      let count = 0
      // Not all at the same moment, as people do.
      this.network.every(EVERY_MS, () => {
        if (peer?.state !== 'connected') return
        new DataView(message.buffer).setUint32(0, count++)
        peer.send(count % 2, message, i % 2 === 0 ? 'reliable' : 'unreliable')
      }, { firstMs: i })
    }
  }

  runFor(virtualMs: number): HundredHosts {
    this.network.runFor(virtualMs)
    const { datagramsSent, datagramsReceived } = this.#server.stats
    return { hash: this.network.hash, connected: this.#connected, heard: this.#heard, answered: this.#answered,
      datagrams: datagramsSent + datagramsReceived }
  }
}

export const help = `usage: npm run bench -- hundred-hosts [OPTIONS]

A hundred hosts over the profile lteTrain, each of which sends 10 messages of ${MESSAGE_BYTES} bytes a second to a server that
answers each.

  --quick        10 s of play instead of 60
  --seed N       (default: 5)
  --json FILE    the figures for machines

Exit code: 0 done, 2 wrong usage.
`

/** Of bench/run.ts. */
export const run = (args: string[]): Promise<number> => {
  const { values } = parseArgs({ args, options: { quick: { type: 'boolean' }, seed: { type: 'string' }, json: { type: 'string' } } })
  const seed = Number(values.seed ?? 5)
  const virtualMs = values.quick === true ? 10_000 : 60_000
  const play = new HundredHostsPlay(seed)
  // Connected, and compiled.
  play.runFor(5_000)
  const began = performance.now()
  const cpuBefore = process.cpuUsage()
  const { hash, heard, answered, datagrams } = play.runFor(virtualMs)
  const wallMs = performance.now() - began
  const cpu = process.cpuUsage(cpuBefore)
  const figures = {
    seed, virtualMs, node: process.version, timesRealTime: virtualMs / wallMs,
    timesRealTimeByCpu: virtualMs / ((cpu.user + cpu.system) / 1000),
    hash, heard, answered, datagrams,
  }
  process.stdout.write(`${virtualMs / 1000} s of 100 hosts in ${(wallMs / 1000).toFixed(2)} s: ` +
    `${figures.timesRealTime.toFixed(0)} times real time (${figures.timesRealTimeByCpu.toFixed(0)} by the time of one core), ` +
    `${datagrams} datagrams at the server, ${process.version}, fingerprint ${hash}\n`)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`)
  return Promise.resolve(0)
}
