// Laws of Godot's framing.

import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { holds } from '../support/holds.ts'
import { nodeName, variant } from '../support/variants.ts'
import { godotFraming } from '../../src/godot/framing.ts'
import { encodeCall, encodeConfirmPath, encodeSimplifyPath } from '../../src/godot/packets.ts'
import { MAX_ID } from '../../src/session/ids.ts'
import { Roster } from '../../src/session/peers.ts'

const seats = new Roster()
const clientId = fc.integer({ min: 2, max: MAX_ID })
const target = fc.oneof(
  fc.constantFrom(0, 1, -1),
  clientId,
  clientId.map((id) => -id),
)
const rpcPayload = fc.oneof(
  fc.tuple(fc.nat(0x7fffffff), nodeName, fc.array(variant, { maxLength: 3 })).map(([node, name, args]) => encodeCall(node, name, args)),
  fc.tuple(fc.integer({ min: 1, max: 0x7fffffff }), nodeName).map(([id, path]) => encodeSimplifyPath(id, path)),
  nodeName.map((path) => encodeConfirmPath(path)),
)

holds(
  t,
  'what a client says arrives at its server as it was said',
  fc.property(
    clientId,
    target,
    fc.oneof(
      rpcPayload.map((payload) => ['rpc', payload] as const),
      fc.uint8Array({ minLength: 1, maxLength: 40 }).map((payload) => ['message', payload] as const),
    ),
    (source, to, [lane, payload]) => {
      const packet = { lane, scope: 0, source, target: to, payload, system: null }
      const read = godotFraming.decode(1, godotFraming.encode(packet, true, seats), { ownId: 1, linkId: source, seatsOf: () => null })
      return (
        read !== null && isDeepStrictEqual({ ...read, payload: Buffer.from(read.payload) }, { ...packet, payload: Buffer.from(payload) })
      )
    },
  ),
  { numRuns: 500 },
)

holds(
  t,
  'ids survive the 32 bits of a CONNECT, and nothing else becomes one',
  fc.property(fc.integer({ min: 0, max: 0xffffffff }), (data) => {
    const id = godotFraming.claimedId(data)
    return data >= 2 && data <= MAX_ID ? id === data && godotFraming.connectData(id) === data : id === 0
  }),
)

holds(
  t,
  'any bytes on any channel give a packet or null, never a throw; the source is never anybody else',
  fc.property(
    fc.nat(3),
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .tuple(clientId, target, rpcPayload, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }))
        .map(([source, to, payload, hits]) => {
          const bytes = godotFraming.encode({ lane: 'rpc', scope: 0, source, target: to, payload, system: null }, true, seats)
          for (const [at, byte] of hits) bytes[at % bytes.length] = byte
          return bytes
        }),
    ),
    clientId,
    fc.boolean(),
    (channel, bytes, id, atServer) => {
      const packet = godotFraming.decode(
        channel,
        bytes,
        atServer ? { ownId: 1, linkId: id, seatsOf: () => null } : { ownId: id, linkId: 1, seatsOf: () => null },
      )
      if (packet === null) return true
      if (atServer) return packet.system === null && packet.source === id
      return packet.source >= 1 && packet.target === id
    },
  ),
  { numRuns: 2000 },
)
