// Whole messages through two hosts without sockets, and whole calls through two dispatchers without sessions; the calls beside what
// one writes first: JSON with a name, and a switch.

import { fileURLToPath } from 'node:url'
import Benchmark from 'benchmark'
import { defineNode, rpc, t } from '../../src/rpc/index.ts'
import { nodeHandle } from '../../src/rpc/proxy.ts'
import { Host } from '../../src/transport/index.ts'
import type { Datagram, Delivery, Peer } from '../../src/transport/index.ts'
import { Mesh } from '../../test/support/rpc-wire.ts'

const options = { maxTime: 0.5 }
/** What arrived last: a result that nobody uses need not be computed at all. */
export let last: unknown = null

// -- two hosts

const HERE = { address: '10.0.0.1', port: 1 }
const THERE = { address: '10.0.0.2', port: 2 }
const a = new Host({ seed: 1 })
const b = new Host({ seed: 2 })
const out: Datagram = { bytes: new Uint8Array(4200), length: 0, address: '', port: 0 }
let now = 0

const carry = (from: Host, to: Host, address: typeof HERE): void => {
  for (let event = from.pollEvent(); event !== null; event = from.pollEvent()) last = event
  while (from.pollTransmit(out)) to.receive(out.bytes.slice(0, out.length), address, now)
}
const step = (): void => {
  now += 1
  a.advance(now)
  b.advance(now)
  carry(a, b, HERE)
  carry(b, a, THERE)
  carry(a, b, HERE)
}
const peer: Peer = a.connect(THERE, { channels: 4 })
for (let i = 0; i < 50; i++) step()

const message = new Uint8Array(20)
/** Twenty messages a tick, so that they share datagrams as in a game. */
const twenty = (delivery: Delivery) => (): void => {
  for (let i = 0; i < 20; i++) peer.send(1, message, delivery)
  step()
}

// -- two dispatchers

const Game = defineNode('game', { moved: rpc.remote(t.u16, t.f32, t.f32) })
const mesh = new Mesh([1, 2])
const handlers = { moved: (id: number, x: number, y: number) => void (last = id + x + y) }
mesh.peer(2).dispatcher.attach(Game, handlers, 0)
const caller = mesh.peer(1).dispatcher
const game = nodeHandle<typeof Game.members>(caller, caller.attach(Game, handlers, 0))
mesh.deliverAll()

const naiveHandlers: Record<string, (...args: number[]) => void> = { moved: (id = 0, x = 0, y = 0) => void (last = id + x + y) }
const naiveCall = (name: string, ...args: number[]): Uint8Array => Buffer.from(JSON.stringify({ node: 'game', name, args }))
const naiveServe = (bytes: Uint8Array): void => {
  const { name, args } = JSON.parse(Buffer.from(bytes).toString()) as { name: string; args: number[] }
  naiveHandlers[name]?.(...args)
}

let n = 0

export const suite = new Benchmark.Suite('whole')
  .add('20 reliable messages of 20 B, both hosts', twenty('reliable'), options)
  .add('20 unreliable messages of 20 B, both hosts', twenty('unreliable'), options)
  .add('20 unsequenced messages of 20 B, both hosts', twenty('unsequenced'), options)
  .add('a call of three numbers, both ends', () => {
    game.to(2).moved(n++ & 0xffff, 1.5, 2.5)
    mesh.deliverAll()
  }, options)
  .add('a call of three numbers, both ends — JSON', () => naiveServe(naiveCall('moved', n++ & 0xffff, 1.5, 2.5)), options)

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  suite.on('cycle', (event: Benchmark.Event) => console.log(String(event.target))).run()
}
