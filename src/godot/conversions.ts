// A contract's types in Godot's values: what `t.f32`, `t.record({ … })` and the others are in GDScript, both ways. Which one a
// type needs is found out in type-description.ts. SPEC §16.7.
//
//   bool                     bool                        record                 Dictionary, keys in snake_case
//   whole numbers, date      int (a date: milliseconds)  array, tuple           Array; arrays of any Pool…Array are taken, too
//   f16 f32 f64 quantized    float                       map                    Dictionary
//   bigint                   int, if it has 64 bits      union                  Dictionary, told apart by its tag
//   string, enum, literals   String (a literal: itself)  nullable, optional     null, or the value; an absent field
//   bytes                    PoolByteArray               any                    by kind; vectors and colours as plain objects
//   vec2 vec3                Vector2, Vector3            variant                any value, as it is
//   vec4, quaternion         Quat
//   rgba8                    Color

import * as pool from './variant-pools.ts'
import * as v from './variant-types.ts'
import type { Variant } from './variant-types.ts'

/** What `fromGodot` gives for a value that the type cannot take. */
export const MISFIT: unique symbol = Symbol('misfit')

/** One type, both ways. */
export interface Conversion {
  /** The value for Godot. The type's own `write` has checked it, or will. */
  toGodot(value: unknown): Variant
  /** The value for our program, or MISFIT. Ranges are the type's own to check. */
  fromGodot(value: Variant): unknown
}

const boolean: Conversion = {
  toGodot: (value) => value as boolean,
  fromGodot: (value) => (typeof value === 'boolean' ? value : MISFIT),
}

const integer: Conversion = {
  toGodot: (value) => value as number,
  // GDScript turns ints into floats at the first division: a whole float is taken.
  fromGodot: (value) => (typeof value === 'number' && Number.isInteger(value) ? value : MISFIT),
}

const real: Conversion = {
  // 1 is a float, too, and a game may ask for its type.
  toGodot: (value) => v.float(value as number),
  fromGodot: (value) => (typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : MISFIT),
}

const bigint: Conversion = {
  toGodot: (value) => value as bigint,
  fromGodot: (value) => (typeof value === 'bigint' ? value : typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : MISFIT),
}

const date: Conversion = {
  toGodot: (value) => (value as Date).getTime(),
  fromGodot: (value) => (typeof value === 'number' ? new Date(value) : MISFIT),
}

const text: Conversion = {
  toGodot: (value) => value as string,
  fromGodot: (value) => (typeof value === 'string' ? value : value instanceof v.NodePath ? value.toString() : MISFIT),
}

const bytes: Conversion = {
  toGodot: (value) => value as Uint8Array,
  fromGodot: (value) => (value instanceof Uint8Array ? value : MISFIT),
}

type Vector = { x: number; y: number; z: number; w: number }

const vec2: Conversion = {
  toGodot: (value) => new v.Vector2((value as Vector).x, (value as Vector).y),
  fromGodot: (value) => (value instanceof v.Vector2 ? { x: value.x, y: value.y } : MISFIT),
}

const vec3: Conversion = {
  toGodot: (value) => new v.Vector3((value as Vector).x, (value as Vector).y, (value as Vector).z),
  fromGodot: (value) => (value instanceof v.Vector3 ? { x: value.x, y: value.y, z: value.z } : MISFIT),
}

const quat: Conversion = {
  toGodot: (value) => new v.Quat((value as Vector).x, (value as Vector).y, (value as Vector).z, (value as Vector).w),
  fromGodot: (value) => (value instanceof v.Quat ? { x: value.x, y: value.y, z: value.z, w: value.w } : MISFIT),
}

type Rgba = { r: number; g: number; b: number; a: number }
const toByte = (part: number): number => (part > 0 ? Math.min(255, Math.round(part * 255)) : 0)

const rgba8: Conversion = {
  toGodot: (value) => new v.Color((value as Rgba).r / 255, (value as Rgba).g / 255, (value as Rgba).b / 255, (value as Rgba).a / 255),
  fromGodot: (value) =>
    value instanceof v.Color ? { r: toByte(value.r), g: toByte(value.g), b: toByte(value.b), a: toByte(value.a) } : MISFIT,
}

const variant: Conversion = { toGodot: (value) => value as Variant, fromGodot: (value) => value }

export const anyConversion: Conversion = {
  toGodot: (value) => fromPlain(value),
  fromGodot: (value) => toPlain(value),
}

export const SIMPLE_CONVERSIONS: Readonly<Record<string, Conversion>> = {
  bool: boolean,
  ...Object.fromEntries(['u8', 'u16', 'u32', 'u53', 'i8', 'i16', 'i32', 'i53', 'varint', 'zigzag', 'range'].map((name) => [name, integer])),
  ...Object.fromEntries(['f16', 'f32', 'f64', 'quantized'].map((name) => [name, real])),
  bigint,
  date,
  string: text,
  bytes,
  vec2,
  vec3,
  vec4: quat,
  quaternion: quat,
  rgba8,
  variant,
  any: anyConversion,
}

export const arrayOf = (element: Conversion): Conversion => ({
  toGodot: (value) => (value as unknown[]).map((item) => element.toGodot(item)),
  fromGodot(value) {
    const items = listOf(value)
    if (items === null) return MISFIT
    const list: unknown[] = []
    for (const item of items) {
      const own = element.fromGodot(item)
      if (own === MISFIT) return MISFIT
      list.push(own)
    }
    return list
  },
})

/** The elements of an Array or of any Pool…Array. */
const listOf = (value: Variant): Iterable<Variant> | null =>
  Array.isArray(value) ||
  value instanceof Int32Array ||
  value instanceof Float32Array ||
  value instanceof Uint8Array ||
  value instanceof pool.PoolStringArray ||
  value instanceof pool.PoolVector2Array ||
  value instanceof pool.PoolVector3Array ||
  value instanceof pool.PoolColorArray
    ? (value as Iterable<Variant>)
    : null

export const tupleOf = (elements: readonly Conversion[]): Conversion => ({
  toGodot: (value) => elements.map((element, i) => element.toGodot((value as unknown[])[i])),
  fromGodot(value) {
    if (!Array.isArray(value) || value.length !== elements.length) return MISFIT
    const list = elements.map((element, i) => element.fromGodot(value[i] as Variant))
    return list.includes(MISFIT) ? MISFIT : list
  },
})

export const mapOf = (key: Conversion, item: Conversion): Conversion => ({
  toGodot: (value) => new Map([...(value as Map<unknown, unknown>)].map(([k, one]) => [key.toGodot(k), item.toGodot(one)])),
  fromGodot(value) {
    const entries = entriesOf(value)
    if (entries === null) return MISFIT
    const map = new Map<unknown, unknown>()
    for (const [k, one] of entries) {
      const ownKey = key.fromGodot(k)
      const own = item.fromGodot(one)
      if (ownKey === MISFIT || own === MISFIT) return MISFIT
      map.set(ownKey, own)
    }
    return map
  },
})

const isPlain = (value: unknown): value is { readonly [key: string]: Variant } =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

const entriesOf = (value: Variant): Iterable<[Variant, Variant]> | null =>
  value instanceof Map ? value : isPlain(value) ? Object.entries(value) : null

export interface Field {
  readonly ours: string
  readonly theirs: string
  readonly optional: boolean
  readonly conversion: Conversion
  /** The value that the field always has, of a union's tag. */
  readonly literal: unknown
}

export class RecordConversion implements Conversion {
  readonly fields: readonly Field[]

  constructor(fields: readonly Field[]) {
    this.fields = fields
  }

  toGodot(value: unknown): Variant {
    const dictionary: Record<string, Variant> = {}
    for (const { ours, theirs, optional, conversion } of this.fields) {
      const item = (value as Record<string, unknown>)[ours]
      if (!(optional && item === undefined)) dictionary[theirs] = conversion.toGodot(item)
    }
    return dictionary
  }

  fromGodot(value: Variant): unknown {
    const record: Record<string, unknown> = {}
    if (!isPlain(value) && !(value instanceof Map)) return MISFIT
    for (const { ours, theirs, optional, conversion } of this.fields) {
      const item =
        value instanceof Map ? (value.get(theirs) as Variant | undefined) : Object.hasOwn(value, theirs) ? value[theirs] : undefined
      if (item === undefined || (item === null && optional)) {
        if (!optional) return MISFIT
        continue
      }
      const own = conversion.fromGodot(item)
      if (own === MISFIT) return MISFIT
      record[ours] = own
    }
    return record
  }
}

export const unionOf = (records: readonly RecordConversion[]): Conversion => ({
  toGodot(value) {
    // The tag is the first field, and each variant has its own word there.
    const fits = records.find(({ fields }) => (value as Record<string, unknown>)[fields[0]!.ours] === fields[0]!.literal)
    return (fits ?? records[0]!).toGodot(value)
  },
  fromGodot(value) {
    for (const record of records) {
      const own = record.fromGodot(value)
      if (own !== MISFIT) return own
    }
    return MISFIT
  },
})

export const nullableOf = (inner: Conversion, missing: null | undefined): Conversion => ({
  toGodot: (value) => (value === missing ? null : inner.toGodot(value)),
  fromGodot: (value) => (value === null ? missing : inner.fromGodot(value)),
})

export interface LiteralConversion extends Conversion {
  readonly literal: unknown
}

export const literalOf = (literal: string | number | boolean | null): LiteralConversion => ({
  literal,
  toGodot: () => literal,
  fromGodot: (value) => (value === literal ? value : MISFIT),
})

/** A self-describing value of ours for Godot. What Godot has no word for (undefined, an invalid date) is null. */
const fromPlain = (value: unknown): Variant => {
  if (value === undefined || value === null) return null
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.getTime()
  if (Array.isArray(value)) return value.map(fromPlain)
  if (value instanceof Map) return new Map([...(value as Map<unknown, unknown>)].map(([key, item]) => [fromPlain(key), fromPlain(item)]))
  const prototype: unknown = typeof value === 'object' ? Object.getPrototypeOf(value) : undefined
  if (prototype === Object.prototype || prototype === null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fromPlain(item)]))
  return value as Variant
}

/** A value of Godot's as plain data: vectors and colours as objects of their components, pools as arrays, paths as text. */
const toPlain = (value: Variant): unknown => {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [toPlain(key as Variant), toPlain(item as Variant)]))
  const list = listOf(value)
  if (list !== null) return Array.from(list, toPlain)
  if (value instanceof v.NodePath) return value.toString()
  if (value instanceof v.RID || value instanceof v.ObjectId) return null
  if (value instanceof v.Int || value instanceof v.Float) return value.value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toPlain(item as Variant)]))
}
