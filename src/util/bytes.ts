// Reading and writing little-endian fields of our own messages (session and rpc). ENet's headers are elsewhere (wire.ts).

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** Writes fields one after another into a buffer that grows. Reusable: `reset`, write, `take`. */
export class ByteWriter {
  #bytes: Uint8Array
  #view: DataView
  #length = 0

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length
  }

  /** Starts again at the beginning. */
  reset(): this {
    this.#length = 0
    return this
  }

  /** A copy of what was written. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  /** What was written, without copying: valid until the next write or reset. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  u8(value: number): this {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
    return this
  }

  u24(value: number): this {
    this.#reserve(3)
    this.#bytes[this.#length++] = value
    this.#bytes[this.#length++] = value >>> 8
    this.#bytes[this.#length++] = value >>> 16
    return this
  }

  u32(value: number): this {
    this.#reserve(4)
    this.#view.setUint32(this.#length, value, true)
    this.#length += 4
    return this
  }

  f64(value: number): this {
    this.#reserve(8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
    return this
  }

  /** 7 bits per byte, low bits first, high bit = more follow. @param value an integer from 0 to 2^32 - 1 */
  varint(value: number): this {
    this.#reserve(5)
    while (value > 0x7f) {
      this.#bytes[this.#length++] = (value & 0x7f) | 0x80
      value >>>= 7
    }
    this.#bytes[this.#length++] = value
    return this
  }

  /** Bytes as they are, without a length. */
  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
    return this
  }

  /** UTF-8 after its length in bytes. */
  text(value: string): this {
    const bytes = encoder.encode(value)
    return this.varint(bytes.length).raw(bytes)
  }

  #reserve(more: number): void {
    const needed = this.#length + more
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

/**
 * Reads fields one after another. Never throws and never reads past the end: the first read that does not fit sets
 * `failed`, and from then on every read gives 0, '' or no bytes. So a reader reads a whole message and asks once.
 */
export class ByteReader {
  failed = false
  #bytes: Uint8Array
  #position: number

  constructor(bytes: Uint8Array, start = 0) {
    this.#bytes = bytes
    this.#position = start
  }

  get position(): number {
    return this.#position
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#bytes.length - this.#position
  }

  /** Everything was understood, and nothing is left over. */
  get finished(): boolean {
    return !this.failed && this.left === 0
  }

  u8(): number {
    return this.#take(1) ? this.#bytes[this.#position - 1]! : 0
  }

  u24(): number {
    if (!this.#take(3)) return 0
    const at = this.#position - 3
    return this.#bytes[at]! | (this.#bytes[at + 1]! << 8) | (this.#bytes[at + 2]! << 16)
  }

  u32(): number {
    return this.#take(4) ? this.#viewOf(4).getUint32(0, true) : 0
  }

  f64(): number {
    return this.#take(8) ? this.#viewOf(8).getFloat64(0, true) : 0
  }

  /** @returns an integer from 0 to 2^32 - 1; a longer form than necessary, or a larger number, fails */
  varint(): number {
    let value = 0
    // Multiplied, not shifted: the fifth byte reaches past bit 31, where shifts turn negative.
    for (let index = 0, scale = 1; index < 5; index++, scale *= 128) {
      const byte = this.u8()
      if (this.failed) return 0
      if (index === 4 && byte > 0x0f) break
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        // The shortest form only: one value, one encoding.
        if (byte === 0 && index > 0) break
        return value
      }
    }
    this.failed = true
    return 0
  }

  /** A view of the next `length` bytes. */
  raw(length: number): Uint8Array {
    return this.#take(length) ? this.#bytes.subarray(this.#position - length, this.#position) : EMPTY
  }

  /** A view of everything not read yet. */
  rest(): Uint8Array {
    return this.failed ? EMPTY : this.raw(this.left)
  }

  /** UTF-8 after its length; fails when longer than `maxBytes` or malformed. */
  text(maxBytes: number): string {
    const length = this.varint()
    if (length > maxBytes) this.failed = true
    return decodeText(this.raw(length), this)
  }

  #take(count: number): boolean {
    if (this.failed || count > this.left) {
      this.failed = true
      return false
    }
    this.#position += count
    return true
  }

  #viewOf(count: number): DataView {
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#position - count, count)
  }
}

const EMPTY = new Uint8Array(0)

const decodeText = (bytes: Uint8Array, reader: ByteReader): string => {
  if (reader.failed) return ''
  try {
    return decoder.decode(bytes)
  } catch {
    reader.failed = true
    return ''
  }
}
