// CRC-32 beside Node's own and the bitwise twin, at the sizes of an acknowledgement, an input message, the place where one
// overtakes the other, and a full datagram.

import { fileURLToPath } from 'node:url'
import { crc32 as native } from 'node:zlib'
import Benchmark from 'benchmark'
import { crc32 } from '../../src/transport/core/crc32.ts'
import { SeededRandom } from '../../src/util/random.ts'
import { crc32 as bitwise } from '../../test/support/twins/crc32.ts'

const random = new SeededRandom(1)
const options = { maxTime: 0.5 }
/** What was computed last: a result that nobody uses need not be computed at all. */
export let last = 0

export const suite = new Benchmark.Suite('crc32')

for (const size of [10, 64, 255, 256, 1200]) {
  const bytes = new Uint8Array(size)
  random.bytes(bytes)
  suite
    .add(`crc32 (${size} B)`, () => { last = crc32(bytes) }, options)
    .add(`crc32 (${size} B) — node:zlib`, () => { last = native(bytes) }, options)
  if (size === 64) suite.add(`crc32 (${size} B) — naive twin`, () => { last = bitwise(bytes) }, options)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  suite.on('cycle', (event: Benchmark.Event) => console.log(String(event.target))).run()
}
