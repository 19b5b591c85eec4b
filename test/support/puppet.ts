// The other side of a connection, moved by hand: writes any command into any datagram and reads what the host answers, one
// step at a time. For what no well-behaved host would do, and for rules that are about single datagrams.

import { Command, FLAG_ACKNOWLEDGE, FLAG_UNSEQUENCED, HEADER_SENT_TIME, NO_PEER } from '../../src/transport/core/constants.ts'
import type { Host } from '../../src/transport/core/host.ts'
import type { PeerCore } from '../../src/transport/core/peer.ts'
import { CommandRecord, decodeCommand, encodeCommand, put16, u16 } from '../../src/transport/core/wire.ts'
import { MAX_DATAGRAM_BYTES } from '../../src/transport/endpoint.ts'
import type { Address } from '../../src/transport/endpoint.ts'
import type { HostEvent } from '../../src/transport/types.ts'

/** A datagram that a host has sent, read. */
export interface Sent {
  readonly to: Address
  readonly peerId: number
  readonly session: number
  /** -1: none. */
  readonly sentTime: number
  readonly commands: readonly SentCommand[]
  /** What followed the last command. */
  readonly tail: Uint8Array
  readonly bytes: Uint8Array
}

export interface SentCommand extends Readonly<CommandRecord> {
  /** Name in `Command`. */
  readonly name: string
  readonly byte: number
  readonly payload: Uint8Array
}

const NAMES = Object.fromEntries(Object.entries(Command).map(([name, number]) => [number, name]))

/** Reads a plain datagram (no checksum, not compressed). */
export const read = (bytes: Uint8Array, to: Address): Sent => {
  const word = u16(bytes, 0)
  const timed = (word & HEADER_SENT_TIME) !== 0
  const commands: SentCommand[] = []
  let at = timed ? 4 : 2
  for (;;) {
    const record = new CommandRecord()
    const size = decodeCommand(bytes, at, bytes.length, record)
    if (size <= 0) break
    const payload = bytes.slice(record.payloadStart, record.payloadEnd)
    commands.push({ ...record, name: NAMES[record.number] ?? '', byte: bytes[at] ?? 0, payload })
    at += size
  }
  return { to, peerId: word & 0xfff, session: (word >> 12) & 3, sentTime: timed ? u16(bytes, 2) : -1, commands, tail: bytes.slice(at),
    bytes }
}

/** Everything that a host has to send at the moment. */
export const drain = (host: Host): Sent[] => {
  const all: Sent[] = []
  const out = { bytes: new Uint8Array(MAX_DATAGRAM_BYTES + 16), length: 0, address: '', port: 0 }
  while (host.pollTransmit(out)) all.push(read(out.bytes.slice(0, out.length), { address: out.address, port: out.port }))
  return all
}

/** Everything that a host has to tell at the moment. */
export const eventsOf = (host: Host): HostEvent[] => {
  const all: HostEvent[] = []
  for (let event = host.pollEvent(); event !== null; event = host.pollEvent()) all.push(event)
  return all
}

/** One command, written. `byte` defaults to what a C sender writes. */
export const command = (name: keyof typeof Command, fields: Partial<CommandRecord> = {}, payload: string | Uint8Array = '',
  byte?: number): Uint8Array => {
  const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload
  const record = Object.assign(new CommandRecord(), fields)
  if (name === 'acknowledge' && fields.acknowledged === undefined) record.acknowledged = record.sequence
  const number = Command[name]
  const flags =
    number === Command.acknowledge || number === Command.sendUnreliable || number === Command.sendUnreliableFragment ? 0
    : number === Command.sendUnsequenced ? FLAG_UNSEQUENCED
    : FLAG_ACKNOWLEDGE
  const out = new Uint8Array(64 + bytes.length)
  return out.slice(0, encodeCommand(out, 0, byte ?? number | flags, record, bytes))
}

/** A datagram. @param sentTime -1: none */
export const datagram = (peerId: number, session: number, sentTime: number, ...commands: readonly Uint8Array[]): Uint8Array => {
  const head = new Uint8Array(sentTime < 0 ? 2 : 4)
  put16(head, 0, peerId | (session << 12) | (sentTime < 0 ? 0 : HEADER_SENT_TIME))
  if (sentTime >= 0) put16(head, 2, sentTime)
  return new Uint8Array(Buffer.concat([head, ...commands]))
}

/** The fields of a CONNECT as C sends it. */
export const connectFields = (change: Partial<CommandRecord> = {}): Partial<CommandRecord> => ({
  channel: 0xff, sequence: 1, peerId: 5, incomingSession: 0xff, outgoingSession: 0xff, mtu: 1400, windowBytes: 65536, channelCount: 2,
  throttleInterval: 5000, throttleAcceleration: 2, throttleDeceleration: 2, connectId: 0x0a0b0c0d, data: 7, ...change,
})

/** Somebody with an address who speaks ENet by hand to one host. */
export class Puppet {
  readonly host: Host
  readonly address: Address
  now: number
  /** What belongs into our headers, once connected. */
  peerId = NO_PEER
  session = 0
  /** Sent time of the next datagram. */
  sentTime = 1000

  constructor(host: Host, address: Address = { address: '192.0.2.9', port: 5000 }, now = 0) {
    this.host = host
    this.address = address
    this.now = now
  }

  /** Lets time pass. @returns what the host sends meanwhile */
  pass(ms: number, step = 1): Sent[] {
    const all: Sent[] = []
    for (const end = this.now + ms; this.now < end;) {
      this.now = Math.min(end, this.now + step)
      this.host.advance(this.now)
      all.push(...drain(this.host))
    }
    return all
  }

  /** Gives the host raw bytes. @returns what it sends in answer */
  give(bytes: Uint8Array, from: Address = this.address): Sent[] {
    this.host.receive(bytes.slice(), from, this.now)
    this.host.advance(this.now)
    return drain(this.host)
  }

  /** Gives the host commands in one datagram of our connection. */
  say(...commands: readonly Uint8Array[]): Sent[] {
    return this.give(datagram(this.peerId, this.session, this.sentTime++ & 0xffff, ...commands))
  }

  /** The same without a sent time. */
  mutter(...commands: readonly Uint8Array[]): Sent[] {
    return this.give(datagram(this.peerId, this.session, -1, ...commands))
  }

  /** A CONNECT to the host. @returns its answer */
  ask(change: Partial<CommandRecord> = {}): Sent[] {
    return this.give(datagram(NO_PEER, 0, this.sentTime++ & 0xffff, command('connect', connectFields(change))))
  }

  /** Acknowledges a command. */
  acknowledge(sent: Sent, which: SentCommand, echo = sent.sentTime): Uint8Array {
    return command('acknowledge', { channel: which.channel, sequence: which.sequence, echo })
  }

  /** Becomes a connected client of the host. @param roundTripMs what the handshake takes @returns the host's peer */
  connect(change: Partial<CommandRecord> = {}, roundTripMs = 0): PeerCore {
    this.host.advance(this.now)
    const [verify] = this.ask(change)
    const answer = verify?.commands[0]
    if (verify === undefined || answer?.name !== 'verifyConnect') throw new Error('no VERIFY_CONNECT')
    this.peerId = answer.peerId
    this.session = answer.outgoingSession
    this.pass(roundTripMs)
    this.say(this.acknowledge(verify, answer))
    const peer = eventsOf(this.host).find((event) => event.type === 'connect')?.peer
    if (peer === undefined) throw new Error('not connected')
    return peer as PeerCore
  }

  /** Is connected to by the host, as a server would be. @returns the host's peer */
  accept(change: Partial<CommandRecord> = {}, options: { channels?: number; data?: number } = {}): PeerCore {
    this.host.advance(this.now)
    const peer = this.host.connect(this.address, options) as PeerCore
    this.host.advance(this.now)
    const [sent] = drain(this.host)
    const request = sent?.commands[0]
    if (request?.name !== 'connect') throw new Error('no CONNECT')
    this.peerId = request.peerId
    this.session = 1
    this.give(datagram(request.peerId, this.session, this.sentTime++, command('verifyConnect', {
      ...request, sequence: 0x7777, peerId: 9, incomingSession: 1, outgoingSession: 2, ...change,
    })))
    return peer
  }
}
