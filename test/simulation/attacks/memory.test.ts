// A connected attacker wants our memory: lengths declared and never sent, pieces, gaps, an application that does not look,
// connections begun and ended. Threats T9, T10, T11, T13, T14. SPEC §5.6, §7.6.

import tap from 'tap'
const t = tap
import { Host } from '../../../src/transport/core/host.ts'
import { addressOf, memoryInUse, out, Resident, Siege } from '../../support/attack.ts'
import { pair } from '../../support/pair.ts'
import { command, connectFields, datagram, eventsOf, Puppet } from '../../support/puppet.ts'

const MIB = 1024 * 1024

/** A connected attacker with as many channels as there are. */
const attacker = (host: Host, i = 1): Puppet => {
  const puppet = new Puppet(host, addressOf(i))
  puppet.connect({ channelCount: 255 })
  return puppet
}

const reliable = (channel: number, sequence: number, payload: Uint8Array | string = ''): Uint8Array => command('sendReliable', { channel, sequence }, payload)
const piece = (channel: number, start: number, number: number, count: number, total: number, length: number, offset = number * length): Uint8Array =>
  command('sendFragment', { channel, sequence: (start + number) & 0xffff, second: start, fragmentCount: count, fragmentNumber: number, totalLength: total, offset }, new Uint8Array(length))

/** Everything goes back when the attacker has left, and an honest peer was never disturbed. */
const leaves = (t: { equal: typeof tap.equal; ok: typeof tap.ok }, host: Host, who: Puppet, before: number, slack = 2 * MIB): void => {
  who.say(command('disconnect', { channel: 255, sequence: 2 }))
  t.equal(host.stats.waitingBytes, 0, 'all charges have gone back')
  who.pass(40_000, 1_000)
  eventsOf(host)
  const left = memoryInUse() - before
  t.ok(left < slack, `${Math.round(left / 1e3)} kB are left`)
}

t.test('declare: 256 messages of 32 MiB begun with 29 bytes each cost what was sent, not what was said', (t) => {
  const host = new Host({ seed: 1 })
  const before = memoryInUse()
  const who = attacker(host)
  let sent = 0
  for (let i = 0; i < 256; i++) {
    const bytes = piece(i % 255, 1 + 100 * Math.floor(i / 255), 0, 24_576, 24_576 * 1_365, 1_365)
    sent += bytes.length
    who.say(bytes)
  }
  for (let i = 0; i < 256; i++) {
    const bytes = command('sendUnreliableFragment', { channel: i % 255, sequence: 0, second: 1 + i, fragmentCount: 32 * MIB / 1024, fragmentNumber: 32 * MIB / 1024 - 1, totalLength: 32 * MIB, offset: 32 * MIB - 1024 }, new Uint8Array(1024))
    sent += bytes.length
    who.say(bytes)
  }
  const growth = memoryInUse() - before
  t.ok(growth <= 3 * sent + MIB, `${growth} bytes for ${sent}`)
  leaves(t, host, who, before)
  t.end()
})

t.test('touch: one-byte pieces at far places cost what was sent, not pages and not bitmaps', (t) => {
  const host = new Host({ seed: 1 })
  const before = memoryInUse()
  const who = attacker(host)
  let sent = 0
  for (let i = 0; i < 8_000; i++) {
    const bytes = piece(0, 1, (i * 3_001) % 24_576, 24_576, 24_576, 1)
    sent += bytes.length + 6
    who.say(bytes)
  }
  const growth = memoryInUse() - before
  t.ok(growth <= 12 * sent + MIB, `${growth} bytes for ${sent}`)
  t.ok(growth <= 2 * host.stats.waitingBytes + MIB, `${growth} bytes, charged ${host.stats.waitingBytes}`)
  leaves(t, host, who, before)
  t.end()
})

t.test('touch: a small piece in a large datagram does not keep the datagram', (t) => {
  for (const kind of ['fragment', 'reliable', 'unreliable', 'unreliable fragment'] as const) {
    const host = new Host({ seed: 1 })
    const before = memoryInUse()
    const who = attacker(host)
    // What follows is no command: it is only there to be kept.
    const ballast = new Uint8Array(3_000).fill(0xff)
    for (let i = 0; i < 4_000; i++) {
      who.say(
        kind === 'fragment' ? piece(0, 1, i, 24_576, 24_576 * 300, 300)
        : kind === 'reliable' ? reliable(0, 2 + i, new Uint8Array(300))
        : kind === 'unreliable' ? command('sendUnreliable', { channel: i % 8, sequence: 1, second: 1 + i }, new Uint8Array(300))
        : command('sendUnreliableFragment', { sequence: 0, second: 1, fragmentCount: 24_576, fragmentNumber: i, totalLength: 24_576 * 300, offset: i * 300 }, new Uint8Array(300)),
        ballast,
      )
    }
    const growth = memoryInUse() - before
    t.ok(host.stats.waitingBytes > 4_000 * 300, `${kind}: ${host.stats.waitingBytes} charged`)
    t.ok(growth <= 2 * host.stats.waitingBytes + MIB, `${kind}: ${growth} bytes, charged ${host.stats.waitingBytes}`)
    leaves(t, host, who, before)
  }
  t.end()
})

t.test('park: empty messages behind a gap on many channels cost no more than the budget, and no resident a packet', (t) => {
  const budget = 4 * MIB
  const siege = new Siege({ receiveBudgetBytes: budget, hostReceiveBudgetBytes: 3 * budget, maxPacketBytes: MIB })
  const resident = siege.resident({ address: '192.0.2.50', port: 50 })
  siege.run(200)
  const before = memoryInUse()
  const who = new Puppet(siege.host, addressOf(1), siege.now)
  who.connect({ channelCount: 255 })
  const talk = (body: Uint8Array[]): void => siege.hit(datagram(who.peerId, who.session, who.sentTime++ & 0xffff, ...body), who.address)
  let sequence = 2
  let most = 0
  siege.run(600, (now) => {
    if (now % 20 === 0) resident.say()
    for (let k = 0; k < 2; k++) {
      const body: Uint8Array[] = []
      for (let channel = 0; channel < 32; channel++) for (let i = 0; i < 4; i++) body.push(reliable(channel, sequence + i))
      for (let i = 0; i < 100; i++) body.push(command('sendUnreliable', { channel: 40 + (i % 32), sequence: 9_000, second: sequence + i }))
      sequence += 4
      talk(body)
    }
    most = Math.max(most, siege.host.stats.waitingBytes)
  })
  t.ok(most > 0.9 * budget && most <= budget + 1_000, `${most} charged`)
  const growth = memoryInUse() - before
  t.ok(growth < 4 * budget, `${growth} bytes for a budget of ${budget}`)
  siege.run(200)
  t.same(resident.echoed, Array.from({ length: resident.sent }, (_, i) => i))
  who.now = siege.now
  leaves(t, siege.host, who, before, 4 * MIB)
  t.end()
})

t.test('park: rings that two far numbers stretch are charged for, on every channel', (t) => {
  const host = new Host({ seed: 1, receiveBudgetBytes: 2 * MIB, maxPacketBytes: MIB })
  const before = memoryInUse()
  const who = attacker(host)
  for (let channel = 0; channel < 255; channel++) who.say(reliable(channel, 2), reliable(channel, 2 + 16_384), reliable(channel, 2 + 8_192))
  t.ok(host.stats.waitingBytes <= 2 * MIB)
  const growth = memoryInUse() - before
  t.ok(growth < 4 * MIB, `${growth} bytes`)
  leaves(t, host, who, before)
  t.end()
})

t.test('255 channels, each with most of a large message, for as many peers as there may be: the host holds its budget', (t) => {
  const budget = 8 * MIB
  const host = new Host({ seed: 1, maxPeers: 16, maxPacketBytes: MIB, hostReceiveBudgetBytes: budget })
  const before = memoryInUse()
  const all = Array.from({ length: 16 }, (_, i) => attacker(host, i))
  for (let number = 0; number < 8; number++) {
    for (const who of all) for (let channel = 0; channel < 255; channel++) who.say(piece(channel, 1, number, 1_000, 1_000 * 1_024, 1_024))
  }
  const { waitingBytes } = host.stats
  t.ok(waitingBytes > budget / 2 && waitingBytes <= budget + 3 * MIB + 16 * 16_384, `${waitingBytes} charged`)
  const growth = memoryInUse() - before
  t.ok(growth < 3 * budget, `${growth} bytes`)
  for (const who of all) who.say(command('disconnect', { channel: 255, sequence: 2 }))
  t.equal(host.stats.waitingBytes, 0)
  t.end()
})

t.test('nothing of length zero is free: every kind of empty message is charged or delivered', (t) => {
  const host = new Host({ seed: 1, receiveBudgetBytes: MIB, maxPacketBytes: MIB })
  const who = attacker(host)
  const peer = host.peers[0]
  for (let round = 1; round < 200; round++) {
    const body: Uint8Array[] = []
    for (const bad of [piece(9, 1, 1, 2, 0, 0), piece(10, 1, 0, 0, 0, 0), piece(11, 1, 0, 2, 1, 0)]) who.say(bad)
    for (let i = 0; i < 60; i++) {
      body.push(reliable(1, 2 + 60 * round + i), piece(12, 1 + 60 * round + i, 0, 1, 0, 0), command('sendUnreliable', { channel: 2, sequence: 7, second: 60 * round + i }), command('sendUnsequenced', { second: 60 * round + i }))
    }
    who.say(...body)
  }
  t.ok(host.stats.waitingBytes <= 2 * MIB, `${host.stats.waitingBytes}`)
  t.ok((peer?.ledger.budget ?? 0) > 0)
  const delivered = eventsOf(host).filter(({ type }) => type === 'receive').length
  t.ok(delivered <= 2 * MIB / 128)
  t.end()
})

t.test('slow: an application that takes less than it is sent has flat memory, loses nothing reliable, and recovers', (t) => {
  const host = new Host({ seed: 1, receiveBudgetBytes: 262_144, maxPacketBytes: 16_384 })
  const client = new Resident(host, { address: '192.0.2.50', port: 50 })
  const send = out()
  const got: number[] = []
  let most = 0
  const run = (until: number, offer: (now: number) => void, polls: (now: number) => number): void => {
    for (; now < until; now += 10) {
      offer(now)
      client.step(now)
      host.advance(now)
      for (let left = polls(now); left > 0; left--) {
        const event = host.pollEvent()
        if (event?.type === 'receive') got.push(((event.bytes[0] as number) << 8) | (event.bytes[1] as number))
      }
      most = Math.max(most, host.stats.waitingBytes)
      while (host.pollTransmit(send)) client.take(send.bytes.slice(0, send.length), now)
    }
  }
  let now = 0
  run(200, () => {}, () => 10)
  // 100 messages a second are said, as long as nobody is told to wait; one a second is taken. Two minutes.
  run(120_000, () => { if (client.peer.queuedBytes < 1_000) client.say() }, (time) => (time % 1_000 === 0 ? 1 : 0))
  t.ok(client.sent > 500 && got.length < 125, `${got.length} of ${client.sent} taken`)
  t.ok(most > 250_000 && most <= 262_144 + 16_384 + 1_000, `${most} bytes`)
  t.equal(client.ended, null)
  run(180_000, () => {}, () => 1_000)
  t.same(got, Array.from({ length: client.sent }, (_, i) => i), 'all of it, in order')
  t.equal(host.stats.waitingBytes, 0)
  t.end()
})

t.test('slow: what waits for the application does not keep alive the datagrams that it came in', (t) => {
  const host = new Host({ seed: 1 })
  const before = memoryInUse()
  const who = attacker(host)
  const ballast = new Uint8Array(3_500).fill(0xff)
  for (let i = 1; i <= 8_000; i++) who.say(command('sendUnsequenced', { second: i & 0xffff }, 'x'), ballast)
  t.ok(host.stats.waitingBytes > 8_000 * 128)
  const growth = memoryInUse() - before
  // Kept datagrams would be 28 times what is charged.
  t.ok(growth <= 8 * host.stats.waitingBytes, `${growth} bytes, charged ${host.stats.waitingBytes}`)
  t.equal(eventsOf(host).length, 8_000)
  t.end()
})

t.test('dead: who sends to a peer that has vanished is told to wait, and gets everything back when it is given up', (t) => {
  const { a, b, network } = pair({ a: { sendHighMarkBytes: MIB, sendCapBytes: 4 * MIB } })
  const before = memoryInUse()
  b.host.receive = () => {}
  let refused = 0
  let full = 0
  const began = network.now
  while (a.of('disconnect').length === 0 && network.now < began + 60_000) {
    // 10 MB/s
    for (let i = 0; i < 10; i++) {
      try {
        if (!a.peer.send(0, new Uint8Array(10_000), 'reliable')) refused++
        a.peer.send(1, new Uint8Array(1_000), 'unreliable')
      } catch {
        full++
      }
      if (a.peer.state !== 'connected') break
    }
    network.runFor(10)
  }
  t.ok(network.now - began <= 31_000, `given up after ${network.now - began} ms`)
  t.ok(refused > 0 && full > 0)
  t.ok(a.peer.queuedBytes === 0)
  network.runFor(10_000)
  const growth = memoryInUse() - before
  t.ok(growth < MIB, `${growth} bytes`)
  t.end()
})

t.test('connections that come and go leave nothing: a thousand a second', (t) => {
  const visits = (host: Host, count: number): { who: Puppet; most: number } => {
    const before = memoryInUse()
    let most = 0
    const who = new Puppet(host, addressOf(1))
    for (let i = 0; i < count; i++) {
      if (i % 10 === 0) who.pass(10, 10)
      const visitor = new Puppet(host, addressOf(i), who.now)
      visitor.connect({ connectId: i, channelCount: 255 })
      visitor.say(reliable(i % 255, 2), command('disconnect', { channel: 255, sequence: 2 }))
      // Its goodbye comes again and again.
      for (let k = 0; k < 3; k++) visitor.say(command('disconnect', { channel: 255, sequence: 2 }))
      eventsOf(host)
      if (i % 2_000 === 1_999) most = Math.max(most, memoryInUse() - before)
    }
    return { who, most }
  }
  // What the engine compiles and remembers the first time is not what the visitors leave.
  visits(new Host({ seed: 2, maxPeers: 64 }), 3_000)
  const host = new Host({ seed: 1, maxPeers: 64 })
  const before = memoryInUse()
  const { who, most } = visits(host, 6_000)
  t.equal(who.now, 6_000)
  t.equal(host.stats.peers, 0)
  t.ok(most < 12 * MIB, `${Math.round(most / 1e3)} kB at most`)
  who.pass(60_000, 1_000)
  const left = memoryInUse() - before
  t.ok(left < MIB, `${Math.round(left / 1e3)} kB are left`)
  t.equal(host.deadline(), Infinity, 'and nothing wants to be woken')
  t.end()
})

t.test('a connect repeated under ten thousand ids by one proven address takes the slots that there are, once each', (t) => {
  const host = new Host({ seed: 1, maxPeers: 8 })
  for (let i = 0; i < 8; i++) new Puppet(host, addressOf(1, 77)).connect({ connectId: i, peerId: i })
  const before = memoryInUse()
  const who = new Puppet(host, addressOf(1, 77))
  for (let i = 0; i < 10_000; i++) who.give(datagram(0xfff, 0, i, command('connect', connectFields({ connectId: 100 + i }))))
  t.equal(host.stats.peers, 8)
  t.equal(host.stats.halfOpen, 0)
  t.ok(memoryInUse() - before < MIB)
  t.end()
})
