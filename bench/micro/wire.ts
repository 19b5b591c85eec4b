// Encoding and decoding of commands, beside the plain way to write it: a DataView and a new object for each command.

import { fileURLToPath } from 'node:url'
import Benchmark from 'benchmark'
import { CommandRecord, decodeCommand, encodeAcknowledge, encodeCommand } from '../../src/transport/core/wire.ts'

const options = { maxTime: 0.5 }
/** What was computed last: a result that nobody uses need not be computed at all. */
export let last: unknown = null

const out = new Uint8Array(1400)
const record = new CommandRecord()
const payload = new Uint8Array(64).fill(7)

/** Twenty reliable commands of 64 bytes, as one tick of a busy game fills a datagram. */
const datagram = (): Uint8Array => {
  let at = 0
  for (let i = 0; i < 18; i++) {
    record.sequence = i + 1
    record.channel = i % 3
    at += encodeCommand(out, at, 0x86, record, payload)
  }
  return out.slice(0, at)
}
const full = datagram()
const ack = new Uint8Array(8)
encodeAcknowledge(ack, 0, 1, 77, 1234)

const naiveDecode = (bytes: Uint8Array): unknown[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const commands: unknown[] = []
  for (let at = 0; at + 4 <= bytes.length; ) {
    const number = view.getUint8(at) & 15
    const head = { number, channel: view.getUint8(at + 1), sequence: view.getUint16(at + 2) }
    if (number === 1) {
      commands.push({ ...head, acknowledged: view.getUint16(at + 4), echo: view.getUint16(at + 6) })
      at += 8
    } else {
      const length = view.getUint16(at + 4)
      commands.push({ ...head, payload: bytes.slice(at + 6, at + 6 + length) })
      at += 6 + length
    }
  }
  return commands
}

const naiveEncode = (sequence: number): Uint8Array => {
  const head = new DataView(new ArrayBuffer(6))
  head.setUint8(0, 0x86)
  head.setUint8(1, 1)
  head.setUint16(2, sequence)
  head.setUint16(4, payload.length)
  return Buffer.concat([new Uint8Array(head.buffer), payload])
}

const decodeAll = (bytes: Uint8Array): void => {
  for (let at = 0; at < bytes.length; ) at += decodeCommand(bytes, at, bytes.length, record)
  last = record.payloadEnd
}

let sequence = 0

export const suite = new Benchmark.Suite('wire')
  .add('decode acknowledge', () => decodeAll(ack), options)
  .add('decode acknowledge — naive twin', () => { last = naiveDecode(ack) }, options)
  .add('decode 18 reliable of 64 B', () => decodeAll(full), options)
  .add('decode 18 reliable of 64 B — naive twin', () => { last = naiveDecode(full) }, options)
  .add('encode acknowledge', () => { encodeAcknowledge(out, 0, 1, sequence++ & 0xffff, 99) }, options)
  .add('encode reliable of 64 B', () => {
    record.sequence = sequence++ & 0xffff
    last = encodeCommand(out, 0, 0x86, record, payload)
  }, options)
  .add('encode reliable of 64 B — naive twin', () => { last = naiveEncode(sequence++ & 0xffff) }, options)

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  suite.on('cycle', (event: Benchmark.Event) => console.log(String(event.target))).run()
}
