// The vectors that another implementation can use: our codec and its twin agree with every one of them.

import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { decode, encode } from '../../src/rpc/codec/index.ts'
import { fromHex } from '../support/captures.ts'
import { fromJson, typeOf } from '../support/codec-vectors.ts'
import type { Refusal, Vector } from '../support/codec-vectors.ts'
import { twinEncode } from '../support/twins/codec.ts'

const file = new URL('../../../test/fixtures/codec-vectors.json', import.meta.url)
const { accepted, refused } = JSON.parse(readFileSync(file, 'utf8')) as { accepted: Vector[]; refused: Refusal[] }
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

t.test('every value has the bytes of its vector, ours and by the twin that knows only the signature', (t) => {
  for (const { type, value, hex } of accepted) {
    const what = `${type} ${JSON.stringify(value)}`
    t.equal(hexOf(encode(typeOf(type), fromJson(value, type === 'any'))), hex, what)
    t.equal(hexOf(twinEncode(type, fromJson(value, type === 'any'))), hex, `${what}, by the twin`)
  }
  t.end()
})

t.test('the bytes of every vector give its value back', (t) => {
  for (const { type, value, hex } of accepted) {
    const decoded = decode(typeOf(type), fromHex(hex))
    const expected = fromJson(value, type === 'any')
    // Half of 0.333… and the like are the nearest values that there are.
    const isSame = decoded.ok && (isDeepStrictEqual(decoded.value, expected) || hexOf(encode(typeOf(type), decoded.value)) === hex)
    t.ok(isSame, `${type} ${hex}`)
  }
  t.end()
})

t.test('a type prints the signature that it was made from', (t) => {
  for (const { type } of [...accepted, ...refused]) t.equal(typeOf(type).describe(), type)
  t.end()
})

t.test('what must be refused is refused, for the reason given', (t) => {
  for (const { type, hex, error, because } of refused) t.strictSame(
    decode(typeOf(type), fromHex(hex)), { ok: false, error }, `${type}: ${because}`)
  t.end()
})

t.test('the vectors have every kind of type, and every reason to refuse', (t) => {
  const text = accepted.map(({ type }) => type).join(' ')
  const kinds = [
    'bool', 'u8', 'u16', 'u32', 'u53', 'i8', 'i16', 'i32', 'i53', 'range', 'varint', 'zigzag', 'bigint', 'f16', 'f32', 'f64', 'quantized',
    'vec2', 'vec3', 'vec4', 'quaternion', 'rgba8', 'string', 'bytes', 'date', 'optional', 'nullable', 'array', 'map', 'union', 'any',
  ]
  for (const kind of kinds) t.match(text, new RegExp(`\\b${kind}\\b`), kind)
  t.strictSame([...new Set(refused.map(({ error }) => error))].sort(),
    ['canonical', 'key', 'limit', 'range', 'trailing', 'truncated', 'utf8'])
  t.end()
})
