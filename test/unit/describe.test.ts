// Datagrams in words: what a person sees, and that the dialect is found.

import t from 'tap'
import { describeDatagram } from '../../src/transport/core/describe.ts'
import type { DescribeOptions } from '../../src/transport/core/describe.ts'
import type { Compressor } from '../../src/transport/types.ts'
import { fromHex } from '../support/captures.ts'

const lines = (hex: string, options?: DescribeOptions): readonly string[] => describeDatagram(fromHex(hex), options).lines

t.test('header, commands and payloads are lines of text', (t) => {
  t.same(lines('a003 1234 01 02 0007 0007 0011 86 00 0001 0002 6869 07 01 0001 0004 0003 00ff7f'), [
    'datagram of 31 bytes: peerId=3 session=2 sentTime=4660',
    'ACKNOWLEDGE channel=2 sequence=7 acknowledged=7 echo=17',
    'SEND_RELIABLE+A channel=0 sequence=1 length=2 "hi"',
    'SEND_UNRELIABLE channel=1 sequence=1 unreliableSequence=4 length=3 00ff7f',
  ])
  t.end()
})

t.test('flags and reserved bits of the command byte are shown', (t) => {
  t.match(lines('0000 44ff0001 00000007')[1], /^DISCONNECT\+U channel=255 sequence=1 data=7$/)
  t.match(lines('8000 0000 a5ff0001')[1], /^PING\+A\+20 /)
  t.end()
})

t.test('the connect id is shown as its bytes, never as a number', (t) => {
  const connect = '8fff 9cf9 82ff0001 0000 ffff 00000578 00010000 00000003 00000000 00000000 00001388 00000002 00000002 0a00000b cafebabe'
  const { commands, header } = describeDatagram(fromHex(connect))
  t.equal(commands[0]?.fields['connectId'], '0a00000b')
  t.equal(header?.peerId, 4095)
  t.match(lines(connect)[0], 'peerId=none')
  t.end()
})

t.test('a long payload is cut in the line and whole in the object', (t) => {
  const { commands, lines } = describeDatagram(fromHex(`0000 07 00 0000 0001 0040 ${'41'.repeat(64)}`))
  t.equal(commands[0]?.payload?.length, 64)
  t.match(lines[1], `"${'A'.repeat(24)}"…`)
  t.end()
})

t.test('what is too short for a header says so', (t) => {
  t.same(lines(''), ['datagram of 0 bytes', 'unreadable: a datagram has at least 2 bytes; this has 0'])
  t.match(lines('80')[1], 'at least 2 bytes; this has 1')
  t.match(lines('8000 12')[1], 'the sent time is missing')
  t.match(lines('0000 112233', { checksum: true })[1], 'the checksum is missing')
  t.equal(describeDatagram(fromHex('8000')).header, null)
  t.end()
})

t.test('the rest of a datagram that cannot be read is shown with the reason', (t) => {
  t.match(lines('8000 0001 85ff0001 0fff0000 7661')[2], /^rest of 6 bytes: 0fff00007661 \(command 15 does not exist/)
  t.match(lines('8000 0001 85ff0001 85ff')[2], /^rest of 2 bytes: 85ff \(too short for a command\)$/)
  t.match(lines('8000 0001 85ff0001 86000001 0005 6869')[2], /^rest of 8 bytes: .* \(SEND_RELIABLE needs 6 bytes and its payload/)
  t.end()
})

t.test('things that no correct sender does are noted', (t) => {
  t.match(lines('0000 85ff0001').at(-1), 'note: PING wants an acknowledgement, but there is no sent time')
  t.match(lines('8fff 0001 85ff0001').at(-1), 'note: peer id none: receivers ignore all but CONNECT')
  t.match(lines('8000 0001 88000001 0001 0002 00000001 00000000 00000002 00000000 6869').at(-1), 'note: a message of one single fragment')
  t.match(describeDatagram(new Uint8Array(4097)).remarks, ['longer than the 4096 bytes that any host takes'])
  t.same(describeDatagram(fromHex('8000 0001 85ff0001')).remarks, [])
  t.end()
})

// Captured: SEND_RELIABLE behind an acknowledgement, of a connection with both checksum and range coder; see test/fixtures/captures.
const connectWithChecksum =
  '8fffdc8b4610775d82ff00010000ffff0000057800010000000000030000000000000000000013880000000200000002a1503c2ecafebabe'
const dataWithChecksum = '8000dc8b23e02d0701ff00010001dc8b86000001000500070e151c'
const withBoth = 'cffffcb072333d3a837b88b1fdf1df576b999b36fcbc3cfb8a54df98ab2be6c9a76edb48f48294916db0'

t.test('a checksum is found by itself, and verified where the bytes allow it', (t) => {
  t.same(describeDatagram(fromHex(connectWithChecksum)).header?.checksum, { value: 0x4610775d, verdict: 'correct' })
  t.equal(describeDatagram(fromHex(dataWithChecksum)).header?.checksum?.verdict, 'unverified', 'it depends on the connect id')
  t.equal(describeDatagram(fromHex(dataWithChecksum), { connectIds: [1, 0xa1503c2e] }).header?.checksum?.verdict, 'correct')
  t.equal(describeDatagram(fromHex(dataWithChecksum), { connectIds: [1] }).header?.checksum?.verdict, 'unverified')
  const wrong = describeDatagram(fromHex(connectWithChecksum.replace('cafebabe', 'cafebabf')))
  t.equal(wrong.header?.checksum?.verdict, 'wrong')
  t.match(wrong.remarks, ['the checksum is wrong: receivers drop the datagram'])
  t.equal(describeDatagram(fromHex(dataWithChecksum), { checksum: false }).header?.checksum, null, 'unless told that there is none')
  t.end()
})

t.test('the verify of a connection brings the connect id for its own checksum', (t) => {
  const verify = '8000dc8b340d997183ff0001000000000000057800010000000000030000000000000000000013880000000200000002a1503c2e'
  t.equal(describeDatagram(fromHex(verify)).header?.checksum?.verdict, 'correct')
  t.equal(describeDatagram(fromHex(verify.replace('0578', '0570'))).header?.checksum?.verdict, 'wrong')
  t.end()
})

t.test('range coder and checksum together are undone', (t) => {
  const { header, commands } = describeDatagram(fromHex(withBoth))
  t.match(header, { checksum: { verdict: 'correct' }, compression: { name: 'range coder', plainBytes: 48, compressedBytes: 34 } })
  t.equal(commands[0]?.fields['connectId'], '695a45ae')
  t.match(lines(withBoth)[0], 'checksum=72333d3a (correct) range coder 48->34')
  t.end()
})

/** "Compresses" by leaving out bytes: good enough to be told from the range coder. */
const shorthand: Compressor = {
  name: 'shorthand',
  compress: () => 0,
  decompress: (input, output) => {
    if (input.length !== 1) return 0
    output.set([0x85, 0xff, 0, input[0] ?? 0])
    return 4
  },
}

t.test('compressors are tried until one makes sense', (t) => {
  t.match(lines('c000 0001 2a', { compressors: [shorthand] }), [
    'datagram of 5 bytes: peerId=0 session=0 sentTime=1 shorthand 4->1',
    'PING+A channel=255 sequence=42',
  ])
  t.match(lines('c000 0001 2a2b', { compressors: [shorthand] })[1], 'no compressor given here undoes it')
  t.match(lines('c000 0001 2a')[1], 'unreadable: the body is compressed', 'noise from the wrong one does not count')
  t.end()
})

t.test('a fork of ENet with other flags is named', (t) => {
  const connect = '4fff 9cf9 82ff0001 0000 ffff 00000578 00010000 00000003 00000000 00000000 00001388 00000002 00000002 0a00000b cafebabe'
  t.match(lines(connect)[1], 'an incompatible fork of ENet')
  t.end()
})
