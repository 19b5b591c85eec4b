// Reports of whole datagrams: SPEC §6.11. What a report says must be exactly what arrived, in every order of arrival.

import t from 'tap'
import {
  ANNOUNCE_BYTES, decodeReport, encodeAnnounce, isAnnounce, MAX_REPORT_BYTES, Report, Reports,
} from '../../../src/transport/core/extension.ts'
import { SeededRandom } from '../../../src/util/random.ts'

/** Writes everything that is pending. @returns all blocks, read back */
const write = (reports: Reports, now: number): Report[] => {
  const all: Report[] = []
  const bytes = new Uint8Array(MAX_REPORT_BYTES + 4)
  while (reports.pending > 0) {
    const size = reports.write(bytes, 2, now)
    const report = new Report()
    if (size > MAX_REPORT_BYTES || decodeReport(bytes, 2, 2 + size, report) !== size) throw new Error('cannot be read back')
    all.push(report)
  }
  return all
}

/** The datagrams that a report names. */
const named = (report: Report): Set<number> => {
  const tokens = new Set([report.newest, report.largest])
  for (let i = 0; i < 64; i++) {
    if ((((i < 32 ? report.mapLow : report.mapHigh) >>> (i & 31)) & 1) === 1) tokens.add((report.largest - 1 - i) & 0xffff)
  }
  return tokens
}

t.test('an announcement is recognised, and nothing else is', (t) => {
  const bytes = new Uint8Array(ANNOUNCE_BYTES)
  encodeAnnounce(bytes, 0)
  t.equal(isAnnounce(bytes, 0, bytes.length), true)
  t.equal(isAnnounce(bytes, 0, bytes.length - 1), false)
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice()
    changed[at] = (changed[at] ?? 0) + 1
    // A newer version, and features that we do not know, are understood.
    t.equal(isAnnounce(changed, 0, changed.length), at >= 6, `byte ${at}`)
  }
  const zero = bytes.slice()
  zero[6] = 0
  t.equal(isAnnounce(zero, 0, zero.length), false, 'version 0')
  t.end()
})

t.test('a report never names a datagram that did not arrive: the first one stands alone', (t) => {
  for (const first of [0, 1, 63, 64, 1000, 65_535]) {
    const reports = new Reports()
    reports.note(first, 10, 0)
    const [report] = write(reports, 10)
    t.same([...named(report as Report)], [first])
  }
  t.end()
})

t.test('what comes after a gap does not fill it', (t) => {
  for (const gap of [2, 3, 31, 32, 33, 34, 63, 64, 65, 66, 67, 100, 200, 30_000]) {
    const reports = new Reports()
    reports.note(500, 0, 0)
    write(reports, 0)
    reports.note((500 + gap) & 0xffff, 1, 0)
    const names = write(reports, 1).flatMap((report) => [...named(report)])
    t.same(names.filter((token) => token !== 500 && token !== ((500 + gap) & 0xffff)), [], `a gap of ${gap}`)
    t.equal(names.includes(500), gap <= 64, `a gap of ${gap} leaves the one before within the map`)
  }
  t.end()
})

t.test('in any order, with losses, doubles and late ones: everything named has arrived, and every arrival is named at once', (t) => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const random = new SeededRandom(seed)
    const reports = new Reports()
    const arrived = new Set<number>()
    let unreported: number[] = []
    let sender = random.below(65_536)
    let number = 0
    for (let i = 0; i < 30_000; i++) {
      const lead = random.chance(0.8) ? 1 : random.chance(0.05) ? random.below(200) : random.below(4)
      sender = (sender + lead) & 0xffff
      number += lead
      const late = random.chance(0.2) ? random.below(seed * 15) : 0
      if (number - late <= 0) continue
      const token = (sender - late) & 0xffff
      reports.note(token, i, 0)
      arrived.add(token)
      // Numbers come round again: what is half the space away is long forgotten.
      arrived.delete((token + 32_768) & 0xffff)
      // Later than the map reaches back: says nothing, and need not be reported.
      if (late <= 64) unreported.push(token)
      if (random.chance(0.4)) continue
      const all = write(reports, i)
      if (all.length === 0 && unreported.length > 0) t.fail(`nothing to report at ${i}`)
      const names = new Set(all.flatMap((report) => [...named(report)]))
      for (const name of names) if (!arrived.has(name)) t.fail(`seed ${seed}, step ${i}: ${name} did not arrive`)
      for (const wanted of unreported) if (!names.has(wanted)) t.fail(`seed ${seed}, step ${i}: ${wanted} was not named`)
      unreported = []
      if (!t.passing()) break
    }
    t.pass(`seed ${seed}`)
  }
  t.end()
})

t.test('a burst of more than 64 is reported in snapshots, in which none is missing', (t) => {
  for (const [count, lost] of [[65, 0], [200, 0], [200, 3], [1000, 7]] as const) {
    const reports = new Reports()
    const arrived: number[] = []
    for (let token = 0; token < count; token++) {
      if (lost > 0 && token % lost === 1) continue
      reports.note(token, token, 0)
      arrived.push(token)
    }
    const all = write(reports, count)
    t.ok(all.length >= count / 65, `${all.length} blocks for ${count}`)
    const names = new Set(all.flatMap((report) => [...named(report)]))
    t.same([...names].sort((x, y) => x - y), arrived)
  }
  t.end()
})

t.test('a flood does not pile up snapshots without end', (t) => {
  const reports = new Reports()
  for (let i = 0; i < 20_000; i++) reports.note((i * 65) & 0xffff, i, 0)
  t.ok(reports.pending <= 66, `${reports.pending} blocks`)
  t.end()
})

t.test('a report is due at once for what waits for it, and may wait for company otherwise', (t) => {
  const reports = new Reports()
  t.same([reports.dueAt, reports.pending], [Infinity, 0])
  reports.note(1, 100, 25)
  t.same([reports.dueAt, reports.pending], [125, 1])
  reports.note(2, 110, 25)
  t.equal(reports.dueAt, 125, 'the first one decides')
  reports.note(3, 112, 0)
  t.equal(reports.dueAt, 112)
  write(reports, 112)
  t.same([reports.dueAt, reports.pending], [Infinity, 0])
  for (let token = 4; token < 80; token++) reports.note(token, 120, 25)
  t.equal(reports.dueAt, -Infinity, 'a snapshot has waited long enough')
  t.end()
})

t.test('times travel in eighths of a millisecond, the delay at most 8 s, the arrival modulo 8,192 ms', (t) => {
  const delays = [[0, 0], [0.4, 0.375], [3, 3], [25, 25], [9000, 65_535 / 8]] as const
  for (const [waited, told] of delays) {
    const reports = new Reports()
    reports.note(7, 20_000.3, 0)
    const [report] = write(reports, 20_000.3 + waited)
    t.equal(report?.delayMs, told)
    t.ok(Math.abs((report?.arrivedMs ?? 0) - (20_000.3 % 8192)) <= 0.125, `${report?.arrivedMs}`)
  }
  t.end()
})

t.test('a report that is cut off, or something else, is not read', (t) => {
  const reports = new Reports()
  reports.note(1, 0, 0)
  reports.note(5, 0, 0)
  reports.note(3, 0, 0)
  const bytes = new Uint8Array(40)
  const size = reports.write(bytes, 0, 0)
  t.equal(size, MAX_REPORT_BYTES, 'the newest is not the largest, and there are gaps')
  const report = new Report()
  for (let end = 0; end < size; end++) t.equal(decodeReport(bytes, 0, end, report), 0)
  t.equal(decodeReport(bytes, 0, 40, report), size)
  t.same([report.newest, report.largest], [3, 5])
  for (const [at, value] of [[0, 0x0e], [1, 0x31], [1, 0x33]] as const) {
    const changed = bytes.slice()
    changed[at] = value
    t.equal(decodeReport(changed, 0, 40, report), 0)
  }
  t.end()
})

t.test('without gaps a report has 8 bytes', (t) => {
  const reports = new Reports()
  for (let token = 0; token < 65; token++) {
    reports.note(token, 0, 0)
    if (token < 64) write(reports, 0)
  }
  const bytes = new Uint8Array(40)
  t.equal(reports.write(bytes, 0, 0), 8)
  const report = new Report()
  decodeReport(bytes, 0, 8, report)
  t.equal(named(report).size, 65)
  t.end()
})
