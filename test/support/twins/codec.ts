// A second codec, written from SPEC §15 alone: it knows a type only by its signature text, counts bits as characters, and is slow.
// Whatever the real codec writes, this one must write, too; so a signature says all that there is to know of an encoding.
// Values are taken as they are: what does not fit is the business of the real one.

/** What a signature says. */
export type Signature =
  | { readonly name: string; readonly numbers: readonly number[]; readonly types: readonly Signature[
    ]; readonly options: ReadonlyMap<string, number> }
  | { readonly name: 'record'; readonly fields: readonly Field[] }
  | { readonly name: 'tuple'; readonly types: readonly Signature[] }
  | { readonly name: 'words'; readonly words: readonly string[] }
  | { readonly name: 'literal'; readonly value: unknown }

interface Field {
  readonly key: string
  readonly isOptional: boolean
  readonly type: Signature
}

type Named = Extract<Signature, { numbers: unknown }>

// --- signatures -------------------------------------------------------------------------------------------------------------------

const TOKEN = /\s*("(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|[A-Za-z_$][A-Za-z0-9_$]*|[{}[\](),:?|])/y

/** SPEC §15.9 */
export const parseSignature = (text: string): Signature => {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text)
    if (match === null) throw new Error(`no signature: ${text}`)
    tokens.push(match[1] ?? '')
  }
  let at = 0
  const peek = (): string => tokens[at] ?? ''
  const take = (): string => tokens[at++] ?? ''
  const expect = (token: string): void => {
    if (take() !== token) throw new Error(`no signature, ${token} expected before ${tokens.slice(at - 1).join(' ')}`)
  }
  const isNumber = (token: string): boolean => /^-?\d/.test(token)
  /** `item, item` up to a closing bracket, which is taken. */
  const list = <T>(close: string, item: () => T): T[] => {
    const items: T[] = []
    while (peek() !== close) {
      if (items.length > 0) expect(',')
      items.push(item())
    }
    expect(close)
    return items
  }
  const fields = (): Signature => ({
    name: 'record',
    fields: list('}', () => {
      const key = take()
      const isOptional = peek() === '?'
      if (isOptional) take()
      expect(':')
      return { key: key.startsWith('"') ? (JSON.parse(key) as string) : key, isOptional, type: type() }
    }),
  })
  const literalOrWords = (first: string): Signature => {
    const values: unknown[] = [JSON.parse(first)]
    while (peek() === '|') {
      take()
      values.push(JSON.parse(take()))
    }
    return values.length > 1 ? { name: 'words', words: values as string[] } : { name: 'literal', value: values[0] }
  }
  const named = (name: string): Signature => {
    const numbers: number[] = []
    const types: Signature[] = []
    const options = new Map<string, number>()
    if (peek() === '(') {
      take()
      list(')', () => {
        // Elsewhere a number is the type of that number.
        if (name === 'range' || name === 'quantized') numbers.push(Number(take()))
        else if (['max', 'min', 'length', 'bits'].includes(peek())) options.set(take(), Number(take()))
        else {
          types.push(type())
          // Variants of a union stand with bars between them.
          while (peek() === '|') {
            take()
            types.push(type())
          }
        }
      })
    }
    return { name, numbers, types, options }
  }
  const type = (): Signature => {
    const token = take()
    if (token === '{') return fields()
    if (token === '[') return { name: 'tuple', types: list(']', type) }
    if (token.startsWith('"') || isNumber(token) || ['true', 'false', 'null'].includes(token)) return literalOrWords(token)
    return named(token)
  }
  const result = type()
  if (at < tokens.length) throw new Error(`more than a signature: ${text}`)
  return result
}

// --- bits -------------------------------------------------------------------------------------------------------------------------

/** '0' and '1', the first bit first; and the pieces at the back, the last one first. */
interface Sink {
  bits: string
  back: Uint8Array[]
}

const lowestFirst = (value: bigint, count: number): string =>
  count === 0 ? '' : BigInt.asUintN(count, value).toString(2).padStart(count, '0').split('').reverse().join('')

const number = (sink: Sink, value: number | bigint, count: number): void => {
  sink.bits += lowestFirst(BigInt(value), count)
}

/** Bits for the numbers from 0 to `last`. */
const width = (last: bigint): number => (last === 0n ? 0 : last.toString(2).length)

const varint = (sink: Sink, value: number | bigint): void => {
  let rest = BigInt(value)
  for (; rest > 127n; rest >>= 7n) number(sink, (rest & 127n) | 128n, 8)
  number(sink, rest, 8)
}

const length = (sink: Sink, value: number, min: number, max: number): void => {
  const bits = width(BigInt(max - min))
  if (bits <= 8) number(sink, value - min, bits)
  else varint(sink, value - min)
}

const DEFAULTS = { string: 16_384, bytes: 33_554_432, array: 65_535, map: 1024 } as const

const INTEGERS: Readonly<Record<string, readonly [bigint, bigint]>> = {
  u8: [0n, 255n], u16: [0n, 65_535n], u32: [0n, 4_294_967_295n], u53: [0n, 9_007_199_254_740_991n],
  i8: [-128n, 127n], i16: [-32_768n, 32_767n], i32: [-2_147_483_648n, 2_147_483_647n],
    i53: [-9_007_199_254_740_991n, 9_007_199_254_740_991n],
}

/** The bytes of a number in IEEE 754, as an integer; NaN is the quiet one without a payload. */
const ieee = (value: number, bits: 32 | 64): bigint => {
  const view = new DataView(new ArrayBuffer(8))
  if (bits === 64) view.setFloat64(0, value)
  else view.setFloat32(0, value)
  if (Number.isNaN(value)) return bits === 64 ? 0x7ff8000000000000n : 0x7fc00000n
  return bits === 64 ? view.getBigUint64(0) : BigInt(view.getUint32(0))
}

/** All halves from 0 up, without infinity. */
const HALVES = Array.from({ length: 0x7c00 }, (_, pattern) => {
  const exponent = pattern >>> 10
  const mantissa = pattern & 1023
  return exponent === 0 ? mantissa * 2 ** -24 : (1 + mantissa / 1024) * 2 ** (exponent - 15)
})

/** By looking at all of them. */
export const halfPattern = (value: number): number => {
  if (Number.isNaN(value)) return 0x7e00
  const sign = Object.is(value, -0) || value < 0 ? 0x8000 : 0
  const size = Math.abs(value)
  let low = 0
  let high = HALVES.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((HALVES[middle] ?? 0) < size) low = middle + 1
    else high = middle
  }
  // `low` is the first half that is not below: itself, or the one before it; the next after the last would be 65,536.
  const above = HALVES[low] ?? 65_536
  const below = HALVES[low - 1] ?? 0
  const nearest = low === 0 || above - size < size - below || (above - size === size - below && low % 2 === 0) ? low : low - 1
  return sign | Math.min(nearest, 0x7c00)
}

// --- values -----------------------------------------------------------------------------------------------------------------------

/** The bytes of a value, by the signature of its type. */
export const twinEncode = (signature: string, value: unknown): Uint8Array => {
  const sink: Sink = { bits: '', back: [] }
  write(sink, parseSignature(signature), value)
  const bytes: number[] = []
  for (let at = 0; at < sink.bits.length; at += 8) {
    bytes.push(Number.parseInt(sink.bits.slice(at, at + 8).padEnd(8, '0').split('').reverse().join(''), 2))
  }
  return Uint8Array.from([...bytes, ...sink.back.flatMap((piece) => [...piece])])
}

const write = (sink: Sink, type: Signature, value: any): void => {
  if ('fields' in type) {
    for (const field of type.fields) {
      if (field.isOptional) number(sink, value[field.key] === undefined ? 0 : 1, 1)
      if (!field.isOptional || value[field.key] !== undefined) write(sink, field.type, value[field.key])
    }
  } else if ('words' in type) number(sink, type.words.indexOf(value), width(BigInt(type.words.length - 1)))
  else if ('value' in type) return
  else if (!('numbers' in type)) type.types.forEach((part, i) => write(sink, part, value[i]))
  else writeNamed(sink, type, value)
}

const writeNamed = (sink: Sink, { name, numbers, types, options }: Named, value: any): void => {
  const [a = 0, b = 0, c = 0] = numbers
  const [first, second] = types
  const integers = name === 'range' ? ([BigInt(a), BigInt(b)] as const) : INTEGERS[name]
  if (integers !== undefined) return number(sink, BigInt(value) - integers[0], width(integers[1] - integers[0]))
  switch (name) {
    case 'bool':
      return number(sink, value ? 1 : 0, 1)
    case 'varint':
      return varint(sink, value)
    case 'zigzag':
      return varint(sink, value < 0 ? -2n * BigInt(value) - 1n : 2n * BigInt(value))
    case 'date':
      return writeNamed(sink, { name: 'zigzag', numbers, types, options }, value.getTime())
    case 'bigint': {
      const amount: bigint = value < 0n ? -value : value
      const bytes: number[] = []
      for (let rest = amount; rest > 0n; rest >>= 8n) bytes.push(Number(rest & 255n))
      number(sink, value < 0n ? 1 : 0, 1)
      number(sink, bytes.length, 8)
      return void sink.back.unshift(Uint8Array.from(bytes))
    }
    case 'f16':
      return number(sink, halfPattern(value), 16)
    case 'f32':
      return number(sink, ieee(value, 32), 32)
    case 'f64':
      return number(sink, ieee(value, 64), 64)
    case 'quantized': {
      const count = Math.round((b - a) / c)
      return number(sink, quantizedSteps(value, a, c), width(BigInt(count)))
    }
    case 'string': {
      const bytes = new TextEncoder().encode(value)
      length(sink, bytes.length, 0, options.get('max') ?? DEFAULTS.string)
      return void sink.back.unshift(bytes)
    }
    case 'bytes':
      length(sink, value.length, 0, options.get('max') ?? DEFAULTS.bytes)
      return void sink.back.unshift(value)
    case 'optional':
    case 'nullable': {
      const isThere = name === 'optional' ? value !== undefined : value !== null
      number(sink, isThere ? 1 : 0, 1)
      return isThere ? write(sink, first!, value) : undefined
    }
    case 'array': {
      const min = options.get('length') ?? options.get('min') ?? 0
      const max = options.get('length') ?? options.get('max') ?? Math.max(DEFAULTS.array, min)
      length(sink, value.length, min, max)
      for (const element of value) write(sink, first!, element)
      return
    }
    case 'map':
      length(sink, value.size, 0, options.get('max') ?? DEFAULTS.map)
      for (const [key, part] of value) {
        write(sink, first!, key)
        write(sink, second!, part)
      }
      return
    case 'union': {
      const variants = types.map((variant) => ('fields' in variant ? variant.fields : []))
      const tag = variants[0]![0]!.key
      const chosen = variants.findIndex(([field]) => field !== undefined && 'value' in field.type && field.type.value === value[tag])
      number(sink, chosen, width(BigInt(variants.length - 1)))
      return write(sink, types[chosen]!, value)
    }
    case 'vec2':
    case 'vec3':
    case 'vec4': {
      const component = first ?? { name: 'f32', numbers: [], types: [], options: new Map() }
      for (const key of ['x', 'y', 'z', 'w'].slice(0, Number(name.at(-1)))) write(sink, component, value[key])
      return
    }
    case 'rgba8':
      for (const key of ['r', 'g', 'b', 'a']) number(sink, value[key], 8)
      return
    case 'quaternion':
      return quaternion(sink, value, options.get('bits') ?? 10)
    case 'any':
      return dynamic(sink, value)
    default:
      throw new Error(`no type of SPEC §15: ${name}`)
  }
}

/** SPEC §15.3 */
const quantizedSteps = (value: number, min: number, step: number): number => {
  const parts = Math.round(1 / step)
  const first = Math.round(min * parts)
  const isPart = Math.abs(1 / step - parts) <= 1e-9 * parts && Math.abs(min * parts - first) <= 1e-6 && Math.abs(first) < 2 ** 48
  return isPart ? Math.floor(value * parts + 0.5) - first : Math.floor((value - min) / step + 0.5)
}

const quaternion = (sink: Sink, value: { x: number; y: number; z: number; w: number }, bits: number): void => {
  const parts = [value.x, value.y, value.z, value.w]
  const norm = Math.sqrt(value.x * value.x + value.y * value.y + value.z * value.z + value.w * value.w)
  const largest = parts.findIndex((part) => parts.every((other) => Math.abs(other) <= Math.abs(part)))
  const steps = 2 ** (bits - 1) - 1
  const scale = ((parts[largest]! < 0 ? -1 : 1) * Math.SQRT2 * steps) / norm
  number(sink, largest, 2)
  for (const [i, part] of parts.entries()) if (i !== largest) number(sink, Math.floor(part * scale + 0.5) + steps, bits)
}

/** SPEC §15.8 */
const dynamic = (sink: Sink, value: any): void => {
  const tagged = (tag: number, name: string | null = null, content: unknown = value): void => {
    number(sink, tag, 4)
    if (name !== null) writeNamed(sink, { name, numbers: [], types: [], options: new Map() }, content)
  }
  if (value === null) return tagged(0)
  if (value === undefined) return tagged(1)
  if (value === false) return tagged(2)
  if (value === true) return tagged(3)
  if (typeof value === 'number') {
    const isWhole = Number.isSafeInteger(value) && !Object.is(value, -0)
    if (isWhole && value >= 0 && value < 16) return number(sink, 15 + 16 * value, 8)
    if (isWhole) return value < 0 ? tagged(5, 'varint', -1 - value) : tagged(4, 'varint', value - 16)
    return Number.isNaN(value) || Math.fround(value) === value ? tagged(6, 'f32') : tagged(7, 'f64')
  }
  if (typeof value === 'string') return tagged(8, 'string')
  if (typeof value === 'bigint') return tagged(14, 'bigint')
  if (value instanceof Uint8Array) return tagged(9, 'bytes')
  if (value instanceof Date) return tagged(13, 'date')
  if (Array.isArray(value)) {
    tagged(10, 'varint', value.length)
    return value.forEach((part) => dynamic(sink, part))
  }
  const entries = value instanceof Map ? [...value] : Object.entries(value)
  tagged(value instanceof Map ? 12 : 11, 'varint', entries.length)
  for (const [key, part] of entries) {
    writeNamed(sink, { name: 'string', numbers: [], types: [], options: new Map() }, key)
    dynamic(sink, part)
  }
}
