// What a handler is told besides its arguments. An object of its own per call, so that it also holds after an `await`.

/** The circumstances of one call; the last argument of every handler. */
export interface CallContext {
  /** Who calls: 1 is the server; our own id when a `…Sync` method runs at its caller. [get_rpc_sender_id] */
  readonly sender: number
  /** The node's name and the method's. */
  readonly node: string
  readonly method: string
  /** Which of the node's instances is meant; 0 unless it was attached with one. */
  readonly instance: number
  /** True when it runs at its own caller. */
  readonly local: boolean
  /** Aborted when the caller gives up, leaves, or the session ends. */
  readonly signal: AbortSignal
}

/** A `CallContext` whose signal costs nothing until somebody looks at it. */
export class Context implements CallContext {
  readonly sender: number
  readonly node: string
  readonly method: string
  readonly instance: number
  readonly local: boolean
  #controller: AbortController | null = null
  #aborted: { reason: unknown } | null = null

  constructor(sender: number, node: string, method: string, instance: number, local: boolean) {
    this.sender = sender
    this.node = node
    this.method = method
    this.instance = instance
    this.local = local
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController()
      if (this.#aborted !== null) this.#controller.abort(this.#aborted.reason)
    }
    return this.#controller.signal
  }

  /** The caller no longer waits. */
  abort(reason: unknown): void {
    if (this.#aborted !== null) return
    this.#aborted = { reason }
    this.#controller?.abort(reason)
  }
}
