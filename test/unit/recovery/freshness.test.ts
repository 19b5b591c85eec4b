// Unreliable packets that cannot leave go stale instead of being dropped by chance: what leaves is new. SPEC §7.5.

import t from 'tap'
import { Host } from '../../../src/transport/core/host.ts'
import type { HostOptions } from '../../../src/transport/core/options.ts'
import { Network } from '../../../src/transport/simulator/index.ts'
import type { DeliveryOutcome, HostEvent, Peer } from '../../../src/transport/types.ts'

interface Run {
  readonly ages: number[]
  readonly host: Host
  readonly outcomes: Map<DeliveryOutcome, number>
}

type Send = (peer: Peer, state: Uint8Array, settled: (outcome: DeliveryOutcome) => void) => void

const first32 = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)

/** 60 states of 400 bytes a second against an outgoing limit; how old each is when it leaves the host. */
const run = (options: HostOptions, limit: number, send?: Send): Run => {
  const network = new Network({ seed: 1, path: { latencyMs: 10 }, hash: false })
  const host = new Host({ seed: 1, outgoingBandwidthBytesPerSecond: limit, extension: false, ...options })
  const sentAt: number[] = []
  const ages: number[] = []
  const outcomes = new Map<DeliveryOutcome, number>()
  network.add<HostEvent>('sender', host)
  const far = network.add<HostEvent>('receiver', new Host({ seed: 2 }), {
    onEvent: (event) => {
      if (event.type === 'receive') ages.push(network.now - 10 - (sentAt[first32(event.bytes)] as number))
    },
  })
  const peer = host.connect(far.address, { channels: 3 })
  network.runFor(500)
  const state = new Uint8Array(400)
  const settled = (outcome: DeliveryOutcome): void => void outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  network.every(1000 / 60, () => {
    new DataView(state.buffer).setUint32(0, sentAt.length)
    sentAt.push(network.now)
    if (send === undefined) peer.send(0, state, { delivery: 'unreliable', onSettled: settled })
    else send(peer, state, settled)
  })
  network.runFor(10_000)
  return { ages, host, outcomes }
}

t.test('nothing is dropped where everything can leave', (t) => {
  const { ages, host } = run({}, 0)
  t.equal(host.ledger.throttled, 0)
  t.ok(ages.length >= 598)
  t.ok(Math.max(...ages) < 1)
  t.end()
})

t.test('behind a limit the newest leave, none older than 50 ms, as many as the limit lets through', (t) => {
  const { ages, host, outcomes } = run({}, 12_000)
  t.ok(Math.max(...ages.slice(20)) <= 51, `oldest ${Math.max(...ages.slice(20))} ms`)
  t.ok(ages.length > 0.85 * 10 * (12_000 / 410), `${ages.length} arrived`)
  t.equal(host.ledger.throttled, outcomes.get('throttled'))
  t.ok(host.ledger.throttled > 200)
  t.end()
})

t.test('each channel has a limit of its own', (t) => {
  const { ages } = run({ channelPriorities: { 0: { freshnessMs: 200 } } }, 12_000)
  const oldest = Math.max(...ages.slice(20))
  t.ok(oldest > 150 && oldest <= 201, `oldest ${oldest} ms`)
  t.end()
})

t.test('freshnessMs 0 never drops, and neither does a limit that the application gave', (t) => {
  t.equal(run({ channelPriorities: { 0: { freshnessMs: 0 } } }, 12_000).host.ledger.throttled, 0)
  const own = run({}, 12_000, (peer, state, onSettled) => void peer.send(0, state, { delivery: 'unreliable', expiresMs: 300, onSettled }))
  t.equal(own.host.ledger.throttled, 0)
  t.ok(own.host.ledger.expired > 100)
  t.end()
})

t.test('reliable packets never go stale', (t) => {
  const { host } = run({}, 12_000, (peer, state) => void peer.send(0, state))
  t.equal(host.ledger.throttled, 0)
  t.end()
})

t.test('freshnessMs is an integer from 0 to 60,000', (t) => {
  for (const freshnessMs of [-1, 1.5, 60_001, NaN]) {
    t.throws(() => new Host({ channelPriorities: { 0: { freshnessMs } } }), { code: 'ERR_OPTION_RANGE' })
  }
  t.end()
})

t.test('states beside bulk do not fill the path, and do not starve', (t) => {
  const network = new Network({ seed: 1, path: { latencyMs: 25, rateBytesPerSecond: 250_000, queueBytes: 50_000 }, hash: false })
  const host = new Host({ seed: 1 })
  const sentAt: number[] = []
  const latencies: number[] = []
  network.add<HostEvent>('sender', host)
  const far = network.add<HostEvent>('receiver', new Host({ seed: 2 }), {
    onEvent: (event) => {
      if (event.type === 'receive' && event.channel === 1) latencies.push(network.now - (sentAt[first32(event.bytes)] as number))
    },
  })
  const peer = host.connect(far.address, { channels: 3 })
  network.runFor(500)
  // 60 states of 1,000 bytes want a quarter of the path.
  const state = new Uint8Array(1_000)
  network.every(1000 / 60, () => {
    if (peer.queuedBytes < 300_000) peer.send(0, new Uint8Array(200_000))
    new DataView(state.buffer).setUint32(0, sentAt.length)
    sentAt.push(network.now)
    peer.send(1, state, 'unreliable')
  })
  network.runFor(20_000)
  const late = latencies.slice(200).sort((a, b) => a - b)
  t.ok(late.length > 950, `${latencies.length} of 1,200 arrived`)
  t.ok(late[Math.floor(0.95 * late.length)]! < 90, `p95 ${late[Math.floor(0.95 * late.length)]} ms`)
  t.end()
})
