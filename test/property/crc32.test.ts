// Laws of CRC-32: the same as its definition, and what the definition promises.

import fc from 'fast-check'
import t from 'tap'
import { crc32 } from '../../src/transport/core/crc32.ts'
import { holds } from '../support/holds.ts'
import { crc32 as bitwise } from '../support/twins/crc32.ts'

const bytes = (maxLength = 1500): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength, size: 'max' })
const flip = (input: Uint8Array, bit: number): void => { input[bit >> 3]! ^= 1 << (bit & 7) }

holds(t, 'is what dividing bit by bit gives, an unsigned number of 32 bits',
  fc.property(bytes(), (input) => {
    const checksum = crc32(input)
    return checksum === bitwise(input) && checksum >= 0 && checksum <= 0xffffffff
  }), { numRuns: 300 })

holds(t, 'three inputs of one length and their sum: so are their checksums',
  fc.property(fc.nat({ max: 600 }).chain((length) => {
    const some = fc.uint8Array({ minLength: length, maxLength: length, size: 'max' })
    return fc.tuple(some, some, some)
  }), ([a, b, c]) => {
    const sum = a.map((byte, i) => byte ^ b[i]! ^ c[i]!)
    return crc32(sum) === (crc32(a) ^ crc32(b) ^ crc32(c)) >>> 0
  }))

holds(t, 'finds every error within 32 bits in a row',
  fc.property(fc.uint8Array({ minLength: 5, maxLength: 1500, size: 'max' }), fc.nat(), fc.integer({ min: 1, max: 0xffffffff }),
    (input, where, errors) => {
      const damaged = input.slice()
      const from = where % (8 * input.length - 32)
      for (let bit = 0; bit < 32; bit++) if ((errors >>> bit) & 1) flip(damaged, from + bit)
      return crc32(damaged) !== crc32(input)
    }), { numRuns: 300 })

holds(t, 'of bytes with their own checksum behind them, lowest byte first, is always the same number',
  fc.property(bytes(), (input) => {
    const signed = new Uint8Array(input.length + 4)
    signed.set(input)
    new DataView(signed.buffer).setUint32(input.length, crc32(input), true)
    return crc32(signed) === 0x2144df1c
  }))
