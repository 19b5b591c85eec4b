// CRC-32 one bit at a time: the definition, for comparison with the fast one.

/** Divides the bytes, as a polynomial with the lowest bit of each byte first, by the generator; the remainder is the checksum. */
export const crc32 = (bytes: Iterable<number>): number => {
  let remainder = 0xffffffff
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const divide = (remainder & 1) !== ((byte >>> bit) & 1)
      remainder >>>= 1
      if (divide) remainder = (remainder ^ 0xedb88320) >>> 0
    }
  }
  return (remainder ^ 0xffffffff) >>> 0
}
