// A growing buffer with a bound, for Godot's own formats: little-endian throughout (ENet around them is big-endian).

import { VaivenError } from '../util/errors.ts'

const utf8 = new TextEncoder()

/** Writes numbers and text in order; grows as needed up to a bound, so that one runaway value cannot eat the memory. */
export class BoundedWriter {
  /** What has been written is `bytes.subarray(0, length)`; the rest is garbage. */
  bytes: Uint8Array
  length = 0
  readonly #maxBytes: number
  #view: DataView

  /** @param maxBytes the bound; writing beyond it throws `ERR_ENCODE` */
  constructor(maxBytes: number, initialBytes = 256) {
    this.#maxBytes = maxBytes
    this.bytes = new Uint8Array(Math.min(initialBytes, maxBytes))
    this.#view = new DataView(this.bytes.buffer)
  }

  /** Makes room for `count` more bytes and returns where they begin. @throws VaivenError ERR_ENCODE */
  #take(count: number): number {
    const start = this.length
    const needed = start + count
    if (needed > this.bytes.length) this.#grow(needed)
    this.length = needed
    return start
  }

  #grow(needed: number): void {
    if (needed > this.#maxBytes) {
      throw new VaivenError('ERR_ENCODE', `the encoding is longer than ${this.#maxBytes} bytes (limit maxBytes); send it in pieces`)
    }
    const grown = new Uint8Array(Math.min(this.#maxBytes, Math.max(needed, this.bytes.length * 2)))
    grown.set(this.bytes)
    this.bytes = grown
    this.#view = new DataView(grown.buffer)
  }

  u8(value: number): void {
    const at = this.#take(1)
    this.#view.setUint8(at, value)
  }

  u32(value: number): void {
    const at = this.#take(4)
    this.#view.setUint32(at, value, true)
  }

  i32(value: number): void {
    const at = this.#take(4)
    this.#view.setInt32(at, value, true)
  }

  i64(value: bigint): void {
    const at = this.#take(8)
    this.#view.setBigInt64(at, value, true)
  }

  f32(value: number): void {
    const at = this.#take(4)
    this.#view.setFloat32(at, value, true)
  }

  f64(value: number): void {
    const at = this.#take(8)
    this.#view.setFloat64(at, value, true)
  }

  raw(source: Uint8Array): void {
    const at = this.#take(source.length)
    this.bytes.set(source, at)
  }

  /** Overwrites four bytes written earlier: for lengths and offsets known only afterwards. */
  patchU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true)
  }

  /** UTF-8 without length or end. Returns how many bytes it took. The text must be free of lone surrogates. */
  text(value: string): number {
    const start = this.length
    // Three bytes per UTF-16 unit is the most UTF-8 needs; asked for in full only while that stays small or is needed.
    const worst = value.length * 3
    const size = worst <= 1024 ? worst : Buffer.byteLength(value)
    this.#take(size)
    const { written } = utf8.encodeInto(value, this.bytes.subarray(start, start + size))
    this.length = start + written
    return written
  }

  /** Zero bytes up to the next multiple of four, counted from `start`. */
  pad4(start: number): void {
    const count = -(this.length - start) & 3
    const at = this.#take(count)
    this.bytes.fill(0, at, at + count)
  }

  /** A copy of what has been written. */
  copy(): Uint8Array {
    return this.bytes.slice(0, this.length)
  }
}
