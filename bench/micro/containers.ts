// The core's containers beside what one would take first: a Map by sequence number, an array as a queue, objects for
// acknowledgements, Buffer.concat for fragments.

import { fileURLToPath } from 'node:url'
import Benchmark from 'benchmark'
import { PendingAcks } from '../../src/transport/core/pending-acks.ts'
import { Reassembly } from '../../src/transport/core/reassembly.ts'
import { Fifo, SequenceRing } from '../../src/transport/core/ring.ts'

const options = { maxTime: 0.5 }
/** What was computed last: a result that nobody uses need not be computed at all. */
export let last: unknown = null

const WINDOW = 256
const items = Array.from({ length: 65_536 }, (_, sequence) => ({ sequence }))

const ring = new SequenceRing<{ sequence: number }>(512)
const map = new Map<number, { sequence: number }>()
for (let i = 0; i < WINDOW; i++) {
  ring.set(items[i]!)
  map.set(i, items[i]!)
}
let at = 0
let atMap = 0

const fifo = new Fifo<number>()
const array: number[] = []
for (let i = 0; i < 1000; i++) {
  fifo.push(i)
  array.push(i)
}

const acks = new PendingAcks()
const ackObjects: { channel: number; sequence: number; echo: number }[] = []

const PIECE = 1000
const pieces = Array.from({ length: 64 }, (_, i) => new Uint8Array(PIECE).fill(i))
const reassemble = (): Uint8Array => {
  const whole = new Reassembly(64 * PIECE, 64)
  for (const [i, piece] of pieces.entries()) if (whole.fit(i, i * PIECE, PIECE) >= 2) whole.add(i, i * PIECE, piece)
  return whole.join()
}
const reassembleNaively = (): Uint8Array => {
  const byOffset = new Map<number, Uint8Array>()
  for (const [i, piece] of pieces.entries()) byOffset.set(i * PIECE, piece)
  return Buffer.concat([...byOffset].sort(([a], [b]) => a - b).map(([, piece]) => piece))
}

export const suite = new Benchmark.Suite('containers')
  .add(`in flight: add, find, remove of ${WINDOW}`, () => {
    const next = (at + WINDOW) & 0xffff
    ring.set(items[next]!)
    last = ring.get(at)
    ring.delete(at)
    at = (at + 1) & 0xffff
  }, options)
  .add(`in flight: add, find, remove of ${WINDOW} — Map`, () => {
    const next = (atMap + WINDOW) & 0xffff
    map.set(next, items[next]!)
    last = map.get(atMap)
    map.delete(atMap)
    atMap = (atMap + 1) & 0xffff
  }, options)
  .add('queue of 1,000: push and shift', () => {
    fifo.push(1)
    last = fifo.shift()
  }, options)
  .add('queue of 1,000: push and shift — array', () => {
    array.push(1)
    last = array.shift()
  }, options)
  .add('acknowledgements: 20 in, 20 out', () => {
    for (let i = 0; i < 20; i++) acks.push(1, i, 7)
    for (let i = 0; i < 20; i++) last = acks.shift()
  }, options)
  .add('acknowledgements: 20 in, 20 out — array', () => {
    for (let i = 0; i < 20; i++) ackObjects.push({ channel: 1, sequence: i, echo: 7 })
    for (let i = 0; i < 20; i++) last = ackObjects.shift()
  }, options)
  .add('64 fragments of 1,000 B to one packet', () => { last = reassemble() }, options)
  .add('64 fragments of 1,000 B to one packet — Map', () => { last = reassembleNaively() }, options)

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  suite.on('cycle', (event: Benchmark.Event) => console.log(String(event.target))).run()
}
