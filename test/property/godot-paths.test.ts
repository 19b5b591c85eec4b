// Laws of the path cache: two sides that talk over lossy memory of each other never misunderstand a number.

import fc from 'fast-check'
import t from 'tap'
import { holds } from '../support/holds.ts'
import { PathNumbers, PathTable } from '../../src/godot/paths.ts'

const PATHS = ['lobby', 'lobby/table', 'world', 'world/player']

type Step =
  | { readonly do: 'use'; readonly path: string }
  /** The oldest message on its way arrives: announcements at the peer, confirmations at us. */
  | { readonly do: 'arrive' }
  /** The peer leaves and comes back; what was on its way is gone. */
  | { readonly do: 'reconnect' }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom(...PATHS).map((path) => ({ do: 'use' as const, path })),
  fc.constant({ do: 'arrive' as const }),
  { weight: 1, arbitrary: fc.constant({ do: 'reconnect' as const }) },
)

holds(
  t,
  'a packet that uses a number reaches a peer that takes the number for that path, through any order of arrivals and reconnects',
  fc.property(fc.array(step, { maxLength: 60 }), fc.nat(4), (steps, maxPaths) => {
    const ours = new PathNumbers()
    const theirs = new PathTable({ maxPaths })
    // One reliable channel each way, as packets travel; an announcement carries number and path, a call by number only that.
    let toPeer: { id: number; path: string; announce: boolean }[] = []
    let toUs: string[] = []
    for (const at of steps) {
      if (at.do === 'use') {
        const plan = ours.plan(at.path, [2])
        for (const _ of plan.tell) toPeer.push({ id: plan.id, path: at.path, announce: true })
        if (plan.confirmed.length > 0) toPeer.push({ id: plan.id, path: at.path, announce: false })
      } else if (at.do === 'arrive') {
        const message = toPeer.shift()
        if (message?.announce) {
          if (theirs.learn(1, message.id, message.path)) toUs.push(message.path)
        } else if (message !== undefined && theirs.resolve(1, message.id) !== message.path) return false
        const confirmation = toUs.shift()
        if (confirmation !== undefined && !ours.confirm(2, confirmation)) return false
      } else {
        toPeer = []
        toUs = []
        ours.forget(2)
        theirs.forget(1)
      }
    }
    return true
  }),
  { numRuns: 1000 },
)
