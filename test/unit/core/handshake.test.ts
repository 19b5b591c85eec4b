// How a connection begins, datagram by datagram. SPEC §4.1 to §4.8.

import t from 'tap'
import { EndCode } from '../../../src/transport/core/endings.ts'
import { Host } from '../../../src/transport/core/host.ts'
import type { CommandRecord } from '../../../src/transport/core/wire.ts'
import type { ConnectRequest } from '../../../src/transport/types.ts'
import { command, connectFields, datagram, drain, eventsOf, Puppet } from '../../support/puppet.ts'
import type { Sent, SentCommand } from '../../support/puppet.ts'
import { pair, strangers } from '../../support/pair.ts'

const NO_PEER = 0xfff

/** A server and somebody who has asked it for a connection. */
const asked = (options: ConstructorParameters<typeof Host>[0] = {}, change: Partial<CommandRecord> = {}) => {
  const host = new Host({ seed: 3, ...options })
  const client = new Puppet(host)
  host.advance(0)
  const [verify] = client.ask(change)
  const answer = verify?.commands[0]
  if (verify === undefined || answer === undefined) throw new Error('no answer')
  client.peerId = answer.peerId
  client.session = answer.outgoingSession
  return { host, client, verify, answer }
}

const answers = (sent: readonly Sent[]): string[] => sent.flatMap(({ commands }) => commands.map(({ name }) => name))

// ---------------------------------------------------------------- accepting side

t.test('a CONNECT is answered once and takes no slot; its proof makes the peer', (t) => {
  const { host, client, verify, answer } = asked()
  t.same(verify.to, client.address)
  t.equal(verify.peerId, 5, 'the number that the client asked for')
  t.equal(verify.session, answer.incomingSession, 'its header has the session already')
  t.same([host.peerCount, host.stats.halfOpen, eventsOf(host)], [0, 1, []])
  t.same(client.pass(4_900), [], 'and nothing is sent by a timer')
  client.say(client.acknowledge(verify, answer))
  t.match(eventsOf(host), [{ type: 'connect', data: 7,
    peer: { address: client.address.address, port: client.address.port, channelCount: 2, connectData: 7 } }])
  t.same([host.peerCount, host.stats.halfOpen], [1, 0])
  t.end()
})

t.test('what comes with the proof is read at once', (t) => {
  const { host, client, verify, answer } = asked()
  client.say(client.acknowledge(verify, answer), command('sendReliable', { channel: 1, sequence: 1 }, 'hi'))
  t.match(eventsOf(host), [{ type: 'connect' }, { type: 'receive', channel: 1, delivery: 'reliable' }])
  t.end()
})

t.test('only the whole challenge proves anything: number, session, sequence, token and address', (t) => {
  const wrong: readonly (readonly [string, (client: Puppet, verify: Sent, answer: SentCommand) => void])[] = [
    ['another sequence', (client, verify, answer) => client.say(client.acknowledge(verify, { ...answer, sequence: answer.sequence ^ 1 }))],
    ['another token', (client, verify, answer) => client.say(client.acknowledge(verify, answer, verify.sentTime ^ 0x8000))],
    ['another channel', (client, verify, answer) => client.say(client.acknowledge(verify, { ...answer, channel: 0 }))],
    ['another session', (client, verify, answer) => {
      client.session = (client.session + 1) & 3
      client.say(client.acknowledge(verify, answer))
    }],
    ['another number', (client, verify, answer) => {
      client.peerId ^= 1
      client.say(client.acknowledge(verify, answer))
    }],
    ['another address', (client, verify, answer) => client.give(
      datagram(client.peerId, client.session, 1, client.acknowledge(verify, answer)), { ...client.address, address: '192.0.2.10' })],
    ['another port', (client, verify, answer) => client.give(
      datagram(client.peerId, client.session, 1, client.acknowledge(verify, answer)), { ...client.address, port: 5001 })],
  ]
  for (const [name, act] of wrong) {
    const { host, client, verify, answer } = asked()
    act(client, verify, answer)
    t.same([host.peerCount, eventsOf(host)], [0, []], name)
  }
  t.end()
})

t.test('a third wrong answer burns the entry, even for the right one', (t) => {
  for (const tries of [2, 3]) {
    const { host, client, verify, answer } = asked()
    for (let i = 0; i < tries; i++) client.say(client.acknowledge(verify, answer, verify.sentTime ^ (i + 1)))
    t.equal(host.ledger.strayAcknowledgement, tries)
    client.say(client.acknowledge(verify, answer))
    t.equal(host.peerCount, tries === 2 ? 1 : 0, `after ${tries}`)
  }
  t.end()
})

t.test('challenges differ from each other in all their parts', (t) => {
  const host = new Host({ seed: 11 })
  host.advance(0)
  const seen = { peerId: new Set(), sequence: new Set(), token: new Set(), incoming: new Set(), outgoing: new Set() }
  for (let i = 0; i < 200; i++) {
    const client = new Puppet(host, { address: `192.0.2.${i}`, port: 5000 })
    const [verify] = client.ask({ connectId: i })
    const answer = verify?.commands[0]
    seen.peerId.add(answer?.peerId)
    seen.sequence.add(answer?.sequence)
    seen.token.add(verify?.sentTime)
    seen.incoming.add(answer?.incomingSession)
    seen.outgoing.add(answer?.outgoingSession)
  }
  t.ok(seen.peerId.size > 190 && seen.sequence.size > 190 && seen.token.size > 190, 'numbers, sequences and tokens')
  t.same([seen.incoming.size, seen.outgoing.size], [4, 4])
  t.end()
})

t.test('sessions are never the ones that the CONNECT names as its last', (t) => {
  const host = new Host({ seed: 12 })
  host.advance(0)
  for (let i = 0; i < 64; i++) {
    const client = new Puppet(host, { address: `192.0.2.${i}`, port: 5000 })
    const [before, after] = [i & 3, (i >> 2) & 3]
    const answer = client.ask({ connectId: i, incomingSession: before, outgoingSession: after })[0]?.commands[0]
    // The client's incoming one is what we put into our headers, which VERIFY_CONNECT calls incomingSession.
    if (answer?.incomingSession === before || answer?.outgoingSession === after) t.fail(`${before}, ${after}`)
  }
  t.pass('64 connects')
  t.end()
})

t.test('a copy of the CONNECT gets the same answer again, another connect id another one', (t) => {
  const { host, client, verify } = asked()
  const [again] = client.ask()
  t.same(again?.bytes, verify.bytes)
  t.equal(host.stats.halfOpen, 1)
  const [other] = client.ask({ connectId: 99 })
  t.notSame(other?.bytes, verify.bytes)
  t.equal(host.stats.halfOpen, 2)
  t.end()
})

t.test('a client whose proof was lost is asked again when it speaks', (t) => {
  const { host, client, verify, answer } = asked()
  const [again] = client.say(command('sendReliable', { sequence: 1 }, 'too early'))
  t.same(again?.bytes, verify.bytes)
  t.same([host.peerCount, host.ledger.unknownPeer, eventsOf(host)], [0, 1, []])
  client.say(client.acknowledge(verify, answer))
  t.equal(host.peerCount, 1)
  t.end()
})

t.test('never more than three times the bytes that came from an address leave for it before it is proved', (t) => {
  const { host, client, verify } = asked()
  let [received, sent] = [52, verify.bytes.length]
  for (let i = 0; i < 500; i++) {
    // The cheapest datagrams that are answered at all; now and then a whole CONNECT.
    const bytes = i % 50 === 49 ? datagram(NO_PEER, 0, i, command('connect', connectFields())) : datagram(client.peerId, client.session, -1)
    received += bytes.length
    for (const answer of client.give(bytes)) sent += answer.bytes.length
    if (sent > 3 * received) t.fail(`${sent} bytes for ${received} after ${i}`)
  }
  t.ok(sent > received, `${sent} bytes for ${received}: the limit was reached`)
  t.equal(host.stats.bytesSent, sent)
  t.end()
})

t.test('with a checksum the answer still is not longer than three times the question', (t) => {
  for (const checksum of ['none', 'crc32'] as const) {
    const { a, b, network } = strangers({ a: { checksum }, b: {} })
    let [to, from] = [0, 0]
    network.link('a', 'b').filter = (bytes) => {
      to += bytes.length
      return true
    }
    // The server is heard, the client is not: it repeats itself, and is never proved.
    network.link('b', 'a').filter = (bytes) => {
      from += bytes.length
      return false
    }
    a.connect(b)
    network.runFor(4_000)
    t.ok(from > 0 && from <= 3 * to, `${from} for ${to}`)
    t.ok(from < to, 'each answer is shorter than its question')
  }
  t.end()
})

t.test('a half-open entry is forgotten five seconds after the last word of its client', (t) => {
  const { host, client, verify, answer } = asked()
  client.pass(4_999, 100)
  t.equal(host.stats.halfOpen, 1)
  client.ask()
  client.pass(4_999, 100)
  t.equal(host.stats.halfOpen, 1, 'it is still there')
  client.pass(2)
  t.equal(host.stats.halfOpen, 0)
  client.say(client.acknowledge(verify, answer))
  t.same([host.peerCount, host.ledger.unknownPeer], [0, 1])
  t.equal(host.deadline(), Infinity)
  t.end()
})

t.test('when the table is full the oldest makes room, and it is counted', (t) => {
  const host = new Host({ seed: 5, maxHalfOpen: 16 })
  host.advance(0)
  const clients = Array.from({ length: 20 }, (_, i) => new Puppet(host, { address: '192.0.2.1', port: 6000 + i }))
  const verifies = clients.map((client, i) => client.ask({ connectId: i })[0] as Sent)
  t.same([host.stats.halfOpen, host.ledger.refusedConnect], [16, 4])
  const works = clients.map((client, i) => {
    const verify = verifies[i] as Sent
    const answer = verify.commands[0] as SentCommand
    client.peerId = answer.peerId
    client.session = answer.outgoingSession
    client.say(client.acknowledge(verify, answer))
    return eventsOf(host).length
  })
  t.same(works, [0, 0, 0, 0, ...new Array<number>(16).fill(1)])
  t.end()
})

t.test('one that asks again becomes the youngest', (t) => {
  const host = new Host({ seed: 5, maxHalfOpen: 16 })
  host.advance(0)
  const ask = (i: number): Sent[] => new Puppet(host, { address: '192.0.2.1', port: 6000 + i }).ask({ connectId: i })
  for (let i = 0; i < 16; i++) ask(i)
  const first = ask(0)
  ask(16)
  t.same(ask(0)[0]?.bytes, first[0]?.bytes, 'the first one is still there')
  t.end()
})

t.test('a connection that exists does not begin again', (t) => {
  const host = new Host({ seed: 3 })
  const client = new Puppet(host)
  client.connect()
  t.same(client.ask(), [])
  t.same([host.peerCount, host.stats.halfOpen, host.ledger.duplicate], [1, 0, 1])
  t.end()
})

t.test('a client that has begun anew under its old number replaces its own dead connection, and only that', (t) => {
  const host = new Host({ seed: 3 })
  const other = new Puppet(host, { address: '192.0.2.9', port: 5001 })
  other.connect()
  const first = new Puppet(host)
  const peer = first.connect()
  const sibling = new Puppet(host)
  sibling.connect({ connectId: 2, peerId: 6 })
  t.equal(host.peerCount, 3, 'another number is another connection')
  const again = new Puppet(host)
  host.advance(1)
  const [verify] = again.ask({ connectId: 3, peerId: 5 })
  const answer = verify?.commands[0] as SentCommand
  t.equal(host.peerCount, 3, 'a CONNECT alone proves nothing')
  again.peerId = answer.peerId
  again.session = answer.outgoingSession
  again.say(again.acknowledge(verify as Sent, answer))
  const events = eventsOf(host)
  t.match(events, [{ type: 'disconnect', reason: 'remote', data: 0 }, { type: 'connect' }])
  t.equal((events[0] as { peer: unknown }).peer, peer)
  t.equal(host.peerCount, 3)
  t.end()
})

const refusals: readonly (readonly [string, number, () => Host])[] = [
  ['all slots are taken', EndCode.full, () => {
    const host = new Host({ seed: 1, maxPeers: 1 })
    new Puppet(host, { address: '192.0.2.77', port: 1 }).connect()
    return host
  }],
  ['the host refuses everybody', EndCode.refusing, () => new Host({ seed: 1, refuseConnections: true })],
  ['the host closes', EndCode.closing, () => {
    const host = new Host({ seed: 1 })
    host.close()
    return host
  }],
  ['the application says no', 4711, () => new Host({ seed: 1, accept: () => 4711 })],
  ['the application says no with the largest number', 0xffffffff, () => new Host({ seed: 1, accept: () => 0xffffffff })],
  ['the application says no with zero', 0, () => new Host({ seed: 1, accept: () => 0 })],
]
for (const [name, code, make] of refusals) {
  t.test(`refused at once, with the reason, and forgotten: ${name}`, (t) => {
    const host = make()
    host.advance(0)
    const before = host.peerCount
    const sent = new Puppet(host).ask()
    t.match(sent, [{ peerId: 5, session: 0, sentTime: -1, commands: [{ name: 'disconnect', data: code, byte: 0x44 }] }])
    t.ok((sent[0]?.bytes.length ?? 99) < 52, 'shorter than the question')
    t.same([host.ledger.refusedConnect, host.peerCount, host.stats.halfOpen], [1, before, 0])
    t.end()
  })
}

t.test('accept is told what it needs to decide, and asked once for each connect', (t) => {
  const requests: ConnectRequest[] = []
  const { host, client } = asked({ channels: 3, accept: (request) => {
    requests.push(request)
    return true
  } }, { channelCount: 9, data: 0xdeadbeef })
  client.ask({ channelCount: 9, data: 0xdeadbeef })
  t.same(requests, [{ address: '192.0.2.9', port: 5000, data: 0xdeadbeef, channelCount: 3 }])
  t.equal(host.stats.halfOpen, 1)
  t.end()
})

t.test('two that were promised the last slot: the first to prove itself has it, the other hears why not', (t) => {
  const host = new Host({ seed: 4, maxPeers: 1 })
  host.advance(0)
  const clients = [new Puppet(host, { address: '192.0.2.1', port: 1 }), new Puppet(host, { address: '192.0.2.2', port: 2 })]
  const verifies = clients.map((client) => client.ask()[0] as Sent)
  const proofs = clients.map((client, i) => {
    const answer = verifies[i]?.commands[0] as SentCommand
    client.peerId = answer.peerId
    client.session = answer.outgoingSession
    return client.say(client.acknowledge(verifies[i] as Sent, answer))
  })
  t.match(eventsOf(host), [{ type: 'connect' }])
  t.equal(host.peerCount, 1)
  const refused = proofs[1]?.[0]
  t.match(refused, { peerId: 5, commands: [{ name: 'disconnect', data: EndCode.full }] })
  t.equal(refused?.session, verifies[1]?.session, 'with its session: the client is connected by now')
  t.equal(host.ledger.refusedConnect, 1)
  t.end()
})

t.test('the terms of a connection by SPEC §4.3', (t) => {
  const cases: readonly (readonly [string, ConstructorParameters<typeof Host>[0], Partial<CommandRecord>, Partial<CommandRecord>])[] = [
    ['the smaller MTU', { mtu: 1000 }, { mtu: 1400 }, { mtu: 1000 }],
    ['the smaller MTU, the other way', { mtu: 1400 }, { mtu: 800 }, { mtu: 800 }],
    ['an MTU below the least', {}, { mtu: 3 }, { mtu: 576 }],
    ['an MTU without sense', { mtu: 4096 }, { mtu: 0x05780000 }, { mtu: 4096 }],
    ['fewer channels than asked for', { channels: 4 }, { channelCount: 255 }, { channelCount: 4 }],
    ['as many channels as asked for', {}, { channelCount: 255 }, { channelCount: 255 }],
    ['the throttle numbers come back unchanged', {}, { throttleInterval: 77, throttleAcceleration: 5, throttleDeceleration: 0xffffffff },
      { throttleInterval: 77, throttleAcceleration: 5, throttleDeceleration: 0xffffffff }],
    ['the window that our incoming limit grants', { incomingBandwidthBytesPerSecond: 200_000 }, { windowBytes: 65536 },
      { windowBytes: 12_288, incomingBandwidth: 200_000 }],
    ['not more than what was offered', { incomingBandwidthBytesPerSecond: 10_000_000 }, { windowBytes: 8_192 }, { windowBytes: 8_192 }],
    ['our limits', { outgoingBandwidthBytesPerSecond: 123_456 }, {}, { outgoingBandwidth: 123_456, incomingBandwidth: 0 }],
  ]
  for (const [name, options, change, wanted] of cases) {
    const { host, client, verify, answer } = asked(options, change)
    t.match(answer, wanted, name)
    client.say(client.acknowledge(verify, answer))
    const [event] = eventsOf(host)
    const peer = event?.type === 'connect' ? event.peer : null
    if (wanted.mtu !== undefined) t.equal(peer?.stats.mtu, wanted.mtu, `${name}: held to`)
    if (wanted.channelCount !== undefined) t.equal(peer?.channelCount, wanted.channelCount, `${name}: held to`)
  }
  t.end()
})

t.test('a malformed CONNECT gets no answer', (t) => {
  for (const change of [{ channelCount: 0 }, { channelCount: 256 }, { peerId: 0xfff }]) {
    const host = new Host({ seed: 1 })
    host.advance(0)
    t.same(new Puppet(host).ask(change), [])
    t.same([host.ledger.malformedCommand, host.stats.halfOpen], [1, 0])
  }
  t.end()
})

// ---------------------------------------------------------------- connecting side

/** A client of ours, and when its CONNECTs leave. */
const connecting = (options: ConstructorParameters<typeof Host>[0] = {}) => {
  const host = new Host({ seed: 8, ...options })
  host.advance(0)
  const server = new Puppet(host, { address: '198.51.100.1', port: 7777 })
  const peer = host.connect(server.address, { channels: 3, data: 0xcafe })
  return { host, server, peer }
}

t.test('CONNECT is repeated early, then every second, and given up with a reason', (t) => {
  const { host, server, peer } = connecting({ connectTimeoutMs: 5_000 })
  const times: number[] = []
  const sent: Sent[] = []
  for (; server.now < 6_000; server.now++) {
    host.advance(server.now)
    for (const one of drain(host)) {
      times.push(server.now)
      sent.push(one)
    }
    if (peer.state === 'disconnected') break
  }
  t.same(times, [0, 100, 250, 500, 1_000, 2_000, 3_000, 4_000])
  t.equal(server.now, 5_000)
  t.match(eventsOf(host), [{ type: 'disconnect', peer, reason: 'connect-timeout', data: 0 }])
  t.equal(new Set(sent.map(({ commands }) => JSON.stringify(commands))).size, 1, 'the same terms and connect id each time')
  t.ok(new Set(sent.map(({ sentTime }) => sentTime)).size === times.length, 'each with a sent time of its own')
  t.match(sent[0], { peerId: NO_PEER, session: 0,
    commands: [{ name: 'connect', channelCount: 3, data: 0xcafe, incomingSession: 255, outgoingSession: 255 }] })
  t.same([host.peerCount, host.deadline()], [0, Infinity])
  t.end()
})

t.test('VERIFY_CONNECT connects, is acknowledged, and the acknowledgement goes before the first data', (t) => {
  const { host, server, peer } = connecting()
  host.advance(1)
  const request = drain(host)[0]?.commands[0] as SentCommand
  server.now = 20
  const answer = server.give(datagram(request.peerId, 2, 4242, command('verifyConnect', {
    ...request, sequence: 31, peerId: 9, incomingSession: 2, outgoingSession: 1, mtu: 900, channelCount: 2,
  })))
  t.match(eventsOf(host), [{ type: 'connect', peer, data: 0 }])
  t.match(answer[0]?.commands[0], { name: 'acknowledge', channel: 0xff, acknowledged: 31, echo: 4242 })
  t.match(answer[0], { peerId: 9, session: 1 })
  t.match(peer, { state: 'connected', channelCount: 2, stats: { mtu: 900 }, connectData: 0xcafe })
  t.equal(peer.stats.roundTripMs, 19, 'the first round trip is that of the handshake')
  t.end()
})

t.test('a VERIFY_CONNECT that does not fit is ignored, the right one afterwards is not', (t) => {
  const wrong: readonly Partial<CommandRecord>[] = [
    { connectId: 1 }, { peerId: 0xfff }, { channelCount: 0 }, { channelCount: 256 }, { throttleInterval: 1 }, { throttleAcceleration: 9 },
    { throttleDeceleration: 9 }, { incomingSession: 4 }, { outgoingSession: 255 },
  ]
  for (const change of wrong) {
    const host = new Host({ seed: 8 })
    const server = new Puppet(host, { address: '198.51.100.1', port: 7777 })
    const peer = server.accept(change)
    t.same([peer.state, eventsOf(host)], ['connecting', []], JSON.stringify(change))
    const again = server.pass(120).find(({ commands }) => commands[0]?.name === 'connect')
    const request = again?.commands[0] as SentCommand
    server.give(datagram(request.peerId, 0, 1, command('verifyConnect', { ...request, peerId: 9, incomingSession: 0, outgoingSession: 0 })))
    t.equal(peer.state, 'connected')
  }
  t.end()
})

t.test('terms that a server may not raise', (t) => {
  const host = new Host({ seed: 8, mtu: 1000 })
  const server = new Puppet(host, { address: '198.51.100.1', port: 7777 })
  const peer = server.accept({ mtu: 0x05780000, channelCount: 200, windowBytes: 0xffffffff }, { channels: 3 })
  t.match(peer, { state: 'connected', channelCount: 3, stats: { mtu: 1000 } })
  t.end()
})

t.test('data from a stranger does not connect us, nor does anything but VERIFY_CONNECT', (t) => {
  const { host, server, peer } = connecting()
  host.advance(1)
  const request = drain(host)[0]?.commands[0] as SentCommand
  const verify = command('verifyConnect', { ...request, peerId: 9, incomingSession: 0, outgoingSession: 0 })
  server.give(datagram(request.peerId, 0, 1, verify), { ...server.address, port: 7778 })
  server.give(datagram(request.peerId ^ 1, 0, 1, verify))
  server.give(datagram(request.peerId, 0, 1, command('sendReliable', { sequence: 1 }, 'x')))
  server.give(datagram(request.peerId, 0, 1, command('ping', { channel: 255, sequence: 1 })))
  t.same([peer.state, eventsOf(host)], ['connecting', []])
  t.end()
})

t.test('a refusal ends the attempt with its reason', (t) => {
  const { host, server, peer } = connecting()
  host.advance(1)
  const request = drain(host)[0]?.commands[0] as SentCommand
  server.give(datagram(request.peerId, 0, -1, command('disconnect', { channel: 255, sequence: 1, data: 2 }, '', 0x44)))
  t.match(eventsOf(host), [{ type: 'disconnect', peer, reason: 'refused', data: 2 }])
  t.same([host.peerCount, server.pass(3_000, 10)], [0, []])
  t.end()
})

t.test('a repeated VERIFY_CONNECT is acknowledged again', (t) => {
  const host = new Host({ seed: 8, extension: false })
  const server = new Puppet(host, { address: '198.51.100.1', port: 7777 })
  host.advance(0)
  host.connect(server.address)
  host.advance(0)
  const request = drain(host)[0]?.commands[0] as SentCommand
  const verify = command('verifyConnect', { ...request, sequence: 31, peerId: 9, incomingSession: 1, outgoingSession: 2 })
  for (let echo = 100; echo < 104; echo++) {
    const sent = server.give(datagram(request.peerId, 1, echo, verify))
    t.match(sent[0]?.commands.filter(({ name }) => name === 'acknowledge').at(-1), { acknowledged: 31, echo })
  }
  t.equal(eventsOf(host).length, 1)
  const changed = server.give(datagram(request.peerId, 1, 5,
    command('verifyConnect', { ...request, connectId: 1, sequence: 31, peerId: 9 })))
  t.same([answers(changed).includes('acknowledge'), host.ledger.malformedCommand], [false, 1], 'of another connection')
  t.end()
})

t.test('the acknowledgement that a server waits for is repeated before data, three times at most, until it is heard', (t) => {
  const host = new Host({ seed: 8, extension: false })
  const server = new Puppet(host, { address: '198.51.100.1', port: 7777 })
  const peer = server.accept()
  const leads: boolean[] = []
  for (let i = 0; i < 8; i++) {
    server.now += 20
    peer.send(0, new Uint8Array(100), 'unsequenced')
    host.advance(server.now)
    for (const { commands } of drain(host)) leads.push(commands[0]?.name === 'acknowledge' && commands[0].acknowledged === 0x7777)
  }
  t.ok(leads.filter(Boolean).length === 3 && leads.slice(0, 3).every(Boolean), JSON.stringify(leads))
  t.end()
})

t.test('the handshake comes through when any of its datagrams is lost', (t) => {
  for (let lost = 0; lost < 12; lost++) {
    const { a, b, network } = strangers()
    let count = 0
    for (const [from, to] of [['a', 'b'], ['b', 'a']] as const) network.link(from, to).filter = () => count++ !== lost
    const peer = a.connect(b)
    network.runUntil(() => peer.state === 'connected', { limitMs: 2_000 })
    peer.send(0, new Uint8Array(3))
    network.runUntil(() => b.received.length === 1, { limitMs: 2_000, what: `the packet, with datagram ${lost} lost` })
    network.runFor(500)
    t.same([a.of('connect').length, b.of('connect').length, b.received.length], [1, 1, 1], `datagram ${lost}`)
  }
  t.end()
})

t.test('two hosts that connect to each other at the same time have two connections', (t) => {
  const { a, b, network } = strangers()
  a.connect(b)
  b.connect(a)
  network.runFor(500)
  t.same([a.host.peerCount, b.host.peerCount], [2, 2])
  t.same([a.of('connect').length, b.of('connect').length], [2, 2])
  for (const peer of a.host.peers) peer.send(0, new Uint8Array(1))
  network.runFor(500)
  t.equal(b.received.length, 2)
  t.end()
})

t.test('the connect data and the channels reach the other side', (t) => {
  const { a, b } = pair({ channels: 255, data: 0xffffffff, b: { channels: 100 } })
  t.match(b.of('connect'), [{ data: 0xffffffff, peer: { channelCount: 100, connectData: 0xffffffff } }])
  t.match(a.peer, { channelCount: 100 })
  t.end()
})

t.test('a round trip of the handshake counts only when nobody can be in doubt which datagram was answered', (t) => {
  // Our CONNECT had to be repeated: the answer may be to either.
  const { server, peer } = connecting()
  server.pass(150)
  const request = server.pass(110).find(({ commands }) => commands[0]?.name === 'connect')?.commands[0]
  server.give(datagram(request!.peerId, 1, 7,
    command('verifyConnect', { ...request!, sequence: 3, peerId: 9, incomingSession: 1, outgoingSession: 2 })))
  t.same([peer.state, peer.stats.roundTripMs], ['connected', 500])
  // Our VERIFY_CONNECT left twice.
  const { host: other, client, verify, answer } = asked()
  client.pass(100)
  client.ask()
  client.pass(30)
  client.say(client.acknowledge(verify, answer))
  const [event] = eventsOf(other)
  t.equal(event?.type === 'connect' ? event.peer.stats.roundTripMs : null, 500)
  const once = asked()
  once.client.pass(30)
  once.client.say(once.client.acknowledge(once.verify, once.answer))
  const [known] = eventsOf(once.host)
  t.equal(known?.type === 'connect' ? known.peer.stats.roundTripMs : null, 30)
  t.end()
})

t.test('a new connect of the same host is another connection, and a closed one leaves room', (t) => {
  const { a, b, network } = pair({ b: { maxPeers: 2 } })
  a.connect(b)
  network.runUntil(() => a.of('connect').length === 2)
  const third = a.connect(b)
  network.runUntil(() => a.of('disconnect').length === 1)
  const [refused] = a.of('disconnect')
  t.same([refused?.peer === third, refused?.reason, refused?.data], [true, 'refused', EndCode.full])
  ;(a.of('connect')[0]?.peer)?.disconnect()
  network.runUntil(() => a.of('disconnect').length === 2)
  a.connect(b)
  network.runUntil(() => b.of('connect').length === 3)
  t.equal(b.host.peerCount, 2)
  t.end()
})
