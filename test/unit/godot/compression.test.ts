// Godot's compressions against what the engine compressed: vectors of File's modes, and the captured datagrams of sessions.

import { readFileSync } from 'node:fs'
import t from 'tap'
import { fromHex } from '../../support/captures.ts'
import { channelPackets, commandBytes, describePacket, readGodotCapture, recordedPackets } from '../../support/godot-captures.ts'
import { GODOT_COMPRESSION_MODES, Zlib, Zstd, godotCompressor, godotCompressors } from '../../../src/godot/compression.ts'
import type { GodotCompression } from '../../../src/godot/compression.ts'
import { FastLz } from '../../../src/godot/fastlz.ts'
import { decompressZstd } from '../../../src/godot/zstd.ts'
import { Command, HEADER_COMPRESSED, HEADER_SENT_TIME } from '../../../src/transport/core/constants.ts'
import { CommandRecord, decodeCommand, u16 } from '../../../src/transport/core/wire.ts'

interface Vector {
  readonly note: string
  readonly plain: string
  readonly fastlz: string
  readonly zlib: string
  readonly zstd: string
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../../test/fixtures/godot/compression-vectors.json', import.meta.url), 'utf8'),
) as Vector[]

const modes = { fastlz: new FastLz(), zlib: new Zlib(), zstd: new Zstd() } as const
const captures = { rangecoder: 'rangeCoder', fastlz: 'fastlz', zlib: 'zlib', zstd: 'zstd' } as const

/** Whether the bytes are ENet commands up to their end, zeros of FastLZ's padding aside. */
const areCommands = (bytes: Uint8Array): boolean => {
  const command = new CommandRecord()
  let at = 0
  while (at < bytes.length) {
    const size = decodeCommand(bytes, at, bytes.length, command)
    if (size <= 0) break
    at += size
  }
  return at > 0 && bytes.subarray(at).every((byte) => byte === 0)
}

for (const mode of ['fastlz', 'zlib', 'zstd'] as const) {
  t.test(`${mode}: what the engine compressed is what it was`, (t) => {
    for (const vector of vectors) {
      const plain = fromHex(vector.plain)
      const output = new Uint8Array(4096)
      const size = modes[mode].decompress(fromHex(vector[mode]), output)
      // The engine pads what is shorter than sixteen bytes before FastLZ sees it.
      const padded = mode === 'fastlz' && plain.length < 16 ? Buffer.concat([plain, new Uint8Array(16 - plain.length)]) : plain
      t.equal(Buffer.compare(output.subarray(0, size), padded), 0, vector.note)
    }
    t.end()
  })

  t.test(`${mode}: a block that is cut, or does not fit the output, gives nothing`, (t) => {
    for (const vector of vectors) {
      const packed = fromHex(vector[mode])
      const plainLength = Math.max(vector.plain.length / 2, mode === 'fastlz' ? 16 : 0)
      t.equal(modes[mode].decompress(packed, new Uint8Array(plainLength - 1)), 0, `${vector.note} into one byte too few`)
      t.equal(modes[mode].decompress(packed, new Uint8Array(plainLength)), plainLength, `${vector.note} into exactly enough`)
      const cut = modes[mode].decompress(packed.subarray(0, packed.length - 1), new Uint8Array(4096))
      t.ok(cut < plainLength, `${vector.note} cut by a byte`)
    }
    t.end()
  })
}

for (const [name, mode] of Object.entries(captures)) {
  t.test(`every datagram of a session with ${name} decompresses to the recorded commands`, (t) => {
    const datagrams = readGodotCapture(name)
    const compressor = godotCompressor(mode as GodotCompression)!
    let compressed = 0
    for (const { bytes, compressed: sizes, where } of datagrams) {
      t.equal((u16(bytes, 0) & HEADER_COMPRESSED) !== 0, sizes !== null, where)
      if (sizes === null) continue
      compressed++
      const plain = commandBytes(bytes, compressor)
      t.equal(plain?.length, sizes.plainBytes, where)
      t.ok(plain !== null && areCommands(plain), where)
    }
    t.ok(compressed >= 3, `${compressed} compressed datagrams`)
    const packets = channelPackets(datagrams, compressor)
    datagrams.forEach(({ decoded, where }, index) => t.same(packets[index]!.map(describePacket), recordedPackets(decoded), where))
    t.end()
  })

  t.test(`the first compressed datagram of ${name} is told apart from the other compressions`, (t) => {
    const first = readGodotCapture(name).find(({ compressed }) => compressed !== null)!
    const body = first.bytes.subarray(u16(first.bytes, 0) & HEADER_SENT_TIME ? 4 : 2)
    const output = new Uint8Array(4096)
    const fitting = godotCompressors().find((compressor) => {
      const size = compressor.decompress(body, output)
      return size > 0 && areCommands(output.subarray(0, size))
    })
    t.equal(fitting?.name, godotCompressor(mode as GodotCompression)?.name)
    // Zstandard makes a CONNECT no shorter, so it travels plain, and the mode is only seen in what follows.
    const isConnect = (output[0]! & 15) === Command.connect
    t.equal(isConnect, name !== 'zstd')
    t.end()
  })
}

t.test('every compressed datagram in the captures is claimed by its own compressor and no other', (t) => {
  for (const [name, mode] of Object.entries(captures)) {
    for (const { bytes, compressed, where } of readGodotCapture(name)) {
      if (compressed === null) continue
      const body = bytes.subarray(u16(bytes, 0) & HEADER_SENT_TIME ? 4 : 2)
      const output = new Uint8Array(4096)
      const claims = godotCompressors().filter((compressor) => {
        const size = compressor.decompress(body, output)
        return size > 0 && areCommands(output.subarray(0, size))
      })
      t.same(
        claims.map((compressor) => compressor.name),
        [godotCompressor(mode)?.name],
        where,
      )
    }
  }
  t.end()
})

t.test('compressing refuses what does not fit and what is empty', (t) => {
  const noise = fromHex(vectors.find(({ note }) => note === 'noise 300')!.plain)
  for (const compressor of godotCompressors()) {
    t.equal(compressor.compress(noise, new Uint8Array(noise.length)), 0, `${compressor.name}: noise grows`)
    t.equal(compressor.compress(new Uint8Array(), new Uint8Array(100)), 0, compressor.name)
    t.equal(compressor.decompress(new Uint8Array(), new Uint8Array(100)), 0, compressor.name)
    t.equal(compressor.decompress(noise, new Uint8Array()), 0, compressor.name)
  }
  t.end()
})

t.test('FastLZ shortens what repeats about as far as the engine does', (t) => {
  for (const { note, plain, fastlz } of vectors) {
    const input = fromHex(plain)
    const size = new FastLz().compress(input, new Uint8Array(5000))
    t.ok(size <= Math.max(fastlz.length / 2 + 2, (fastlz.length / 2) * 1.1), `${note}: ${size}, the engine ${fastlz.length / 2}`)
  }
  t.end()
})

t.test('FastLZ level 2 reads distances beyond 8191 and endless lengths', (t) => {
  // 8,300 zeros by a long copy, then a copy of five from 8,291 back: with extended length and distance.
  const output = new Uint8Array(10_000)
  const block = [0x20 | 1, 1, 2, 0xe0, ...new Array<number>(32).fill(255), 129, 0, 0x7f, 255, 0, 100]
  const size = new FastLz().decompress(new Uint8Array(block), output)
  t.equal(size, 2 + 9 + 32 * 255 + 129 + 5)
  t.same([...output.subarray(size - 5, size)], [...output.subarray(size - 5 - 8292, size - 8292)])
  t.end()
})

t.test('a zstd frame that needs a dictionary or says more than fits is refused', (t) => {
  const frame = fromHex(vectors.find(({ note }) => note === 'text')!.zstd)
  const changed = (at: number, byte: number): Uint8Array => frame.map((old, i) => (i === at ? byte : old))
  const output = new Uint8Array(4096)
  t.equal(decompressZstd(frame, output), 540)
  t.equal(decompressZstd(changed(4, frame[4]! | 1), output), 0, 'dictionary')
  t.equal(decompressZstd(changed(4, frame[4]! | 8), output), 0, 'reserved bit')
  t.equal(decompressZstd(changed(0, 0x29), output), 0, 'magic')
  t.equal(decompressZstd(Buffer.concat([frame, new Uint8Array(1)]), output), 0, 'bytes behind the frame')
  t.end()
})

t.test("the modes have Godot's numbers", (t) => {
  t.same(GODOT_COMPRESSION_MODES, { none: 0, rangeCoder: 1, fastlz: 2, zlib: 3, zstd: 4 })
  t.equal(godotCompressor('none'), null)
  t.end()
})
