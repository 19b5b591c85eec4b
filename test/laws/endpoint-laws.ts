// The laws of the transport, in words and executable. They know two endpoints and a network, nothing of how either is made:
// any implementation of ENet can be put under them.

import fc from 'fast-check'
import { eventsInOrder, keepsPromises, reliableInOrder, unreliableFollows, unreliableRises, unsequencedOnce } from './judge.ts'
import type { Implementation } from './implementation.ts'
import { badNetwork, damagingNetwork, play, plays } from './play.ts'
import type { PlayOptions, Record } from './play.ts'

/** A law: what always holds, and how it is tried. */
export interface Law {
  readonly name: string
  /** How often by default, for an implementation that is quick. */
  readonly runs: number
  readonly property: (a: Implementation, b: Implementation) => fc.IProperty<unknown>
}

const law = (name: string, runs: number, options: PlayOptions, judge: (record: Record) => void): Law => ({
  name, runs, property: (a, b) => fc.property(plays(options), (one) => play(a, b, one, judge)),
})

/** What a direction must look like, both ways. */
const bothWays = (judge: (direction: Record['toA'], record: Record) => void) => (record: Record): void => {
  judge(record.toA, record)
  judge(record.toB, record)
}

export const endpointLaws: readonly Law[] = [
  law('reliable packets arrive exactly once, in order, byte for byte, over any network', 100, {},
    bothWays((direction, { broke }) => reliableInOrder(direction, !broke))),
  law('unreliable packets arrive whole, at most once, and never after a newer one', 60, {}, bothWays(unreliableRises)),
  law('an unreliable packet never arrives before the reliable ones that it follows', 60, {}, bothWays(unreliableFollows)),
  law('unsequenced packets arrive whole and at most once', 60, {}, bothWays(unsequencedOnce)),
  law('with a checksum all of this holds even where datagrams are damaged', 60, { network: damagingNetwork(), checksum: 'crc32' },
    keepsPromises),
  law('a graceful end delivers everything first, then both sides hear of it once, the other one with the data', 60,
    { ends: ['graceful'], network: badNetwork(0.5) }, (record) => {
      if (record.eventsB.at(-1)?.startsWith('disconnect') !== true || record.broke) throw new Error('it did not end')
      for (const events of [record.eventsA, record.eventsB]) eventsInOrder(events)
      const [connect, ...rest] = record.eventsB
      const said = connect?.split(' ')[1]
      // A path so bad that the goodbye was never heard is a timeout, and has no data.
      if (![said, '0'].includes(rest.at(-1)?.split(' ')[1])) throw new Error(`${rest.at(-1)} for ${said}`)
      if (rest.at(-1) === `disconnect ${said}`) reliableInOrder(record.toB, true)
      keepsPromises({ ...record, broke: true })
    }),
  law('an end at once still is one end on each side, after the last packet', 40, { ends: ['now'] }, (record) => {
    eventsInOrder(record.eventsA, true)
    eventsInOrder(record.eventsB)
    keepsPromises({ ...record, broke: true })
  }),
  {
    name: 'the same seed and the same calls give the same datagrams and events, bit for bit',
    runs: 15,
    property: (a, b) => fc.property(plays({ steps: 40 }),
      (one) => play(a, b, one, ({ hash }) => hash) === play(a, b, one, ({ hash }) => hash)),
  },
]
