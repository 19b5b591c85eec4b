// Godot 3: one option that makes `listen` serve Godot games, and `connect` join them. Public face of `vaiven/godot`.

import type { Dialect, Inbound, RpcPort } from '../rpc/index.ts'
import type { Framing } from '../session/index.ts'
import type { Compressor } from '../transport/types.ts'
import { outOfRange } from '../util/errors.ts'
import { GODOT_COMPRESSION_MODES, godotCompressor, godotCompressors } from './compression.ts'
import type { GodotCompression } from './compression.ts'
import { GODOT3, godotFraming } from './framing.ts'
import { GodotDialect } from './multiplayer.ts'
import { resolveVariantLimits } from './variant-types.ts'
import type { VariantLimits } from './variant-types.ts'

/** What may differ from game to game. */
export interface GodotOptions {
  /**
   * The game's `compression_mode`, for `connect`; a server takes each client in its own. Godot 3.4 and later have
   * `'rangeCoder'` on unless the game says otherwise, earlier ones `'none'`.
   * @default 'none'
   */
  compression?: GodotCompression
  /** The game's `channel_count`, 3 to 255. @default 3 */
  channels?: number
  /**
   * Names that do not follow the rule (camelCase here, snake_case in Godot), ours → Godot's, for methods, properties and
   * nodes: `{ lobby: 'world/lobby', onHTTP: 'on_http' }`.
   */
  names?: Readonly<Record<string, string>>
  /** Bounds for the values in calls. @default depth 64, 65536 values, 4 MiB */
  limits?: VariantLimits
}

/** Everything that makes a session speak Godot: parts for the layers, each of which knows only its own. */
export interface GodotPreset {
  readonly name: typeof GODOT3
  /** For the transport: what an ENet host of a Godot game has. */
  readonly host: {
    readonly channels: number
    readonly mtu: number
    readonly compression: 'none' | Compressor
    readonly compressors: readonly Compressor[]
  }
  /** For the session. */
  readonly framing: Framing
  readonly channels: number
  /** For the calls. */
  readonly dialect: (port: RpcPort, inbound: Inbound) => Dialect
}

/**
 * The option for Godot 3.2 to 3.6: `listen({ port, dialects: ['vaiven', godot3()] })`, `connect({ host, port, dialect: godot3() })`.
 * @throws VaivenError ERR_OPTION_RANGE
 */
export const godot3 = ({ compression = 'none', channels = 3, names, limits }: GodotOptions = {}): GodotPreset => {
  if (!Object.hasOwn(GODOT_COMPRESSION_MODES, compression)) {
    throw outOfRange('options.compression', compression, Object.keys(GODOT_COMPRESSION_MODES).map((mode) => `'${mode}'`).join(', '))
  }
  if (!Number.isInteger(channels) || channels < 3 || channels > 255) throw outOfRange('options.channels', channels, 'an integer from 3 to 255')
  resolveVariantLimits(limits)
  const dialectOptions = { ...(names === undefined ? {} : { names }), ...(limits === undefined ? {} : { limits }) }
  return {
    name: GODOT3,
    // ENet's MTU: what both sides are used to.
    host: { channels, mtu: 1400, compression: godotCompressor(compression) ?? 'none', compressors: godotCompressors() },
    framing: godotFraming,
    channels,
    dialect: (port, inbound) => new GodotDialect(port, inbound, dialectOptions),
  }
}

export { GODOT_COMPRESSION_MODES, godotCompressor, godotCompressors } from './compression.ts'
export type { GodotCompression } from './compression.ts'
export { variant } from './variant-codec.ts'
export * from './variant.ts'
