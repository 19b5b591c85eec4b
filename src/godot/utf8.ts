// UTF-8 as Godot 3 reads it: one leading byte-order mark is dropped, a zero byte ends the text, and the two-times-three
// bytes that engines with 16-bit characters (Windows) write for characters beyond the basic plane are one character.

/**
 * Reads `bytes[start, end)` as text. Never throws.
 *
 * Stricter than the engine where no honest encoder can tell: every overlong form, anything beyond U+10FFFF and sequences
 * of five or six bytes are refused, as is a sequence that is cut by `end`. A lone surrogate becomes U+FFFD, because half a
 * character cannot be sent on.
 *
 * @returns the text, or `null` when the bytes are not UTF-8
 */
export const decodeUtf8 = (bytes: Uint8Array, start: number, end: number): string | null => {
  let at = start
  if (end - at >= 3 && bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf) at += 3
  let text = ''
  let high = 0 // a high surrogate that waits for its other half
  const units: number[] = []
  while (at < end) {
    const lead = bytes[at]!
    if (lead === 0) break
    let code = lead
    let size = 1
    if (lead >= 0x80) {
      size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2
      if (lead < 0xc2 || lead > 0xf4 || at + size > end) return null
      code = lead & (0x7f >> size)
      for (let i = 1; i < size; i++) {
        const next = bytes[at + i]!
        if ((next & 0xc0) !== 0x80) return null
        code = (code << 6) | (next & 0x3f)
      }
      if ((size === 3 && code < 0x800) || (size === 4 && (code < 0x10000 || code > 0x10ffff))) return null
    }
    at += size

    if (high !== 0) {
      const whole = code >= 0xdc00 && code <= 0xdfff
      units.push(whole ? high : 0xfffd)
      high = 0
      if (whole) {
        units.push(code)
        continue
      }
    }
    if (code >= 0xd800 && code <= 0xdbff) high = code
    else if (code >= 0xdc00 && code <= 0xdfff) units.push(0xfffd)
    else if (code < 0x10000) units.push(code)
    else units.push(0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff))
    // Handed over in pieces: a call takes only so many arguments.
    if (units.length >= 4096) {
      text += String.fromCharCode(...units)
      units.length = 0
    }
  }
  if (high !== 0) units.push(0xfffd)
  return text + String.fromCharCode(...units)
}

/** Whether a text can be written as UTF-8: no surrogate stands alone. */
export const isWellFormed = (text: string): boolean => !/[\ud800-\udfff]/u.test(text)
