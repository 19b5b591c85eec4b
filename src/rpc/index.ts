// Calls: contracts, typed and untyped, and the codec of their values. Public face of `vaiven/rpc`.

export * from './codec/index.ts'
export { arg, defineNode, property, rpc } from './contract.ts'
export type {
  CallDelivery, Caller, HandlersFor, HandlersOf, Limit, Members, MethodDeclaration, NamedArgument, NodeContract, PropertyDeclaration,
} from './contract.ts'
export type { CallContext } from './context.ts'
export type { Answer, Dialect, Inbound, Outgoing, Passing, Pending } from './dialect.ts'
export { Dispatcher } from './dispatcher.ts'
export type { CallOptions, CallTarget, DispatcherOptions, RequestOptions } from './dispatcher.ts'
export { RpcError } from './failure.ts'
export type { DefaultLimit } from './guards.ts'
export { decodeMessage, encodeMessage, FailureCode } from './message.ts'
export type { MemberAddress, RpcMessage } from './message.ts'
export { isMode, MODES } from './modes.ts'
export type { Mode } from './modes.ts'
export { NativeDialect } from './native-dialect.ts'
export type { RpcPort, RpcViolation } from './port.ts'
export { nodeHandle } from './proxy.ts'
export type { Group, HandleFor, NodeHandle, PropertiesOf, SetOptions, Single } from './proxy.ts'
export { MemberEntry, NodeEntry, Registry } from './registry.ts'
