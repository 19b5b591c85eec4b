// Vectors of the codec as JSON has them, and types from their signatures. Knows what JSON cannot say: { "$bytes": "00ff" } and the like.

import { parseSignature } from './twins/codec.ts'
import type { Signature } from './twins/codec.ts'
import { t } from '../../src/rpc/codec/index.ts'
import type { Type } from '../../src/rpc/codec/index.ts'

/** A value and its bytes. */
export interface Vector {
  readonly type: string
  readonly value: unknown
  readonly hex: string
}

/** Bytes that no decoder may accept, and the reason that ours gives. */
export interface Refusal {
  readonly type: string
  readonly hex: string
  readonly error: string
  readonly because: string
}

/** The type with this signature. */
export const typeOf = (signature: string): Type<any> => build(parseSignature(signature))

const build = (signature: Signature): Type<any> => {
  if ('fields' in signature) return t.record(shapeOf(signature))
  if ('words' in signature) return t.enum(...signature.words)
  if ('value' in signature) return t.literal(signature.value as string)
  if (!('numbers' in signature)) return t.tuple(...signature.types.map(build))
  const { name, numbers, options } = signature
  const [a = 0, b = 0, c = 0] = numbers
  const [first, second] = signature.types
  const count = Object.fromEntries(options)
  switch (name) {
    case 'range':
      return t.range(a, b)
    case 'quantized':
      return t.quantized(a, b, c)
    case 'string':
    case 'bytes':
      return options.has('max') ? t[name].max(count['max'] ?? 0) : t[name]
    case 'quaternion':
      return options.has('bits') ? t.quaternion.bits(count['bits'] ?? 0) : t.quaternion
    case 'vec2':
    case 'vec3':
    case 'vec4':
      return first === undefined ? t[name] : t[name].of(build(first))
    case 'optional':
      return t.optional(build(first!))
    case 'nullable':
      return t.nullable(build(first!))
    case 'array':
      return t.array(build(first!), count)
    case 'map':
      return t.map(build(first!), build(second!), count)
    case 'union': {
      const variants = signature.types.map((variant) => ('fields' in variant ? variant.fields : []))
      const tag = variants[0]?.[0]?.key ?? ''
      return t.union(tag, Object.fromEntries(variants.map(([word, ...fields]) =>
        [word !== undefined && 'value' in word.type ? String(word.type.value) : '', shapeOf({ name: 'record', fields })])))
    }
    default:
      return (t as unknown as Record<string, Type<any>>)[name]!
  }
}

const shapeOf = ({ fields }: Extract<Signature, { fields: unknown }>): Record<string, Type<any>> =>
  Object.fromEntries(fields.map(({ key, isOptional, type }) => [key, isOptional ? t.optional(build(type)) : build(type)]))

/** A value from what stands for it in JSON. `isDynamic`: inside `any`, where objects have no prototype. */
export const fromJson = (json: any, isDynamic = false): unknown => {
  if (Array.isArray(json)) return json.map((part) => fromJson(part, isDynamic))
  if (typeof json !== 'object' || json === null) return json
  if ('$bytes' in json) return Uint8Array.from(Buffer.from(json.$bytes, 'hex'))
  if ('$bigint' in json) return BigInt(json.$bigint)
  if ('$date' in json) return new Date(json.$date)
  if ('$number' in json) return Number(json.$number)
  if ('$undefined' in json) return undefined
  if ('$map' in json) return new Map(json.$map.map(([key, value]: [unknown, unknown]) => [key, fromJson(value, isDynamic)]))
  const object: Record<string, unknown> = isDynamic ? (Object.create(null) as Record<string, unknown>) : {}
  for (const [key, value] of Object.entries(json)) object[key] = fromJson(value, isDynamic)
  return object
}
