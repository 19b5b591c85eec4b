import { getEventListeners } from 'node:events'
import t from 'tap'
import { decodeMessage, defineNode, encodeMessage, FailureCode, property, rpc, t as c } from '../../../src/rpc/index.ts'
import { Mesh } from '../../support/rpc-wire.ts'

const Node = defineNode('node', {
  ask: rpc.remote(c.u8).returns(c.u8),
  tell: rpc.remote(),
  fuel: property.remote(c.u8),
})

const setUp = (handlers = {}, options = {}) => {
  const mesh = new Mesh([1, 20, 30], options)
  for (const { dispatcher } of mesh.peers.values()) dispatcher.attach(Node, handlers, 0)
  mesh.deliverAll()
  const member = (id: number, name: string) => mesh.peer(id).dispatcher.registry.node('node')!.members.get(name)!
  const ask = (from: number, to: number, asked = {}) => {
    const promise = mesh.peer(from).dispatcher.request(member(from, 'ask'), to, [1], asked)
    promise.catch(() => undefined)
    return promise
  }
  return { mesh, member, ask }
}
const never = () => new Promise<number>(() => undefined)

t.test('more requests than may be open reject at once, and nothing is sent', async (t) => {
  const { mesh, ask } = setUp({ ask: never }, { maxPending: 3 })
  for (let i = 0; i < 3; i++) ask(20, 1)
  const sent = mesh.mail.length
  await t.rejects(ask(20, 1), { code: 'ERR_QUEUE_FULL', message: /node\.ask: 3 calls wait/ })
  t.equal(mesh.mail.length, sent)
})

t.test('a peer that keeps too many handlers at work is told that we are busy; others are served', async (t) => {
  const { mesh, ask } = setUp({ ask: never }, { maxOpenPerPeer: 4 })
  const asked = Array.from({ length: 6 }, () => ask(20, 1, { timeoutMs: Infinity }))
  const other = ask(30, 1, { timeoutMs: Infinity })
  mesh.deliverAll()
  await t.rejects(asked[4]!, { code: 'ERR_REMOTE', message: /too many calls of this peer are open/ })
  t.equal(mesh.peer(1).dispatcher.tables.open, 5)
  void other
})

t.test('async handlers of fire-and-forget calls are bounded, too', (t) => {
  const { mesh, member } = setUp({ tell: never }, { limit: false })
  for (let i = 0; i < 1030; i++) mesh.peer(20).dispatcher.call(member(20, 'tell'), 1, [])
  mesh.deliverAll()
  t.equal(mesh.peer(1).dispatcher.tables.running, 1024)
  t.equal(mesh.peer(1).violations.filter(({ kind }) => kind === 'rate').length, 6)
  t.end()
})

t.test('an answer from somebody who was not asked is no answer', async (t) => {
  const { mesh, ask } = setUp({ ask: never })
  const asked = ask(20, 1, { timeoutMs: Infinity })
  let outcome = 'open'
  asked.then(() => (outcome = 'answered'), () => (outcome = 'failed'))
  const id = 1
  const answers = [
    { kind: 'reply' as const, named: false, id, values: Uint8Array.of(9) },
    { kind: 'failure' as const, id, code: 1, text: '', details: new Uint8Array(0) },
  ]
  for (const message of answers) {
    mesh.peer(20).dispatcher.receive(30, encodeMessage(message), 'reliable', 'vaiven')
  }
  await Promise.resolve()
  t.equal(outcome, 'open')
  mesh.peer(20).dispatcher.receive(1, encodeMessage({ kind: 'reply', named: false, id, values: Uint8Array.of(9) }), 'reliable', 'vaiven')
  t.equal(await asked, 9)
})

t.test('a reply that does not fit its type rejects, and is counted against its sender', async (t) => {
  const { mesh, ask } = setUp({ ask: never })
  const asked = ask(20, 1)
  mesh.peer(20).dispatcher.receive(
    1,
    encodeMessage({ kind: 'reply', named: false, id: 1, values: Uint8Array.of(1, 2, 3) }),
    'reliable',
    'vaiven',
  )
  await t.rejects(asked, { code: 'ERR_REMOTE', message: /the reply does not fit its type/ })
  t.match(mesh.peer(20).violations, [{ peer: 1, kind: 'shape' }])
})

t.test('a SET of a method and a CALL of a property run nothing', (t) => {
  let ran = 0
  const { mesh, member } = setUp({ tell: () => ran++, fuel: () => ran++ })
  const receive = (kind: 'call' | 'set', name: string, values: Uint8Array): void =>
    mesh.peer(1).dispatcher.receive(
      20,
      encodeMessage({ kind, member: { key: member(1, name).member.key, instance: 0 }, values }),
      'reliable',
      'vaiven',
    )
  receive('set', 'tell', new Uint8Array(0))
  receive('call', 'fuel', Uint8Array.of(1))
  t.equal(ran, 0)
  t.same(mesh.peer(1).violations.map(({ kind }) => kind), ['shape', 'shape'])
  receive('call', 'tell', new Uint8Array(0))
  receive('set', 'fuel', Uint8Array.of(1))
  t.equal(ran, 2)
  t.end()
})

t.test('a settled call leaves nothing at its AbortSignal, however it ended', async (t) => {
  const { mesh, ask } = setUp({ ask: (n: number) => n })
  const { signal } = new AbortController()
  const answered = ask(20, 1, { signal })
  t.equal(getEventListeners(signal, 'abort').length, 1)
  mesh.deliverAll()
  await answered
  const late = ask(20, 1, { signal, timeoutMs: 5 })
  mesh.advance(10)
  await t.rejects(late, { code: 'ERR_TIMEOUT' })
  await t.rejects(ask(20, 99, { signal }), { code: 'ERR_NOT_CONNECTED' })
  t.equal(getEventListeners(signal, 'abort').length, 0)
  t.equal(mesh.timers.size, 0)
})

t.test('budgets of peers who have left are forgotten', (t) => {
  const { mesh, member } = setUp({ tell: () => undefined })
  mesh.peer(20).dispatcher.call(member(20, 'tell'), 1, [])
  mesh.deliverAll()
  t.equal(member(1, 'tell').buckets.size, 1)
  mesh.leave(20)
  t.equal(member(1, 'tell').buckets.size, 0)
  t.end()
})

t.test('a detached node is served no more, and its name is free', (t) => {
  let ran = ''
  const { mesh, member } = setUp({ tell: () => (ran += 'a') })
  const { dispatcher } = mesh.peer(1)
  dispatcher.detach(dispatcher.registry.node('node')!)
  mesh.peer(20).dispatcher.call(member(20, 'tell'), 1, [])
  mesh.deliverAll()
  t.equal(ran, '')
  const other = dispatcher.attach(defineNode('node', { tell: rpc.remote(), more: rpc.remote() }), { tell: () => (ran += 'b') }, 0)
  mesh.deliverAll()
  mesh.peer(20).dispatcher.call(member(20, 'tell'), 1, [])
  mesh.deliverAll()
  t.equal(ran, 'b')
  const { key } = other.contract.list[1]!
  dispatcher.detach(other)
  t.same([[...dispatcher.registry.nodes], [...dispatcher.registry.contracts], dispatcher.registry.describe(key)], [[], [], undefined])
  t.end()
})

t.test('a handler that stops because it was told to is no accident; one that fails anyway is', async (t) => {
  let reject = (_: unknown): void => undefined
  let signal: AbortSignal | null = null
  const { mesh, ask } = setUp({
    ask: (_: number, context: { signal: AbortSignal }) => {
      signal = context.signal
      return new Promise((_resolve, given) => (reject = given))
    },
  })
  for (const error of [() => signal!.reason, () => Object.assign(new Error('stopped'), { name: 'AbortError' }), () => new Error('bug')]) {
    const controller = new AbortController()
    ask(20, 1, { signal: controller.signal })
    mesh.deliverAll()
    controller.abort()
    mesh.deliverAll()
    reject(error())
    await new Promise(setImmediate)
  }
  t.match(mesh.peer(1).errors, [{ message: 'bug' }])
  t.equal(mesh.peer(1).errors.length, 1)
})

t.test('a request that is repeated by the network runs once', (t) => {
  let ran = 0
  const { mesh, ask } = setUp({ ask: () => { ran++; return never() } })
  ask(20, 1)
  const [letter] = mesh.mail
  mesh.mail.push(letter!)
  mesh.deliverAll()
  t.equal(ran, 1)
  t.equal(decodeMessage(letter!.payload)?.kind, 'request')
  t.ok(FailureCode.busy)
  t.end()
})

t.test('instances under one name have one contract', (t) => {
  const { mesh } = setUp()
  const { dispatcher } = mesh.peer(1)
  dispatcher.attach(Node, {}, 2)
  t.throws(
    () => dispatcher.attach(defineNode('node', { tell: rpc.remote(c.u8) }), {}, 3),
    { code: 'ERR_CONTRACT', message: /another contract/ },
  )
  t.end()
})

t.test('a limit of a peer holds for other clients, and not for its server', (t) => {
  const ran = { 1: 0, 30: 0 }
  const { mesh, member } = setUp({ tell: (context: { sender: 1 | 30 }) => ran[context.sender]++ }, { limit: { perSecond: 1, burst: 1 } })
  for (const from of [1, 30]) for (let i = 0; i < 5; i++) mesh.peer(from).dispatcher.call(member(from, 'tell'), 20, [])
  mesh.deliverAll()
  t.same(ran, { 1: 5, 30: 1 })
  t.end()
})

t.test('a broadcast leaves out those whose contract differs', (t) => {
  const mesh = new Mesh([1, 20, 30])
  const Other = defineNode('node', { tell: rpc.remote(c.u8) })
  let ran = 0
  const node = mesh.peer(1).dispatcher.attach(Node, {}, 0)
  mesh.peer(20).dispatcher.attach(Node, { tell: () => ran++ }, 0)
  mesh.peer(30).dispatcher.attach(Other, { tell: () => (ran += 100) }, 0)
  mesh.deliverAll()
  mesh.peer(1).dispatcher.call(node.members.get('tell')!, 0, [])
  mesh.peer(1).dispatcher.call(node.members.get('tell')!, [20, 30], [])
  mesh.deliverAll()
  t.equal(ran, 2)
  t.same(mesh.peer(30).violations, [], 'it was not even asked')
  t.throws(() => mesh.peer(1).dispatcher.call(node.members.get('tell')!, 30, []), { code: 'ERR_CONTRACT' })
  t.end()
})
