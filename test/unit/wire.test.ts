// The twelve layouts of SPEC §3, byte by byte: every field has bytes of its own here, so that no two can change places unseen.

import t from 'tap'
import { Command, COMMAND_BYTES } from '../../src/transport/core/constants.ts'
import {
  CommandRecord, decodeCommand, DecodeEnd, encodeAcknowledge, encodeCommand, encodeConnect, encodeHead, put16, put32, u16, u32,
} from '../../src/transport/core/wire.ts'
import { fromHex } from '../support/captures.ts'

const connectHex = '0102 03 04 f0000005 f0000006 f0000007 f0000008 f0000009 f000000a f000000b f000000c f000000d'
const connectFields = {
  peerId: 0x0102, incomingSession: 3, outgoingSession: 4, mtu: 0xf0000005, windowBytes: 0xf0000006, channelCount: 0xf0000007,
  incomingBandwidth: 0xf0000008, outgoingBandwidth: 0xf0000009, throttleInterval: 0xf000000a, throttleAcceleration: 0xf000000b,
  throttleDeceleration: 0xf000000c, connectId: 0xf000000d,
}
const fragmentHex = '5152 0003 f0000001 f0000002 f0000003 f0000004 616263'
const fragmentFields = {
  second: 0x5152, fragmentCount: 0xf0000001, fragmentNumber: 0xf0000002, totalLength: 0xf0000003, offset: 0xf0000004,
}

interface Layout {
  readonly name: keyof typeof Command
  readonly hex: string
  readonly acknowledge: boolean
  readonly fields: Partial<CommandRecord>
  readonly payload?: string
}

const LAYOUTS: readonly Layout[] = [
  { name: 'acknowledge', hex: '01 a1 b1b2 c1c2 d1d2', acknowledge: false, fields: { acknowledged: 0xc1c2, echo: 0xd1d2 } },
  { name: 'connect', hex: `82 a1 b1b2 ${connectHex} f000000e`, acknowledge: true, fields: { ...connectFields, data: 0xf000000e } },
  { name: 'verifyConnect', hex: `83 a1 b1b2 ${connectHex}`, acknowledge: true, fields: connectFields },
  { name: 'disconnect', hex: '84 a1 b1b2 f0000001', acknowledge: true, fields: { data: 0xf0000001 } },
  { name: 'ping', hex: '85 a1 b1b2', acknowledge: true, fields: {} },
  { name: 'sendReliable', hex: '86 a1 b1b2 0002 6869', acknowledge: true, fields: {}, payload: 'hi' },
  { name: 'sendUnreliable', hex: '07 a1 b1b2 c1c2 0002 6869', acknowledge: false, fields: { second: 0xc1c2 }, payload: 'hi' },
  { name: 'sendFragment', hex: `88 a1 b1b2 ${fragmentHex}`, acknowledge: true, fields: fragmentFields, payload: 'abc' },
  { name: 'sendUnsequenced', hex: '49 a1 b1b2 c1c2 0002 6869', acknowledge: false, fields: { second: 0xc1c2 }, payload: 'hi' },
  { name: 'bandwidthLimit', hex: '8a a1 b1b2 f0000001 f0000002', acknowledge: true,
    fields: { incomingBandwidth: 0xf0000001, outgoingBandwidth: 0xf0000002 } },
  { name: 'throttleConfigure', hex: '8b a1 b1b2 f0000001 f0000002 f0000003', acknowledge: true,
    fields: { throttleInterval: 0xf0000001, throttleAcceleration: 0xf0000002, throttleDeceleration: 0xf0000003 } },
  { name: 'sendUnreliableFragment', hex: `0c a1 b1b2 ${fragmentHex}`, acknowledge: false, fields: fragmentFields, payload: 'abc' },
]

t.same(new Set(LAYOUTS.map(({ name }) => name)), new Set(Object.keys(Command)), 'every command has its layout here')

for (const { name, hex, acknowledge, fields, payload = '' } of LAYOUTS) {
  t.test(`${name} is read and written with each field in its place`, (t) => {
    const bytes = fromHex(hex)
    const record = new CommandRecord()
    t.equal(decodeCommand(bytes, 0, bytes.length, record), bytes.length, 'the size is the fixed part and the payload')
    t.equal(bytes.length, (COMMAND_BYTES[Command[name]] ?? 0) + payload.length)
    t.match(record, { number: Command[name], acknowledge, channel: 0xa1, sequence: 0xb1b2, ...fields })
    t.equal(Buffer.from(bytes.subarray(record.payloadStart, record.payloadEnd)).toString(), payload)

    const out = new Uint8Array(bytes.length)
    t.equal(encodeCommand(out, 0, bytes[0] ?? 0, record, Buffer.from(payload)), bytes.length)
    t.same(Buffer.from(out), Buffer.from(bytes))
    t.end()
  })
}

t.test('one record serves for command after command', (t) => {
  const bytes = fromHex('86 00 0001 0002 6869  85 ff 0002')
  const record = new CommandRecord()
  const size = decodeCommand(bytes, 0, bytes.length, record)
  t.equal(decodeCommand(bytes, size, bytes.length, record), 4)
  t.match(record, { number: Command.ping, sequence: 2, payloadStart: 12, payloadEnd: 12 }, 'the payload of the one before is gone')
  t.end()
})

t.test('what is not a command says why', (t) => {
  const end = (hex: string): number => {
    const bytes = fromHex(hex)
    return decodeCommand(bytes, 0, bytes.length, new CommandRecord())
  }
  t.equal(end(''), DecodeEnd.short)
  t.equal(end('85 ff 00'), DecodeEnd.short, 'three bytes are no command header')
  for (const number of ['00', '0d', '0e', '0f', '8f', 'c0']) {
    t.equal(end(`${number} ff 0001 00000000 00000000`), DecodeEnd.unknown, `command byte ${number} names none of the twelve`)
  }
  t.equal(end('84 ff 0001 000000'), DecodeEnd.truncated, 'the fixed part is cut')
  t.equal(end('86 00 0001 0003 6869'), DecodeEnd.truncated, 'the payload is cut')
  t.equal(end('86 00 0001 ffff'), DecodeEnd.truncated, 'the payload has not even begun')
  t.end()
})

t.test('a payload of no bytes and one of the largest length both fit', (t) => {
  t.equal(decodeCommand(fromHex('86 00 0001 0000'), 0, 6, new CommandRecord()), 6)
  const large = new Uint8Array(6 + 0xffff)
  const record = new CommandRecord()
  t.equal(encodeCommand(large, 0, 0x86, record, new Uint8Array(0xffff).fill(7)), large.length)
  t.equal(decodeCommand(large, 0, large.length, record), large.length)
  t.equal(record.payloadEnd - record.payloadStart, 0xffff)
  t.end()
})

t.test('reserved bits of the command byte change nothing, and the acknowledge flag is the command byte\'s alone', (t) => {
  const record = new CommandRecord()
  t.equal(decodeCommand(fromHex('b5 ff 0009'), 0, 4, record), 4)
  t.match(record, { number: Command.ping, acknowledge: true, sequence: 9 })
  t.equal(decodeCommand(fromHex('05 ff 0009'), 0, 4, record), 4)
  t.equal(record.acknowledge, false)
  t.end()
})

t.test('numbers are big-endian and unsigned', (t) => {
  const bytes = new Uint8Array(8)
  put16(bytes, 1, 0xfedc)
  put32(bytes, 4, 0xfedcba98)
  t.same([...bytes], [0, 0xfe, 0xdc, 0, 0xfe, 0xdc, 0xba, 0x98])
  t.equal(u16(bytes, 1), 0xfedc)
  t.equal(u32(bytes, 4), 0xfedcba98)
  t.end()
})

t.test('the short encoders write what encodeCommand writes', (t) => {
  const record = Object.assign(new CommandRecord(), connectFields, { channel: 0xff, sequence: 0x0708, data: 0xcafebabe })
  const none = new Uint8Array(0)
  const expected = (byte: number, size: number): Uint8Array => {
    const out = new Uint8Array(size)
    encodeCommand(out, 0, byte, record, none)
    return out
  }
  const connect = new Uint8Array(48)
  t.equal(encodeConnect(connect, 0, 0x0708, connectFields, 0xcafebabe), 48)
  t.same(connect, expected(0x82, 48))
  const verify = new Uint8Array(44)
  t.equal(encodeConnect(verify, 0, 0x0708, connectFields, null), 44)
  t.same(verify, expected(0x83, 44))
  const acknowledge = new Uint8Array(8)
  encodeAcknowledge(acknowledge, 0, 3, 0x1112, 0x1314)
  t.same([...acknowledge], [1, 3, 0x11, 0x12, 0x11, 0x12, 0x13, 0x14], 'the number is there twice: C reads the second')
  const ping = new Uint8Array(4)
  encodeHead(ping, 0, 0x85, 0xff, 0x0708)
  t.same(ping, expected(0x85, 4))
  t.equal(encodeCommand(new Uint8Array(8), 0, 0x8f, record, none), 0, 'there is no command 15')
  t.end()
})
