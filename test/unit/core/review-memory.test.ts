// What a burst needed is given back when it is over.

import t from 'tap'
import { PendingAcks, sequenceOf } from '../../../src/transport/core/pending-acks.ts'
import { Acknowledged } from '../../../src/transport/core/recovery.ts'
import { Flight } from '../../support/flight.ts'

for (const clock of [false, true]) {
  t.test(`of a large flight that is settled only the end is remembered, so that its late acknowledgements count${clock ? ' (clock)' : ''}`, (t) => {
    const flight = new Flight({ clock })
    const flown = Array.from({ length: 1_500 }, () => {
      flight.now += 0.25
      return flight.leave()
    })
    flight.now += 10
    for (const one of flown) t.same(flight.arrived(one), [Acknowledged.first])
    t.same(flight.arrived(flown[0]!), [Acknowledged.again], 'as long as nothing else leaves')
    const next = flight.leave()
    t.same(flight.arrived(flown[0]!), [Acknowledged.stray])
    t.same(flight.arrived(flown[1_400]!), [Acknowledged.again])
    t.same(flight.arrived(next), [Acknowledged.first])
    t.same([flight.recovery.busy, flight.recovery.inFlightBytes], [false, 0])
    t.end()
  })
}

t.test('acknowledgements that never quite run out take no more room than there are', (t) => {
  const acks = new PendingAcks()
  for (let i = 0; i < 10; i++) acks.push(1, i, 7)
  for (let i = 10; i < 100_000; i++) {
    acks.push(1, i & 0xffff, 7)
    if (sequenceOf(acks.shift()) !== ((i - 10) & 0xffff)) return void t.fail(`out of order at ${i}`)
    if (acks.room > 4_096) return void t.fail(`${acks.room} places for ${acks.length}`)
  }
  t.equal(acks.length, 10)
  t.end()
})
