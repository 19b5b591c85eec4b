// One connect over several addresses: who is tried when, who wins, and what a failure is called. No sockets.

import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Test } from 'tap'
import { ConnectAttempt } from '../../src/transport/connecting.ts'
import type { AttemptOptions } from '../../src/transport/connecting.ts'
import type { Address } from '../../src/transport/endpoint.ts'
import { VaivenError } from '../../src/transport/index.ts'
import type { Peer } from '../../src/transport/index.ts'
import { resolveHost } from '../../src/transport/resolve.ts'

const V4: Address = { address: '192.0.2.1', port: 7777 }
const V6: Address = { address: '2001:db8::1', port: 7777 }
const FORBIDDEN_MS = 600_000

/** An attempt whose host only takes notes. */
const attempt = (t: Test, options: Partial<AttemptOptions> = {}, slots = Infinity) => {
  const log: string[] = []
  const peers = new Map<string, Peer>()
  const it = new ConnectAttempt(
    {
      begin: (to) => {
        if (peers.size >= slots) throw new VaivenError('ERR_NO_SLOT', 'no slot')
        log.push(`begin ${to.address}`)
        const peer = { ...to } as unknown as Peer
        peers.set(to.address, peer)
        return peer
      },
      abandon: (peer) => void log.push(`abandon ${peer.address}`),
      focus: (to) => void log.push(`focus ${to?.address ?? 'none'}`),
      settled: () => void log.push('settled'),
    },
    { host: 'game.example', port: 7777, timeoutMs: FORBIDDEN_MS, signal: undefined, ...options },
  )
  const outcome = it.promise.then(
    (peer) => peer.address,
    (error: unknown) => error as VaivenError,
  )
  t.teardown(() => it.fail(new Error('the test is over')))
  return { it, log, peers, outcome, peer: ({ address }: Address) => peers.get(address) as Peer }
}

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await sleep(5)
}

void t.test('a single address has the socket to itself', async (t) => {
  const { it, log, outcome, peer } = attempt(t)
  it.start([V4])
  it.connected(peer(V4))
  t.equal(await outcome, V4.address)
  t.same(log, [`focus ${V4.address}`, `begin ${V4.address}`, 'settled', `focus ${V4.address}`])
})

void t.test('a silent address gets a head start, not all the time; the first to answer wins and the other is given up', async (t) => {
  const { it, log, outcome, peer } = attempt(t)
  const startedAt = performance.now()
  it.start([V4, V6])
  t.same(log, ['focus none', `begin ${V4.address}`])
  await until(() => log.length === 3)
  t.ok(performance.now() - startedAt >= 245)
  t.equal(log[2], `begin ${V6.address}`)
  it.connected(peer(V6))
  it.connected(peer(V4))
  t.equal(await outcome, V6.address)
  t.same(log.slice(3), [`abandon ${V4.address}`, 'settled', `focus ${V6.address}`])
})

void t.test('an address that the operating system calls unreachable hands over at once', async (t) => {
  const { it, log } = attempt(t)
  it.start([V4, V6])
  const error = Object.assign(new Error('no route'), { code: 'ENETUNREACH' })
  it.unreachable(error, { address: '192.0.2.99', port: 7777 })
  t.equal(log.length, 2, 'somebody else\'s trouble')
  it.unreachable(error, V4)
  t.equal(log[2], `begin ${V6.address}`)
})

void t.test('a refusal by any address is the answer', async (t) => {
  const { it, log, outcome, peer } = attempt(t)
  it.start([V4, V6])
  it.disconnected(peer(V4), 'refused', 2)
  const message = /^192\.0\.2\.1:7777 refused the connection: "server full" \(data 0x00000002\)$/
  t.match(await outcome, { code: 'ERR_REFUSED', data: 2, message })
  await sleep(300)
  t.equal(log.filter((line) => line.startsWith('begin')).length, 1, 'no second try afterwards')
})

void t.test('when the patience of the core ends before ours, the address is tried again', async (t) => {
  const { it, log, peer } = attempt(t)
  it.start([V4])
  it.disconnected(peer(V4), 'connect-timeout', 0)
  t.equal(log.filter((line) => line.startsWith('begin')).length, 2)
})

void t.test('a timeout says what was learnt', async (t) => {
  const silent = attempt(t, { timeoutMs: 10 })
  silent.it.start([V4])
  t.match(await silent.outcome, { code: 'ERR_TIMEOUT', message: /^game\.example:7777 did not answer within 10 ms/ })

  const unreachable = attempt(t, { timeoutMs: 10 })
  unreachable.it.start([V4])
  unreachable.it.unreachable(Object.assign(new Error(''), { code: 'EHOSTUNREACH' }), V4)
  t.match(await unreachable.outcome, { code: 'ERR_UNREACHABLE', message: /no way to that address \(EHOSTUNREACH\)/ })

  const dialect = attempt(t, { timeoutMs: 10 })
  dialect.it.start([V4])
  dialect.it.otherDialect({ ...V4, port: 1 }, 'from a stranger')
  dialect.it.otherDialect(V4, 'a checksum that we cannot verify')
  t.match(await dialect.outcome, { code: 'ERR_DIALECT', message: /in another dialect: a checksum that we cannot verify/ })

  const nameless = attempt(t, { timeoutMs: 10 })
  t.match(await nameless.outcome, { code: 'ERR_TIMEOUT', message: /address of "game\.example" was not found within 10 ms/ })
  nameless.it.start([V4])
  t.same(nameless.log, ['settled'], 'a late look-up begins nothing')
})

void t.test('no slot for the second address leaves the first in peace; none for the first is a failure', async (t) => {
  const one = attempt(t, {}, 1)
  one.it.start([V4, V6])
  one.it.unreachable(Object.assign(new Error(''), { code: 'ENETUNREACH' }), V4)
  one.it.connected(one.peer(V4))
  t.equal(await one.outcome, V4.address)
  const none = attempt(t, {}, 0)
  none.it.start([V4])
  t.match(await none.outcome, { code: 'ERR_NO_SLOT' })
})

void t.test('an abort gives up what was begun', async (t) => {
  const controller = new AbortController()
  const { it, log, outcome } = attempt(t, { signal: controller.signal })
  it.start([V4])
  controller.abort()
  t.match(await outcome, { code: 'ERR_ABORTED', message: /connecting to game\.example:7777/ })
  t.same(log.slice(2), [`abandon ${V4.address}`, 'settled'])
})

void t.test('numeric addresses take the form that the socket understands', async (t) => {
  t.same(await resolveHost('192.0.2.1', 1, 'ipv4'), [{ address: '192.0.2.1', port: 1 }])
  t.same(await resolveHost('192.0.2.1', 1, 'dual'), [{ address: '::ffff:192.0.2.1', port: 1 }])
  t.same(await resolveHost('2001:db8::1', 1, 'dual'), [{ address: '2001:db8::1', port: 1 }])
  t.same(await resolveHost('2001:db8::1', 1, 'ipv6'), [{ address: '2001:db8::1', port: 1 }])
  await t.rejects(resolveHost('192.0.2.1', 1, 'ipv6'), { code: 'ERR_SOCKET', message: /only IPv4/ })
  await t.rejects(resolveHost('2001:db8::1', 1, 'ipv4'), { code: 'ERR_SOCKET', message: /only IPv6/ })
})

void t.test('localhost resolves, IPv4 first: most ENet servers speak nothing else', async (t) => {
  const [first, ...rest] = await resolveHost('localhost', 7777, 'dual')
  t.equal(first?.address, '::ffff:127.0.0.1')
  t.ok(rest.every(({ address, port }) => port === 7777 && !address.startsWith('::ffff:')))
  t.same(await resolveHost('localhost', 7777, 'ipv4'), [{ address: '127.0.0.1', port: 7777 }])
})
