// What listen and connect take: the session's options, the transport's, and a few of their own; and which of them go where.

import type { CallsOptions, MakeDialect } from './game/calls.ts'
import type { Framing } from './session/framing.ts'
import type { ClientSessionOptions, ServerSessionOptions } from './session/options.ts'
import { HOST_OPTIONS } from './transport/option-names.ts'
import type { CreateHostOptions } from './transport/create-host.ts'
import type { Names } from './util/names.ts'

/** Another kind of peer to speak with: how it frames sessions, how it writes calls, and what its transport needs. */
export interface SessionDialect {
  /** How source, target and system messages are written. */
  readonly framing: Framing
  /** How calls are written. */
  readonly calls: MakeDialect
  /** Host options that go with it; what the caller says beats them. */
  readonly host?: Readonly<Partial<CreateHostOptions>>
}

/** Options of the host underneath that sessions pass on as they are. */
export type TransportOptions = Omit<
  CreateHostOptions,
  'accept' | 'refuseConnections' | 'maxPeers' | 'random' | 'seed' | 'client' | 'signal' | 'port' | 'channels'
>

/** What `listen` and `connect` have in common. */
interface CommonOptions extends TransportOptions {
  /** Channels that a connection has, 3 to 255: 0 to 2 are the session's, the others yours. @default 3 */
  channels?: number
  /** Limits and bounds of calls. */
  calls?: CallsOptions
}

/** Options of `listen`. [create_server] */
export interface ListenOptions extends CommonOptions, ServerSessionOptions {
  /** UDP port, 0 to 65535; 0 takes any free one: see `session.address`. @default 0 */
  port?: number
  /** Other kinds of clients to serve beside our own, on the same port. */
  dialects?: readonly SessionDialect[]
  /** Drain on SIGTERM: `true`, or with how long and what to tell. @default false */
  drainOnSigterm?: boolean | { withinMs?: number; reason?: string }
  /** Destroys the session when it fires. */
  signal?: AbortSignal
}

/** Options of `connect`. [create_client] */
export interface ConnectSessionOptions extends Omit<CommonOptions, 'host'>, ClientSessionOptions {
  /** A name or a numeric address. */
  host: string
  /** 1 to 65535. */
  port: number
  /** How long everything may take until we are in, ms, 1 to 86,400,000. @default 10000 */
  timeoutMs?: number
  /** Gives up; after we are in, it does nothing. */
  signal?: AbortSignal
  /** The kind of server. @default our own */
  dialect?: SessionDialect
  /**
   * `false`: resolve at once, with a session that is still connecting; `connectedToServer` or `connectionFailed` follows, as in
   * Godot.
   * @default true
   */
  wait?: boolean
}

/** Host options that sessions settle by themselves. */
const { accept, refuseConnections, maxPeers, random, seed, client, signal, port, channels, ...PASSED } = HOST_OPTIONS
const TRANSPORT_OPTIONS: Names<TransportOptions> = PASSED

/** Every option of `listen`. */
export const LISTEN_OPTIONS: Names<ListenOptions> = {
  ...TRANSPORT_OPTIONS,
  port, channels, maxPeers, signal, accept,
  calls: true, relay: true, refuseNewConnections: true, gate: true, helloTimeoutMs: true, relayLimit: true, kickAfter: true, dialects: true,
  drainOnSigterm: true,
}

/** Every option of `connect`. */
export const CONNECT_OPTIONS: Names<ConnectSessionOptions> = {
  ...TRANSPORT_OPTIONS,
  port, channels, signal,
  calls: true, hello: true, timeoutMs: true, dialect: true, wait: true,
}

/** Those that the host underneath takes. */
export const transportOptions = (options: TransportOptions & Record<string, unknown>): TransportOptions => {
  const passed: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(options)) if (name in TRANSPORT_OPTIONS && value !== undefined) passed[name] = value
  return passed as TransportOptions
}
