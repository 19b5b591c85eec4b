// FastLZ, both of its levels to read, the first to write. Knows nothing of datagrams. SPEC §16.6.
//
// A block is a run of instructions; the top three bits of the first byte tell the level (0: level 1, 1: level 2) and its
// low five bits are those of a literal run:
//
//   000LLLLL                    copy the next L + 1 bytes
//   LLLHHHHH [more] OOOOOOOO    L 1 to 6: go back (H·256 + O + 1) bytes and copy L + 2 from there
//                               L 7: as before, 9 plus what `more` adds up to
//   level 1: `more` is one byte
//   level 2: `more` is bytes that are added up until one is not 255; and H = 31 with O = 255 is followed by two bytes,
//            big-endian, that go back 8,192 further
//
// A copy may reach into itself: distance 1 repeats a byte.

import type { Compressor } from '../transport/types.ts'

const MAX_DISTANCE = 8192
/** Of the table that remembers where three bytes were last seen. */
const HASH_BITS = 12

/** FastLZ in the place of ENet's compressor: Godot's mode 2. Allocates nothing per call. */
export class FastLz implements Compressor {
  readonly name: string = 'fastlz'
  /** Position + 1 of the latest three bytes with this hash; 0 is none. */
  readonly #seen = new Uint16Array(1 << HASH_BITS)

  /**
   * Compresses all of `input` (up to 65,534 bytes), at level 1 as the engine does for datagrams.
   * @returns bytes written, or 0 when `output` is too small or `input` empty
   */
  compress(input: Uint8Array, output: Uint8Array): number {
    const size = input.length
    const limit = output.length
    if (size === 0 || size >= 65_535) return 0
    const seen = this.#seen.fill(0)
    let out = 0
    let literalsFrom = 0

    // What has not been matched, in runs of 32.
    const literals = (end: number): boolean => {
      while (literalsFrom < end) {
        const count = Math.min(32, end - literalsFrom)
        if (out + 1 + count > limit) return false
        output[out++] = count - 1
        for (let i = 0; i < count; i++) output[out++] = input[literalsFrom++]!
      }
      return true
    }

    // A block has to begin with a literal, and a match takes three bytes.
    for (let at = 1; at + 2 < size;) {
      const hash = hash3(input, at)
      const from = seen[hash]! - 1
      seen[hash] = at + 1
      if (
        from < 0 ||
        at - from > MAX_DISTANCE ||
        input[from] !== input[at] ||
        input[from + 1] !== input[at + 1] ||
        input[from + 2] !== input[at + 2]
      ) {
        at++
        continue
      }
      let end = at + 3
      while (end < size && input[end - at + from] === input[end]) end++
      if (!literals(at)) return 0
      const back = at - from - 1
      // A copy is at most 264 bytes long; a longer one is several, each from the same distance.
      let left = end - at
      while (left >= 3) {
        const length = Math.min(left, left - 264 < 3 && left > 264 ? left - 3 : 264)
        if (out + 3 > limit) return 0
        if (length < 9) output[out++] = ((length - 2) << 5) | (back >> 8)
        else {
          output[out++] = (7 << 5) | (back >> 8)
          output[out++] = length - 9
        }
        output[out++] = back & 0xff
        left -= length
      }
      at = literalsFrom = end - left
    }
    return literals(size) ? out : 0
  }

  /**
   * Decompresses a block; never throws, never writes past `output`.
   * @returns bytes written, or 0 when the block is damaged or `output` too small
   */
  decompress(input: Uint8Array, output: Uint8Array): number {
    const size = input.length
    const limit = output.length
    if (size === 0) return 0
    const level = input[0]! >> 5
    if (level > 1) return 0
    let at = 0
    let out = 0
    while (at < size) {
      const control = at === 0 ? input[0]! & 31 : input[at]!
      at++
      let length = control >> 5
      if (length === 0) {
        const count = control + 1
        if (at + count > size || out + count > limit) return 0
        for (let i = 0; i < count; i++) output[out++] = input[at++]!
        continue
      }
      if (length === 7) {
        let more: number
        do {
          if (at >= size) return 0
          more = input[at++]!
          length += more
        } while (level === 1 && more === 255)
      }
      length += 2
      if (at >= size) return 0
      let back = ((control & 31) << 8) + input[at++]! + 1
      if (level === 1 && back === MAX_DISTANCE) {
        if (at + 2 > size) return 0
        back = MAX_DISTANCE + (input[at]! << 8) + input[at + 1]!
        at += 2
      }
      if (back > out || out + length > limit) return 0
      for (let i = 0; i < length; i++, out++) output[out] = output[out - back]!
    }
    return out
  }
}

const hash3 = (bytes: Uint8Array, at: number): number =>
  Math.imul((bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!, 0x9e3779b1) >>> (32 - HASH_BITS)
