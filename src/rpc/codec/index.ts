// The codec's public surface: values ↔ bytes, compact, typed by schema values. SPEC §15.

import { BitReader, BitWriter } from './bits.ts'
import type { DecodeFailure } from './errors.ts'
import type { Type } from './type.ts'

export { BitReader, BitWriter } from './bits.ts'
export { EncodeError } from './errors.ts'
export type { DecodeFailure } from './errors.ts'
export type { InferUnion, Variants } from './choices.ts'
export type { Dynamic } from './dynamic.ts'
export type { CountOptions, MapOptions } from './lists.ts'
export type { BytesType, StringType } from './text.ts'
export type { Infer, InferShape, InferTuple, OptionalType, Shape, Type } from './type.ts'
export type { QuaternionType, Rgba, Vec2, Vec3, Vec4, VectorType } from './vectors.ts'
export { t } from './t.ts'

/** What `decode` found. */
export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: DecodeFailure }

// One writer and one reader serve everybody. They are taken away while in use: a getter of a value, or a type of the program's own,
// may encode something in the middle of it all.
let spareWriter: BitWriter | null = new BitWriter()
let spareReader: BitReader | null = new BitReader()

/**
 * One value as bytes. They are the caller's, but may share their `ArrayBuffer` with other messages, as Node's small Buffers do.
 * @throws VaivenError `ERR_ENCODE` with the path of the field that does not fit: `players[3].hp is 300; u8 holds 0 to 255`
 */
export const encode = <T>(type: Type<T>, value: NoInfer<T>): Uint8Array => {
  const writer = spareWriter ?? new BitWriter()
  spareWriter = null
  try {
    type.write(writer, value)
    return writer.finish()
  } catch (error) {
    writer.reset()
    throw error
  } finally {
    spareWriter = writer
  }
}

/**
 * The value that bytes stand for; the bytes may come from anybody. Never throws because of them, takes all of them or refuses,
 * and keeps no reference to them.
 */
export const decode = <T>(type: Type<T>, bytes: Uint8Array): Decoded<T> => {
  const reader = spareReader ?? new BitReader()
  spareReader = null
  reader.reset(bytes)
  const value = type.read(reader)
  reader.finish()
  spareReader = reader
  return reader.failure === null ? { ok: true, value } : { ok: false, error: reader.failure }
}
