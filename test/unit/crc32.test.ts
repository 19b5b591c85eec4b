// CRC-32 against known answers and datagrams of C ENet.

import t from 'tap'
import { crc32 } from '../../src/transport/core/crc32.ts'
import { fromHex, readCapture } from '../support/captures.ts'
import { crc32 as bitwise } from '../support/twins/crc32.ts'

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)

t.test('gives the answers that everyone knows', (t) => {
  const answers: readonly (readonly [name: string, bytes: Uint8Array, checksum: number])[] = [
    ['nothing', ascii(''), 0],
    ['a', ascii('a'), 0xe8b7be43],
    ['abc', ascii('abc'), 0x352441c2],
    ['the check value of the catalogues', ascii('123456789'), 0xcbf43926],
    ['the quick brown fox', ascii('The quick brown fox jumps over the lazy dog'), 0x414fa339],
    ['32 zeros', new Uint8Array(32), 0x190a55ad],
    ['32 ones', new Uint8Array(32).fill(0xff), 0xff6cab0b],
    ['0 to 31', Uint8Array.from({ length: 32 }, (_, i) => i), 0x91267e8a],
  ]
  for (const [name, bytes, checksum] of answers) t.equal(crc32(bytes), checksum, name)
  t.end()
})

t.test('is the same at every length, on both sides of every way of computing it', (t) => {
  const bytes = Uint8Array.from({ length: 1500 }, (_, i) => (i * 151) >> 2)
  const lengths = [...Array.from({ length: 530 }, (_, i) => i), 1199, 1200, 1201, 1500]
  const wrong = lengths.filter((length) => crc32(bytes.subarray(0, length)) !== bitwise(bytes.subarray(0, length)))
  t.strictSame(wrong, [])
  t.end()
})

t.test('sees only the view it was given', (t) => {
  const around = new Uint8Array(1000).fill(0xee)
  for (const length of [9, 700]) {
    const bytes = Uint8Array.from({ length }, (_, i) => i)
    around.set(bytes, 101)
    t.equal(crc32(around.subarray(101, 101 + length)), bitwise(bytes))
    t.equal(crc32(Buffer.from(around.buffer, 101, length)), bitwise(bytes), 'a Buffer')
  }
  t.end()
})

t.test('matches the checksum of every datagram captured from C ENet', (t) => {
  const datagrams = readCapture('enet-crc32.json')
  t.ok(datagrams.length >= 60, 'the capture is there')
  // The seed stands where the checksum will: zeros from a sender without a peer number yet, then the connect id as it came.
  const connect = datagrams[0]!.bytes
  const connectId = connect.subarray(connect.length - 8, connect.length - 4)
  for (const { where, bytes } of datagrams) {
    const at = bytes[0]! & 0x80 ? 4 : 2
    const known = ((bytes[0]! & 0x0f) << 8 | bytes[1]!) !== 0xfff
    const seeded = Uint8Array.from(bytes)
    seeded.set(known ? connectId : [0, 0, 0, 0], at)
    t.equal(crc32(seeded), new DataView(bytes.buffer, bytes.byteOffset).getUint32(at), where)
  }
  t.end()
})

t.test('matches the worked example of a CONNECT', (t) => {
  const body = '82ff00010000ffff0000057800010000000000030000000000000000000013880000000200000002a1503c2ecafebabe'
  t.equal(crc32(fromHex(`8fff dc8b 00000000 ${body}`)), 0x4610775d)
  t.end()
})
