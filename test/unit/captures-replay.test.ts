// Recorded C programs against a host of ours: one side of a capture is played to it, and it has to acknowledge the same
// commands in the same order, with the same echoes, as the C library did on that side, and to deliver every packet.
//
// Numbers that each run chooses anew (peer ids, sessions, connect id, the challenge) are translated; the rest of each
// datagram, its commands, checksum and compression, is as recorded.

import t from 'tap'
import { Command } from '../../src/transport/core/constants.ts'
import { crc32 } from '../../src/transport/core/crc32.ts'
import { describeDatagram } from '../../src/transport/core/describe.ts'
import { Host } from '../../src/transport/core/host.ts'
import { RangeCoder } from '../../src/transport/core/range-coder.ts'
import { CommandRecord, decodeCommand, encodeCommand, put16, put32, u16 } from '../../src/transport/core/wire.ts'
import type { HostEvent, Peer } from '../../src/transport/types.ts'
import { captureFiles, readCapture } from '../support/captures.ts'
import type { CapturedDatagram } from '../support/captures.ts'

type Side = CapturedDatagram['direction']
const ADDRESS = { address: '192.0.2.7', port: 4000 }

/** A relay stood between: not everything sent has arrived, or it did in another order. */
const DISTURBED = ['enet-loss.json', 'enet-reorder.json', 'enet-silent-peer.json', 'enet-connect-timeout.json']
/** A DISCONNECT made the C side drop acknowledgements that it still had to send; ours gives more than it did. */
const CUT_SHORT = ['enet-disconnect-variants.json', 'enet-silent-peer.json', 'enet-connect-timeout.json', 'enet-time-wrap.json']

/** What our host and the recorded one call the same things. */
interface Translation {
  peerId: number
  session: number
  connectId: number
  recordedConnectId: number
  /** The recorded VERIFY_CONNECT and ours: number and sent time. */
  verify: { sequence: number; token: number } | null
}

interface Acknowledged {
  readonly channel: number
  readonly sequence: number
  readonly echo: number
}

/** The recorded datagram as our host has to get it; null when nothing is left of it. */
const translate = ({ bytes, decoded }: CapturedDatagram, map: Translation, toServer: boolean): Uint8Array | null => {
  const coder = new RangeCoder()
  const word = u16(bytes, 0)
  const hasChecksum = decoded.header['crc'] !== undefined
  const headerBytes = ((word & 0x8000) === 0 ? 2 : 4) + (hasChecksum ? 4 : 0)
  let body = bytes.subarray(headerBytes)
  if (decoded.compressed !== null) {
    const plain = new Uint8Array(4096)
    body = plain.subarray(0, coder.decompress(body, plain))
  }
  const out = new Uint8Array(4200)
  out.set(bytes.subarray(0, headerBytes))
  let at = headerBytes
  const command = new CommandRecord()
  for (let from = 0, size = 0; from < body.length; from += size) {
    size = decodeCommand(body, from, body.length, command)
    if (size <= 0) throw new Error(`cannot read ${decoded.header['sent'] ?? ''}`)
    if (command.number === Command.acknowledge) {
      // What our host never sent cannot be acknowledged to it, except its VERIFY_CONNECT.
      if (!toServer || map.verify === null || command.channel !== 0xff || command.acknowledged !== 1) continue
      command.sequence = command.acknowledged = map.verify.sequence
      command.echo = map.verify.token
    }
    if (command.number === Command.verifyConnect) command.connectId = map.connectId
    at += encodeCommand(out, at, body[from] ?? 0, command, body.subarray(command.payloadStart, command.payloadEnd))
  }
  if (at === headerBytes) return null
  const isConnect = (word & 0xfff) === 0xfff
  let flags = word & 0x8000
  let packed: Uint8Array | null = null
  if (decoded.compressed !== null) {
    const buffer = new Uint8Array(at - headerBytes - 1)
    const size = coder.compress(out.subarray(headerBytes, at), buffer)
    if (size > 0) {
      packed = buffer.subarray(0, size)
      flags |= 0x4000
    }
  }
  put16(out, 0, flags | (isConnect ? 0xfff : map.peerId | (map.session << 12)))
  if (hasChecksum) {
    put32(out, headerBytes - 4, isConnect ? 0 : map.connectId)
    put32(out, headerBytes - 4, crc32(out.subarray(0, at)))
  }
  if (packed === null) return out.slice(0, at)
  out.set(packed, headerBytes)
  return out.slice(0, headerBytes + packed.length)
}

const DELIVERIES: Readonly<Record<string, string>> = {
  SEND_RELIABLE: 'reliable', SEND_FRAGMENT: 'reliable', SEND_UNRELIABLE: 'unreliable', SEND_UNRELIABLE_FRAGMENT: 'unreliable',
  SEND_UNSEQUENCED: 'unsequenced',
}

/** A packet's bytes, in a form that a failure can show. */
const contents = (bytes: Uint8Array): string =>
  bytes.length <= 24 ? Buffer.from(bytes).toString('hex') : `${bytes.length} bytes, crc ${crc32(bytes).toString(16)}`

/** Packets that a lossless direction of a capture carries, in the order in which they become complete. */
const packetsOf = (datagrams: readonly CapturedDatagram[], connectIds: readonly number[]): string[] => {
  const packets: string[] = []
  const parts = new Map<string, { bytes: Buffer; missing: number }>()
  const seen = new Set<string>()
  let connectId: string | number = ''
  for (const { bytes } of datagrams) {
    for (const { name, fields, payload } of describeDatagram(bytes, { connectIds }).commands) {
      const { channel, sequence, startSequence, connectId: named } = fields
      if (named !== undefined && named !== connectId) {
        connectId = named
        seen.clear()
      }
      if (payload === null) continue
      // C sends again after a few milliseconds on a fast network: what has arrived does not arrive once more.
      const { unreliableSequence, group, fragmentNumber } = fields
      const identity = [name, channel, sequence, unreliableSequence, group, startSequence, fragmentNumber].join(' ')
      if (seen.has(identity)) continue
      seen.add(identity)
      const label = `${channel} ${DELIVERIES[name]}`
      if (fields['fragmentCount'] === undefined) {
        packets.push(`${label} ${contents(payload)}`)
        continue
      }
      const key = `${label} ${startSequence} ${name === 'SEND_FRAGMENT' ? '' : sequence}`
      const part = parts.get(key) ?? { bytes: Buffer.alloc(fields['totalLength'] as number), missing: fields['fragmentCount'] as number }
      parts.set(key, part)
      part.bytes.set(payload, fields['offset'] as number)
      if (--part.missing > 0) continue
      parts.delete(key)
      packets.push(`${label} ${contents(part.bytes)}`)
    }
  }
  return packets
}

interface Replay {
  /** What our host acknowledged, and what the C library did in its place. */
  readonly ours: Acknowledged[]
  readonly theirs: Acknowledged[]
  readonly packets: string[]
  readonly expectedPackets: string[]
  readonly host: Host
}

/** Plays what one side sent to a host of ours that takes the other side's place. */
const replay = (file: string, from: Side): Replay => {
  const datagrams = readCapture(file)
  const toServer = from === 'client->server'
  const connectIds = datagrams.flatMap(({ decoded }) => decoded.commands)
    .filter(({ name }) => name === 'CONNECT')
    .map(({ fields }) => Number.parseInt(fields['connectid'] ?? '', 16))
  const first = datagrams[0]?.decoded
  const host = new Host({
    seed: 11,
    mtu: 1400,
    checksum: first?.header['crc'] === undefined ? 'none' : 'crc32',
    compression: first?.compressed === null ? 'none' : 'rangeCoder',
    // The recorded other side does not answer to what this host sends, so it must not give up.
    timeout: { minimumMs: 86_400_000, maximumMs: 86_400_000 },
    pingIntervalMs: 3_600_000,
    connectTimeoutMs: 86_400_000,
  })
  host.advance(0)
  const map: Translation = { peerId: 0, session: 0, connectId: 0, recordedConnectId: -1, verify: null }
  const ours: Acknowledged[] = []
  const packets: string[] = []
  let peer: Peer | null = null

  const settle = (now: number): void => {
    host.advance(now)
    for (let event: HostEvent | null = host.pollEvent(); event !== null; event = host.pollEvent()) {
      if (event.type === 'receive') packets.push(`${event.channel} ${event.delivery} ${contents(event.bytes)}`)
    }
    const out = { bytes: new Uint8Array(4200), length: 0, address: '', port: 0 }
    while (host.pollTransmit(out)) {
      const { header, commands } = describeDatagram(out.bytes.subarray(0, out.length), { connectIds: [map.connectId] })
      for (const { name, fields } of commands) {
        if (name === 'CONNECT') {
          map.peerId = fields['peerId'] as number
          map.connectId = Number.parseInt(String(fields['connectId']), 16)
        } else if (name === 'VERIFY_CONNECT') {
          map.peerId = fields['peerId'] as number
          map.session = fields['outgoingSession'] as number
          map.verify = { sequence: fields['sequence'] as number, token: header?.sentTime ?? -1 }
        } else if (name === 'ACKNOWLEDGE') {
          ours.push({ channel: fields['channel'] as number, sequence: fields['acknowledged'] as number, echo: fields['echo'] as number })
        }
      }
    }
  }

  const theirs: Acknowledged[] = []
  const played = datagrams.flatMap((datagram) => {
    if (datagram.direction === from) return datagram.arrivals.map((at) => ({ at, datagram }))
    for (const { name, fields } of datagram.decoded.commands) {
      if (name === 'ACK') theirs.push({ channel: Number(fields['ch']), sequence: Number(fields['seq']), echo: Number(fields['time']) })
    }
    return toServer ? [] : [{ at: datagram.at, datagram }]
  }).sort((a, b) => a.at - b.at)

  for (const { at, datagram } of played) {
    const [command] = datagram.decoded.commands
    if (datagram.direction !== from) {
      // The client's part: what it begins and ends, ours does too.
      const { decoded } = datagram
      if (command?.name === 'CONNECT') {
        const connectId = Number.parseInt(command.fields['connectid'] ?? '', 16)
        if (connectId !== map.recordedConnectId) peer = host.connect(ADDRESS, { channels: Number(command.fields['channels']) })
        map.recordedConnectId = connectId
        settle(at)
      } else if (decoded.commands.some(({ name }) => name === 'DISCONNECT')) peer?.reset()
      continue
    }
    if (!toServer) map.session = Number(datagram.decoded.header['sess'])
    if (command?.name === 'CONNECT') map.connectId = Number.parseInt(command.fields['connectid'] ?? '', 16)
    const bytes = translate(datagram, map, toServer)
    if (bytes !== null) host.receive(bytes, ADDRESS, at)
    settle(at)
  }
  return { ours, theirs, packets, host, expectedPackets: packetsOf(datagrams.filter(({ direction }) => direction === from), connectIds) }
}

const text = ({ channel, sequence, echo }: Acknowledged): string => `${channel}:${sequence}@${echo}`

const isSubsequence = (part: readonly string[], whole: readonly string[]): boolean => {
  let found = 0
  for (const item of whole) if (item === part[found]) found++
  return found === part.length
}

const NOTHING_MALFORMED = { malformedDatagram: 0, checksum: 0, compression: 0, unknownCommand: 0, malformedCommand: 0 }

for (const file of captureFiles()) {
  t.test(`${file}: in the server's place we acknowledge and deliver what the C server did`, (t) => {
    const { ours, theirs, packets, expectedPackets, host } = replay(file, 'client->server')
    if (CUT_SHORT.includes(file)) t.ok(isSubsequence(theirs.map(text), ours.map(text)), 'nothing that C acknowledged is missing')
    else t.same(ours.map(text), theirs.map(text), `${theirs.length} acknowledgements`)
    if (!DISTURBED.includes(file)) t.same(packets, expectedPackets, `${packets.length} packets`)
    t.match(host.ledger, NOTHING_MALFORMED, 'nothing of it is malformed')
    t.end()
  })

  t.test(`${file}: in the client's place we acknowledge and deliver what the C client did`, (t) => {
    const { ours, theirs, packets, expectedPackets, host } = replay(file, 'server->client')
    // The acknowledgement of VERIFY_CONNECT is repeated on purpose (SPEC §4.2): those copies are left out.
    const isVerify = ({ channel, sequence }: Acknowledged): boolean => channel === 0xff && sequence === 1
    t.same([...new Set(ours.filter(isVerify).map(text))], [...new Set(theirs.filter(isVerify).map(text))], 'each VERIFY_CONNECT')
    const others = (all: readonly Acknowledged[]): string[] => all.filter((one) => !isVerify(one)).map(text)
    if (CUT_SHORT.includes(file)) t.ok(isSubsequence(others(theirs), others(ours)), 'nothing that C acknowledged is missing')
    else t.same(others(ours), others(theirs), `${theirs.length} acknowledgements`)
    if (!DISTURBED.includes(file)) t.same(packets, expectedPackets, `${packets.length} packets`)
    t.match(host.ledger, NOTHING_MALFORMED, 'nothing of it is malformed')
    t.end()
  })
}

t.test('what a relay delayed, doubled and lost is delivered by the rules of SPEC §5', (t) => {
  const words = (file: string): string[] => replay(file, 'client->server').packets.map((packet) =>
    packet.replace(/, crc .*/, '').replace(/ ([0-9a-f]{6,})$/, (_, hex: string) => ` ${Buffer.from(hex, 'hex').toString()}`))
  t.same(words('enet-reorder.json'), [
    '0 reliable R1held', '0 reliable R2overtakes',
    // U1, overtaken by U2 on its channel, is gone; X1 has no order.
    '1 unreliable U2overtakes', '1 unsequenced X2overtakes', '1 unsequenced X1held',
    // V1 was sent after Q1 and waits for it; W1 does not.
    '2 unsequenced W1unsequenced', '2 reliable Q1held', '2 unreliable V1depends',
    '0 reliable D1twice', '1 unreliable D1twice', '1 unsequenced D1twice',
  ])
  t.same(words('enet-loss.json'), ['0 reliable A1first', '1 reliable B1other', '0 reliable A2second', '0 reliable 4000 bytes'])
  t.end()
})
