// SPEC §15 is executed: its examples are encoded and decoded, its tables compared with the code.

import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { decode, encode, t as codec } from '../../src/rpc/codec/index.ts'
import { Tag } from '../../src/rpc/codec/dynamic.ts'
import * as limits from '../../src/rpc/codec/limits.ts'
import { fromHex } from '../support/captures.ts'
import { fromJson, typeOf } from '../support/codec-vectors.ts'
import { twinEncode } from '../support/twins/codec.ts'

/** Where the chapter stands. */
const CHAPTER = new URL('../../../SPEC.md', import.meta.url)

const text = readFileSync(CHAPTER, 'utf8')
const chapter = text.slice(text.search(/^## 15\. /m)).split(/^(?:## (?!15\.)|---$)/m)[0] ?? ''
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const section = (number: string): string =>
  (chapter.split(new RegExp(`^### ${number.replace('.', '\\.')} `, 'm'))[1] ?? '').split(/^### /m)[0] ?? ''

/** Rows of the tables in a text, as cells; headings and rules left out. A bar in a cell is written `\|`. */
const rows = (of: string): string[][] =>
  [...of.matchAll(/^\|(.*)\|$/gm)]
    .map(([, row = '']) => row.split(/(?<!\\)\|/).map((cell) => cell.trim()))
    .filter((cells, i, all) => !cells.every((cell) => /^-+$/.test(cell)) && !all[i + 1]?.every((cell) => /^-+$/.test(cell)))

interface Example {
  readonly section: string
  readonly type: string
  /** JSON, or undefined for bytes that are refused. */
  readonly value: string | undefined
  readonly hex: string
  readonly error: string | undefined
}

/** Type lines begin in the first column; `=>` and `=x` lines belong to the type above, indented lines continue them. */
const examples: Example[] = chapter.split(/^### /m).slice(1).flatMap((part) => {
  const number = part.slice(0, part.indexOf(' '))
  return [...part.matchAll(/^```codec\n([^]*?)^```$/gm)].flatMap(([, block = '']) => {
    const lines = block.split('\n').map((line) => line.replace(/(^|\s)#(?![^"]*"\s).*$/, '').trimEnd()).filter((line) => line !== '')
    const found: Example[] = []
    let type = ''
    for (const [i, line] of lines.entries()) {
      if (!/^(=|\s)/.test(line)) type = line
      if (!line.startsWith('=')) continue
      let whole = line
      for (let next = i + 1; /^\s/.test(lines[next] ?? ''); next++) whole += lines[next]
      const [, value, hex = ''] = /^=> (.*?)((?:\s+(?:[0-9a-f]{2})+)*)$/.exec(whole) ?? []
      const [, refused, error] = /^=x (.*) (\w+)$/.exec(whole) ?? []
      found.push({ section: number, type, value, hex: (refused ?? hex).replaceAll(' ', ''), error })
    }
    return found
  })
})

t.test('values and bytes of the examples belong to each other', (t) => {
  for (const { type, value, hex, section } of examples) {
    if (value === undefined) continue
    const expected = fromJson(JSON.parse(value), type === 'any')
    const what = `§${section} ${type} ${value}`
    t.equal(hexOf(encode(typeOf(type), expected)), hex, what)
    t.equal(hexOf(twinEncode(type, expected)), hex, `${what}, by the twin`)
    const decoded = decode(typeOf(type), fromHex(hex))
    t.ok(decoded.ok && isDeepStrictEqual(decoded.value, expected), `${what}, and back`)
  }
  t.end()
})

t.test('bytes that the examples refuse are refused, for that reason', (t) => {
  for (const { type, hex, error, section } of examples) {
    if (error !== undefined) t.strictSame(decode(typeOf(type), fromHex(hex)), { ok: false, error }, `§${section} ${type} ${hex}`)
  }
  t.end()
})

t.test('every section that has an encoding has examples of both kinds', (t) => {
  for (const number of ['15.1', '15.2', '15.3', '15.4', '15.5', '15.6', '15.7', '15.8']) {
    const here = examples.filter(({ section }) => section === number)
    t.ok(here.some(({ value }) => value !== undefined), `${number}: accepted`)
    t.ok(here.some(({ error }) => error !== undefined), `${number}: refused`)
  }
  t.end()
})

t.test('the chapter names every type there is', (t) => {
  const tables = ['15.3', '15.4', '15.5', '15.6', '15.7', '15.8'].map(section).join('')
  const written: Record<string, string> = { enum: '`"a" \\| "b"`', literal: '`"a"` `7`', record: '`{ a: A', tuple: '`[A, B]`' }
  for (const name of Object.keys(codec)) t.ok(tables.includes(written[name] ?? `\`${name}`), name)
  t.end()
})

t.test('integers have the ends and bits that the table gives them', (t) => {
  for (const [name, bits] of [['u8', 8], ['u16', 16], ['u32', 32], ['u53', 53], ['i8', 8], ['i16', 16], ['i32', 32], ['i53', 54],
    ['f16', 16], ['f32', 32], ['f64', 64]] as const) {
    t.equal(codec[name].minBits, bits, name)
  }
  t.end()
})

t.test('the tags of self-describing values are those of the code', (t) => {
  const numbers = rows(section('15.8')).map(([number = '']) => Number(number))
  t.strictSame(numbers, Object.values(Tag).sort((a, b) => a - b))
  t.end()
})

t.test('the bounds are those of the code', (t) => {
  const bounds = rows(section('15.10')).map(([, value = '']) => Number(/^[\d,]+/.exec(value)?.[0].replaceAll(',', '')))
  t.strictSame(bounds.filter((value) => value > 0), [
    limits.MESSAGE_BYTES_MAX, limits.NODES_MAX, limits.DEPTH_MAX, limits.STRING_BYTES_MAX, limits.ARRAY_COUNT_MAX, limits.MAP_COUNT_MAX,
      limits.BIGINT_BYTES_MAX * 8,
  ])
  t.end()
})

t.test('the reasons to refuse are those of the code', (t) => {
  const errors = readFileSync(new URL('../../../src/rpc/codec/errors.ts', import.meta.url), 'utf8')
  const inCode = [...(/export type DecodeFailure = (.*)/.exec(errors)?.[1] ?? '').matchAll(/'(\w+)'/g)].map(([, word]) => word)
  const inSpec = rows(section('15.10')).map(([cell = '']) => /^`(\w+)`$/.exec(cell)?.[1]).filter((word) => word !== undefined)
  t.strictSame(inSpec, inCode)
  t.end()
})

t.test('references from the code lead to sections of the chapter', (t) => {
  for (const file of ['bits', 'choices', 'date', 'dynamic', 'floats', 'index', 'integers', 'length', 'lists', 'records', 'text', 'type',
    'vectors']) {
    const source = readFileSync(new URL(`../../../src/rpc/codec/${file}.ts`, import.meta.url), 'utf8')
    const references = [...source.matchAll(/SPEC §(15(?:\.\d+)?)/g)].map(([, number = '']) => number)
    t.ok(references.length > 0, file)
    for (const number of references) t.ok(number === '15' || section(number) !== '', `${file}: §${number}`)
  }
  t.end()
})
