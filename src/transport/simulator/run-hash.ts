// A running fingerprint of everything that happened in a network: two runs that differ in one byte, time or event get
// different fingerprints (by chance alike once in 2^64), and the same run gets the same one on every platform.

/** Parts of an event that are themselves objects (a peer, an address) have no bytes to compare and are left out. */
export class RunHash {
  #a = 0x243f6a88
  #b = 0x85a308d3
  readonly #scratch = new DataView(new ArrayBuffer(8))

  /** 16 hexadecimal digits. */
  get value(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0')
    return hex(this.#a) + hex(this.#b)
  }

  /** Any number, fractions included. */
  number(value: number): void {
    this.#scratch.setFloat64(0, value)
    this.word(this.#scratch.getInt32(0))
    this.word(this.#scratch.getInt32(4))
  }

  /** 32 bits. */
  word(value: number): void {
    // Two lanes with unlike multipliers (odd, about half of the bits set); the rotation carries high bits down again.
    const a = Math.imul(this.#a ^ value, 0x9e3779b1)
    this.#a = a ^ (a >>> 15)
    const b = Math.imul((this.#b << 13 | this.#b >>> 19) ^ value, 0x85ebca77)
    this.#b = b ^ (b >>> 13)
  }

  bytes(bytes: Uint8Array, length: number = bytes.length): void {
    this.word(length)
    let i = 0
    for (; i + 4 <= length; i += 4) this.word(bytes[i]! | bytes[i + 1]! << 8 | bytes[i + 2]! << 16 | bytes[i + 3]! << 24)
    for (; i < length; i++) this.word(bytes[i]!)
  }

  text(text: string): void {
    this.word(text.length)
    for (let i = 0; i < text.length; i++) this.word(text.charCodeAt(i))
  }

  /** The plain fields of an event (text, numbers, truth values, bytes), in their order. */
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
