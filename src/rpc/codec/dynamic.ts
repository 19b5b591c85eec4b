// Values that say themselves what they are, for calls by name and for data without a contract. SPEC §15.8.
// The only type whose shape comes from the message, and so the only one with bounds on depth and number.

import type { BitReader, BitWriter } from './bits.ts'
import { date } from './date.ts'
import { misfit, within } from './errors.ts'
import { f32, f64 } from './floats.ts'
import { bigint } from './integers.ts'
import { DEPTH_MAX, MAP_COUNT_MAX, isForbiddenKey } from './limits.ts'
import { bytes, string } from './text.ts'
import type { Type } from './type.ts'

/** What a self-describing value may be. Objects are plain ones; undefined, NaN, −0 and the infinities are kept. */
export type Dynamic =
  | null | undefined | boolean | number | bigint | string | Uint8Array | Date
  | readonly Dynamic[] | ReadonlyMap<string, Dynamic> | { readonly [key: string]: Dynamic }

/** The four bits in front of each value. */
export const Tag = {
  null: 0,
  undefined: 1,
  false: 2,
  true: 3,
  /** An integer from 16 up, as a varint of the distance from 16. */
  positive: 4,
  /** An integer below 0, as a varint of the distance from −1. */
  negative: 5,
  f32: 6,
  f64: 7,
  string: 8,
  bytes: 9,
  array: 10,
  object: 11,
  map: 12,
  date: 13,
  bigint: 14,
  /** An integer from 0 to 15, in four more bits. */
  small: 15,
} as const

const TAG_BITS = 4
const SMALL_COUNT = 16
/** An entry of an object: the length of the key and the tag of the value. */
const ENTRY_BITS_MIN = 8 + TAG_BITS

/** Any value of the kinds in `Dynamic`, with its kind. Objects come back without a prototype, so that no key of theirs is inherited. */
export const any: Type<Dynamic> = {
  minBits: TAG_BITS,
  describe: () => 'any',
  write: (writer, value) => writeValue(writer, value, 1),
  read: (reader) => readValue(reader, 1),
}

const writeValue = (writer: BitWriter, value: Dynamic, depth: number): void => {
  writer.charge(1)
  switch (typeof value) {
    case 'undefined':
      return writer.bits(Tag.undefined, TAG_BITS)
    case 'boolean':
      return writer.bits(value ? Tag.true : Tag.false, TAG_BITS)
    case 'number':
      return writeNumber(writer, value)
    case 'string':
      writer.bits(Tag.string, TAG_BITS)
      return string.write(writer, value)
    case 'bigint':
      writer.bits(Tag.bigint, TAG_BITS)
      return bigint.write(writer, value)
    case 'object':
      return value === null ? writer.bits(Tag.null, TAG_BITS) : writeObject(writer, value, depth)
    default:
      return misfit(value, 'any', 'holds data')
  }
}

const isSafe = (value: number): boolean => Number.isSafeInteger(value) && !Object.is(value, -0)

const writeNumber = (writer: BitWriter, value: number): void => {
  if (isSafe(value)) {
    if (value < 0) {
      writer.bits(Tag.negative, TAG_BITS)
      writer.varint(-1 - value)
    } else if (value < SMALL_COUNT) writer.bits(Tag.small | (value << TAG_BITS), 2 * TAG_BITS)
    else {
      writer.bits(Tag.positive, TAG_BITS)
      writer.varint(value - SMALL_COUNT)
    }
  } else if (Math.fround(value) === value || value !== value) {
    writer.bits(Tag.f32, TAG_BITS)
    f32.write(writer, value)
  } else {
    writer.bits(Tag.f64, TAG_BITS)
    f64.write(writer, value)
  }
}

const writeObject = (writer: BitWriter, value: object, depth: number): void => {
  if (value instanceof Uint8Array) {
    writer.bits(Tag.bytes, TAG_BITS)
    return bytes.write(writer, value)
  }
  if (value instanceof Date) {
    writer.bits(Tag.date, TAG_BITS)
    return date.write(writer, value)
  }
  // Also what ends a value that contains itself.
  if (depth > DEPTH_MAX) misfit(value, 'any', `is ${DEPTH_MAX} levels deep at most`)
  if (Array.isArray(value)) {
    writer.bits(Tag.array, TAG_BITS)
    writer.varint(value.length)
    for (let i = 0; i < value.length; i++) writePart(writer, i, value[i] as Dynamic, depth)
    return
  }
  const isMap = value instanceof Map
  const prototype: unknown = Object.getPrototypeOf(value)
  if (!isMap && prototype !== Object.prototype && prototype !== null) misfit(value, 'any', 'holds plain objects, and this has a class')
  const entries: Iterable<[unknown, unknown]> = isMap ? value : Object.entries(value)
  const count = isMap ? value.size : (entries as unknown[]).length
  if (count > MAP_COUNT_MAX) misfit(value, 'any', `holds objects and maps of ${MAP_COUNT_MAX} entries`)
  writer.bits(isMap ? Tag.map : Tag.object, TAG_BITS)
  writer.varint(count)
  for (const [key, part] of entries) {
    if (typeof key !== 'string' || isForbiddenKey(key)) misfit(key, 'a key', 'is a string that does not lead to a prototype')
    string.write(writer, key)
    writePart(writer, key, part as Dynamic, depth)
  }
}

const writePart = (writer: BitWriter, step: string | number, value: Dynamic, depth: number): void => {
  try {
    writeValue(writer, value, depth + 1)
  } catch (error) {
    throw within(step, error)
  }
}

const readValue = (reader: BitReader, depth: number): Dynamic => {
  if (!reader.charge(1)) return undefined
  switch (reader.bits(TAG_BITS)) {
    case Tag.null:
      return null
    case Tag.undefined:
      return undefined
    case Tag.false:
      return false
    case Tag.true:
      return true
    case Tag.small:
      return reader.bits(TAG_BITS)
    case Tag.positive:
      return checkSafe(reader, SMALL_COUNT + reader.varint())
    case Tag.negative:
      return checkSafe(reader, -1 - reader.varint())
    case Tag.f32: {
      const value = f32.read(reader)
      if (isSafe(value)) reader.fail('canonical')
      return value
    }
    case Tag.f64: {
      const value = f64.read(reader)
      if (isSafe(value) || Math.fround(value) === value || value !== value) reader.fail('canonical')
      return value
    }
    case Tag.string:
      return string.read(reader)
    case Tag.bytes:
      return bytes.read(reader)
    case Tag.date:
      return date.read(reader)
    case Tag.bigint:
      return bigint.read(reader)
    case Tag.array:
      return readArray(reader, depth)
    case Tag.object:
      return readEntries(reader, depth, Object.create(null) as Record<string, Dynamic>, putProperty)
    default:
      return readEntries(reader, depth, new Map<string, Dynamic>(), putEntry)
  }
}

const checkSafe = (reader: BitReader, value: number): number => {
  if (!Number.isSafeInteger(value)) reader.fail('range')
  return value
}

const readArray = (reader: BitReader, depth: number): Dynamic[] => {
  const list: Dynamic[] = []
  const count = reader.varint()
  if (depth > DEPTH_MAX) reader.fail('limit')
  if (!reader.affords(count, TAG_BITS)) return list
  for (let i = 0; i < count && reader.failure === null; i++) list.push(readValue(reader, depth + 1))
  return list
}

/** Object or map: counts, keys and depth are checked alike. @param put says false if the key is there already */
const readEntries = <E extends Dynamic>(
  reader: BitReader, depth: number, into: E, put: (into: E, key: string, value: Dynamic) => boolean
): E => {
  const count = reader.varint()
  if (depth > DEPTH_MAX || count > MAP_COUNT_MAX) reader.fail('limit')
  if (!reader.affords(count, ENTRY_BITS_MIN)) return into
  for (let i = 0; i < count && reader.failure === null; i++) {
    const key = string.read(reader)
    if (isForbiddenKey(key)) reader.fail('key')
    if (!put(into, key, readValue(reader, depth + 1))) reader.fail('key')
  }
  return into
}

const putProperty = (object: Record<string, Dynamic>, key: string, value: Dynamic): boolean => {
  if (Object.hasOwn(object, key)) return false
  object[key] = value
  return true
}

const putEntry = (map: Map<string, Dynamic>, key: string, value: Dynamic): boolean => {
  if (map.has(key)) return false
  map.set(key, value)
  return true
}
