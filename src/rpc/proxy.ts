// Typed calls: `lobby.all.say('hi')`, `await lobby.to(id).roll(20)`, `lobby.all.fuel = 0.7`. Classes made once per contract from
// its own names; no Proxy, so editors, `then` and JSON see ordinary objects.

import { VaivenError } from '../util/errors.ts'
import type { CallDelivery, Members, MethodDeclaration, NodeContract, PropertyDeclaration } from './contract.ts'
import type { CallOptions, CallTarget, Dispatcher, RequestOptions } from './dispatcher.ts'
import { isMode } from './modes.ts'
import type { Mode } from './modes.ts'
import type { MemberEntry, NodeEntry } from './registry.ts'

/** How `set` differs from the declaration. */
export interface SetOptions {
  /** @default what the property declares */
  readonly delivery?: CallDelivery
  /** A channel of the game's own, 3 or above. @default what the property declares */
  readonly channel?: number
}

/** The value types of a contract's properties. */
export type PropertiesOf<M extends Members> = {
  -readonly [K in keyof M as M[K] extends PropertyDeclaration<any> ? K : never]: M[K] extends PropertyDeclaration<infer T> ? T : never
}

interface Settable<M extends Members> {
  /** Sets a property, in another way than it declares. [rset_unreliable] */
  set<K extends keyof PropertiesOf<M> & string>(name: K, value: PropertiesOf<M>[K], options?: SetOptions): void
  /** The same peers, for calls that travel in another way than they declare. [rpc_unreliable] */
  with(options: CallOptions): this
}

/** Several peers: calls are fire and forget; assigning a property sends it, reading one gives the last value known here. */
export type Group<M extends Members> = Settable<M> & {
  -readonly [K in keyof M]: M[K] extends MethodDeclaration<infer A extends readonly unknown[], any>
    ? (...args: A) => void
    : M[K] extends PropertyDeclaration<infer T>
      ? T
      : never
}

/** One peer: methods that answer give a promise of it. */
export type Single<M extends Members> = Settable<M> & {
  -readonly [K in keyof M]: M[K] extends MethodDeclaration<infer A extends readonly unknown[], infer R>
    ? [R] extends [void]
      ? (...args: A) => void
      : (...args: [...A, options?: RequestOptions]) => Promise<R>
    : M[K] extends PropertyDeclaration<infer T>
      ? T
      : never
}

/** An attached node, for calling it at others. */
export interface NodeHandle<M extends Members> {
  /** What `defineNode` made. */
  readonly contract: NodeContract<M>
  /** The name it has on the wire: `lobby`, or `player/7`. */
  readonly path: string
  /** Everybody else. [rpc, rset] */
  readonly all: Group<M>
  /** One peer [rpc_id, rset_id], or a set of peers. */
  to(peer: number): Single<M>
  /** Several peers by their ids; calls of methods that answer are fire and forget. */
  to(peers: Iterable<number>): Group<M>
  /** Everybody else but one. [target −id] */
  except(peer: number): Group<M>
  /** Last values of the properties, received or set here. */
  readonly values: Readonly<Partial<PropertiesOf<M>>>
  /** Who is in charge of this node, as far as this peer is concerned: never sent. 1, the server, at first. [set_network_master] */
  master: number
  /** [is_network_master] */
  readonly isMaster: boolean
  /** Changes a mode at run time. [rpc_config, rset_config] */
  configure(name: keyof M & string, mode: Mode): void
  /** Serves the node no more; calls of it are then refused. */
  detach(): void
}

/** The handle that `attach` gives for a contract, for fields and parameters: `HandleFor<typeof Lobby>`. */
export type HandleFor<Contract extends NodeContract<any>> = NodeHandle<Contract['members']>

/** What a call at a target needs to know. */
interface Aim {
  readonly dispatcher: Dispatcher
  readonly entry: NodeEntry
  readonly target: CallTarget
  readonly options: CallOptions
}

/** A group object. The contract's methods live on its prototype, so its own field is private: every name is free for them. */
class Target {
  readonly #aim: Aim

  constructor(aim: Aim) {
    this.#aim = aim
  }

  static aimOf(target: Target): Aim {
    return target.#aim
  }

  set(name: string, value: unknown, options: SetOptions = {}): void {
    const { dispatcher, entry, target, options: own } = this.#aim
    const member = memberOf(entry, name)
    if (member.member.declaration.kind !== 'property') {
      throw new VaivenError('ERR_ARGUMENT', `${entry.path}.${name} is a method; call it`)
    }
    dispatcher.setProperty(member, target, value, { ...own, ...options })
  }

  with(options: CallOptions): Target {
    const { constructor } = this as unknown as { constructor: TargetClass }
    return new constructor({ ...this.#aim, options: { ...this.#aim.options, ...options } })
  }
}

type TargetClass = new (aim: Aim) => Target

const classes = new WeakMap<NodeContract, TargetClass>()

/** The class whose instances call a contract's methods at some target. */
const targetClass = (contract: NodeContract): TargetClass => {
  let known = classes.get(contract)
  if (known !== undefined) return known
  known = class extends Target {}
  for (const { name, declaration } of contract.list) {
    Object.defineProperty(known.prototype, name, declaration.kind === 'property' ? accessor(name) : caller(name, declaration))
  }
  classes.set(contract, known)
  return known
}

const accessor = (name: string): PropertyDescriptor => ({
  get(this: Target) {
    return Target.aimOf(this).entry.values[name]
  },
  set(this: Target, value: unknown) {
    this.set(name, value)
  },
})

const caller = (name: string, declaration: MethodDeclaration<readonly unknown[], unknown>): PropertyDescriptor => {
  const count = declaration.args?.length ?? Infinity
  const answers = declaration.reply !== null
  return {
    value(this: Target, ...args: unknown[]) {
      const { dispatcher, entry, target, options } = Target.aimOf(this)
      const member = memberOf(entry, name)
      if (!answers || typeof target !== 'number' || target <= 0) return dispatcher.call(member, target, args, options)
      const request = args.length > count ? (args.pop() as RequestOptions | undefined) : undefined
      return dispatcher.request(member, target, args, { ...options, ...request })
    },
  }
}

const memberOf = (entry: NodeEntry, name: string): MemberEntry => {
  const member = entry.members.get(name)
  if (member === undefined) throw new VaivenError('ERR_ARGUMENT', `node "${entry.path}" has no "${name}"`)
  return member
}

/** The handle of an attached node. */
export const nodeHandle = <M extends Members>(dispatcher: Dispatcher, entry: NodeEntry): NodeHandle<M> => {
  const Class = targetClass(entry.contract)
  const at = (target: CallTarget): unknown => new Class({ dispatcher, entry, target, options: {} })
  const handle = {
    contract: entry.contract,
    path: entry.path,
    all: at(0),
    to: (peers: number | Iterable<number>) => at(typeof peers === 'number' ? checkPeer(peers) : [...new Set(peers)].map(checkPeer)),
    except: (peer: number) => at(-checkPeer(peer)),
    values: entry.values,
    get master() {
      return entry.master
    },
    set master(peer: number) {
      entry.master = checkPeer(peer)
    },
    get isMaster() {
      return entry.master === dispatcher.id
    },
    configure(name: string, mode: Mode) {
      if (!isMode(mode)) {
        throw new VaivenError('ERR_ARGUMENT', `mode is ${String(mode)}; it must be one of Godot's modes, 'server' or 'serverSync'`)
      }
      memberOf(entry, name).mode = mode
    },
    detach: () => dispatcher.detach(entry),
  }
  return handle as unknown as NodeHandle<M>
}

const checkPeer = (peer: number): number => {
  if (!Number.isInteger(peer) || peer < 1 || peer > 0x7fffffff) {
    throw new VaivenError('ERR_ARGUMENT', `peer is ${String(peer)}; it must be an id, 1 to 2147483647`)
  }
  return peer
}
