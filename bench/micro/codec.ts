// The codec on the twelve game messages of bench/codec, ours alone; beside the rivals it is measured by bench/peers/codec.js.

import { fileURLToPath } from 'node:url'
import Benchmark from 'benchmark'
import { decode, encode } from '../../src/rpc/codec/index.ts'
import { corpus } from '../codec/messages.ts'

const options = { maxTime: 0.3 }
/** What was computed last: a result that nobody uses need not be computed at all. */
export let last: unknown = null

export const suite = new Benchmark.Suite('codec')

for (const { name, type, values } of corpus()) {
  const messages = values.map((value) => encode(type, value))
  const size = Math.round(messages.reduce((sum, { length }) => sum + length, 0) / messages.length)
  let i = 0
  suite
    .add(`encode ${name} (${size} B)`, () => { last = encode(type, values[i++ & 63]) }, options)
    .add(`decode ${name} (${size} B)`, () => { last = decode(type, messages[i++ & 63]!) }, options)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  suite.on('cycle', (event: Benchmark.Event) => console.log(String(event.target))).run()
}
