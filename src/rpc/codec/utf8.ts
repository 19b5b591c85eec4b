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

/** Writes a text of `length` bytes (as `Buffer.byteLength` counts them). @returns false if it has an unpaired surrogate */
export const encodeUtf8 = (text: string, into: Buffer, start: number, length: number): boolean => {
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
