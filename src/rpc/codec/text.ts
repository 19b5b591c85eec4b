// Texts and blobs: the length in the bits, the bytes at the back of the message. SPEC §15.4.

import { outOfRange } from '../../util/errors.ts'
import type { BitReader, BitWriter } from './bits.ts'
import { misfit } from './errors.ts'
import { Length } from './length.ts'
import { MESSAGE_BYTES_MAX, STRING_BYTES_MAX } from './limits.ts'
import type { Type } from './type.ts'

/** The type of strings; `max` makes one with another bound. */
export interface StringType extends Type<string> {
  /**
   * Strings of at most so many bytes of UTF-8, 0 to 32 MiB. An ASCII character takes one byte, any other two to four.
   * @throws VaivenError `ERR_ARGUMENT`
   */
  max(bytes: number): Type<string>
}

/** The type of blobs; `max` makes one with another bound. */
export interface BytesType extends Type<Uint8Array> {
  /** At most so many bytes, 0 to 32 MiB. @throws VaivenError `ERR_ARGUMENT` */
  max(bytes: number): Type<Uint8Array>
}

const checked = (name: string, bytes: number): number => {
  if (Number.isInteger(bytes) && bytes >= 0 && bytes <= MESSAGE_BYTES_MAX) return bytes
  throw outOfRange(name, bytes, `0 to ${MESSAGE_BYTES_MAX}`, 'ERR_ARGUMENT')
}

class BoundedString implements StringType {
  readonly minBits: number
  readonly bytesMax: number
  readonly lengths: Length

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
    this.lengths = new Length(0, bytesMax)
    this.minBits = this.lengths.minBits
  }

  max(bytes: number): Type<string> {
    return new BoundedString(checked('string max', bytes))
  }

  describe(): string {
    return this.bytesMax === STRING_BYTES_MAX ? 'string' : `string(max ${this.bytesMax})`
  }

  write(writer: BitWriter, value: string): void {
    if (typeof value !== 'string') misfit(value, this.describe(), 'holds strings')
    // No character takes less than a byte: what is too long already is not copied first.
    const length = value.length > this.bytesMax ? value.length : writer.text(value)
    if (length < 0) misfit(value, this.describe(), 'holds text, and this has an unpaired surrogate')
    if (length > this.bytesMax) misfit(value, this.describe(), `holds ${this.bytesMax} bytes of UTF-8`)
    this.lengths.write(writer, length)
  }

  read(reader: BitReader): string {
    return reader.text(this.lengths.read(reader))
  }
}

class BoundedBytes implements BytesType {
  readonly minBits: number
  readonly bytesMax: number
  readonly lengths: Length

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
    this.lengths = new Length(0, bytesMax)
    this.minBits = this.lengths.minBits
  }

  max(bytes: number): Type<Uint8Array> {
    return new BoundedBytes(checked('bytes max', bytes))
  }

  describe(): string {
    return this.bytesMax === MESSAGE_BYTES_MAX ? 'bytes' : `bytes(max ${this.bytesMax})`
  }

  write(writer: BitWriter, value: Uint8Array): void {
    if (!(value instanceof Uint8Array)) misfit(value, this.describe(), 'holds Uint8Arrays')
    if (value.length > this.bytesMax) misfit(value, this.describe(), `holds ${this.bytesMax} bytes, and this has ${value.length}`)
    this.lengths.write(writer, value.length)
    writer.bytes(value)
  }

  read(reader: BitReader): Uint8Array {
    return reader.bytes(this.lengths.read(reader))
  }
}

/** Strings of at most 16 KiB of UTF-8; `string.max(24)` sets another bound. An unpaired surrogate is no text and does not fit. */
export const string: StringType = new BoundedString(STRING_BYTES_MAX)

/** Uint8Arrays; `bytes.max(1200)` sets a bound. A decoded one has memory of its own. */
export const bytes: BytesType = new BoundedBytes(MESSAGE_BYTES_MAX)
