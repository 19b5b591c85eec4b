// A lobby of Godot-speaking and native clients on bad networks, in virtual time: every reliable call arrives once, in order, with
// its sender and its values, while paths are announced, confirmed and forgotten underneath.

import t from 'tap'
import { GameBench, badPath } from '../support/game-bench.ts'
import type { GamePlayer } from '../support/game-bench.ts'
import { Vector2, godot3, variant } from '../../src/godot/index.ts'
import { defineNode, property, rpc, t as c } from '../../src/rpc/index.ts'
import { nativeFraming } from '../../src/session/index.ts'

const Lobby = defineNode('lobby', {
  count: rpc.remote(c.u32, c.string),
  place: rpc.remote(c.u32, c.vec2).unreliable(),
  loose: rpc.remote(variant),
  level: property.remote(c.u32),
})
const Table = defineNode('lobby/table', { count: rpc.remote(c.u32, c.string) })

const CALLS = 12

interface Ears {
  readonly id: number
  /** What was heard on each node of each sender, in order. */
  readonly heard: Map<string, number[]>
  readonly wrong: string[]
}

const SEEDS = Number(process.env['SEEDS'] ?? 40)

t.test(`${SEEDS} bad networks: two games, two of our own, one server; each calls everybody`, (t) => {
  const failures: string[] = []
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { framing, calls } = godot3()
    const godot = { framings: [framing], calls: { dialects: [calls] } }
    const bench = new GameBench({
      seed,
      path: badPath(0.02 + (seed % 4) * 0.04),
      server: { framings: [nativeFraming, framing], calls: { dialects: [calls] } },
    })
    bench.join(2, godot)
    bench.join(2)
    const players = [bench.server, ...bench.clients]
    bench.network.runUntil(() => players.every(({ session }) => session.peerIds.length === players.length - 1), {
      limitMs: 30_000,
      what: 'all know each other',
    })
    const ears = players.map((player) => listen(player, bench, players))
    bench.network.runFor(30_000)

    for (const { id, heard, wrong } of ears) {
      failures.push(...wrong.map((what) => `seed ${seed}: ${id} ${what}`))
      for (const { id: other } of ears) {
        if (other === id) continue
        for (const node of ['lobby', 'table']) {
          const got = heard.get(`${node} ${other}`) ?? []
          if (got.join() !== Array.from({ length: CALLS }, (_, i) => i).join())
            failures.push(`seed ${seed}: ${id} heard ${node} of ${other}: ${got.join()}`)
        }
      }
    }
    for (const { log, session } of players)
      for (const line of log) if (/violation|error/.test(line)) failures.push(`seed ${seed}: ${session.id} ${line}`)
  }
  t.same(failures.slice(0, 5), [])
  t.end()
})

/** Attaches the nodes, and begins to call everybody in irregular steps. */
function listen(player: GamePlayer, bench: GameBench, players: readonly GamePlayer[]): Ears {
  const heard = new Map<string, number[]>()
  const wrong: string[] = []
  const note = (node: string, sender: number, n: number): void =>
    void heard.set(`${node} ${sender}`, [...(heard.get(`${node} ${sender}`) ?? []), n])
  const { session } = player
  const lobby = session.attach(Lobby, {
    count(n, text, { sender }) {
      note('lobby', sender, n)
      if (text !== `call ${n} of ${sender}`) wrong.push(`heard "${text}" as ${n} of ${sender}`)
    },
    place(n, at, { sender }) {
      if (at.x !== n / 2 || at.y !== -n) wrong.push(`saw ${sender} at ${at.x}, ${at.y} as ${n}`)
    },
    loose(value, { sender }) {
      if (!(value instanceof Vector2) || value.x !== sender % 1000) wrong.push(`got a loose ${String(value)} of ${sender}`)
    },
  })
  const table = session.attach(Table, { count: (n, text, { sender }) => (text === 'table' ? note('table', sender, n) : wrong.push(text)) })
  for (let n = 0; n < CALLS; n++) {
    bench.network.at(bench.network.now + 10 + n * 35, () => {
      // Sometimes everybody at once, sometimes one by one, sometimes all but one and that one.
      const others = players.map(({ session: { id } }) => id).filter((id) => id !== session.id)
      const text = `call ${n} of ${session.id}`
      if (n % 3 === 0) lobby.all.count(n, text)
      else if (n % 3 === 1) for (const id of others) lobby.to(id).count(n, text)
      else {
        lobby.except(others[n % others.length]!).count(n, text)
        lobby.to(others[n % others.length]!).count(n, text)
      }
      table.all.count(n, 'table')
      lobby.all.place(n, { x: n / 2, y: -n })
      if (n === 5) lobby.all.loose(new Vector2(session.id % 1000, 0))
      lobby.all.level = n
    })
  }
  return { id: session.id, heard, wrong }
}
