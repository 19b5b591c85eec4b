// From the description of a type in words (SPEC §15.8), which says all that its encoding depends on, to its conversion.

import {
  anyConversion,
  arrayOf,
  literalOf,
  mapOf,
  MISFIT,
  nullableOf,
  RecordConversion,
  SIMPLE_CONVERSIONS,
  tupleOf,
  unionOf,
} from './conversions.ts'
import type { Conversion, Field, LiteralConversion } from './conversions.ts'
import { snakeCase } from './names.ts'

const cache = new Map<string, Conversion>()

/** The conversion for a type, by its description. Types that are not known are taken as `any`. */
export const conversionFor = (description: string): Conversion => {
  let conversion = cache.get(description)
  if (conversion === undefined) {
    const parser = new Parser(description)
    conversion = parser.alternatives()
    cache.set(description, conversion)
  }
  return conversion
}

/** Reads the description of a type: `{ name: string, hp?: u8 }`, `array(vec2, max 10)`, `"red" | "green"`. */
class Parser {
  readonly #text: string
  #at = 0

  constructor(description: string) {
    this.#text = description
  }

  /** Types with bars between them: words of an enum. */
  alternatives(): Conversion {
    const first = this.#type()
    const all = [first]
    while (this.#take(' | ')) all.push(this.#type())
    if (all.length === 1) return first
    const words = all as LiteralConversion[]
    return { toGodot: (value) => value as string, fromGodot: (value) => (words.some(({ literal }) => literal === value) ? value : MISFIT) }
  }

  #type(): Conversion {
    if (this.#take('{')) return this.#record()
    if (this.#take('[')) return tupleOf(this.#list(']'))
    const literal = this.#match(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|(?:true|false|null)\b/y)
    if (literal !== '') return literalOf(JSON.parse(literal) as string)
    const name = this.#match(/[A-Za-z_]\w*/y)
    if (!this.#take('(')) return SIMPLE_CONVERSIONS[name] ?? anyConversion
    switch (name) {
      case 'array':
        return arrayOf(this.#list(')')[0]!)
      case 'map': {
        const [key, item] = this.#list(')')
        return mapOf(key!, item!)
      }
      case 'nullable':
        return nullableOf(this.#list(')')[0]!, null)
      case 'optional':
        return nullableOf(this.#list(')')[0]!, undefined)
      case 'union': {
        const records: RecordConversion[] = []
        do {
          this.#take('{')
          records.push(this.#record())
        } while (this.#take(' | '))
        this.#take(')')
        return unionOf(records)
      }
      default:
        // Bounds and fineness: Godot's values have none.
        this.#list(')')
        return SIMPLE_CONVERSIONS[name] ?? anyConversion
    }
  }

  /** Types with commas between them, up to `end`; bounds such as `max 10` are skipped. */
  #list(end: string): Conversion[] {
    const items: Conversion[] = []
    while (!this.#take(end) && this.#at < this.#text.length) {
      if (this.#match(/(?:min|max|bits) -?\d+/y) === '') items.push(this.alternatives())
      this.#take(', ')
    }
    return items
  }

  #record(): RecordConversion {
    const fields: Field[] = []
    while (!this.#take('}') && this.#at < this.#text.length) {
      this.#take(' ')
      const key = this.#match(/"(?:[^"\\]|\\.)*"|[A-Za-z_$][\w$]*/y)
      const optional = this.#take('?')
      this.#take(': ')
      const conversion = this.alternatives()
      this.#take(',')
      this.#take(' ')
      const ours = key.startsWith('"') ? (JSON.parse(key) as string) : key
      fields.push({ ours, theirs: snakeCase(ours), optional, conversion, literal: (conversion as Partial<LiteralConversion>).literal })
    }
    return new RecordConversion(fields)
  }

  #take(expected: string): boolean {
    if (!this.#text.startsWith(expected, this.#at)) return false
    this.#at += expected.length
    return true
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }
}
