// Requests of ours that wait for their answers. Every one of them ends, exactly once: by an answer, its deadline, an abort, or
// the other side's leave. The table is bounded.

import { aborted, VaivenError } from '../util/errors.ts'
import type { Dialect, Outgoing, Pending } from './dialect.ts'
import type { Deadline, RpcPort } from './port.ts'

/** How long to wait for an answer. */
export interface WaitOptions {
  /** Milliseconds, above 0; Infinity waits until the peer answers or leaves. @default 10000 */
  readonly timeoutMs?: number
  /** Gives up; the handler at the other side sees its own signal fire. */
  readonly signal?: AbortSignal
}

interface Waiting extends Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  readonly deadline: Deadline | null
  readonly signal: AbortSignal | undefined
  readonly onAbort: (() => void) | null
}

const DEFAULT_TIMEOUT_MS = 10_000
const MAX_ID = 0xffffffff

export class PendingTable {
  readonly #port: RpcPort
  readonly #max: number
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 1

  constructor(port: RpcPort, max: number) {
    this.#port = port
    this.#max = max
  }

  get size(): number {
    return this.#waiting.size
  }

  /**
   * Sends a request, and waits.
   * @throws VaivenError at once: ERR_ARGUMENT, ERR_ABORTED (before it began), ERR_QUEUE_FULL
   */
  start(dialect: Dialect, outgoing: Outgoing, peer: number, options: WaitOptions): Promise<unknown> {
    const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options
    const { path, name, entry } = outgoing
    const what = `${path}.${name}`
    if (!(timeoutMs > 0)) throw new VaivenError('ERR_ARGUMENT', `timeoutMs is ${timeoutMs}; it must be above 0`)
    if (signal?.aborted === true) throw aborted(`the call ${what}`, signal)
    if (this.#waiting.size >= this.#max) {
      throw new VaivenError('ERR_QUEUE_FULL', `${what}: ${this.#max} calls wait for their answers already`)
    }
    const id = this.#takeId()
    return new Promise((resolve, reject) => {
      const giveUp = (error: VaivenError): void => {
        if (!this.#settle(id)) return
        dialect.cancel(waiting)
        reject(error)
      }
      const late = (): void => giveUp(new VaivenError('ERR_TIMEOUT', `${what} at peer ${peer} did not answer within ${timeoutMs} ms`))
      const deadline = timeoutMs === Infinity ? null : this.#port.setDeadline(this.#port.now() + timeoutMs, late)
      const onAbort = signal === undefined ? null : () => giveUp(aborted(`the call ${what}`, signal))
      const waiting: Waiting = { id, peer, path, name, entry, resolve, reject, deadline, signal, onAbort }
      this.#waiting.set(id, waiting)
      if (onAbort !== null) signal!.addEventListener('abort', onAbort, { once: true })
      try {
        dialect.request(outgoing, id)
      } catch (error) {
        this.#settle(id)
        reject(error as Error)
      }
    })
  }

  /** The request that `peer` may answer: answers from anybody else are not answers. */
  find(peer: number, id: number): Pending | undefined {
    const waiting = this.#waiting.get(id)
    return waiting?.peer === peer ? waiting : undefined
  }

  resolve(pending: Pending, value: unknown): void {
    if (this.#settle(pending.id)) (pending as Waiting).resolve(value)
  }

  reject(pending: Pending, error: unknown): void {
    if (this.#settle(pending.id)) (pending as Waiting).reject(error)
  }

  /** Nobody will answer any more: those that were to be answered by `peer`, or all of them. */
  forget(peer: number | null, error: VaivenError): void {
    for (const waiting of [...this.#waiting.values()]) if (peer === null || waiting.peer === peer) this.reject(waiting, error)
  }

  /** Takes a request out of every table. @returns false when it has been settled already */
  #settle(id: number): boolean {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return false
    this.#waiting.delete(id)
    if (waiting.deadline !== null) this.#port.clearDeadline(waiting.deadline)
    if (waiting.onAbort !== null) waiting.signal!.removeEventListener('abort', waiting.onAbort)
    return true
  }

  #takeId(): number {
    while (this.#waiting.has(this.#nextId)) this.#nextId = next(this.#nextId)
    const id = this.#nextId
    this.#nextId = next(id)
    return id
  }
}

const next = (id: number): number => (id >= MAX_ID ? 1 : id + 1)
