// The range coder against bytes that C ENet's made: recorded vectors, captured datagrams, and limits as a host sets them.

import { readFileSync } from 'node:fs'
import t from 'tap'
import { crc32 } from '../../src/transport/core/crc32.ts'
import { RangeCoder } from '../../src/transport/core/range-coder.ts'
import { fromHex, readCapture } from '../support/captures.ts'

interface CompressVector {
  readonly name: string
  readonly why: string
  readonly input_hex: string
  readonly compressed_hex: string
  readonly returned_with_output_limit_equal_to_input_length: number
  readonly host_sends_compressed: boolean
}

interface DecompressVector {
  readonly name: string
  readonly malformed: boolean
  readonly stream_hex: string
  readonly decoded_hex: string
}

const vectors = JSON.parse(readFileSync(new URL('../../../test/fixtures/range-coder-vectors.json', import.meta.url), 'utf8')) as {
  readonly compress: readonly CompressVector[]
  readonly decompress: readonly DecompressVector[]
}

/** The largest datagram there is, and room for what cannot be compressed. */
const DATAGRAM = 4096
const ROOMY = 8192

const coder = new RangeCoder()
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const compress = (input: Uint8Array, limit = ROOMY): Uint8Array => {
  const output = new Uint8Array(limit)
  return output.slice(0, coder.compress(input, output))
}
const decompress = (input: Uint8Array, limit = DATAGRAM): Uint8Array => {
  const output = new Uint8Array(limit)
  return output.slice(0, coder.decompress(input, output))
}
const pattern = (length: number, byteAt: (i: number) => number): Uint8Array => Uint8Array.from({ length }, (_, i) => byteAt(i))

t.test('compresses to the bytes of C ENet, and back', (t) => {
  t.ok(vectors.compress.length >= 17, 'the vectors are there')
  for (const { name, why, input_hex, compressed_hex } of vectors.compress) {
    t.equal(hex(compress(fromHex(input_hex))), compressed_hex, `${name}: ${why}`)
    t.equal(hex(decompress(fromHex(compressed_hex))), input_hex, `${name}, back`)
  }
  t.end()
})

t.test('gives up where C ENet gives up when a host allows no more bytes than went in', (t) => {
  for (const vector of vectors.compress) {
    const input = fromHex(vector.input_hex)
    const size = coder.compress(input, new Uint8Array(input.length))
    t.equal(size, vector.returned_with_output_limit_equal_to_input_length, vector.name)
    t.equal(size > 0 && size < input.length, vector.host_sends_compressed, `${vector.name}: worth sending`)
  }
  t.end()
})

t.test('uses the last byte of room and never one more', (t) => {
  for (const { name, input_hex, compressed_hex } of vectors.compress) {
    const input = fromHex(input_hex)
    const code = fromHex(compressed_hex)
    t.equal(coder.compress(input, new Uint8Array(code.length)), code.length, `${name} compressed: just fits`)
    t.equal(coder.compress(input, new Uint8Array(code.length - 1)), 0, `${name} compressed: a byte short`)
    t.equal(coder.decompress(code, new Uint8Array(input.length)), input.length, `${name} decompressed: just fits`)
    t.equal(coder.decompress(code, new Uint8Array(input.length - 1)), 0, `${name} decompressed: a byte short`)
  }
  t.end()
})

t.test('writes only into the view it was given', (t) => {
  const input = pattern(300, (i) => i * i)
  const around = new Uint8Array(1000).fill(0xee)
  const size = coder.compress(input, around.subarray(100, 700))
  const code = around.slice(100, 100 + size)
  t.ok(size > 0 && around.every((byte, i) => (i >= 100 && i < 100 + size) || byte === 0xee), 'compressing')
  around.fill(0xee)
  t.equal(coder.decompress(code, around.subarray(100, 400)), 300)
  t.ok(around.every((byte, i) => (i >= 100 && i < 400) || byte === 0xee), 'decompressing')
  around.fill(0xee)
  coder.decompress(fromHex('68fbe0c33d70'), around.subarray(100, 110))
  t.ok(around.every((byte, i) => (i >= 100 && i < 110) || byte === 0xee), 'decompressing what is damaged')
  t.end()
})

t.test('decompresses what C ENet decompresses, and survives what is damaged', (t) => {
  t.ok(vectors.decompress.some(({ malformed }) => malformed), 'the vectors have damaged streams')
  for (const { name, malformed, stream_hex, decoded_hex } of vectors.decompress) {
    const stream = fromHex(stream_hex)
    if (!malformed) t.equal(hex(decompress(stream)), decoded_hex, name)
    for (const limit of [0, 1, 100, DATAGRAM]) t.ok(decompress(stream, limit).length <= limit, `${name} within ${limit} bytes`)
  }
  t.end()
})

t.test('every compressed datagram captured from C ENet decompresses, and compresses to the same bytes again', (t) => {
  let count = 0
  for (const [file, checksumBytes] of [['enet-range-coder.json', 0], ['enet-crc32-range-coder.json', 4]] as const) {
    for (const { where, bytes, decoded } of readCapture(file)) {
      if (decoded.compressed === null) continue
      const header = 2 + (bytes[0]! & 0x80 ? 2 : 0) + checksumBytes
      const body = bytes.subarray(header)
      const plain = decompress(body)
      t.equal(plain.length, decoded.compressed.plainBytes - header, where)
      t.equal(hex(compress(plain, plain.length)), hex(body), `${where}, back`)
      count++
    }
  }
  t.ok(count >= 60, `${count} datagrams`)
  t.end()
})

t.test('nothing in gives nothing out', (t) => {
  t.equal(coder.compress(new Uint8Array(0), new Uint8Array(ROOMY)), 0)
  t.equal(coder.decompress(new Uint8Array(0), new Uint8Array(ROOMY)), 0)
  t.equal(coder.compress(Uint8Array.of(1, 2, 3), new Uint8Array(0)), 0)
  t.equal(coder.decompress(compress(Uint8Array.of(1, 2, 3)), new Uint8Array(0)), 0)
  t.end()
})

t.test('a call leaves nothing behind for the next one, on this coder or another', (t) => {
  const input = pattern(900, (i) => (i % 7) * 31)
  const code = hex(compress(input))
  const other = new RangeCoder()
  const room = new Uint8Array(DATAGRAM)
  const disturbances: readonly (() => void)[] = [
    () => other.compress(pattern(4096, (i) => i * i * i), room),
    () => other.compress(pattern(50, (i) => i), new Uint8Array(20)),
    () => other.decompress(fromHex('68fbe0c33d70'), room),
    () => coder.decompress(pattern(1000, (i) => i * 197), room),
  ]
  for (const disturb of disturbances) {
    disturb()
    t.equal(hex(compress(input)), code)
    t.strictSame(decompress(fromHex(code)), input)
  }
  t.end()
})

t.test('follows C ENet through inputs much longer than a datagram', (t) => {
  // Sizes and checksums of what libenet 1.3.17 made of these: counters are halved over and over, and the model starts anew.
  const inputs = [
    { name: 'slow ramp', bytes: pattern(300_000, (i) => (i * 7) >> 3), size: 21_970, checksum: 0xaa5241f0 },
    { name: 'squares', bytes: pattern(300_000, (i) => (i * i) >> 5), size: 318_590, checksum: 0xc2528d71 },
    { name: 'three values', bytes: pattern(300_000, (i) => (i * i) % 3), size: 309, checksum: 0xbc62e0fa },
  ]
  for (const { name, bytes, size, checksum } of inputs) {
    const code = compress(bytes, 700_000)
    t.equal(code.length, size, name)
    t.equal(crc32(code), checksum, `${name}, checksum`)
    t.equal(Buffer.compare(decompress(code, bytes.length), bytes), 0, `${name}, back`)
  }
  t.end()
})
