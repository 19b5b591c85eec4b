// SPEC §5.1 and §5.2: sixteen-bit arithmetic, tried on every pair where that is possible.

import t from 'tap'
import { ahead, next, Place, placeOf } from '../../../src/transport/core/sequence.ts'

t.test('a number is ahead of another by the steps that lead to it', (t) => {
  let wrong = 0
  for (let from = 0; from < 65536; from += 257) {
    let to = from
    for (let steps = 0; steps < 65536; steps++, to = next(to)) if (ahead(from, to) !== steps) wrong++
    if (to !== from) wrong++
  }
  t.equal(wrong, 0)
  t.end()
})

/** SPEC §5.2 in other words: how many windows later the number lies, a full turn for one that is behind in the same window. */
const plainPlace = (sequence: number, reference: number): Place => {
  const window = (n: number): number => n >>> 12
  const later = (window(sequence) - window(reference) + 16) % 16
  const windows = later === 0 && sequence < reference ? 16 : later
  return windows <= 6 ? Place.acceptable : windows <= 8 ? Place.deadZone : Place.old
}

t.test('the window of a reliable number, for every number seen from the borders of every window', (t) => {
  let wrong = 0
  for (let window = 0; window < 65536; window += 4096) {
    for (const reference of [window, window + 1, window + 2047, window + 4094, window + 4095]) {
      for (let sequence = 0; sequence < 65536; sequence++) {
        if (placeOf(sequence, reference) !== plainPlace(sequence, reference)) wrong++
      }
    }
  }
  t.equal(wrong, 0)
  t.end()
})

t.test('whatever the reference, the next 24,576 numbers are acceptable and the last 16,384 are old', (t) => {
  let wrong = 0
  for (let reference = 0; reference < 65536; reference += 61) {
    for (const lead of [1, 2, 4095, 4096, 20_000, 24_575, 24_576]) {
      if (placeOf((reference + lead) & 0xffff, reference) !== Place.acceptable) wrong++
    }
    for (const behind of [1, 2, 4095, 4096, 16_384]) if (placeOf((reference - behind) & 0xffff, reference) !== Place.old) wrong++
  }
  t.equal(wrong, 0)
  t.end()
})
