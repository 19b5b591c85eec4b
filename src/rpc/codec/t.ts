// `t`: all codec types under one short name, as people write them in contracts.

import { array, bool, enumeration, nullable, optional, record, tuple } from './containers.ts'
import { f32, f64, i16, i32, i53, i8, range, u16, u32, u53, u8, varint, zigzag } from './numbers.ts'
import { bytes, string } from './text.ts'

export const t = {
  bool,
  u8, u16, u32, u53, i8, i16, i32, i53, range, varint, zigzag,
  f32, f64,
  string, bytes,
  enum: enumeration, optional, nullable, array, tuple, record,
} as const
