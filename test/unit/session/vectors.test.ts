// The vectors that another implementation can use, held against this one in both directions.

import { readFileSync } from 'node:fs'
import t from 'tap'
import { hash24 } from '../../../src/rpc/fingerprint.ts'
import { decodeMessage, encodeMessage, MODES } from '../../../src/rpc/index.ts'
import type { Mode } from '../../../src/rpc/index.ts'
import { nativeFraming } from '../../../src/session/native-framing.ts'
import { asJson } from '../../support/spec-examples.ts'
import { CONTRACT, seats } from '../../support/session-vectors.ts'

const vectors = JSON.parse(readFileSync(new URL('../../../../test/fixtures/session-vectors.json', import.meta.url), 'utf8'))
const raw = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))
const hex = (bytes: Uint8Array | null): string => Buffer.from(bytes ?? []).toString('hex')
const side = (at: string) =>
  (at === 'server' ? { ownId: 1, linkId: 7, seatsOf: () => seats } : { ownId: 7, linkId: 1, seatsOf: () => seats })
/** Bytes of a message that are fields, back from hex. */
const bytesIn = (message: Record<string, unknown>): any =>
  Object.fromEntries(
    Object.entries(message).map(
      ([key, v]) => [key, (key === 'data' && typeof v === 'string') || key === 'values' || key === 'details' ? raw(v as string) : v],
    ),
  )

t.test('packets', (t) => {
  for (const { hex: bytes, at, from: _, payload, ...packet } of vectors.packets) {
    t.same(asJson(nativeFraming.decode(1, raw(bytes), side(at))), { ...packet, payload, system: null }, bytes)
    t.equal(hex(nativeFraming.encode({ ...packet, payload: raw(payload), system: null }, at === 'server', seats)), bytes)
  }
  for (const { id, data } of vectors.connectData) t.same([nativeFraming.connectData(id), nativeFraming.claimedId(data)], [data, id])
  for (const bytes of vectors.refusedPackets) t.equal(nativeFraming.decode(1, raw(bytes), side('server')), null, `${bytes} is refused`)
  t.end()
})

t.test('system messages', (t) => {
  for (const { scope, message, hex: bytes } of vectors.system) {
    const packet = nativeFraming.decode(1, raw(bytes), side('server'))
    t.same([packet?.scope, asJson(packet?.system)], [scope, message], bytes)
    t.equal(hex(nativeFraming.encodeSystem(bytesIn(message.kind === 'hello' ? message : { ...message }), scope, true)), bytes)
  }
  t.end()
})

t.test('rpc messages, numbers and modes', (t) => {
  for (const { message, hex: bytes } of vectors.messages) {
    t.same(asJson(decodeMessage(raw(bytes))), message, bytes)
    t.equal(hex(encodeMessage(bytesIn(message))), bytes)
  }
  for (const bytes of vectors.refusedMessages) t.equal(decodeMessage(raw(bytes)), null, `${bytes} is refused`)
  t.ok(vectors.refusedMessages.length >= 14)
  t.same(CONTRACT.list.map(({ name, signature, key }) => ({ node: 'lobby', name, signature, key })), vectors.numbers)
  t.equal(CONTRACT.fingerprint, vectors.fingerprint)
  for (const { text, key } of vectors.hashes) t.equal(hash24(text), key, text)
  for (const { mode, own, master, runsLocally, isSent, runsFor } of vectors.modes) {
    const rule = MODES[mode as Mode]
    t.same(
      [rule.local(own, master), rule.sent(own, master), [1, 20, 30].filter((sender) => sender !== own && rule.allows(sender, own, master))],
      [runsLocally, isSent, runsFor],
    )
  }
  t.end()
})
