// Godot's compressions against the living engine: each reads what the other wrote.

import t from 'tap'
import { godotCompresses, withoutGodot } from './support/godot.ts'
import { Zlib, Zstd } from '../../src/godot/compression.ts'
import { FastLz } from '../../src/godot/fastlz.ts'
import { SeededRandom } from '../../src/util/random.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Inputs of every length that matters and of every kind of repetition. */
const inputs = Array.from({ length: 150 }, (_, seed) => {
  const random = new SeededRandom(seed)
  const bytes = new Uint8Array(16 + random.below(seed < 60 ? 60 : 3900))
  const letters = 1 + random.below(seed % 3 === 0 ? 256 : 12)
  for (let at = 0; at < bytes.length;) {
    if (at > 8 && random.chance((seed % 5) / 6)) {
      const back = 1 + random.below(at)
      for (let count = 3 + random.below(300); count > 0 && at < bytes.length; count--, at++) bytes[at] = bytes[at - back]!
    } else bytes[at++] = random.below(letters)
  }
  return bytes
})

for (const [number, compressor] of [new FastLz(), new Zlib(), new Zstd()].entries()) {
  t.test(`${compressor.name}: we read what the engine compresses`, { skip: withoutGodot }, (t) => {
    const packed = godotCompresses(inputs.map((bytes) => `compress ${number} ${hex(bytes)}`))
    t.equal(packed.length, inputs.length)
    const wrong = inputs.filter((bytes, i) => {
      const output = new Uint8Array(4096)
      const size = compressor.decompress(Buffer.from(packed[i]!, 'hex'), output)
      return Buffer.compare(output.subarray(0, size), bytes) !== 0
    })
    t.equal(wrong.length, 0, `${inputs.length} inputs`)
    t.end()
  })

  t.test(`${compressor.name}: the engine reads what we compress`, { skip: withoutGodot }, (t) => {
    const packed = inputs.flatMap((bytes) => {
      const output = new Uint8Array(5000)
      const size = compressor.compress(bytes, output)
      return size === 0 ? [] : [{ bytes, packed: output.slice(0, size) }]
    })
    // This Node may have no zstd to write; then everything goes out plain.
    t.ok(packed.length === inputs.length || (compressor.name === 'zstd' && packed.length === 0), `${packed.length} compressed`)
    const plain = godotCompresses(packed.map((pair) => `decompress ${number} ${pair.bytes.length} ${hex(pair.packed)}`))
    t.same(
      plain,
      packed.map((pair) => hex(pair.bytes)),
    )
    t.end()
  })
}
