// Chapter 16 of SPEC is executed: packets, Variants and types, both ways; the tables of types and compressions.

import t from 'tap'
import { fromHex } from '../../support/captures.ts'
import { describePacket } from '../../support/godot-captures.ts'
import { chapter, specExamples, specPairs, specSection, tableRows } from '../../support/spec-examples.ts'
import { GODOT_COMPRESSION_MODES, godotCompressors } from '../../../src/godot/compression.ts'
import { encodeWithHeader } from '../../../src/godot/header.ts'
import { decodePacket, decodeValues } from '../../../src/godot/packets.ts'
import { conversionFor } from '../../../src/godot/type-description.ts'
import * as godot from '../../../src/godot/variant.ts'
import type { Variant } from '../../../src/godot/variant.ts'

const text = chapter(16)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

t.test('every example packet says what stands below it, or is refused for that reason', (t) => {
  const examples = specExamples(text, 'godot-packet')
  t.ok(examples.length >= 10)
  for (const { hex: bytes, value, refused, line } of examples) {
    const packet = fromHex(bytes)
    const result = decodePacket(packet)
    if (refused === undefined) {
      t.equal(
        describePacket({ channel: 1, delivery: 'reliable', bytes: encodeWithHeader(1, 2, packet) }),
        `src=1 dst=2 ${String(value)}`,
        `line ${line}`,
      )
    } else if (!result.ok) t.equal(result.reason, refused, `line ${line}`)
    else if (result.packet.type === 'call' || result.packet.type === 'set')
      t.match(decodeValues(result.packet), { ok: false, reason: refused }, `line ${line}`)
    else t.fail(`line ${line} is a packet`)
  }
  t.end()
})

/** As the examples write values that JSON has no words for. */
const plain = (value: Variant): unknown => {
  if (value instanceof godot.NodePath) return { NodePath: value.toString() }
  if (value instanceof Uint8Array) return { PoolByteArray: [...value] }
  if (value instanceof godot.PoolStringArray) return { PoolStringArray: [...value] }
  if (Array.isArray(value)) return value.map(plain)
  const own = value === null || typeof value !== 'object' ? null : value.constructor
  return own === null || own === Object ? value : { [own.name]: value }
}

t.test('every example Variant reads as what stands below it and is written so, or is refused for that reason', (t) => {
  const examples = specExamples(text, 'variant')
  t.ok(examples.length >= 20)
  for (const { hex: bytes, value, refused, line } of examples) {
    const result = godot.decodeVariant(fromHex(bytes))
    if (refused !== undefined) t.match(result, { ok: false, reason: refused }, `line ${line}`)
    else if (!result.ok) t.fail(`line ${line}: ${result.reason}`)
    else {
      t.same(plain(result.value), value, `line ${line}`)
      t.equal(hex(godot.encodeVariant(result.value)), bytes, `line ${line}`)
    }
  }
  t.end()
})

t.test('every example of a type is what Godot gets, and what it is taken from', (t) => {
  const pairs = specPairs(text, 'godot-type')
  t.ok(pairs.length >= 15)
  for (const [left, bytes] of pairs) {
    // The value is the longest JSON at the end.
    const split = [...left.matchAll(/ /g)]
      .map(({ index }) => index)
      .find((at) => isJson(left.slice(at + 1)) && !left.slice(0, at).endsWith('|') && balanced(left.slice(0, at)))!
    const [type, value] = [left.slice(0, split), JSON.parse(left.slice(split + 1)) as unknown]
    const conversion = conversionFor(type)
    t.equal(hex(godot.encodeVariant(conversion.toGodot(value))), bytes, left)
    const back = godot.decodeVariant(fromHex(bytes))
    t.same(back.ok && conversion.fromGodot(back.value), value, left)
  }
  t.end()
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Whether all brackets are closed: the text is a whole type. */
function balanced(text: string): boolean {
  return (text.match(/[([{]/g) ?? []).length === (text.match(/[)\]}]/g) ?? []).length
}

t.test('the table of Variants has the numbers of the code', (t) => {
  const numbers = tableRows(specSection(text, '16.5'))
    .filter(([first]) => /^\d+$/.test(first!))
    .map(([number]) => Number(number))
  t.same(numbers, Object.values(godot.VariantType))
  t.equal(numbers.length, 27)
  t.end()
})

t.test('the table of compressions has the numbers of the code, and the order of trying is that of the text', (t) => {
  const modes = tableRows(specSection(text, '16.6')).map(([number]) => Number(number))
  t.same(modes, Object.values(GODOT_COMPRESSION_MODES))
  t.match(text, /tried in the order 4, 3, 2, 1/)
  t.same(
    godotCompressors().map(({ name }) => name),
    ['zstd', 'zlib', 'fastlz', 'range coder'],
  )
  t.end()
})
