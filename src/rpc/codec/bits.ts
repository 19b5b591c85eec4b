// A message as bits: a stream of bits from the front, and whole bytes (texts, blobs) from the back. SPEC §15.1.
//
//   front →  11010110 1…000000 │ abc │ hello  ← back
//
// Bits fill each byte from its lowest bit up. So texts never sit at odd bit positions, bits are never padded for their sake, and both
// are moved at full speed. Knows nothing of types.

import { decodeUtf8, encodeLong, encodeShort, isAscii } from './utf8.ts'
import { MESSAGE_BYTES_MAX, NODES_MAX } from './limits.ts'
import { EncodeError } from './errors.ts'
import type { DecodeFailure } from './errors.ts'

/** Messages are cut from chunks of this size: one allocation for hundreds of small messages. */
const CHUNK_BYTES = 16_384
/** With less than this left, the next message begins a new chunk. */
const CHUNK_REST_BYTES = 256
/** The word under construction needs this much room between the two streams. */
const WORD_BYTES = 4
/** A reader's own memory; a larger message gets memory for itself. */
const READER_BYTES = 65_536
/** The reader looks at whole words: so many bytes behind the message may be looked at, and count for nothing. */
const SLACK_BYTES = 8
/** Up to here a text is copied character by character; beyond, a call into the runtime pays. */
const SHORT_TEXT = 20
/** What one more group of a varint is worth. */
const GROUP = 128
/** More bits than this, at any bit position, may not lie within one 32-bit word. */
const NARROW_BITS = 25

/** All empty messages and blobs are this one: there is nothing in it to change, and to make one takes longer than a small message. */
const NOTHING = new Uint8Array(0)

/** Collects messages, one after the other: write, `finish()`, write, `finish()` … */
export class BitWriter {
  /** For containers: which of their parts is being written, so that an error can say where it happened. */
  at = 0
  /** How many more values may be written that cost little or nothing; a reader counts the same. */
  nodes = NODES_MAX

  #chunk: Buffer = Buffer.from(new ArrayBuffer(CHUNK_BYTES))
  #view = new DataView(this.#chunk.buffer)
  /** Where the message begins in the chunk. */
  #start = 0
  /** Where the next whole word of bits goes. */
  #front = 0
  /** Bits that are not in the chunk yet, and how many (0 to 31). */
  #word = 0
  #used = 0
  /** Where the bytes of the back stream begin; they end where the chunk ends. */
  #back = CHUNK_BYTES

  /** Forgets an unfinished message, as after an `ERR_ENCODE`. */
  reset(): void {
    this.nodes = NODES_MAX
    this.#front = this.#start
    this.#word = 0
    this.#used = 0
    this.#back = this.#chunk.length
  }

  /** Takes `count` from `nodes`. @throws VaivenError `ERR_ENCODE` when none are left */
  charge(count: number): void {
    this.nodes -= count
    if (this.nodes >= 0) return
    throw new EncodeError(`is one value too many; a message holds ${NODES_MAX} that are self-describing or take no bits`)
  }

  /**
   * Appends the `count` low bits of `value`.
   * @param value an integer that fits: 0 to 2^count − 1, or as a signed 32-bit pattern if count is 32
   * @param count 0 to 32
   */
  bits(value: number, count: number): void {
    const used = this.#used
    const total = used + count
    const word = this.#word | (value << used)
    if (total < 32) {
      this.#word = word
      this.#used = total
      return
    }
    if (this.#back - this.#front < WORD_BYTES) this.#grow(WORD_BYTES)
    this.#view.setInt32(this.#front, word, true)
    this.#front += WORD_BYTES
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
      // A shift would lose what is beyond 32 bits.
      rest = Math.floor(rest / GROUP)
    }
    this.bits(rest, 8)
  }

  /** Appends a signed number as a varint with the sign in its lowest bit. @param value −(2^53 − 1) to 2^53 − 1 */
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
    const start = this.#claim(source.length)
    this.#chunk.set(source, start)
  }

  /**
   * Puts the UTF-8 of a text at the back; how many bytes that made must be told in bits.
   * @returns the bytes; −1 if the text is none (an unpaired surrogate), and then nothing was written
   */
  text(value: string): number {
    const { length } = value
    if (length > SHORT_TEXT) return this.#longText(value)
    if (this.#back - this.#front < 3 * length + WORD_BYTES) this.#grow(3 * length + WORD_BYTES)
    const start = encodeShort(value, this.#chunk, this.#back)
    if (start < 0) return -1
    const bytes = this.#back - start
    this.#back = start
    return bytes
  }

  #longText(value: string): number {
    const length = Buffer.byteLength(value)
    const start = this.#claim(length)
    if (encodeLong(value, this.#chunk, start, length)) return length
    this.#back += length
    return -1
  }

  /**
   * Ends the message.
   * @returns its bytes. They are the caller's, but share their `ArrayBuffer` with other messages, as Node's small Buffers do.
   */
  finish(): Uint8Array {
    let front = this.#front
    if (this.#used > 0) {
      if (this.#back - front < WORD_BYTES) {
        this.#grow(WORD_BYTES)
        front = this.#front
      }
      this.#view.setInt32(front, this.#word, true)
      front += (this.#used + 7) >>> 3
    }
    const chunk = this.#chunk
    const start = this.#start
    if (this.#back < chunk.length) {
      chunk.copyWithin(front, this.#back)
      front += chunk.length - this.#back
    }
    const message = front === start ? NOTHING : new Uint8Array(chunk.buffer, start, front - start)
    this.#start = front
    if (chunk.length > CHUNK_BYTES || chunk.length - front < CHUNK_REST_BYTES) this.#use(CHUNK_BYTES)
    this.reset()
    return message
  }

  /** Makes room at the back. @returns where it begins */
  #claim(length: number): number {
    if (this.#back - this.#front < length + WORD_BYTES) this.#grow(length + WORD_BYTES)
    return (this.#back -= length)
  }

  #use(length: number): void {
    this.#chunk = Buffer.from(new ArrayBuffer(length))
    this.#view = new DataView(this.#chunk.buffer)
    this.#start = 0
  }

  /** Moves the unfinished message to a new chunk with at least so many more bytes between the two streams. */
  #grow(needed: number): void {
    const old = this.#chunk
    const start = this.#start
    const front = this.#front - start
    const tail = old.length - this.#back
    const wanted = front + tail + needed
    this.#use(wanted <= CHUNK_BYTES / 2 ? CHUNK_BYTES : 2 * wanted)
    this.#chunk.set(old.subarray(start, start + front))
    this.#front = front
    this.#back = this.#chunk.length - tail
    this.#chunk.set(old.subarray(old.length - tail), this.#back)
  }
}

/** Takes messages apart: `reset(bytes)`, read, `finish()`. Never throws, never reads beyond the message. */
export class BitReader {
  /** Why the message was refused; null as long as it was not. The first reason stays. */
  failure: DecodeFailure | null = null
  /** How many more values may come that cost their sender little or nothing; see `NODES_MAX`. */
  nodes = 0

  readonly #own: Buffer = Buffer.from(new ArrayBuffer(READER_BYTES + SLACK_BYTES))
  readonly #ownView = new DataView(this.#own.buffer)
  #bytes: Buffer = this.#own
  #view: DataView = this.#ownView
  /** The next bit, counted from the beginning. */
  #position = 0
  /** Where the bytes of the back stream begin that have been taken already: in bits, as bits end there. */
  #limit = 0

  /** Begins a message. Its bytes are copied: nothing keeps a reference to them. */
  reset(message: Uint8Array): void {
    const { length } = message
    this.failure = null
    this.nodes = NODES_MAX
    this.#position = 0
    this.#limit = length * 8
    if (length > READER_BYTES) {
      if (length > MESSAGE_BYTES_MAX) {
        this.fail('limit')
        return
      }
      this.#bytes = Buffer.from(new ArrayBuffer(length + SLACK_BYTES))
      this.#view = new DataView(this.#bytes.buffer)
    } else if (this.#bytes !== this.#own) {
      this.#bytes = this.#own
      this.#view = this.#ownView
    }
    this.#bytes.set(message)
  }

  /** Refuses the message. All reading from here on gives zeros and nothing. */
  fail(reason: DecodeFailure): void {
    this.failure ??= reason
    this.#position = 0
    this.#limit = 0
  }

  /** Bits that are left, those of the bytes at the back included; 0 after a failure. */
  get remainingBits(): number {
    return this.#limit - this.#position
  }

  /** @param count 0 to 32 @returns an integer, 0 to 2^count − 1 */
  bits(count: number): number {
    const position = this.#position
    const end = position + count
    if (end > this.#limit || count > NARROW_BITS) return this.#wideBits(count)
    this.#position = end
    return (this.#view.getInt32(position >>> 3, true) >>> (position & 7)) & ((1 << count) - 1)
  }

  #wideBits(count: number): number {
    const position = this.#position
    const end = position + count
    if (end > this.#limit) {
      this.fail('truncated')
      return 0
    }
    this.#position = end
    const at = position >>> 3
    const shift = position & 7
    let word = this.#view.getInt32(at, true) >>> shift
    if (shift > 0) word |= this.#view.getUint8(at + WORD_BYTES) << (32 - shift)
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

  /** The counterpart of the writer's `zigzag`. @returns −(2^53 − 1) to 2^53 − 1 */
  zigzag(): number {
    const first = this.bits(8)
    let amount = (first & 127) >>> 1
    if (first >= GROUP) {
      const rest = this.varint()
      if (rest === 0) this.fail('canonical')
      amount += rest * 64
    }
    const value = (first & 1) === 0 ? amount : -1 - amount
    if (!Number.isSafeInteger(value)) this.fail('range')
    return value
  }

  /**
   * Whether so many values of at least so many bits each can still come: asked before a declared count is believed.
   * Values that may take no bits at all are charged to `nodes` instead.
   */
  affords(count: number, minBits: number): boolean {
    if (minBits > 0) {
      if (count * minBits <= this.#limit - this.#position) return true
      this.fail('truncated')
      return false
    }
    return this.charge(count)
  }

  /** Takes `count` from `nodes`; fails when none are left. */
  charge(count: number): boolean {
    this.nodes -= count
    if (this.nodes >= 0) return true
    this.fail('limit')
    return false
  }

  /** Takes bytes from the back, in memory of their own. @param length as declared by the message; checked here */
  bytes(length: number): Uint8Array {
    const start = this.#take(length)
    // `subarray` of a Buffer is a Buffer; a value is a plain Uint8Array.
    return start < 0 || length === 0 ? NOTHING : new Uint8Array(this.#bytes.subarray(start, start + length))
  }

  /** Takes a text from the back. @param length its bytes of UTF-8, as declared by the message; checked here */
  text(length: number): string {
    const start = this.#take(length)
    if (start < 0) return ''
    if (isAscii(this.#view, start, length)) return this.#asciiText(start, length)
    const text = decodeUtf8(this.#bytes, start, length)
    if (text !== null) return text
    this.fail('utf8')
    return ''
  }

  #asciiText(start: number, length: number): string {
    const bytes = this.#bytes
    if (length > SHORT_TEXT) return bytes.toString('latin1', start, start + length)
    let text = ''
    let at = start
    const end = start + length
    // Each piece is one allocation: eight, four, then single characters.
    for (; end - at >= 8; at += 8) {
      text += String.fromCharCode(
        bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!, bytes[at + 4]!, bytes[at + 5]!, bytes[at + 6]!, bytes[at + 7]!)
    }
    for (; end - at >= 4; at += 4) text += String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!)
    if (end - at === 3) text += String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!)
    else if (end - at === 2) text += String.fromCharCode(bytes[at]!, bytes[at + 1]!)
    else if (end - at === 1) text += String.fromCharCode(bytes[at]!)
    return text
  }

  /** Ends the message. @returns true when all of it was read, and nothing was wrong */
  finish(): boolean {
    const padding = this.#limit - this.#position
    if (padding !== 0 && (padding > 7 || this.bits(padding) !== 0)) this.fail('trailing')
    return this.failure === null
  }

  /** @returns where the bytes begin; −1 if there are not so many */
  #take(length: number): number {
    const limit = this.#limit - length * 8
    if (limit < this.#position) {
      this.fail('truncated')
      return -1
    }
    this.#limit = limit
    return limit / 8
  }
}
