// A message as bits: a stream of bits from the front, and whole bytes (texts, blobs) from the back. SPEC §15.1.
//
//   front → 1101 0110 1… 000 | … abc | hello ← back
//
// Bits fill each byte from its lowest bit up. Texts never have to be aligned to a bit position, the bits never have to be padded for
// them, and both are moved at full speed. Knows nothing of types.

import type { DecodeFailure } from './errors.ts'

const INITIAL_BYTES = 4096
/** The reader looks at whole words; this many bytes after the message may be looked at and count as nothing. */
const SLACK_BYTES = 8

/** 2^(7·n): what a varint's group number n is worth. */
const GROUP = 128

/** Collects one message. Keep one and reuse it: `reset()`, write, `finish()`. */
export class BitWriter {
  #bytes: Uint8Array
  #view: DataView
  /** Whole bytes written at the front. */
  #front = 0
  /** Bits that are not bytes yet, the lowest first, and how many (0 to 31). */
  #word = 0
  #used = 0
  /** Where the bytes at the back begin. */
  #back: number

  constructor() {
    this.#bytes = new Uint8Array(INITIAL_BYTES)
    this.#view = new DataView(this.#bytes.buffer)
    this.#back = INITIAL_BYTES
  }

  /** Forgets what was written. */
  reset(): void {
    this.#front = 0
    this.#word = 0
    this.#used = 0
    this.#back = this.#bytes.length
  }

  /**
   * Appends the `count` low bits of `value`.
   * @param value an integer that fits: 0 to 2^count − 1 (as a 32-bit pattern, so that −1 is 32 ones)
   * @param count 0 to 32
   */
  bits(value: number, count: number): void {
    const used = this.#used
    const total = used + count
    this.#word |= value << used
    if (total < 32) {
      this.#used = total
      return
    }
    if (this.#back - this.#front < 4) this.#grow(4)
    this.#view.setInt32(this.#front, this.#word, true)
    this.#front += 4
    this.#used = total - 32
    // What did not fit into the word; a shift by 32 would be a shift by 0.
    this.#word = used === 0 ? 0 : value >>> (32 - used)
  }

  /**
   * Appends a number in as many groups of 7 bits as it needs, the lowest first; the eighth bit of a group says "more follow".
   * @param value 0 to 2^53 − 1
   */
  varint(value: number): void {
    let rest = value
    while (rest >= GROUP) {
      this.bits((rest & 127) | 128, 8)
      // Beyond 32 bits a shift would lose the high part.
      rest = Math.floor(rest / GROUP)
    }
    this.bits(rest, 8)
  }

  /** Appends a signed number as a varint: the sign in the lowest bit, small amounts short. @param value −(2^53 − 1) to 2^53 − 1 */
  zigzag(value: number): void {
    const sign = value < 0 ? 1 : 0
    const amount = sign === 0 ? value : -1 - value
    const first = ((amount & 63) << 1) | sign
    if (amount < 64) {
      this.bits(first, 8)
      return
    }
    this.bits(first | 128, 8)
    this.varint(Math.floor(amount / 64))
  }

  /** Puts bytes at the back, in front of what is there. How many they are must be told in bits. */
  bytes(source: Uint8Array): void {
    const length = source.length
    // The word under construction needs its four bytes, too.
    if (this.#back - this.#front < length + 4) this.#grow(length + 4)
    this.#back -= length
    this.#bytes.set(source, this.#back)
  }

  /** The finished message, in memory of its own. The writer must be `reset()` before it is used again. */
  finish(): Uint8Array {
    let { length } = this.#bytes
    if (this.#back - this.#front < 4) {
      this.#grow(4)
      length = this.#bytes.length
    }
    let front = this.#front
    for (let rest = this.#used, word = this.#word; rest > 0; rest -= 8, word >>>= 8) this.#bytes[front++] = word
    const message = new Uint8Array(front + length - this.#back)
    message.set(this.#bytes.subarray(0, front))
    if (this.#back < length) message.set(this.#bytes.subarray(this.#back), front)
    return message
  }

  #grow(needed: number): void {
    const old = this.#bytes
    const bytes = new Uint8Array(2 * old.length + needed)
    const back = bytes.length - (old.length - this.#back)
    bytes.set(old.subarray(0, this.#front))
    bytes.set(old.subarray(this.#back), back)
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
    this.#back = back
  }
}

/** Takes a message apart. Keep one and reuse it: `reset(bytes)`, read, `finish()`. Never throws, never reads beyond the message. */
export class BitReader {
  /** Why the message was refused; null as long as it was not. The first reason stays. */
  failure: DecodeFailure | null = null
  /** How many more values may come that cost their sender little or nothing; see `NODES_MAX`. */
  nodes = 0

  #bytes: Uint8Array
  #view: DataView
  /** The next bit, counted from the beginning. */
  #position = 0
  /** Where the bytes at the back begin that have been taken already, in bytes; bits end there. */
  #back = 0

  constructor() {
    this.#bytes = new Uint8Array(INITIAL_BYTES)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** Begins a message. The bytes are copied: the reader keeps no reference to them. */
  reset(message: Uint8Array, nodes: number): void {
    const { length } = message
    if (length + SLACK_BYTES > this.#bytes.length) {
      this.#bytes = new Uint8Array(2 * length + SLACK_BYTES)
      this.#view = new DataView(this.#bytes.buffer)
    }
    this.#bytes.set(message)
    this.#position = 0
    this.#back = length
    this.failure = null
    this.nodes = nodes
  }

  /** Refuses the message. All reading from here on gives zeros and nothing. */
  fail(reason: DecodeFailure): void {
    this.failure ??= reason
    this.#position = 0
    this.#back = 0
  }

  /** Bits that are left, those of bytes at the back included; 0 after a failure. */
  get remainingBits(): number {
    return this.#back * 8 - this.#position
  }

  /** @param count 0 to 32 @returns an integer, 0 to 2^count − 1 */
  bits(count: number): number {
    const position = this.#position
    const end = position + count
    if (end > this.#back * 8) {
      this.fail('truncated')
      return 0
    }
    this.#position = end
    const at = position >>> 3
    const shift = position & 7
    let word = this.#view.getUint32(at, true) >>> shift
    if (shift + count > 32) word |= this.#view.getUint8(at + 4) << (32 - shift)
    return count === 32 ? word >>> 0 : word & ((1 << count) - 1)
  }

  /** The counterpart of the writer's `varint`; only the shortest form is accepted. @returns 0 to 2^53 − 1 */
  varint(): number {
    let group = this.bits(8)
    if (group < GROUP) return group
    let value = group & 127
    let scale = GROUP
    do {
      group = this.bits(8)
      value += (group & 127) * scale
      scale *= GROUP
      // Eight groups hold 56 bits: enough for 53, and a ninth would be too much.
    } while (group >= GROUP && scale < 2 ** 56)
    if (value > Number.MAX_SAFE_INTEGER || group >= GROUP) this.fail('range')
    else if (group === 0) this.fail('canonical')
    return value
  }

  /** The counterpart of the writer's `zigzag`. */
  zigzag(): number {
    const first = this.bits(8)
    let amount = (first & 127) >>> 1
    if (first >= GROUP) {
      const rest = this.varint()
      // The shortest form again: a second group of zero has no business here.
      if (rest === 0) this.fail('canonical')
      amount += rest * 64
      if (amount > Number.MAX_SAFE_INTEGER) this.fail('range')
    }
    return (first & 1) === 0 ? amount : -1 - amount
  }

  /**
   * Whether that many values of at least that many bits each can still come: asked before a declared count is believed.
   * Values that take no bits are charged to `nodes` instead.
   */
  affords(count: number, minBits: number): boolean {
    if (minBits > 0) {
      if (count * minBits <= this.remainingBits) return true
      this.fail('truncated')
      return false
    }
    this.nodes -= count
    if (this.nodes >= 0) return true
    this.fail('limit')
    return false
  }

  /** Takes bytes from the back, in memory of their own. @param length declared by the message; checked here */
  bytes(length: number): Uint8Array {
    const start = this.#take(length)
    return start < 0 ? new Uint8Array(0) : this.#bytes.slice(start, start + length)
  }

  /** Ends the message. @returns true when all of it was read, and nothing was wrong */
  finish(): boolean {
    if (this.failure !== null) return false
    const padding = this.remainingBits
    if (padding > 7 || this.bits(padding) !== 0) this.fail('trailing')
    return this.failure === null
  }

  /** @returns where the bytes begin; -1 if there are not so many */
  #take(length: number): number {
    const start = this.#back - length
    if (start * 8 < this.#position) {
      this.fail('truncated')
      return -1
    }
    this.#back = start
    return start
  }
}
