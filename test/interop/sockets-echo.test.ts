// Stock C clients on real UDP sockets against our echo host with default options, through the loopback interface and through
// a relay that loses, doubles and delays. The C client checks every echo itself; its exit code is the verdict.

import t from 'tap'
import type { Test } from 'tap'
import { createHost } from '../../src/transport/create-host.ts'
import type { UdpHost } from '../../src/transport/udp-host.ts'
import { CProcess } from './support/c-process.ts'
import type { Line } from './support/c-process.ts'
import { programs, skipReason } from './support/native.ts'
import { openRelay } from './support/relay.ts'

const skip = { skip: skipReason }
const badNetwork = { lossRatio: 0.03, duplicateRatio: 0.02, jitterMs: 3, reorderRatio: 0.02, reorderByMs: [0, 20] } as const

const openEcho = async (t: Test): Promise<UdpHost> => {
  const host = await createHost()
  t.teardown(() => host.close({ timeoutMs: 500 }))
  host.on('receive', (peer, channel, bytes, delivery) => peer.send(channel, bytes, delivery))
  return host
}

const runClient = async (t: Test, port: number, options: readonly string[], script: readonly string[]): Promise<Line> => {
  const client = new CProcess(programs().client, ['127.0.0.1', String(port), '--quiet', ...options])
  t.teardown(() => client.stop())
  client.say(...script).end()
  const summary = await client.waitFor(({ event }) => event === 'summary' || event === 'out-of-time', 90_000)
  t.match(summary, { event: 'summary', connected: true, errors: 0 }, `${options.join(' ')}: ${JSON.stringify(client.lines)}`)
  t.equal(summary['reliableBack'], summary['reliableSent'], 'every reliable packet came back')
  t.equal(await client.exited, 0)
  return summary
}

t.test('a C client exchanges 10,000 packets of every kind and size up to 4 MB with our echo, over 255 channels', skip, async (t) => {
  const host = await openEcho(t)
  const summary = await runClient(t, host.address.port, ['--channels', '255'], ['mixed 10000 1 255 4194304'])
  t.comment(JSON.stringify(summary))
  t.equal(summary['sent'], 10_000)
})

t.test('the same through 3 % loss, doubling and reordering: nothing reliable lost, doubled or out of order', skip, async (t) => {
  const host = await openEcho(t)
  const relay = await openRelay(host.address.port, badNetwork, 3)
  t.teardown(() => relay.close())
  const summary = await runClient(t, relay.port, ['--channels', '255'], ['mixed 10000 2 255 4194304'])
  t.comment(JSON.stringify(summary), JSON.stringify({ lost: relay.lost, doubled: relay.doubled, sent: relay.sent }))
  t.equal(summary['sent'], 10_000)
  t.ok(relay.lost > 100 && relay.doubled > 100, 'the relay did its work')
})

t.test('one echo with default options serves plain, CRC-32, range coder and both-on C clients at once, through loss', skip, async (t) => {
  const host = await openEcho(t)
  const relay = await openRelay(host.address.port, { lossRatio: 0.02, jitterMs: 3 }, 4)
  t.teardown(() => relay.close())
  const dialects = [[], ['--crc'], ['--range'], ['--crc', '--range']]
  let together = 0
  host.on('connect', () => (together = Math.max(together, host.peerCount)))
  const run = (dialect: readonly string[], i: number): Promise<Line> =>
    runClient(t, relay.port, ['--channels', '8', ...dialect], [`mixed 1500 ${i + 10} 8 60000`, 'wait 500'])
  await Promise.all(dialects.map(run))
  t.equal(together, 4, 'all four at once')
})

// The clock is the C client's: it runs over its 32 bits 200 ms after the start.
for (const options of [
  ['--mtu', '576'],
  ['--mtu', '1400'],
  ['--mtu', '4096'],
  ['--poll', '16'],
  ['--poll', '33'],
  ['--clock', '4294967096'],
  ['--in', '500000', '--out', '500000'],
]) {
  t.test(`a C client with ${options.join(' ')} exchanges packets of every kind with our echo`, skip, async (t) => {
    const host = await openEcho(t)
    const count = options[0] === '--poll' || options[0] === '--in' ? 300 : 1500
    const script = [`mixed ${count} 5 10 40000`, 'wait 250', 'mixed 200 6 10 9000']
    await runClient(t, host.address.port, ['--channels', '10', ...options], script)
  })
}

t.test('C clients that leave in every way are told apart by our host', skip, async (t) => {
  const host = await openEcho(t)
  const endings: unknown[] = []
  host.on('disconnect', (peer, { reason, data }) => endings.push([peer.connectData, reason, data]))
  for (const [i, leave] of ['disconnect 11', 'later 12', 'now 13'].entries()) {
    const client = new CProcess(programs().client, ['127.0.0.1', String(host.address.port), '--data', String(i), '--noecho'])
    t.teardown(() => client.stop())
    client.say('send 0 1 100 1', 'waitrecv 1', leave)
    t.equal(await client.exited, 0)
  }
  while (endings.length < 3) await new Promise((resolve) => host.once('disconnect', resolve))
  t.same(endings, [[0, 'remote', 11], [1, 'remote', 12], [2, 'remote', 13]])
})

t.test('our host closes: a C client gets what was queued, then the number', skip, async (t) => {
  const host = await createHost()
  const client = new CProcess(programs().client, ['127.0.0.1', String(host.address.port), '--noecho'])
  t.teardown(() => client.stop())
  await new Promise<void>((resolve) => host.once('connect', (peer) => {
    peer.send(2, new Uint8Array(300_000).fill(7), 'reliable')
    resolve()
  }))
  await host.close({ data: 4321 })
  client.say('waitdisconnect')
  t.match(await client.event('receive'), { channel: 2, flags: 1, length: 300_000 })
  t.equal((await client.event('disconnect'))['data'], 4321)
  t.equal(await client.exited, 0)
})
