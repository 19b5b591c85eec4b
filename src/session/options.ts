// SessionOptions: meaning, units, defaults, legal ranges. Read once, checked at once.

import type { ConnectRequest } from '../transport/types.ts'
import { EndCode } from '../util/end-codes.ts'
import { outOfRange } from '../util/errors.ts'
import type { RandomBytes } from '../util/random.ts'
import type { Framing } from './framing.ts'
import { nativeFraming } from './native-framing.ts'
import { clipText, MAX_HELLO_BYTES } from './system-messages.ts'

/** Somebody wants in. Its address is proved, but it is nobody's player yet. */
export interface JoinRequest {
  /** The id that it will have. */
  readonly id: number
  readonly address: string
  readonly port: number
  /** What the client gave as `hello` to `connect`; at most 1024 bytes, from a stranger. Empty from Godot clients. */
  readonly hello: Uint8Array
  /** 'vaiven' or, for example, 'godot3'. */
  readonly dialect: string
}

/** `true`: come in. `false`: no. A text: no, and why. An object: no, why, and a number of your own (256 and above). */
export type JoinAnswer = boolean | string | { readonly reason?: string; readonly data?: number }

/** What programs may say about a server session; every option has a default. */
export interface ServerSessionOptions {
  /** Most clients at once, 1 to 4095. @default 32 */
  maxPeers?: number
  /** Clients reach each other, and hear of each other, through the server. [server_relay] @default true */
  relay?: boolean
  /** Turn everybody away from the start. @default false */
  refuseNewConnections?: boolean
  /** Decides about each newcomer, at once or later. It becomes a peer only afterwards; a refusal reaches it with its reason. */
  accept?: (request: JoinRequest) => JoinAnswer | Promise<JoinAnswer>
  /**
   * Decides about each CONNECT before its address is proved: `true`, or the 32-bit data of the refusal. Must be quick, must not
   * throw. Also turns Godot clients away before they believe that they are connected.
   */
  gate?: (request: ConnectRequest) => true | number
  /** How long a client may take to say hello, ms, 100 to 600,000. @default 10000 */
  helloTimeoutMs?: number
  /** What one client may have relayed, packets per second and at once; `false`: no limit. @default { perSecond: 1000, burst: 2000 } */
  relayLimit?: { perSecond: number; burst?: number } | false
  /** Kick a client after so many violations within so many ms; `false`: never. @default { violations: 100, withinMs: 10000 } */
  kickAfter?: { violations: number; withinMs: number } | false
}

/** The same for a client. */
export interface ClientSessionOptions {
  /** What `accept` at the server sees: a token, a password, a name. At most 1024 bytes; a string is sent as UTF-8. */
  hello?: Uint8Array | string
}

/** What a session is made of. */
export interface SessionOptions extends ServerSessionOptions, ClientSessionOptions {
  role: 'server' | 'client'
  /** Source of chance for client ids; give a cryptographic one in production. */
  random: RandomBytes
  /** Channels that a connection has, 3 to 255: 0 to 2 are the session's, the others yours. @default 3 */
  channels?: number
  /** Kinds of peers that are served, the first one being our own as a client. @default our native framing */
  framings?: readonly Framing[]
}

export interface ResolvedSessionOptions {
  readonly role: 'server' | 'client'
  readonly random: RandomBytes
  readonly channels: number
  readonly framings: readonly Framing[]
  readonly maxPeers: number
  readonly relay: boolean
  readonly refuseNewConnections: boolean
  readonly accept: ((request: JoinRequest) => unknown) | null
  readonly gate: ((request: ConnectRequest) => true | number) | null
  readonly helloTimeoutMs: number
  readonly relayLimit: { readonly perSecond: number; readonly burst: number } | null
  readonly kickAfter: { readonly violations: number; readonly withinMs: number } | null
  readonly hello: Uint8Array
}

const integer = (name: string, value: number | undefined, min: number, max: number, fallback: number): number => {
  if (value === undefined) return fallback
  if (!Number.isInteger(value) || value < min || value > max) throw outOfRange(`options.${name}`, value, `an integer from ${min} to ${max}`)
  return value
}

/** @throws VaivenError ERR_OPTION_RANGE naming the option and its legal range */
export const resolveSessionOptions = (options: SessionOptions): ResolvedSessionOptions => {
  const framings = options.framings ?? [nativeFraming]
  const minChannels = Math.max(...framings.map((framing) => framing.minChannels))
  const hello = typeof options.hello === 'string' ? new TextEncoder().encode(options.hello) : (options.hello ?? new Uint8Array(0))
  if (hello.length > MAX_HELLO_BYTES) throw outOfRange('options.hello', `${hello.length} bytes long`, `at most ${MAX_HELLO_BYTES} bytes`)
  const { relayLimit, kickAfter } = options
  return {
    role: options.role,
    random: options.random,
    framings,
    channels: integer('channels', options.channels, minChannels, 255, minChannels),
    maxPeers: integer('maxPeers', options.maxPeers, 1, 4095, 32),
    relay: options.relay ?? true,
    refuseNewConnections: options.refuseNewConnections ?? false,
    accept: options.accept ?? null,
    gate: options.gate ?? null,
    helloTimeoutMs: integer('helloTimeoutMs', options.helloTimeoutMs, 100, 600_000, 10_000),
    relayLimit:
      relayLimit === false
        ? null
        : {
            perSecond: integer('relayLimit.perSecond', relayLimit?.perSecond, 1, 1_000_000, 1000),
            burst: integer('relayLimit.burst', relayLimit?.burst, 1, 1_000_000, 2 * (relayLimit?.perSecond ?? 1000)),
          },
    kickAfter:
      kickAfter === false
        ? null
        : {
            violations: integer('kickAfter.violations', kickAfter?.violations, 0, 1_000_000, 100),
            withinMs: integer('kickAfter.withinMs', kickAfter?.withinMs, 1, 86_400_000, 10_000),
          },
    hello,
  }
}

/** What `accept` answered: null for yes, otherwise the refusal. Anything but `true` refuses. */
export const readVerdict = (answer: unknown): { readonly data: number; readonly text: string } | null => {
  if (answer === true) return null
  if (typeof answer === 'string') return { data: EndCode.refused, text: clipText(answer) }
  if (typeof answer === 'object' && answer !== null) {
    const { reason, data } = answer as { reason?: unknown; data?: unknown }
    const code = typeof data === 'number' && Number.isInteger(data) && data >= 0 && data <= 0xffffffff ? data : EndCode.refused
    return { data: code, text: typeof reason === 'string' ? clipText(reason) : '' }
  }
  return { data: EndCode.refused, text: '' }
}
