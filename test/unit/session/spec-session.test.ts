// SPEC §13 is executed: packets in both directions, tables against the code.

import t from 'tap'
import { LEAVE_REASONS } from '../../../src/session/endings.ts'
import { nativeFraming } from '../../../src/session/native-framing.ts'
import type { SystemMessage } from '../../../src/session/system-messages.ts'
import { EndCode } from '../../../src/util/end-codes.ts'
import { asJson, chapter, specExamples, specSection, tableRows } from '../../support/spec-examples.ts'

const text = chapter(13)
const ids = [7, 900, 70_000]
const seats = {
  seatOf: (id: number) => (id === 1 ? 1 : ids.indexOf(id) + 2),
  idOf: (seat: number) => (seat === 1 ? 1 : (ids[seat - 2] ?? 0)),
}
const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
const at = (side: string) =>
  (side === 'server' ? { ownId: 1, linkId: 7, seatsOf: () => seats } : { ownId: 7, linkId: 1, seatsOf: () => seats })
const hexOf = (bytes: Uint8Array | null): string => Buffer.from(bytes ?? []).toString('hex')

const examples = specExamples(text, 'session')

t.test('packets of the examples are what stands beside them, both ways', (t) => {
  for (const { hex, value, refused, line } of examples) {
    const what = `line ${line}: ${hex}`
    if (refused !== undefined) {
      t.equal(nativeFraming.decode(1, fromHex(hex), at(refused)), null, what)
      continue
    }
    if (value.system !== undefined) {
      const { system, scope = 0 } = value
      const got = nativeFraming.decode(1, fromHex(hex), at('server'))
      t.same([got?.scope, asJson(got?.system)], [scope, system], what)
      const message = system.kind === 'hello' ? { ...system, data: fromHex(system.data) } : system
      t.equal(hexOf(nativeFraming.encodeSystem(message as SystemMessage, scope, true)), hex, `${what}, written`)
    } else {
      const { at: side, from, payload, ...rest } = value
      const got = nativeFraming.decode(1, fromHex(hex), at(side))
      t.same(asJson(got), { ...rest, payload, system: null }, what)
      t.equal(from, side === 'server' ? 7 : 1)
      t.equal(
        hexOf(nativeFraming.encode({ ...rest, payload: fromHex(payload), system: null }, side === 'server', seats)),
        hex,
        `${what}, written`,
      )
    }
  }
  t.ok(examples.length >= 28)
  t.end()
})

t.test('every system message has an example, and the table names their bytes', (t) => {
  const rows = tableRows(specSection(text, '13.4'))
  t.equal(rows.length, 11)
  const names = new Map(rows.map(([byte, name]) => [Number(byte), name!.replace(/ (\w)/g, (_, c: string) => `_${c}`)]))
  const seen = new Set<number>()
  for (const { hex, value } of examples) {
    if (value?.system === undefined) continue
    const byte = fromHex(hex)[(fromHex(hex)[0]! & 0x20) === 0 ? 1 : 2]!
    seen.add(byte)
    t.equal(names.get(byte)!.replace('_', '').toLowerCase(), (value.system.kind as string).toLowerCase())
  }
  t.same([...seen].sort((a, b) => a - b), [...names.keys()])
  t.end()
})

t.test('codes and reasons are those of the code', (t) => {
  const [codes, reasons] = [tableRows(specSection(text, '13.6')).filter(([, name]) => name !== '–'), [] as string[][]]
  const split = codes.findIndex(([number], i) => i > 0 && number === '0')
  reasons.push(...codes.splice(split))
  t.same(Object.fromEntries(codes.map(([number, name]) => [name, Number(number)])), EndCode)
  t.same(reasons.map(([, name]) => name), LEAVE_REASONS)
  t.same(reasons.map(([number]) => Number(number)), LEAVE_REASONS.map((_, i) => i))
  t.end()
})

t.test('a CONNECT of ours has bit 31, a Godot id has not', (t) => {
  t.equal(nativeFraming.connectData(5), 0x80000005)
  t.equal(nativeFraming.claimedId(0x80000005), 5)
  t.equal(nativeFraming.claimedId(5), 0)
  t.equal(nativeFraming.claimedId(0x80000001), 0)
  t.end()
})
