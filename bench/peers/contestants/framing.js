// Messages over a stream of bytes: four bytes of length before each. For rivals that carry streams.

/** Calls back with each whole message of a stream. */
export const messages = (stream, onMessage) => {
  let rest = null
  stream.on('data', (chunk) => {
    const all = rest === null ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    while (all.length - at >= 4) {
      const size = all.readUInt32BE(at)
      if (all.length - at - 4 < size) break
      onMessage(all.subarray(at + 4, at + 4 + size))
      at += 4 + size
    }
    rest = at === all.length ? null : all.subarray(at)
  })
}

export const framed = (bytes) => {
  const out = Buffer.allocUnsafe(4 + bytes.length)
  out.writeUInt32BE(bytes.length, 0)
  out.set(bytes, 4)
  return out
}

/** Frames small messages into one write for each flush, as a careful user of a stream does. */
export const batching = (write) => {
  let parts = []
  return {
    send: (bytes) => void parts.push(framed(bytes)),
    flush() {
      if (parts.length === 0) return
      write(parts.length === 1 ? parts[0] : Buffer.concat(parts))
      parts = []
    },
  }
}
