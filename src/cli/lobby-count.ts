// What one process of `vaiven lobby` counts: who said what, and whether it came once and in order.

import type { UdpSession } from '../udp-session.ts'
import type { Heard, Report } from './lobby-contract.ts'

/** The counters of one process. */
export interface LobbyChecks {
  warnings: number
  rolls: number
  rollsAnswered: number
  nameOf(id: number): string
  met(id: number, name: string): void
  reliable(id: number, number: number, latencyMs: number): void
  unreliable(id: number): void
  color(id: number): void
  report(said: number): Report
}

/** Starts to count for a session. */
export const openLobbyChecks = (name: string, session: UdpSession): LobbyChecks => {
  const heard = new Map<number, Heard>()
  const names = new Map<number, string>([[1, 'server']])
  const ownId = session.id
  let latencies: number[] = []
  const of = (id: number): Heard => {
    let entry = heard.get(id)
    if (entry === undefined) {
      entry = { name: names.get(id) ?? String(id), reliable: 0, outOfOrder: 0, twice: 0, next: -1, unreliable: 0, colors: 0 }
      heard.set(id, entry)
    }
    return entry
  }
  return {
    warnings: 0,
    rolls: 0,
    rollsAnswered: 0,
    nameOf: (id) => names.get(id) ?? String(id),
    met(id, other) {
      names.set(id, other)
      of(id)
    },
    reliable(id, number, latencyMs) {
      const entry = of(id)
      entry.reliable++
      // Whoever comes later hears the stream from where it is: the first number may be any.
      if (entry.next < 0 || number === entry.next) entry.next = number + 1
      else if (number < entry.next) entry.twice++
      else {
        entry.outOfOrder++
        entry.next = number + 1
      }
      latencies.push(latencyMs)
    },
    unreliable(id) {
      of(id).unreliable++
    },
    color(id) {
      of(id).colors++
    },
    report(said) {
      const peers = [...session.host.peers]
      const { roundTripMs = 0, lossRatio = 0 } = session.isServer ? {} : (peers[0]?.stats ?? {})
      const sent = latencies
      latencies = []
      return {
        type: 'report',
        name,
        id: ownId,
        state: session.state,
        peers: session.peerIds.length,
        roundTripMs,
        lossRatio,
        said,
        warnings: this.warnings,
        rolls: this.rolls,
        rollsAnswered: this.rollsAnswered,
        latencies: sent,
        clockErrorMs: session.isServer ? 0 : session.clock.errorMs,
        bytesSent: session.host.stats.bytesSent,
        repaired: peers.reduce((sum, peer) => sum + peer.stats.retransmissions, 0),
        heard: Object.fromEntries([...heard.values()].map((entry) => [entry.name, entry])),
      }
    },
  }
}
