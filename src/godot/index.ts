// Godot 3: one option that makes `listen` serve Godot games, and `connect` join them. Public face of `vaiven/godot`.

import type { Dialect, Inbound, RpcPort } from '../rpc/index.ts'
import type { Framing } from '../session/index.ts'
import type { Compressor } from '../transport/types.ts'
import { outOfRange } from '../util/errors.ts'
import { GODOT_COMPRESSION_MODES, godotCompressor, godotCompressors } from './compression.ts'
import type { GodotCompression } from './compression.ts'
import { makeGodotFraming } from './framing.ts'
import { GodotDialect } from './multiplayer.ts'
import { resolveVariantLimits } from './variant-limits.ts'
import type { VariantLimits } from './variant-limits.ts'

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
  /** Bounds for the values in calls, our own and those passed on between clients. @default depth 64, 65536 values, 4 MiB */
  limits?: VariantLimits
}

/** Everything that makes a session speak Godot: a part for each layer, which knows only its own. */
export interface GodotPreset {
  /** For the session: source and target, who is there. */
  readonly framing: Framing
  /** For the calls. */
  readonly calls: (port: RpcPort, inbound: Inbound) => Dialect
  /** For the transport: what an ENet host of a Godot game has. */
  readonly host: {
    readonly mtu: number
    readonly compression: 'none' | Compressor
    readonly compressors: readonly Compressor[]
  }
}

/**
 * The option for Godot 3.2 to 3.6.
 *
 * @throws VaivenError ERR_OPTION_RANGE
 * @example
 * const server = await listen({ port: 7777, dialects: [godot3()] })   // serves Godot games and our own clients
 * const client = await connect({ host, port: 7777, dialect: godot3() })   // joins a Godot server
 */
export const godot3 = ({ compression = 'none', channels = 3, names, limits }: GodotOptions = {}): GodotPreset => {
  if (!Object.hasOwn(GODOT_COMPRESSION_MODES, compression)) {
    throw outOfRange(
      'options.compression',
      compression,
      Object.keys(GODOT_COMPRESSION_MODES)
        .map((mode) => `'${mode}'`)
        .join(', '),
    )
  }
  if (!Number.isInteger(channels) || channels < 3 || channels > 255)
    throw outOfRange('options.channels', channels, 'an integer from 3 to 255')
  const bounds = resolveVariantLimits(limits)
  const dialectOptions = { ...(names === undefined ? {} : { names }), ...(limits === undefined ? {} : { limits }) }
  return {
    framing: makeGodotFraming({ minChannels: channels, limits: bounds }),
    calls: (port, inbound) => new GodotDialect(port, inbound, dialectOptions),
    // The MTU is the one that Godot's own hosts have; compressors are told apart for each client.
    host: { mtu: 1400, compression: godotCompressor(compression) ?? 'none', compressors: godotCompressors() },
  }
}

export { GODOT_COMPRESSION_MODES, godotCompressor, godotCompressors } from './compression.ts'
export type { GodotCompression } from './compression.ts'
export { variant } from './variant-codec.ts'
export * from './variant.ts'
