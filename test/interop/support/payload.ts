// Payloads that both ends can compute from (seed, index, size): the twin of payload_fill in ../c/common.h.

/**
 * Bytes of packet number `index`: the number itself in the first four (when there is room), then chance. Odd ones are made
 * of few letters, so that a compressor has something to do; even ones cannot be compressed.
 */
export const payload = (seed: number, index: number, size: number): Uint8Array => {
  const out = new Uint8Array(size)
  let state = Math.imul(seed, 2654435761) ^ Math.imul(index, 2246822519) ^ 0x9e3779b9
  if (state === 0) state = 1
  let word = 0
  for (let i = 0; i < size; i++) {
    if ((i & 3) === 0) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      word = state
    }
    const byte = (word >>> (8 * (i & 3))) & 0xff
    out[i] = index & 1 ? 97 + (byte & 7) : byte
  }
  if (size >= 4) new DataView(out.buffer).setUint32(0, index >>> 0)
  return out
}

/** The number in a payload of four bytes or more. */
export const indexOf = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0)
