// Writes test/fixtures/session-vectors.json from the implementation: run it only after a change of the format that is meant, and read
// the difference. The tests read the file and never call this.

import { writeFileSync } from 'node:fs'
import { decodeMessage, defineNode, encodeMessage, MODES, property, rpc, t as c } from '../../src/rpc/index.ts'
import type { RpcMessage } from '../../src/rpc/index.ts'
import { hash24 } from '../../src/rpc/fingerprint.ts'
import { LEAVE_REASONS } from '../../src/session/endings.ts'
import { nativeFraming } from '../../src/session/native-framing.ts'
import type { SystemMessage } from '../../src/session/system-messages.ts'
import { asJson } from './spec-examples.ts'

/** Seats of the vectors: 7 has 2, 900 has 3, 2147483647 has 200, 70000 has 20000. */
export const SEATS: Readonly<Record<number, number>> = { 1: 1, 7: 2, 900: 3, 2147483647: 200, 70000: 20000 }
export const seats = {
  seatOf: (id: number): number => SEATS[id] ?? 0,
  idOf: (seat: number): number => Number(Object.entries(SEATS).find(([, s]) => s === seat)?.[0] ?? 0),
}
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const raw = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))

const system: readonly SystemMessage[] = [
  { kind: 'hello', version: 1, data: raw('') },
  { kind: 'hello', version: 1, data: raw('00ff') },
  { kind: 'welcome', version: 1, seat: 2, relay: true },
  { kind: 'welcome', version: 1, seat: 300, relay: false },
  { kind: 'add', id: 2, seat: 2 },
  { kind: 'add', id: 2147483647, seat: 4294967295 },
  ...LEAVE_REASONS.map(
    (reason, i): SystemMessage => ({ kind: 'remove', id: 0, seat: 100 + i * 30, reason, data: i * 1000, text: i % 2 ? 'größer' : '' }),
  ),
  { kind: 'bye', code: 0, text: '' },
  { kind: 'bye', code: 4294967295, text: '日本' },
  { kind: 'drain', withinMs: 0, text: '' },
  { kind: 'drain', withinMs: 4294967295, text: 'x'.repeat(256) },
  { kind: 'roomJoined', name: 'red' },
  { kind: 'roomLeft', text: 'moved' },
  { kind: 'seen', count: 0 },
  { kind: 'seen', count: 128 },
  { kind: 'clockAsk', token: 1 },
  { kind: 'clockAnswer', token: 4294967295, timeMs: 1234.5 },
]

const messages: readonly RpcMessage[] = [
  { kind: 'call', member: { key: 0, instance: 0 }, values: raw('') },
  { kind: 'call', member: { key: 0xffffff, instance: 4294967295 }, values: raw('010203') },
  { kind: 'call', member: { path: 'lobby', name: 'register_player' }, values: raw('00') },
  { kind: 'call', member: { path: 'player/7', name: 'größe' }, values: raw('') },
  { kind: 'request', member: { key: 0x123456, instance: 1 }, id: 1, values: raw('ff') },
  { kind: 'request', member: { path: 'a', name: 'b' }, id: 4294967295, values: raw('ff') },
  { kind: 'reply', named: false, id: 1, values: raw('') },
  { kind: 'reply', named: true, id: 127, values: raw('00') },
  { kind: 'failure', id: 128, code: 2, text: '', details: raw('') },
  { kind: 'failure', id: 1, code: 1, text: 'no gold', details: raw('00') },
  { kind: 'cancel', id: 16384 },
  { kind: 'set', member: { key: 0x010203, instance: 0 }, values: raw('3f') },
  { kind: 'offer', contracts: [] },
  { kind: 'offer', contracts: [{ name: 'lobby', fingerprint: 4294967295 }, { name: 'ship', fingerprint: 0 }] },
  {
    kind: 'details',
    node: 'ship',
    members: [{ key: 0x010203, name: 'move', signature: 'move(x: f32, y: f32)' }, { key: 1, name: 'fuel', signature: 'fuel: f32' }],
  },
]

export const CONTRACT = defineNode('lobby', {
  registerPlayer: rpc.remote(c.record({ name: c.string, favoriteColor: c.rgba8 })),
  moved: rpc.remote(c.f32, c.f32),
  roll: rpc.remote(c.range(2, 100)).returns(c.u8),
  start: rpc.server(),
  fuel: property.master(c.f32),
  anything: rpc.untyped(),
})

/** One entry per line: differences show. */
const listInLines = (list: readonly unknown[]): string => `[\n${list.map((entry) => `    ${JSON.stringify(entry)}`).join(',\n')}\n  ]`

const write = (): void => {
  const packets = []
  for (const scope of [0, 1, 300]) {
    for (const lane of ['message', 'rpc'] as const) {
      for (const target of [1, 0, 900, -900, -1, 2147483647, [1], [900, 70000], []]) {
        const packet = { lane, scope, source: 7, target, payload: raw('0102') }
        packets.push({ at: 'server', from: 7, ...asJson(packet), hex: hex(nativeFraming.encode({ ...packet, system: null }, true, seats)) })
      }
      for (const source of [1, 900, 70000]) {
        const packet = { lane, scope, source, target: 7, payload: raw('0102') }
        packets.push(
          { at: 'client', from: 1, ...asJson(packet), hex: hex(nativeFraming.encode({ ...packet, system: null }, false, seats)) },
        )
      }
    }
  }
  const modes = []
  for (const [mode, rule] of Object.entries(MODES)) {
    for (const own of [1, 20]) {
      for (const master of [1, 20, 30]) {
        const runsFor = [1, 20, 30].filter((sender) => sender !== own && rule.allows(sender, own, master))
        modes.push({ mode, own, master, runsLocally: rule.local(own, master), isSent: rule.sent(own, master), runsFor })
      }
    }
  }
  const vectors = {
    note: 'SPEC §13 and §14. Bytes in hex. Seats: see "seats". Each entry holds in both directions.',
    seats: SEATS,
    connectData: [2, 7, 900, 2147483647].map((id) => ({ id, data: nativeFraming.connectData(id) })),
    packets,
    system: [0, 5].flatMap(
      (scope) =>
        system.map((message) => ({ scope, message: asJson(message), hex: hex(nativeFraming.encodeSystem(message, scope, true)!) })),
    ),
    refusedPackets: [
      '',
      '03',
      '14',
      '40',
      '80',
      '21',
      '2180',
      '04',
      '048300',
      '11',
      '110201',
      '02',
      '0200',
      '020c',
      '0203010000000200',
      '020302000000',
      '0204030600000000',
      '020500000000 01ff'.replace(' ', ''),
      '0202010201ff',
    ],
    messages: messages.map((message) => ({ message: asJson(message), hex: hex(encodeMessage(message)) })),
    refusedMessages: [
      '',
      '07',
      '0f',
      '20',
      '00',
      '0001',
      '08010203',
      '0801020300',
      '1005',
      '18056c6f62627903736179',
      '0c05',
      '040500',
      '06',
      '0602',
      '0600ff0100',
      '1205',
    ].filter((bytes) => decodeMessage(raw(bytes)) === null),
    numbers: CONTRACT.list.map(({ name, signature, key }) => ({ node: 'lobby', name, signature, key })),
    hashes: ['', 'lobby.start()', 'größe.x:f32', '日本.f(*)'].map((text) => ({ text, key: hash24(text) })),
    fingerprint: CONTRACT.fingerprint,
    modes,
  }
  const lines = Object.entries(vectors).map(([key, value]) =>
    `  ${JSON.stringify(key)}: ${Array.isArray(value) ? listInLines(value) : JSON.stringify(value)}`)
  writeFileSync(new URL('../../../test/fixtures/session-vectors.json', import.meta.url), `{\n${lines.join(',\n')}\n}\n`)
}

if (process.argv[2] === 'write') write()
