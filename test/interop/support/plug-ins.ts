// A checksum and a compressor for the hooks that ENet has for them: the twins of those in ../c/common.h.

import type { Checksum, Compressor } from '../../../src/transport/types.ts'

/** A checksum that is not CRC-32: FNV-1a. */
export const fnv: Checksum = (bytes) => {
  let hash = 2166136261
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 16777619)
  return hash >>> 0
}

/** A compressor that is not the range coder: run lengths. */
export const runLengths: Compressor = {
  name: 'run lengths',
  compress(input, output) {
    let size = 0
    let run = 0
    let last = -1
    for (const byte of input) {
      if (byte === last && run < 255) {
        output[size - 2] = ++run
        continue
      }
      if (size + 2 > output.length) return 0
      output[size++] = run = 1
      output[size++] = last = byte
    }
    return size
  },
  decompress(input, output) {
    if (input.length & 1) return 0
    let size = 0
    for (let i = 0; i < input.length; i += 2) {
      const count = input[i]!
      if (size + count > output.length) return 0
      output.fill(input[i + 1]!, size, size + count)
      size += count
    }
    return size
  },
}
