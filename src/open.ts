// listen and connect for Node: options → host with a socket → session with calls. Promises, one deadline, coded errors.

import { randomFillSync } from 'node:crypto'
import { addAbortListener } from 'node:events'
import { CONNECT_OPTIONS, LISTEN_OPTIONS, transportOptions } from './open-options.ts'
import type { ConnectSessionOptions, ListenOptions } from './open-options.ts'
import { Refused } from './session/refused.ts'
import { nativeFraming } from './session/native-framing.ts'
import { createHost } from './transport/create-host.ts'
import type { Millis } from './transport/endpoint.ts'
import type { Peer } from './transport/types.ts'
import { UdpPort, UdpSession } from './udp-session.ts'
import { EndCode, refusalInWords } from './util/end-codes.ts'
import { aborted, outOfRange, VaivenError } from './util/errors.ts'
import { checkNames } from './util/names.ts'
import type { RandomBytes } from './util/random.ts'

export type { ConnectSessionOptions, ListenOptions, SessionDialect, TransportOptions } from './open-options.ts'

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
  checkNames(options, LISTEN_OPTIONS)
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
  checkNames(options, CONNECT_OPTIONS)
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

const destroyWith = (session: UdpSession, signal: AbortSignal): void => {
  const listening = addAbortListener(signal, () => session.destroy())
  session.once('closed', () => listening[Symbol.dispose]())
}

const drainWithSigterm = (session: UdpSession, options: { withinMs?: number; reason?: string }): void => {
  const drain = (): void => void session.drain(options)
  process.once('SIGTERM', drain)
  session.once('closed', () => process.off('SIGTERM', drain))
}
