// The names of a host's options, for finding the misspelt ones.

import type { Names } from '../util/names.ts'
import type { CreateHostOptions } from './create-host.ts'

/** Every option of `createHost`. */
export const HOST_OPTIONS: Names<CreateHostOptions> = {
  host: true, port: true, pump: true, client: true, receiveBufferBytes: true, sendBufferBytes: true, impair: true,
  reusePort: true, signal: true, maxPeers: true, channels: true, mtu: true, incomingBandwidthBytesPerSecond: true,
  outgoingBandwidthBytesPerSecond: true, checksum: true, compression: true, compressors: true, timeout: true,
  connectTimeoutMs: true, pingIntervalMs: true, maxPacketBytes: true, sendHighMarkBytes: true, sendLowMarkBytes: true,
  sendCapBytes: true, receiveBudgetBytes: true, hostReceiveBudgetBytes: true, channelPriorities: true, throttle: true,
  strictWindow: true, maxInFlightBytes: true, congestionControl: true, redundancy: true, extension: true, redundancyBytes: true,
  sentTime: true, refuseConnections: true, accept: true, maxHalfOpen: true, random: true, seed: true, stallMs: true,
}
