import t from 'tap'
import { defineNode, rpc, t as c } from '../../../src/rpc/index.ts'
import { VirtualSessions } from '../../../src/testing.ts'

const Chat = defineNode('chat', { say: rpc.remote(c.string) })

/** A game's own test, as docs/rpc.md shows it: a minute of chat on a bad network. */
const minute = (seed: number): { heard: string[]; hash: string } => {
  const play = new VirtualSessions({ seed, path: { latencyMs: 40, jitterMs: 20, lossRatio: 0.05 } })
  const server = play.listen()
  const [a, b] = play.join(server, 2)
  const heard: string[] = []
  b!.attach(Chat, { say: (text, { sender }) => heard.push(`${sender === a!.id ? 'a' : 'b'}: ${text}`) })
  const chat = a!.attach(Chat)
  for (let i = 0; i < 60; i++) play.network.at(play.network.now + i * 1000, () => chat.all.say(`${i}`))
  play.network.runFor(62_000)
  return { heard, hash: play.network.hash }
}

t.test('a minute of play is instant, and the same seed gives the same run, bit for bit', (t) => {
  const [one, two, other] = [minute(7), minute(7), minute(8)]
  t.same(one.heard, Array.from({ length: 60 }, (_, i) => `a: ${i}`))
  t.equal(one.hash, two.hash)
  t.not(one.hash, other.hash)
  t.end()
})

t.test('servers and clients have names and paths of their own', (t) => {
  const play = new VirtualSessions()
  const server = play.listen({ name: 'eu', maxPeers: 2 })
  const second = play.listen()
  const [near] = play.join(server, 1, { path: { latencyMs: 5 } })
  const far = play.connect(server, { name: 'moon', path: { latencyMs: 1300 }, timeoutMs: 20_000 })
  play.network.runUntil(() => far.state === 'open', { limitMs: 20_000 })
  play.network.runFor(10_000)
  t.same([server, second, near!, far].map((session) => play.nameOf(session)), ['eu', 'server', 'client1', 'moon'])
  t.ok(near!.peers.get(1)!.stats!.roundTripMs < 50)
  t.ok(far.peers.get(1)!.stats!.roundTripMs > 2000)
  t.throws(() => play.join(server, 1), { code: 'ERR_REFUSED', message: /client2 did not get in/ })
  play.crash(far)
  play.network.runFor(60_000)
  t.same(server.peerIds, [near!.id])
  t.throws(() => play.crash(far), { code: 'ERR_ARGUMENT' })
  t.end()
})
