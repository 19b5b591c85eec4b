// Attacks by somebody who can write a player's address into a datagram but sees no answer: ending a connection, putting
// something into it, guessing its numbers. Threats T4 to T8. SPEC §4.1, §4.9, §6.1, §6.11.

import t from 'tap'
import { encodeAnnounce } from '../../../src/transport/core/extension.ts'
import { Host } from '../../../src/transport/core/host.ts'
import type { PeerCore } from '../../../src/transport/core/peer.ts'
import { SeededRandom } from '../../../src/util/random.ts'
import { Siege } from '../../support/attack.ts'
import type { Resident } from '../../support/attack.ts'
import { command, datagram, drain, eventsOf, Puppet } from '../../support/puppet.ts'

const random = new SeededRandom(6)
const announce = new Uint8Array(8)
encodeAnnounce(announce, 0)

const besieged = (): { siege: Siege; resident: Resident; peer: PeerCore } => {
  const siege = new Siege()
  const resident = siege.resident({ address: '192.0.2.50', port: 50 })
  siege.run(300)
  return { siege, resident, peer: siege.host.peers[0] as PeerCore }
}

t.test('kill: 10,000 guessed DISCONNECTs in the name of a player end nothing', (t) => {
  const { siege, resident } = besieged()
  siege.run(1_000, (now) => {
    if (now % 20 === 0) resident.say()
    for (let i = 0; i < 10; i++) {
      const id = random.below(0xfff)
      const flags = [0x84, 0x44, 0x04][i % 3]
      siege.hit(datagram(id, random.below(4), i % 2 === 0 ? random.below(65_536) : -1, command('disconnect', { channel: 255, sequence: random.below(65_536) }, '', flags)), resident.address)
    }
  })
  siege.run(200)
  t.equal(resident.ended, null)
  t.equal(resident.echoed.length, resident.sent)
  t.ok(siege.host.ledger.unknownPeer > 9_900)
  t.end()
})

t.test('kill: with the peer number and the session known, a DISCONNECT still needs its number: 64 in 65 are in vain', (t) => {
  // 1,024 of 65,536 numbers are plausible.
  let ended = 0
  for (let seed = 0; seed < 260; seed++) {
    const host = new Host({ seed })
    const client = new Puppet(host)
    client.connect()
    client.say(command('disconnect', { channel: 255, sequence: random.below(65_536) }))
    if (eventsOf(host).some(({ type }) => type === 'disconnect')) ended++
  }
  t.ok(ended <= 14, `${ended} of 260`)
  t.end()
})

t.test('inject: guessed datagrams deliver nothing and set nothing', (t) => {
  const { siege, resident, peer } = besieged()
  const got: string[] = []
  const before = { ...peer.throttle, window: peer.windowBytes }
  const expected = 10_000 / 0xfff / 4
  siege.run(100, () => {
    for (let i = 0; i < 2; i++) {
      const sequence = random.below(65_536)
      siege.hit(datagram(random.below(0xfff), random.below(4), random.below(65_536),
        command('sendUnsequenced', { second: random.below(65_536) }, 'forged'), command('sendUnreliable', { sequence: 0, second: random.below(65_536) }, 'forged'),
        command('sendReliable', { sequence: 1 }, 'forged'), command('bandwidthLimit', { channel: 255, sequence, incomingBandwidth: 1 }),
        command('throttleConfigure', { channel: 255, sequence, throttleInterval: 1 })), resident.address)
    }
  })
  siege.run(100)
  t.ok(expected < 1, 'even of 10,000 guesses less than one is heard')
  t.same(got, [])
  t.same({ ...peer.throttle, window: peer.windowBytes }, before)
  t.equal(peer.messagesReceived, 0)
  t.equal(peer.acks.length, 0)
  t.end()
})

t.test('inject: with a checksum the connect id, which no datagram after the handshake shows, must be guessed as well', (t) => {
  const siege = new Siege()
  const resident = siege.resident({ address: '192.0.2.50', port: 50 }, { checksum: 'crc32' })
  siege.run(300)
  const peer = siege.host.peers[0] as PeerCore
  // The forger knows everything that is on the wire.
  for (let i = 0; i < 10_000; i++) {
    const bytes = datagram(peer.wireId, peer.incomingSession, i, new Uint8Array(4), command('sendUnsequenced', { second: i }, 'forged'))
    for (let at = 4; at < 8; at++) bytes[at] = random.below(256)
    siege.hit(bytes, resident.address)
  }
  t.equal(peer.messagesReceived, 0)
  t.equal(peer.ledger.checksum, 10_000)
  t.end()
})

t.test('inject: an announcement of the extension counts only behind a VERIFY_CONNECT that fits', (t) => {
  // A client of ours at a server that does not know the extension: if it believed this, it would stop to acknowledge.
  const client = new Host({ seed: 5 })
  const server = new Puppet(client)
  const peer = server.accept()
  eventsOf(client)
  server.say(announce)
  server.say(command('ping', { channel: 255, sequence: 0x7778 }), announce)
  server.say(command('verifyConnect', { channel: 255, sequence: 0x7777, connectId: (peer.connectId + 1) >>> 0 }), announce)
  t.equal(peer.reports, null)
  const answer = server.say(command('sendReliable', { sequence: 1 }, 'hello'))
  t.ok(answer.some(({ commands }) => commands.some(({ name, channel }) => name === 'acknowledge' && channel === 0)), 'it still acknowledges')
  server.say(command('verifyConnect', { channel: 255, sequence: 0x7777, connectId: peer.connectId }), announce)
  t.not(peer.reports, null, 'a copy of the right one, whose first tail was lost')
  t.end()
})

t.test('ids: a million numbers from the source of chance show no pattern, and no connect id comes twice in a hurry', (t) => {
  const host = new Host({ seed: 1, random: (bytes) => { crypto.getRandomValues(bytes) }, maxPeers: 4_000 })
  const counts = new Uint32Array(256)
  for (let i = 0; i < 500_000; i++) {
    const number = host.random16()
    counts[number >> 8]!++
    counts[number & 255]!++
  }
  const expected = 1_000_000 / 256
  let chi = 0
  for (const count of counts) chi += (count - expected) ** 2 / expected
  // 255 degrees of freedom: beyond 420 once in ten thousand million.
  t.ok(chi < 420, `chi-square ${chi.toFixed(0)}`)
  const ids = new Set<number>()
  for (let i = 0; i < 2_000; i++) ids.add((host.connect({ address: '192.0.2.1', port: 1 + i }) as PeerCore).connectId)
  t.ok(ids.size >= 1_999)
  t.ok([...ids].filter((id, i, all) => i > 0 && Math.abs(id - (all[i - 1] as number)) < 65_536).length < 5, 'they are no counter')
  t.end()
})

t.test('stale-ack: of all 65,536 echoes only that of a datagram which carried the command counts', (t) => {
  const host = new Host({ seed: 2 })
  const client = new Puppet(host)
  const peer = client.connect()
  peer.send(0, new Uint8Array(10), 'reliable')
  host.advance(client.now)
  const sent = drain(host).find(({ commands }) => commands.some(({ name }) => name === 'sendReliable'))
  if (sent === undefined) throw new Error('nothing left')
  const before = peer.stats.roundTripMs
  for (let echo = 0; echo < 65_536; echo++) {
    if (echo === sent.sentTime) continue
    client.mutter(command('acknowledge', { channel: 0, sequence: 1, echo }))
  }
  t.equal(peer.recovery.busy, true)
  t.equal(peer.stats.roundTripMs, before)
  // Among them was the one that the handshake has proved with.
  t.ok(peer.ledger.strayAcknowledgement >= 65_530)
  client.mutter(command('acknowledge', { channel: 0, sequence: 1, echo: sent.sentTime }))
  t.equal(peer.recovery.busy, false)
  t.end()
})

t.test('stale-ack: a peer that stretches its round trips for minutes and then falls silent is gone within the limit all the same', (t) => {
  const maximumMs = 10_000
  const host = new Host({ seed: 2, timeout: { minimumMs: 2_000, maximumMs }, pingIntervalMs: 50 })
  const client = new Puppet(host)
  const peer = client.connect()
  // It acknowledges everything, but anything between at once and eight seconds late: round trips and their deviation grow.
  const late: { at: number; bytes: Uint8Array }[] = []
  for (let i = 0; i < 200_000 / 10; i++) {
    if (i % 10 === 0 && peer.state === 'connected') peer.send(0, new Uint8Array(5), 'reliable')
    for (const sent of client.pass(10, 10)) {
      const answers = sent.commands.filter(({ name }) => name !== 'acknowledge').map((one) => client.acknowledge(sent, one))
      if (answers.length > 0) late.push({ at: client.now + random.below(Math.min(8_000, 10 + client.now / 10)), bytes: datagram(client.peerId, client.session, -1, ...answers) })
    }
    late.sort((one, other) => one.at - other.at)
    while (late.length > 0 && (late[0] as { at: number }).at <= client.now) client.give((late.shift() as { bytes: Uint8Array }).bytes)
    if (peer.state !== 'connected') break
  }
  t.equal(peer.state, 'connected', 'slow is not dead')
  t.ok(peer.stats.roundTripMs > 1_000, `round trip ${peer.stats.roundTripMs}`)
  peer.send(0, new Uint8Array(5), 'reliable')
  const silentAt = client.now
  while (peer.state === 'connected' && client.now < silentAt + 200_000) client.pass(50, 50)
  t.ok(client.now - silentAt <= maximumMs + 6_000, `gone after ${client.now - silentAt} ms`)
  t.end()
})

t.test('replay: a whole session, played again while it lives and after it has ended, delivers nothing and revives nothing', (t) => {
  const host = new Host({ seed: 4 })
  const client = new Puppet(host)
  const recorded: Uint8Array[] = []
  const give = client.give.bind(client)
  client.give = (bytes, from) => {
    recorded.push(bytes.slice())
    return give(bytes, from)
  }
  client.connect()
  for (let i = 1; i <= 50; i++) {
    client.say(command('sendReliable', { sequence: i }, `r${i}`), command('sendUnreliable', { sequence: i, second: 1 }, `u${i}`), command('sendUnsequenced', { second: i }, `x${i}`))
  }
  t.equal(eventsOf(host).length, 150)
  const replay = (): void => {
    for (const bytes of recorded) host.receive(bytes.slice(), client.address, client.now)
    host.advance(client.now)
  }
  replay()
  t.same(eventsOf(host).filter(({ type }) => type === 'receive'), [])
  client.say(command('disconnect', { channel: 255, sequence: 2 }))
  eventsOf(host)
  for (let round = 0; round < 5; round++) {
    replay()
    client.pass(3_000, 50)
    t.same(eventsOf(host), [])
    t.equal(host.stats.peers, 0)
  }
  t.end()
})
