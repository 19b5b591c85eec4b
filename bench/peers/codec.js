// Our codec beside MessagePack, CBOR, protobuf and Avro on the twelve messages: bytes, and the time to encode and decode, in one run.
//
//   node bench/peers/codec.js [folder of the compiled tree, default ../../build] [--json] [--rounds 15]
//
// All contestants have seen all twelve messages before the clock starts, so that nobody is measured in the state of a program with
// one single message. Rounds interleave the contestants: what disturbs the machine disturbs all of them. A time is the median round.

import { cpus } from 'node:os'
import { pathToFileURL } from 'node:url'
import { resolve } from 'node:path'
import { rivals } from './rivals.js'

const flags = process.argv.slice(2)
const option = (name, fallback) => (flags.includes(name) ? Number(flags[flags.indexOf(name) + 1]) : fallback)
const folder = flags.find((flag, i) => !flag.startsWith('--') && flags[i - 1] !== '--rounds' && flags[i - 1] !== '--ms')
const tree = folder === undefined ? new URL('../../build/', import.meta.url) : pathToFileURL(resolve(folder) + '/')
const { corpus } = await import(new URL('bench/codec/messages.js', tree))
const { encode, decode } = await import(new URL('src/rpc/codec/index.js', tree))

const ROUNDS = option('--rounds', 15)
const SLICE_MS = option('--ms', 3)

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1]
const mean = (list) => list.reduce((sum, v) => sum + v, 0) / list.length
const geometricMean = (list) => Math.exp(mean(list.map(Math.log)))

const natural = rivals(false)
const scaled = rivals(true)
const cases = corpus().map(({ name, type, values }) => ({
  name,
  contestants: {
    vaiven: { values, encode: (value) => encode(type, value), decode: (bytes) => decode(type, bytes).value },
    ...natural(name, values),
  },
  byHand: scaled(name, values),
}))

// Shared record structures grow with the first messages: twice over, so that what is measured is the settled state.
for (let i = 0; i < 2; i++) {
  for (const { contestants, byHand } of cases) {
    for (const codec of [...Object.values(contestants), ...Object.values(byHand)]) {
      codec.encoded = codec.values.map((value) => Uint8Array.prototype.slice.call(codec.encode(value)))
      for (const bytes of codec.encoded) codec.decode(Buffer.from(bytes))
    }
  }
}

const size = (codec) => mean(codec.encoded.map((bytes) => bytes.length))
const round = (number, digits = 1) => Number(number.toFixed(digits))

const sizes = cases.map(({ name, contestants, byHand }) => {
  const row = { message: name }
  for (const [codec, contestant] of Object.entries(contestants)) row[codec] = size(contestant)
  for (const [codec, contestant] of Object.entries(byHand)) row[`${codec} by hand`] = size(contestant)
  return row
})

/** Nanoseconds for one call of `run` over the list, for about SLICE_MS. */
let sink = null
const slice = (run, list) => {
  const start = process.hrtime.bigint()
  let calls = 0
  let elapsed = 0n
  do {
    for (let i = 0; i < list.length; i++) sink = run(list[i])
    calls += list.length
    elapsed = process.hrtime.bigint() - start
  } while (elapsed < SLICE_MS * 1e6)
  return Number(elapsed) / calls
}

const names = Object.keys(cases[0].contestants)
const jobs = (contestants) => names.flatMap((codec) => [
  { codec, verb: 'encode', run: contestants[codec].encode, list: contestants[codec].values },
  { codec, verb: 'decode', run: contestants[codec].decode, list: contestants[codec].encoded.map((bytes) => Buffer.from(bytes)) },
])
const all = cases.map(({ name, contestants }) => ({ name, jobs: jobs(contestants).map((job) => ({ ...job, times: [] })) }))
for (let i = -2; i < ROUNDS; i++) {
  for (const { jobs } of all) {
    // The order turns with the round, so that nobody always follows the same neighbour.
    const turned = [...jobs.slice((i + 2) % jobs.length), ...jobs.slice(0, (i + 2) % jobs.length)]
    for (const job of turned) {
      const time = slice(job.run, job.list)
      if (i >= 0) job.times.push(time)
    }
  }
}

const times = (verb) => all.map(({ name, jobs }) => {
  const row = { message: name }
  for (const job of jobs) if (job.verb === verb) row[job.codec] = median(job.times)
  return row
})
const encodeTimes = times('encode')
const decodeTimes = times('decode')

/** Speed of ours relative to another: above 1, ours is faster. */
const speedAgainst = (rows, codec) => geometricMean(rows.map((row) => row[codec] / row.vaiven))
const others = names.filter((name) => name !== 'vaiven')
const perMessageFastest = (rows) => geometricMean(rows.map((row) => Math.min(...others.map((codec) => row[codec])) / row.vaiven))

const smallest = (row) =>
  Math.min(...Object.entries(row).filter(([key]) => key !== 'message' && key !== 'vaiven').map(([, bytes]) => bytes))
const allRivals = Object.keys(sizes[0]).filter((key) => key !== 'message' && key !== 'vaiven')
const total = (key) => sizes.reduce((sum, row) => sum + row[key], 0)

const speeds = (rows) => {
  const each = Object.fromEntries(others.map((codec) => [codec, round(speedAgainst(rows, codec), 2)]))
  return { ...each, fastest: Math.min(...Object.values(each)), 'fastest of each message': round(perMessageFastest(rows), 2) }
}

const verdict = {
  neverLarger: sizes.every((row) => row.vaiven <= smallest(row) || (row.message === 'empty' && row.vaiven <= 1)),
  largerOn: sizes.filter((row) => row.vaiven > smallest(row)).map((row) => row.message),
  totalRatioToSmallestRival: round(total('vaiven') / Math.min(...allRivals.map(total)), 3),
  totalRatioToBestOfEach: round(total('vaiven') / sizes.reduce((sum, row) => sum + smallest(row), 0), 3),
  encodeSpeed: speeds(encodeTimes),
  decodeSpeed: speeds(decodeTimes),
}

const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', rounds: ROUNDS, sliceMs: SLICE_MS }
if (flags.includes('--json')) {
  console.log(JSON.stringify({ machine, sizes, encodeNs: encodeTimes, decodeNs: decodeTimes, verdict }, null, 2))
} else {
  const table = (title, rows, digits) => {
    const keys = Object.keys(rows[0])
    const cells = [keys, ...rows.map((row) => keys.map((key) => (typeof row[key] === 'number' ? row[key].toFixed(digits) : row[key])))]
    const widths = keys.map((_, i) => Math.max(...cells.map((line) => line[i].length)))
    console.log(`\n${title}`)
    for (const line of cells) console.log(line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '))
  }
  console.log(`node ${machine.node}, ${machine.cpu}, ${ROUNDS} rounds of ${SLICE_MS} ms, 64 values of each message`)
  table('mean bytes ("by hand": fractions turned into integers by the user)', sizes, 1)
  table('encode, ns (median)', encodeTimes, 0)
  table('decode, ns (median)', decodeTimes, 0)
  console.log('\nverdict (speeds: ours relative to theirs, geometric mean; above 1 ours is faster)')
  console.log(JSON.stringify(verdict, null, 2))
}
