// What a bad network does to bytes: wrong bits, a lost end, rubbish behind the end.

import { MAX_DATAGRAM_BYTES } from '../endpoint.ts'
import type { SeededRandom } from '../../util/random.ts'

/** Turns one to three random bits of `bytes`; at least one stays turned. */
export const corrupt = (bytes: Uint8Array, random: SeededRandom): void => {
  if (bytes.length === 0) return
  const turned = new Set<number>()
  for (let flips = 1 + random.below(3); flips > 0; flips--) turned.add(random.below(bytes.length * 8))
  for (const bit of turned) bytes[bit >> 3]! ^= 1 << (bit & 7)
}

/** The beginning of `bytes`, from nothing to all but the last byte. */
export const truncate = (bytes: Uint8Array, random: SeededRandom): Uint8Array =>
  bytes.length === 0 ? bytes : bytes.slice(0, random.below(bytes.length))

/** `bytes` with 1 to 64 random ones behind them; never longer than any endpoint has room for. */
export const extend = (bytes: Uint8Array, random: SeededRandom): Uint8Array => {
  const added = Math.min(1 + random.below(64), MAX_DATAGRAM_BYTES - bytes.length)
  if (added <= 0) return bytes
  const extended = new Uint8Array(bytes.length + added)
  random.bytes(extended.subarray(bytes.length))
  extended.set(bytes)
  return extended
}
