// Node's typed EventEmitter with a dispatch that survives its listeners: one that throws, or whose promise rejects, stops
// neither the others nor us, and surfaces once on 'error'.

import { EventEmitter } from 'node:events'

/** Where an error came from, as the second argument of 'error'. */
export interface ErrorContext {
  /** The event whose listener failed. */
  readonly event?: string
  /** The peer it was about. */
  readonly peer?: number
  /** The remote object and method or property whose handler failed. */
  readonly node?: string
  readonly method?: string
}

/** Every emitter of the session layer has this event. */
export interface ErrorEvents {
  /**
   * A listener or handler of the application failed, or something it should know went wrong. With no listener here the
   * error is printed as a process warning instead of ending the process: one bad handler must not take a server down.
   */
  error: [error: unknown, context: ErrorContext]
}

/** An EventEmitter whose own dispatch (`signal`) is guarded. `Events` maps names to argument tuples. */
export class GuardedEmitter<Events extends Record<keyof Events, unknown[]> & ErrorEvents> extends EventEmitter<Events> {
  /** Hands an event to its listeners, in order; never throws. */
  protected signal<Name extends keyof Events & string>(name: Name, ...args: Events[Name]): void {
    // The base class sees no difference between our map and any other; the cast stays inside this method.
    const emitter = this as unknown as EventEmitter
    if (emitter.listenerCount(name) === 0) return
    // rawListeners is a copy, with the wrappers that make `once` work.
    for (const listener of emitter.rawListeners(name)) {
      try {
        const result: unknown = Reflect.apply(listener, this, args)
        if (isThenable(result)) result.then(undefined, (error: unknown) => this.report(error, { event: name }))
      } catch (error) {
        this.report(error, { event: name })
      }
    }
  }

  /** Surfaces a failure of application code, once. */
  report(error: unknown, context: ErrorContext): void {
    const emitter = this as unknown as EventEmitter
    const listeners = emitter.rawListeners('error')
    if (listeners.length === 0) return warn(error, context)
    for (const listener of listeners) {
      try {
        Reflect.apply(listener, this, [error, context])
      } catch (second) {
        warn(second, { event: 'error' })
      }
    }
  }
}

/** True for what `await` would wait for. */
export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'

const warn = (error: unknown, context: ErrorContext): void => {
  const where = Object.entries(context).map(([key, value]) => `${key} ${String(value)}`)
  const message = error instanceof Error ? error.message : String(error)
  const detail = error instanceof Error ? error.stack : undefined
  process.emitWarning(`${message} (${where.join(', ') || 'session'}; listen for 'error' to handle it)`, {
    type: 'VaivenWarning',
    ...(detail === undefined ? {} : { detail }),
  })
}
