// One call of `host.connect()`: several addresses and one deadline become one connection or one error in words.
// Knows when to try which address and what a failure means; the connections themselves are the core's.

import { addAbortListener } from 'node:events'
import { refusalInWords } from '../util/end-codes.ts'
import { VaivenError, aborted } from '../util/errors.ts'
import { displayAddress } from './address.ts'
import type { Address } from './endpoint.ts'
import type { EndReason, Peer } from './types.ts'

/** What an attempt asks of the host that it belongs to. */
export interface AttemptHost {
  /** Begins a connection; its `connect` and `disconnect` events come back to the attempt. */
  begin(to: Address): Peer
  /** Ends a connection that nobody waits for any more; nothing about it comes back. */
  abandon(peer: Peer): void
  /** The one address that matters from now on, or `null` for several. */
  focus(to: Address | null): void
  /** The attempt is over, one way or the other. */
  settled(): void
}

export interface AttemptOptions {
  /** As the caller wrote it. */
  readonly host: string
  readonly port: number
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/** How long one address may keep silent before the next one is tried beside it. RFC 8305 §5 has the same figure. */
const HEAD_START_MS = 250

/** A connect under way. `promise` always settles. */
export class ConnectAttempt {
  readonly promise: Promise<Peer>
  readonly #host: AttemptHost
  readonly #options: AttemptOptions
  readonly #peers = new Map<Peer, Address>()
  #waiting: Address[] = []
  #tried: Address[] = []
  #over = false
  /** What the operating system said about an address, and what a diagnostic said about its answers. */
  #hint: NodeJS.ErrnoException | null = null
  #dialect: string | null = null
  readonly #deadline: NodeJS.Timeout
  #headStart: NodeJS.Timeout | null = null
  #listening: Disposable | null = null
  #resolve!: (peer: Peer) => void
  #reject!: (error: unknown) => void

  constructor(host: AttemptHost, options: AttemptOptions) {
    this.#host = host
    this.#options = options
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#deadline = setTimeout(() => this.fail(this.#timedOut()), options.timeoutMs)
    const { signal } = options
    if (signal !== undefined) this.#listening = addAbortListener(signal, () => this.fail(aborted(`connecting to ${this.#name}`, signal)))
  }

  /** Where to connect, best first. */
  start(addresses: readonly Address[]): void {
    if (this.#over) return
    this.#waiting = [...addresses]
    this.#host.focus(addresses.length === 1 ? (addresses[0] as Address) : null)
    this.#next()
  }

  /** One of the attempt's connections stands: it has won, and the promise resolves. */
  connected(peer: Peer): void {
    const address = this.#peers.get(peer)
    if (address === undefined) return
    this.#peers.delete(peer)
    this.#end()
    this.#host.focus(address)
    this.#resolve(peer)
  }

  /** One of the attempt's connections ended before it began. */
  disconnected(peer: Peer, reason: EndReason, data: number): void {
    const address = this.#peers.get(peer)
    if (address === undefined) return
    this.#peers.delete(peer)
    const where = displayAddress(address.address, address.port)
    if (reason === 'refused' || reason === 'remote') this.fail(refused(where, data))
    else if (reason === 'local' || reason === 'host-closed') this.fail(closedWhileConnecting())
    // The core's own patience is at an end; ours may not be.
    else this.#begin(address)
  }

  /** The operating system says that something cannot be reached: no reason to give up, but one to try the next address. */
  unreachable(error: NodeJS.ErrnoException, about: Address | null): void {
    if (about !== null && !this.#tried.some(({ address, port }) => address === about.address && port === about.port)) return
    this.#hint = error
    if (this.#waiting.length > 0) this.#next()
  }

  /** Something answered from `from` in a way that we cannot read. */
  otherDialect(from: Address, message: string): void {
    if (this.#tried.some(({ address, port }) => address === from.address && port === from.port)) this.#dialect = message
  }

  /** Gives up. */
  fail(error: unknown): void {
    if (this.#over) return
    this.#end()
    this.#reject(error)
  }

  #next(): void {
    const address = this.#waiting.shift()
    if (address === undefined || this.#over) return
    this.#tried.push(address)
    this.#begin(address)
    if (this.#headStart !== null) clearTimeout(this.#headStart)
    if (this.#waiting.length > 0) this.#headStart = setTimeout(() => this.#next(), HEAD_START_MS)
  }

  #begin(address: Address): void {
    if (this.#over) return
    try {
      this.#peers.set(this.#host.begin(address), address)
    } catch (error) {
      // No slot for a second try beside the first is no failure of the first.
      if (this.#peers.size === 0) this.fail(error)
    }
  }

  #end(): void {
    this.#over = true
    clearTimeout(this.#deadline)
    if (this.#headStart !== null) clearTimeout(this.#headStart)
    this.#listening?.[Symbol.dispose]()
    for (const peer of this.#peers.keys()) this.#host.abandon(peer)
    this.#peers.clear()
    this.#host.settled()
  }

  get #name(): string {
    return displayAddress(this.#options.host, this.#options.port)
  }

  #timedOut(): VaivenError {
    const limit = `within ${this.#options.timeoutMs} ms`
    if (this.#tried.length === 0) return new VaivenError('ERR_TIMEOUT', `the address of "${this.#options.host}" was not found ${limit}`)
    if (this.#dialect !== null) return new VaivenError('ERR_DIALECT', `${this.#name} answered, but in another dialect: ${this.#dialect}`)
    if (this.#hint !== null) {
      const { code } = this.#hint
      const meaning = code === 'ECONNREFUSED' || code === 'ECONNRESET' ? 'nothing listens on that port' : 'there is no way to that address'
      const message = `${this.#name} did not answer ${limit}; the operating system says that ${meaning} (${code})`
      return new VaivenError('ERR_UNREACHABLE', message, { cause: this.#hint })
    }
    return new VaivenError(
      'ERR_TIMEOUT',
      `${this.#name} did not answer ${limit}: nothing listens there, a firewall is in between, ` +
        'or it is an ENet host with another checksum or compression (options checksum, compression)',
    )
  }
}

/** The host went away under an attempt. */
export const closedWhileConnecting = (): VaivenError => new VaivenError('ERR_CLOSED', 'the host was closed while connecting')

const refused = (where: string, data: number): VaivenError => new VaivenError('ERR_REFUSED', refusalInWords(where, data), { data })
