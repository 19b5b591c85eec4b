// A server and clients on a test wire, each with a log of its signals in order.

import { Session } from '../../src/session/session.ts'
import type { SessionOptions } from '../../src/session/options.ts'
import { SeededRandom } from '../../src/util/random.ts'
import { Wire, WireHost } from './session-wire.ts'

/** Every signal of a session as a line, in order. */
export const logSignals = (session: Session): string[] => {
  const log: string[] = []
  session.on('peerConnected', ({ id }) => log.push(`peerConnected ${id}`))
  session.on('peerDisconnected', ({ id, reason, text }) => log.push(`peerDisconnected ${id} ${reason}${text && ` ${text}`}`))
  session.on('connectedToServer', () => log.push('connectedToServer'))
  session.on('connectionFailed', (error) => log.push(`connectionFailed ${error.code} ${error.message}`))
  session.on('serverDisconnected', ({ reason, text }) => log.push(`serverDisconnected ${reason}${text && ` ${text}`}`))
  session.on('message', (sender, bytes) => log.push(`message ${sender} ${Buffer.from(bytes).toString()}`))
  session.on('draining', ({ text }) => log.push(`draining ${text}`))
  session.on('violation', ({ peer, kind }) => log.push(`violation ${peer} ${kind}`))
  session.on('error', (error) => log.push(`error ${error instanceof Error ? error.message : String(error)}`))
  session.on('closed', () => log.push('closed'))
  return log
}

export interface Player {
  readonly session: Session
  readonly host: WireHost
  readonly log: string[]
}

/** One server, and clients when asked for. */
export class SessionBench {
  readonly wire = new Wire()
  readonly server: Player
  readonly clients: Player[] = []
  readonly #random = new SeededRandom(7)

  constructor(options: Partial<SessionOptions> = {}) {
    this.server = this.#make({ role: 'server', ...options })
    this.server.host.accept = (request) => this.server.session.gate(request)
  }

  /** A client that is still connecting. */
  client(options: Partial<SessionOptions> & { timeoutMs?: number } = {}): Player {
    const { timeoutMs, ...rest } = options
    const client = this.#make({ role: 'client', ...rest })
    this.clients.push(client)
    client.session.start(this.server.host.address, timeoutMs)
    return client
  }

  /** So many clients, all in, logs emptied. */
  join(count: number, options: Partial<SessionOptions> = {}): Player[] {
    const joined = Array.from({ length: count }, () => this.client(options))
    this.wire.run(200)
    for (const player of [this.server, ...this.clients]) player.log.length = 0
    return joined
  }

  #make(options: Pick<SessionOptions, 'role'> & Partial<SessionOptions>): Player {
    const host = this.wire.host()
    const session = new Session(host, { random: this.#random.bytes, ...options })
    host.runner = session
    return { session, host, log: logSignals(session) }
  }
}
