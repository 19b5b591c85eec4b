// CRC-32 as in zlib and Ethernet: the checksum that every known ENet deployment uses. Knows nothing of datagrams. SPEC §2.3.

import { crc32 as native } from 'node:zlib'
import type { Checksum } from '../types.ts'

/**
 * The common reflected CRC-32 (polynomial 0xEDB88320, initial value and final complement 0xFFFFFFFF) of all bytes.
 * Finds every error confined to 32 bits in a row; anyone can forge it.
 * @returns 0 to 4294967295; 0 for no bytes
 */
export const crc32: Checksum = (bytes) => bytes.length < NATIVE_MIN ? ~sliced(bytes) >>> 0 : native(bytes)

// Node's own is vectorised, but a call costs as much as it takes the tables below to do 50 to 250 bytes; game datagrams are short.
// Measured on Node 20, ns: 10 B 10 against 40, 64 B 45 against 100, 250 B 126 against 140, 1200 B 577 against 261.
const NATIVE_MIN = 256

// Eight bytes at a time: table k holds what a byte turns into with k zero bytes behind it. As constants of the module rather than
// an array of tables, they cost one load each.
const table = (before: Int32Array | null): Int32Array => {
  const entries = new Int32Array(256)
  for (let byte = 0; byte < 256; byte++) {
    if (before === null) {
      let crc = byte
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
      entries[byte] = crc
    } else {
      const crc = before[byte]!
      entries[byte] = (crc >>> 8) ^ table0[crc & 0xff]!
    }
  }
  return entries
}
const table0 = table(null)
const table1 = table(table0)
const table2 = table(table1)
const table3 = table(table2)
const table4 = table(table3)
const table5 = table(table4)
const table6 = table(table5)
const table7 = table(table6)

const sliced = (bytes: Uint8Array): number => {
  const end = bytes.length & ~7
  let crc = -1
  let i = 0
  for (; i < end; i += 8) {
    // Indices below `end` are inside; those into the tables are bytes.
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    crc = table7[crc & 0xff]! ^ table6[(crc >>> 8) & 0xff]! ^ table5[(crc >>> 16) & 0xff]! ^ table4[crc >>> 24]! ^
      table3[bytes[i + 4]!]! ^ table2[bytes[i + 5]!]! ^ table1[bytes[i + 6]!]! ^ table0[bytes[i + 7]!]!
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ table0[(crc ^ bytes[i]!) & 0xff]!
  return crc
}
