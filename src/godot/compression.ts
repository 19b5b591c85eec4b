// The compressions that a Godot 3 game may have on, each in the place of ENet's. SPEC §16.6.

import { deflateSync, inflateSync } from 'node:zlib'
import * as zlib from 'node:zlib'
import { RangeCoder } from '../transport/core/range-coder.ts'
import type { Compressor } from '../transport/types.ts'
import { FastLz } from './fastlz.ts'
import { decompressZstd, isZstd } from './zstd.ts'

/** Names of Godot's compression modes; their numbers are 0 to 4 in this order. */
export type GodotCompression = 'none' | 'rangeCoder' | 'fastlz' | 'zlib' | 'zstd'

/** Godot's numbers of the modes, as in `NetworkedMultiplayerENet.compression_mode`. */
export const GODOT_COMPRESSION_MODES: Readonly<Record<GodotCompression, number>> = { none: 0, rangeCoder: 1, fastlz: 2, zlib: 3, zstd: 4 }

/**
 * All of them, for `HostOptions.compressors`: one port then serves clients of every mode, each in its own.
 *
 * The order is from the one that is hardest to mistake to the one that is easiest: zstd begins with four fixed bytes, zlib
 * with a header that checks itself (and a checksum at the end), FastLZ refuses most bytes that are not its own, and the
 * range coder makes something of any bytes; what comes out must then be ENet commands.
 */
export const godotCompressors = (): Compressor[] => [new Zstd(), new Zlib(), new FastLz(), new RangeCoder()]

/** The compressor of a mode; null for none. */
export const godotCompressor = (mode: GodotCompression): Compressor | null => {
  switch (mode) {
    case 'none':
      return null
    case 'rangeCoder':
      return new RangeCoder()
    case 'fastlz':
      return new FastLz()
    case 'zlib':
      return new Zlib()
    case 'zstd':
      return new Zstd()
  }
}

/** zlib at its default level: Godot's mode 3. */
export class Zlib implements Compressor {
  readonly name: string = 'zlib'

  compress(input: Uint8Array, output: Uint8Array): number {
    if (input.length === 0) return 0
    const packed = deflateSync(input, { chunkSize: chunkFor(input.length) })
    return fit(packed, output)
  }

  decompress(input: Uint8Array, output: Uint8Array): number {
    // The two bytes of its header: method 8, no dictionary, a multiple of 31. Saves a throw for most that is not zlib.
    if (input.length < 8 || (input[0]! & 0x0f) !== 8 || (input[1]! & 0x20) !== 0 || ((input[0]! << 8) | input[1]!) % 31 !== 0) return 0
    if (output.length === 0) return 0
    try {
      return fit(inflateSync(input, { maxOutputLength: output.length, chunkSize: chunkFor(output.length) }), output)
    } catch {
      // Damaged, or more than fits: Node tells by throwing.
      return 0
    }
  }
}

/** Node 22.15 and later. */
const zstdCompressSync = (zlib as { zstdCompressSync?: (input: Uint8Array) => Uint8Array }).zstdCompressSync

/**
 * Zstandard at its default level, 3: Godot's mode 4. Reads on every Node; writes where Node has a native one (22.15, 23.8),
 * elsewhere it never shortens anything, so that datagrams go out plain, which every receiver takes.
 */
export class Zstd implements Compressor {
  readonly name: string = 'zstd'

  compress(input: Uint8Array, output: Uint8Array): number {
    return zstdCompressSync === undefined || input.length === 0 ? 0 : fit(zstdCompressSync(input), output)
  }

  decompress(input: Uint8Array, output: Uint8Array): number {
    return isZstd(input) ? decompressZstd(input, output) : 0
  }
}

/** Node works in pieces of at least 64 bytes; one piece is enough for a datagram, and its default of 16 KiB is too much. */
const chunkFor = (size: number): number => Math.max(64, Math.min(16_384, size + 64))

const fit = (bytes: Uint8Array, output: Uint8Array): number => {
  if (bytes.length > output.length) return 0
  output.set(bytes)
  return bytes.length
}
