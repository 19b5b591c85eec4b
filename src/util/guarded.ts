// Handing events to listeners of the program in a way that survives them: one that throws, or whose promise rejects, stops
// neither the others nor us. What hosts and sessions do with such an error is decided here, once.

/** Where an error came from, as the second argument of 'error'. */
export interface ErrorContext {
  /** The event whose listener failed. */
  readonly event?: string
  /** The peer that it was about. */
  readonly peer?: number
  /** The remote object and method or property whose handler failed. */
  readonly node?: string
  readonly method?: string
}

/** The part of Node's EventEmitter that dispatch needs; `any`, for a typed emitter knows only its own names. */
interface Listened {
  rawListeners(name: any): Function[]
}

/** Hands an event to its listeners, in order; never throws. */
export const dispatch = (emitter: Listened, name: string, args: readonly unknown[]): void => {
  // rawListeners is a copy, with the wrappers that make `once` work.
  for (const listener of emitter.rawListeners(name)) {
    try {
      const result: unknown = Reflect.apply(listener, emitter, args)
      if (isThenable(result)) result.then(undefined, (error: unknown) => surface(emitter, error, { event: name }))
    } catch (error) {
      surface(emitter, error, { event: name })
    }
  }
}

/**
 * Surfaces a failure of the program, once: to the listeners of 'error', or without one as a process warning. Not as an exception
 * that nobody catches: what arrives from the network must not be able to end a server whose handler has a bug.
 */
export const surface = (emitter: Listened, thrown: unknown, context: ErrorContext): void => {
  const error = asError(thrown)
  const listeners = emitter.rawListeners('error')
  if (listeners.length === 0) return warn(error, context)
  for (const listener of listeners) {
    try {
      const result: unknown = Reflect.apply(listener, emitter, [error, context])
      if (isThenable(result)) result.then(undefined, (second: unknown) => warn(asError(second), { event: 'error' }))
    } catch (second) {
      warn(asError(second), { event: 'error' })
    }
  }
}

/** True for what `await` would wait for. */
export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'

const asError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error(`something else than an error was thrown: ${String(thrown)}`, { cause: thrown })

const warn = (error: Error, context: ErrorContext): void => {
  const where = Object.entries(context).map(([key, value]) => `${key} ${String(value)}`)
  const hint = `${where.join(', ')}; listen for 'error' to handle it`
  const warning: Error & { detail?: string } = new Error(`${error.message} (${hint})`, { cause: error })
  warning.name = 'VaivenWarning'
  if (error.stack !== undefined) warning.detail = error.stack
  process.emitWarning(warning)
}
