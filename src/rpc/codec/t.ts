// `t`: all codec types under one short name, as contracts use them.

import { bool, enumeration, literal, nullable, optional, union } from './choices.ts'
import { date } from './date.ts'
import { any } from './dynamic.ts'
import { f16, f32, f64, quantized } from './floats.ts'
import { bigint, i16, i32, i53, i8, range, u16, u32, u53, u8, varint, zigzag } from './integers.ts'
import { array, map, tuple } from './lists.ts'
import { record } from './records.ts'
import { bytes, string } from './text.ts'
import { quaternion, rgba8, vec2, vec3, vec4 } from './vectors.ts'

/** The codec types: `t.record({ name: t.string, hp: t.u8 })`. */
export const t = {
  bool,
  u8, u16, u32, u53, i8, i16, i32, i53, range, varint, zigzag, bigint,
  f16, f32, f64, quantized,
  vec2, vec3, vec4, quaternion, rgba8,
  string, bytes, date,
  enum: enumeration, literal, optional, nullable,
  record, tuple, array, map, union,
  any,
} as const
