// The table of places: all alike, as it says, and schemas beyond it are schemas like others.

import { readFileSync } from 'node:fs'
import t from 'tap'
import { decode, encode, t as codec } from '../../src/rpc/codec/index.ts'
import * as sites from '../../src/rpc/codec/sites.ts'

const source = readFileSync(new URL('../../../src/rpc/codec/sites.ts', import.meta.url), 'utf8')

t.test('all lines of a table are equal', (t) => {
  const tables = [...source.matchAll(/^export const (\w+): readonly \w+\[\] = \[\n([^]*?\n)\]$/gm)].map(([, name = '', body = '']) =>
    ({ name, lines: body.trimEnd().split('\n') }))
  t.strictSame(tables.map(({ name }) => name),
    Object.keys(sites).filter((name) => name.endsWith('Sites')).sort((a, b) => source.indexOf(a) - source.indexOf(b)))
  for (const { name, lines } of tables) {
    t.ok(lines.length > 20, `${name} has ${lines.length} lines`)
    t.equal(new Set(lines).size, 1, name)
    t.equal((sites as unknown as Record<string, unknown[]>)[name]?.length, lines.length)
  }
  t.end()
})

t.test('a dispenser hands out the places one after the other, and then those of the last quarter in turn', (t) => {
  const next = sites.dispenser([...'abcdefgh'])
  t.equal(Array.from({ length: 13 }, next).join(''), 'abcdefghghghg')
  t.end()
})

t.test('schemas that share their places work as those that do not', (t) => {
  const types = Array.from({ length: 120 }, (_, i) => codec.record({
    [`a${i}`]: codec.range(0, i), [`b${i}`]: codec.string, [`c${i}`]: codec.optional(codec.bool),
      [`list${i}`]: codec.array(codec.record({ [`x${i}`]: codec.u8 })),
  }))
  for (const [i, type] of types.entries()) {
    const value = { [`a${i}`]: i, [`b${i}`]: `text ${i}`, [`list${i}`]: [{ [`x${i}`]: 1 }, { [`x${i}`]: 255 }] }
    t.strictSame(decode(type, encode(type, value)), { ok: true, value })
    t.throws(() => encode(type, { ...value, [`list${i}`]: [{ [`x${i}`]: 256 }] }),
      { message: `list${i}[0].x${i} is 256; u8 holds 0 to 255` })
  }
  t.end()
})
