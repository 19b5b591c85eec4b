// listen and connect for Node: options → host with a socket → session with calls. Promises, one deadline, coded errors.

import { randomFillSync } from 'node:crypto'
import { addAbortListener } from 'node:events'
import type { MakeDialect, CallsOptions } from './game/calls.ts'
import { Refused } from './session/refused.ts'
import type { Framing } from './session/framing.ts'
import { nativeFraming } from './session/native-framing.ts'
import type { ClientSessionOptions, ServerSessionOptions } from './session/options.ts'
import { createHost } from './transport/create-host.ts'
import type { CreateHostOptions } from './transport/create-host.ts'
import type { Millis } from './transport/endpoint.ts'
import type { Peer } from './transport/types.ts'
import { UdpPort, UdpSession } from './udp-session.ts'
import { EndCode, refusalInWords } from './util/end-codes.ts'
import { aborted, outOfRange, VaivenError } from './util/errors.ts'
import type { RandomBytes } from './util/random.ts'

/** Another kind of peer to speak with: how it frames sessions, how it writes calls, and what its transport needs. */
export interface SessionDialect {
  readonly framing: Framing
  readonly calls: MakeDialect
  /** Host options that go with it; what the caller says beats them. */
  readonly host?: Readonly<Partial<CreateHostOptions>>
}

/** Options of the host underneath that sessions pass on as they are. */
export type TransportOptions = Omit<
  CreateHostOptions,
  'accept' | 'refuseConnections' | 'maxPeers' | 'random' | 'seed' | 'client' | 'signal' | 'port' | 'channels'
>

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
  drainOnSigterm?: boolean | { withinMs?: number; text?: string }
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

const random: RandomBytes = (bytes) => void randomFillSync(bytes)
/** Slots beyond `maxPeers`: room for newcomers who are told, with words, that it is full. */
const SPARE_SLOTS = 8
const DEFAULT_CONNECT_TIMEOUT_MS = 10_000
const MAX_ID_ATTEMPTS = 3

/**
 * Opens a server.
 *
 * @throws VaivenError (as a rejection) ERR_OPTION_RANGE, ERR_SOCKET (port in use …), ERR_ABORTED
 * @example
 * const session = await listen({ port: 7777, maxPeers: 32 })
 * session.on('peerConnected', ({ id }) => console.log(id, 'joined'))
 */
export const listen = async (options: ListenOptions = {}): Promise<UdpSession> => {
  const { dialects = [], drainOnSigterm = false, signal, maxPeers = 32, calls, ...rest } = options
  const framings = [nativeFraming, ...dialects.map(({ framing }) => framing)]
  let session: UdpSession | null = null
  const host = await createHost({
    ...Object.assign({}, ...dialects.map((dialect) => dialect.host ?? {})),
    ...transportOptions(rest),
    channels: Math.max(rest.channels ?? 3, ...framings.map((framing) => framing.minChannels)),
    maxPeers: Math.min(4095, maxPeers + SPARE_SLOTS),
    ...(rest.port === undefined ? {} : { port: rest.port }),
    ...(signal === undefined ? {} : { signal }),
    accept: (request) => session?.gate(request) ?? EndCode.refusing,
  })
  try {
    session = new UdpSession(new UdpPort(host, rest.pump === 'manual'), {
      ...rest,
      role: 'server',
      random,
      framings,
      maxPeers,
      calls: { ...calls, dialects: [...(calls?.dialects ?? []), ...dialects.map((dialect) => dialect.calls)] },
    })
  } catch (error) {
    host.destroy()
    throw error
  }
  if (signal !== undefined) destroyWith(session, signal)
  if (drainOnSigterm !== false) drainWithSigterm(session, drainOnSigterm === true ? {} : drainOnSigterm)
  return session
}

/**
 * Joins a server; resolves when we are in.
 *
 * @throws VaivenError (as a rejection) ERR_REFUSED with the server's reason, ERR_TIMEOUT, ERR_UNREACHABLE, ERR_ABORTED,
 *   ERR_DIALECT (the server speaks another protocol), ERR_SOCKET, ERR_OPTION_RANGE
 * @example
 * const session = await connect({ host: '127.0.0.1', port: 7777 })
 */
export const connect = async (options: ConnectSessionOptions): Promise<UdpSession> => {
  const { host: serverHost, port, timeoutMs = DEFAULT_CONNECT_TIMEOUT_MS, signal, dialect, wait = true, calls, ...rest } = options
  if (!(timeoutMs >= 1 && timeoutMs <= 86_400_000)) throw outOfRange('options.timeoutMs', timeoutMs, '1 to 86400000')
  if (signal?.aborted === true) throw aborted(`connecting to ${serverHost}:${port}`, signal)
  const framing = dialect?.framing ?? nativeFraming
  const until = performance.now() + timeoutMs
  const host = await createHost({
    ...dialect?.host,
    ...transportOptions(rest),
    channels: Math.max(rest.channels ?? 3, framing.minChannels),
    // A second slot, for another try with another id while the first still says goodbye.
    maxPeers: 2,
    client: true,
  })
  const udp = new UdpPort(host, rest.pump === 'manual')
  let session: UdpSession
  try {
    session = new UdpSession(udp, {
      ...rest,
      role: 'client',
      random,
      framings: [framing],
      calls: { ...calls, dialects: [...(calls?.dialects ?? []), ...(dialect === undefined ? [] : [dialect.calls])] },
    })
  } catch (error) {
    host.destroy()
    throw error
  }
  const joined = join(session, { host: serverHost, port, until, signal })
  if (!wait) {
    joined.catch(() => undefined)
    return session
  }
  await joined
  return session
}

/** Where to, and how long it may take. */
interface Destination {
  readonly host: string
  readonly port: number
  readonly until: Millis
  readonly signal: AbortSignal | undefined
}

/** Connects the transport, then joins the session; whatever goes wrong ends both. */
const join = async (session: UdpSession, to: Destination): Promise<void> => {
  const { host: serverHost, port, until, signal } = to
  const where = `${serverHost}:${port}`
  try {
    const peer = await connectTransport(session, to)
    session.begin(peer)
    await session.joined(until, signal)
  } catch (error) {
    const failure = inWords(error, where)
    session.abandon(failure)
    throw failure
  }
}

const connectTransport = async (session: UdpSession, { host, port, until, signal }: Destination): Promise<Peer> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await session.host.connect({
        host,
        port,
        channels: session.channels,
        data: session.connectData,
        timeoutMs: Math.max(1, Math.ceil(until - performance.now())),
        ...(signal === undefined ? {} : { signal }),
      })
    } catch (error) {
      const taken = error instanceof VaivenError && error.code === 'ERR_REFUSED' && error.data === EndCode.badId
      if (!taken || attempt >= MAX_ID_ATTEMPTS) throw error
      session.pickAnotherId()
    }
  }
}

/** A refusal with the server's words. */
const inWords = (error: unknown, where: string): VaivenError => {
  if (!(error instanceof VaivenError)) {
    return new VaivenError('ERR_SOCKET', `connecting to ${where} failed: ${String(error)}`, { cause: error })
  }
  if (error.code !== 'ERR_REFUSED' || error.data === undefined) return error
  // The session's own refusals have the server's words already.
  const message = refusalInWords(where, error.data, error instanceof Refused ? error.words : undefined)
  return new VaivenError(error.data === EndCode.dialect ? 'ERR_DIALECT' : 'ERR_REFUSED', message, { data: error.data, cause: error })
}

const transportOptions = (options: TransportOptions & Record<string, unknown>): TransportOptions => {
  const passed: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(options)) if (!SESSION_OPTIONS.has(name) && value !== undefined) passed[name] = value
  return passed as TransportOptions
}

/** What is the session's business, not the host's. */
const SESSION_OPTIONS = new Set([
  'accept', 'gate', 'relay', 'refuseNewConnections', 'helloTimeoutMs', 'relayLimit', 'kickAfter', 'hello', 'channels', 'port',
])

const destroyWith = (session: UdpSession, signal: AbortSignal): void => {
  const listening = addAbortListener(signal, () => session.destroy())
  session.once('closed', () => listening[Symbol.dispose]())
}

const drainWithSigterm = (session: UdpSession, options: { withinMs?: number; text?: string }): void => {
  const drain = (): void => void session.drain(options)
  process.once('SIGTERM', drain)
  session.once('closed', () => process.off('SIGTERM', drain))
}
