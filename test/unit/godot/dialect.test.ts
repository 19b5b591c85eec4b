// The Godot dialect against a port that fails: a slow or vanished peer, a full queue, nonsense from below.

import t from 'tap'
import { GodotDialect } from '../../../src/godot/multiplayer.ts'
import { decodePacket, encodeConfirmPath, encodeRaw, encodeSimplifyPath } from '../../../src/godot/packets.ts'
import { Float, float, int, variant } from '../../../src/godot/index.ts'
import { decode, defineNode, encode, Registry, rpc, t as c } from '../../../src/rpc/index.ts'
import type { Inbound, Outgoing, RpcPort } from '../../../src/rpc/index.ts'
import { NodeEntry } from '../../../src/rpc/index.ts'
import { VaivenError } from '../../../src/util/errors.ts'

const Lobby = defineNode('lobby', { say: rpc.remote(c.string) })

const fake = () => {
  const sent: string[] = []
  const reported: string[] = []
  const refused: string[] = []
  const full = new Set<number>()
  const here = new Set([2, 3, 4])
  const port = {
    id: 1,
    isServer: true,
    get peerIds() {
      return [...here]
    },
    has: (peer: number) => here.has(peer),
    dialectOf: (peer: number) => (here.has(peer) ? (peer === 4 ? 'vaiven' : 'godot3') : null),
    send(target: number, payload: Uint8Array) {
      if (full.has(target)) throw new VaivenError('ERR_QUEUE_FULL', `queue of ${target}`)
      const result = decodePacket(payload)
      sent.push(`${String(target)} ${result.ok ? result.packet.type : result.reason}`)
    },
    report: (error: unknown) => void reported.push(error instanceof Error ? error.message : String(error)),
  }
  const registry = new Registry()
  const node = new NodeEntry(Lobby, 0, {})
  registry.attach(node)
  const inbound = { registry, refuse: (sender: number, kind: string) => void refused.push(`${sender} ${kind}`) }
  const dialect = new GodotDialect(port as unknown as RpcPort, inbound as unknown as Inbound)
  const outgoing = (target: number | readonly number[], args: readonly unknown[] = ['hi']): Outgoing => ({
    path: 'lobby',
    name: 'say',
    entry: node.members.get('say')!,
    named: false,
    target,
    args,
    delivery: 'reliable',
    channel: undefined,
  })
  return { sent, reported, refused, full, here, dialect, outgoing }
}

t.test('a full queue of one among many is reported, and the others hear the call', (t) => {
  const { dialect, outgoing, full, sent, reported } = fake()
  full.add(2)
  dialect.call(outgoing(0))
  t.same(sent, ['3 simplifyPath', '3 call'])
  t.same(reported, ['queue of 2', 'queue of 2'])
  t.end()
})

t.test("a full queue of the only one is the caller's to hear of", (t) => {
  const { dialect, outgoing, full } = fake()
  dialect.receive(2, encodeConfirmPath('lobby'), 'reliable')
  full.add(2)
  t.throws(() => dialect.call(outgoing(2)), { code: 'ERR_QUEUE_FULL' })
  t.end()
})

t.test('only peers that speak Godot are counted in, whoever is asked', (t) => {
  const { dialect, outgoing, sent } = fake()
  dialect.call(outgoing([3, 4]))
  t.same(sent, ['3 simplifyPath', '3 call'])
  sent.length = 0
  dialect.receive(2, encodeConfirmPath('lobby'), 'reliable')
  dialect.receive(3, encodeConfirmPath('lobby'), 'reliable')
  dialect.call(outgoing(0))
  t.same(sent, ['2 simplifyPath', '2 call', '3 call'], '2 confirmed what it had not been told')
  sent.length = 0
  dialect.receive(2, encodeConfirmPath('lobby'), 'reliable')
  dialect.call(outgoing(0))
  dialect.call(outgoing(-2))
  dialect.call(outgoing([2, 3]))
  t.same(sent, ['0 call', '-2 call', '2 call', '3 call'])
  t.end()
})

t.test('an announcement of a peer that is not here yet is remembered and not confirmed', (t) => {
  const { dialect, sent, refused, here } = fake()
  dialect.receive(9, encodeSimplifyPath(1, 'lobby'), 'reliable')
  t.same(sent, [])
  here.add(9)
  dialect.receive(9, encodeSimplifyPath(2, 'lobby'), 'reliable')
  t.same(sent, ['9 confirmPath'])
  t.same(refused, [])
  t.end()
})

t.test('what is no call is refused; cancelling is nothing', (t) => {
  const { dialect, refused } = fake()
  dialect.receive(2, encodeRaw(new Uint8Array(1)), 'reliable')
  dialect.receive(2, new Uint8Array([9]), 'reliable')
  dialect.cancel()
  t.same(refused, ['2 shape', '2 shape'])
  t.end()
})

t.test('the type "variant" carries any value among our own, and refuses bytes that are none', (t) => {
  const bytes = encode(variant, { speed: float(1), path: [null] })
  t.same(decode(variant, bytes), { ok: true, value: { speed: 1, path: [null] } })
  t.equal(decode(variant, encode(c.bytes, new Uint8Array([27, 0, 0, 0]))).ok, false)
  t.equal(decode(variant, encode(c.bytes, new Uint8Array())).ok, false)
  t.throws(() => encode(variant, Symbol() as never), { code: 'ERR_ENCODE' })
  t.end()
})

t.test('Int and Float calculate like the numbers they hold', (t) => {
  t.equal(+float(1.5) + 1, 2.5)
  t.ok(new Float(2) > new Float(1))
  t.equal(int(5).valueOf() + 1n, 6n)
  t.end()
})
