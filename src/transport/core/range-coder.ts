// ENet's built-in compressor, byte for byte: an adaptive model of the bytes so far (contexts of up to two preceding bytes, PPM) that
// drives a range coder with 32-bit arithmetic. Knows nothing of datagrams. SPEC §2.6.
//
//   compress:   byte → model: which interval, out of which total? → narrow [low, low + range) → its settled top bytes
//   decompress: bytes → where in [low, low + range) do they point? → model: which byte owns that interval? → byte
//
// Both sides grow the same model from the same past, so nothing but the code itself travels.

import type { Compressor } from '../types.ts'

/**
 * ENet's range coder, the one that `enet_host_compress_with_range_coder` installs and Godot calls "range coder".
 *
 * Every call starts with an empty model: no state crosses datagrams. A call allocates nothing, and no input, however hostile, takes
 * more than some thirty steps per byte of `output` (C ENet: hundreds, where its trees degenerate into lists).
 * `input` and `output` must not overlap.
 * SPEC §2.6 · ENet 1.3 `compress.c`
 */
export class RangeCoder implements Compressor {
  readonly name: string = 'range coder'

  /**
   * Compresses all of `input`.
   * @returns bytes written; 0 when they do not fit into `output`, or when `input` is empty (an empty code does not exist).
   *   After 0, what `output` holds is undefined.
   */
  compress(input: Uint8Array, output: Uint8Array): number {
    const limit = output.length
    let size = 0
    // The open interval [low, low + range), modulo 2^32. Kept signed, for the compiler's sake; unsigned only where it matters.
    let low = 0
    let range = -1
    // The longest context that matches the preceding bytes, and how many of them it covers.
    let predicted = ROOT
    let order = 0
    clear()

    for (let i = 0; i < input.length; i++) {
      const byte = input[i]!
      let above = ROOT
      // From the longest context down to the first that has seen this byte; the root knows all of them.
      for (let context = predicted; ; context = parent[context]!) {
        const escape = escapes[context]!
        const total = totals[context]!
        const node = record(context, byte)
        if (above === ROOT) predicted = node
        else parent[above] = node
        above = node
        const count = report[COUNT]!

        // A context without escapes is in use for the first time. Both sides know that it cannot help, so nothing is written.
        if (escape !== 0) {
          range = ((range >>> 0) / total) | 0
          if (count !== 0) {
            low = (low + Math.imul(escape + report[UNDER]!, range)) | 0
            range = Math.imul(range, count)
          } else {
            range = Math.imul(range, escape)
          }
          for (;;) {
            if (((low ^ (low + range)) & TOP_BYTE) !== 0) {
              if ((range & TOP_HALF) !== 0) break
              // Small, yet its top byte is not settled: give up the part behind the next multiple of 2^16, which settles it.
              range = -low & BOTTOM_HALF
            }
            if (size === limit) return 0
            output[size++] = low >>> 24
            low <<= 8
            range <<= 8
          }
        }

        adapt(context, count)
        if (count !== 0) break
      }

      if (order === ORDER_MAX) predicted = parent[predicted]!
      else order++
      if (report[POOL_USED]! >= POOL_FULL) {
        clear()
        predicted = ROOT
        order = 0
      }
    }

    // The decoder reads zeros behind the end, so trailing ones need not travel.
    for (; low !== 0; low <<= 8) {
      if (size === limit) return 0
      output[size++] = low >>> 24
    }
    return size
  }

  /**
   * Decompresses all of `input`; safe with any bytes at all.
   * @returns bytes written; 0 when the input is damaged, stands for more than `output` can hold, or for nothing. After 0, what
   *   `output` holds is undefined. Most damage goes unnoticed and yields wrong bytes: only a checksum can tell.
   */
  decompress(input: Uint8Array, output: Uint8Array): number {
    const limit = output.length
    const length = input.length
    let size = 0
    let low = 0
    let range = -1
    // 32 bits of input, from the byte that `low` begins with.
    let code = 0
    let read = 0
    for (; read < 4; read++) code = (code << 8) | (read < length ? input[read]! : 0)
    let predicted = ROOT
    let order = 0
    clear()

    for (;;) {
      let context = predicted
      let node = ROOT
      for (;;) {
        const escape = escapes[context]!
        if (escape === 0) {
          context = parent[context]!
          continue
        }
        const total = totals[context]!
        range = ((range >>> 0) / total) | 0
        // Cannot be, as totals stay below 2^16 and ranges do not; if it were, the loop below would not end.
        if (range === 0) return 0
        // `range` is below 2^31 now, since no total is below 7.
        const target = (((code - low) >>> 0) / range) | 0
        // Only a damaged code points behind the last interval (or so far that the quotient looks negative).
        if (target >= total || target < 0) return 0

        let cumulative = 0
        let frequency = escape
        if (target >= escape) {
          node = context === ROOT ? record(ROOT, find(target - escape)) : take(context, target - escape)
          cumulative = escape + report[UNDER]!
          frequency = report[COUNT]!
        } else if (context === ROOT) {
          // An escape from the root leads nowhere: it stands for the end.
          return size
        }
        low = (low + Math.imul(cumulative, range)) | 0
        range = Math.imul(range, frequency)
        for (;;) {
          if (((low ^ (low + range)) & TOP_BYTE) !== 0) {
            if ((range & TOP_HALF) !== 0) break
            range = -low & BOTTOM_HALF
          }
          code = (code << 8) | (read < length ? input[read]! : 0)
          read++
          low <<= 8
          range <<= 8
        }
        if (node !== ROOT) break
        context = parent[context]!
      }

      if (size === limit) return 0
      const byte = symbol[node]!
      output[size++] = byte
      adapt(context, report[COUNT]!)

      // The longer contexts that did not know the byte learn it now; the encoder did so on its way down.
      let above = ROOT
      for (let longer = predicted; longer !== context; longer = parent[longer]!) {
        const learned = record(longer, byte)
        if (above === ROOT) predicted = learned
        else parent[above] = learned
        above = learned
        adapt(longer, report[COUNT]!)
      }
      if (above === ROOT) predicted = node
      else parent[above] = node

      if (order === ORDER_MAX) predicted = parent[predicted]!
      else order++
      if (report[POOL_USED]! >= POOL_FULL) {
        clear()
        predicted = ROOT
        order = 0
      }
    }
  }
}

// ---- Interval arithmetic

const TOP_BYTE = 0xff000000 | 0
const TOP_HALF = 0xffff0000 | 0
const BOTTOM_HALF = 0xffff

// ---- The model
//
// A node is two things at once: a byte with its count inside a context, and the context that one is in after having seen that byte
// there. `parent` leads from a context to the one that is a byte shorter, in the end to the root: the context of nothing.
//
// The bytes of a context hang in a tree. C ENet keeps a search tree in order of arrival; ascending bytes make it a list of up to 256,
// which a few hundred hostile bytes can make us walk thousands of times. The code on the wire depends on the counts, not on the
// shape, so here it is a crit-bit tree: bytes are leaves, and a branch splits an aligned block of 2^n bytes into halves. Paths
// are at most eight branches long, whatever arrives.
//
//   bytes 'a' = 61, 'b' = 62, 'q' = 71:     branch at 70, span 1f (block 60..7f)
//                                          ├─ left:  branch at 62, span 03 (block 60..63)
//                                          │         ├─ left:  leaf 61
//                                          │         └─ right: leaf 62
//                                          └─ right: leaf 71
//
// Leaves have the number of their node, 1 to 4095; the branch that came with a leaf has that number + POOL; 0 is the root or none.
// One model serves all coders, since no call leaves anything in it that another would see. That way the compiler knows where the
// arrays are: kept in an object, or imported from a file of their own, they make everything take 1.4 to 1.6 times as long (measured).
// Indices are nodes that `insert` handed out or bytes times a constant, all within bounds: hence the `!`.

const ROOT = 0
const POOL = 4096
/** A byte adds up to three nodes, one for each order; the model starts anew while there is still room for that. */
const POOL_FULL = POOL - 2
const ORDER_MAX = 2
/** A total above this is halved, so that range / total keeps enough precision. */
const TOTAL_MAX = 65280
/** What a byte's count and a context's escapes grow by. In the root, every byte has 1 to begin with and none can escape. */
const STEP = 2
const ROOT_STEP = 3
const ESCAPE_STEP = 5
/** A byte's count above this halves its context, so that the eight bits in which C ENet keeps it suffice. */
const COUNT_MAX = 251
const ROOT_COUNT_MAX = 250

// Leaves and branches: the leaf's byte, or the first byte of the branch's right half; 0, or the size of its block - 1; the count.
const symbol = new Uint8Array(2 * POOL)
const span = new Uint8Array(2 * POOL)
const sum = new Uint16Array(2 * POOL)
// A branch's left and right at 2 × its number and behind. A leaf's first place holds the tree of the context that it also is.
const child = new Uint16Array(4 * POOL)
// Contexts.
const parent = new Uint16Array(POOL)
const escapes = new Uint16Array(POOL)
const totals = new Uint16Array(POOL)

// What the functions below tell besides what they return. Not `let`: those would be checked and converted at every use.
const report = new Int32Array(3)
/** Nodes in use. */
const POOL_USED = 0
/** Of the byte last recorded or taken, before that: the counts of all smaller bytes together, and its own (0: it was unknown). */
const UNDER = 1
const COUNT = 2

/** Forgets everything. */
const clear = (): void => {
  child[ROOT] = 0
  parent[ROOT] = ROOT
  escapes[ROOT] = 1
  totals[ROOT] = 1 + 256
  report[POOL_USED] = 1
}

/** Counts `byte` in `context`; returns its node and reports what it found before. */
const record = (context: number, byte: number): number => {
  const step = context === ROOT ? ROOT_STEP : STEP
  let under = context === ROOT ? byte : 0
  let place = 2 * context
  let id = child[place]!
  while (id !== 0) {
    const at = symbol[id]!
    const size = span[id]!
    const count = sum[id]!
    if ((byte ^ at) > size) {
      // Outside of the block, and so above or below all of it.
      if (byte > at) under += count
      break
    }
    sum[id] = count + step
    if (size === 0) {
      report[UNDER] = under
      report[COUNT] = context === ROOT ? count + 1 : count
      return id
    }
    place = 2 * id
    if (byte >= at) {
      under += sum[child[place]!]!
      place++
    }
    id = child[place]!
  }
  report[UNDER] = under
  report[COUNT] = context === ROOT ? 1 : 0
  return insert(place, byte, step)
}

/** Creates a node for `byte` in place of what is at `place`, which moves below a new branch. */
const insert = (place: number, byte: number, count: number): number => {
  const node = report[POOL_USED]!
  report[POOL_USED] = node + 1
  symbol[node] = byte
  span[node] = 0
  sum[node] = count
  child[2 * node] = 0
  parent[node] = ROOT
  escapes[node] = 0
  totals[node] = 0

  const id = child[place]!
  if (id === 0) {
    child[place] = node
    return node
  }
  const at = symbol[id]!
  const bit = 1 << (31 - Math.clz32(byte ^ at))
  const branch = node + POOL
  symbol[branch] = (byte | at) & -bit
  span[branch] = 2 * bit - 1
  sum[branch] = sum[id]! + count
  child[2 * branch] = byte < at ? node : id
  child[2 * branch + 1] = byte < at ? id : node
  child[place] = branch
  return node
}

/** Counts the byte whose interval contains `target`, which is below the sum of all counts. Not for the root. */
const take = (context: number, target: number): number => {
  let under = 0
  let id = child[2 * context]!
  while (span[id] !== 0) {
    sum[id] = sum[id]! + STEP
    const left = child[2 * id]!
    const half = under + sum[left]!
    if (target >= half) {
      under = half
      id = child[2 * id + 1]!
    } else {
      id = left
    }
  }
  report[UNDER] = under
  report[COUNT] = sum[id]!
  sum[id] = sum[id]! + STEP
  return id
}

/** Which byte's interval contains `target` in the root, where unseen bytes have one too. Changes nothing. */
const find = (target: number): number => {
  let under = 0
  let id = child[ROOT]!
  if (id === 0) return target
  while (span[id] !== 0) {
    const left = child[2 * id]!
    const half = under + sum[left]!
    if (target >= half + symbol[id]!) {
      under = half
      id = child[2 * id + 1]!
    } else {
      id = left
    }
  }
  const byte = symbol[id]!
  // Below the one byte left, itself, or above it, behind its counts.
  return target < under + byte ? target - under : Math.max(byte, target - under - sum[id]!)
}

/** What a context learns besides the byte itself; `count` is what that had before. */
const adapt = (context: number, count: number): void => {
  let total = totals[context]! + (context === ROOT ? ROOT_STEP : STEP)
  if (count === 0) {
    escapes[context] = escapes[context]! + ESCAPE_STEP
    total += ESCAPE_STEP
  }
  totals[context] = total
  if (count > (context === ROOT ? ROOT_COUNT_MAX : COUNT_MAX) || total > TOTAL_MAX) rescale(context)
}

/** Halves all counts, rounding up: the past fades. */
const rescale = (context: number): void => {
  const escape = escapes[context]!
  const kept = escape - (escape >> 1)
  escapes[context] = kept
  totals[context] = halve(child[2 * context]!) + kept + (context === ROOT ? 256 : 0)
}

const halve = (id: number): number => {
  const count = sum[id]!
  const halved = span[id] === 0 ? count - (count >> 1) : halve(child[2 * id]!) + halve(child[2 * id + 1]!)
  sum[id] = halved
  return halved
}
