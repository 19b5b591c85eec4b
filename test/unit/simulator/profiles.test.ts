import { readFileSync } from 'node:fs'
import t from 'tap'
import { Link, profiles } from '../../../src/transport/simulator/index.ts'
import { CONDITION_NAMES } from '../../../src/transport/simulator/rules.ts'
import type { PathConditions, Profile, ProfileName } from '../../../src/transport/simulator/index.ts'

/** Each measured once. */
const cache = new Map<string, { roundTrips: number[]; loss: number }>()
const names = Object.keys(profiles) as ProfileName[]

const page = readFileSync('docs/bad-networks.md', 'utf8')
/** The first cells of the table in a section of the page. */
const documented = (section: string): string[] => {
  const [, text = ''] = page.split(`\n## ${section}\n`)
  return [...text.split('\n## ')[0]!.matchAll(/^\| (`\w+`(?:, `\w+`)*) \|/gm)].flatMap((row) => row[1]!.replaceAll('`', '').split(', '))
}

/** Round trips of a 100-byte datagram each 20 ms (sorted), and the share lost one way. */
const measured = ({ name, to, from }: Profile): { roundTrips: number[]; loss: number } => {
  const known = cache.get(name)
  if (known !== undefined) return known
  const up = new Link(to, { seed: 1, startMs: 0 })
  const down = new Link(from, { seed: 2, startMs: 0 })
  const roundTrips: number[] = []
  for (let now = 0; now < 600_000; now += 20) {
    const there = up.send(new Uint8Array(100), now) - now
    const back = down.send(new Uint8Array(100), now) - now
    if (there + back !== Infinity) roundTrips.push(there + back)
  }
  roundTrips.sort((a, b) => a - b)
  const result = { roundTrips, loss: 1 - up.ledger.inFlight / up.ledger.sent }
  cache.set(name, result)
  return result
}
const quantile = (sorted: readonly number[], share: number): number => sorted[Math.floor(share * sorted.length)]!

t.test('every profile has a camelCase name, a summary, a source, and two legal directions', (t) => {
  for (const name of names) {
    const profile = profiles[name]
    t.match(name, /^[a-z][a-zA-Z]+$/)
    t.equal(profile.name, name)
    t.ok(profile.summary.length > 5 && profile.summary.length < 80, `${name}: summary`)
    t.ok(profile.source.length > 40, `${name}: source`)
    t.doesNotThrow(() => [new Link(profile.to), new Link(profile.from)])
  }
  t.ok(names.length >= 15)
  t.end()
})

t.test('profiles cannot be changed by accident', (t) => {
  t.throws(() => { (profiles.lte.to as { latencyMs: number }).latencyMs = 0 }, TypeError)
  t.throws(() => { (profiles as Record<string, PathConditions>)['lte'] = {} }, TypeError)
  t.throws(() => { (profiles.lteTrain.to.blackouts as unknown[]).pop() }, TypeError)
  t.end()
})

t.test('median round trips are what the sources say', (t) => {
  const expected: Partial<Record<ProfileName, [median: number, within: number]>> = {
    lan: [0.4, 0.1], busyWifi: [20, 2], fibre: [13, 1], cable: [28, 1.5], dsl: [50, 1], lte: [70, 2], umts: [200, 5],
    leoSatellite: [50, 5], geoSatellite: [600, 20], acrossEurope: [30, 0.5], acrossNorthAmerica: [45, 0.5],
    transatlantic: [90, 0.5], transpacific: [160, 1], veryBad: [1000, 20],
  }
  for (const [name, [median, within]] of Object.entries(expected)) {
    const found = quantile(measured(profiles[name as ProfileName]).roundTrips, 0.5)
    t.ok(Math.abs(found - median) <= within, `${name}: ${found}`)
  }
  t.end()
})

t.test('busy wifi takes more than 100 ms for a tenth of the packets', (t) => {
  const { roundTrips } = measured(profiles.busyWifi)
  t.ok(Math.abs(quantile(roundTrips, 0.9) - 100) < 15, `${quantile(roundTrips, 0.9)}`)
  t.end()
})

t.test('losses are what the profiles say', (t) => {
  const expected: Partial<Record<ProfileName, [share: number, within: number]>> = {
    goodWifi: [0.001, 0.0007], busyWifi: [0.01, 0.004], lteTrain: [0.03, 0.012], veryBad: [0.1, 0.01], transatlantic: [0.0025, 0.001],
  }
  for (const [name, [share, within]] of Object.entries(expected)) {
    const { loss } = measured(profiles[name as ProfileName])
    t.ok(Math.abs(loss - share) <= within, `${name}: ${loss}`)
  }
  t.end()
})

t.test('the documentation has every profile and every condition, and no other', (t) => {
  t.same(documented('Profiles'), names)
  t.same(documented('Conditions of your own').sort(), [...CONDITION_NAMES].sort())
  t.end()
})
