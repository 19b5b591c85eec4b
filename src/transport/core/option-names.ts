// The names of the core's own options: `createHost` has more of them (../option-names.ts).

import type { Names } from '../../util/names.ts'
import type { HostOptions } from './options.ts'

/** Every option of `new Host`. */
export const CORE_OPTIONS: Names<HostOptions> = {
  maxPeers: true, channels: true, mtu: true, incomingBandwidthBytesPerSecond: true, outgoingBandwidthBytesPerSecond: true,
  checksum: true, compression: true, compressors: true, timeout: true, connectTimeoutMs: true, pingIntervalMs: true,
  maxPacketBytes: true, sendHighMarkBytes: true, sendLowMarkBytes: true, sendCapBytes: true, receiveBudgetBytes: true,
  hostReceiveBudgetBytes: true, channelPriorities: true, throttle: true, strictWindow: true, maxInFlightBytes: true,
  congestionControl: true, redundancy: true, extension: true, redundancyBytes: true, sentTime: true, refuseConnections: true,
  accept: true, maxHalfOpen: true, random: true, seed: true, stallMs: true,
}
