// Public face of the transport: `vaiven/transport`. ENet 1.3 hosts, with a socket (`createHost`) and without (`Host`).

export { displayAddress } from './address.ts'
export { crc32 } from './core/crc32.ts'
export { describeDatagram } from './core/describe.ts'
export type { CommandDescription, DatagramDescription, DescribeOptions, HeaderDescription } from './core/describe.ts'
export { Host } from './core/host.ts'
export type { HostStats } from './core/host.ts'
export type { HostOptions } from './core/options.ts'
export { RangeCoder } from './core/range-coder.ts'
export { createHost } from './create-host.ts'
export type { CreateHostOptions } from './create-host.ts'
export { MAX_DATAGRAM_BYTES } from './endpoint.ts'
export type { Address, Datagram, Endpoint, Millis } from './endpoint.ts'
export type {
  ChannelPriority,
  Checksum,
  Compressor,
  ConnectRequest,
  Delivery,
  DeliveryOutcome,
  DeliveryTrace,
  Diagnostic,
  EndReason,
  HostEvent,
  Ledger,
  Peer,
  PeerState,
  PeerStats,
  PingAnswer,
  SendOptions,
} from './types.ts'
export { UdpDriver } from './udp.ts'
export type { DriverSocket, Pump, UdpDriverOptions, UdpDriverStats } from './udp.ts'
export type { CloseOptions, ConnectOptions, SocketDiagnostic, UdpHost, UdpHostEvents, UdpHostStats } from './udp-host.ts'
export { describeEndCode, EndCode } from '../util/end-codes.ts'
export { VaivenError } from '../util/errors.ts'
export type { ErrorCode } from '../util/errors.ts'
export type { ErrorContext } from '../util/guarded.ts'
