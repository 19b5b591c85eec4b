// What is rejected changes nothing, and what is accepted stays within bounds, however extreme its numbers. Two hosts with one
// seed live through the same connection; only one of them is given the bad datagrams; both must say the same for ever after.
// Threats T16, T28, and control commands with extreme values. SPEC §8.

import t from 'tap'
import { Host } from '../../../src/transport/core/host.ts'
import type { HostOptions } from '../../../src/transport/core/options.ts'
import type { CommandRecord } from '../../../src/transport/core/wire.ts'
import { SeededRandom } from '../../../src/util/random.ts'
import { addressOf } from '../../support/attack.ts'
import { command, datagram, eventsOf, Puppet } from '../../support/puppet.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** One connection lived through by a host, with everything that it ever sent or told. */
class Life {
  readonly host: Host
  readonly who: Puppet
  readonly diary: string[] = []
  readonly #unanswered: Uint8Array[] = []

  constructor(options: HostOptions = {}) {
    this.host = new Host({ seed: 77, ...options })
    this.who = new Puppet(this.host, addressOf(1))
    this.who.connect({ channelCount: 4 })
  }

  /** One step of a long conversation, decided by `random`. */
  step(random: SeededRandom, i: number): void {
    const { host, who } = this
    const peer = host.peers[0]
    if (peer === undefined) return void this.diary.push('gone')
    if (random.chance(0.5)) peer.send(random.below(4), new Uint8Array(random.below(1_800)).fill(i), (['reliable', 'unreliable', 'unsequenced'] as const)[random.below(3)])
    const body: Uint8Array[] = this.#unanswered.splice(0, random.below(6))
    const sequence = i + 1
    if (random.chance(0.6)) body.push(command('sendReliable', { channel: 1, sequence: random.chance(0.7) ? sequence : sequence + random.below(5) }, `${i}`))
    if (random.chance(0.4)) body.push(command('sendUnreliable', { channel: 1, sequence, second: 1 + random.below(9) }, `${i}`))
    if (random.chance(0.4)) body.push(command('sendUnsequenced', { second: i }, `${i}`))
    if (random.chance(0.3)) body.push(command('sendFragment', { channel: 2, sequence: 1 + (i % 3), second: 1, fragmentCount: 3, fragmentNumber: i % 3, totalLength: 9, offset: 3 * (i % 3) }, 'abc'))
    const sent = [...who.say(...body), ...who.pass(random.below(30))]
    for (const one of sent) {
      this.diary.push(hex(one.bytes))
      for (const each of one.commands) if (each.name !== 'acknowledge' && each.byte >= 0x80) this.#unanswered.push(who.acknowledge(one, each))
    }
    for (const event of eventsOf(host)) if (event.type !== 'diagnostic') this.diary.push(event.type === 'receive' ? `receive ${event.channel} ${hex(event.bytes)}` : event.type)
    const { datagramsReceived, bytesReceived, ...stats } = peer.stats
    void datagramsReceived
    void bytesReceived
    this.diary.push(JSON.stringify([stats, host.deadline(), host.stats.waitingBytes]))
  }
}

/** Kinds of datagrams that must be rejected as a whole. */
const bad = (random: SeededRandom, who: Puppet, i: number): Uint8Array => {
  const good = [
    command('sendReliable', { channel: 1, sequence: i + 1 }, 'forged'), command('sendUnsequenced', { second: i }, 'forged'),
    command('disconnect', { channel: 255, sequence: 2 }), command('throttleConfigure', { channel: 255, sequence: 2, throttleInterval: 1 }),
    command('bandwidthLimit', { channel: 255, sequence: 2, incomingBandwidth: 1 }), command('sendFragment', { channel: 2, sequence: 1, second: 1, fragmentCount: 3, fragmentNumber: 0, totalLength: 9, offset: 0 }, 'xyz'),
  ]
  const some = Array.from({ length: 1 + random.below(4) }, () => good[random.below(good.length)] as Uint8Array)
  const whole = datagram(who.peerId, who.session, 30_000 + i, ...some)
  switch (random.below(7)) {
    case 0: return whole.subarray(0, whole.length - 1 - random.below(3))
    case 1: return datagram((who.peerId + 1 + random.below(0xffd)) % 0xfff, who.session, 30_000 + i, ...some)
    case 2: return datagram(who.peerId, who.session ^ (1 + random.below(3)), 30_000 + i, ...some)
    case 3: return datagram(who.peerId, who.session, 30_000 + i, ...some, command('sendReliable', { channel: 1, sequence: i + 2 }, 'cut').subarray(0, 8))
    case 4: return new Uint8Array([...whole, ...new Uint8Array(4_097 - whole.length)])
    case 5: {
      whole[0]! |= 0x40
      return whole.subarray(0, 4)
    }
    default: return new Uint8Array([0x80 | (who.session << 4) | (who.peerId >> 8), who.peerId & 255, 1])
  }
}

t.test('malformed: rejected datagrams leave no trace: a host that got thousands says, bit for bit, what one says that got none', (t) => {
  for (const options of [{}, { congestionControl: false, throttle: 'enet' as const }]) {
    const spared = new Life(options)
    const struck = new Life(options)
    const [one, other, mischief] = [new SeededRandom(3), new SeededRandom(3), new SeededRandom(4)]
    let rejected = 0
    for (let i = 0; i < 400; i++) {
      spared.step(one, i)
      struck.step(other, i)
      for (let k = 0; k < 5; k++, rejected++) {
        const bytes = bad(mischief, struck.who, i)
        const from = mischief.chance(0.1) ? addressOf(2) : struck.who.address
        struck.host.receive(bytes.slice(), from, struck.who.now)
      }
    }
    t.equal(struck.diary.length, spared.diary.length)
    t.equal(struck.diary.findIndex((line, i) => line !== spared.diary[i]), -1)
    t.ok(spared.diary.some((line) => line.startsWith('receive')) && !spared.diary.includes('gone'))
    const { ledger } = struck.host
    const counted = ledger.malformedDatagram + ledger.malformedCommand + ledger.unknownPeer + ledger.compression
    const calm = spared.host.ledger
    t.equal(counted - calm.malformedDatagram - calm.malformedCommand - calm.unknownPeer - calm.compression, rejected, 'and each was counted once, by its cause')
  }
  t.end()
})

t.test('limits and throttles of any value leave a connection that works', (t) => {
  const extremes = [0, 1, 2, 999, 65_535, 65_536, 0x7fffffff, 0x80000000, 0xffffffff]
  for (const options of [{}, { throttle: 'enet' as const }, { outgoingBandwidthBytesPerSecond: 1_000 }, { incomingBandwidthBytesPerSecond: 1, strictWindow: true }]) {
    const host = new Host({ seed: 5, ...options })
    const who = new Puppet(host, addressOf(1))
    const peer = who.connect()
    let sequence = 1
    const set = (name: 'bandwidthLimit' | 'throttleConfigure', fields: Partial<CommandRecord>): void => {
      const answers = who.say(command(name, { channel: 255, sequence: ++sequence, ...fields }))
      t.ok(answers.some(({ commands }) => commands.some((one) => one.name === 'acknowledge' && one.acknowledged === sequence)))
      peer.send(0, new Uint8Array(100), 'unreliable')
      who.pass(20)
      for (const number of [peer.stats.windowBytes, peer.throttle.value, peer.throttle.limit]) t.ok(Number.isFinite(number) && number >= 0)
      t.ok(host.deadline() >= who.now)
    }
    for (const value of extremes) {
      set('bandwidthLimit', { incomingBandwidth: value, outgoingBandwidth: 0xffffffff - value })
      set('throttleConfigure', { throttleInterval: value, throttleAcceleration: value, throttleDeceleration: 0xffffffff - value })
    }
    set('bandwidthLimit', {})
    set('throttleConfigure', { throttleInterval: 5_000, throttleAcceleration: 2, throttleDeceleration: 2 })
    t.equal(peer.state, 'connected')
    peer.send(1, new Uint8Array(10), 'reliable')
    const sent = who.pass(3_000).filter(({ commands }) => commands.some(({ name }) => name === 'sendReliable'))
    t.ok(sent.length > 0, 'what is said now leaves')
  }
  t.end()
})

t.test('ten thousand limits cost an acknowledgement each, and the newest counts', (t) => {
  const host = new Host({ seed: 5 })
  const who = new Puppet(host, addressOf(1))
  const peer = who.connect()
  for (let i = 0; i < 100; i++) {
    const sent = who.say(...Array.from({ length: 100 }, (_, k) => command('bandwidthLimit', { channel: 255, sequence: 2 + 100 * i + k, incomingBandwidth: 1_000_000 + 100 * i + k })))
    t.equal(sent.flatMap(({ commands }) => commands).filter(({ name }) => name === 'acknowledge').length, 100)
  }
  t.equal(peer.peerIncomingBandwidth, 1_009_999)
  t.end()
})

t.test('numbers at every edge of a window, of channels and of groups deliver each packet at most once', (t) => {
  const host = new Host({ seed: 5 })
  const who = new Puppet(host, addressOf(1))
  who.connect({ channelCount: 255 })
  const edges = [0, 1, 2, 4_095, 4_096, 8_191, 8_192, 24_575, 24_576, 28_671, 28_672, 28_673, 32_767, 32_768, 32_769, 36_864, 49_152, 65_534, 65_535]
  const seen = new Map<string, number>()
  const random = new SeededRandom(9)
  // What is next in order again and again, with everything at the edges thrown in between: that runs around the numbers many times.
  let next = 1
  for (let i = 0; i < 30_000; i++) {
    const body = [command('sendReliable', { channel: 0, sequence: next & 0xffff }, `r${next++}`)]
    if (i % 20 === 0) {
      for (const edge of edges) {
        const far = (next + edge) & 0xffff
        if (edge > 4_096) body.push(command('sendReliable', { channel: 0, sequence: far }, `x${next + edge}`))
        body.push(command('sendUnreliable', { channel: 3, sequence: edge, second: random.below(65_536) }), command('sendUnsequenced', { channel: 254, second: (next + edge) & 0xffff }, `g${(next + edge) & 0xffff}`))
      }
    }
    who.host.receive(datagram(who.peerId, who.session, who.sentTime++ & 0xffff, ...body), who.address, who.now)
    for (let event = host.pollEvent(); event !== null; event = host.pollEvent()) {
      if (event.type !== 'receive' || event.channel === 3) continue
      const text = Buffer.from(event.bytes).toString()
      if (text[0] !== 'g') seen.set(text, (seen.get(text) ?? 0) + 1)
    }
    if (i % 100 === 0) who.pass(1)
  }
  t.equal(host.peers.length, 1)
  t.ok(seen.size > 5_000)
  t.same([...seen].filter(([, times]) => times > 1), [])
  t.end()
})

t.test('unsequenced groups replayed within their window are delivered once', (t) => {
  const host = new Host({ seed: 5 })
  const who = new Puppet(host, addressOf(1))
  who.connect()
  const random = new SeededRandom(10)
  let highest = 0
  const delivered = new Map<number, number>()
  for (let i = 0; i < 50_000; i++) {
    const group = random.chance(0.5) ? ++highest : Math.max(1, highest - random.below(1_000))
    who.host.receive(datagram(who.peerId, who.session, -1, command('sendUnsequenced', { second: group & 0xffff }, new Uint8Array([group >> 16, group >> 8, group]))), who.address, 0)
    for (const event of eventsOf(host)) if (event.type === 'receive') delivered.set(group, (delivered.get(group) ?? 0) + 1)
  }
  t.ok(delivered.size > 20_000)
  t.same([...delivered].filter(([, times]) => times > 1), [])
  t.end()
})
