import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import t from 'tap'
import { defineNode, property, rpc, t as c } from '../../src/rpc/index.ts'
import type { CallContext } from '../../src/rpc/index.ts'
import { badPath, GameBench } from '../support/game-bench.ts'
import type { GamePlayer } from '../support/game-bench.ts'

// Godot's table, row by row, on a hundred bad networks each (5 to 15 % loss, jitter, reordering, duplicates).

const SEEDS = Number(process.env['VAIVEN_SEEDS'] ?? 60)
const Node = defineNode('node', {
  call: rpc.remote(c.u16),
  loose: rpc.remote(c.u16).unreliable(),
  ordered: rpc.remote(c.u16).unreliableOrdered(),
  ask: rpc.remote(c.u16).returns(c.u16),
  value: property.remote(c.u16),
}, { dynamic: true })

const attach = (player: GamePlayer) => {
  const heard: [string, number, number][] = []
  const note = (name: string) => (value: number, { sender }: CallContext) => void heard.push([name, sender, value])
  const node = player.session.attach(
    Node,
    { call: note('call'), loose: note('loose'), ordered: note('ordered'), value: note('value'), ask: (n) => n + 1 },
  )
  return { node, heard, id: player.session.id, session: player.session, player }
}

const row = (
  name: string,
  clients: number,
  play: (bench: GameBench, all: ReturnType<typeof attach>[], ok: (holds: boolean, what: string) => void) => void | Promise<void>,
  options = {},
) => {
  t.test(`${name}, on ${SEEDS} networks`, async (t) => {
    const wrong: string[] = []
    for (let seed = 1; seed <= SEEDS; seed++) {
      const bench = new GameBench(
        {
          seed,
          path: badPath(0.05 + (seed % 3) * 0.05),
          host: { connectTimeoutMs: 60_000, timeout: { minimumMs: 4000, maximumMs: 8000 } },
          server: { ...options },
        },
      )
      try {
        bench.join(clients, options)
        await play(
          bench,
          [bench.server, ...bench.clients].map(attach),
          (holds, what) => void (holds || wrong.push(`seed ${seed}: ${what}`)),
        )
      } catch (error) {
        wrong.push(`seed ${seed}: ${(error as Error).message}`)
      }
    }
    t.same(wrong.slice(0, 5), [], `${wrong.length} violations`)
  })
}
const numbers = (heard: [string, number, number][], name: string, sender: number): string =>
  heard.filter(([n, s]) => n === name && s === sender).map(([, , v]) => v).join()
const TEN = Array.from({ length: 10 }, (_, i) => i).join()

row('rpc and rpc_id: reliable calls to all and to one arrive once and in order', 2, ({ network }, [server, a, b], ok) => {
  for (let i = 0; i < 10; i++) {
    a!.node.all.call(i)
    b!.node.to(a!.id).call(i)
    server!.node.to(b!.id).call(i)
  }
  network.runFor(8000)
  ok(numbers(server!.heard, 'call', a!.id) === TEN && numbers(b!.heard, 'call', a!.id) === TEN, 'all')
  ok(numbers(a!.heard, 'call', b!.id) === TEN && numbers(b!.heard, 'call', 1) === TEN, 'one')
  ok(numbers(server!.heard, 'call', b!.id) === '', 'what is for one reaches nobody else')
})

row('rpc_unreliable and rpc_unreliable_id: at most once; ordered ones never run late', 2, ({ network }, [, a, b], ok) => {
  for (let i = 0; i < 30; i++) {
    network.at(network.now + i * 20, () => {
      a!.node.all.loose(i)
      a!.node.to(b!.id).ordered(i)
    })
  }
  network.runFor(4000)
  const loose = numbers(b!.heard, 'loose', a!.id).split(',').map(Number)
  const ordered = numbers(b!.heard, 'ordered', a!.id).split(',').map(Number)
  ok(loose.length > 10 && new Set(loose).size === loose.length, `unreliable: ${loose}`)
  ok(ordered.length > 5 && ordered.every((n, i) => i === 0 || n > ordered[i - 1]!), `ordered: ${ordered}`)
})

row('rset, rset_id and their unreliable forms, typed and by name', 2, ({ network }, [server, a, b], ok) => {
  a!.node.all.value = 1
  network.runFor(4000)
  ok(server!.node.values.value === 1 && b!.node.values.value === 1, 'rset')
  a!.node.to(b!.id).value = 2
  a!.session.rset('node', 'value', 3)
  network.runFor(4000)
  ok(server!.node.values.value === 3 && numbers(b!.heard, 'value', a!.id) === '1,2,3', `rset_id: ${numbers(b!.heard, 'value', a!.id)}`)
  // One per turn: what is said in one turn shares a datagram, and its fate.
  for (let i = 0; i < 20; i++) {
    network.at(network.now + i * 20, () => {
      a!.session.rsetUnreliable('node', 'value', 100 + i)
      a!.session.rsetUnreliableId(b!.id, 'node', 'value', 200 + i)
      a!.node.all.set('value', 300 + i, { delivery: 'unreliable' })
    })
  }
  network.runFor(2000)
  ok(b!.node.values.value! >= 100 && server!.node.values.value! >= 100, 'unreliable forms')
  a!.session.rsetId(1, 'node', 'value', 9)
  network.runFor(4000)
  ok(server!.node.values.value === 9, 'rset_id by name')
})

row('calls by name, all four forms', 2, ({ network }, [server, a, b], ok) => {
  a!.session.rpc('node', 'call', 1)
  a!.session.rpcId(b!.id, 'node', 'call', 2)
  for (let i = 0; i < 20; i++) {
    network.at(network.now + i * 20, () => {
      a!.session.rpcUnreliable('node', 'loose', i)
      a!.session.rpcUnreliableId(b!.id, 'node', 'loose', 100 + i)
    })
  }
  network.runFor(4000)
  ok(numbers(server!.heard, 'call', a!.id) === '1' && numbers(b!.heard, 'call', a!.id) === '1,2', 'reliable')
  ok(b!.heard.some(([n, , v]) => n === 'loose' && v < 100) && b!.heard.some(([n, , v]) => n === 'loose' && v >= 100), 'unreliable')
})

row('request and response between all pairs', 2, async ({ network }, all, ok) => {
  const asked = all.flatMap(
    (from) =>
      all.filter((to) => to !== from).map(
        (to) => from.node.to(to.id).ask(to.id % 1000, { timeoutMs: 60_000 }).then((n) => n === (to.id % 1000) + 1),
      ),
  )
  const answers = Promise.all(asked)
  answers.catch(() => undefined)
  await network.settle(answers)
  ok((await answers).every(Boolean), 'wrong answers')
  ok(all.every(({ session }) => session.calls.dispatcher.tables.pending === 0), 'left over')
})

row('send_bytes: raw messages of every delivery beside calls, on channels of their own', 2, ({ network }, [server, a, b], ok) => {
  const got: string[] = []
  b!.session.on(
    'message',
    (sender, bytes, { delivery, channel }) => got.push(`${sender === 1 ? 's' : 'a'} ${delivery} ${channel} ${bytes[0]}`),
  )
  for (let i = 0; i < 5; i++) {
    a!.session.send(b!.id, Uint8Array.of(i))
    server!.session.send(0, Uint8Array.of(i), { channel: 4 })
    for (let n = 0; n < 5; n++) network.at(
      network.now + 100 * n,
      () => a!.session.send(-1, Uint8Array.of(i), { delivery: 'unreliableOrdered' }),
    )
  }
  network.runFor(5000)
  const of = (start: string): string => got.filter((line) => line.startsWith(start)).map((line) => line.split(' ')[3]).join()
  ok(of('a reliable 1') === '0,1,2,3,4' && of('s reliable 4') === '0,1,2,3,4', `reliable: ${got}`)
  ok(of('a unreliableOrdered 2').length > 5, 'unreliable')
}, { channels: 5 })

row('set_network_master: only the master runs it, whoever calls', 2, ({ network }, all, ok) => {
  const [server, a, b] = all
  for (const { node } of all) {
    node.master = a!.id
    node.configure('call', 'master')
  }
  b!.node.all.call(1)
  server!.node.all.call(2)
  a!.node.all.call(3)
  network.runFor(4000)
  ok(a!.node.isMaster && !b!.node.isMaster, 'isMaster')
  ok(
    numbers(a!.heard, 'call', b!.id) === '1' && numbers(a!.heard, 'call', 1) === '2' && numbers(a!.heard, 'call', a!.id) === '3',
    'the master runs them',
  )
  ok(b!.heard.length === 0 && server!.heard.length === 0, 'nobody else does')
})

row('rpc_config and rset_config at run time', 1, ({ network }, [server, a], ok) => {
  server!.node.configure('call', 'disabled')
  server!.node.configure('value', 'disabled')
  a!.node.all.call(1)
  a!.node.all.value = 1
  network.runFor(4000)
  ok(server!.heard.length === 0, 'disabled')
  server!.node.configure('call', 'remote')
  server!.node.configure('value', 'remote')
  a!.node.all.call(2)
  a!.node.all.value = 2
  network.runFor(4000)
  ok(String(server!.heard.map(([, , v]) => v)) === '2,2', 'enabled again')
})

row('a drain: newcomers hear it, players hear it, and it ends when they have left', 2, async ({ network, server }, [s, a, b], ok) => {
  const done = server.session.drain({ withinMs: 60_000, reason: 'update' })
  network.runFor(2000)
  for (const { player } of [a!, b!]) ok(player.log.includes('draining update'), 'told')
  void a!.session.close()
  void b!.session.close()
  network.runUntil(() => s!.session.state === 'closed', { limitMs: 30_000 })
  await done
})

t.test('what happens can be observed, each kind on a channel of its own', (t) => {
  const seen: string[] = []
  const names = [
    'session.joined',
    'session.left',
    'session.peer-joined',
    'session.peer-left',
    'session.peer-refused',
    'session.violation',
    'rpc.call',
    'rpc.set',
  ]
  const listeners = names.map((name) => {
    const listener = (): void => void seen.push(name)
    subscribe(`vaiven:${name}`, listener)
    return [`vaiven:${name}`, listener] as const
  })
  const bench = new GameBench({ server: { accept: ({ hello }) => hello.length === 0 } })
  const [a] = bench.join(1)
  const [server, client] = [attach(bench.server), attach(a!)]
  bench.client({ hello: 'no' })
  client.node.all.call(1)
  client.node.all.value = 1
  client.session.transmit('rpc', 1, Uint8Array.of(0xff), 'reliable')
  bench.network.runFor(500)
  void server.session.close()
  bench.network.runFor(500)
  t.same(names.filter((name) => !seen.includes(name)), [])
  for (const [name, listener] of listeners) unsubscribe(name, listener)
  t.end()
})

t.test('lateness of our own loop is told apart from the network', (t) => {
  const bench = new GameBench({ path: { latencyMs: 40 } })
  const [a] = bench.join(1)
  bench.network.runFor(5000)
  t.equal(a!.session.loopLag.maxMs, 0)
  const before = a!.session.peers.get(1)!.stats!.roundTripMs
  for (let i = 0; i < 5; i++) {
    bench.network.stall(a!.name, 900)
    bench.network.runFor(2500)
  }
  t.ok(a!.session.loopLag.maxMs > 100, `told: ${a!.session.loopLag.maxMs} ms`)
  t.ok(Math.abs(a!.session.peers.get(1)!.stats!.roundTripMs - before) < 40, 'and not charged to the network')
  t.equal(bench.server.session.loopLag.maxMs, 0)
  t.end()
})
