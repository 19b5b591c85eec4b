// The laws of the transport (test/laws) between our host and the C library, and for the C library with itself: what the laws
// say is not only what we happen to do.

import t from 'tap'
import { endpointLaws } from '../laws/endpoint-laws.ts'
import cLibrary from '../laws/c-library.ts'
import { ours } from '../laws/ours.ts'
import { holds } from '../support/holds.ts'
import { skipReason } from './support/native.ts'

for (const { name, runs, property } of endpointLaws) {
  t.test(name, { skip: skipReason }, (t) => {
    for (const [a, b] of [[ours, cLibrary], [cLibrary, ours], [cLibrary, cLibrary]] as const) {
      holds(t, `${a.name} to ${b.name}: ${name}`, property(a, b), { numRuns: Math.ceil(runs / 20) })
    }
    t.end()
  })
}
