// The package's doors: a name means the same thing behind each of them.

import t from 'tap'
import * as front from '../../src/index.ts'
import * as godot from '../../src/godot/index.ts'
import * as rpc from '../../src/rpc/index.ts'
import * as session from '../../src/session/index.ts'
import * as simulator from '../../src/simulator.ts'
import * as transport from '../../src/transport/index.ts'

const doors: Record<string, Record<string, unknown>> = { vaiven: front, transport, simulator, session, rpc, godot }

t.test('a name that several entry points export is one thing', (t) => {
  const known = new Map<string, { readonly door: string; readonly value: unknown }>()
  const shared: string[] = []
  for (const [door, names] of Object.entries(doors)) {
    for (const [name, value] of Object.entries(names)) {
      const other = known.get(name)
      if (other === undefined) known.set(name, { door, value })
      else {
        shared.push(name)
        t.equal(value, other.value, `${name} of ${door} and ${other.door}`)
      }
    }
  }
  t.ok(shared.includes('EndCode') && shared.includes('VaivenError'), shared.join(', '))
  t.end()
})

t.test('the codes of endings have words, each its own, and leave 256 and above to applications', (t) => {
  const { EndCode, describeEndCode } = front
  const words = Object.values(EndCode).map(describeEndCode)
  t.equal(new Set(words).size, words.length)
  t.ok(Object.values(EndCode).every((code) => code < 256))
  t.equal(describeEndCode(500), 'data 0x000001f4')
  t.end()
})
