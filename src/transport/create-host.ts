// createHost: options to a bound socket, a core with real randomness, and a UdpHost around both.

import { randomFillSync, randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { VaivenError, aborted, outOfRange } from '../util/errors.ts'
import { checkNames } from '../util/names.ts'
import { displayAddress } from './address.ts'
import { Host } from './core/host.ts'
import { integerOption } from './core/options.ts'
import type { HostOptions } from './core/options.ts'
import { HOST_OPTIONS } from './option-names.ts'
import { unresolved } from './resolve.ts'
import type { Reach } from './resolve.ts'
import type { PathConditions } from './simulator/conditions.ts'
import { UdpHost } from './udp-host.ts'
import type { Pump } from './udp.ts'

/** Options of a host with a socket. */
export interface CreateHostOptions extends HostOptions {
  /**
   * Address or name to bind to. By default all addresses of the machine, IPv4 and IPv6 on one socket; IPv4 alone where the
   * machine has no IPv6.
   */
  host?: string
  /** UDP port, 0 to 65535; 0 takes any free one. @default 0 */
  port?: number
  /** `'manual'`: the host runs only in `poll()` and `flush()`, once per frame of a game loop. @default 'auto' */
  pump?: Pump
  /**
   * This host talks to one server at a time and takes no connects: its socket is connected to the server, which makes
   * sending cheaper and lets the operating system say that nobody listens there. @default false
   */
  client?: boolean
  /**
   * Size of the socket's receive buffer to ask for, bytes, 4096 to 1 GiB. The operating system may grant less (see
   * `host.stats`); what does not fit is lost before anyone sees it. @default 4 MiB
   */
  receiveBufferBytes?: number
  /** The same for sending. @default 4 MiB */
  sendBufferBytes?: number
  /** A worse network on purpose: conditions or a profile of `vaiven/simulator`. @default undefined: the network as it is */
  impair?: PathConditions
  /** Several sockets may share the port; the kernel spreads peers by address. Node 22.12 and later, not on Windows. @default false */
  reusePort?: boolean
  /** Destroys the host when it fires. */
  signal?: AbortSignal
}

const DEFAULT_BUFFER_BYTES = 4 * 1024 * 1024
/** What binding to `::` answers on machines without IPv6. */
const NO_IPV6 = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT', 'ENOPROTOOPT'])

/**
 * Opens a socket and an ENet host on it.
 *
 * @throws VaivenError (as a rejection) `ERR_OPTION_RANGE` naming the option; `ERR_SOCKET` when the address is in use, not
 *   ours or not allowed; `ERR_ABORTED`
 * @example
 * await using host = await createHost({ port: 7777, maxPeers: 64 })
 * host.on('receive', (peer, channel, bytes, delivery) => peer.send(channel, bytes, delivery))
 */
export const createHost = async (options: CreateHostOptions = {}): Promise<UdpHost> => {
  checkNames(options, HOST_OPTIONS)
  const port = integerOption('port', options.port, 0, 65_535, 0)
  const receiveBufferBytes = integerOption('receiveBufferBytes', options.receiveBufferBytes, 4096, 2 ** 30, DEFAULT_BUFFER_BYTES)
  const sendBufferBytes = integerOption('sendBufferBytes', options.sendBufferBytes, 4096, 2 ** 30, DEFAULT_BUFFER_BYTES)
  const {
    host, port: _port, pump = 'auto', client = false, receiveBufferBytes: _receive, sendBufferBytes: _send, impair, reusePort, signal,
    ...coreOptions
  } = options
  if (pump !== 'auto' && pump !== 'manual') throw outOfRange('options.pump', pump, "'auto' or 'manual'")
  if (host !== undefined && (typeof host !== 'string' || host === '')) throw outOfRange('options.host', host, 'an address or a name')
  if (signal?.aborted === true) throw aborted('opening the host', signal)

  const core = new Host({
    ...coreOptions,
    // An option that is there and undefined must not bring back the core's predictable default.
    random: options.random ?? ((bytes) => void randomFillSync(bytes)),
    refuseConnections: options.refuseConnections ?? client,
  })
  const impaired = impair === undefined ? null : await impairedEndpoint(core, impair)
  const { socket, reach } = await bind(host, port, reusePort === true)
  if (signal?.aborted) {
    socket.close()
    throw aborted('opening the host', signal)
  }
  const { address, port: boundPort } = socket.address()
  return new UdpHost({
    core,
    endpoint: impaired ?? core,
    empty: () => impaired === null || impaired.links.to.deadline() === Infinity,
    socket,
    bound: { address, port: boundPort },
    reach,
    receiveBufferBytes: enlarge(receiveBufferBytes, (size) => socket.setRecvBufferSize(size), () => socket.getRecvBufferSize()),
    sendBufferBytes: enlarge(sendBufferBytes, (size) => socket.setSendBufferSize(size), () => socket.getSendBufferSize()),
    pump,
    client,
    connectTimeoutMs: integerOption('connectTimeoutMs', options.connectTimeoutMs, 100, 86_400_000, 5_000),
    signal,
  })
}

/** Loaded only by those who want it; each host has its own luck. */
const impairedEndpoint = async (core: Host, conditions: PathConditions) => {
  const { ImpairedEndpoint } = await import('./simulator/impaired-endpoint.ts')
  return new ImpairedEndpoint(core, conditions, { seed: randomInt(2 ** 32) })
}

const bind = async (host: string | undefined, port: number, reusePort: boolean): Promise<{ socket: Socket; reach: Reach }> => {
  if (host === undefined) {
    try {
      return { socket: await bindTo('::', port, reusePort), reach: 'dual' }
    } catch (error) {
      if (!NO_IPV6.has((error as NodeJS.ErrnoException).code ?? '')) throw bindError(error, '::', port, reusePort)
      host = '0.0.0.0'
    }
  }
  const address = isIP(host) === 0 ? await numeric(host) : host
  try {
    const reach = address === '::' ? 'dual' : address.includes(':') ? 'ipv6' : 'ipv4'
    return { socket: await bindTo(address, port, reusePort), reach }
  } catch (error) {
    throw bindError(error, host, port, reusePort)
  }
}

const numeric = async (host: string): Promise<string> => {
  try {
    return (await lookup(host)).address
  } catch (error) {
    throw unresolved(host, error)
  }
}

const bindTo = (address: string, port: number, reusePort: boolean): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const options = { type: address.includes(':') ? ('udp6' as const) : ('udp4' as const), lookup: lookUpNumeric, reusePort }
    const socket = createSocket(options)
    const failed = (error: Error): void => {
      socket.close()
      reject(error)
    }
    socket.once('error', failed)
    socket.bind({ address, port }, () => {
      socket.off('error', failed)
      resolve(socket)
    })
  })

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string, family: number) => void

/**
 * dgram looks up every destination, numeric or not, and its own look-up puts each send off by a tick, out of order with
 * other sockets. All addresses that reach the socket are numeric (`resolveHost`), so they are answered at once: then a
 * datagram has left when `send` returns.
 */
const lookUpNumeric = (address: string, options: unknown, callback?: LookupCallback): void => {
  const done = callback ?? (options as LookupCallback)
  done(null, address, address.includes(':') ? 6 : 4)
}

/** Asks for a buffer size, for less where that is refused, and reads back what was granted. */
const enlarge = (wanted: number, set: (size: number) => void, get: () => number): number => {
  for (let size = wanted; size >= 65_536 || size === wanted; size = Math.floor(size / 2)) {
    try {
      set(size)
      break
    } catch {
      // Some systems refuse what is above their limit instead of granting the limit.
    }
  }
  return get()
}

const bindError = (cause: unknown, host: string, port: number, reusePort: boolean): VaivenError => {
  const { code, message } = cause as NodeJS.ErrnoException
  const where = displayAddress(host, port)
  const text = {
    EADDRINUSE:
      `UDP port ${port} is in use (${where}); stop the other program, choose another port, or 0 for any free one` +
      (reusePort ? '; reusePort needs Node 22.12 and every socket on the port must ask for it' : ''),
    EACCES: `no permission to bind to ${where}; ports below 1024 need privileges, choose a higher one`,
    EADDRNOTAVAIL: `${host} is not an address of this machine; leave out the option host to listen on all of them`,
    EAFNOSUPPORT: `this machine does not support addresses like ${host}`,
  }[code ?? '']
  return new VaivenError('ERR_SOCKET', text ?? `cannot open a socket on ${where}: ${message}`, { cause })
}
