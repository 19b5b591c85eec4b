// Numbers computed from names: what a method is called by on the wire. Nothing is negotiated, so nothing goes stale.

const encoder = new TextEncoder()

/** FNV-1a, 32 bits, over the UTF-8 of a text. */
export const hash32 = (text: string): number => {
  let hash = 0x811c9dc5
  for (const byte of encoder.encode(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

/** The same, folded to 24 bits as its authors advise: the high bits are xor-ed into the low ones. */
export const hash24 = (text: string): number => {
  const hash = hash32(text)
  return ((hash >>> 24) ^ (hash & 0xffffff)) >>> 0
}
