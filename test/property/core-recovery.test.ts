// Laws of recovery, without a host around it: whatever is lost, late or doubled, every command is released once, the books
// come out even, and time never stands still.

import fc from 'fast-check'
import t from 'tap'
import type { ReliableCommand } from '../../src/transport/core/message.ts'
import { Flight } from '../support/flight.ts'
import type { Flown } from '../support/flight.ts'
import { holds } from '../support/holds.ts'

/** What happens next. `fate`: lost, or how long datagram and acknowledgement are under way together. */
interface Step { send: readonly number[]; fate: number | null; twice: boolean; partly: boolean; pauseMs: number }

const step: fc.Arbitrary<Step> = fc.record({
  send: fc.array(fc.constantFrom(4, 50, 900, 1_150), { maxLength: 3 }),
  fate: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 5, max: 60 }) }, { weight: 1, arbitrary: fc.integer({ min: 60, max: 2_000 }) },
    { weight: 2, arbitrary: fc.constant(null) }),
  twice: fc.boolean(),
  partly: fc.boolean(),
  pauseMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 30 }), fc.integer({ min: 100, max: 4_000 })),
})

interface Settings { start: number; clock: boolean; congestion: boolean; reports: boolean; redundancy: 'off' | 2 }
const settings: fc.Arbitrary<Settings> = fc.record({
  start: fc.constantFrom(0, 100, 65_500), clock: fc.boolean(), congestion: fc.boolean(), reports: fc.boolean(),
    redundancy: fc.constantFrom<('off' | 2)[]>('off', 2),
})

/** Plays the steps, then lets everything arrive. */
const play = (steps: readonly Step[], { clock, reports, ...options }: Settings): { flight: Flight; sent: ReliableCommand[] } => {
  const flight = new Flight({ ...options, clock: clock && !reports })
  const sent: ReliableCommand[] = []
  const coming: { at: number; flown: Flown; commands: readonly ReliableCommand[] }[] = []
  const leave = (flown: Flown, { fate, twice, partly }: Pick<Step, 'fate' | 'twice' | 'partly'>): void => {
    if (fate === null) return
    const commands = partly ? flown.commands.slice(0, Math.ceil(flown.commands.length / 2)) : flown.commands
    coming.push({ at: flight.now + fate, flown, commands })
    if (twice) coming.push({ at: flight.now + fate * 2, flown, commands })
  }
  const listen = (): void => {
    coming.sort((x, y) => x.at - y.at)
    while (coming[0] !== undefined && coming[0].at <= flight.now) {
      const { flown, commands } = coming.shift()!
      if (reports) flight.report(flown)
      else flight.acknowledge(...commands.map((one): [Flown, ReliableCommand] => [flown, one]))
    }
  }
  const wait = (ms: number, fate: Pick<Step, 'fate' | 'twice' | 'partly'>): void => {
    for (const end = flight.now + ms; flight.now < end;) {
      const until = Math.min(end, coming.reduce((least, { at }) => Math.min(least, at), Infinity))
      for (const flown of [...flight.repeat(), ...flight.pass(Math.max(0, until - flight.now))]) leave(flown, fate)
      listen()
    }
  }
  for (const one of steps) {
    const commands = one.send.map((bytes) => flight.command(bytes))
    sent.push(...commands)
    if (commands.length > 0) leave(flight.leave(commands), one)
    wait(one.pauseMs, one)
  }
  // From now on the path is good.
  for (let i = 0; i < 500 && (flight.recovery.busy || i < 3); i++) wait(50, { fate: 20, twice: false, partly: false })
  return { flight, sent }
}

const programs = fc.tuple(fc.array(step, { maxLength: 40, size: 'max' }), settings)

t.test('recovery', (t) => {
  holds(t, 'releases every command exactly once, whatever datagrams and acknowledgements are lost, late or doubled',
    fc.property(programs, ([steps, options]) => {
      const { flight, sent } = play(steps, options)
      return flight.released.length === sent.length && new Set(flight.released).size === sent.length && !flight.recovery.busy
    }), { numRuns: 300 })

  holds(t, 'keeps even books: when all is acknowledged nothing is in transit, in flight or waiting, and no timer runs',
    fc.property(programs, ([steps, options]) => {
      const { flight } = play(steps, options)
      // What was suspected and never heard of lapses.
      flight.pass(120_000)
      const { inTransitBytes, inFlightBytes, again: { any: hasAgain }, deadline, overdueSince } = flight.recovery
      const books = { inTransitBytes, inFlightBytes, hasAgain, deadline, overdueSince }
      const wanted = { inTransitBytes: 0, inFlightBytes: 0, hasAgain: false, deadline: Infinity, overdueSince: -1 }
      if (JSON.stringify(books) !== JSON.stringify(wanted)) throw new Error(JSON.stringify(books))
    }), { numRuns: 300 })

  holds(t, 'does not flood a dead path: in a minute of silence at most some hundred datagrams leave, and at least one a second',
    fc.property(fc.array(fc.constantFrom(50, 900, 1_150), { minLength: 1, maxLength: 30, size: 'max' }), settings, (sizes, options) => {
      const flight = new Flight(options)
      for (let i = 0; i < 5; i++) flight.measure(30)
      for (const bytes of sizes) flight.leave([flight.command(bytes)])
      const began = flight.now
      const times = flight.pass(60_000).map(({ at }) => at - began)
      const gaps = times.map((at, i) => at - (times[i - 1] ?? 0))
      if (times.length > 200 + 4 * sizes.length || Math.max(...gaps) > 1_500) {
        throw new Error(`${times.length} datagrams, gaps to ${Math.max(...gaps)}`)
      }
    }), { numRuns: 60 })
  t.end()
})
