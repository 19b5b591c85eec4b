// The codec's public surface: values ↔ bytes, compact, typed by schema values. SPEC §15.

import { BitReader, BitWriter } from './bits.ts'
import type { DecodeFailure } from './errors.ts'
import { NODES_MAX } from './limits.ts'
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

const writer = new BitWriter()
const reader = new BitReader()

/**
 * One value as bytes of their own.
 * @throws VaivenError `ERR_ENCODE` with the path of the field that does not fit: `players[3].hp is 300; u8 holds 0 to 255`
 */
export const encode = <T>(type: Type<T>, value: T): Uint8Array => {
  writer.reset()
  type.write(writer, value)
  return writer.finish()
}

/**
 * The value that bytes stand for; the bytes may come from anybody. Never throws for bytes, takes all of them or refuses,
 * and keeps no reference to them.
 */
export const decode = <T>(type: Type<T>, bytes: Uint8Array): Decoded<T> => {
  reader.reset(bytes, NODES_MAX)
  const value = type.read(reader)
  return reader.finish() ? { ok: true, value } : { ok: false, error: reader.failure ?? 'trailing' }
}
