// The front door: sessions over UDP, and everything people name when they write a game on them. The layers below have
// doors of their own: vaiven/transport, vaiven/session, vaiven/rpc, vaiven/simulator, vaiven/godot.

export { connect, listen } from './open.ts'
export type { ConnectSessionOptions, ListenOptions, SessionDialect, TransportOptions } from './open.ts'
export { UdpSession } from './udp-session.ts'
export * from './game/index.ts'
export * from './session/index.ts'
export { createHost } from './transport/create-host.ts'
export type { CreateHostOptions } from './transport/create-host.ts'
export type { UdpHost } from './transport/udp-host.ts'
export { VaivenError } from './util/errors.ts'
export type { ErrorCode } from './util/errors.ts'
