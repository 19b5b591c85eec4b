// SPEC §14 is executed: messages in both directions, numbers of signatures, tables against the code.

import t from 'tap'
import { decodeMessage, encodeMessage, FailureCode, MODES } from '../../../src/rpc/index.ts'
import type { RpcMessage } from '../../../src/rpc/index.ts'
import { hash24 } from '../../../src/rpc/fingerprint.ts'
import { Kind } from '../../../src/rpc/message.ts'
import { asJson, chapter, specExamples, specPairs, specSection, tableRows } from '../../support/spec-examples.ts'

const text = chapter(14)
const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
const examples = specExamples(text, 'rpc')

const withBytes = (value: Record<string, unknown>): RpcMessage =>
  Object.fromEntries(
    Object.entries(value).map(([key, v]) => [key, key === 'values' || key === 'details' ? fromHex(v as string) : v]),
  ) as unknown as RpcMessage

t.test('messages of the examples are what stands beside them, both ways', (t) => {
  for (const { hex, value, refused, line } of examples) {
    const got = decodeMessage(fromHex(hex))
    if (refused !== undefined) t.equal(got, null, `line ${line}: ${hex} is refused`)
    else {
      t.same(asJson(got), value, `line ${line}: ${hex}`)
      t.equal(Buffer.from(encodeMessage(withBytes(value))).toString('hex'), hex, `line ${line}, written`)
    }
  }
  t.same(
    new Set(examples.filter(({ value }) => value).map(({ value }) => value.kind as string)),
    new Set(['call', 'request', 'reply', 'failure', 'cancel', 'set', 'offer', 'details']),
  )
  t.end()
})

t.test('signatures have the numbers that stand beside them', (t) => {
  const pairs = specPairs(text, 'rpc-key')
  for (const [signature, key] of pairs) t.equal(hash24(signature).toString(16).padStart(6, '0'), key, signature)
  t.ok(pairs.length >= 5)
  t.end()
})

t.test('kinds, codes and modes are those of the code', (t) => {
  t.same(Object.fromEntries(tableRows(specSection(text, '14.2')).map(([kind, name]) => [name!.toLowerCase(), Number(kind)])), Kind)
  t.same(Object.fromEntries(tableRows(specSection(text, '14.5')).map(([code, name]) => [name, Number(code)])), FailureCode)
  const rows = tableRows(specSection(text, '14.3'))
  t.same(new Set(rows.map(([mode]) => mode)), new Set(Object.keys(MODES)))
  // The words of the table, for every combination of who is master.
  for (const [mode, runs, local, sent] of rows) {
    const rule = MODES[mode as keyof typeof MODES]
    for (const own of [1, 20]) {
      for (const master of [1, 20, 30]) {
        const isMaster = own === master
        if (!/error/.test(sent!) || own === 1) {
          if (mode !== 'disabled') t.equal(
            rule.sent(own, master),
            sent!.startsWith('yes') || (sent!.startsWith('unless') && !isMaster),
            `${mode} sent`,
          )
        }
        const expectLocal = local === 'yes' || (local === 'if the caller is the master' && isMaster)
          || (local === 'if the caller is not the master' && !isMaster)
        t.equal(rule.local(own, master), expectLocal, `${mode} local`)
        for (const sender of [1, 20, 30]) {
          const allowed =
            runs === 'everybody'
            || (runs === 'only the master' && isMaster)
            || (runs!.startsWith('all but the master') && !isMaster && sender === master)
            || (runs === 'everybody, if S is the server' && sender === 1)
          t.equal(rule.allows(sender, own, master), allowed, `${mode}: ${sender} at ${own}, master ${master}`)
        }
      }
    }
  }
  t.end()
})
