// Errors as data: what a handler wants its caller to know, and what a caller is told.

import { VaivenError } from '../util/errors.ts'
import { FailureCode } from './message.ts'

/**
 * An error for the other side of a call. Thrown by a handler, it reaches the caller with its message and details; any other
 * error stays here (it may hold secrets), and the caller only hears that the handler failed. `code` is ERR_REMOTE.
 */
export class RpcError extends VaivenError {
  /** Any self-describing value. */
  readonly details: unknown

  constructor(message: string, details?: unknown) {
    super('ERR_REMOTE', message)
    this.details = details
  }
}

const WORDS: Record<number, string> = {
  [FailureCode.unknown]: 'there is no such method, or nobody serves it there',
  [FailureCode.notAllowed]: 'the caller is not allowed to call it',
  [FailureCode.busy]: 'too many calls of this peer are open there',
  [FailureCode.arguments]: 'the arguments do not fit the schema there',
  [FailureCode.limit]: 'called too often, or with too much',
}

/** The error that a failed call rejects with. */
export const failureError = (what: string, peer: number, code: number, text: string, details: unknown): RpcError => {
  const words = text || WORDS[code] || 'its handler failed'
  // What a handler said is for programs: kept as it is. What the machinery says is for people: with the place.
  return new RpcError(code === FailureCode.handler && text !== '' ? text : `${what} at peer ${peer}: ${words}`, details)
}
