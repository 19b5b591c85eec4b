import t from 'tap'
import { arg, defineNode, property, rpc, t as c } from '../../src/rpc/index.ts'
import { badPath, GameBench } from '../support/game-bench.ts'
import type { GamePlayer } from '../support/game-bench.ts'

// The whole lobby on a bad network, hundreds of times: joining, introductions, calls of every delivery, properties, a kick, a crash, a
// leave, a refusal, the server leaving last. Rows of the table of issue 3, as invariants over everything that anybody hears.

const SEEDS = Number(process.env['VAIVEN_SEEDS'] ?? 300)
const SAYS = 15
const Lobby = defineNode('lobby', {
  registerPlayer: rpc.remote(c.string),
  say: rpc.remote(c.u16),
  onOwnChannel: rpc.remote(c.u16).onChannel(3),
  moved: rpc.remote(arg('tick', c.u16)).unreliable(),
  aimed: rpc.remote(arg('tick', c.u16)).unreliableOrdered(),
  echo: rpc.remote(c.u16).returns(c.u16),
  color: property.remote(c.u8),
})

/** What somebody heard, in order: `+id` joined, `-id` left, otherwise a call with its sender. */
type Heard = readonly [what: string, sender: number, value: number]

interface Witness extends GamePlayer {
  readonly heard: Heard[]
  readonly lobby: ReturnType<typeof attach>
  said: number
  answered: number
  asked: number
}

const attach = (player: GamePlayer, heard: Heard[]) => {
  const note = (what: string) => (value: number, { sender }: { sender: number }) => void heard.push([what, sender, value])
  return player.session.attach(Lobby, {
    registerPlayer: (name, { sender }) => void heard.push(['registerPlayer', sender, name.length]),
    say: note('say'), onOwnChannel: note('own'), moved: note('moved'), aimed: note('aimed'), color: note('color'),
    echo: (value) => value,
  })
}

const witness = (player: GamePlayer): Witness => {
  const heard: Heard[] = []
  player.session.on('peerConnected', ({ id }) => heard.push(['+', id, 0]))
  player.session.on('peerDisconnected', ({ id }) => heard.push(['-', id, 0]))
  const lobby = attach(player, heard)
  // As on Godot's page: whoever appears is told who we are.
  player.session.on('peerConnected', ({ id }) => lobby.to(id).registerPlayer(player.name))
  return { ...player, heard, lobby, said: 0, answered: 0, asked: 0 }
}

const talk = (w: Witness): void => {
  if (w.session.state !== 'open' || w.session.peerIds.length === 0 || w.said >= SAYS) return
  const n = w.said++
  w.lobby.all.say(n)
  w.lobby.all.onOwnChannel(n)
  w.lobby.all.moved(n)
  w.lobby.all.aimed(n)
  if (n === SAYS - 1) w.lobby.all.color = 77
  if (!w.session.isServer) {
    w.asked++
    w.lobby.to(1).echo(n).then((value) => (w.answered += value === n ? 1 : 0), () => undefined)
  }
}

const increasing = (values: readonly number[]): boolean => values.every((value, i) => i === 0 || value > values[i - 1]!)
const contiguous = (values: readonly number[]): boolean => values.every((value, i) => i === 0 || value === values[i - 1]! + 1)

/** @returns what is wrong, one line each */
const play = async (seed: number): Promise<string[]> => {
  const wrong: string[] = []
  const check = (holds: boolean, what: string): void => void (holds || wrong.push(`seed ${seed}: ${what}`))
  const lossRatio = [0, 0.02, 0.05, 0.1, 0.2][seed % 5]!
  const bench = new GameBench(
    {
      seed,
      path: badPath(lossRatio),
      server: { maxPeers: 4, channels: 4, relayLimit: false },
      host: { connectTimeoutMs: 60_000, timeout: { minimumMs: 4000, maximumMs: 8000 } },
    },
  )
  const { network } = bench
  const server = witness(bench.server)
  const clients: Witness[] = []
  for (let i = 0; i < 4; i++) network.at(
    i * 70 + (seed % 7) * 10,
    () => clients.push(witness(bench.client({ channels: 4, timeoutMs: 60_000 }))),
  )
  network.runUntil(
    () => clients.length === 4 && clients.every(({ session }) => session.peerIds.length === 4),
    { limitMs: 60_000, what: 'everybody is in' },
  )
  const all = [server, ...clients]
  for (let i = 0; i < SAYS; i++) for (const w of all) network.at(network.now + 30 * i, () => talk(w))

  // One too many is refused, and hears why.
  const late = bench.client({ channels: 4, timeoutMs: 60_000 })
  network.runUntil(() => late.log.length > 0, { limitMs: 60_000, what: 'the refusal' })
  check(/connectionFailed ERR_REFUSED .*server full/.test(late.log[0]!), `the one too many heard ${late.log[0]}`)
  network.runFor(4000)
  await network.settle(Promise.resolve())
  network.runFor(1000)

  for (const { session, name } of clients) {
    const difference = Math.abs(session.clock.now() - server.session.clock.now())
    check(difference <= session.clock.errorMs, `clock of ${name} is off by ${difference} ms, bound ${session.clock.errorMs}`)
    check(session.clock.errorMs < 70, `clock of ${name} has a bound of ${session.clock.errorMs} ms`)
  }

  // Kicked with words after ten messages; crashed; left by itself; the server last.
  const [kicked, crashed, leaver, last] = clients as [Witness, Witness, Witness, Witness]
  const ids = new Map(all.map((w) => [w, w.session.id]))
  const before = kicked.heard.length
  for (let n = 100; n < 110; n++) server.lobby.to(ids.get(kicked)!).say(n)
  server.session.kick(ids.get(kicked)!, { reason: 'afk' })
  bench.crash(crashed)
  leaver.lobby.all.say(200)
  void leaver.session.close()
  network.runUntil(
    () => last.session.peerIds.length === 1 && server.session.peerIds.length === 1,
    { limitMs: 60_000, what: 'three are gone' },
  )
  check(String(
    kicked.heard.slice(before).filter(([what]) => what === 'say').map(([, , n]) => n),
  ) === String(Array.from({ length: 10 }, (_, i) => 100 + i)),
    'what was sent before a kick arrives')
  check(kicked.log.includes('serverDisconnected kicked afk'), `the kicked heard ${kicked.log.at(-2)}`)
  for (const w of [server, last]) {
    const reasons = w.log.filter((line) => line.startsWith('peerDisconnected')).map((line) => line.split(' ').slice(2).join(' ')).sort()
    check(String(reasons) === 'kicked afk,left,timeout', `${w.name} heard the reasons ${reasons}`)
    check(
      w.heard.some(([what, sender, n]) => what === 'say' && sender === ids.get(leaver) && n === 200),
      `${w.name} did not hear the last words of the leaver`,
    )
  }
  void server.session.close({ reason: 'the end' })
  network.runUntil(() => last.session.state === 'closed' && server.session.state === 'closed', { limitMs: 60_000, what: 'the end' })
  check(last.log.includes('serverDisconnected closed the end'), `the last one heard ${last.log.at(-2)}`)

  for (const w of all) {
    // Nobody speaks before they are introduced, or after they have left.
    const here = new Set<number>()
    for (const [what, sender] of w.heard) {
      if (what === '+') here.add(sender)
      else if (what === '-') here.delete(sender)
      else check(here.has(sender), `${w.name} heard ${what} from ${sender}, who is not here`)
    }
    for (const other of all) {
      if (other === w) continue
      const of = (what: string): number[] =>
        w.heard.filter(([kind, sender, n]) => kind === what && sender === ids.get(other) && n < 100).map(([, , n]) => n)
      const label = `${w.name} from ${other.name}`
      check(of('say').length === SAYS && contiguous(of('say')), `${label}: reliable calls ${of('say')}`)
      check(of('own').length === SAYS && contiguous(of('own')), `${label}: reliable calls on a channel of their own ${of('own')}`)
      check(increasing(of('aimed')), `${label}: unreliable ordered calls ${of('aimed')}`)
      check(new Set(of('moved')).size === of('moved').length, `${label}: unreliable calls doubled ${of('moved')}`)
      check(String(of('color')) === '77', `${label}: property ${of('color')}`)
      check(String(of('registerPlayer')) === String([other.name.length]), `${label}: introduced itself ${of('registerPlayer')}`)
    }
    if (w !== server) check(w.answered === w.asked && w.asked === SAYS, `${w.name}: ${w.answered} answers of ${w.asked}`)
    if (w !== crashed) check(
      Object.values(w.session.calls.dispatcher.tables).every((size) => size === 0),
      `${w.name}: tables ${JSON.stringify(w.session.calls.dispatcher.tables)}`,
    )
    const odd = w.log.filter((line) => line.startsWith('error') || line.startsWith('violation'))
    check(odd.length === 0, `${w.name}: ${odd[0]}`)
  }
  return wrong
}

t.test(`the lobby on ${SEEDS} bad networks`, async (t) => {
  const wrong: string[] = []
  for (let seed = 1; seed <= SEEDS; seed++) {
    try {
      wrong.push(...(await play(seed)))
    } catch (error) {
      wrong.push(`seed ${seed}: ${(error as Error).message}`)
    }
  }
  t.same(wrong.slice(0, 10), [], `${wrong.length} violations in all`)
})
