// Laws of the MultiplayerAPI packets.

import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { holds } from '../support/holds.ts'
import { nodeName, variant } from '../support/variants.ts'
import { decodePacket, decodeValues, encodeCall, encodeSet } from '../../src/godot/packets.ts'

const lossless = { keepFloats: true, dictionaries: 'map' } as const
const node = fc.oneof(
  fc.nat(0x7fffffff),
  fc.array(nodeName, { minLength: 1, maxLength: 4 }).map((names) => names.join('/')),
)

holds(
  t,
  'a call that was read is the call that was written',
  fc.property(node, nodeName, fc.array(variant, { maxLength: 6 }), (where, method, args) => {
    const result = decodePacket(encodeCall(where, method, args))
    if (!result.ok || result.packet.type !== 'call') return false
    const values = decodeValues(result.packet, lossless)
    return isDeepStrictEqual([result.packet.node, result.packet.method, values], [where, method, { ok: true, values: args }])
  }),
  { numRuns: 500 },
)

holds(
  t,
  'an assignment that was read is the assignment that was written',
  fc.property(node, nodeName, variant, (where, property, value) => {
    const result = decodePacket(encodeSet(where, property, value))
    if (!result.ok || result.packet.type !== 'set') return false
    const values = decodeValues(result.packet, lossless)
    return isDeepStrictEqual([result.packet.node, result.packet.property, values], [where, property, { ok: true, values: [value] }])
  }),
  { numRuns: 500 },
)

holds(
  t,
  'any bytes at all give a packet or a reason, and its values too, never a throw',
  fc.property(
    fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.tuple(fc.nat(5), fc.uint8Array({ maxLength: 64 })).map(([type, rest]) => new Uint8Array([type, ...rest])),
      fc
        .tuple(node, nodeName, fc.array(variant, { maxLength: 3 }), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }))
        .map(([where, name, args, hits]) => {
          const bytes = encodeCall(where, name, args)
          for (const [at, byte] of hits) bytes[at % bytes.length] = byte
          return bytes
        }),
    ),
    (bytes) => {
      const result = decodePacket(bytes)
      if (!result.ok) return typeof result.reason === 'string'
      if (result.packet.type !== 'call' && result.packet.type !== 'set') return true
      const values = decodeValues(result.packet)
      return values.ok ? values.values.every((value) => value !== undefined) : typeof values.reason === 'string'
    },
  ),
  { numRuns: 3000 },
)
