// Hosts without a protocol: what is sent arrives after a latency that the test chooses for each channel. For tests about
// the session's own rules ("this must not overtake that"), where the real core on a bad network is too polite.

import type { Address } from '../../src/transport/endpoint.ts'
import type { ConnectRequest, Delivery, EndReason, HostEvent, Peer, SendOptions } from '../../src/transport/types.ts'
import type { HostPort } from '../../src/session/host-port.ts'
import { VaivenError } from '../../src/util/errors.ts'

/** Anything that the wire runs after each delivery: a session. */
export interface Runner {
  update(): void
  readonly deadline: number
}

/** A virtual clock and the packets under way. */
export class Wire {
  now = 0
  /** Milliseconds on the way, by sender, channel and delivery. Order within a channel is kept for reliable ones. */
  latencyMs: (from: WireHost, to: WireHost, channel: number, delivery: Delivery) => number = () => 10
  /** True: this unreliable packet is lost. */
  lost: (from: WireHost, to: WireHost, channel: number) => boolean = () => false
  readonly #due: { at: number; order: number; run: () => void }[] = []
  readonly hosts: WireHost[] = []
  #order = 0

  host(accept: (request: ConnectRequest) => true | number = () => 0): WireHost {
    const host = new WireHost(this, this.hosts.length + 1, accept)
    this.hosts.push(host)
    return host
  }

  at(time: number, run: () => void): void {
    this.#due.push({ at: time, order: this.#order++, run })
  }

  /** Lets `ms` pass. */
  run(ms: number): void {
    const end = this.now + ms
    for (;;) {
      for (const host of this.hosts) host.runner?.update()
      let next = Infinity
      for (const { at } of this.#due) next = Math.min(next, at)
      for (const host of this.hosts) next = Math.min(next, host.runner?.deadline ?? Infinity)
      if (next > end) break
      this.now = Math.max(this.now, next)
      const ready = this.#due.filter(({ at }) => at <= this.now).sort((a, b) => a.at - b.at || a.order - b.order)
      for (const item of ready) {
        this.#due.splice(this.#due.indexOf(item), 1)
        item.run()
      }
    }
    this.now = end
    for (const host of this.hosts) host.runner?.update()
  }
}

/** One host on the wire; a `HostPort`. */
export class WireHost implements HostPort {
  runner: Runner | null = null
  readonly events: HostEvent[] = []
  readonly peers = new Set<WirePeer>()
  readonly wire: Wire
  readonly number: number
  accept: (request: ConnectRequest) => true | number
  #closing = false

  constructor(wire: Wire, number: number, accept: (request: ConnectRequest) => true | number) {
    this.wire = wire
    this.number = number
    this.accept = accept
  }

  get address(): Address {
    return { address: '192.0.2.1', port: this.number }
  }

  now(): number {
    return this.wire.now
  }

  wake(): void {}

  pollEvent(): HostEvent | null {
    return this.events.shift() ?? null
  }

  connect(to: Address, options: { channels?: number; data?: number } = {}): Peer {
    const other = this.wire.hosts.find((host) => host.number === to.port)
    const channels = options.channels ?? 1
    const ours = new WirePeer(this, other ?? this, channels, options.data ?? 0)
    this.peers.add(ours)
    if (other === undefined) return ours as unknown as Peer
    this.wire.at(this.wire.now + 10, () => {
      const answer = other.accept({ address: '192.0.2.1', port: this.number, data: options.data ?? 0, channelCount: channels })
      if (answer !== true) return this.wire.at(this.wire.now + 10, () => ours.ended('refused', answer))
      const theirs = new WirePeer(other, this, channels, options.data ?? 0)
      other.peers.add(theirs)
      ours.other = theirs
      theirs.other = ours
      theirs.state = 'connected'
      other.events.push({ type: 'connect', peer: theirs as unknown as Peer, data: options.data ?? 0 })
      this.wire.at(this.wire.now + 10, () => {
        if (ours.state !== 'connecting') return
        ours.state = 'connected'
        this.events.push({ type: 'connect', peer: ours as unknown as Peer, data: 0 })
      })
    })
    return ours as unknown as Peer
  }

  close(data = 0): void {
    this.#closing = true
    this.accept = () => 0
    for (const peer of this.peers) peer.disconnect(data)
  }

  get closed(): boolean {
    return this.#closing && this.peers.size === 0
  }

  destroy(): void {
    this.#closing = true
    for (const peer of this.peers) peer.disconnectNow()
    this.peers.clear()
  }

  /** Gone without a word: the others notice after `timeoutMs`. */
  crash(timeoutMs = 3000): void {
    this.runner = null
    for (const peer of this.peers) {
      const { other } = peer
      peer.other = null
      if (other !== null) this.wire.at(this.wire.now + timeoutMs, () => other.ended('timeout', 0))
    }
    this.peers.clear()
  }
}

/** One end of a connection; the part of `Peer` that sessions use. */
export class WirePeer {
  state: Peer['state'] = 'connecting'
  other: WirePeer | null = null
  readonly host: WireHost
  readonly remote: WireHost
  readonly channelCount: number
  readonly connectData: number
  /** Everything sent, for tests about bytes. */
  readonly sent: { channel: number; bytes: Uint8Array; delivery: Delivery }[] = []
  readonly stats = { roundTripMs: 20, messagesSent: 0, queuedMessages: 0, inFlightBytes: 0 }
  readonly #busyUntil = new Map<string, number>()

  constructor(host: WireHost, remote: WireHost, channelCount: number, connectData: number) {
    this.host = host
    this.remote = remote
    this.channelCount = channelCount
    this.connectData = connectData
  }

  get address(): string {
    return '192.0.2.1'
  }

  get port(): number {
    return this.remote.number
  }

  send(channel: number, bytes: Uint8Array, options: Delivery | SendOptions = 'reliable'): boolean {
    if (this.state !== 'connected') throw new VaivenError('ERR_NOT_CONNECTED', `the peer is ${this.state}`)
    if (channel >= this.channelCount) throw new VaivenError('ERR_ARGUMENT', `no channel ${channel}`)
    const delivery = typeof options === 'string' ? options : (options.delivery ?? 'reliable')
    const { wire } = this.host
    const copy = bytes.slice()
    this.sent.push({ channel, bytes: copy, delivery })
    if (delivery !== 'reliable' && wire.lost(this.host, this.remote, channel)) return true
    this.#deliver(channel, delivery, () => {
      const { other } = this
      if (other === null || other.state !== 'connected') return
      other.host.events.push({ type: 'receive', peer: other as unknown as Peer, channel, bytes: copy, delivery })
      if (typeof options === 'object') options.onSettled?.('delivered')
    })
    return true
  }

  /** What the framing asked of the other side's throttle. */
  throttle: readonly number[] = []

  throttleConfigure(...numbers: number[]): void {
    this.throttle = numbers
  }

  disconnect(data = 0): void {
    if (this.state === 'disconnected' || this.state === 'disconnecting' || this.state === 'disconnect-later') return
    if (this.state === 'connecting' || this.other === null) return this.disconnectNow(data)
    this.state = 'disconnecting'
    // After everything reliable on every channel.
    let at = this.host.wire.now + 10
    for (const until of this.#busyUntil.values()) at = Math.max(at, until)
    this.host.wire.at(at, () => {
      this.other?.ended('remote', data)
      this.host.wire.at(this.host.wire.now + 10, () => this.ended('local', data))
    })
  }

  disconnectNow(data = 0): void {
    const { other } = this
    if (other !== null) this.host.wire.at(this.host.wire.now + 10, () => other.ended('remote', data))
    this.state = 'disconnected'
    this.host.peers.delete(this)
  }

  /** The connection ends at this side. */
  ended(reason: EndReason, data: number): void {
    if (this.state === 'disconnected') return
    this.state = 'disconnected'
    this.host.peers.delete(this)
    this.host.events.push({ type: 'disconnect', peer: this as unknown as Peer, reason, data })
  }

  #deliver(channel: number, delivery: Delivery, run: () => void): void {
    const { wire } = this.host
    let at = wire.now + wire.latencyMs(this.host, this.remote, channel, delivery)
    if (delivery === 'reliable') {
      const key = `${channel}`
      at = Math.max(at, this.#busyUntil.get(key) ?? 0)
      this.#busyUntil.set(key, at)
    }
    wire.at(at, run)
  }
}
