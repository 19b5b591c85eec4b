// The C programs and the relay on real sockets, C with C: the measuring device before the measurement.

import t from 'tap'
import { CProcess } from './support/c-process.ts'
import { programs, skipReason } from './support/native.ts'
import { openRelay } from './support/relay.ts'

const skip = { skip: skipReason }

t.test('a C client and a C server exchange packets of every kind and size on real sockets, clean and through loss', skip, async (t) => {
  const server = new CProcess(programs().server, ['--channels', '255', '--quiet'])
  t.teardown(() => server.stop())
  const { port, version } = await server.event('listening')
  t.equal(version, 0x010311, 'the release that is installed is 1.3.17')
  const relay = await openRelay(Number(port), { lossRatio: 0.05, duplicateRatio: 0.02, jitterMs: 4 }, 5)
  t.teardown(() => relay.close())

  for (const [title, to, count, most] of [
    ['clean', Number(port), 10_000, 4 << 20],
    ['through loss', relay.port, 1_000, 100_000],
  ] as const) {
    const client = new CProcess(programs().client, ['127.0.0.1', String(to), '--channels', '255', '--quiet', '--data', '77'])
    t.teardown(() => client.stop())
    client.say(`mixed ${count} 7 255 ${most}`).end()
    const summary = await client.event('summary', 60_000)
    t.match(summary, { connected: true, sent: count, errors: 0 }, title)
    t.equal(summary['reliableBack'], summary['reliableSent'])
    t.equal(await client.exited, 0)
    t.comment(JSON.stringify(summary))
  }
  t.ok(relay.lost > 0 && relay.doubled > 0, 'the relay did its work')
  t.equal(server.lines.filter((line) => line.event === 'connect' && line['data'] === 77).length, 2)
})

t.test('the C client fails when an echo does not come, and says so', skip, async (t) => {
  const server = new CProcess(programs().server, ['--noecho'])
  t.teardown(() => server.stop())
  const { port } = await server.event('listening')
  const client = new CProcess(programs().client, ['127.0.0.1', String(port), '--limit', '1500'])
  client.say('send 0 1 10 1').end()
  await client.event('out-of-time')
  t.equal(await client.exited, 3)
})

t.test('the C server does what packets tell it to', skip, async (t) => {
  const server = new CProcess(programs().server)
  t.teardown(() => server.stop())
  const { port } = await server.event('listening')
  for (const [word, data] of [['disconnect', 7], ['later', 9], ['now', 8]] as const) {
    const client = new CProcess(programs().client, ['127.0.0.1', String(port), '--noecho'])
    t.teardown(() => client.stop())
    client.say('text 0 1 !send 3 5000 1 2 6', 'waitrecv 3', `text 0 1 !${word} ${data}`, 'waitdisconnect')
    t.equal((await client.event('disconnect'))['data'], data, word)
    t.equal((await client.event('summary'))['received'], 3)
    t.equal(await client.exited, 0)
  }
})
