// Several flows through one bottleneck, in virtual time: who gets what, and what queue stands.

import { MAX_DATAGRAM_BYTES } from '../../src/transport/endpoint.ts'
import type { Address, Datagram, Endpoint, Millis } from '../../src/transport/endpoint.ts'
import { Host } from '../../src/transport/core/host.ts'
import type { HostOptions } from '../../src/transport/core/options.ts'
import { Link } from '../../src/transport/simulator/index.ts'
import type { HostEvent, Peer } from '../../src/transport/types.ts'
import { CoarseTimers } from './coarse.ts'
import { CubicReceiver, CubicSender } from './cubic-flow.ts'

export type FlowKind = 'ours' | 'cubic'

export interface SharedCell {
  readonly mbitPerSecond: number
  readonly rttMs: number
  readonly bufferBdp: number
  readonly flows: readonly FlowKind[]
  /** Flows start so far apart. */
  readonly gapMs: number
  /** Measured from here to the end. */
  readonly fromMs: number
  readonly untilMs: number
  readonly seed: number
  /** Of our hosts. */
  readonly options?: HostOptions
}

export interface SharedResult {
  /** Mbit/s of each flow, in order. */
  readonly shares: number[]
  readonly queueMs: number[]
  readonly dropRatio: number
}

interface Flow {
  readonly sender: Endpoint<HostEvent>
  readonly receiver: Endpoint<HostEvent>
  readonly back: Link<Address>
  readonly startAt: Millis
  started: boolean
  start(): void
  received(): number
}

export const shared = (cell: SharedCell): SharedResult => {
  const rate = cell.mbitPerSecond * 125
  const forward = new Link<{ flow: number; sentAt: Millis }>(
    { latencyMs: cell.rttMs / 2, rateBytesPerSecond: rate * 1000, queueBytes: Math.max(15_000, rate * cell.rttMs * cell.bufferBdp) },
    { seed: cell.seed, startMs: 0 },
  )
  const flows = cell.flows.map((kind, i) => (kind === 'ours' ? oursFlow(i, cell) : cubicFlow(i, cell)))
  const out: Datagram = { bytes: new Uint8Array(MAX_DATAGRAM_BYTES), length: 0, address: '', port: 0 }
  const queueMs: number[] = []
  let now = 0
  let atFrom: number[] | null = null
  let dropsBefore = 0
  let sentBefore = 0
  const pump = (flow: Flow, i: number): void => {
    if (!flow.started) return
    flow.sender.advance(now)
    while (flow.sender.pollEvent() !== null);
    while (flow.sender.pollTransmit(out)) forward.send(out.bytes, now, { flow: i, sentAt: now }, out.length)
    flow.receiver.advance(now)
    while (flow.receiver.pollEvent() !== null);
    while (flow.receiver.pollTransmit(out)) flow.back.send(out.bytes, now, { address: 's', port: i + 1 }, out.length)
  }
  while (now < cell.untilMs) {
    let next = Math.min(forward.deadline(), cell.untilMs)
    for (const flow of flows) {
      next = Math.min(next, flow.started ? Math.min(flow.back.deadline(), flow.sender.deadline(), flow.receiver.deadline()) : flow.startAt)
    }
    now = Math.max(now, next)
    if (atFrom === null && now >= cell.fromMs) {
      atFrom = flows.map((flow) => flow.received())
      dropsBefore = forward.ledger.queueDropped
      sentBefore = forward.ledger.sent
    }
    for (let arrival = forward.poll(now); arrival !== null; arrival = forward.poll(now)) {
      const flow = flows[arrival.tag.flow] as Flow
      if (now >= cell.fromMs) queueMs.push(Math.max(0, now - arrival.tag.sentAt - cell.rttMs / 2 - (arrival.bytes.length + 28) / rate))
      flow.receiver.receive(arrival.bytes, { address: 'c', port: arrival.tag.flow + 1 }, now)
    }
    flows.forEach((flow, i) => {
      if (!flow.started && now >= flow.startAt) {
        flow.started = true
        flow.start()
      }
      for (let arrival = flow.back.poll(now); arrival !== null; arrival = flow.back.poll(now)) {
        flow.sender.receive(arrival.bytes, arrival.tag, now)
      }
      pump(flow, i)
    })
  }
  const span = cell.untilMs - cell.fromMs
  return {
    shares: flows.map((flow, i) => ((flow.received() - ((atFrom as number[])[i] as number)) * 8) / span / 1000),
    queueMs,
    dropRatio: (forward.ledger.queueDropped - dropsBefore) / Math.max(1, forward.ledger.sent - sentBefore),
  }
}

const backLink = (cell: SharedCell, i: number): Link<Address> =>
  new Link<Address>({ latencyMs: cell.rttMs / 2, jitterMs: 0.1 }, { seed: cell.seed * 100 + i, startMs: 0 })

const oursFlow = (i: number, cell: SharedCell): Flow => {
  const client = new Host({ seed: cell.seed * 1000 + 2 * i, ...cell.options })
  const server = new Host({ seed: cell.seed * 1000 + 2 * i + 1, ...cell.options })
  let peer: Peer | null = null
  const chunk = new Uint8Array(1_000_000)
  const feed = (): void => {
    while (peer !== null && peer.state === 'connected' && peer.queuedBytes < 2_000_000) peer.send(0, chunk)
  }
  return {
    sender: new CoarseTimers(endpointOf(client, feed), 1, (i * 0.37) % 1, { seed: cell.seed * 10 + i, maxMs: 0.3 }),
    receiver: server,
    back: backLink(cell, i),
    startAt: i * cell.gapMs,
    started: false,
    start: () => {
      peer = client.connect({ address: 's', port: i + 1 }, { channels: 1 })
    },
    // Payload as it arrives, not as it is delivered whole: counted by what the server has read.
    received: () => server.stats.bytesReceived,
  }
}

// Keeps the queue filled whenever the host is looked at.
const endpointOf = (host: Host, feed: () => void): Endpoint<HostEvent> => ({
  receive: (bytes, from, now) => host.receive(bytes, from, now),
  advance: (now) => {
    feed()
    host.advance(now)
  },
  pollEvent: () => host.pollEvent(),
  pollTransmit: (out) => host.pollTransmit(out),
  deadline: () => host.deadline(),
})

const cubicFlow = (i: number, cell: SharedCell): Flow => {
  const receiver = new CubicReceiver()
  return {
    sender: new CubicSender({ address: 's', port: i + 1 }),
    receiver,
    back: backLink(cell, i),
    startAt: i * cell.gapMs,
    started: false,
    start: () => {},
    received: () => receiver.received,
  }
}

/** Jain's index of fairness: 1 when all are equal, 1/n when one has all. */
export const jain = (shares: readonly number[]): number => {
  const sum = shares.reduce((a, b) => a + b, 0)
  const squares = shares.reduce((a, b) => a + b * b, 0)
  return (sum * sum) / (shares.length * squares)
}
