// The server's side of a session: who may come in, who goes, and who is thrown out. SPEC §13.2 and §13.6.

import type { ConnectRequest, Peer } from '../transport/types.ts'
import { EndCode } from '../util/end-codes.ts'
import { VaivenError } from '../util/errors.ts'
import { isThenable } from '../util/guarded.ts'
import { TokenBucket } from '../util/token-bucket.ts'
import { observe } from './diagnostics.ts'
import type { Ending } from './endings.ts'
import type { Violation } from './events.ts'
import type { Framing } from './framing.ts'
import { SERVER_ID } from './ids.ts'
import { Link } from './link.ts'
import { NATIVE_VERSION } from './native-framing.ts'
import { readVerdict } from './options.ts'
import { isParting, partFrom } from './parting.ts'
import { sayGoodbye } from './role.ts'
import type { Role, SessionCore } from './role.ts'
import type { SystemMessage } from './system-messages.ts'

export class ServerRole implements Role {
  readonly serverLink = null
  refusing: boolean
  readonly #core: SessionCore
  /** By the id of their client, from the connect on. */
  readonly #byId = new Map<number, Link>()
  /** Acknowledged introductions and answers of `accept` that came outside of an update. */
  readonly #introduced: [Link, number][] = []
  readonly #decided = new Set<Link>()
  /** 1 is our own; none is given twice. */
  #nextSeat = 2

  constructor(core: SessionCore) {
    this.#core = core
    this.refusing = core.options.refuseNewConnections
  }

  get pending(): boolean {
    return this.#decided.size > 0 || this.#introduced.length > 0
  }

  linkOf(id: number): Link | undefined {
    return this.#byId.get(id)
  }

  // --- coming in

  /** Answers a CONNECT before anything is promised: true, or the 32 bits of a refusal. */
  gate(request: ConnectRequest): true | number {
    const { state, options } = this.#core
    if (state === 'draining') return EndCode.draining
    if (state !== 'open') return EndCode.closing
    if (this.refusing) return EndCode.refusing
    const [framing, id] = this.#claim(request.data)
    if (framing === null) return EndCode.dialect
    if (this.#byId.has(id)) return EndCode.badId
    if (this.#byId.size >= options.maxPeers) return EndCode.full
    return options.gate === null ? true : options.gate(request)
  }

  connected(peer: Peer, data: number): void {
    const { options, port, timers, links } = this.#core
    const [framing, id] = this.#claim(data)
    const link = new Link(peer, framing ?? options.framings[0]!, id)
    links.set(peer, link)
    link.framing.prepare?.(peer)
    const refusal = this.gate({ address: peer.address, port: peer.port, data, channelCount: peer.channelCount })
    // Only what the gate has missed meanwhile (two newcomers for one place) is refused here.
    if (refusal !== true) return this.#refuse(link, refusal, '')
    this.#byId.set(id, link)
    if (!link.framing.handshake) return this.#decide(link, new Uint8Array(0))
    link.helloTimer = timers.set(port.now() + options.helloTimeoutMs, () => this.#refuse(link, EndCode.helloTimeout, ''))
  }

  /** May this client come in? */
  #decide(link: Link, hello: Uint8Array): void {
    link.state = 'deciding'
    const { options, scope, port } = this.#core
    if (options.accept === null) return this.#admit(link)
    try {
      const { address, port: udpPort } = link.peer
      const answer: unknown = options.accept({ id: link.id, address, port: udpPort, hello, dialect: link.framing.name })
      if (!isThenable(answer)) return this.#conclude(link, answer)
      // The answer comes between updates; what follows from it happens in the next one.
      const later = (verdict: Link['verdict']): void => {
        link.verdict = verdict
        this.#decided.add(link)
        port.wake()
      }
      answer.then((value) => later({ value }), (failed: unknown) => later({ failed }))
    } catch (error) {
      scope.report(error, { event: 'accept', peer: link.id })
      this.#refuse(link, EndCode.refused, '')
    }
  }

  #conclude(link: Link, answer: unknown): void {
    const refusal = readVerdict(answer)
    if (refusal === null) this.#admit(link)
    else this.#refuse(link, refusal.data, refusal.text)
  }

  #admit(link: Link): void {
    const { state, options, port, scope, receive } = this.#core
    if (state !== 'open') return this.#refuse(link, state === 'draining' ? EndCode.draining : EndCode.closing, '')
    link.state = 'joined'
    link.seat = this.#nextSeat++
    const { relayLimit, relay } = options
    if (relayLimit !== null) link.relayBudget = new TokenBucket(relayLimit.perSecond, relayLimit.burst, port.now())
    scope.introduce(link, SERVER_ID, { kind: 'welcome', version: NATIVE_VERSION, seat: link.seat, relay })
    observe('peer-joined', { session: scope, id: link.id, address: link.peer.address, port: link.peer.port })
    scope.admit(link)
    for (const { channel, bytes, delivery } of link.takeEarly()) receive(link, channel, bytes, delivery)
  }

  #refuse(link: Link, code: number, text: string): void {
    observe('peer-refused', { session: this.#core.scope, id: link.id, data: code, text })
    this.end(link, { reason: 'refused', data: code, text }, false)
  }

  #claim(data: number): [Framing, number] | [null, 0] {
    for (const framing of this.#core.options.framings) {
      const id = framing.claimedId(data)
      if (id !== 0) return [framing, id]
    }
    return [null, 0]
  }

  // --- being in

  takeSystem(link: Link, _scope: number, message: SystemMessage): boolean {
    const { timers, scope, sendUnordered } = this.#core
    switch (message.kind) {
      case 'hello':
        if (link.state !== 'hello') return false
        timers.cancel(link.helloTimer)
        if (message.version === NATIVE_VERSION) this.#decide(link, message.data)
        else this.#refuse(link, EndCode.dialect, `the server speaks version ${NATIVE_VERSION}, this client version ${message.version}`)
        return true
      case 'seen':
        if (message.count > link.introductions.made) return false
        for (const held of link.introductions.seen(message.count)) scope.sendRaw(link, held.channel, held.bytes, held.delivery)
        return true
      case 'clockAsk':
        sendUnordered(link, { kind: 'clockAnswer', token: message.token, timeMs: this.#core.sessionTime() })
        return true
      default:
        return false
    }
  }

  overflowed(link: Link): void {
    this.#refuse(link, EndCode.violations, 'too much before joining')
  }

  /** The transport has acknowledged introduction `number`. */
  introduced(link: Link, number: number): void {
    this.#introduced.push([link, number])
    this.#core.port.wake()
  }

  before(): void {}

  afterEvent(): boolean {
    return true
  }

  after(): void {
    const { scope } = this.#core
    for (const [link, number] of this.#introduced.splice(0)) {
      for (const held of link.introductions.acknowledge(number)) scope.sendRaw(link, held.channel, held.bytes, held.delivery)
    }
    for (const link of this.#decided) {
      this.#decided.delete(link)
      const { verdict } = link
      if (verdict === null || link.state !== 'deciding') continue
      if ('value' in verdict) this.#conclude(link, verdict.value)
      else {
        scope.report(verdict.failed, { event: 'accept', peer: link.id })
        this.#refuse(link, EndCode.refused, '')
      }
    }
  }

  /** A violation of a client's counts, and may be one too many. `weight` 0: only told. */
  countViolation(link: Link | null, violation: Omit<Violation, 'count'>, weight: number): Violation {
    const limit = this.#core.options.kickAfter
    if (link === null) return { ...violation, count: 0 }
    const now = this.#core.port.now()
    if (limit !== null && now - link.violationsSince > limit.withinMs) {
      link.violationsSince = now
      link.violations = 0
    }
    link.violations += weight
    if (limit !== null && link.state === 'joined' && link.violations > limit.violations) {
      this.end(link, { reason: 'kicked', data: EndCode.violations, text: '' }, false)
    }
    return { ...violation, count: link.violations }
  }

  // --- leaving

  kick(id: number, { reason: text = '', data = EndCode.kicked, now = false }: { reason?: string; data?: number; now?: boolean }): void {
    const link = this.#byId.get(id)
    if (link === undefined || !this.#core.scope.roster.has(id)) {
      throw new VaivenError('ERR_ARGUMENT', `peer ${id} is not here; nobody to kick`)
    }
    if (link.state === 'leaving' && !now) return
    this.end(link, { reason: 'kicked', data, text }, now)
  }

  /** Ends a connection with words, after what was sent; or `now`. */
  end(link: Link, ending: Ending, now: boolean): void {
    const { timers, port } = this.#core
    link.ending ??= ending
    timers.cancel(link.helloTimer)
    sayGoodbye(this.#core, link, ending.data, ending.text)
    link.state = 'leaving'
    if (now) {
      link.peer.disconnectNow(ending.data)
      this.disconnected(link, link.ending)
    } else partFrom(link, ending.data, timers, () => port.now())
    port.wake()
  }

  disconnected(link: Link, ending: Ending): void {
    const { links, timers, scope, rooms, state, close } = this.#core
    if (!links.delete(link.peer)) return
    timers.cancel(link.helloTimer)
    this.#decided.delete(link)
    if (this.#byId.get(link.id) === link) this.#byId.delete(link.id)
    // It was refused before it was anybody.
    if (link.seat === 0) return
    link.state = 'leaving'
    observe('peer-left', { session: scope, id: link.id, ...ending })
    if (state === 'closing') return
    for (const room of rooms.values()) room.dismiss(link.id, ending)
    scope.dismiss(link.id, ending)
    if (state === 'draining' && scope.roster.size === 0) close()
  }

  /** Tells everybody that the session will close. */
  drain(withinMs: number, text: string): void {
    const { scope } = this.#core
    for (const link of this.#byId.values()) if (link.state === 'joined') scope.sendSystem(link, { kind: 'drain', withinMs, text })
  }

  closing(data: number, text: string): void {
    for (const link of this.#core.links.values()) {
      if (link.state === 'joined') sayGoodbye(this.#core, link, data, text)
      // Also whoever has been told to leave and still has time to look at our last words: its timer is gone.
      if (link.peer.state === 'connected') partFrom(link, link.ending?.data ?? data, this.#core.timers, () => this.#core.port.now())
      link.state = 'leaving'
    }
    this.#byId.clear()
  }

  get parting(): boolean {
    for (const link of this.#core.links.values()) if (isParting(link)) return true
    return false
  }
}
