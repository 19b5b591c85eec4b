// The dispatcher: what is called, who is meant, who may, and what runs where. It decides; pending.ts waits for answers, serving.ts
// runs handlers, and dialects know how calls are written. SPEC §14.

import { VaivenError } from '../util/errors.ts'
import type { CallDelivery, HandlersOf, Members, NodeContract } from './contract.ts'
import { isUntyped } from './contract.ts'
import type { Answer, Dialect, Inbound, Outgoing, Pending } from './dialect.ts'
import { failureError } from './failure.ts'
import { DEFAULT_LIMIT, refusalOf } from './guards.ts'
import type { DefaultLimit, Refusal } from './guards.ts'
import { MODES } from './modes.ts'
import { PendingTable } from './pending.ts'
import type { WaitOptions } from './pending.ts'
import type { RpcPort } from './port.ts'
import { MemberEntry, NodeEntry, Registry } from './registry.ts'
import { Serving } from './serving.ts'

/** Who a call is for: 0 all, n, −n all but n, or ids. */
export type CallTarget = number | readonly number[]

/** How one call differs from its declaration. */
export interface CallOptions {
  readonly delivery?: CallDelivery
  readonly channel?: number
}

/** The same for a call that waits for its answer. */
export interface RequestOptions extends CallOptions, WaitOptions {}

/** Bounds and defaults of a dispatcher. */
export interface DispatcherOptions {
  /**
   * For methods that declare no limit of their own; `false`: none.
   * @default at a server { perSecond: 1000, burst: 2000, maxBytes: 65536 }, at a client none
   */
  limit?: Partial<DefaultLimit> | false
  /** Requests of ours that may be open at once; more reject with ERR_QUEUE_FULL. @default 4096 */
  maxPending?: number
  /** Requests of one peer whose handlers may be at work at once; more are answered "busy". @default 32 */
  maxOpenPerPeer?: number
}

/** Which part of a target is ourselves, and what is left to be sent. */
interface Share {
  readonly local: boolean
  readonly remote: CallTarget | null
}

/** The nodes of one scope and the calls between them. */
export class Dispatcher implements Inbound {
  readonly registry = new Registry()
  readonly #port: RpcPort
  readonly #limit: DefaultLimit | null
  readonly #pending: PendingTable
  readonly #serving: Serving
  readonly #dialects = new Map<string, Dialect>()
  /** Methods not to be called at a peer, since its contract differs. */
  readonly #disabled = new Map<number, Map<string, VaivenError>>()
  #ended: VaivenError | null = null

  constructor(port: RpcPort, options: DispatcherOptions = {}) {
    this.#port = port
    const limit = options.limit ?? (port.isServer ? {} : false)
    this.#limit = limit === false ? null : { ...DEFAULT_LIMIT, ...limit }
    this.#pending = new PendingTable(port, options.maxPending ?? 4096)
    this.#serving = new Serving(port, options.maxOpenPerPeer ?? 32)
  }

  /** Adds a way of writing calls. */
  use(make: (port: RpcPort, inbound: Inbound) => Dialect): this {
    const dialect = make(this.#port, this)
    this.#dialects.set(dialect.name, dialect)
    return this
  }

  /** Our own id; 0 when not connected. */
  get id(): number {
    return this.#port.id
  }

  /** Table sizes, for tests and the curious: all are 0 when nothing is going on. */
  get tables(): { readonly pending: number; readonly open: number; readonly running: number } {
    return { pending: this.#pending.size, ...this.#serving.sizes }
  }

  // --- nodes

  /** @throws VaivenError ERR_CONTRACT */
  attach<M extends Members>(contract: NodeContract<M>, handlers: HandlersOf<M>, instance: number): NodeEntry {
    const first = this.registry.contract(contract.name) === undefined
    const entry = new NodeEntry(contract, instance, handlers)
    this.registry.attach(entry)
    if (this.#ended === null) for (const dialect of this.#dialects.values()) dialect.attached(contract, first)
    return entry
  }

  detach(entry: NodeEntry): void {
    this.registry.detach(entry)
  }

  // --- calls going out

  /**
   * Calls a method of an attached node.
   * @throws VaivenError ERR_NOT_CONNECTED, ERR_ARGUMENT, ERR_ENCODE, ERR_CONTRACT
   */
  call(entry: MemberEntry, target: CallTarget, args: readonly unknown[], options: CallOptions = {}): void {
    const { local, remote } = this.#shareOut(entry, target)
    // As in Godot a call is sent first and then run; a property is the other way round.
    if (remote !== null) this.#transmit('call', outgoingOf(entry, remote, args, options))
    if (local) this.#serving.callLocally(entry, args)
  }

  /** Sets a property of an attached node. @throws as `call` */
  setProperty(entry: MemberEntry, target: CallTarget, value: unknown, options: CallOptions = {}): void {
    const { local, remote } = this.#shareOut(entry, target)
    if (local) this.#serving.set(entry, this.#port.id, value, true)
    if (remote !== null) this.#transmit('set', outgoingOf(entry, remote, [value], options))
  }

  /** Calls a method that answers. The promise always settles: value, error of the other side, timeout, abort, disconnect. */
  request(entry: MemberEntry, peer: number, args: readonly unknown[], options: RequestOptions = {}): Promise<unknown> {
    return promised(() => {
      const { local, remote } = this.#shareOut(entry, peer)
      if (local) return this.#serving.requestLocally(entry, args)
      if (remote === null) throw new VaivenError('ERR_ARGUMENT', `${nameOf(entry)} is not sent to ${peer} in mode ${entry.mode}`)
      return this.#startRequest(outgoingOf(entry, peer, args, options), peer, options)
    })
  }

  /** Calls by name, with self-describing values; the node need not be attached here. @throws as `call` */
  callByName(path: string, name: string, target: CallTarget, args: readonly unknown[], options: CallOptions = {}): void {
    const entry = this.#findByName(path, name, 'method')
    const { local, remote } = this.#shareByName(entry, target)
    if (remote !== null) this.#transmit('call', outgoingByName(entry, path, name, remote, args, options))
    if (local) this.#serving.callLocally(entry!, args)
  }

  /** Sets a property by name. @throws as `call` */
  setByName(path: string, name: string, target: CallTarget, value: unknown, options: CallOptions = {}): void {
    const entry = this.#findByName(path, name, 'property')
    const { local, remote } = this.#shareByName(entry, target)
    if (local) this.#serving.set(entry!, this.#port.id, value, true)
    if (remote !== null) this.#transmit('set', outgoingByName(entry, path, name, remote, [value], options))
  }

  /** Requests by name. Settles as `request`. */
  requestByName(path: string, name: string, peer: number, args: readonly unknown[], options: RequestOptions = {}): Promise<unknown> {
    return promised(() => {
      const entry = this.#findByName(path, name, 'method')
      if (this.#shareByName(entry, peer).local) return this.#serving.requestLocally(entry!, args)
      return this.#startRequest(outgoingByName(entry, path, name, peer, args, options), peer, options)
    })
  }

  /** The rule table of the modes, for the caller. @throws VaivenError for calls that the table does not allow */
  #shareOut(entry: MemberEntry, target: CallTarget): Share {
    this.#checkOpen()
    const own = this.#port.id
    const rule = MODES[entry.mode]
    const { master } = entry.node
    if (entry.mode === 'disabled') throw new VaivenError('ERR_ARGUMENT', `${nameOf(entry)} is disabled; configure() can allow it`)
    if ((entry.mode === 'server' || entry.mode === 'serverSync') && own !== 1) {
      throw new VaivenError('ERR_ARGUMENT', `${nameOf(entry)}: only the server may call it, and we are peer ${own}`)
    }
    const local = rule.local(own, master)
    if (target === own) {
      if (!local) throw new VaivenError('ERR_ARGUMENT', `${nameOf(entry)}: a call on ourselves is not allowed by mode ${entry.mode}`)
      return { local, remote: null }
    }
    if (target === -own) throw new VaivenError('ERR_ARGUMENT', `target is ${target}; "all but ourselves" is 0`)
    const sent = rule.sent(own, master)
    if (typeof target === 'number') return { local: local && target <= 0, remote: sent ? target : null }
    const others = target.filter((id) => id !== own)
    return { local: local && others.length < target.length, remote: sent && others.length > 0 ? others : null }
  }

  /** The same for calls by name: what is not attached here has no mode here. */
  #shareByName(entry: MemberEntry | null, target: CallTarget): Share {
    if (entry !== null) return this.#shareOut(entry, target)
    this.#checkOpen()
    if (target === this.#port.id) throw new VaivenError('ERR_ARGUMENT', 'a call by name on ourselves needs the node to be attached here')
    return { local: false, remote: target }
  }

  #findByName(path: string, name: string, kind: 'method' | 'property'): MemberEntry | null {
    const entry = this.registry.node(path)?.members.get(name) ?? null
    if (entry === null || entry.member.declaration.kind === kind) return entry
    const advice = kind === 'method' ? 'a property; set it with rset' : 'a method; call it with rpc'
    throw new VaivenError('ERR_ARGUMENT', `${path}.${name} is ${advice}`)
  }

  #checkOpen(): void {
    if (this.#ended !== null) throw this.#ended
    if (this.#port.id === 0) throw new VaivenError('ERR_NOT_CONNECTED', 'the session is not connected')
  }

  #startRequest(outgoing: Outgoing, peer: number, options: RequestOptions): Promise<unknown> {
    this.#checkEnabled(peer, outgoing)
    return this.#pending.start(this.#dialectOf(peer), outgoing, peer, options)
  }

  #transmit(kind: 'call' | 'set', outgoing: Outgoing): void {
    const { target } = outgoing
    if (typeof target === 'number' && target > 0) {
      this.#checkEnabled(target, outgoing)
      this.#dialectOf(target)[kind](outgoing)
      return
    }
    for (const [dialect, share] of this.#sharesOf(outgoing)) dialect[kind](share)
  }

  /** One message for each dialect among those who are meant; with one dialect, and nobody excluded, the target as it is. */
  #sharesOf(outgoing: Outgoing): Map<Dialect, Outgoing> {
    const shares = new Map<Dialect, Outgoing>()
    // At a client everything goes through the server, in its dialect.
    if (!this.#port.isServer) return shares.set(this.#dialectOf(1), outgoing)
    const what = `${outgoing.path}.${outgoing.name}`
    const enabled: number[] = []
    let all = true
    for (const id of this.#port.peerIds) {
      if (!isMeant(outgoing.target, id)) continue
      if (this.#disabled.get(id)?.has(what) === true) all = false
      else enabled.push(id)
    }
    for (const name of new Set(enabled.map((id) => this.#port.dialectOf(id)))) {
      const dialect = name === null ? undefined : this.#dialects.get(name)
      // The port itself picks those who speak the dialect.
      if (dialect !== undefined) shares.set(dialect, all ? outgoing : { ...outgoing, target: enabled })
    }
    return shares
  }

  #dialectOf(peer: number): Dialect {
    const name = this.#port.dialectOf(peer)
    const dialect = name === null ? undefined : this.#dialects.get(name)
    if (dialect === undefined) throw new VaivenError('ERR_NOT_CONNECTED', `peer ${peer} is not here`)
    return dialect
  }

  #checkEnabled(peer: number, { path, name }: Outgoing): void {
    const error = this.#disabled.get(peer)?.get(`${path}.${name}`)
    if (error !== undefined) throw error
  }

  // --- calls coming in (Inbound)

  admits(entry: MemberEntry, sender: number, bytes: number): boolean {
    const refusal = this.#refusalOf(entry, sender, bytes)
    if (refusal === null) return true
    const place = { peer: sender, node: entry.node.path, method: entry.name }
    // "mode" is ordinary: a broadcast for the master is refused by everybody else.
    if (refusal === 'mode') this.#port.violation({ ...place, kind: 'caller' }, 0)
    else this.#port.violation({ ...place, kind: refusal }, 1)
    return false
  }

  #refusalOf(entry: MemberEntry, sender: number, bytes: number): Refusal | null {
    // A client trusts its server with how much and how often, but for what the method itself says.
    const fallback = sender === 1 ? null : this.#limit
    try {
      return refusalOf(entry, sender, this.#port.id, bytes, this.#port.now(), fallback)
    } catch (error) {
      // The program's own guard failed: then nobody passes.
      this.#port.report(error, { peer: sender, node: entry.node.path, method: entry.name })
      return 'caller'
    }
  }

  runCall(entry: MemberEntry, sender: number, args: readonly unknown[]): void {
    this.#serving.call(entry, sender, args)
  }

  runRequest(entry: MemberEntry, sender: number, id: number, args: readonly unknown[], answer: Answer): void {
    if (!this.#serving.request(entry, sender, id, args, answer)) this.refuse(sender, 'shape', entry.node.path, entry.name)
  }

  set(entry: MemberEntry, sender: number, value: unknown): void {
    this.#serving.set(entry, sender, value, false)
  }

  pending(peer: number, id: number): Pending | undefined {
    return this.#pending.find(peer, id)
  }

  resolve(pending: Pending, value: unknown): void {
    this.#pending.resolve(pending, value)
  }

  reject(pending: Pending, code: number, text: string, details: unknown): void {
    this.#pending.reject(pending, failureError(`${pending.path}.${pending.name}`, pending.peer, code, text, details))
  }

  cancelled(sender: number, id: number): void {
    this.#serving.cancel(sender, id)
  }

  refuse(sender: number, kind: 'shape' | 'unknown', node?: string, method?: string): void {
    const place = { ...(node === undefined ? {} : { node }), ...(method === undefined ? {} : { method }) }
    // Unknown here is not wrong there: another version, or a node that we have not attached.
    this.#port.violation({ peer: sender, kind, ...place }, kind === 'unknown' ? 0 : 1)
  }

  difference(peer: number, node: string, method: string, ours: string | null, theirs: string | null): void {
    const who = peer === 1 ? 'the server' : `peer ${peer}`
    const has = (signature: string | null): string => signature ?? 'no such method'
    const consequence = ours === null ? 'calls of it are refused here' : 'calls of it are disabled'
    const text = `node "${node}", method "${method}": ${who} has ${has(theirs)}, we have ${has(ours)}; ${consequence}`
    const error = new VaivenError('ERR_CONTRACT', text)
    if (ours !== null) {
      let disabled = this.#disabled.get(peer)
      if (disabled === undefined) this.#disabled.set(peer, (disabled = new Map()))
      disabled.set(`${node}.${method}`, error)
    }
    this.#port.contractMismatch({ peer, node, method, ours, theirs, error })
  }

  // --- what the scope below tells

  receive(source: number, payload: Uint8Array, delivery: CallDelivery, dialect: string): void {
    this.#dialects.get(dialect)?.receive(source, payload, delivery)
  }

  /** Says in one dialect what was said in another; null when that cannot be. For the server, between clients. */
  translate(payload: Uint8Array, from: string, to: string): readonly Uint8Array[] | null {
    try {
      const passing = this.#dialects.get(from)?.parse(payload) ?? null
      return passing === null ? null : (this.#dialects.get(to)?.compose(passing) ?? null)
    } catch {
      // Values that one dialect can say and the other cannot.
      return null
    }
  }

  peerConnected(peer: number, dialect: string, direct: boolean): void {
    this.#dialects.get(dialect)?.peerConnected(peer, direct)
  }

  peerDisconnected(peer: number): void {
    for (const dialect of this.#dialects.values()) dialect.peerDisconnected(peer)
    this.registry.forgetPeer(peer)
    this.#disabled.delete(peer)
    const error = new VaivenError('ERR_DISCONNECTED', `peer ${peer} left before it answered`)
    this.#pending.forget(peer, error)
    this.#serving.forget(peer, error)
  }

  /** Nothing more can be sent: everything that waits is settled. */
  ended(error: VaivenError): void {
    if (this.#ended !== null) return
    this.#ended = new VaivenError('ERR_CLOSED', 'the session is closed')
    this.#pending.forget(null, error)
    this.#serving.forget(null, error)
  }
}

const nameOf = (entry: MemberEntry): string => `${entry.node.path}.${entry.name}`

const outgoingOf = (entry: MemberEntry, target: CallTarget, args: readonly unknown[], options: CallOptions): Outgoing => {
  const { declaration } = entry.member
  return {
    path: entry.node.path,
    name: entry.name,
    entry,
    named: isUntyped(declaration),
    target,
    args,
    delivery: options.delivery ?? declaration.traits.delivery,
    channel: options.channel ?? declaration.traits.channel,
  }
}

const outgoingByName = (
  entry: MemberEntry | null, path: string, name: string, target: CallTarget, args: readonly unknown[], options: CallOptions,
): Outgoing => {
  if (entry !== null) return { ...outgoingOf(entry, target, args, options), named: true }
  return { path, name, entry, named: true, target, args, delivery: options.delivery ?? 'reliable', channel: options.channel }
}

/** Mistakes that show at once reject as well: whoever awaits hears everything in one way. */
const promised = (start: () => Promise<unknown>): Promise<unknown> => {
  try {
    return start()
  } catch (error) {
    return Promise.reject(error as Error)
  }
}

const isMeant = (target: CallTarget, id: number): boolean =>
  typeof target === 'number' ? target === 0 || target === id || (target < 0 && target !== -id) : target.includes(id)
