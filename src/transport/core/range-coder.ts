// ENet's built-in compressor, byte for byte: an adaptive model of the bytes seen so far (contexts of up to two preceding
// bytes, PPM) that drives a range coder with 32-bit arithmetic. Knows nothing of datagrams. SPEC §9.
//
//   compress:   byte ─→ model: which interval of which total? ─→ narrow [low, low + range) ─→ settled top bytes out
//   decompress: bytes ─→ where in [low, low + range) do they point? ─→ model: which byte's interval is that? ─→ byte
//
// Both sides grow the same model from the same history, so nothing but the code itself travels.

import type { Compressor } from '../types.ts'

/**
 * ENet's range coder (`enet_host_compress_with_range_coder`), for `HostOptions`: what Godot calls "range coder" as well.
 *
 * Every call starts with an empty model: no state crosses datagrams. A call allocates nothing; its work is bounded by the sizes of
 * input and output, whatever the bytes are. An instance holds about 70 KiB.
 * SPEC §9 · ENet 1.3 `compress.c`
 */
export class RangeCoder implements Compressor {
  readonly name: string = 'range-coder'
  readonly #model = new Model()

  /**
   * Compresses all of `input`.
   * @returns bytes written, or 0 when `output` is too small or `input` empty; then what `output` holds is undefined
   */
  compress(input: Uint8Array, output: Uint8Array): number {
    const model = this.#model
    const { escapes, total, parent } = model
    const limit = output.length
    let size = 0
    // The interval still open: [low, low + range), unsigned 32 bits each, the sum taken modulo 2^32.
    let low = 0
    let range = 0xffffffff

    model.clear()
    for (let i = 0; i < input.length; i++) {
      const byte = input[i]!
      model.begin()
      // From the longest context that is known down to the root, which knows every byte.
      for (let context = model.predicted; ; context = parent[context]!) {
        const escape = escapes[context]!
        const sum = total[context]!
        model.update(context, byte)
        const count = model.count

        let cumulative = escape + model.under
        let frequency = count
        if (count === 0) {
          cumulative = 0
          // A context that is used for the first time has no interval at all: both sides know that it cannot help.
          frequency = escape < sum ? escape : 0
        }
        if (frequency !== 0) {
          range = (range / sum) >>> 0
          low = (low + Math.imul(cumulative, range)) >>> 0
          range = Math.imul(range, frequency) >>> 0
          for (;;) {
            if (((low ^ (low + range)) >>> 0) >= TOP) {
              // The top byte is not settled yet. If there is room, fine; if not, cut the interval at the next multiple of 2^16.
              if (range >= BOTTOM) break
              range = -low & (BOTTOM - 1)
            }
            if (size === limit) return 0
            output[size++] = low >>> 24
            low = (low << 8) >>> 0
            range = (range << 8) >>> 0
          }
        }

        model.adapt(context, count)
        if (count !== 0) break
      }
      model.end()
    }

    // The decoder reads zeros past the end, so that trailing zeros need not travel.
    for (; low !== 0; low = (low << 8) >>> 0) {
      if (size === limit) return 0
      output[size++] = low >>> 24
    }
    return size
  }

  /**
   * Decompresses all of `input`. Any bytes at all are safe to pass.
   * @returns bytes written, or 0 when the input is damaged, stands for more than `output` can hold, or for nothing; then what
   *   `output` holds is undefined. Most damage goes unnoticed and gives wrong bytes: only a checksum can tell.
   */
  decompress(input: Uint8Array, output: Uint8Array): number {
    const model = this.#model
    const { escapes, total, parent } = model
    const limit = output.length
    let size = 0
    let low = 0
    let range = 0xffffffff
    // The next 32 bits of input, from the place where `low` stands; zeros follow the end.
    let code = 0
    let read = 0
    for (; read < 4; read++) code = ((code << 8) | (read < input.length ? input[read]! : 0)) >>> 0

    model.clear()
    for (;;) {
      let context = model.predicted
      let byte: number
      for (;;) {
        const escape = escapes[context]!
        // Used for the first time: the encoder wrote nothing here.
        if (escape === 0) {
          context = parent[context]!
          continue
        }

        range = (range / total[context]!) >>> 0
        if (range === 0) return 0
        const target = (((code - low) >>> 0) / range) >>> 0
        let cumulative = 0
        let frequency = escape
        byte = -1
        if (target >= escape) {
          byte = model.locate(context, target - escape)
          if (byte < 0 || byte > 255) return 0
          cumulative = escape + model.under
          frequency = model.count
        } else if (context === ROOT) {
          return size
        }

        low = (low + Math.imul(cumulative, range)) >>> 0
        range = Math.imul(range, frequency) >>> 0
        for (;;) {
          if (((low ^ (low + range)) >>> 0) >= TOP) {
            if (range >= BOTTOM) break
            range = -low & (BOTTOM - 1)
          }
          code = ((code << 8) | (read < input.length ? input[read]! : 0)) >>> 0
          read++
          low = (low << 8) >>> 0
          range = (range << 8) >>> 0
        }

        if (byte >= 0) break
        context = parent[context]!
      }
      if (size === limit) return 0
      output[size++] = byte

      model.begin()
      for (let context = model.predicted; ; context = parent[context]!) {
        model.update(context, byte)
        const count = model.count
        model.adapt(context, count)
        if (count !== 0) break
      }
      model.end()
    }
  }
}

const TOP = 0x1000000
const BOTTOM = 0x10000
const ROOT = 0
const POOL = 4096
const ORDER_MAX = 2
const TOTAL_MAX = 65280

class Model {
  readonly value: Uint8Array = new Uint8Array(POOL)
  readonly frequency: Uint8Array = new Uint8Array(POOL)
  readonly below: Uint16Array = new Uint16Array(POOL)
  readonly left: Uint16Array = new Uint16Array(POOL)
  readonly right: Uint16Array = new Uint16Array(POOL)
  readonly parent: Uint16Array = new Uint16Array(POOL)
  readonly tree: Uint16Array = new Uint16Array(POOL)
  readonly escapes: Uint16Array = new Uint16Array(POOL)
  readonly total: Uint16Array = new Uint16Array(POOL)
  predicted = 0
  order = 0
  size = 0
  under = 0
  count = 0
  #last = 0
  #first = 0

  clear(): void {
    this.size = 0
    this.#create(0, 0)
    this.escapes[ROOT] = 1
    this.total[ROOT] = 257
    this.predicted = ROOT
    this.order = 0
  }

  #create(value: number, frequency: number): number {
    const node = this.size++
    this.value[node] = value
    this.frequency[node] = frequency
    this.below[node] = frequency
    this.left[node] = 0
    this.right[node] = 0
    this.parent[node] = 0
    this.tree[node] = 0
    this.escapes[node] = 0
    this.total[node] = 0
    return node
  }

  begin(): void {
    this.#last = 0
    this.#first = 0
  }

  end(): void {
    if (this.order >= ORDER_MAX) this.predicted = this.parent[this.#first]!
    else {
      this.predicted = this.#first
      this.order++
    }
    if (this.size >= POOL - 2) this.clear()
  }

  update(context: number, byte: number): void {
    const { value, frequency, below, left, right } = this
    const step = context === ROOT ? 3 : 2
    let under = 0
    let count = 0
    if (context === ROOT) {
      under = byte
      count = 1
    }
    let node = this.tree[context]!
    if (node === 0) {
      node = this.#create(byte, step)
      this.tree[context] = node
    } else {
      for (;;) {
        const here = value[node]!
        if (byte < here) {
          below[node] = below[node]! + step
          const next = left[node]!
          if (next === 0) {
            left[node] = this.size
            node = this.#create(byte, step)
            break
          }
          node = next
        } else if (byte > here) {
          under += below[node]!
          const next = right[node]!
          if (next === 0) {
            right[node] = this.size
            node = this.#create(byte, step)
            break
          }
          node = next
        } else {
          const f = frequency[node]!
          const b = below[node]!
          count += f
          under += b - f
          below[node] = b + step
          frequency[node] = f + step
          break
        }
      }
    }
    this.under = under
    this.count = count
    if (this.#last === 0) this.#first = node
    else this.parent[this.#last] = node
    this.#last = node
  }

  adapt(context: number, count: number): void {
    const { escapes, total } = this
    let sum = total[context]! + (context === ROOT ? 3 : 2)
    if (count === 0) {
      escapes[context] = escapes[context]! + 5
      sum += 5
    }
    total[context] = sum
    if (count > (context === ROOT ? 250 : 251) || sum > TOTAL_MAX) this.#rescale(context)
  }

  #rescale(context: number): void {
    const root = this.tree[context]!
    const sum = root === 0 ? 0 : this.#halve(root)
    const escapes = this.escapes[context]! - (this.escapes[context]! >> 1)
    this.escapes[context] = escapes
    this.total[context] = sum + escapes + (context === ROOT ? 256 : 0)
  }

  #halve(node: number): number {
    let sum = 0
    for (; node !== 0; node = this.right[node]!) {
      const f = this.frequency[node]!
      const half = f - (f >> 1)
      this.frequency[node] = half
      const left = this.left[node]!
      const under = half + (left === 0 ? 0 : this.#halve(left))
      this.below[node] = under
      sum += under
    }
    return sum
  }

  locate(context: number, target: number): number {
    const { value, frequency, below, left, right } = this
    const min = context === ROOT ? 1 : 0
    let under = 0
    let node = this.tree[context]!
    let first = 0
    for (;;) {
      if (node === 0) {
        if (min === 0) return -1
        this.under = target
        this.count = 1
        return first + (target - (under + first))
      }
      const here = value[node]!
      const count = frequency[node]! + min
      const after = under + below[node]! + (here + 1) * min
      if (target >= after) {
        under += below[node]!
        first = here + 1
        node = right[node]!
      } else if (target < after - count) {
        node = left[node]!
      } else {
        this.under = after - count
        this.count = count
        return here
      }
    }
  }
}
