// What an acknowledgement proves, and when what is sent again. SPEC §6.1 to §6.4, §6.11.

import t from 'tap'
import { Acknowledged } from '../../../src/transport/core/recovery.ts'
import { Flight } from '../../support/flight.ts'
import type { Flown } from '../../support/flight.ts'

const times = (flown: readonly Flown[]): number[] => flown.map(({ at }) => at)

// ---------------------------------------------------------------- tokens

t.test('an acknowledgement counts when the datagram that it names carried that command', (t) => {
  const flight = new Flight()
  const [one, two] = [flight.leave(), flight.leave()]
  const [first] = one.commands
  if (first === undefined) throw new Error()
  t.same(flight.acknowledge([two, first]), [Acknowledged.stray], 'the other datagram')
  t.same(flight.acknowledge([{ ...one, token: (one.token + 2) & 0xffff }, first]), [Acknowledged.stray], 'one that has not left yet')
  t.same(flight.acknowledge([{ ...one, token: (one.token - 1) & 0xffff }, first]), [Acknowledged.stray], 'one before the first')
  t.equal(flight.recovery.roundTrip.sampled, false, 'and nothing was learned from any of them')
  t.same(flight.acknowledge([one, first]), [Acknowledged.first])
  t.same(flight.acknowledge([one, first]), [Acknowledged.again])
  t.equal(flight.released.length, 1)
  t.end()
})

t.test('before anything was sent every acknowledgement is a stray', (t) => {
  const flight = new Flight()
  const command = flight.command()
  t.same(flight.acknowledge([{ token: 100, number: 100, at: 0, commands: [] }, command]), [Acknowledged.stray])
  t.end()
})

t.test('tokens wrap, and name the newest datagram that has them', (t) => {
  const flight = new Flight({ start: 65_530 })
  for (let i = 0; i < 70_000; i++) {
    const flown = flight.leave()
    if (flown.token !== ((65_530 + i) & 0xffff)) t.fail(`token ${flown.token} of datagram ${i}`)
    flight.now += 1
    if (flight.arrived(flown)[0] !== Acknowledged.first) t.fail(`datagram ${i}`)
  }
  t.equal(flight.released.length, 70_000)
  t.equal(flight.recovery.busy, false)
  t.end()
})

t.test('an acknowledgement of a datagram 65,536 ago is a stray, not one of its successor', (t) => {
  const flight = new Flight()
  const lost = flight.leave()
  // One number more than datagrams, so that the successor carries another command.
  flight.arrived(flight.leave([flight.command(), flight.command()]))
  for (let i = 0; i < 65_535; i++) flight.arrived(flight.leave())
  t.same(flight.acknowledge([lost, lost.commands[0]!]), [Acknowledged.stray])
  t.end()
})

t.test('the ring grows with what is in flight: 3,000 datagrams, acknowledged in any order', (t) => {
  const flight = new Flight({ start: 65_000 })
  const all = Array.from({ length: 3_000 }, () => flight.leave())
  flight.now += 40
  for (let i = 0; i < all.length; i++) flight.arrived(all[(i * 1_009) % all.length]!)
  t.equal(flight.released.length, 3_000)
  t.same([flight.recovery.inTransitBytes, flight.recovery.inFlightBytes, flight.recovery.busy], [0, 0, false])
  t.end()
})

t.test('with a clock for a token, datagrams of one millisecond are told apart by what they carried', (t) => {
  const flight = new Flight({ clock: true, now: 65_535.4 })
  const [one, two] = [flight.leave(), flight.leave()]
  flight.now += 0.9
  const three = flight.leave()
  t.same([one.token, two.token, three.token], [65_535, 65_535, 0])
  flight.now += 30
  t.same(flight.arrived(one, three), [Acknowledged.first, Acknowledged.first])
  t.same(flight.arrived(two), [Acknowledged.first])
  t.same(flight.acknowledge([two, three.commands[0]!]), [Acknowledged.stray])
  t.equal(flight.recovery.busy, false)
  // 65.536 s later the token comes again; the old one is forgotten with its datagram.
  for (let i = 0; i < 40; i++) flight.arrived(flight.leave())
  t.same(flight.acknowledge([one, one.commands[0]!]), [Acknowledged.stray])
  t.end()
})

// ---------------------------------------------------------------- round trips

t.test('one round trip is taken for all acknowledgements of a datagram: that of the newest they name', (t) => {
  const flight = new Flight()
  const early = flight.leave()
  flight.now += 30
  const late = flight.leave()
  flight.now += 20
  flight.arrived(late, early)
  t.same([flight.recovery.roundTrip.samples, flight.recovery.roundTrip.last], [1, 20])
  t.end()
})

t.test('a copy that arrives is measured by its own sending', (t) => {
  const flight = new Flight()
  flight.measure(40)
  const original = flight.leave()
  flight.now += 100
  const again = flight.leave(original.commands)
  flight.now += 40
  t.same(flight.arrived(again), [Acknowledged.first])
  t.equal(flight.recovery.roundTrip.last, 40)
  t.end()
})

t.test('what left before our own loop stood still says nothing about the path', (t) => {
  const flight = new Flight()
  const flown = flight.leave()
  flight.now += 3_000
  flight.recovery.beginBatch()
  flight.recovery.acknowledge(0, flown.commands[0]!.sequence, flown.token, flown.commands[0], flight.now)
  flight.recovery.endBatch(flight.now, flight.now - 10)
  t.equal(flight.recovery.roundTrip.sampled, false)
  t.equal(flight.recovery.busy, false, 'but it has arrived')
  t.end()
})

// ---------------------------------------------------------------- the gap

t.test('what left earlier than something that has arrived is sent again at once on a path that keeps the order', (t) => {
  const flight = new Flight()
  flight.measure(40)
  const lost = flight.leave()
  flight.now += 5
  const heard = flight.leave()
  flight.now += 40
  flight.arrived(heard)
  const again = flight.repeat()
  t.same(again.map(({ commands }) => commands[0] === lost.commands[0]), [true])
  t.equal(again[0]?.at, flight.now)
  t.end()
})

t.test('what left later is not suspected', (t) => {
  const flight = new Flight()
  flight.measure(40)
  const heard = flight.leave()
  flight.now += 5
  flight.leave()
  flight.now += 35
  flight.arrived(heard)
  t.same(flight.repeat(), [])
  t.end()
})

t.test('large packets wait for certainty: an eighth of the round trip more', (t) => {
  const flight = new Flight()
  flight.measure(80)
  const bulk = flight.leave([flight.command(1_150)])
  flight.now += 1
  const heard = flight.leave()
  flight.now += 80
  flight.arrived(heard)
  t.same(flight.repeat(), [])
  const again = flight.pass(30)
  t.equal(again[0]?.commands[0], bulk.commands[0])
  t.ok(Math.abs((again[0]?.at ?? 0) - (bulk.at + 80 + 10)) < 0.5, `${(again[0]?.at ?? 0) - bulk.at} ms after it left`)
  t.end()
})

t.test('of a datagram that carried both, what is large waits for certainty', (t) => {
  const flight = new Flight()
  flight.measure(80)
  const mixed = flight.leave([flight.command(50), flight.command(1_050)])
  flight.now += 1
  const heard = flight.leave()
  flight.now += 80
  flight.arrived(heard)
  t.same(flight.repeat().map(({ commands }) => commands[0] === mixed.commands[0]), [true])
  t.equal(flight.pass(30)[0]?.commands[0], mixed.commands[1])
  t.end()
})

t.test('a path that reorders is learned: after a while late datagrams are waited for', (t) => {
  const flight = new Flight()
  flight.measure(40)
  let wrong = 0
  for (let i = 0; i < 200; i++) {
    // Every other datagram is overtaken: it takes 6 ms more.
    const slow = flight.leave()
    flight.now += 2
    const fast = flight.leave()
    flight.now += 40
    flight.arrived(fast)
    const repeated = flight.repeat().length + flight.pass(4).length
    if (i >= 20) wrong += repeated
    flight.arrived(slow)
    flight.pass(30)
  }
  t.ok(wrong <= 20, `${wrong} of 180 were sent again for nothing`)
  t.end()
})

t.test('a loss counts for the loss ratio; an acknowledgement that comes after all takes it out', (t) => {
  const flight = new Flight()
  flight.measure(40)
  for (let i = 0; i < 200; i++) flight.arrived(flight.leave())
  const before = flight.recovery.lossRatio
  const late = flight.leave()
  flight.now += 2
  const heard = flight.leave()
  flight.now += 40
  flight.arrived(heard)
  flight.pass(20)
  const suspected = flight.recovery.lossRatio
  t.ok(suspected > before, `${before} → ${suspected}`)
  t.same(flight.arrived(late), [Acknowledged.first], 'and it is what arrived first')
  t.ok(flight.recovery.lossRatio < suspected)
  t.end()
})

// ---------------------------------------------------------------- the tail

t.test('what nothing later can prove is sent again after mean + 4 deviations', (t) => {
  const flight = new Flight()
  for (let i = 0; i < 50; i++) flight.measure(40)
  const { mean, deviation } = flight.recovery.roundTrip
  const flown = flight.leave()
  t.equal(flight.recovery.deadline, flown.at + flight.recovery.tailMs)
  t.ok(flight.recovery.tailMs >= mean + Math.max(4 * deviation, 1) && flight.recovery.tailMs < mean + 4 * deviation + 15,
    `${flight.recovery.tailMs}`)
  const again = flight.pass(100)
  t.equal(again[0]?.commands[0], flown.commands[0])
  t.ok((again[0]?.at ?? 0) - flown.at < 60)
  t.end()
})

t.test('before the first round trip the tail time is 250 ms', (t) => {
  const flight = new Flight()
  flight.leave()
  t.equal(flight.pass(251)[0]?.at, 1_250)
  t.end()
})

t.test('a jittery path is given more time, as much as it needs', (t) => {
  const flight = new Flight()
  let wrong = 0
  for (let i = 0; i < 400; i++) {
    const flown = flight.leave()
    const again = flight.pass(i % 10 === 0 ? 90 : 30)
    if (i > 100) wrong += again.length
    flight.arrived(flown)
    flight.pass(1)
  }
  t.ok(wrong < 60, `${wrong} of 300 were sent again for nothing`)
  t.end()
})

t.test('during silence probes thin out, nothing is forgotten, and the deadline stays ahead', (t) => {
  const flight = new Flight({ congestion: true })
  for (let i = 0; i < 20; i++) flight.measure(40)
  const all = Array.from({ length: 30 }, () => flight.leave())
  const sent = flight.pass(10_000)
  const perSecond = Array.from({ length: 10 },
    (_, second) => sent.filter(({ at }) => Math.floor((at - all[0]!.at) / 1000) === second).length)
  t.ok(perSecond[0]! >= 30 && perSecond.slice(2).every((count) => count <= 12 && count >= 1), `${perSecond}`)
  t.ok(Math.max(...times(sent).map((at, i, every) => at - (every[i - 1] ?? at))) <= 1_001, 'at least one each second')
  t.equal(flight.recovery.busy, true)
  // The path is back: everything that is repeated now arrives.
  for (let i = 0; i < 400 && flight.recovery.busy; i++) {
    const repeats = [...flight.repeat(), ...flight.pass(10)]
    flight.now += 20
    for (const flown of repeats) flight.arrived(flown)
  }
  t.equal(flight.recovery.busy, false)
  t.equal(flight.released.length, 50)
  t.same([flight.recovery.inTransitBytes, flight.recovery.inFlightBytes], [0, 0])
  t.end()
})

t.test('a wrong alarm costs a datagram, not a window: of bulk only the oldest is repeated', (t) => {
  const flight = new Flight({ congestion: true })
  for (let i = 0; i < 20; i++) flight.measure(40)
  for (let i = 0; i < 20; i++) flight.leave([flight.command(1_150)])
  const deadline = flight.recovery.deadline
  const again = flight.pass(deadline - flight.now + 1)
  t.equal(again.length, 1)
  t.end()
})

t.test('after four tail times without a word what is older is given up for lost, so that the window opens', (t) => {
  const flight = new Flight({ congestion: true })
  for (let i = 0; i < 20; i++) flight.measure(40)
  for (let i = 0; i < 20; i++) flight.leave([flight.command(1_150)])
  const before = flight.recovery.inFlightBytes
  flight.pass(400, false)
  t.ok(flight.recovery.inFlightBytes < before / 2, `${before} → ${flight.recovery.inFlightBytes}`)
  t.equal(flight.recovery.busy, true)
  t.end()
})

t.test('overdue time begins with the first datagram that is overdue, and any acknowledgement ends it', (t) => {
  const flight = new Flight()
  flight.measure(40)
  t.equal(flight.recovery.overdueSince, -1)
  const flown = flight.leave()
  flight.pass(150, false)
  t.ok(flight.recovery.overdueSince > 0)
  flight.arrived(flown)
  t.same([flight.recovery.overdueSince, flight.recovery.probes], [-1, 0])
  t.end()
})

// ---------------------------------------------------------------- partly acknowledged

t.test('a datagram that has arrived does not stand for all that it carried', (t) => {
  const flight = new Flight()
  flight.measure(40)
  const two = [flight.command(), flight.command()]
  const flown = flight.leave(two)
  flight.now += 40
  flight.acknowledge([flown, two[0]!])
  t.equal(flight.recovery.busy, true)
  t.same(flight.repeat(), [], 'the rest of the acknowledgements may be in the next datagram')
  const again = flight.pass(200)
  t.equal(again[0]?.commands[0], two[1])
  t.end()
})

t.test('when something later was acknowledged the rest is sent again after 2 ms', (t) => {
  const flight = new Flight()
  flight.measure(40)
  const two = [flight.command(), flight.command()]
  const flown = flight.leave(two)
  flight.now += 1
  const later = flight.leave()
  flight.now += 40
  flight.acknowledge([flown, two[0]!], [later, later.commands[0]!])
  const at = flight.now
  const again = flight.pass(10)
  t.equal(again[0]?.commands[0], two[1])
  t.ok((again[0]?.at ?? 0) - at <= 3, `${(again[0]?.at ?? 0) - at} ms`)
  t.end()
})

// ---------------------------------------------------------------- again

t.test('what is sent again keeps its order over all channels, urgent things first', (t) => {
  const flight = new Flight()
  flight.measure(40)
  const sizes = [50, 1_150, 60, 1_160, 70]
  const lost = sizes.map((bytes) => flight.leave([flight.command(bytes)]))
  flight.now += 2
  const heard = flight.leave()
  flight.now += 40
  flight.arrived(heard)
  const again = flight.pass(50).map(({ commands }) => commands[0]!.payloadBytes)
  t.same([...flight.repeat().map(({ commands }) => commands[0]!.payloadBytes), ...again].slice(0, 5), [50, 60, 70, 1_150, 1_160])
  t.equal(lost.length, 5)
  t.equal(flight.recovery.retransmissions, 5)
  t.end()
})

t.test('what is acknowledged while it waits to be sent again is left out', (t) => {
  const flight = new Flight()
  flight.measure(40)
  const late = flight.leave()
  flight.now += 1
  const heard = flight.leave()
  flight.now += 40
  flight.arrived(heard)
  t.equal(flight.recovery.again.any, true)
  flight.arrived(late)
  t.equal(flight.recovery.again.peekUrgent(), null)
  t.equal(flight.recovery.again.any, false)
  t.end()
})

// ---------------------------------------------------------------- reports

t.test('a report acknowledges every command of the datagrams that it names, and of no others', (t) => {
  const flight = new Flight()
  flight.measure(40)
  const all = Array.from({ length: 10 }, () => flight.leave([flight.command(), flight.command()]))
  flight.now += 40
  t.equal(flight.report(all[9]!, [all[0]!, all[3]!, all[8]!]), true)
  t.same(flight.released.slice(1).map(({ sequence }) => sequence).sort((x, y) => x - y),
    [0, 3, 8, 9].flatMap((i) => all[i]!.commands.map(({ sequence }) => sequence)))
  t.equal(flight.repeat().length > 0, true, 'what lies between is a gap')
  t.end()
})

t.test('a report about nothing that we sent is a stray', (t) => {
  const flight = new Flight()
  const flown = flight.leave()
  t.equal(flight.report({ ...flown, token: (flown.token + 1) & 0xffff }), false)
  t.equal(flight.recovery.busy, true)
  t.end()
})

t.test('the time for which a report waited is not part of the round trip; what it only repeats says nothing about time', (t) => {
  const flight = new Flight()
  flight.measure(40)
  const old = flight.leave()
  flight.now += 100
  const flown = flight.leave()
  flight.now += 65
  flight.report(flown, [old], 25)
  t.equal(flight.recovery.roundTrip.last, 40)
  t.end()
})

t.test('who asked about an unreliable packet hears that its datagram was reported, or that nothing was heard of it', (t) => {
  const flight = new Flight()
  flight.measure(40)
  const told: string[] = []
  const [first, second] = [flight.leaveUnreliable((o) => told.push(`1 ${o}`)), flight.leaveUnreliable((o) => told.push(`2 ${o}`))]
  flight.now += 40
  flight.report(second)
  t.same(told, ['2 delivered'])
  flight.pass(1_000)
  t.same(told, ['2 delivered', '1 lost'])
  t.equal(flight.report(first), true)
  t.equal(told.length, 2)
  t.same([flight.recovery.inFlightBytes, flight.recovery.deadline], [0, Infinity])
  t.end()
})

t.test('an unreliable datagram is never sent again and does not count as silence', (t) => {
  const flight = new Flight()
  flight.measure(40)
  flight.leaveUnreliable(() => {})
  t.same(flight.pass(5_000), [])
  t.same([flight.recovery.overdueSince, flight.recovery.probes], [-1, 0])
  t.end()
})

// ---------------------------------------------------------------- the books

t.test('in transit are payload bytes sent and neither acknowledged nor suspected, in flight whole datagrams', (t) => {
  const flight = new Flight()
  flight.measure(40)
  const lost = flight.leave([flight.command(100)])
  flight.now += 1
  const heard = flight.leave([flight.command(200)])
  t.equal(flight.recovery.inTransitBytes, 300)
  t.equal(flight.recovery.inFlightBytes, (20 + 106 + 28) + (20 + 206 + 28))
  flight.now += 40
  flight.arrived(heard)
  t.equal(flight.recovery.inTransitBytes, 0, 'the suspected one no longer counts')
  const [again] = flight.repeat()
  t.equal(flight.recovery.inTransitBytes, 100)
  t.same(flight.arrived(again!), [Acknowledged.first])
  t.same(flight.arrived(lost), [Acknowledged.again])
  t.same([flight.recovery.inTransitBytes, flight.recovery.inFlightBytes, flight.recovery.busy], [0, 0, false])
  t.end()
})

t.test('commands that are given up are not waited for, in flight or waiting to be sent again', (t) => {
  const flight = new Flight()
  const commands = [flight.command(), flight.command(1_150), flight.command()]
  flight.leave(commands.slice(0, 2))
  flight.leave(commands.slice(2))
  flight.pass(260, false)
  t.ok(flight.recovery.again.any)
  for (const command of commands) flight.recovery.forget(command)
  t.same([flight.recovery.busy, flight.recovery.inTransitBytes, flight.recovery.again.peekUrgent(), flight.recovery.again.peekBulk()],
    [false, 0, null, null])
  const before = flight.recovery.retransmissions
  flight.pass(2_000)
  t.equal(flight.recovery.retransmissions, before)
  t.end()
})

t.test('clear leaves nothing to wait for', (t) => {
  const flight = new Flight()
  const told: string[] = []
  flight.leave()
  flight.leaveUnreliable((outcome) => told.push(outcome))
  flight.recovery.clear()
  const { busy, again: { any: hasAgain }, deadline, inFlightBytes, inTransitBytes } = flight.recovery
  t.same([busy, hasAgain, deadline, inFlightBytes, inTransitBytes, told], [false, false, Infinity, 0, 0, ['lost']])
  t.end()
})
