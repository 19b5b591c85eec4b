// Node's typed EventEmitter with a dispatch that survives its listeners (util/guarded.ts), as sessions and lobbies are.

import { EventEmitter } from 'node:events'
import { dispatch, surface } from '../util/guarded.ts'
import type { ErrorContext } from '../util/guarded.ts'

/** Every emitter of the session layer has this event. */
export interface ErrorEvents {
  /**
   * A listener or handler of the application failed, or something it should know went wrong. With no listener here the
   * error is printed as a process warning instead of ending the process: one bad handler must not take a server down.
   */
  error: [error: Error, context: ErrorContext]
}

/** An EventEmitter whose own dispatch (`signal`) is guarded. `Events` maps names to argument tuples. */
export class GuardedEmitter<Events extends Record<keyof Events, unknown[]> & ErrorEvents> extends EventEmitter<Events> {
  /** Hands an event to its listeners, in order; never throws. */
  protected signal<Name extends keyof Events & string>(name: Name, ...args: Events[Name]): void {
    dispatch(this, name, args)
  }

  /** Surfaces a failure of application code, once. */
  report(error: unknown, context: ErrorContext): void {
    surface(this, error, context)
  }
}
