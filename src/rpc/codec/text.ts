// Texts and blobs: a length in the bits, the bytes at the back of the message. SPEC §15.4.

import { outOfRange } from '../../util/errors.ts'
import type { BitReader, BitWriter } from './bits.ts'
import { misfit } from './errors.ts'
import { BYTES_MAX, STRING_BYTES_MAX } from './limits.ts'
import { bitsFor } from './numbers.ts'
import type { Type } from './type.ts'

/** How a length or count is written: in a fixed number of bits if its range is small, else as a varint. */
export class Length {
  readonly minBits: number
  readonly #min: number
  readonly #max: number
  readonly #fixed: boolean

  constructor(min: number, max: number) {
    this.#min = min
    this.#max = max
    const bits = bitsFor(max - min + 1)
    this.#fixed = bits <= 8
    this.minBits = this.#fixed ? bits : 8
  }

  write(writer: BitWriter, length: number): void {
    if (this.#fixed) writer.bits(length - this.#min, this.minBits)
    else writer.varint(length - this.#min)
  }

  read(reader: BitReader): number {
    const length = this.#min + (this.#fixed ? reader.bits(this.minBits) : reader.varint())
    if (length > this.#max) reader.fail('range')
    return reader.failure === null ? length : 0
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A text type; `max` makes one with another bound. */
export interface StringType extends Type<string> {
  /** Strings of at most `bytes` bytes of UTF-8, 0 to 2^25; one for each ASCII character, at most three for each UTF-16 unit. */
  max(bytes: number): Type<string>
}

/** A blob type; `max` makes one with another bound. */
export interface BytesType extends Type<Uint8Array> {
  /** At most `bytes` bytes, 0 to 2^25. */
  max(bytes: number): Type<Uint8Array>
}

const checkMax = (name: string, bytes: number): void => {
  if (!Number.isInteger(bytes) || bytes < 0 || bytes > BYTES_MAX) throw outOfRange(name, bytes, `0 to ${BYTES_MAX}`, 'ERR_ARGUMENT')
}

class StringOf implements StringType {
  readonly minBits: number
  readonly #length: Length
  readonly #max: number

  constructor(max: number) {
    this.#max = max
    this.#length = new Length(0, max)
    this.minBits = this.#length.minBits
  }

  max(bytes: number): Type<string> {
    checkMax('string max', bytes)
    return new StringOf(bytes)
  }

  describe(): string {
    return this.#max === STRING_BYTES_MAX ? 'string' : `string(max ${this.#max})`
  }

  write(writer: BitWriter, value: string): void {
    if (typeof value !== 'string') misfit(value, this.describe(), 'holds strings')
    const bytes = encoder.encode(value)
    if (bytes.length > this.#max) misfit(value, this.describe(), `holds ${this.#max} bytes of UTF-8, this has ${bytes.length}`)
    this.#length.write(writer, bytes.length)
    writer.bytes(bytes)
  }

  read(reader: BitReader): string {
    const bytes = reader.bytes(this.#length.read(reader))
    try {
      return decoder.decode(bytes)
    } catch {
      reader.fail('utf8')
      return ''
    }
  }
}

class BytesOf implements BytesType {
  readonly minBits: number
  readonly #length: Length
  readonly #max: number

  constructor(max: number) {
    this.#max = max
    this.#length = new Length(0, max)
    this.minBits = this.#length.minBits
  }

  max(bytes: number): Type<Uint8Array> {
    checkMax('bytes max', bytes)
    return new BytesOf(bytes)
  }

  describe(): string {
    return this.#max === BYTES_MAX ? 'bytes' : `bytes(max ${this.#max})`
  }

  write(writer: BitWriter, value: Uint8Array): void {
    if (!(value instanceof Uint8Array)) misfit(value, this.describe(), 'holds Uint8Arrays')
    if (value.length > this.#max) misfit(value, this.describe(), `holds ${this.#max} bytes, this has ${value.length}`)
    this.#length.write(writer, value.length)
    writer.bytes(value)
  }

  read(reader: BitReader): Uint8Array {
    return reader.bytes(this.#length.read(reader))
  }
}

/** Strings of at most 16 KiB of UTF-8; `string.max(24)` for another bound. Unpaired surrogates are no text and do not fit. */
export const string: StringType = new StringOf(STRING_BYTES_MAX)

/** Uint8Arrays; `bytes.max(1200)` sets a bound. A decoded one has memory of its own. */
export const bytes: BytesType = new BytesOf(BYTES_MAX)
