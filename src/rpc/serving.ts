// Running handlers: of calls, requests and properties, from others and from ourselves. One that throws or rejects surfaces once, with
// peer, node and method, and harms nobody else. What may run at the same time is bounded.

import { VaivenError } from '../util/errors.ts'
import { Context } from './context.ts'
import { observe } from './diagnostics.ts'
import type { Answer } from './dialect.ts'
import { RpcError } from './failure.ts'
import { FailureCode } from './message.ts'
import type { RpcPort } from './port.ts'
import type { MemberEntry } from './registry.ts'

/** Fire-and-forget calls whose async handlers may be at work for one peer; beyond it they are dropped and counted. */
const MAX_RUNNING_PER_PEER = 1024

export class Serving {
  readonly #port: RpcPort
  readonly #maxOpenPerPeer: number
  /** Requests that run here, by peer and their number. */
  readonly #open = new Map<number, Map<number, Context>>()
  /** Async handlers of fire-and-forget calls at work, by peer. */
  readonly #running = new Map<number, number>()

  constructor(port: RpcPort, maxOpenPerPeer: number) {
    this.#port = port
    this.#maxOpenPerPeer = maxOpenPerPeer
  }

  /** Requests and async calls at work. */
  get sizes(): { readonly open: number; readonly running: number } {
    let open = 0
    for (const requests of this.#open.values()) open += requests.size
    let running = 0
    for (const count of this.#running.values()) running += count
    return { open, running }
  }

  /** A call of somebody's. */
  call(entry: MemberEntry, sender: number, args: readonly unknown[]): void {
    const running = this.#running.get(sender) ?? 0
    if (running >= MAX_RUNNING_PER_PEER) {
      return this.#port.violation({ peer: sender, kind: 'rate', node: entry.node.path, method: entry.name }, 1)
    }
    const context = contextOf(entry, sender, false)
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

  /** A request of somebody's. @returns false when one with that number is open already */
  request(entry: MemberEntry, sender: number, id: number, args: readonly unknown[], answer: Answer): boolean {
    let open = this.#open.get(sender)
    if (open === undefined) this.#open.set(sender, (open = new Map()))
    if (open.has(id)) return false
    if (sender !== 1 && open.size >= this.#maxOpenPerPeer) answer.fail(FailureCode.busy, '', undefined)
    else if (typeof entry.node.handlers[entry.name] !== 'function') answer.fail(FailureCode.unknown, '', undefined)
    else {
      const context = contextOf(entry, sender, false)
      open.set(id, context)
      this.#serve(entry, id, args, context, answer)
      return true
    }
    if (open.size === 0) this.#open.delete(sender)
    return true
  }

  /** The caller of a request no longer waits. Answered meanwhile: ordinary. */
  cancel(sender: number, id: number): void {
    const context = this.#open.get(sender)?.get(id)
    if (context === undefined) return
    this.#close(sender, id)
    context.abort(new VaivenError('ERR_ABORTED', 'the caller no longer waits'))
  }

  /** Nobody waits any more: those of one peer, or all. */
  forget(peer: number | null, error: VaivenError): void {
    for (const sender of peer === null ? [...this.#open.keys()] : [peer]) {
      const open = this.#open.get(sender)
      this.#open.delete(sender)
      for (const context of open?.values() ?? []) context.abort(error)
    }
  }

  /** Somebody sets a property, or we ourselves: a function of that name runs, or the object's own field is assigned. */
  set(entry: MemberEntry, sender: number, value: unknown, local: boolean): void {
    const { node, name } = entry
    const { handlers } = node
    const context = contextOf(entry, sender, local)
    node.values[name] = value
    observe('set', { sender, node: node.path, property: name, local })
    try {
      if (typeof handlers[name] === 'function') this.#watch(Reflect.apply(handlers[name], handlers, [value, context]), context)
      else if (name in handlers) handlers[name] = value
    } catch (error) {
      this.#report(error, context)
    }
  }

  /** A call of our own that also runs here. */
  callLocally(entry: MemberEntry, args: readonly unknown[]): void {
    const context = contextOf(entry, this.#port.id, true)
    this.#watch(this.#invoke(entry, args, context), context)
  }

  /** A request of our own to ourselves. */
  async requestLocally(entry: MemberEntry, args: readonly unknown[]): Promise<unknown> {
    return this.#invokeOrThrow(entry, args, contextOf(entry, this.#port.id, true))
  }

  #serve(entry: MemberEntry, id: number, args: readonly unknown[], context: Context, answer: Answer): void {
    // The caller may have cancelled, or left: then nobody waits for an answer.
    const finish = (tell: () => void): boolean => {
      if (this.#open.get(context.sender)?.get(id) !== context) return false
      this.#close(context.sender, id)
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
      // Details that no message can hold.
      this.#report(second, context)
      answer.fail(FailureCode.handler, error.message, undefined)
    }
  }

  #close(sender: number, id: number): void {
    const open = this.#open.get(sender)
    open?.delete(id)
    if (open?.size === 0) this.#open.delete(sender)
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
    const { sender, node, method, local } = context
    const handler = handlers[entry.name]
    if (typeof handler !== 'function') {
      // Declared, but not served here: harmless, and told.
      if (!local) this.#port.violation({ peer: sender, kind: 'unknown', node, method }, 0)
      return undefined
    }
    observe('call', { sender, node, method, local })
    return Reflect.apply(handler, handlers, [...args, context])
  }

  #watch(result: unknown, context: Context): void {
    if (isPromise(result)) result.then(undefined, (error: unknown) => this.#report(error, context))
  }

  #report(error: unknown, { sender, node, method }: Context): void {
    this.#port.report(error, { peer: sender, node, method })
  }
}

const contextOf = (entry: MemberEntry, sender: number, local: boolean): Context =>
  new Context(sender, entry.node.path, entry.name, entry.node.instance, local)

/** Is this error how a handler says that it has been told to stop? */
const isAbort = (error: unknown, { signal }: Context): boolean =>
  signal.aborted && (error === signal.reason || (error instanceof Error && (error.name === 'AbortError' || error.cause === signal.reason)))

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
