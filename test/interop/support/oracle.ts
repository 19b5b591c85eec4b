// The stock C library as an Endpoint: one process of ../c/oracle.c for each host, in virtual time. Commands and answers go
// through named pipes with blocking reads, so that this endpoint is as synchronous as every other one.

import { spawn, spawnSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Address, Datagram, Millis } from '../../../src/transport/endpoint.ts'
import type { Delivery, SendOptions } from '../../../src/transport/types.ts'
import type { AnyEvent, AnyHost, AnyOptions, AnyPeer } from './any.ts'
import { programs } from './native.ts'

/** ENetPacketFlag. */
const RELIABLE = 1
const UNSEQUENCED = 2
const UNRELIABLE_FRAGMENT = 8

/** Limits of the library that only a test would change. */
export interface OracleOptions extends AnyOptions {
  maxPacketBytes?: number
  maxWaitingBytes?: number
  duplicatePeers?: number
}

/** With VAIVEN_C_POLL_MS=33 every C program of the suite serves its host as rarely as a game of 30 frames a second. */
export const POLL_MS = Number(process.env['VAIVEN_C_POLL_MS'] ?? 5)

/** A host of the C library in virtual time. */
export class OracleHost implements AnyHost {
  readonly #process: OracleProcess
  readonly #pollMs: number
  readonly #peers = new Map<number, OraclePeer>()
  readonly #events: AnyEvent[] = []
  readonly #transmits: { address: string; port: number; hex: string }[] = []
  #nextPoll: Millis = 0

  /** @param options.pollMs how often its program serves it, ms @default 5, or what VAIVEN_C_POLL_MS says */
  constructor(options: OracleOptions = {}) {
    this.#process = new OracleProcess()
    this.#pollMs = options.pollMs ?? POLL_MS
    const keys = {
      mtu: options.mtu,
      crc: options.checksum === 'crc32' ? 1 : undefined,
      fnv: options.checksum === 'fnv' ? 1 : undefined,
      range: options.compression === 'rangeCoder' ? 1 : undefined,
      rle: options.compression === 'runLengths' ? 1 : undefined,
      maxpacket: options.maxPacketBytes,
      maxwaiting: options.maxWaitingBytes,
      duplicates: options.duplicatePeers,
    }
    const pairs = Object.entries(keys).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]))
    this.command(`time ${EPOCH_MS}`)
    if (options.clockStartMs !== undefined) this.command(`clock ${options.clockStartMs >>> 0}`)
    const bandwidth = `${options.incomingBandwidthBytesPerSecond ?? 0} ${options.outgoingBandwidthBytesPerSecond ?? 0}`
    this.command(`host ${options.maxPeers ?? 32} ${options.channels ?? 255} ${bandwidth} 7777 ${options.seed ?? 1} ${pairs.join(' ')}`)
  }

  receive(bytes: Uint8Array, from: Address): void {
    this.#process.write(`rx ${from.address} ${from.port} ${hexOf(bytes)}`)
  }

  advance(now: Millis): void {
    if (now < this.#nextPoll) return
    this.#nextPoll = (Math.floor(now / this.#pollMs) + 1) * this.#pollMs
    this.#process.write(`time ${EPOCH_MS + Math.floor(now)}`)
    this.command('service')
  }

  pollEvent(): AnyEvent | null {
    return this.#events.shift() ?? null
  }

  pollTransmit(out: Datagram): boolean {
    const next = this.#transmits.shift()
    if (next === undefined) return false
    out.length = Buffer.from(next.hex, 'hex').copy(out.bytes)
    out.address = next.address
    out.port = next.port
    return true
  }

  deadline(): Millis {
    return this.#transmits.length > 0 ? 0 : this.#nextPoll
  }

  connect(to: Address, options: { channels?: number; data?: number } = {}): OraclePeer {
    const answer = this.command(`connect ${to.address} ${to.port} ${options.channels ?? 1} ${options.data ?? 0}`)
    const peer = new OraclePeer(this, Number(answer.find((words) => words[0] === 'peer')?.[1]))
    peer.channelCount = options.channels ?? 1
    this.#peers.set(peer.id, peer)
    return peer
  }

  broadcast(channel: number, bytes: Uint8Array, options: Delivery | SendOptions = 'reliable'): void {
    this.#process.write(`broadcast ${channel} ${flagsOf(options)} ${hexOf(bytes)}`)
  }

  setBandwidth(incomingBytesPerSecond: number, outgoingBytesPerSecond: number): void {
    this.#process.write(`bandwidth ${incomingBytesPerSecond} ${outgoingBytesPerSecond}`)
  }

  /** Connections that have been announced and have not ended. */
  get peers(): Iterable<OraclePeer> {
    return this.#peers.values()
  }

  /** Queues a command of ../c/oracle.c that answers nothing. */
  later(line: string): void {
    this.#process.write(line)
  }

  /** Gives a command of ../c/oracle.c and handles what it answers at once. @returns the answers, as words */
  command(line: string): string[][] {
    this.#process.write(line)
    const answers = this.#process.answers()
    for (const words of answers) this.#handle(words)
    return answers
  }

  /** The slot is free again without an event. */
  forget(peer: OraclePeer): void {
    this.#peers.delete(peer.id)
  }

  /** Ends the process. */
  close(): void {
    this.#process.close()
  }

  #handle(words: readonly string[]): void {
    const [what, first = '', second = '', third = '', fourth = ''] = words
    switch (what) {
      case 'tx':
        this.#transmits.push({ address: first, port: Number(second), hex: third === '-' ? '' : third })
        break
      case 'connect': {
        const peer = this.#peers.get(Number(first)) ?? new OraclePeer(this, Number(first))
        this.#peers.set(peer.id, peer)
        peer.channelCount = Number(third)
        peer.mtu = Number(fourth)
        this.#events.push({ type: 'connect', peer, data: Number(second) })
        break
      }
      case 'recv': {
        const flags = Number(third)
        this.#events.push({
          type: 'receive',
          peer: this.#peerAt(first),
          channel: Number(second),
          bytes: new Uint8Array(fourth === '-' ? [] : Buffer.from(fourth, 'hex')),
          delivery: flags & RELIABLE ? 'reliable' : flags & UNSEQUENCED ? 'unsequenced' : 'unreliable',
        })
        break
      }
      case 'disc': {
        const peer = this.#peerAt(first)
        this.#peers.delete(peer.id)
        this.#events.push({ type: 'disconnect', peer, data: Number(second), reason: null })
        break
      }
      case 'err':
        throw new Error(`the C library refused: ${words.join(' ')}`)
    }
  }

  #peerAt(slot: string): OraclePeer {
    const peer = this.#peers.get(Number(slot))
    if (peer === undefined) throw new Error(`an event of slot ${slot}, which has no connection`)
    return peer
  }
}

/** One connection of a C host. */
export class OraclePeer implements AnyPeer {
  readonly id: number
  channelCount = 0
  /** Agreed at the connect event; 0 before. */
  mtu = 0
  readonly #host: OracleHost

  constructor(host: OracleHost, slot: number) {
    this.#host = host
    this.id = slot
  }

  send(channel: number, bytes: Uint8Array, options: Delivery | SendOptions = 'reliable'): boolean {
    this.#host.later(`send ${this.id} ${channel} ${flagsOf(options)} ${hexOf(bytes)}`)
    return true
  }

  disconnect(data = 0): void {
    this.#host.later(`later ${this.id} ${data}`)
  }

  disconnectPlain(data = 0): void {
    this.#host.later(`disc ${this.id} ${data}`)
  }

  disconnectNow(data = 0): void {
    this.#host.command(`now ${this.id} ${data}`)
    this.#host.forget(this)
  }

  reset(): void {
    this.#host.command(`reset ${this.id}`)
    this.#host.forget(this)
  }

  ping(): void {
    this.#host.later(`ping ${this.id}`)
  }

  throttleConfigure(intervalMs: number, acceleration: number, deceleration: number): void {
    this.#host.later(`throttle ${this.id} ${intervalMs} ${acceleration} ${deceleration}`)
  }

  setTimeout(timeout: { limit?: number; minimumMs?: number; maximumMs?: number }): void {
    this.#host.later(`timeout ${this.id} ${timeout.limit ?? 0} ${timeout.minimumMs ?? 0} ${timeout.maximumMs ?? 0}`)
  }

  set pingIntervalMs(value: number) {
    this.#host.later(`pinginterval ${this.id} ${value}`)
  }

  /** What the library knows about the connection: state, rtt, var, mtu, window, transit, throttle, … see ../c/oracle.c. */
  info(): Record<string, number> {
    const answer = this.#host.command(`info ${this.id}`).find((words) => words[0] === 'info') ?? []
    return Object.fromEntries(answer.slice(1).map((word) => [word.split('=')[0], Number(word.split('=')[1])]))
  }
}

/** Virtual time 0 in the clock of the C process: far from anything special. */
const EPOCH_MS = 1_000_000_000

const hexOf = (bytes: Uint8Array): string =>
  bytes.length === 0 ? '-' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')

/** The library's flags for what we call a delivery. Unreliable packets may travel in fragments, as ours do by default. */
const flagsOf = (options: Delivery | SendOptions): number => {
  const { delivery = 'reliable', fragment = true } = typeof options === 'string' ? { delivery: options } : options
  if (delivery === 'reliable') return RELIABLE
  return (delivery === 'unsequenced' ? UNSEQUENCED : 0) | (fragment === true ? UNRELIABLE_FRAGMENT : 0)
}

/** A process that answers while we wait. */
class OracleProcess {
  readonly #input: number
  readonly #output: number
  readonly #buffer = Buffer.allocUnsafe(1 << 18)
  #queue: string[] = []
  #open = true

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), 'oracle-'))
    const paths = [join(folder, 'commands'), join(folder, 'answers')] as const
    spawnSync('mkfifo', paths)
    const commands = openPipe(paths[0])
    const answers = openPipe(paths[1])
    const child = spawn(programs().oracle, [], { stdio: [commands.readEnd, answers.writeEnd, 'inherit'] })
    child.on('error', () => this.close())
    child.unref()
    // The child has its own copies now; ours would hide its death from the blocking read.
    closeSync(commands.readEnd)
    closeSync(answers.writeEnd)
    rmSync(folder, { recursive: true })
    this.#input = commands.writeEnd
    this.#output = answers.readEnd
  }

  write(line: string): void {
    this.#queue.push(line)
  }

  /** Hands over what was written and waits until all of it is done. */
  answers(): string[][] {
    writeAll(this.#input, Buffer.from(`${this.#queue.join('\n')}\nsync\n`, 'latin1'))
    this.#queue = []
    let text = ''
    while (!text.endsWith('ok\n')) {
      const length = readSync(this.#output, this.#buffer)
      if (length === 0) throw new Error('the C process has ended')
      text += this.#buffer.toString('latin1', 0, length)
    }
    return text.split('\n').slice(0, -2).map((line) => line.split(' '))
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    closeSync(this.#input)
    closeSync(this.#output)
  }
}

const writeAll = (descriptor: number, bytes: Uint8Array): void => {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at)
}

/** Both ends of a named pipe. Opening one end waits for the other, except when reading without blocking. */
const openPipe = (path: string): { readEnd: number; writeEnd: number } => {
  const opener = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const writeEnd = openSync(path, constants.O_WRONLY)
  const readEnd = openSync(path, constants.O_RDONLY)
  closeSync(opener)
  return { readEnd, writeEnd }
}
