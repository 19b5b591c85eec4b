// HostOptions: meaning, units, defaults, legal ranges. Read once, checked at once, frozen.

import { outOfRange } from '../../util/errors.ts'
import { checkNames } from '../../util/names.ts'
import { SeededRandom } from '../../util/random.ts'
import type { RandomBytes } from '../../util/random.ts'
import type { ChannelPriority, Checksum, Compressor, ConnectRequest } from '../types.ts'
import * as c from './constants.ts'
import type { Redundancy } from './copies.ts'
import { crc32 } from './crc32.ts'
import { DEFAULT_FRESHNESS_MS } from './lane.ts'
import { CORE_OPTIONS } from './option-names.ts'
import { RangeCoder } from './range-coder.ts'

/** Options of a host; every one has a default. */
export interface HostOptions {
  /** Most peers at once, in and out, 1 to 4095. @default 32 */
  maxPeers?: number
  /** Most channels that others may have with us, 1 to 255; a connect that asks for more is granted this many. @default 255 */
  channels?: number
  /** Largest UDP payload to send, bytes, 576 to 4096 (4092 with a checksum). The lower one of both sides counts. @default 1200 */
  mtu?: number
  /** What this host may receive in total, bytes per second, 0 to 4294967295; told to every peer; 0: no limit. @default 0 */
  incomingBandwidthBytesPerSecond?: number
  /** What this host may send in total, bytes per second, 0 to 4294967295; 0: no limit. @default 0 */
  outgoingBandwidthBytesPerSecond?: number
  /**
   * The checksum that datagrams carry. `'crc32'` or a function: our own connects carry it; connects to us may come with
   * or without it, and each is answered in its own way. `'none'`: connects to us that carry a CRC-32 are served all the
   * same. `{ require }`: connects to us without it are refused.
   * @default 'none'
   */
  checksum?: 'none' | 'crc32' | Checksum | { require: 'crc32' | Checksum }
  /**
   * Compression of what we send on our own connects: `'rangeCoder'` is ENet's own. Connects to us are answered in
   * the way in which they come (see `compressors`).
   * @default 'none'
   */
  compression?: 'none' | 'rangeCoder' | Compressor
  /** Compressors that peers connecting to us may use, tried in order. @default the range coder */
  compressors?: readonly Compressor[]
  /**
   * ENet's timeout numbers. A peer that acknowledges nothing is dropped after `maximumMs`, or after `minimumMs` if by then
   * something has been repeated log2(`limit`) times. `limit` 2 to 2^20, times 100 to 86,400,000.
   * @default { limit: 32, minimumMs: 5000, maximumMs: 30000 }
   */
  timeout?: { limit?: number; minimumMs?: number; maximumMs?: number }
  /** How long a connect of ours may go unanswered, ms, 100 to 86,400,000. @default 5000 */
  connectTimeoutMs?: number
  /** How often an idle connection is probed, ms, 50 to 3,600,000. @default 500 */
  pingIntervalMs?: number
  /** Largest packet, bytes, 1 to 33,554,432, in both directions. @default 33554432 */
  maxPacketBytes?: number
  /** Queued bytes above which `send` answers false. @default 1 MiB */
  sendHighMarkBytes?: number
  /** Queued bytes at which `drain` follows. @default half of the high mark */
  sendLowMarkBytes?: number
  /**
   * Queued bytes above which reliable sends throw `ERR_QUEUE_FULL` and unreliable ones are dropped (ledger `queueFull`).
   * A single legal packet is always admitted to an empty queue. @default 64 MiB
   */
  sendCapBytes?: number
  /**
   * What one peer may make us hold (out of order, in fragments, or not yet polled), bytes, counting 128 for each piece.
   * Above it pieces are refused without acknowledgement, so that they come again later. @default 2 × maxPacketBytes + 1 MiB
   */
  receiveBudgetBytes?: number
  /** The same for all peers together. @default 256 MiB */
  hostReceiveBudgetBytes?: number
  /** Scheduling by channel number; channels not named have level 4 and weight 10. @default {} */
  channelPriorities?: Readonly<Record<number, ChannelPriority>>
  /**
   * Which rule drops unreliable packets under congestion: `'enet'` is ENet's packet throttle, bit for bit, which drops by
   * chance; `'none'` drops only what could not leave within its channel's `freshnessMs` (SPEC §7.5).
   * @default 'none'
   */
  throttle?: 'none' | 'enet'
  /**
   * Keep to ENet's 64 KiB in flight even where the other side states no limit. C receivers do not enforce it; with it a
   * path of 100 ms carries 0.6 MB/s. @default false
   */
  strictWindow?: boolean
  /** Largest amount of unacknowledged reliable data to one peer without a stated limit, bytes, 64 KiB to 64 MiB. @default 8 MiB */
  maxInFlightBytes?: number
  /** Find the path's rate and pace bulk data by it (SPEC §7.4). `false`: as C ENet, only the window. @default true */
  congestionControl?: boolean
  /**
   * Send small reliable packets more than once before they are known to be lost: `'auto'` by the loss seen so far, or
   * always 0 to 3 copies. Costs bytes, saves round trips (SPEC §6.6). @default 'off'
   */
  redundancy?: Redundancy
  /**
   * Offer our extension (SPEC §6.11) to whoever connects or is connected to; a peer that does not know it loses nothing.
   * Off with `sentTime: 'clock'`. @default true
   */
  extension?: boolean
  /** Largest packet that `redundancy` doubles, bytes, 0 to 1200. @default 256 */
  redundancyBytes?: number
  /** What the sent-time field carries: a datagram number (`'unique'`) or ENet's 16-bit millisecond clock. @default 'unique' */
  sentTime?: 'unique' | 'clock'
  /** Refuse every connect (data 1, SPEC §9) until changed by `host.refuseConnections`. @default false */
  refuseConnections?: boolean
  /**
   * Decides about a connect before anything is promised: `true` to accept, or the 32-bit data of the refusal that is
   * sent back at once. Must be quick: it runs for datagrams whose sender is not proved. What it throws counts as `refusing` (1) and
   * is told as a listener's error.
   */
  accept?: (request: ConnectRequest) => true | number
  /** Half-open connects kept at once, 16 to 65,536; the oldest makes room. @default 4096 */
  maxHalfOpen?: number
  /**
   * Source of chance: connect ids, peer numbers, sessions, sequence starts. Give a cryptographic source in production
   * (`createHost` does); the default is seeded with `seed`, for simulations.
   */
  random?: RandomBytes
  /** Seed of the default source of chance. @default 1 */
  seed?: number
  /**
   * A gap between two calls of `advance` longer than this is our own stall and is not charged to any peer, ms. @default 250
   */
  stallMs?: number
}

/** HostOptions after checking: every field is there. */
export interface ResolvedHostOptions {
  readonly maxPeers: number
  readonly channels: number
  readonly mtu: number
  readonly incomingBandwidth: number
  readonly outgoingBandwidth: number
  readonly checksum: Checksum | null
  readonly acceptedChecksum: Checksum
  readonly requireChecksum: boolean
  readonly compressor: Compressor | null
  readonly compressors: readonly Compressor[]
  readonly timeoutLimit: number
  readonly timeoutMinimumMs: number
  readonly timeoutMaximumMs: number
  readonly connectTimeoutMs: number
  readonly pingIntervalMs: number
  readonly maxPacketBytes: number
  readonly sendHighMarkBytes: number
  readonly sendLowMarkBytes: number
  readonly sendCapBytes: number
  readonly receiveBudgetBytes: number
  readonly hostReceiveBudgetBytes: number
  readonly channelPriorities: ReadonlyMap<number, ResolvedPriority>
  readonly throttle: 'none' | 'enet'
  readonly strictWindow: boolean
  readonly maxInFlightBytes: number
  readonly congestionControl: boolean
  readonly redundancy: Redundancy
  readonly redundancyBytes: number
  readonly extension: boolean
  readonly sentTime: 'unique' | 'clock'
  readonly refuseConnections: boolean
  readonly accept: ((request: ConnectRequest) => true | number) | null
  readonly maxHalfOpen: number
  readonly random: RandomBytes
  readonly stallMs: number
}

/** An integer in [min, max], or the default when `undefined`. @throws VaivenError ERR_OPTION_RANGE */
export const integerOption = (name: string, value: number | undefined, min: number, max: number, fallback: number, why = ''): number => {
  if (value === undefined) return fallback
  if (!Number.isInteger(value) || value < min || value > max) {
    throw outOfRange(`options.${name}`, value, `an integer from ${min} to ${max}${why && ` (${why})`}`)
  }
  return value
}

const choice = <T extends string>(name: string, value: T | undefined, legal: readonly T[], fallback: T): T => {
  if (value === undefined) return fallback
  if (!legal.includes(value)) throw outOfRange(`options.${name}`, value, `one of ${legal.join(', ')}`)
  return value
}

/** A channel's scheduling after checking. */
export interface ResolvedPriority {
  readonly level: number
  readonly weight: number
  readonly bulk: boolean
  readonly redundancy: Redundancy | undefined
  readonly freshnessMs: number
}

const checkRedundancy = (name: string, value: Redundancy | undefined): Redundancy | undefined => {
  if (value === undefined || value === 'off' || value === 'auto' || value === 0 || value === 1 || value === 2 || value === 3) return value
  throw outOfRange(name, value, "'off', 'auto', or 0 to 3")
}

/** Checks one channel's priority. @throws VaivenError ERR_OPTION_RANGE */
export const resolvePriority = (name: string, priority: ChannelPriority): ResolvedPriority => ({
  level: integerOption(`${name}.level`, priority.level, 0, 7, 4),
  weight: integerOption(`${name}.weight`, priority.weight, 1, 100, 10),
  bulk: priority.bulk ?? false,
  redundancy: checkRedundancy(`${name}.redundancy`, priority.redundancy),
  freshnessMs: integerOption(`${name}.freshnessMs`, priority.freshnessMs, 0, 60_000, DEFAULT_FRESHNESS_MS),
})

/** Checks all options at once. @throws VaivenError ERR_OPTION_RANGE naming the option and its legal range */
export const resolveHostOptions = (options: HostOptions = {}): ResolvedHostOptions => {
  checkNames(options, CORE_OPTIONS)
  const checksumOption = options.checksum ?? 'none'
  const required = typeof checksumOption === 'object' ? checksumOption.require : null
  const named = required ?? (checksumOption as 'none' | 'crc32' | Checksum)
  if (named !== 'none' && named !== 'crc32' && typeof named !== 'function') {
    throw outOfRange('options.checksum', named, "'none', 'crc32', a function, or { require: … }")
  }
  const checksum = named === 'none' ? null : named === 'crc32' ? crc32 : named
  const compression = options.compression ?? 'none'
  if (compression !== 'none' && compression !== 'rangeCoder' && typeof compression !== 'object') {
    throw outOfRange('options.compression', compression, "'none', 'rangeCoder' or a Compressor")
  }
  const rangeCoder = new RangeCoder()
  const compressor = compression === 'none' ? null : compression === 'rangeCoder' ? rangeCoder : compression
  const compressors = options.compressors ?? [rangeCoder]
  const maxPacketBytes = integerOption('maxPacketBytes', options.maxPacketBytes, 1, c.MAX_PACKET_BYTES, c.MAX_PACKET_BYTES)
  const sendHighMarkBytes = integerOption('sendHighMarkBytes', options.sendHighMarkBytes, 1, 2 ** 40, 1024 * 1024)
  const channelPriorities = new Map<number, ResolvedPriority>()
  for (const [key, priority] of Object.entries(options.channelPriorities ?? {})) {
    const channel = Number(key)
    if (!Number.isInteger(channel) || channel < 0 || channel >= c.MAX_CHANNELS) {
      throw outOfRange('a key of options.channelPriorities', key, 'a channel number from 0 to 254')
    }
    channelPriorities.set(channel, resolvePriority(`channelPriorities[${key}]`, priority))
  }
  const maxMtu = checksum === null ? c.MAX_MTU : c.MAX_MTU - 4
  const timeoutMinimumMs = integerOption('timeout.minimumMs', options.timeout?.minimumMs, 100, 86_400_000, c.DEFAULT_TIMEOUT_MINIMUM_MS)
  const timeoutMaximumMs = integerOption(
    'timeout.maximumMs',
    options.timeout?.maximumMs,
    100,
    86_400_000,
    Math.max(timeoutMinimumMs, c.DEFAULT_TIMEOUT_MAXIMUM_MS),
  )
  if (timeoutMaximumMs < timeoutMinimumMs) {
    throw outOfRange('options.timeout.maximumMs', timeoutMaximumMs, `at least options.timeout.minimumMs (${timeoutMinimumMs})`)
  }
  return Object.freeze({
    maxPeers: integerOption('maxPeers', options.maxPeers, 1, c.MAX_PEERS, 32, "a host's peer number has 12 bits"),
    channels: integerOption('channels', options.channels, c.MIN_CHANNELS, c.MAX_CHANNELS, c.MAX_CHANNELS, 'channel 255 is the peer itself'),
    mtu: integerOption('mtu', options.mtu, c.MIN_MTU, maxMtu, c.DEFAULT_MTU),
    incomingBandwidth: integerOption('incomingBandwidthBytesPerSecond', options.incomingBandwidthBytesPerSecond, 0, 0xffffffff, 0),
    outgoingBandwidth: integerOption('outgoingBandwidthBytesPerSecond', options.outgoingBandwidthBytesPerSecond, 0, 0xffffffff, 0),
    checksum,
    acceptedChecksum: checksum ?? crc32,
    requireChecksum: required !== null,
    compressor,
    compressors: compressor !== null && !compressors.includes(compressor) ? [compressor, ...compressors] : [...compressors],
    timeoutLimit: integerOption('timeout.limit', options.timeout?.limit, 2, 1 << 20, c.DEFAULT_TIMEOUT_LIMIT),
    timeoutMinimumMs,
    timeoutMaximumMs,
    connectTimeoutMs: integerOption('connectTimeoutMs', options.connectTimeoutMs, 100, 86_400_000, 5_000),
    pingIntervalMs: integerOption('pingIntervalMs', options.pingIntervalMs, 50, 3_600_000, c.DEFAULT_PING_INTERVAL_MS),
    maxPacketBytes,
    sendHighMarkBytes,
    sendLowMarkBytes: integerOption('sendLowMarkBytes', options.sendLowMarkBytes, 0, sendHighMarkBytes, Math.floor(sendHighMarkBytes / 2)),
    sendCapBytes: integerOption('sendCapBytes', options.sendCapBytes, sendHighMarkBytes, 2 ** 40, Math.max(sendHighMarkBytes, 64 * 1024 * 1024)),
    receiveBudgetBytes: integerOption('receiveBudgetBytes', options.receiveBudgetBytes, 65_536, 2 ** 40, 2 * maxPacketBytes + 1024 * 1024),
    hostReceiveBudgetBytes: integerOption('hostReceiveBudgetBytes', options.hostReceiveBudgetBytes, 65_536, 2 ** 40, 256 * 1024 * 1024),
    channelPriorities,
    throttle: choice('throttle', options.throttle, ['none', 'enet'], 'none'),
    strictWindow: options.strictWindow ?? false,
    maxInFlightBytes: integerOption('maxInFlightBytes', options.maxInFlightBytes, 65_536, 64 * 1024 * 1024, 8 * 1024 * 1024),
    congestionControl: options.congestionControl ?? true,
    redundancy: checkRedundancy('options.redundancy', options.redundancy) ?? 'off',
    extension: (options.extension ?? true) && options.sentTime !== 'clock',
    redundancyBytes: integerOption('redundancyBytes', options.redundancyBytes, 0, 1_200, 256),
    sentTime: choice('sentTime', options.sentTime, ['unique', 'clock'], 'unique'),
    refuseConnections: options.refuseConnections ?? false,
    accept: options.accept ?? null,
    maxHalfOpen: integerOption('maxHalfOpen', options.maxHalfOpen, 16, 65_536, 4_096),
    random: options.random ?? new SeededRandom(options.seed ?? 1).bytes,
    stallMs: integerOption('stallMs', options.stallMs, 10, 86_400_000, 250),
  })
}
