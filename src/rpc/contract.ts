// Contracts: what a node's methods and properties are called, take and answer, how they travel and who may use them.
// One definition, shared by both ends, gives the types of both. Immutable; knows nothing of sessions.

import { VaivenError, outOfRange } from '../util/errors.ts'
import type { Type } from './codec/index.ts'
import { hash24, hash32 } from './fingerprint.ts'
import type { CallContext } from './context.ts'
import { isMode } from './modes.ts'
import type { Mode } from './modes.ts'

/** How a call travels, in Godot's words. */
export type CallDelivery = 'reliable' | 'unreliable' | 'unreliableOrdered'

/** How often and how large. */
export interface Limit {
  /** Calls per second and peer in the long run, above 0. */
  readonly perSecond?: number
  /** Calls at once. @default twice perSecond */
  readonly burst?: number
  /** Bytes of arguments, 0 to 33554432. */
  readonly maxBytes?: number
}

/** Who may call besides what the mode says: only the server, only the node's master, or whoever the function allows. */
export type Caller = 'server' | 'master' | ((sender: number) => boolean)

/** An argument with a name, for people who read differences between contracts. */
export interface NamedArgument<T> {
  readonly name: string
  readonly type: Type<T>
}

/** Gives an argument a name that appears in contract differences: `rpc.remote(arg('x', t.f32))`. The wire does not change. */
export const arg = <T>(name: string, type: Type<T>): NamedArgument<T> => ({ name, type })

type ArgumentLike = Type<any> | NamedArgument<any>
type ArgumentsOf<L extends readonly ArgumentLike[]> = {
  -readonly [K in keyof L]: L[K] extends Type<infer T> ? T : L[K] extends NamedArgument<infer T> ? T : never
}

/** What methods and properties have in common. */
interface Traits {
  readonly mode: Mode
  readonly delivery: CallDelivery
  readonly channel: number | undefined
  readonly limit: Limit
  readonly caller: Caller | null
}

const DEFAULTS: Omit<Traits, 'mode'> = { delivery: 'reliable', channel: undefined, limit: {}, caller: null }

abstract class Declaration {
  readonly traits: Traits

  constructor(traits: Traits) {
    this.traits = traits
  }

  protected abstract copy(traits: Traits): this

  /** Once and in order within its channel. The default. */
  reliable(): this {
    return this.copy({ ...this.traits, delivery: 'reliable' })
  }

  /** May be lost, never doubled, in any order. [rpc_unreliable] */
  unreliable(): this {
    return this.copy({ ...this.traits, delivery: 'unreliable' })
  }

  /** May be lost, never doubled, late ones are dropped. */
  unreliableOrdered(): this {
    return this.copy({ ...this.traits, delivery: 'unreliableOrdered' })
  }

  /** A channel of the game's own, 3 or above and within the session's `channels`. */
  onChannel(channel: number): this {
    if (!Number.isInteger(channel) || channel < 1 || channel > 254) {
      throw outOfRange('channel', channel, 'an integer from 1 to 254', 'ERR_ARGUMENT')
    }
    return this.copy({ ...this.traits, channel })
  }

  /** How often each peer may call, and how large the arguments may be. More is dropped, counted, and may end in a kick. */
  limit(limit: Limit): this {
    for (const [name, value] of Object.entries(limit)) {
      if (typeof value !== 'number' || !(value > 0)) throw outOfRange(`limit.${name}`, value, 'a number above 0', 'ERR_ARGUMENT')
    }
    return this.copy({ ...this.traits, limit: { ...this.traits.limit, ...limit } })
  }

  /** Who may call; others are refused, counted, and may end up kicked. */
  from(caller: Caller): this {
    return this.copy({ ...this.traits, caller })
  }
}

/** A method: arguments `A`, reply `R` (`void`: fire and forget). */
export class MethodDeclaration<A extends readonly unknown[], R> extends Declaration {
  readonly kind = 'method'
  /** Null: untyped, any number of self-describing values. */
  readonly args: readonly NamedArgument<unknown>[] | null
  readonly reply: Type<R> | null
  /** Only for the types; never set. */
  declare readonly types: { args: A; reply: R }

  constructor(traits: Traits, args: readonly NamedArgument<unknown>[] | null, reply: Type<R> | null) {
    super(traits)
    this.args = args
    this.reply = reply
  }

  /** The method answers: a call to one peer gives a promise of it. */
  returns<T>(type: Type<T>): MethodDeclaration<A, T> {
    return new MethodDeclaration<A, T>(this.traits, this.args, type)
  }

  protected copy(traits: Traits): this {
    return new MethodDeclaration<A, R>(traits, this.args, this.reply) as this
  }
}

/** A synchronised property of type `T`. */
export class PropertyDeclaration<T> extends Declaration {
  readonly kind = 'property'
  /** Null: untyped, any self-describing value. */
  readonly type: Type<T> | null

  constructor(traits: Traits, type: Type<T> | null) {
    super(traits)
    this.type = type
  }

  protected copy(traits: Traits): this {
    return new PropertyDeclaration<T>(traits, this.type) as this
  }
}

const method =
  (mode: Mode) =>
  <const L extends readonly ArgumentLike[]>(...args: L): MethodDeclaration<ArgumentsOf<L>, void> =>
    new MethodDeclaration({ ...DEFAULTS, mode }, args.map(nameArgument), null)

const nameArgument = (argument: ArgumentLike): NamedArgument<unknown> =>
  'type' in argument ? argument : { name: '', type: argument as Type<unknown> }

const propertyOf =
  (mode: Mode) =>
  <T>(type: Type<T>): PropertyDeclaration<T> =>
    new PropertyDeclaration<T>({ ...DEFAULTS, mode }, type)

/**
 * Declares methods: `rpc.remote(t.f32, t.f32).unreliable()`. The name says who may call; see `Mode` for the whole table.
 * Methods are reliable and answer nothing unless said otherwise.
 */
export const rpc = {
  /** Anybody may call. [remote] */
  remote: method('remote'),
  /** Runs at the node's master only. [master] */
  master: method('master'),
  /** The node's master calls, the others run it. [puppet] */
  puppet: method('puppet'),
  /** Anybody may call, and it runs at the caller, too. [remotesync] */
  remoteSync: method('remoteSync'),
  /** Runs at the node's master and at the caller. [mastersync] */
  masterSync: method('masterSync'),
  /** The node's master calls, the others run it, and it runs at the caller, too. [puppetsync] */
  puppetSync: method('puppetSync'),
  /** Only the server may call. */
  server: method('server'),
  /** Only the server may call, and it runs there, too. */
  serverSync: method('serverSync'),
  /** Nobody may call, until `configure` says otherwise. [disabled] */
  disabled: method('disabled'),
  /** A method without declared types, for scripts and Godot's style: any arguments, any answer, travelling by name. */
  untyped: (mode: Mode = 'remote'): MethodDeclaration<any[], any> => new MethodDeclaration<any[], any>({ ...DEFAULTS, mode }, null, null),
} as const

/**
 * Declares synchronised properties, with the same modes: `property.master(t.f32)`. Assigning one at a group sends it; nothing is sent
 * to those who come later. [rset]
 */
export const property = {
  /** Anybody may set it at others. [remote] */
  remote: propertyOf('remote'),
  /** Set at the node's master only. [master] */
  master: propertyOf('master'),
  /** The node's master sets it at the others. [puppet] */
  puppet: propertyOf('puppet'),
  /** Anybody may set it, and it is set at the setter, too. [remotesync] */
  remoteSync: propertyOf('remoteSync'),
  /** Set at the node's master and at the setter. [mastersync] */
  masterSync: propertyOf('masterSync'),
  /** The node's master sets it at the others and at itself. [puppetsync] */
  puppetSync: propertyOf('puppetSync'),
  /** Only the server may set it at others. */
  server: propertyOf('server'),
  /** Only the server may set it, and it is set there, too. */
  serverSync: propertyOf('serverSync'),
  /** Nobody may set it, until `configure` says otherwise. [disabled] */
  disabled: propertyOf('disabled'),
  /** A property without a declared type; see `rpc.untyped`. */
  untyped: (mode: Mode = 'remote'): PropertyDeclaration<any> => new PropertyDeclaration<any>({ ...DEFAULTS, mode }, null),
} as const

/** The members of a node: name → declaration. */
export type Members = { readonly [name: string]: MethodDeclaration<any, any> | PropertyDeclaration<any> }

/** What an object must look like to serve a node. Methods and properties may be left out: those calls are then refused. */
export type HandlersOf<M extends Members> = {
  [K in keyof M]?: M[K] extends MethodDeclaration<infer A extends readonly unknown[], infer R>
    ? // Untyped methods: any arguments, and the context behind them.
      any[] extends A
      ? (...args: any[]) => unknown
      : (...args: [...A, CallContext]) => [R] extends [void] ? unknown : R | Promise<R>
    : M[K] extends PropertyDeclaration<infer T>
      ? T | ((value: T, context: CallContext) => void)
      : never
}

/** What an object must look like to serve a contract: `class Match implements HandlersFor<typeof Lobby>`. */
export type HandlersFor<Contract extends NodeContract<any>> = HandlersOf<Contract['members']>

/** A member with everything computed from its declaration. */
export interface ContractMember {
  readonly name: string
  readonly declaration: MethodDeclaration<readonly unknown[], unknown> | PropertyDeclaration<unknown>
  /** 24 bits by which it travels; depends on node, name, argument and reply types. SPEC §14.1 */
  readonly key: number
  /** In words, as in a difference: `move(x: f32, y: f32)`. */
  readonly signature: string
}

/** A contract: the name of a node and what it can do. Made by `defineNode`. */
export interface NodeContract<M extends Members = Members> {
  /** The name that both sides attach it by. [node path] */
  readonly name: string
  /** The declarations, as they were given. */
  readonly members: M
  /** Also callable by name, with self-describing values; arguments are still held against the declared types. */
  readonly dynamic: boolean
  /** The same, with what follows from them. */
  readonly list: readonly ContractMember[]
  /** Equal for equal contracts. */
  readonly fingerprint: number
}

/** Longest name of a node, method or property, bytes of UTF-8. */
export const MAX_NAME_BYTES = 128
/** Names that mean something on every object, or on a group of peers. */
const RESERVED = new Set([
  'then', 'set', 'with', 'constructor', '__proto__', 'prototype', 'toString', 'valueOf', 'toJSON', 'hasOwnProperty',
])

/**
 * Defines a node: a named remote object that both sides attach.
 *
 * @param name the same on both sides; any text of 1 to 128 bytes [node path]
 * @param options.dynamic also serve calls by name with self-describing values. @default false
 * @throws VaivenError ERR_ARGUMENT
 */
export const defineNode = <const M extends Members>(name: string, members: M, options: { dynamic?: boolean } = {}): NodeContract<M> => {
  checkName('node', name)
  const list = Object.entries(members).map(([member, declaration]) => describeMember(name, member, declaration))
  const lines = list.map(({ name: member }) => `${member}${typesOnly(members[member]!)}`).sort()
  return Object.freeze({
    name,
    members,
    dynamic: options.dynamic ?? false,
    list,
    fingerprint: hash32(`${name}\n${lines.join('\n')}`),
  })
}

/** @throws VaivenError ERR_ARGUMENT */
export const checkName = (what: string, name: string): void => {
  if (typeof name !== 'string' || name === '' || new TextEncoder().encode(name).length > MAX_NAME_BYTES) {
    const legal = `it must be a text of 1 to ${MAX_NAME_BYTES} bytes`
    throw new VaivenError('ERR_ARGUMENT', `the name of a ${what} is ${JSON.stringify(name)}; ${legal}`)
  }
}

const describeMember = (node: string, name: string, declaration: Members[string]): ContractMember => {
  checkName('method or property', name)
  if (RESERVED.has(name)) throw new VaivenError('ERR_ARGUMENT', `node "${node}": a method or property cannot be called "${name}"`)
  if (!(declaration instanceof Declaration) || !isMode(declaration.traits.mode)) {
    throw new VaivenError('ERR_ARGUMENT', `node "${node}", "${name}" is no declaration; use rpc.… or property.…`)
  }
  const known = declaration as ContractMember['declaration']
  return { name, declaration: known, key: hash24(`${node}.${name}${typesOnly(known)}`), signature: `${name}${inWords(known)}` }
}

/** True for members that travel by name, with self-describing values. */
export const isUntyped = (declaration: Members[string]): boolean =>
  declaration.kind === 'property' ? declaration.type === null : declaration.args === null

/** The part of a declaration that the bytes depend on. */
const typesOnly = (declaration: Members[string]): string => {
  if (declaration.kind === 'property') return `:${declaration.type?.describe() ?? '*'}`
  if (declaration.args === null) return '(*)'
  const types = declaration.args.map(({ type }) => type.describe())
  return `(${types.join(',')})${declaration.reply === null ? '' : `=>${declaration.reply.describe()}`}`
}

const inWords = (declaration: Members[string]): string => {
  if (declaration.kind === 'property') return `: ${declaration.type?.describe() ?? 'anything'}`
  if (declaration.args === null) return '(anything)'
  const args = declaration.args.map(({ name, type }) => (name === '' ? type.describe() : `${name}: ${type.describe()}`))
  return `(${args.join(', ')})${declaration.reply === null ? '' : ` => ${declaration.reply.describe()}`}`
}
