// The range coder on what games send, beside Node's deflate and, once, the naive twin. Datagrams differ from call to call, since one
// and the same a thousand times over teaches the processor's branch prediction what no real traffic would.

import { fileURLToPath } from 'node:url'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import Benchmark from 'benchmark'
import { RangeCoder } from '../../src/transport/core/range-coder.ts'
import { SeededRandom } from '../../src/util/random.ts'
import * as twin from '../../test/support/twins/range-coder.ts'

const COUNT = 64
const random = new SeededRandom(1)

/** 40 entities on the move: number, position, velocity, health. */
const snapshots = (): Uint8Array[] => {
  const entities = Array.from({ length: 40 }, (_, id) =>
    ({ id, x: random.below(1000), y: random.below(1000), vx: random.below(20) - 10, vy: random.below(20) - 10 }))
  return Array.from({ length: COUNT }, () => {
    const bytes = new Uint8Array(600)
    const view = new DataView(bytes.buffer)
    entities.forEach((entity, i) => {
      entity.x += entity.vx / 60
      entity.y += entity.vy / 60
      view.setUint16(15 * i, entity.id)
      view.setFloat32(15 * i + 2, entity.x)
      view.setFloat32(15 * i + 6, entity.y)
      view.setInt16(15 * i + 10, entity.vx)
      view.setInt16(15 * i + 12, entity.vy)
      view.setUint8(15 * i + 14, 100 - (i % 3))
    })
    return bytes
  })
}

/** Chat and orders as JSON, 100 bytes or so. */
const texts = (): Uint8Array[] => Array.from({ length: COUNT }, (_, i) => new TextEncoder().encode(JSON.stringify(
  { type: 'order', unit: random.below(200), target: { x: random.below(4000), y: random.below(4000) }, queued: i % 2 === 0, tick: 9000 + i }
)))

/** One acknowledgement and one input message, 40 bytes, as they share a datagram. */
const inputs = (): Uint8Array[] => Array.from({ length: COUNT }, (_, i) => {
  const bytes = new Uint8Array(40)
  bytes.set([0x01, 0xff, 0, i, 0, i, 0x12, i, 0x86, 0, 0, i, 0, 26])
  for (let at = 14; at < 40; at++) if (random.chance(0.3)) bytes[at] = random.below(256)
  return bytes
})

/** What must not be made larger, and takes longest. */
const noise = (): Uint8Array[] => Array.from({ length: COUNT }, () => {
  const bytes = new Uint8Array(1200)
  random.bytes(bytes)
  return bytes
})

/** Some 900 bytes that stand for 4,096 and make the search trees of C ENet lists: 1,250 µs there. */
const degenerate = (): Uint8Array[] => {
  const bytes = new Uint8Array(4096).fill(65)
  for (let i = 0; i < 190; i++) bytes[3 * i + 2] = 255 - i
  return [bytes]
}

const coder = new RangeCoder()
const output = new Uint8Array(8192)

/** Calls `work` with one item after the other. */
const inTurn = <T>(items: readonly T[], work: (item: T) => void): (() => void) => {
  let next = 0
  return () => {
    work(items[next]!)
    next = (next + 1) % items.length
  }
}

export const suite = new Benchmark.Suite('range coder')

for (const [name, datagrams] of [
  ['snapshot', snapshots()], ['JSON', texts()], ['input', inputs()], ['noise', noise()], ['degenerate', degenerate()],
] as const) {
  const codes = datagrams.map((bytes) => output.slice(0, coder.compress(bytes, output)))
  const deflated = datagrams.map((bytes) => deflateRawSync(bytes, { level: 1 }))
  const mean = (all: readonly Uint8Array[]): number => Math.round(all.reduce((sum, { length }) => sum + length, 0) / all.length)
  const plain = mean(datagrams)
  const options = { maxTime: 0.5 }
  suite
    .add(`${name} compress (${plain} B)`, inTurn(datagrams, (bytes) => { coder.compress(bytes, output) }), options)
    .add(`${name} decompress (${plain} B)`, inTurn(codes, (code) => { coder.decompress(code, output) }), options)
    .add(`${name} compress (${plain} B) — node:zlib deflateRaw`,
      inTurn(datagrams, (bytes) => { deflateRawSync(bytes, { level: 1 }) }), options)
    .add(`${name} decompress (${plain} B) — node:zlib deflateRaw`, inTurn(deflated, (bytes) => { inflateRawSync(bytes) }), options)
  if (name === 'snapshot') {
    suite.add(`${name} compress (${plain} B) — naive twin`, inTurn(datagrams, (bytes) => { twin.compress(bytes) }), options)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  suite.on('cycle', (event: Benchmark.Event) => console.log(String(event.target))).run()
}
