// The packets of the MultiplayerAPI against captured ones, replayed byte by byte; and what may go wrong with each.

import t from 'tap'
import { fromHex } from '../../support/captures.ts'
import { PLAIN_CAPTURES, channelPackets, describePacket, readGodotCapture, recordedPackets } from '../../support/godot-captures.ts'
import { decodeHeader, decodeSystemMessage, encodeSystemMessage, encodeWithHeader } from '../../../src/godot/header.ts'
import {
  decodePacket,
  decodeValues,
  encodeCall,
  encodeConfirmPath,
  encodeRaw,
  encodeSet,
  encodeSimplifyPath,
} from '../../../src/godot/packets.ts'
import type { GodotPacket } from '../../../src/godot/packets.ts'
import { Vector2 } from '../../../src/godot/variant.ts'
import type { Variant } from '../../../src/godot/variant.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** The packet as it was sent, made again from what was read. */
const again = (packet: GodotPacket): Uint8Array => {
  switch (packet.type) {
    case 'simplifyPath':
      return encodeSimplifyPath(packet.id, packet.path)
    case 'confirmPath':
      return encodeConfirmPath(packet.path)
    case 'raw':
      return encodeRaw(packet.bytes)
    default: {
      const values = decodeValues(packet, { keepFloats: true })
      if (!values.ok) throw new Error(values.reason)
      return packet.type === 'call'
        ? encodeCall(packet.node, packet.method, values.values)
        : encodeSet(packet.node, packet.property, values.values[0]!)
    }
  }
}

let replayed = 0

for (const name of PLAIN_CAPTURES) {
  t.test(`every packet of the capture "${name}" reads as it was recorded, and is written again byte for byte`, (t) => {
    const datagrams = readGodotCapture(name)
    channelPackets(datagrams).forEach((packets, index) => {
      const { decoded, where } = datagrams[index]!
      t.same(packets.map(describePacket), recordedPackets(decoded), where)
      for (const { channel, bytes } of packets) {
        replayed++
        if (channel === 0) {
          t.equal(hex(encodeSystemMessage(decodeSystemMessage(bytes)!)), hex(bytes), where)
          continue
        }
        const header = decodeHeader(bytes)!
        const result = decodePacket(bytes.subarray(8))
        t.equal(result.ok && hex(encodeWithHeader(header.source, header.target, again(result.packet))), hex(bytes), where)
      }
    })
    t.end()
  })
}

t.test('the captures held what they should: 178 packets', (t) => {
  t.equal(replayed, 178)
  t.end()
})

t.test('channels and deliveries are those of the reference', (t) => {
  const packets = channelPackets(readGodotCapture('extras')).flat()
  const raw = packets.filter((packet) => / RAW 0102/.test(describePacket(packet)))
  t.same(
    raw.map(({ channel, delivery }) => [channel, delivery]),
    [
      [2, 'unsequenced'],
      [2, 'unreliable'],
      [1, 'reliable'],
    ],
  )
  t.ok(
    packets.some(({ bytes }) => bytes.length === 5026),
    'a call in four fragments',
  )
  const trio = channelPackets(readGodotCapture('trio')).flat()
  t.ok(trio.filter(({ channel }) => channel === 0).every(({ delivery }) => delivery === 'reliable'))
  t.end()
})

const failure = (hexText: string): string | false => {
  const result = decodePacket(fromHex(hexText))
  return !result.ok && result.reason
}

t.test('what is no packet gives a reason', (t) => {
  t.equal(failure(''), 'truncated')
  t.equal(failure('05'), 'unknown-command')
  t.equal(failure('ff0000000000'), 'unknown-command')
  t.equal(failure('0001000000'), 'truncated', 'a call without a name')
  t.equal(failure('000100000061'), 'truncated', 'a name without an end')
  t.equal(failure('00010000006100'), 'truncated', 'a call without a count')
  t.equal(failure('01010000006100'), 'truncated', 'a set without a value')
  t.equal(failure('00010000006162ff0000'), 'bad-text')
  t.equal(failure('00ff0000806100' + '00'), 'bad-offset')
  t.equal(failure('00080000806100' + '00ff00'), 'bad-text', 'in the path')
  t.equal(failure('02010000'), 'truncated')
  t.equal(failure('0201000000ff'), 'bad-text')
  t.equal(failure('03'), 'truncated')
  t.equal(failure('04'), 'truncated')
  t.end()
})

t.test('paths need no zero byte at the end of the packet, and may lie anywhere in it', (t) => {
  t.match(decodePacket(fromHex('02070000006c6f626279')), { packet: { type: 'simplifyPath', id: 7, path: 'lobby' } })
  t.match(decodePacket(fromHex('0201000000')), { packet: { path: '' } })
  t.match(decodePacket(fromHex('036c6f626279')), { packet: { path: 'lobby' } })
  t.match(decodePacket(fromHex('0005000080610000')), { packet: { node: 'a', method: 'a', count: 0 } }, 'the name is the path')
  t.end()
})

t.test('values are read only when asked for, one bound for all of them', (t) => {
  const packet = (args: Variant[]): Extract<GodotPacket, { type: 'call' }> => {
    const result = decodePacket(encodeCall(1, 'f', args))
    if (!result.ok || result.packet.type !== 'call') throw new Error('no call')
    return result.packet
  }
  t.same(decodeValues(packet([1, 'two', new Vector2(3, 4)])), { ok: true, values: [1, 'two', new Vector2(3, 4)] })
  t.match(
    decodeValues(
      packet([
        [1, 2],
        [3, 4],
      ]),
      { maxValues: 5 },
    ),
    { ok: false, reason: 'too-many-values' },
  )
  t.match(decodeValues({ type: 'call', node: 1, method: 'f', count: 2, values: fromHex('0100000001000000') }), {
    ok: false,
    reason: 'truncated',
  })
  t.match(decodeValues({ type: 'call', node: 1, method: 'f', count: 0, values: fromHex('ffffff') }), { ok: true, values: [] })
  t.end()
})

t.test('trailing bytes after the values are left alone', (t) => {
  const result = decodePacket(Buffer.concat([encodeCall(3, 'f', [true]), fromHex('deadbeef')]))
  t.ok(result.ok && result.packet.type === 'call')
  if (result.ok && result.packet.type === 'call') t.same(decodeValues(result.packet), { ok: true, values: [true] })
  t.end()
})

t.test('what does not fit a packet is refused at the call', (t) => {
  t.throws(() => encodeCall(1, 'f', new Array<null>(256).fill(null)), { code: 'ERR_ARGUMENT', message: /256 arguments/ })
  t.equal(encodeCall(1, 'f', new Array<null>(255).fill(null)).length, 8 + 255 * 4)
  t.throws(() => encodeCall(1, '', []), { code: 'ERR_ARGUMENT' })
  t.throws(() => encodeCall(1, 'a\0b', []), { code: 'ERR_ARGUMENT' })
  t.throws(() => encodeCall(1, 'move', [1, { x: [undefined as unknown as Variant] }]), {
    code: 'ERR_ENCODE',
    message: /^move\(\), argument 1\.x\[0\]: /,
  })
  t.throws(() => encodeSet(1, 'status', Symbol() as unknown as Variant), { code: 'ERR_ENCODE', message: /^status: symbol/ })
  t.throws(() => encodeRaw(new Uint8Array()), { code: 'ERR_ARGUMENT' })
  t.end()
})

t.test('system messages shorter than eight bytes or of unknown numbers are none; longer ones are', (t) => {
  t.equal(decodeSystemMessage(fromHex('00000000020000')), null)
  t.equal(decodeSystemMessage(fromHex('0200000002000000')), null)
  t.same(decodeSystemMessage(fromHex('010000000200000099')), { kind: 'remove', id: 2 })
  t.equal(decodeHeader(fromHex('01000000020000')), null)
  t.same(decodeHeader(fromHex('ffffffffffffffff')), { source: 0xffffffff, target: -1 })
  t.end()
})
