// `vaiven impair` between a C ENet client and a C ENet server, each a process of its own.

import t from 'tap'
import type { Test } from 'tap'
import { fileURLToPath } from 'node:url'
import { CProcess } from './support/c-process.ts'
import type { Line } from './support/c-process.ts'
import { programs, skipReason } from './support/native.ts'

const skip = { skip: skipReason }
const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

interface Direction {
  readonly sent: number
  readonly delivered: number
  readonly lost: number
  readonly filtered: number
  readonly duplicated: number
}

/** A C server behind a relay. */
const start = async (t: Test, ...settings: readonly string[]): Promise<{ relay: CProcess; port: string }> => {
  const server = new CProcess(programs().server, ['--quiet', '--channels', '8'])
  t.teardown(() => server.stop())
  const to = `127.0.0.1:${Number((await server.event('listening'))['port'])}`
  const relay = new CProcess(process.execPath, [main, 'impair', '--listen', '0', '--to', to, '--json', '--interval', '0', '--seed',
    '3', ...settings])
  t.teardown(() => relay.stop())
  return { relay, port: String((await relay.event('listening'))['port']) }
}

const play = async (t: Test, port: string, ...script: readonly string[]): Promise<Line> => {
  const client = new CProcess(programs().client, ['127.0.0.1', port, '--quiet', '--channels', '8'])
  t.teardown(() => client.stop())
  client.say(...script).end()
  const summary = await client.waitFor(({ event }) => event === 'summary' || event === 'out-of-time', 60_000)
  t.match(summary, { event: 'summary', connected: true, errors: 0 }, JSON.stringify(client.lines.slice(-5)))
  return summary
}

const summaryOf = async (relay: CProcess): Promise<{ to: Direction; from: Direction; drops: { dropped: number }[] }> => {
  relay.say('quit')
  return (await relay.event('summary')) as unknown as { to: Direction; from: Direction; drops: { dropped: number }[] }
}

t.test('C ENet delivers everything through loss, jitter and doubles, and the relay accounts for every datagram', skip, async (t) => {
  const { relay, port } = await start(t, 'loss=4%', 'latency=3', 'jitter=4', 'order=free', 'duplicate=2%')
  const summary = await play(t, port, 'mixed 1500 5 8 20000')
  t.equal(summary['reliableBack'], summary['reliableSent'])
  const { to, from } = await summaryOf(relay)
  for (const way of [to, from]) {
    t.ok(way.lost > 10 && way.duplicated > 5, `lost ${way.lost}, doubled ${way.duplicated} of ${way.sent}`)
    t.equal(way.sent, way.delivered + way.lost + ((way as unknown as { inFlight: number }).inFlight))
  }
})

t.test('four C clients at once have a path each', skip, async (t) => {
  const { relay, port } = await start(t, '--profile', 'busyWifi')
  await Promise.all([1, 2, 3, 4].map((seed) => play(t, port, `burst 100 1 1 200 ${seed}`)))
  t.equal(relay.lines.filter(({ event, what }) => event === 'client' && what === 'new').length, 4)
})

t.test('without the first acknowledgements C ENet sends again; what it says twice is delivered once', skip, async (t) => {
  const { relay, port } = await start(t, '--drop', 'command=ack,direction=from,only,count=2', 'latency=2')
  const summary = await play(t, port, 'burst 50 1 1 100 9')
  t.equal(summary['reliableBack'], 50)
  const { from, drops } = await summaryOf(relay)
  t.ok(from.filtered >= 1 && from.filtered <= 2, String(from.filtered))
  t.equal(drops[0]?.dropped, from.filtered)
})

t.test('a channel that is cut off says nothing, and the others go on', skip, async (t) => {
  const { relay, port } = await start(t, '--drop', 'channel=2,direction=to')
  const summary = await play(t, port, 'burst 20 2 0 50 4', 'wait 200', 'burst 20 1 1 50 5', 'waitidle')
  t.equal(summary['unreliableSent'], 20)
  t.equal(summary['unreliableBack'], 0, 'nothing of channel 2 came through')
  t.equal(summary['reliableBack'], 20, 'all of channel 1 did')
  t.ok((await summaryOf(relay)).to.filtered > 0)
})
