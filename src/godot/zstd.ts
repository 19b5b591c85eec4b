// Zstandard, to read only, for the datagrams of Godot clients whose compression mode is "zstd". Node has a native one only
// since 22.15, and ours never throws on what strangers send. One frame, no dictionary; the optional checksum at its end is
// skipped, as UDP has one. RFC 8878.

import { BackwardBits, buildFseTable, decodeHuffman, readFseTable, readHuffmanTable, singleSymbolTable } from './zstd-entropy.ts'
import type { FseTable, HuffmanTable } from './zstd-entropy.ts'

/**
 * Decompresses one frame that takes all of `input`; never throws, never writes past `output`.
 * @returns bytes written, or 0 when the frame is damaged, needs a dictionary, or does not fit
 */
export const decompressZstd = (input: Uint8Array, output: Uint8Array): number => {
  const at = readFrameHeader(input, output.length)
  return at === null ? 0 : new FrameDecoder(input, output).blocks(at.next, at.size, at.checksum)
}

/** Whether these bytes begin like a Zstandard frame. */
export const isZstd = (bytes: Uint8Array): boolean =>
  bytes.length > 4 && bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd

/** §3.1.1.1. `size` is −1 when the frame does not tell. */
const readFrameHeader = (input: Uint8Array, limit: number): { next: number; size: number; checksum: boolean } | null => {
  if (!isZstd(input)) return null
  const descriptor = input[4]!
  const single = (descriptor & 0x20) !== 0
  // A reserved bit, or a dictionary that we cannot have.
  if ((descriptor & 0x0b) !== 0) return null
  let next = single ? 5 : 6
  const width = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!
  if (next + width > input.length) return null
  let size = width === 0 ? -1 : 0
  for (let i = width - 1; i >= 0; i--) size = size * 256 + input[next + i]!
  if (width === 2) size += 256
  next += width
  return size > limit ? null : { next, size, checksum: (descriptor & 4) !== 0 }
}

/** One of the three kinds of numbers that make a sequence: code → baseline and extra bits. §3.1.1.3.2.1. */
interface SequenceCode {
  readonly bases: readonly number[]
  readonly extraBits: readonly number[]
  readonly maxAccuracy: number
  readonly maxSymbol: number
  readonly predefined: FseTable
}

const literalLengths: SequenceCode = {
  bases: [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 28, 32, 40, 48, 64, 128, 256, 512, 1024, 2048, 4096, 8192,
    16384, 32768, 65536,
  ],
  extraBits: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
  maxAccuracy: 9,
  maxSymbol: 35,
  predefined: buildFseTable(
    [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1],
    6,
  ),
}

const matchLengths: SequenceCode = {
  bases: [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 37, 39, 41,
    43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771, 65539,
  ],
  extraBits: [...new Array<number>(32).fill(0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
  maxAccuracy: 9,
  maxSymbol: 52,
  predefined: buildFseTable(
    [
      1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
      1, -1, -1, -1, -1, -1, -1, -1,
    ],
    6,
  ),
}

/** An offset code is its own number of extra bits. Beyond 24 lies more than any datagram. */
const offsets: SequenceCode = {
  bases: Array.from({ length: 25 }, (_, code) => 2 ** code),
  extraBits: Array.from({ length: 25 }, (_, code) => code),
  maxAccuracy: 8,
  maxSymbol: 31,
  predefined: buildFseTable([1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1], 5),
}

/** Everything that lives as long as a frame: what was written, and what a block may use again from the one before. */
class FrameDecoder {
  readonly #in: Uint8Array
  readonly #out: Uint8Array
  #written = 0
  /** The three latest offsets, for a short way to say them again. */
  #recent = [1, 4, 8]
  #huffman: HuffmanTable | null = null
  readonly #tables: (FseTable | null)[] = [null, null, null]
  /** The literals of the block at hand. */
  #literals: Uint8Array = new Uint8Array()

  constructor(input: Uint8Array, output: Uint8Array) {
    this.#in = input
    this.#out = output
  }

  /** All blocks from `at` on; the size of the whole, or 0. §3.1.1.2. */
  blocks(at: number, declaredSize: number, checksum: boolean): number {
    const input = this.#in
    for (let last = false; !last;) {
      if (at + 3 > input.length) return 0
      const head = input[at]! | (input[at + 1]! << 8) | (input[at + 2]! << 16)
      at += 3
      last = (head & 1) !== 0
      const type = (head >> 1) & 3
      const size = head >> 3
      const stored = type === 1 ? 1 : size
      if (type === 3 || at + stored > input.length) return 0
      if (type !== 2 && this.#written + size > this.#out.length) return 0
      if (type === 0) this.#out.set(input.subarray(at, at + size), this.#written)
      if (type === 1) this.#out.fill(input[at]!, this.#written, this.#written + size)
      if (type !== 2) this.#written += size
      else if (!this.#compressedBlock(at, at + size)) return 0
      at += stored
    }
    if (at + (checksum ? 4 : 0) !== input.length) return 0
    return declaredSize === -1 || declaredSize === this.#written ? this.#written : 0
  }

  #compressedBlock(start: number, end: number): boolean {
    const next = this.#readLiterals(start, end)
    return next !== null && this.#sequences(next, end)
  }

  /** The literals section; where it ended, or null. §3.1.1.3.1. */
  #readLiterals(start: number, end: number): number | null {
    if (end - start < 1) return null
    const input = this.#in
    const type = input[start]! & 3
    const format = (input[start]! >> 2) & 3
    // Sizes fill up to five bytes of header; numbers above 32 bits appear, so no shifts.
    let head = 0
    for (let i = 4; i >= 0; i--) head = head * 256 + (start + i < end ? input[start + i]! : 0)
    if (type < 2) {
      const headBytes = [1, 2, 1, 3][format]!
      const size = headBytes === 1 ? input[start]! >> 3 : Math.floor(head / 16) % (headBytes === 2 ? 4096 : 1_048_576)
      const next = start + headBytes + (type === 0 ? size : 1)
      if (next > end || size > this.#out.length) return null
      this.#literals = type === 0 ? input.subarray(start + headBytes, next) : new Uint8Array(size).fill(input[next - 1]!)
      return next
    }
    const width = [10, 10, 14, 18][format]!
    const headBytes = (4 + 2 * width + 7) >> 3
    const size = Math.floor(head / 16) % 2 ** width
    const stored = Math.floor(head / 2 ** (4 + width)) % 2 ** width
    let at = start + headBytes
    const next = at + stored
    if (next > end || size > this.#out.length) return null
    if (type === 2) {
      const described = readHuffmanTable(input, at, next)
      if (described === null) return null
      this.#huffman = described.table
      at = described.end
    }
    this.#literals = new Uint8Array(size)
    return this.#huffman !== null && this.#huffmanStreams(this.#huffman, at, next, format === 0 ? 1 : 4) ? next : null
  }

  #huffmanStreams(table: HuffmanTable, at: number, end: number, count: 1 | 4): boolean {
    const input = this.#in
    const literals = this.#literals
    if (count === 1) return decodeHuffman(table, input, at, end, literals, 0, literals.length)
    // Six bytes tell the sizes of the first three streams; each gives a quarter, rounded up.
    if (at + 6 > end) return false
    let from = at + 6
    const quarter = (literals.length + 3) >> 2
    for (let i = 0; i < 4; i++) {
      const to = i === 3 ? end : from + (input[at + 2 * i]! | (input[at + 2 * i + 1]! << 8))
      const target = i === 3 ? literals.length : quarter * (i + 1)
      if (to > end || target > literals.length || quarter * i > target) return false
      if (!decodeHuffman(table, input, from, to, literals, quarter * i, target)) return false
      from = to
    }
    return true
  }

  /** The sequences section: copies literals and matches into the output. §3.1.1.3.2. */
  #sequences(start: number, end: number): boolean {
    const input = this.#in
    if (start >= end) return false
    let at = start + 1
    let count = input[start]!
    if (count >= 128) {
      if (at + 2 > end) return false
      count = count === 255 ? input[at]! + (input[at + 1]! << 8) + 0x7f00 : ((count - 128) << 8) + input[at]!
      at += input[start] === 255 ? 2 : 1
    }
    if (count === 0) return at === end && this.#copyLiterals(0, this.#literals.length)
    if (at >= end) return false
    const modes = input[at++]!
    if ((modes & 3) !== 0) return false
    const tables: FseTable[] = []
    for (const [i, code] of [literalLengths, offsets, matchLengths].entries()) {
      const read = this.#sequenceTable((modes >> (6 - 2 * i)) & 3, code, i, at, end)
      if (read === null) return false
      tables.push(read.table)
      at = read.end
    }
    return this.#execute(tables as [FseTable, FseTable, FseTable], new BackwardBits(input, at, end), count)
  }

  #sequenceTable(mode: number, code: SequenceCode, slot: number, at: number, end: number): { table: FseTable; end: number } | null {
    let read: { table: FseTable; end: number } | null = null
    if (mode === 0) read = { table: code.predefined, end: at }
    else if (mode === 1)
      read = at < end && this.#in[at]! <= code.maxSymbol ? { table: singleSymbolTable(this.#in[at]!), end: at + 1 } : null
    else if (mode === 2) read = readFseTable(this.#in, at, end, code.maxAccuracy, code.maxSymbol)
    else if (this.#tables[slot] != null) read = { table: this.#tables[slot], end: at }
    if (read !== null) this.#tables[slot] = read.table
    return read
  }

  #execute([lengthTable, offsetTable, matchTable]: readonly [FseTable, FseTable, FseTable], source: BackwardBits, count: number): boolean {
    if (source.left < 0) return false
    let lengthState = source.read(lengthTable.accuracy)
    let offsetState = source.read(offsetTable.accuracy)
    let matchState = source.read(matchTable.accuracy)
    let literal = 0
    for (let i = 0; i < count; i++) {
      const offsetCode = offsetTable.symbols[offsetState]!
      const matchCode = matchTable.symbols[matchState]!
      const lengthCode = lengthTable.symbols[lengthState]!
      if (offsetCode > 24) return false
      const offsetValue = offsets.bases[offsetCode]! + source.read(offsets.extraBits[offsetCode]!)
      const matchLength = matchLengths.bases[matchCode]! + source.read(matchLengths.extraBits[matchCode]!)
      const length = literalLengths.bases[lengthCode]! + source.read(literalLengths.extraBits[lengthCode]!)
      if (i < count - 1) {
        lengthState = lengthTable.bases[lengthState]! + source.read(lengthTable.bits[lengthState]!)
        matchState = matchTable.bases[matchState]! + source.read(matchTable.bits[matchState]!)
        offsetState = offsetTable.bases[offsetState]! + source.read(offsetTable.bits[offsetState]!)
      }
      if (source.left < 0 || !this.#copyLiterals(literal, literal + length)) return false
      literal += length
      if (!this.#copyMatch(this.#offset(offsetValue, length === 0), matchLength)) return false
    }
    return source.left === 0 && this.#copyLiterals(literal, this.#literals.length)
  }

  /** What an offset value means: 1 to 3 are recent offsets. §3.1.1.5. */
  #offset(value: number, noLiterals: boolean): number {
    const [first, second, third] = this.#recent as [number, number, number]
    if (value > 3) {
      this.#recent = [value - 3, first, second]
      return value - 3
    }
    // Right after a match, repeating its offset would have been part of it: everything moves up by one.
    const index = value - 1 + (noLiterals ? 1 : 0)
    if (index === 0) return first
    if (index === 1) this.#recent = [second, first, third]
    else this.#recent = [index === 2 ? third : first - 1, first, second]
    return this.#recent[0]!
  }

  #copyLiterals(from: number, to: number): boolean {
    if (to > this.#literals.length || this.#written + to - from > this.#out.length) return false
    this.#out.set(this.#literals.subarray(from, to), this.#written)
    this.#written += to - from
    return true
  }

  #copyMatch(distance: number, length: number): boolean {
    const out = this.#out
    if (distance < 1 || distance > this.#written || this.#written + length > out.length) return false
    for (let i = 0; i < length; i++) {
      out[this.#written] = out[this.#written - distance]!
      this.#written++
    }
    return true
  }
}
