// RPC on a scope: the dispatcher that takes a session's or a room's rpc lane, and the methods that both have.

import { Dispatcher, NativeDialect, nodeHandle } from '../rpc/index.ts'
import type {
  CallDelivery, Dialect, DispatcherOptions, HandlersOf, Inbound, Members, NodeContract, NodeHandle, RequestOptions, RpcPort,
} from '../rpc/index.ts'
import { VaivenError } from '../util/errors.ts'
import type { ErrorContext, ResolvedTarget, Scope, ScopeEvents, ScopeLayer, Violation } from '../session/index.ts'
import type { Timer } from '../util/timers.ts'
import { Timers } from '../util/timers.ts'

/** Makes a dialect for a scope. */
export type MakeDialect = (port: RpcPort, inbound: Inbound) => Dialect

/** Options of the calls of a session and its rooms. */
export interface CallsOptions extends DispatcherOptions {
  /** Other ways of writing calls, beside our own. */
  dialects?: readonly MakeDialect[]
}

/** What a scope gives its calls. */
export interface CallsHome {
  readonly scope: Scope<ScopeEvents>
  readonly timers: Timers
  now(): number
  wake(): void
  contractMismatch(difference: Parameters<RpcPort['contractMismatch']>[0]): void
}

/** The calls of a scope. */
export class Calls {
  readonly dispatcher: Dispatcher
  /** For the scope: takes its rpc lane. */
  readonly layer: ScopeLayer

  constructor(home: CallsHome, options: CallsOptions = {}) {
    const dispatcher = new Dispatcher(portOf(home), options)
    this.dispatcher = dispatcher
    dispatcher.use((port, inbound) => new NativeDialect(port, inbound))
    for (const make of options.dialects ?? []) dispatcher.use(make)
    this.layer = {
      receive: (source, payload, delivery, dialect) => dispatcher.receive(source, payload, delivery, dialect),
      peerConnected: (id, dialect, direct) => dispatcher.peerConnected(id, dialect, direct),
      peerDisconnected: (id) => dispatcher.peerDisconnected(id),
      ended: ({ reason, data, text }) =>
        dispatcher.ended(new VaivenError('ERR_DISCONNECTED', `the session ended (${reason}${text && `: ${text}`})`, { data })),
      translate: (packet, from, to) => dispatcher.translate(packet.payload, from, to),
    }
  }
}

const portOf = ({ scope, timers, now, wake, contractMismatch }: CallsHome): RpcPort => ({
  get id() {
    return scope.id
  },
  isServer: scope.isServer,
  get peerIds() {
    return scope.peerIds
  },
  has: (peer) => scope.peers.has(peer),
  dialectOf: (peer) => scope.dialectOf(peer),
  now,
  send: (target, payload, delivery: CallDelivery, channel, dialect) =>
    scope.transmit('rpc', target as ResolvedTarget, payload, delivery, channel, dialect),
  setDeadline: (at, run) => {
    const timer = timers.set(at, run)
    wake()
    return timer
  },
  clearDeadline: (deadline) => timers.cancel(deadline as Timer),
  report: (error, context) => scope.report(error, context as ErrorContext),
  violation: (violation, weight) => scope.noteViolation(violation as Omit<Violation, 'count'>, weight),
  contractMismatch,
})

/** Calls of a session or a room. Godot's names are in brackets. */
export interface CallMethods {
  /**
   * Serves a node here, and gives a handle for calling it at others.
   * @param handlers an object with the contract's methods, or a class instance; what is left out is refused
   * @param options.instance one of several objects with this contract, 1 to 4294967295. @default 0
   * @throws VaivenError ERR_CONTRACT (attached already, or another contract under its name)
   */
  attach<M extends Members>(contract: NodeContract<M>, handlers?: HandlersOf<M>, options?: { instance?: number }): NodeHandle<M>
  /** Calls a method by name at everybody else, with self-describing values. [rpc] */
  rpc(node: string, method: string, ...args: unknown[]): void
  /** The same at one peer (or a target: −n, 0). [rpc_id] */
  rpcId(peer: number, node: string, method: string, ...args: unknown[]): void
  /** [rpc_unreliable] */
  rpcUnreliable(node: string, method: string, ...args: unknown[]): void
  /** [rpc_unreliable_id] */
  rpcUnreliableId(peer: number, node: string, method: string, ...args: unknown[]): void
  /** Calls a method by name at one peer, and waits for its answer. */
  ask(peer: number, node: string, method: string, args?: readonly unknown[], options?: RequestOptions): Promise<unknown>
  /** Sets a property by name at everybody else. [rset] */
  rset(node: string, property: string, value: unknown): void
  /** [rset_id] */
  rsetId(peer: number, node: string, property: string, value: unknown): void
  /** [rset_unreliable] */
  rsetUnreliable(node: string, property: string, value: unknown): void
  /** [rset_unreliable_id] */
  rsetUnreliableId(peer: number, node: string, property: string, value: unknown): void
}

/** What carries the methods below. */
export interface HasCalls {
  /** @internal */
  readonly calls: Calls
}

const unreliable = { delivery: 'unreliable' } as const

/** The methods, once for sessions and rooms. */
export const callMethods: CallMethods & ThisType<HasCalls> = {
  attach<M extends Members>(
    this: HasCalls,
    contract: NodeContract<M>,
    handlers: HandlersOf<M> = {},
    { instance = 0 }: { instance?: number } = {},
  ): NodeHandle<M> {
    if (!Number.isInteger(instance) || instance < 0 || instance > 0xffffffff) {
      throw new VaivenError('ERR_ARGUMENT', `instance is ${instance}; it must be an integer from 0 to 4294967295`)
    }
    const { dispatcher } = this.calls
    return nodeHandle<M>(dispatcher, dispatcher.attach(contract, handlers, instance))
  },
  rpc(node, method, ...args) {
    this.calls.dispatcher.callByName(node, method, 0, args)
  },
  rpcId(peer, node, method, ...args) {
    this.calls.dispatcher.callByName(node, method, peer, args)
  },
  rpcUnreliable(node, method, ...args) {
    this.calls.dispatcher.callByName(node, method, 0, args, unreliable)
  },
  rpcUnreliableId(peer, node, method, ...args) {
    this.calls.dispatcher.callByName(node, method, peer, args, unreliable)
  },
  ask(peer, node, method, args = [], options = {}) {
    return this.calls.dispatcher.requestByName(node, method, peer, args, options)
  },
  rset(node, property, value) {
    this.calls.dispatcher.setByName(node, property, 0, value)
  },
  rsetId(peer, node, property, value) {
    this.calls.dispatcher.setByName(node, property, peer, value)
  },
  rsetUnreliable(node, property, value) {
    this.calls.dispatcher.setByName(node, property, 0, value, unreliable)
  },
  rsetUnreliableId(peer, node, property, value) {
    this.calls.dispatcher.setByName(node, property, peer, value, unreliable)
  },
}
