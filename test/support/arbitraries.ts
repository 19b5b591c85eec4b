// Generators of everything that travels: commands, datagrams, and bytes that only nearly are datagrams.

import fc from 'fast-check'
import { Command, COMMAND_BYTES, FLAG_ACKNOWLEDGE } from '../../src/transport/core/constants.ts'
import { crc32 } from '../../src/transport/core/crc32.ts'
import { RangeCoder } from '../../src/transport/core/range-coder.ts'
import { CommandRecord, encodeCommand, put16, put32 } from '../../src/transport/core/wire.ts'

/** A command before it is written. `fields` has only those set that the command has; the rest are as in a new record. */
export interface WireCommand {
  /** Number and flags. */
  readonly byte: number
  readonly fields: CommandRecord
  readonly payload: Uint8Array
}

/** A datagram before it is written. */
export interface WireDatagram {
  readonly peerId: number
  readonly session: number
  /** Null: no such field. */
  readonly sentTime: number | null
  readonly commands: readonly WireCommand[]
}

const uint16 = fc.nat({ max: 0xffff })
const anyFlags = fc.nat({ max: 15 }).map((bits) => bits << 4)
const uint32 = fc.nat({ max: 0xffffffff })

/** The fields behind the channel and sequence, by command number. */
const FIELDS: Readonly<Record<number, Partial<Record<keyof CommandRecord, fc.Arbitrary<number>>>>> = {
  [Command.acknowledge]: { acknowledged: uint16, echo: uint16 },
  [Command.connect]: connectFields({ data: uint32 }),
  [Command.verifyConnect]: connectFields({}),
  [Command.disconnect]: { data: uint32 },
  [Command.ping]: {},
  [Command.sendReliable]: {},
  [Command.sendUnreliable]: { second: uint16 },
  [Command.sendFragment]: { second: uint16, fragmentCount: uint32, fragmentNumber: uint32, totalLength: uint32, offset: uint32 },
  [Command.sendUnsequenced]: { second: uint16 },
  [Command.bandwidthLimit]: { incomingBandwidth: uint32, outgoingBandwidth: uint32 },
  [Command.throttleConfigure]: { throttleInterval: uint32, throttleAcceleration: uint32, throttleDeceleration: uint32 },
  [Command.sendUnreliableFragment]: { second: uint16, fragmentCount: uint32, fragmentNumber: uint32, totalLength: uint32, offset: uint32 },
}

function connectFields(more: Partial<Record<keyof CommandRecord, fc.Arbitrary<number>>>): typeof more {
  const uint8 = fc.nat({ max: 0xff })
  return {
    peerId: uint16, incomingSession: uint8, outgoingSession: uint8, mtu: uint32, windowBytes: uint32, channelCount: uint32,
    incomingBandwidth: uint32, outgoingBandwidth: uint32, throttleInterval: uint32, throttleAcceleration: uint32,
    throttleDeceleration: uint32, connectId: uint32, ...more,
  }
}

const NUMBERS = Object.values(Command)
const PAYLOAD: readonly number[] = [
  Command.sendReliable, Command.sendUnreliable, Command.sendFragment, Command.sendUnsequenced, Command.sendUnreliableFragment,
]
/** The flags that C senders set. */
const HONEST_FLAGS: readonly number[] = [0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 0x80, 0x40, 0x80, 0x80, 0]

const commandOf = (number: number, flags: fc.Arbitrary<number>, channel: fc.Arbitrary<number>): fc.Arbitrary<WireCommand> =>
  fc.record({
    flags,
    channel,
    sequence: uint16,
    own: fc.record<Partial<Record<keyof CommandRecord, number>>>(FIELDS[number] ?? {}),
    payload: PAYLOAD.includes(number) ? fc.uint8Array({ maxLength: 200, size: 'max' }) : fc.constant(new Uint8Array(0)),
  }).map(({ flags, channel, sequence, own, payload }) => ({
    byte: number | flags,
    fields: Object.assign(new CommandRecord(), own, { number, acknowledge: (flags & FLAG_ACKNOWLEDGE) !== 0, channel, sequence }),
    payload,
  }))

/** Any of the twelve commands with any flags, reserved bits and field values. */
export const anyCommand = (): fc.Arbitrary<WireCommand> =>
  fc.constantFrom(...NUMBERS).chain((number) => commandOf(number, anyFlags, fc.nat({ max: 0xff })))

/** A command with the flags and the kind of channel that C gives it; field values are free. */
export const honestCommand = (numbers: readonly number[] = NUMBERS): fc.Arbitrary<WireCommand> =>
  fc.constantFrom(...numbers).chain((number) => {
    const data = PAYLOAD.includes(number) || number === Command.acknowledge
    return commandOf(number, fc.constant(HONEST_FLAGS[number] ?? 0), data ? fc.nat({ max: 254 }) : fc.constant(0xff))
  })

/** A datagram within an established connection, a CONNECT or a VERIFY_CONNECT, as a correct sender makes it. */
export const honestDatagram = (): fc.Arbitrary<WireDatagram> =>
  fc.oneof(
    { weight: 4, arbitrary: established },
    { weight: 1, arbitrary: alone(Command.connect, fc.constant(0xfff), fc.constant(0)) },
    { weight: 1, arbitrary: alone(Command.verifyConnect, fc.nat({ max: 0xffe }), fc.nat({ max: 3 })) },
  )

const alone = (number: number, peerId: fc.Arbitrary<number>, session: fc.Arbitrary<number>): fc.Arbitrary<WireDatagram> =>
  fc.record({ peerId, session, sentTime: uint16, commands: fc.tuple(honestCommand([number])) })

const established: fc.Arbitrary<WireDatagram> = fc.record({
  peerId: fc.nat({ max: 0xffe }),
  session: fc.nat({ max: 3 }),
  time: uint16,
  commands: fc.array(honestCommand(NUMBERS.filter((number) => number > Command.verifyConnect || number === Command.acknowledge)), {
    minLength: 1, maxLength: 8,
  }),
}).map(({ peerId, session, time, commands }) => ({
  peerId, session, commands, sentTime: commands.some(({ fields }) => fields.acknowledge) ? time : null,
}))

/** Writes one command. */
export const bytesOf = ({ byte, fields, payload }: WireCommand): Uint8Array => {
  const out = new Uint8Array((COMMAND_BYTES[fields.number] ?? 0) + payload.length)
  encodeCommand(out, 0, byte, fields, payload)
  return out
}

/** How datagrams are dressed: both hosts have to agree. */
export interface Dialect {
  /** Seeds the checksum; null: no checksum. */
  readonly connectId: number | null
  readonly rangeCoder: boolean
}

/** Writes a datagram in a dialect. A body that does not shrink stays as it is, as with C senders. */
export const datagramBytes = ({ peerId, session, sentTime, commands }: WireDatagram, dialect: Dialect): Uint8Array => {
  const plain = Buffer.concat(commands.map(bytesOf))
  const packed = new Uint8Array(plain.length)
  // One byte less than the body: only what really shrinks counts.
  const packedBytes = dialect.rangeCoder ? new RangeCoder().compress(plain, packed.subarray(0, plain.length - 1)) : 0
  const headerBytes = sentTime === null ? 2 : 4
  const out = new Uint8Array(headerBytes + 4 + plain.length)
  put16(out, 0, peerId | (session << 12) | (sentTime === null ? 0 : 0x8000) | (packedBytes > 0 ? 0x4000 : 0))
  if (sentTime !== null) put16(out, 2, sentTime)
  const bodyAt = headerBytes + (dialect.connectId === null ? 0 : 4)
  out.set(plain, bodyAt)
  if (dialect.connectId !== null) {
    put32(out, headerBytes, peerId === 0xfff ? 0 : dialect.connectId)
    put32(out, headerBytes, crc32(out.subarray(0, bodyAt + plain.length)))
  }
  if (packedBytes > 0) out.set(packed.subarray(0, packedBytes), bodyAt)
  return out.subarray(0, bodyAt + (packedBytes > 0 ? packedBytes : plain.length))
}

/** Bytes that get past the first checks more often than chance would: noise, honest datagrams, and damaged ones. */
export const hostileBytes = (): fc.Arbitrary<Uint8Array> => fc.oneof(fc.uint8Array({ maxLength: 600, size: 'max' }), honestBytes, damaged)

const honestBytes = fc.record({
  datagram: honestDatagram(),
  connectId: fc.option(uint32),
  rangeCoder: fc.boolean(),
}).map(({ datagram, connectId, rangeCoder }) => datagramBytes(datagram, { connectId, rangeCoder }))

const damaged = fc.record({
  bytes: honestBytes,
  changes: fc.array(fc.tuple(fc.nat(), fc.nat({ max: 0xff })), { maxLength: 6 }),
  cut: fc.option(fc.nat()),
  tail: fc.uint8Array({ maxLength: 12 }),
}).map(({ bytes, changes, cut, tail }) => {
  const out = Uint8Array.from(cut === null ? [...bytes, ...tail] : bytes.subarray(0, cut % (bytes.length + 1)))
  for (const [at, value] of changes) if (out.length > 0) out[at % out.length] = value
  return out
})
