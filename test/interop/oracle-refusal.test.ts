// Connections that must not come about, with a C library on the other side: refusals that travel back, and dialects that do
// not fit.

import t from 'tap'
import type { Test } from 'tap'
import type { Host } from '../../src/transport/core/host.ts'
import { EndCode } from '../../src/transport/core/endings.ts'
import type { AnyOptions } from './support/any.ts'
import { closeHosts, openHost } from './support/hosts.ts'
import { skipReason } from './support/native.ts'
import { openOurs } from './support/ours.ts'
import { payload } from './support/payload.ts'
import { World } from './support/world.ts'
import type { Station } from './support/world.ts'

t.afterEach(closeHosts)
const skip = { skip: skipReason }

/** A C client, connecting to a server of ours. */
const arriving = (server: Host, options: AnyOptions = {}, data = 0): { world: World; client: Station; station: Station } => {
  const world = new World(1, { latencyMs: 20 })
  const station = world.add('server', server)
  const client = world.add('client', openHost('c', options))
  client.host.connect(station.address, { channels: 3, data })
  return { world, client, station }
}

/** The C client was turned away with this number, at once, and the server's application has seen nothing. */
const turnedAway = (t: Test, { world, client, station }: ReturnType<typeof arriving>, data: number): void => {
  world.runFor(120)
  t.same(client.events.map((event) => [event.type, 'data' in event && event.data]), [['disconnect', data]], 'within a round trip')
  world.runFor(20_000)
  t.equal(client.events.length, 1, 'and nothing follows')
  t.same(station.events, [])
}

for (const [title, dialect] of [
  ['plain', {}],
  ['CRC-32', { checksum: 'crc32' }],
  ['range coder', { compression: 'rangeCoder' }],
  ['CRC-32 and range coder', { checksum: 'crc32', compression: 'rangeCoder' }],
] as const) {
  t.test(`a C client (${title}) that our server refuses hears the reason at once`, skip, (t) => {
    turnedAway(t, arriving(openOurs({}, { refuseConnections: true }), dialect), EndCode.refusing)
    t.end()
  })
}

t.test('a C client hears the number that accept() answered, and accept() saw what it asked for', skip, (t) => {
  const requests: unknown[] = []
  const server = openOurs({ channels: 2 }, { accept: (request) => (requests.push({ ...request }), 0x87654321) })
  const meeting = arriving(server, {}, 99)
  turnedAway(t, meeting, 0x87654321)
  t.same(requests, [{ address: meeting.client.address.address, port: 7777, data: 99, channelCount: 2 }])
  t.end()
})

t.test('a C client that finds our server full hears so at once, and gets in when somebody has left', skip, (t) => {
  const server = openOurs({ maxPeers: 1 })
  const { world, client, station } = arriving(server)
  world.runFor(1_000)
  const late = world.add('late', openHost('c', { seed: 7 }))
  late.host.connect(station.address)
  world.runFor(200)
  t.same(late.of('disconnect').map(({ data }) => data), [EndCode.full])
  client.peer.disconnect()
  world.runFor(1_000)
  late.host.connect(station.address)
  world.runFor(500)
  t.equal(late.of('connect').length, 1)
  t.end()
})

t.test('C clients of a server of ours that closes get what was queued for them, then its number; newcomers are refused', skip, (t) => {
  const server = openOurs()
  const { world, client, station } = arriving(server)
  world.runFor(1_000)
  station.peer.send(1, payload(1, 1, 50_000), 'reliable')
  server.close(55)
  const late = world.add('late', openHost('c', { seed: 7 }))
  late.host.connect(station.address)
  world.runFor(5_000)
  t.same(client.events.map(({ type }) => type), ['connect', 'receive', 'disconnect'])
  t.same(client.of('disconnect')[0]?.data, 55)
  t.same(late.of('disconnect').map(({ data }) => data), [EndCode.closing])
  t.equal(server.closed, true)
  t.end()
})

t.test('C clients of a server of ours that is destroyed are told all the same', skip, (t) => {
  const server = openOurs()
  const { world, client } = arriving(server)
  world.runFor(1_000)
  server.destroy()
  world.runFor(100)
  t.equal(client.of('disconnect').length, 1)
  t.end()
})

t.test('a C client with a checksum that our server does not know is named in a diagnostic', skip, (t) => {
  const { world, client, station } = arriving(openOurs(), { checksum: 'fnv' })
  world.runFor(3_000)
  t.equal(client.of('connect').length + station.of('connect').length, 0)
  t.match(station.of('diagnostic'), [{ code: 'dialect-checksum' }])
  t.end()
})

t.test('a C client with a compressor that our server does not know never gets damaged packets', skip, (t) => {
  const { world, client, station } = arriving(openOurs(), { compression: 'runLengths' })
  world.runFor(2_000)
  client.of('connect')[0]?.peer.send(0, new Uint8Array(2_000).fill(1), 'reliable')
  world.runFor(3_000)
  t.equal(station.of('receive').length, 0)
  t.match(station.of('diagnostic')[0], { code: 'dialect-compression' })
  t.end()
})

t.test('a C client without a checksum is not served by a server of ours that requires one', skip, (t) => {
  const { world, client, station } = arriving(openOurs({}, { checksum: { require: 'crc32' } }))
  world.runFor(3_000)
  t.equal(client.of('connect').length + station.of('connect').length, 0)
  t.match(station.of('diagnostic'), [{ code: 'dialect-checksum' }])
  t.end()
})

t.test('our client and a C server in different dialects: the connect times out, and nothing is ever delivered', skip, (t) => {
  for (const [ours, theirs] of [
    [{}, { checksum: 'crc32' }],
    [{ checksum: 'crc32' }, {}],
    [{ checksum: 'crc32' }, { checksum: 'fnv' }],
  ] as const) {
    const world = new World(1, { latencyMs: 20 })
    const client = world.add('client', openOurs(ours))
    const server = world.add('server', openHost('c', theirs))
    client.host.connect(server.address)
    world.runFor(10_000)
    t.same(client.of('disconnect').map(({ reason }) => reason), ['connect-timeout'], JSON.stringify([ours, theirs]))
    t.equal(server.of('connect').length + client.of('connect').length, 0)
  }
  t.end()
})
