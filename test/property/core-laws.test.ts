// The laws of the transport, tried on our own host; or on another implementation, if the environment names one.

import { pathToFileURL } from 'node:url'
import t from 'tap'
import { coreLaws } from '../laws/core-laws.ts'
import { endpointLaws } from '../laws/endpoint-laws.ts'
import type { Implementation } from '../laws/implementation.ts'
import { ours } from '../laws/ours.ts'
import { holds } from '../support/holds.ts'

const file = process.env['VAIVEN_IMPLEMENTATION']
const other = file === undefined || file === '' ? null : ((await import(pathToFileURL(file).href)) as { default: Implementation }).default

if (other === null) {
  for (const { name, runs, property } of endpointLaws) holds(t, name, property(ours, ours), { numRuns: runs })
  for (const { name, runs, property } of coreLaws) holds(t, name, property(), { numRuns: runs })
} else {
  const share = other.quick === true ? 1 : 5
  for (const { name, runs, property } of endpointLaws) {
    for (const [a, b] of [[other, other], [other, ours], [ours, other]] as const) {
      holds(t, `${a.name} to ${b.name}: ${name}`, property(a, b), { numRuns: Math.ceil(runs / share) })
    }
  }
}
