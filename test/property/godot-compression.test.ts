// Laws of Godot's compressions.

import fc from 'fast-check'
import t from 'tap'
import { holds } from '../support/holds.ts'
import { godotCompressors } from '../../src/godot/compression.ts'
import { SeededRandom } from '../../src/util/random.ts'

/** Bytes as games send them: repetitive in parts, noisy in others. */
const payload = fc
  .tuple(fc.nat(), fc.integer({ min: 1, max: 2000 }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([seed, size, repetition]) => {
    const random = new SeededRandom(seed)
    const bytes = new Uint8Array(size)
    for (let at = 0; at < size;) {
      if (at > 4 && random.chance(repetition)) {
        const back = 1 + random.below(at)
        for (let count = 1 + random.below(400); count > 0 && at < size; count--, at++) bytes[at] = bytes[at - back]!
      } else bytes[at++] = random.below(random.chance(0.5) ? 256 : 4)
    }
    return bytes
  })

for (const compressor of godotCompressors()) {
  holds(
    t,
    `${compressor.name}: decompress(compress(bytes)) = bytes`,
    fc.property(payload, (bytes) => {
      const packed = new Uint8Array(4096)
      const size = compressor.compress(bytes, packed)
      // 0: it did not fit, or this Node cannot write it.
      if (size === 0) return compressor.name === 'zstd'
      const output = new Uint8Array(bytes.length)
      return compressor.decompress(packed.subarray(0, size), output) === bytes.length && Buffer.compare(output, bytes) === 0
    }),
    { numRuns: 300 },
  )

  holds(
    t,
    `${compressor.name}: any bytes give a size within the output, never a throw, and nothing is written behind the output`,
    fc.property(hostile(compressor.name), fc.nat(600), (bytes, limit) => {
      const guarded = new Uint8Array(limit + 16).fill(0xee)
      const size = compressor.decompress(bytes, guarded.subarray(0, limit))
      return size >= 0 && size <= limit && guarded.subarray(limit).every((byte) => byte === 0xee)
    }),
    { numRuns: 2000 },
  )
}

/** Noise, and noise that begins well enough to be looked at. */
function hostile(name: string): fc.Arbitrary<Uint8Array> {
  const starts: Record<string, number[]> = { zstd: [0x28, 0xb5, 0x2f, 0xfd], zlib: [0x78, 0x9c], fastlz: [0x03] }
  const noise = fc.uint8Array({ maxLength: 200 })
  const block = fc
    .tuple(noise, fc.nat(3))
    .map(([bytes, type]) => [((bytes.length << 3) | (type << 1) | 1) & 255, bytes.length >> 5, 0, ...bytes])
  const begun = noise.map((bytes) => new Uint8Array([...(starts[name] ?? []), ...bytes]))
  if (name !== 'zstd') return fc.oneof(noise, begun)
  return fc.oneof(
    begun,
    block.map((bytes) => new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, ...bytes])),
  )
}
