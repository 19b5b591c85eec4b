// Laws of the wire format: commands and datagrams against their bytes, and any bytes at all against the decoder.

import fc from 'fast-check'
import t from 'tap'
import { Command } from '../../src/transport/core/constants.ts'
import { describeDatagram } from '../../src/transport/core/describe.ts'
import { CommandRecord, decodeCommand, encodeCommand } from '../../src/transport/core/wire.ts'
import { anyCommand, bytesOf, datagramBytes, honestDatagram, hostileBytes } from '../support/arbitraries.ts'
import { holds } from '../support/holds.ts'

t.test('commands', (t) => {
  holds(t, 'a command that is written and read again is the same command',
    fc.property(anyCommand(), fc.nat({ max: 40 }), (command, at) => {
      const { byte, fields, payload } = command
      const out = new Uint8Array(at + 300)
      const size = encodeCommand(out, at, byte, fields, payload)
      const back = new CommandRecord()
      if (decodeCommand(out, at, at + size, back) !== size) return false
      const { payloadStart, payloadEnd, ...read } = back
      const { payloadStart: _, payloadEnd: __, ...written } = fields
      return payloadEnd === at + size && Buffer.compare(out.subarray(payloadStart, payloadEnd), payload) === 0 &&
        JSON.stringify(read) === JSON.stringify(written)
    }))

  holds(t, 'bytes that can be read as a command are written back unchanged',
    fc.property(hostileBytes(), (bytes) => {
      const record = new CommandRecord()
      for (let at = 0; at < bytes.length; at++) {
        const size = decodeCommand(bytes, at, bytes.length, record)
        if (size <= 0) continue
        const out = new Uint8Array(size)
        const written = encodeCommand(out, 0, bytes[at] ?? 0, record, bytes.subarray(record.payloadStart, record.payloadEnd))
        if (written !== size || Buffer.compare(out, bytes.subarray(at, at + size)) !== 0) return false
      }
      return true
    }))

  holds(t, 'no proper beginning of a command is a command',
    fc.property(anyCommand(), (command) => {
      const bytes = bytesOf(command)
      const record = new CommandRecord()
      for (let end = 0; end < bytes.length; end++) if (decodeCommand(bytes, 0, end, record) > 0) return false
      return decodeCommand(bytes, 0, bytes.length, record) === bytes.length
    }))

  holds(t, 'what lies outside the given range has no influence, and the payload lies within it',
    fc.property(fc.oneof(hostileBytes(), anyCommand().map(bytesOf)), fc.nat({ max: 8 }), fc.nat({ max: 60 }), (bytes, before, after) => {
      const readings = [0x00, 0xff].map((filler) => {
        const surrounded = new Uint8Array(before + bytes.length + after).fill(filler)
        surrounded.set(bytes, before)
        const record = new CommandRecord()
        return { size: decodeCommand(surrounded, before, before + bytes.length, record), record }
      })
      const [one, other] = readings
      if (one === undefined || other === undefined || one.size !== other.size) return false
      if (one.size <= 0) return true
      const { payloadStart, payloadEnd } = one.record
      return JSON.stringify(one.record) === JSON.stringify(other.record) && one.size <= bytes.length &&
        payloadStart >= before && payloadStart <= payloadEnd && payloadEnd === before + one.size
    }))
  t.end()
})

t.test('datagrams in words', (t) => {
  holds(t, 'any bytes at all can be described, and every byte is accounted for',
    fc.property(hostileBytes(), fc.constantFrom(true, false, 'auto' as const), (bytes, checksum) => {
      const { header, commands, rest, problem, lines } = describeDatagram(bytes, { checksum })
      if (lines.length === 0 || !lines.every((line) => line.length < 500 && /^[\x20-\x7e…§]*$/.test(line))) return false
      if (problem !== null || header === null) return problem !== null && commands.length === 0 && rest === null
      const headerBytes = 2 + (header.sentTime === null ? 0 : 2) + (header.checksum === null ? 0 : 4)
      const body = commands.reduce((sum, command) => sum + command.bytes, 0) + (rest?.bytes.length ?? 0)
      const { compression } = header
      return compression === null
        ? headerBytes + body === bytes.length
        : headerBytes + compression.compressedBytes === bytes.length && compression.plainBytes === body
    }))

  holds(t, 'the dialect of an honest datagram is found without being told',
    fc.property(honestDatagram(), fc.option(fc.nat({ max: 0xffffffff })), fc.boolean(), (datagram, anyConnectId, rangeCoder) => {
      const named = datagram.commands[0]?.fields.number === Command.verifyConnect ? datagram.commands[0].fields.connectId : anyConnectId
      const connectId = anyConnectId === null ? null : named
      const bytes = datagramBytes(datagram, { connectId, rangeCoder })
      const { header, commands, rest } = describeDatagram(bytes, { connectIds: connectId === null ? [] : [connectId] })
      return header !== null && rest === null &&
        header.peerId === datagram.peerId && header.session === datagram.session && header.sentTime === datagram.sentTime &&
        (header.checksum?.verdict ?? null) === (connectId === null ? null : 'correct') &&
        JSON.stringify(commands.map((command) => command.byte)) === JSON.stringify(datagram.commands.map((command) => command.byte))
    }))
  t.end()
})
