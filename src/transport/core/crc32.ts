// CRC-32 as in zlib and Ethernet: the checksum that ENet programs agree on.

import { crc32 as native } from 'node:zlib'
import type { Checksum } from '../types.ts'

/** The common reflected CRC-32 of all bytes, 0 to 4294967295. */
export const crc32: Checksum = (bytes) => native(bytes)
