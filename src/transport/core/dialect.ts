// The dialect of one connection: has it a checksum, is it compressed? C ENet must be told on both sides; here each
// connect is answered in the way in which it came. SPEC §2.3, §2.4, §4.6.

import { MAX_DATAGRAM_BYTES } from '../endpoint.ts'
import type { Checksum, Compressor } from '../types.ts'
import { Command, COMMAND_BYTES, HEADER_COMPRESSED, HEADER_SENT_TIME, NO_PEER, PEER_CHANNEL } from './constants.ts'
import type { ResolvedHostOptions } from './options.ts'
import { CommandRecord, decodeCommand, put16, put32, u16, u32 } from './wire.ts'

/** A stranger's compressed datagram is a CONNECT (48 bytes, with our announcement 56) or nothing: neither it nor what it unpacks to is longer. */
const MAX_PACKED_CONNECT = 256
const MAX_PLAIN_CONNECT = 128

export interface Dialect {
  readonly checksum: Checksum | null
  /** What the other side is known to understand; `null` until it has compressed something itself. */
  compressor: Compressor | null
}

/** A datagram after decompression and verification: where its commands are. */
export interface Opened {
  bytes: Uint8Array
  start: number
  end: number
  /** The bytes are a scratch buffer that the next datagram overwrites. */
  scratch: boolean
}

/** Why a datagram could not be opened: the ledger's name for it, or `null` when it was. */
export type OpenFailure = 'malformedDatagram' | 'checksum' | 'compression' | null

/** Opens and seals datagrams; owns the scratch buffers of a host. */
export class Sealer {
  readonly #plain = new Uint8Array(MAX_DATAGRAM_BYTES + 8)
  readonly #packed = new Uint8Array(MAX_DATAGRAM_BYTES + 8)
  readonly #command = new CommandRecord()
  readonly opened: Opened = { bytes: this.#plain, start: 0, end: 0, scratch: false }

  /**
   * Undoes compression and verifies the checksum of a datagram from a known peer. On success the result is in `opened`.
   * Writes the checksum's seed into `bytes`, which are ours.
   */
  open(bytes: Uint8Array, dialect: Dialect, compressors: readonly Compressor[], connectId: number): OpenFailure {
    const word = u16(bytes, 0)
    const headerBytes = 2 + ((word & HEADER_SENT_TIME) !== 0 ? 2 : 0) + (dialect.checksum === null ? 0 : 4)
    if (bytes.length < headerBytes) return 'malformedDatagram'
    if ((word & HEADER_COMPRESSED) === 0) {
      if (dialect.checksum !== null && !verify(bytes, headerBytes, dialect.checksum, connectId)) return 'checksum'
      return this.#found(bytes, headerBytes, bytes.length, false)
    }
    let failure: OpenFailure = 'compression'
    if (dialect.compressor !== null) {
      failure = this.#unpack(bytes, headerBytes, dialect.compressor, dialect.checksum, connectId)
      if (failure === null || compressors.length < 2) return failure
    }
    // The first compressed datagram of this peer, or one that shows that the first guess was wrong: whichever compressor
    // gives something that holds together is its own.
    for (const compressor of compressors) {
      failure = this.#unpack(bytes, headerBytes, compressor, dialect.checksum, connectId)
      if (failure === null && (dialect.checksum !== null || this.#looksWhole())) {
        dialect.compressor = compressor
        return null
      }
    }
    return failure ?? 'compression'
  }

  /**
   * Finds the dialect of a datagram without a peer, which can only be a CONNECT.
   * @returns the dialect (result in `opened`), or the ledger's name for what is wrong
   */
  detect(bytes: Uint8Array, options: ResolvedHostOptions): Dialect | Exclude<OpenFailure, null> {
    const word = u16(bytes, 0)
    const plainHeader = (word & HEADER_SENT_TIME) !== 0 ? 4 : 2
    if (bytes.length < plainHeader + 4) return 'malformedDatagram'
    const compressed = (word & HEADER_COMPRESSED) !== 0
    // Nobody compresses more than a CONNECT without a connection: a stranger's bytes cost no more than that.
    if (compressed && bytes.length > MAX_PACKED_CONNECT) return 'compression'
    const candidates = compressed ? options.compressors : [null]
    let sawChecksum = false
    for (const headerBytes of [plainHeader + 4, plainHeader]) {
      const checksum = headerBytes === plainHeader ? null : options.acceptedChecksum
      for (const compressor of candidates) {
        if (compressor === null) {
          if (!isConnect(bytes, headerBytes, bytes.length)) continue
          sawChecksum ||= checksum !== null
          if (checksum !== null && !verify(bytes, headerBytes, checksum, 0)) continue
          this.#found(bytes, headerBytes, bytes.length, false)
        } else {
          if (this.#unpack(bytes, headerBytes, compressor, null, 0, headerBytes + MAX_PLAIN_CONNECT) !== null) continue
          if (!isConnect(this.#plain, this.opened.start, this.opened.end)) continue
          sawChecksum ||= checksum !== null
          if (checksum !== null && !this.#verifyPlain(checksum, 0)) continue
        }
        return { checksum, compressor }
      }
    }
    return sawChecksum ? 'checksum' : compressed ? 'compression' : 'malformedDatagram'
  }

  /**
   * Completes a datagram whose header (with room for the checksum) and commands are in `out[0 … end)`.
   * @param word header word without the compressed flag
   * @returns its length
   */
  seal(out: Uint8Array, word: number, headerBytes: number, end: number, dialect: Dialect, connectId: number): number {
    let flagged = word
    let packed = 0
    if (dialect.compressor !== null && end > headerBytes) {
      packed = dialect.compressor.compress(out.subarray(headerBytes, end), this.#packed.subarray(0, end - headerBytes))
      // Only when strictly shorter: a receiver accepts both forms at any time.
      if (packed >= end - headerBytes) packed = 0
      if (packed > 0) flagged |= HEADER_COMPRESSED
    }
    put16(out, 0, flagged)
    if (dialect.checksum !== null) {
      // The checksum covers the header with its final flags, the connect id in the checksum's place, and the plain body.
      put32(out, headerBytes - 4, connectId)
      put32(out, headerBytes - 4, dialect.checksum(out.subarray(0, end)))
    }
    if (packed === 0) return end
    out.set(this.#packed.subarray(0, packed), headerBytes)
    return headerBytes + packed
  }

  #found(bytes: Uint8Array, start: number, end: number, scratch: boolean): null {
    const { opened } = this
    opened.bytes = bytes
    opened.start = start
    opened.end = end
    opened.scratch = scratch
    return null
  }

  // The plain form goes behind a copy of the header, so that a checksum can run over both at once.
  #unpack(
    bytes: Uint8Array,
    headerBytes: number,
    compressor: Compressor,
    checksum: Checksum | null,
    seed: number,
    maxBytes = MAX_DATAGRAM_BYTES,
  ): OpenFailure {
    const plain = this.#plain
    plain.set(bytes.subarray(0, headerBytes))
    const size = compressor.decompress(bytes.subarray(headerBytes), plain.subarray(headerBytes, maxBytes))
    if (size <= 0 || size > maxBytes - headerBytes) return 'compression'
    this.#found(plain, headerBytes, headerBytes + size, true)
    return checksum === null || this.#verifyPlain(checksum, seed) ? null : 'checksum'
  }

  #verifyPlain(checksum: Checksum, seed: number): boolean {
    return verify(this.#plain.subarray(0, this.opened.end), this.opened.start, checksum, seed)
  }

  // Commands up to the end, at least one; some compressors pad with zeros.
  #looksWhole(): boolean {
    const { bytes, start, end } = this.opened
    let at = start
    for (let size = decodeCommand(bytes, at, end, this.#command); size > 0; size = decodeCommand(bytes, at, end, this.#command)) at += size
    if (at === start) return false
    while (at < end && bytes[at] === 0) at++
    return at === end
  }
}

/** ENet-CSharp and its kin: there bit 14 says "sent time", and what follows is a CONNECT as everywhere. */
export const looksLikeFork = (bytes: Uint8Array): boolean =>
  bytes.length > 5 && u16(bytes, 0) === (HEADER_COMPRESSED | NO_PEER) && ((bytes[4] ?? 0) & 0x0f) === Command.connect && bytes[5] === PEER_CHANNEL

const isConnect = (bytes: Uint8Array, at: number, end: number): boolean =>
  end - at >= (COMMAND_BYTES[Command.connect] as number) && ((bytes[at] ?? 0) & 0x0f) === Command.connect

const verify = (bytes: Uint8Array, headerBytes: number, checksum: Checksum, seed: number): boolean => {
  const found = u32(bytes, headerBytes - 4)
  put32(bytes, headerBytes - 4, seed)
  const right = checksum(bytes)
  // Put back what was there: detection may try another reading of the same bytes.
  put32(bytes, headerBytes - 4, found)
  return right === found
}
