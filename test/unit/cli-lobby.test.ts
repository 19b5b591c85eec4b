// `vaiven lobby` as a program: five processes, a bad network, a verdict. And the counting behind the verdict.

import { Readable } from 'node:stream'
import t from 'tap'
import { help, run } from '../../src/cli/lobby.ts'
import { openLobbyChecks } from '../../src/cli/lobby-count.ts'
import type { UdpSession } from '../../src/udp-session.ts'

const play = async (args: string[], signal = new AbortController().signal) => {
  let out = ''
  let err = ''
  const io = {
    stdin: Readable.from([]),
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
    signal,
  }
  return { code: await run(args, io), out, err }
}

t.test('the lobby holds on a bad network, and says so line by line', { timeout: 60_000 }, async (t) => {
  const started = performance.now()
  const { code, out } = await play(['--json', '--seconds', '4'])
  const lines = out.trim().split('\n').map(
    (line) => JSON.parse(line) as { event: string; ok?: boolean; what?: string; name?: string; kind?: string; rows?: unknown[] },
  )
  const checks = lines.filter(({ event }) => event === 'check')
  t.same(checks.filter(({ ok }) => ok !== true), [])
  t.ok(checks.length >= 14)
  t.equal(code, 0)
  t.ok(lines.some(({ event, rows }) => event === 'table' && rows!.length === 5))
  t.match(lines.at(-1), { event: 'summary', ok: true })
  for (const [name, kind] of [['Dora', 'refused'], ['Cid', 'crash'], ['server', 'kick'], ['Ann', 'ended']]) {
    t.ok(lines.some((line) => line.event === 'event' && line.name === name && line.kind === kind), `${name} ${kind}`)
  }
  t.ok(performance.now() - started < 30_000, 'within 30 s')
})

t.test('stopped by hand, it ends at once and does not claim anything', async (t) => {
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 300)
  const { code, out } = await play([], controller.signal)
  t.equal(code, 1)
  t.match(out, /NOT ok {2}stopped by hand/)
})

t.test('help, and options that make no sense', async (t) => {
  t.equal((await play(['--help'])).out, help)
  for (const args of [['--seconds', '99'], ['--loss', 'much'], ['extra'], ['--nope']]) t.equal((await play(args)).code, 2, args.join(' '))
})

t.test('a call that is missing, doubled or late is counted', (t) => {
  const session = {
    id: 7,
    isServer: false,
    state: 'open',
    peerIds: [1],
    host: { peers: [], stats: { bytesSent: 0 } },
    clock: { errorMs: 1 },
  } as unknown as UdpSession
  const counts = openLobbyChecks('Ann', session)
  counts.met(9, 'Bob')
  for (const number of [4, 5, 7, 7, 6, 8]) counts.reliable(9, number, 1)
  counts.reliable(1, 0, 1)
  counts.unreliable(9)
  const { heard, latencies } = counts.report(3)
  t.match(heard, { Bob: { reliable: 6, outOfOrder: 1, twice: 2, next: 9, unreliable: 1 }, server: { reliable: 1, next: 1 } })
  t.equal(latencies.length, 7)
  t.equal(counts.report(3).latencies.length, 0)
  t.end()
})
