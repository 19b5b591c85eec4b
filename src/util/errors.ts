// One error class for everything that vaiven throws or rejects with, told apart by a stable `code`.
// Bytes from the network never become errors: they are counted (see the ledger). Endings that are expected
// (the other side left) are events, and become errors only for a promise that waited for something else.

/** Every code an error of vaiven can carry. Tests and programs match codes, never texts. */
export type ErrorCode =
  /** An option is outside its legal range, or contradicts another. */
  | 'ERR_OPTION_RANGE'
  /** An argument of a call is outside its legal range. */
  | 'ERR_ARGUMENT'
  /** The peer is not connected (not yet, or no longer). */
  | 'ERR_NOT_CONNECTED'
  /** A packet is larger than this connection can carry. */
  | 'ERR_PACKET_SIZE'
  /** The send queue of the peer is full; see `peer.drained()`. */
  | 'ERR_QUEUE_FULL'
  /** No free peer slot on this host. */
  | 'ERR_NO_SLOT'
  /** The other side refused the connection. */
  | 'ERR_REFUSED'
  /** Nothing answered in time. */
  | 'ERR_TIMEOUT'
  /** The operating system says that nobody can be reached there. */
  | 'ERR_UNREACHABLE'
  /** An AbortSignal fired. */
  | 'ERR_ABORTED'
  /** The two sides do not speak the same ENet dialect (checksum, compression). */
  | 'ERR_DIALECT'
  /** The connection ended before the awaited thing happened. */
  | 'ERR_DISCONNECTED'
  /** The message was given up before it was delivered: expired, or replaced by a newer one with its key. */
  | 'ERR_NOT_DELIVERED'
  /** The host, session or socket is closed. */
  | 'ERR_CLOSED'
  /** The socket could not be opened or used: address in use, no permission, no such host. */
  | 'ERR_SOCKET'
  /** The two sides' contracts differ for this node or method. */
  | 'ERR_CONTRACT'
  /** The other side's handler failed, or the method does not exist there. */
  | 'ERR_REMOTE'
  /** A value does not fit its codec type. */
  | 'ERR_ENCODE'
  /** Bytes are not a valid encoding. */
  | 'ERR_DECODE'

/** An error thrown or rejected by vaiven. `code` says which kind; `cause`, where there is one, says why. */
export class VaivenError extends Error {
  /** Which kind; what programs compare. */
  readonly code: ErrorCode
  /** The 32-bit data of a disconnect, where the error came from one. */
  readonly data: number | undefined

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; data?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.data = options.data
    // "VaivenError [ERR_X]: …" in stack traces, as Node's own errors have it.
    this.name = `VaivenError [${code}]`
  }
}

/** A number given by a caller that is outside its range: says the name, the value and what is legal. */
export const outOfRange = (name: string, value: unknown, legal: string, code: ErrorCode = 'ERR_OPTION_RANGE'): VaivenError =>
  new VaivenError(code, `${name} is ${String(value)}; it must be ${legal}`)

/** The error for a wait that an AbortSignal ended. */
export const aborted = (what: string, signal: AbortSignal): VaivenError =>
  new VaivenError('ERR_ABORTED', `${what} was aborted`, { cause: signal.reason })
