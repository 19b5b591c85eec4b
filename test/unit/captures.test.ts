// The wire format against datagrams that the C library really sent.

import t from 'tap'
import { crc32 } from '../../src/transport/core/crc32.ts'
import type { CommandDescription, DatagramDescription } from '../../src/transport/core/describe.ts'
import { describeDatagram } from '../../src/transport/core/describe.ts'
import { RangeCoder } from '../../src/transport/core/range-coder.ts'
import { CommandRecord, decodeCommand, encodeCommand, put16, put32 } from '../../src/transport/core/wire.ts'
import { captureFiles, readCapture } from '../support/captures.ts'
import type { CapturedDatagram } from '../support/captures.ts'

/** The recorded rendering's words for the fields, beside ours. */
const FIELD_NAMES: Readonly<Record<string, string>> = {
  ch: 'channel', rel: 'sequence', seq: 'acknowledged', time: 'echo', peer: 'peerId', insess: 'incomingSession',
  outsess: 'outgoingSession', mtu: 'mtu', window: 'windowBytes', channels: 'channelCount', inbw: 'incomingBandwidth',
  outbw: 'outgoingBandwidth', interval: 'throttleInterval', accel: 'throttleAcceleration', decel: 'throttleDeceleration',
  connectid: 'connectId', data: 'data', len: 'length', unrel: 'unreliableSequence', group: 'group', start: 'startSequence',
  count: 'fragmentCount', num: 'fragmentNumber', total: 'totalLength', off: 'offset',
}

const connectIdsOf = (datagrams: readonly CapturedDatagram[]): number[] =>
  datagrams.flatMap(({ decoded }) => decoded.commands)
    .filter(({ name }) => name === 'CONNECT')
    .map(({ fields }) => Number.parseInt(fields['connectid'] ?? '', 16))

const sameFields = (ours: CommandDescription, theirs: Readonly<Record<string, string>>): boolean =>
  Object.entries(theirs).every(([key, value]) => String(ours.fields[FIELD_NAMES[key] ?? key]) === value) &&
  Object.keys(ours.fields).length === Object.keys(theirs).length

const wireSizes = ({ header, bytes }: DatagramDescription): { plainBytes: number; wireBytes: number } => ({
  plainBytes: bytes - (header?.compression?.compressedBytes ?? 0) + (header?.compression?.plainBytes ?? 0),
  wireBytes: bytes,
})

/** Takes a datagram apart with `decodeCommand` and builds it anew: commands, checksum, compression. */
const writeAgain = (bytes: Uint8Array, hasChecksum: boolean, compressed: boolean, connectIds: readonly number[]): Uint8Array => {
  const coder = new RangeCoder()
  const word = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)
  const headerBytes = (word & 0x8000) === 0 ? 2 : 4
  const bodyAt = headerBytes + (hasChecksum ? 4 : 0)
  let body = bytes.subarray(bodyAt)
  if (compressed) {
    const plain = new Uint8Array(4096)
    body = plain.subarray(0, coder.decompress(body, plain))
  }
  const out = new Uint8Array(8192)
  out.set(bytes.subarray(0, headerBytes))
  put16(out, 0, word)
  let at = bodyAt
  const record = new CommandRecord()
  for (let from = 0; from < body.length;) {
    const size = decodeCommand(body, from, body.length, record)
    if (size <= 0) throw new Error(`stopped at ${from} of ${body.length} with ${size}`)
    at += encodeCommand(out, at, body[from] ?? 0, record, body.subarray(record.payloadStart, record.payloadEnd))
    from += size
  }
  if (hasChecksum) {
    // Which connection it belongs to is not in the datagram: one of the connect ids of the file must give the recorded value.
    const wanted = Buffer.from(bytes).readUInt32BE(headerBytes)
    const seeds = (word & 0xfff) === 0xfff ? [0] : connectIds
    const sums = seeds.map((seed) => {
      put32(out, headerBytes, seed)
      return crc32(out.subarray(0, at))
    })
    put32(out, headerBytes, sums.find((sum) => sum === wanted) ?? 0)
  }
  if (!compressed) return out.subarray(0, at)
  const packed = new Uint8Array(at - bodyAt)
  const size = coder.compress(out.subarray(bodyAt, at), packed)
  out.set(packed.subarray(0, size), bodyAt)
  return out.subarray(0, bodyAt + size)
}

const files = captureFiles()
t.equal(files.length, 16, 'all captures are there')

for (const file of files) {
  t.test(`${file} says the same to us as to the program that recorded it`, (t) => {
    const datagrams = readCapture(file)
    const connectIds = connectIdsOf(datagrams)
    t.ok(datagrams.length > 0 && connectIds.length > 0, 'there is something to compare')
    let commandCount = 0
    for (const { where, bytes, decoded } of datagrams) {
      const ours = describeDatagram(bytes, { connectIds })
      if (ours.header === null || ours.problem !== null || ours.rest !== null) {
        t.fail(`${where} can be read completely`, { lines: ours.lines })
        continue
      }
      const { header } = ours
      const theirs = decoded.header
      t.same(
        {
          peer: header.peerId === 4095 ? 'none' : String(header.peerId),
          sess: String(header.session),
          ...(header.sentTime === null ? {} : { sent: String(header.sentTime) }),
          ...(header.checksum === null ? {} : { crc: header.checksum.value.toString(16).padStart(8, '0') }),
        },
        theirs,
        `${where}: header`,
      )
      t.same(header.compression === null ? null : wireSizes(ours), decoded.compressed, `${where}: compression`)
      if (header.checksum !== null) t.equal(header.checksum.verdict, 'correct', `${where}: the checksum is right`)
      t.same(ours.remarks, [], `${where}: C does nothing odd`)
      t.equal(ours.commands.length, decoded.commands.length, `${where}: number of commands`)
      for (const [index, command] of ours.commands.entries()) {
        const other = decoded.commands[index]
        commandCount++
        const same = other !== undefined && command.name === other.name.replace(/^ACK$/, 'ACKNOWLEDGE') &&
          command.flags === other.flags && sameFields(command, other.fields)
        if (!same) t.fail(`${where}: command ${index}`, { ours: command, theirs: other })
      }
    }
    t.ok(commandCount >= datagrams.length, `${commandCount} commands were compared`)
    t.end()
  })

  t.test(`${file}: what is decoded and written again has the same bytes`, (t) => {
    const datagrams = readCapture(file)
    const connectIds = connectIdsOf(datagrams)
    for (const { where, bytes, decoded } of datagrams) {
      const again = writeAgain(bytes, decoded.header['crc'] !== undefined, decoded.compressed !== null, connectIds)
      t.same(Buffer.from(again).toString('hex'), Buffer.from(bytes).toString('hex'), where)
    }
    t.end()
  })
}
