import t from 'tap'
import { ImpairedEndpoint, Network, profiles } from '../../../src/transport/simulator/index.ts'
import type { PathConditions } from '../../../src/transport/simulator/index.ts'
import { MAX_DATAGRAM_BYTES, type Address, type Datagram } from '../../../src/transport/endpoint.ts'
import { CounterEndpoint, EchoEndpoint, FakeEndpoint } from '../../support/fake-endpoint.ts'

const there: Address = { address: '192.0.2.1', port: 4000 }
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** What the endpoint sends at the moment, as a driver would take it. */
const sent = (endpoint: ImpairedEndpoint): { text: string; address: string; port: number }[] => {
  const out: Datagram = { bytes: new Uint8Array(MAX_DATAGRAM_BYTES), length: 0, address: '', port: 0 }
  const all = []
  while (endpoint.pollTransmit(out)) {
    all.push({ text: Buffer.from(out.bytes.subarray(0, out.length)).toString(), address: out.address, port: out.port })
  }
  return all
}

t.test('what goes out waits for its time, keeps its address, and has a deadline', (t) => {
  const inner = new FakeEndpoint()
  const endpoint = new ImpairedEndpoint(inner, { to: { latencyMs: 30 } })
  inner.send(there, 'hello')
  endpoint.advance(100)
  t.same(sent(endpoint), [])
  t.equal(endpoint.deadline(), 130)
  endpoint.advance(129)
  t.same(sent(endpoint), [])
  endpoint.advance(130)
  t.same(sent(endpoint), [{ text: 'hello', ...there }])
  t.equal(endpoint.deadline(), Infinity)
  t.end()
})

t.test('what comes in waits for its time, and its sender is known', (t) => {
  const inner = new FakeEndpoint()
  const endpoint = new ImpairedEndpoint(inner, { from: { latencyMs: 30 } })
  endpoint.receive(bytes('hello'), there, 100)
  t.equal(endpoint.pollEvent(), null)
  t.equal(endpoint.deadline(), 130)
  endpoint.advance(131)
  t.match(endpoint.pollEvent(), { from: there, at: 131 })
  t.same(inner.texts, ['hello'])
  t.same(inner.advanced, [131])
  t.end()
})

t.test('without conditions nothing waits', (t) => {
  const endpoint = new ImpairedEndpoint(new EchoEndpoint(), {})
  endpoint.receive(bytes('hello'), there, 5)
  t.same(sent(endpoint), [{ text: 'hello', ...there }])
  t.end()
})

t.test('several datagrams of different sizes for different addresses come out whole', (t) => {
  const inner = new FakeEndpoint()
  const endpoint = new ImpairedEndpoint(inner, { latencyMs: 1 })
  endpoint.advance(0)
  for (const text of ['a long one, the first of them', 'b', '']) inner.send({ address: `192.0.2.${text.length}`, port: 9 }, text)
  sent(endpoint)
  endpoint.advance(1)
  t.same(sent(endpoint), [
    { text: 'a long one, the first of them', address: '192.0.2.29', port: 9 },
    { text: 'b', address: '192.0.2.1', port: 9 },
    { text: '', address: '192.0.2.0', port: 9 },
  ])
  t.end()
})

t.test('loss in each direction is its own, and counted', (t) => {
  const inner = new EchoEndpoint()
  const endpoint = new ImpairedEndpoint(inner, { to: { lossRatio: 0.25 }, from: { lossRatio: 0.5 } }, { seed: 4 })
  let back = 0
  for (let i = 0; i < 4000; i++) {
    endpoint.receive(bytes('x'), there, i)
    back += sent(endpoint).length
  }
  const { to, from } = endpoint.ledger
  t.equal(from.sent, 4000)
  t.equal(from.delivered, to.sent)
  t.equal(to.delivered, back)
  t.ok(Math.abs(from.lost / 4000 - 0.5) < 0.03)
  t.ok(Math.abs(to.lost / to.sent - 0.25) < 0.03)
  t.end()
})

t.test('conditions change while running; refused ones change nothing', (t) => {
  const inner = new FakeEndpoint()
  const endpoint = new ImpairedEndpoint(inner, {})
  endpoint.conditions = { from: { lossRatio: 1 } }
  endpoint.receive(bytes('x'), there, 0)
  t.equal(inner.received.length, 0)
  const bad: PathConditions = { to: { lossRatio: 1 }, from: { lossRatio: 2 } }
  t.throws(() => { endpoint.conditions = bad }, { code: 'ERR_OPTION_RANGE' })
  t.same(endpoint.conditions, { from: { lossRatio: 1 } })
  t.same(endpoint.links.to.conditions, {})
  endpoint.conditions = {}
  endpoint.receive(bytes('y'), there, 1)
  t.same(inner.texts, ['y'])
  t.throws(() => new ImpairedEndpoint(inner, bad), { code: 'ERR_OPTION_RANGE' })
  t.end()
})

t.test('the deadline is the earliest of the endpoint and both directions', (t) => {
  const inner = new CounterEndpoint(100)
  inner.to = there
  const endpoint = new ImpairedEndpoint(inner, { to: { latencyMs: 70 }, from: { latencyMs: 30 } })
  endpoint.advance(0)
  sent(endpoint)
  t.equal(endpoint.deadline(), 70)
  endpoint.receive(bytes('x'), there, 10)
  t.equal(endpoint.deadline(), 40)
  endpoint.advance(40)
  t.equal(endpoint.deadline(), 70)
  endpoint.advance(70)
  sent(endpoint)
  t.equal(endpoint.deadline(), 100)
  t.end()
})

t.test('a wake of the endpoint reaches the driver', (t) => {
  const inner = new FakeEndpoint()
  const endpoint = new ImpairedEndpoint(inner, {})
  inner.send(there, 'before there is a driver')
  let woken = 0
  endpoint.wake = () => { woken++ }
  inner.send(there, 'x')
  t.equal(woken, 1)
  t.same(sent(endpoint), [], 'nothing leaves before the first time is known')
  endpoint.advance(0)
  t.equal(sent(endpoint).length, 2)
  t.end()
})

t.test('an impaired endpoint in a network adds its conditions to those of the path', (t) => {
  const network = new Network({ path: { latencyMs: 10 } })
  const client = new FakeEndpoint()
  network.add('client', new ImpairedEndpoint(client, { latencyMs: 5 }))
  const { address } = network.add('server', new EchoEndpoint())
  client.send(address, 'x')
  network.runUntil(() => client.received.length === 1)
  t.equal(network.now, 30)
  t.end()
})

t.test('the two directions have luck of their own, though their conditions are the same', (t) => {
  const endpoint = new ImpairedEndpoint(new FakeEndpoint(), { lossRatio: 0.5 })
  const fate = (direction: 'to' | 'from'): boolean[] => {
    const link = endpoint.links[direction]
    return Array.from({ length: 64 }, (_, i) => link.send(bytes('x'), i, there) === Infinity)
  }
  t.notSame(fate('to'), fate('from'))
  t.end()
})

t.test('a time in the past counts as the latest one', (t) => {
  const inner = new FakeEndpoint()
  const endpoint = new ImpairedEndpoint(inner, { to: { latencyMs: 10 } })
  endpoint.advance(100)
  inner.send(there, 'x')
  sent(endpoint)
  endpoint.advance(110)
  endpoint.advance(50)
  t.equal(sent(endpoint).length, 1)
  t.same(inner.advanced, [100, 110, 110])
  t.end()
})

t.test('the same seed gives the same losses', (t) => {
  const run = (seed: number): number[] => {
    const inner = new FakeEndpoint()
    const endpoint = new ImpairedEndpoint(inner, profiles.lteTrain, { seed })
    for (let i = 0; i < 3000; i++) endpoint.receive(bytes('x'), there, i)
    endpoint.advance(1e6)
    return [inner.received.length, endpoint.ledger.from.lost, endpoint.ledger.from.burstLost]
  }
  t.same(run(1), run(1))
  t.notSame(run(1), run(2))
  t.end()
})
