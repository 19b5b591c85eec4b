// Copies of datagrams, cut from larger blocks: a block of its own for every small copy would cost more than everything else
// that happens to a datagram here. Receivers keep views of their bytes, so no part of a block is ever used twice.

const BLOCK_BYTES = 65_536
/** Up to here a loop beats the view that `set` needs. */
const SHORT_BYTES = 48

let block = new Uint8Array(BLOCK_BYTES)
let used = 0

/** A copy of the first `length` bytes, for whoever receives it to keep. */
export const copyOf = (bytes: Uint8Array, length: number = bytes.length): Uint8Array => {
  if (used + length > BLOCK_BYTES) {
    block = new Uint8Array(Math.max(BLOCK_BYTES, length))
    used = 0
  }
  const start = used
  used += length
  if (length <= SHORT_BYTES) for (let i = 0; i < length; i++) block[start + i] = bytes[i]!
  else block.set(length === bytes.length ? bytes : bytes.subarray(0, length), start)
  return block.subarray(start, start + length)
}
