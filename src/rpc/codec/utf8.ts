// UTF-8 in and out of memory that is there already. Strict both ways: what is no text is refused, never replaced by "�".

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const UNPAIRED_SURROGATE = /\p{Surrogate}/u

/** Whether all of these bytes are below 128. */
export const isAscii = (view: DataView, start: number, length: number): boolean => {
  let seen = 0
  let at = start
  for (const end = start + length - 3; at < end; at += 4) seen |= view.getInt32(at, true)
  for (const end = start + length; at < end; at++) seen |= view.getUint8(at)
  return (seen & 0x80808080) === 0
}

/**
 * Writes a text so that it ends at `end`; needs three bytes of room for each UTF-16 unit. Backwards, as its length is not known.
 * @returns where it begins; −1 if it has an unpaired surrogate
 */
export const encodeShort = (text: string, into: Uint8Array, end: number): number => {
  let at = end
  for (let i = text.length - 1; i >= 0; i--) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) into[--at] = unit
    else if (unit < 0x800) {
      into[--at] = 0x80 | (unit & 0x3f)
      into[--at] = 0xc0 | (unit >>> 6)
    } else if (unit < 0xd800 || unit > 0xdfff) {
      into[--at] = 0x80 | (unit & 0x3f)
      into[--at] = 0x80 | ((unit >>> 6) & 0x3f)
      into[--at] = 0xe0 | (unit >>> 12)
    } else {
      const high = i > 0 ? text.charCodeAt(i - 1) : 0
      if (unit < 0xdc00 || high < 0xd800 || high > 0xdbff) return -1
      const point = 0x10000 + ((high & 0x3ff) << 10) + (unit & 0x3ff)
      into[--at] = 0x80 | (point & 0x3f)
      into[--at] = 0x80 | ((point >>> 6) & 0x3f)
      into[--at] = 0x80 | ((point >>> 12) & 0x3f)
      into[--at] = 0xf0 | (point >>> 18)
      i--
    }
  }
  return at
}

/** Writes a text of `length` bytes (as `Buffer.byteLength` counts them) with the runtime's help. @returns false if it is no text */
export const encodeLong = (text: string, into: Buffer, start: number, length: number): boolean => {
  // As many bytes as characters: all of them are ASCII, and those are the same in Latin-1.
  if (length === text.length) into.write(text, start, length, 'latin1')
  else if (UNPAIRED_SURROGATE.test(text)) return false
  else into.write(text, start, length, 'utf8')
  return true
}

/** @returns null if the bytes are not UTF-8 */
export const decodeUtf8 = (bytes: Buffer, start: number, length: number): string | null => {
  const text = bytes.toString('utf8', start, start + length)
  // The quick decoder replaces what it cannot read; whoever really means a "�" pays for a second look.
  if (!text.includes('\ufffd')) return text
  try {
    return strict.decode(bytes.subarray(start, start + length))
  } catch {
    return null
  }
}
