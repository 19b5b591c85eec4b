// The two entropy codes of Zstandard, to read only: finite-state tables (FSE) and Huffman, both over bits read backwards.
// Nothing throws: bad bytes give null. RFC 8878 §4.

/**
 * Bits of `bytes[start, end)` from the last to the first. The highest bit that is set in the last byte marks where they
 * begin. Before the first byte there are only zeros, and `left` is negative then.
 */
export class BackwardBits {
  /** Bits that have not been read; below zero when more were read than there are, or when the mark is missing. */
  left: number
  readonly #bytes: Uint8Array
  readonly #start: number

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes
    this.#start = start
    const last = end > start ? bytes[end - 1]! : 0
    this.left = last === 0 ? -1 : (end - start - 1) * 8 + 31 - Math.clz32(last)
  }

  /** The next `count` bits without taking them, 0 to 24. */
  peek(count: number): number {
    return this.#at(this.left - count, count)
  }

  /** Takes `count` bits, 0 to 24. */
  read(count: number): number {
    this.left -= count
    return this.#at(this.left, count)
  }

  #at(from: number, count: number): number {
    if (from < 0) return count + from <= 0 ? 0 : this.#at(0, count + from) << -from
    const bytes = this.#bytes
    const at = this.#start + (from >> 3)
    const word = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)
    return (word >>> (from & 7)) & ((1 << count) - 1)
  }
}

/** A finite-state table: in each state a symbol, and the way to the next state. */
export interface FseTable {
  /** log2 of the number of states. */
  readonly accuracy: number
  readonly symbols: Uint8Array
  /** The next state is `base + read(bits)`. */
  readonly bits: Uint8Array
  readonly bases: Uint16Array
}

/** A table with one state that gives one symbol for ever. */
export const singleSymbolTable = (symbol: number): FseTable => ({
  accuracy: 0,
  symbols: new Uint8Array([symbol]),
  bits: new Uint8Array(1),
  bases: new Uint16Array(1),
})

/**
 * The table for a distribution of `1 << accuracy` states over the symbols; −1 stands for "less than one": a single state
 * that needs all bits. RFC 8878 §4.1.1.
 */
export const buildFseTable = (counts: readonly number[], accuracy: number): FseTable => {
  const size = 1 << accuracy
  const symbols = new Uint8Array(size)
  const bits = new Uint8Array(size)
  const bases = new Uint16Array(size)
  const next = counts.map((count) => (count === -1 ? 1 : count))
  // Rare symbols sit at the end, the others are spread by a step that visits every state.
  let end = size
  counts.forEach((count, symbol) => {
    if (count === -1) symbols[--end] = symbol
  })
  const step = (size >> 1) + (size >> 3) + 3
  let at = 0
  counts.forEach((count, symbol) => {
    for (let i = 0; i < count; i++) {
      symbols[at] = symbol
      do at = (at + step) & (size - 1)
      while (at >= end)
    }
  })
  for (let state = 0; state < size; state++) {
    const symbol = symbols[state]!
    const nth = next[symbol]!
    next[symbol] = nth + 1
    const width = accuracy - (31 - Math.clz32(nth))
    bits[state] = width
    bases[state] = (nth << width) - size
  }
  return { accuracy, symbols, bits, bases }
}

/** Reads the description of a table at `start`; the table and where the description ended, or null. RFC 8878 §4.1.1. */
export const readFseTable = (
  bytes: Uint8Array,
  start: number,
  end: number,
  maxAccuracy: number,
  maxSymbol: number,
): { table: FseTable; end: number } | null => {
  let position = start * 8
  const read = (count: number): number => {
    const at = position >> 3
    const word = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16)
    const value = (word >>> (position & 7)) & ((1 << count) - 1)
    position += count
    return value
  }
  const accuracy = read(4) + 5
  if (accuracy > maxAccuracy) return null
  const counts: number[] = []
  let left = 1 << accuracy
  while (left > 0) {
    // A number from 0 to left + 1 in as few bits as possible: the smallest ones take one bit less.
    const width = 32 - Math.clz32(left + 1)
    const short = (1 << width) - 2 - left
    let value = read(width - 1)
    if (value >= short) {
      value |= read(1) << (width - 1)
      if (value >= 1 << (width - 1)) value -= short
    }
    const count = value - 1
    left -= Math.abs(count)
    counts.push(count)
    if (count === 0) {
      let more: number
      do {
        more = read(2)
        for (let i = 0; i < more; i++) counts.push(0)
      } while (more === 3 && counts.length <= maxSymbol)
    }
    if (counts.length > maxSymbol + 1 || position > end * 8) return null
  }
  if (left < 0) return null
  return { table: buildFseTable(counts, accuracy), end: (position + 7) >> 3 }
}

/** A Huffman code: by the next `maxBits` bits, the symbol and how many of them it takes. */
export interface HuffmanTable {
  readonly maxBits: number
  readonly symbols: Uint8Array
  readonly bits: Uint8Array
}

const MAX_HUFFMAN_BITS = 11

/** Reads the description of a Huffman code at `start`; the table and where the description ended, or null. RFC 8878 §4.2.1. */
export const readHuffmanTable = (bytes: Uint8Array, start: number, end: number): { table: HuffmanTable; end: number } | null => {
  if (start >= end) return null
  const head = bytes[start]!
  let weights: number[] | null = []
  let next = start + 1
  if (head >= 128) {
    const count = head - 127
    next += (count + 1) >> 1
    if (next > end) return null
    for (let i = 0; i < count; i++) weights.push((bytes[start + 1 + (i >> 1)]! >> (i % 2 === 0 ? 4 : 0)) & 15)
  } else {
    next += head
    if (next > end) return null
    weights = readWeights(bytes, start + 1, next)
  }
  const table = weights && buildHuffmanTable(weights)
  return table && { table, end: next }
}

/** Weights that are themselves coded, by two states that take turns until the bits are used up. */
const readWeights = (bytes: Uint8Array, start: number, end: number): number[] | null => {
  const described = readFseTable(bytes, start, end, 6, 255)
  if (described === null || described.end > end) return null
  const { table } = described
  const source = new BackwardBits(bytes, described.end, end)
  if (source.left < 0) return null
  const states = [source.read(table.accuracy), source.read(table.accuracy)]
  if (source.left < 0) return null
  const weights: number[] = []
  for (let turn = 0; weights.length < 255; turn ^= 1) {
    const state = states[turn]!
    weights.push(table.symbols[state]!)
    states[turn] = table.bases[state]! + source.read(table.bits[state]!)
    if (source.left < 0) {
      // This state could not move on; the other one still holds a symbol.
      weights.push(table.symbols[states[turn ^ 1]!]!)
      return weights.length <= 255 ? weights : null
    }
  }
  return null
}

const buildHuffmanTable = (weights: readonly number[]): HuffmanTable | null => {
  let sum = 0
  for (const weight of weights) {
    if (weight > MAX_HUFFMAN_BITS) return null
    if (weight > 0) sum += 1 << (weight - 1)
  }
  if (sum === 0) return null
  // The last weight is not written: it fills the table up to a power of two.
  const maxBits = 32 - Math.clz32(sum)
  const missing = (1 << maxBits) - sum
  if (maxBits > MAX_HUFFMAN_BITS || (missing & (missing - 1)) !== 0) return null
  const all = [...weights, 32 - Math.clz32(missing)]
  const symbols = new Uint8Array(1 << maxBits)
  const bits = new Uint8Array(1 << maxBits)
  let at = 0
  for (let weight = 1; weight <= maxBits; weight++) {
    all.forEach((own, symbol) => {
      if (own !== weight) return
      const end = at + (1 << (weight - 1))
      symbols.fill(symbol, at, end)
      bits.fill(maxBits + 1 - weight, at, end)
      at = end
    })
  }
  return { maxBits, symbols, bits }
}

/** Decodes one Huffman stream, which must give `out[from, to)` and then be used up. */
export const decodeHuffman = (
  table: HuffmanTable,
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  from: number,
  to: number,
): boolean => {
  const source = new BackwardBits(bytes, start, end)
  if (source.left < 0) return false
  for (let at = from; at < to; at++) {
    const code = source.peek(table.maxBits)
    out[at] = table.symbols[code]!
    source.left -= table.bits[code]!
  }
  return source.left === 0
}
