// The dispatcher: what is called, who may, what runs where, and that every call ends. Out: targets, modes, deadlines, open
// requests. In: permission, handlers, answers. How calls are written is the dialects' business. SPEC §14.

import { aborted, VaivenError } from '../util/errors.ts'
import { Context } from './context.ts'
import type { CallDelivery, HandlersOf, Members, NodeContract } from './contract.ts'
import { isUntyped } from './contract.ts'
import type { Answer, Dialect, Inbound, Outgoing, Pending } from './dialect.ts'
import { observe } from './diagnostics.ts'
import { failureError, RpcError } from './failure.ts'
import { DEFAULT_LIMIT, refusalOf } from './guards.ts'
import type { DefaultLimit } from './guards.ts'
import { FailureCode } from './message.ts'
import { MODES } from './modes.ts'
import type { Deadline, RpcPort } from './port.ts'
import { MemberEntry, NodeEntry, Registry } from './registry.ts'

/** Who a call is for: 0 all, n, −n all but n, or ids. */
export type CallTarget = number | readonly number[]

/** How one call differs from its declaration. */
export interface CallOptions {
  readonly delivery?: CallDelivery
  readonly channel?: number
}

/** How long to wait for an answer. */
export interface RequestOptions extends CallOptions {
  /** Milliseconds, above 0; Infinity waits until the peer answers or leaves. @default 10000 */
  readonly timeoutMs?: number
  /** Gives up; the handler at the other side sees its own signal fire. */
  readonly signal?: AbortSignal
}

/** Bounds and defaults of a dispatcher. */
export interface DispatcherOptions {
  /** For methods that declare no limit of their own; `false`: none. @default at a server { perSecond: 1000, burst: 2000, maxBytes: 65536 }, at a client none */
  limit?: Partial<DefaultLimit> | false
  /** Requests of ours that may be open at once; more reject with ERR_QUEUE_FULL. @default 4096 */
  maxPending?: number
  /** Requests of one peer whose handlers may be at work at once; more are answered "busy". @default 32 */
  maxOpenPerPeer?: number
}

interface OpenRequest extends Pending {
  readonly dialect: Dialect
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  readonly deadline: Deadline | null
  readonly signal: AbortSignal | undefined
  readonly onAbort: (() => void) | null
}

const DEFAULT_TIMEOUT_MS = 10_000
/** Fire-and-forget calls whose async handlers may be at work for one peer; beyond it they are dropped and counted. */
const MAX_RUNNING_PER_PEER = 1024
const MAX_CALL_ID = 0xffffffff

/** The nodes of one scope and the calls between them. */
export class Dispatcher implements Inbound {
  readonly registry = new Registry()
  readonly #port: RpcPort
  readonly #limit: DefaultLimit | null
  readonly #maxPending: number
  readonly #maxOpenPerPeer: number
  readonly #dialects = new Map<string, Dialect>()
  readonly #pending = new Map<number, OpenRequest>()
  /** Requests of others that run here, by peer and their number. */
  readonly #open = new Map<number, Map<number, Context>>()
  /** Async handlers of fire-and-forget calls at work, by peer. */
  readonly #running = new Map<number, number>()
  /** Methods not to be called at a peer, since its contract differs. */
  readonly #disabled = new Map<number, Map<string, VaivenError>>()
  #nextId = 1
  #ended: VaivenError | null = null

  constructor(port: RpcPort, options: DispatcherOptions = {}) {
    this.#port = port
    const limit = options.limit ?? (port.isServer ? {} : false)
    this.#limit = limit === false ? null : { ...DEFAULT_LIMIT, ...limit }
    this.#maxPending = options.maxPending ?? 4096
    this.#maxOpenPerPeer = options.maxOpenPerPeer ?? 32
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
    let open = 0
    for (const requests of this.#open.values()) open += requests.size
    let running = 0
    for (const count of this.#running.values()) running += count
    return { pending: this.#pending.size, open, running }
  }

  // ── nodes ────────────────────────────────────────────────────────────────────────────────────────────────────────────

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

  // ── calls going out ──────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Calls a method of an attached node.
   * @throws VaivenError ERR_NOT_CONNECTED, ERR_ARGUMENT, ERR_ENCODE, ERR_CONTRACT
   */
  call(entry: MemberEntry, target: CallTarget, args: readonly unknown[], options: CallOptions = {}): void {
    const share = this.#shareOut(entry, target)
    // As in Godot a call is sent first and then run; a property is the other way round.
    if (share.remote !== null) this.#transmit('call', entry, share.remote, args, options)
    if (share.local) this.#runLocally(entry, args)
  }

  /** Sets a property of an attached node. @throws as `call` */
  setProperty(entry: MemberEntry, target: CallTarget, value: unknown, options: CallOptions = {}): void {
    const share = this.#shareOut(entry, target)
    if (share.local) this.#store(entry, value, new Context(this.#port.id, entry.node.path, entry.name, entry.node.instance, true))
    if (share.remote !== null) this.#transmit('set', entry, share.remote, [value], options)
  }

  /** Calls a method that answers. The promise always settles: value, error of the other side, timeout, abort, disconnect. */
  request(entry: MemberEntry, peer: number, args: readonly unknown[], options: RequestOptions = {}): Promise<unknown> {
    try {
      const share = this.#shareOut(entry, peer)
      if (share.local) return this.#requestLocally(entry, args)
      if (share.remote === null) throw new VaivenError('ERR_ARGUMENT', `${entry.node.path}.${entry.name} is not sent to ${peer} in mode ${entry.mode}`)
      return this.#startRequest(this.#outgoing(entry, peer, args, options), peer, options)
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  /** Calls by name, with self-describing values; the node need not be attached here. @throws as `call` */
  callByName(path: string, name: string, target: CallTarget, args: readonly unknown[], options: CallOptions = {}): void {
    const entry = this.registry.node(path)?.members.get(name) ?? null
    if (entry !== null && entry.member.declaration.kind === 'property') throw notAMethod(path, name)
    const share = entry === null ? { local: false, remote: this.#checkRemote(target) } : this.#shareOut(entry, target)
    if (share.remote !== null) this.#transmitOutgoing('call', this.#byName(entry, path, name, share.remote, args, options))
    if (share.local) this.#runLocally(entry!, args)
  }

  /** Sets a property by name. @throws as `call` */
  setByName(path: string, name: string, target: CallTarget, value: unknown, options: CallOptions = {}): void {
    const entry = this.registry.node(path)?.members.get(name) ?? null
    if (entry !== null && entry.member.declaration.kind === 'method') throw notAProperty(path, name)
    const share = entry === null ? { local: false, remote: this.#checkRemote(target) } : this.#shareOut(entry, target)
    if (share.local) this.#store(entry!, value, new Context(this.#port.id, path, name, entry!.node.instance, true))
    if (share.remote !== null) this.#transmitOutgoing('set', this.#byName(entry, path, name, share.remote, [value], options))
  }

  /** Requests by name. Settles as `request`. */
  requestByName(path: string, name: string, peer: number, args: readonly unknown[], options: RequestOptions = {}): Promise<unknown> {
    try {
      const entry = this.registry.node(path)?.members.get(name) ?? null
      if (entry !== null && entry.member.declaration.kind === 'property') throw notAMethod(path, name)
      if (entry !== null && this.#shareOut(entry, peer).local) return this.#requestLocally(entry, args)
      this.#checkRemote(peer)
      return this.#startRequest(this.#byName(entry, path, name, peer, args, options), peer, options)
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  /** Which part of a target is ourselves, and what is left to be sent. The rule table of the modes. */
  #shareOut(entry: MemberEntry, target: CallTarget): { local: boolean; remote: CallTarget | null } {
    this.#checkOpen()
    const own = this.#port.id
    const what = `${entry.node.path}.${entry.name}`
    const rule = MODES[entry.mode]
    if (entry.mode === 'disabled') throw new VaivenError('ERR_ARGUMENT', `${what} is disabled; configure() can allow it`)
    if ((entry.mode === 'server' || entry.mode === 'serverSync') && own !== 1) {
      throw new VaivenError('ERR_ARGUMENT', `${what}: only the server may call it, and we are peer ${own}`)
    }
    const local = rule.local(own, entry.node.master)
    if (target === own) {
      if (!local) throw new VaivenError('ERR_ARGUMENT', `${what}: a call on ourselves is not allowed by mode ${entry.mode}`)
      return { local: true, remote: null }
    }
    if (target === -own) throw new VaivenError('ERR_ARGUMENT', `target is ${target}; "all but ourselves" is 0`)
    const sent = rule.sent(own, entry.node.master)
    if (typeof target === 'number') return { local: local && target <= 0, remote: sent ? target : null }
    const others = target.filter((id) => id !== own)
    return { local: local && others.length < target.length, remote: sent && others.length > 0 ? others : null }
  }

  #checkRemote(target: CallTarget): CallTarget {
    this.#checkOpen()
    if (target === this.#port.id) throw new VaivenError('ERR_ARGUMENT', 'a call by name on ourselves needs the node to be attached here')
    return target
  }

  #checkOpen(): void {
    if (this.#ended !== null) throw this.#ended
    if (this.#port.id === 0) throw new VaivenError('ERR_NOT_CONNECTED', 'the session is not connected')
  }

  #outgoing(entry: MemberEntry, target: CallTarget, args: readonly unknown[], options: CallOptions): Outgoing {
    const { path } = entry.node
    const { delivery, channel } = entry.member.declaration.traits
    return {
      path,
      name: entry.name,
      entry,
      named: isUntyped(entry.member.declaration),
      target,
      args,
      delivery: options.delivery ?? delivery,
      channel: options.channel ?? channel,
    }
  }

  #byName(entry: MemberEntry | null, path: string, name: string, target: CallTarget, args: readonly unknown[], options: CallOptions): Outgoing {
    if (entry !== null) return { ...this.#outgoing(entry, target, args, options), named: true }
    return { path, name, entry, named: true, target, args, delivery: options.delivery ?? 'reliable', channel: options.channel }
  }

  #transmit(kind: 'call' | 'set', entry: MemberEntry, target: CallTarget, args: readonly unknown[], options: CallOptions): void {
    this.#transmitOutgoing(kind, this.#outgoing(entry, target, args, options))
  }

  #transmitOutgoing(kind: 'call' | 'set', outgoing: Outgoing): void {
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
    if (!this.#port.isServer) {
      // Everything goes through the server, in its dialect.
      shares.set(this.#dialectOf(1), outgoing)
      return shares
    }
    const key = `${outgoing.path}.${outgoing.name}`
    const enabled: number[] = []
    let all = true
    for (const id of this.#port.peerIds) {
      if (!isMeant(outgoing.target, id)) continue
      if (this.#disabled.get(id)?.has(key) === true) all = false
      else enabled.push(id)
    }
    const names = new Set(enabled.map((id) => this.#port.dialectOf(id)))
    for (const name of names) {
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

  #startRequest(outgoing: Outgoing, peer: number, options: RequestOptions): Promise<unknown> {
    const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options
    const what = `${outgoing.path}.${outgoing.name}`
    if (!(timeoutMs > 0)) throw new VaivenError('ERR_ARGUMENT', `timeoutMs is ${timeoutMs}; it must be above 0`)
    if (signal?.aborted === true) throw aborted(`the call ${what}`, signal)
    if (this.#pending.size >= this.#maxPending) {
      throw new VaivenError('ERR_QUEUE_FULL', `${what}: ${this.#maxPending} calls wait for their answers already`)
    }
    this.#checkEnabled(peer, outgoing)
    const dialect = this.#dialectOf(peer)
    const id = this.#takeId()
    return new Promise((resolve, reject) => {
      const { path, name, entry } = outgoing
      const giveUp = (error: VaivenError): void => {
        if (!this.#settle(id)) return
        dialect.cancel(request)
        reject(error)
      }
      const onAbort = signal === undefined ? null : () => giveUp(aborted(`the call ${what}`, signal))
      const late = (): void => giveUp(new VaivenError('ERR_TIMEOUT', `${what} at peer ${peer} did not answer within ${timeoutMs} ms`))
      const deadline = timeoutMs === Infinity ? null : this.#port.setDeadline(this.#port.now() + timeoutMs, late)
      const request: OpenRequest = { id, peer, path, name, entry, dialect, resolve, reject, deadline, signal, onAbort }
      this.#pending.set(id, request)
      if (onAbort !== null) signal!.addEventListener('abort', onAbort, { once: true })
      try {
        dialect.request(outgoing, id)
      } catch (error) {
        this.#settle(id)
        reject(error as Error)
      }
    })
  }

  #takeId(): number {
    while (this.#pending.has(this.#nextId)) this.#nextId = this.#nextId >= MAX_CALL_ID ? 1 : this.#nextId + 1
    const id = this.#nextId
    this.#nextId = id >= MAX_CALL_ID ? 1 : id + 1
    return id
  }

  /** Takes a request out of every table. @returns false when it has been settled already */
  #settle(id: number): boolean {
    const request = this.#pending.get(id)
    if (request === undefined) return false
    this.#pending.delete(id)
    if (request.deadline !== null) this.#port.clearDeadline(request.deadline)
    if (request.onAbort !== null) request.signal!.removeEventListener('abort', request.onAbort)
    return true
  }

  // ── calls coming in (Inbound) ────────────────────────────────────────────────────────────────────────────────────────

  admits(entry: MemberEntry, sender: number, bytes: number): boolean {
    // A client trusts its server with how much and how often; its own limits on a method still hold.
    const fallback = sender === 1 ? null : this.#limit
    let refusal: ReturnType<typeof refusalOf>
    try {
      refusal = refusalOf(entry, sender, this.#port.id, bytes, this.#port.now(), fallback)
    } catch (error) {
      this.#port.report(error, { peer: sender, node: entry.node.path, method: entry.name })
      refusal = 'caller'
    }
    if (refusal === null) return true
    const place = { peer: sender, node: entry.node.path, method: entry.name }
    // "mode" is ordinary: a broadcast for the master is refused by everybody else.
    if (refusal === 'mode') this.#port.violation({ ...place, kind: 'caller' }, 0)
    else this.#port.violation({ ...place, kind: refusal }, 1)
    return false
  }

  runCall(entry: MemberEntry, sender: number, args: readonly unknown[]): void {
    const running = this.#running.get(sender) ?? 0
    if (running >= MAX_RUNNING_PER_PEER) return this.#port.violation({ peer: sender, kind: 'rate', node: entry.node.path, method: entry.name }, 1)
    const context = new Context(sender, entry.node.path, entry.name, entry.node.instance, false)
    const result = this.#invoke(entry, args, context)
    if (!isPromise(result)) return
    this.#running.set(sender, running + 1)
    const done = (): void => {
      const left = (this.#running.get(sender) ?? 1) - 1
      if (left <= 0) this.#running.delete(sender)
      else this.#running.set(sender, left)
    }
    result.then(done, (error: unknown) => {
      done()
      this.#report(error, context)
    })
  }

  runRequest(entry: MemberEntry, sender: number, id: number, args: readonly unknown[], answer: Answer): void {
    let open = this.#open.get(sender)
    if (open === undefined) this.#open.set(sender, (open = new Map()))
    if (open.has(id)) return this.refuse(sender, 'shape', entry.node.path, entry.name)
    if (sender !== 1 && open.size >= this.#maxOpenPerPeer) return answer.fail(FailureCode.busy, '', undefined)
    if (typeof entry.node.handlers[entry.name] !== 'function') return answer.fail(FailureCode.unknown, '', undefined)
    const context = new Context(sender, entry.node.path, entry.name, entry.node.instance, false)
    open.set(id, context)
    // The caller may have cancelled, or left: then nobody waits for an answer.
    const finish = (tell: () => void): boolean => {
      const requests = this.#open.get(sender)
      if (requests?.get(id) !== context) return false
      requests.delete(id)
      if (requests.size === 0) this.#open.delete(sender)
      tell()
      return true
    }
    const succeed = (value: unknown): void =>
      void finish(() => {
        try {
          answer.reply(value)
        } catch (error) {
          // The handler's answer does not fit its declared type: a bug on this side.
          this.#report(error, context)
          answer.fail(FailureCode.handler, '', undefined)
        }
      })
    const fail = (error: unknown): void => {
      const meant = error instanceof RpcError
      const told = finish(() => (meant ? this.#failWith(answer, error, context) : answer.fail(FailureCode.handler, '', undefined)))
      // A handler that gives up because its caller did is no accident.
      if (!meant && (told || !isAbort(error, context))) this.#report(error, context)
    }
    try {
      const result = this.#invokeOrThrow(entry, args, context)
      if (isPromise(result)) result.then(succeed, fail)
      else succeed(result)
    } catch (error) {
      fail(error)
    }
  }

  #failWith(answer: Answer, error: RpcError, context: Context): void {
    try {
      answer.fail(FailureCode.handler, error.message, error.details)
    } catch (second) {
      this.#report(second, context)
      answer.fail(FailureCode.handler, error.message, undefined)
    }
  }

  set(entry: MemberEntry, sender: number, value: unknown): void {
    this.#store(entry, value, new Context(sender, entry.node.path, entry.name, entry.node.instance, false))
  }

  pending(peer: number, id: number): Pending | undefined {
    const request = this.#pending.get(id)
    // Answers from anybody else are not answers.
    return request !== undefined && request.peer === peer ? request : undefined
  }

  resolve(pending: Pending, value: unknown): void {
    if (this.#settle(pending.id)) (pending as OpenRequest).resolve(value)
  }

  reject(pending: Pending, code: number, text: string, details: unknown): void {
    if (!this.#settle(pending.id)) return
    ;(pending as OpenRequest).reject(failureError(`${pending.path}.${pending.name}`, pending.peer, code, text, details))
  }

  cancelled(sender: number, id: number): void {
    const requests = this.#open.get(sender)
    const context = requests?.get(id)
    // Answered meanwhile: ordinary.
    if (requests === undefined || context === undefined) return
    requests.delete(id)
    if (requests.size === 0) this.#open.delete(sender)
    context.abort(new VaivenError('ERR_ABORTED', 'the caller no longer waits'))
  }

  refuse(sender: number, kind: 'shape' | 'unknown', node?: string, method?: string): void {
    const place = { ...(node === undefined ? {} : { node }), ...(method === undefined ? {} : { method }) }
    // Unknown here is not wrong there: another version, or a node that we have not attached.
    this.#port.violation({ peer: sender, kind, ...place }, kind === 'unknown' ? 0 : 1)
  }

  difference(peer: number, node: string, method: string, ours: string | null, theirs: string | null): void {
    const who = peer === 1 ? 'the server' : `peer ${peer}`
    const has = (signature: string | null): string => (signature === null ? 'no such method' : signature)
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

  // ── what the scope below tells ───────────────────────────────────────────────────────────────────────────────────────

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
    this.#forget(peer, new VaivenError('ERR_DISCONNECTED', `peer ${peer} left before it answered`))
  }

  /** Nothing more can be sent: everything that waits is settled. */
  ended(error: VaivenError): void {
    if (this.#ended !== null) return
    this.#ended = new VaivenError('ERR_CLOSED', 'the session is closed')
    for (const peer of new Set([...this.#open.keys(), ...[...this.#pending.values()].map((request) => request.peer)])) this.#forget(peer, error)
  }

  #forget(peer: number, error: VaivenError): void {
    for (const request of [...this.#pending.values()]) {
      if (request.peer === peer && this.#settle(request.id)) request.reject(error)
    }
    const open = this.#open.get(peer)
    this.#open.delete(peer)
    for (const context of open?.values() ?? []) context.abort(error)
  }

  // ── running things here ──────────────────────────────────────────────────────────────────────────────────────────────

  #runLocally(entry: MemberEntry, args: readonly unknown[]): void {
    const context = new Context(this.#port.id, entry.node.path, entry.name, entry.node.instance, true)
    const result = this.#invoke(entry, args, context)
    if (isPromise(result)) result.then(undefined, (error: unknown) => this.#report(error, context))
  }

  async #requestLocally(entry: MemberEntry, args: readonly unknown[]): Promise<unknown> {
    const context = new Context(this.#port.id, entry.node.path, entry.name, entry.node.instance, true)
    return this.#invokeOrThrow(entry, args, context)
  }

  #invoke(entry: MemberEntry, args: readonly unknown[], context: Context): unknown {
    try {
      return this.#invokeOrThrow(entry, args, context)
    } catch (error) {
      this.#report(error, context)
      return undefined
    }
  }

  #invokeOrThrow(entry: MemberEntry, args: readonly unknown[], context: Context): unknown {
    const { handlers } = entry.node
    const handler = handlers[entry.name]
    if (typeof handler !== 'function') {
      // Declared, but not served here: harmless, and told.
      if (!context.local) this.refuse(context.sender, 'unknown', context.node, context.method)
      return undefined
    }
    observe('call', { sender: context.sender, node: context.node, method: context.method, local: context.local })
    return Reflect.apply(handler, handlers, [...args, context])
  }

  #store(entry: MemberEntry, value: unknown, context: Context): void {
    const { node, name } = entry
    node.values[name] = value
    observe('set', { sender: context.sender, node: context.node, property: context.method, local: context.local })
    try {
      const { handlers } = node
      if (typeof handlers[name] === 'function') {
        const result: unknown = Reflect.apply(handlers[name], handlers, [value, context])
        if (isPromise(result)) result.then(undefined, (error: unknown) => this.#report(error, context))
      } else if (name in handlers) handlers[name] = value
    } catch (error) {
      this.#report(error, context)
    }
  }

  #report(error: unknown, { sender, node, method }: Context): void {
    this.#port.report(error, { peer: sender, node, method })
  }
}

const isMeant = (target: CallTarget, id: number): boolean =>
  typeof target === 'number' ? target === 0 || target === id || (target < 0 && target !== -id) : target.includes(id)

/** Is this error how a handler says that it has been told to stop? */
const isAbort = (error: unknown, { signal }: Context): boolean =>
  signal.aborted && (error === signal.reason || (error instanceof Error && (error.name === 'AbortError' || error.cause === signal.reason)))

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'

const notAMethod = (path: string, name: string): VaivenError => new VaivenError('ERR_ARGUMENT', `${path}.${name} is a property; set it with rset`)
const notAProperty = (path: string, name: string): VaivenError => new VaivenError('ERR_ARGUMENT', `${path}.${name} is a method; call it with rpc`)
