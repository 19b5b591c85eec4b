// Pieces of a packet: every geometry that a sender may use, and none other. SPEC §5.6.

import t from 'tap'
import { FragmentFit, PIECE_CHARGE, Reassembly } from '../../../src/transport/core/reassembly.ts'

const piecesOf = (total: number, size: number): { number: number; offset: number; bytes: Uint8Array }[] => {
  const whole = Uint8Array.from({ length: total }, (_, i) => i)
  return Array.from({ length: Math.ceil(total / size) }, (_, number) => ({
    number, offset: number * size, bytes: whole.slice(number * size, (number + 1) * size),
  }))
}

t.test('every packet of up to 60 bytes in pieces of any size comes together, forwards and backwards', (t) => {
  for (let total = 1; total <= 60; total++) {
    for (let size = 1; size <= total; size++) {
      for (const backwards of [false, true]) {
        const pieces = piecesOf(total, size)
        const parts = new Reassembly(total, pieces.length)
        if (backwards) pieces.reverse()
        pieces.forEach(({ number, offset, bytes }, i) => {
          const fit = parts.fit(number, offset, bytes.length)
          const wanted = i === pieces.length - 1 ? FragmentFit.complete : FragmentFit.added
          if (fit !== wanted || parts.complete) t.fail(`${total} in ${size}: piece ${number} fits ${fit}`)
          parts.add(number, offset, bytes)
          // Once it is there it is a duplicate.
          if (parts.fit(number, offset, bytes.length) !== FragmentFit.duplicate) t.fail(`${total} in ${size}: piece ${number} twice`)
        })
        const whole = parts.join()
        if (!parts.complete || whole.length !== total || whole.some((byte, i) => byte !== i)) t.fail(`${total} in ${size}`)
      }
    }
  }
  t.pass('60 × 60 / 2 geometries, twice')
  t.end()
})

t.test('a piece fits if and only if some honest cut of the packet has it', (t) => {
  let wrong = 0
  for (let total = 0; total <= 14; total++) {
    for (let count = 1; count <= 5; count++) {
      for (let number = 0; number < count; number++) {
        for (let offset = 0; offset <= 16; offset++) {
          for (let length = 0; length <= 16; length++) {
            let honest = count === 1 && total === 0 && offset === 0 && length === 0
            for (let size = 1; size <= 16; size++) {
              if (Math.ceil(total / size) !== count) continue
              if (offset === number * size && length === Math.min(size, total - offset)) honest = true
            }
            const fits = new Reassembly(total, count).fit(number, offset, length) !== FragmentFit.contradiction
            if (fits !== honest) {
              wrong++
              if (wrong < 5) t.comment(`${length} bytes at ${offset}, piece ${number} of ${count}, ${total} in all: ${fits}`)
            }
          }
        }
      }
    }
  }
  t.equal(wrong, 0)
  t.end()
})

t.test('a piece that contradicts the size of an earlier one does not fit', (t) => {
  const parts = new Reassembly(10, 3)
  parts.add(0, 0, new Uint8Array(4))
  t.equal(parts.fit(1, 4, 4), FragmentFit.added)
  t.equal(parts.fit(2, 8, 2), FragmentFit.added)
  t.equal(parts.fit(1, 5, 5), FragmentFit.contradiction, 'pieces of five: honest by itself, not beside the first')
  // The last piece, when it comes first, tells the size by its offset.
  const backwards = new Reassembly(10, 3)
  backwards.add(2, 8, new Uint8Array(2))
  t.equal(backwards.fit(0, 0, 4), FragmentFit.added)
  t.equal(backwards.fit(0, 0, 5), FragmentFit.contradiction)
  t.same([parts.matches(10, 3), parts.matches(10, 2), parts.matches(11, 3)], [true, false, false])
  t.end()
})

t.test('what is charged follows what has arrived, not what was claimed', (t) => {
  const parts = new Reassembly(30_000_000, 24_000)
  t.equal(parts.charge, PIECE_CHARGE)
  parts.add(7, 7 * 1250, new Uint8Array(1250))
  t.equal(parts.charge, 2 * PIECE_CHARGE + 1250)
  t.end()
})
