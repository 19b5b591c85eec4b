// A running fingerprint of everything that happened in a network: two runs that differ in one byte, time or event get
// different fingerprints (by chance alike once in 2^64), and the same run gets the same one on every platform.

// Two lanes with unlike odd multipliers; the shifts carry high bits down again.
const LANE_A = 0x9e3779b1
const LANE_B = 0x85ebca77

export class RunHash {
  #a = 0x243f6a88
  #b = 0x85a308d3
  readonly #scratch = new DataView(new ArrayBuffer(8))

  /** 16 hexadecimal digits. */
  get value(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0')
    return hex(this.#a) + hex(this.#b)
  }

  /** 32 bits. */
  word(value: number): void {
    const a = Math.imul(this.#a ^ value, LANE_A)
    this.#a = a ^ (a >>> 15)
    const b = Math.imul((this.#b << 13 | this.#b >>> 19) ^ value, LANE_B)
    this.#b = b ^ (b >>> 13)
  }

  /** Any number, fractions included. */
  number(value: number): void {
    this.#scratch.setFloat64(0, value)
    this.word(this.#scratch.getInt32(0))
    this.word(this.#scratch.getInt32(4))
  }

  bytes(bytes: Uint8Array, length: number = bytes.length): void {
    // As `word` does it, with the lanes in local variables: this is the one loop that every byte goes through.
    let a = this.#a
    let b = this.#b
    let i = 0
    for (; i + 4 <= length; i += 4) {
      const value = bytes[i]! | bytes[i + 1]! << 8 | bytes[i + 2]! << 16 | bytes[i + 3]! << 24
      a = Math.imul(a ^ value, LANE_A)
      a ^= a >>> 15
      b = Math.imul((b << 13 | b >>> 19) ^ value, LANE_B)
      b ^= b >>> 13
    }
    this.#a = a
    this.#b = b
    for (; i < length; i++) this.word(bytes[i]!)
    this.word(length)
  }

  text(text: string): void {
    for (let i = 0; i < text.length; i++) this.word(text.charCodeAt(i))
    this.word(text.length)
  }

  /** The plain fields of an event: text, numbers, truth values, bytes, in their order. Objects, such as a peer, are left out. */
  event(event: unknown): void {
    if (typeof event !== 'object' || event === null) return this.#field(event)
    for (const key in event) this.#field((event as Record<string, unknown>)[key])
  }

  #field(value: unknown): void {
    if (typeof value === 'number') this.number(value)
    else if (typeof value === 'string') this.text(value)
    else if (typeof value === 'boolean') this.word(value ? 1 : 0)
    else if (value instanceof Uint8Array) this.bytes(value)
  }
}
