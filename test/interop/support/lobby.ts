// The lobby of test/interop/godot/lobby played by vaiven: its contract, the server's part, the client's part. The README there
// says what the two sides say to each other; what is missing here, the engine on the other end reports.

import type { UdpSession } from '../../../src/udp-session.ts'
import { defineNode, property, rpc, t } from '../../../src/rpc/index.ts'
import type { CallContext, NodeHandle } from '../../../src/rpc/index.ts'

const Player = t.record({ name: t.string, favoriteColor: t.rgba8 })

/** The node `/root/lobby`, with the modes of its GDScript. */
export const Lobby = defineNode('lobby', {
  registerPlayer: rpc.remote(Player),
  say: rpc.remote(t.string),
  heard: rpc.remote(t.string, t.u32),
  shout: rpc.remoteSync(t.string),
  move: rpc.remote(t.u32, t.vec2).unreliable(),
  moved: rpc.remote(t.u32, t.vec2).unreliable(),
  drift: rpc.remote(t.u32).unreliable(),
  whisper: rpc.remote(t.string),
  whispered: rpc.remote(t.string),
  gossip: rpc.remote(t.string),
  scoreMe: rpc.master(t.u32),
  leavePlease: rpc.puppet(t.string),
  forbidden: rpc.disabled(),
  preConfigureGame: rpc.remote(),
  donePreconfiguring: rpc.remote(),
  postConfigureGame: rpc.remote(),
  bye: rpc.remote(t.string),
  status: property.remote(t.string),
  score: property.remote(t.u32),
  heading: property.remote(t.f32),
  motto: property.remoteSync(t.string),
  secret: property.disabled(t.string),
})

/** The node `/root/lobby/table`. */
export const Table = defineNode('lobby/table', {
  deal: rpc.remote(t.array(t.u8)),
  dealt: rpc.remote(t.u32),
})

type LobbyNode = NodeHandle<(typeof Lobby)['members']>

const info = { name: 'vaiven', favoriteColor: { r: 255, g: 128, b: 0, a: 255 } }
const LONG_TEXT = Array.from({ length: 500 }, (_, i) => `${String(i).padStart(9, '0')} `).join('')

/** What was seen, in order: `say Ann's id "hello"`. */
export interface LobbyPart {
  readonly lobby: LobbyNode
  readonly seen: string[]
  /** Kinds of what each peer did, to be compared as sets. */
  readonly by: Map<number, Set<string>>
}

/** The server's part of a scenario. */
export const serveLobby = (
  session: UdpSession,
  { scenario = 'talk', clients = 1 }: { scenario?: 'talk' | 'extras' | 'kick' | 'shutdown'; clients?: number } = {},
): LobbyPart => {
  const part = newPart()
  const joined = new Set<number>()
  const registered = new Set<number>()
  const done = new Set<number>()
  let configured = false
  const note = part.note
  const lobby: LobbyNode = session.attach(Lobby, {
    registerPlayer(player, context) {
      note('registerPlayer', context, player.name, player.favoriteColor)
      registered.add(context.sender)
      if (scenario === 'kick') {
        lobby.to(context.sender).leavePlease('no room')
        session.kick(context.sender)
      }
      if (scenario === 'shutdown' && registered.size === clients) setTimeout(() => void session.close(), 300)
    },
    say(text, context) {
      note('say', context, text)
      lobby.to(context.sender).heard(text, context.sender)
    },
    heard: (_text, _who, context) => note('heard', context),
    shout: (text, context) => note('shout', context, text),
    move(sequence, position, context) {
      note('move', context, sequence, position)
      lobby.to(context.sender).moved(sequence, position)
      maybeConfigure()
    },
    moved: (_sequence, _position, context) => note('moved', context),
    drift(sequence, context) {
      note('drift', context, sequence)
      lobby.to(context.sender).set('heading', 0.75, { delivery: 'unreliable' })
    },
    whisper: (_text, context) => note('whisper', context),
    whispered: (_text, context) => note('whispered', context),
    gossip: (_text, context) => note('gossip', context),
    scoreMe: (points, context) => note('scoreMe', context, points),
    leavePlease: (_text, context) => note('leavePlease', context),
    forbidden: (context) => note('forbidden', context),
    preConfigureGame: (context) => note('preConfigureGame', context),
    donePreconfiguring(context) {
      note('donePreconfiguring', context)
      done.add(context.sender)
      if (done.size === clients) lobby.all.postConfigureGame()
    },
    postConfigureGame: (context) => note('postConfigureGame', context),
    bye: (text, context) => note('bye', context, text),
    status: (value, context) => note('status', context, value),
    score(value, context) {
      note('score', context, value)
      if (value !== 7) return
      lobby.to(context.sender).score = 8
      lobby.to(context.sender).status = 'go'
      lobby.all.motto = 'one for all'
      maybeConfigure()
    },
    heading: (value, context) => note('heading', context, value),
    motto: (value, context) => note('motto', context, value),
    secret: (value, context) => note('secret', context, value),
  })
  const table = session.attach(Table, {
    deal(cards, context) {
      note('deal', context, cards.length)
      table.to(context.sender).dealt(cards.length)
    },
    dealt: (_count, context) => note('dealt', context),
  })
  const maybeConfigure = (): void => {
    if (scenario !== 'talk' || configured || joined.size < clients) return
    for (const id of joined) if (!part.by.get(id)?.has('move') || !part.by.get(id)?.has('score')) return
    configured = true
    lobby.all.preConfigureGame()
  }
  session.on('peerConnected', ({ id }) => {
    joined.add(id)
    lobby.to(id).registerPlayer(info)
  })
  session.on('peerDisconnected', ({ id }) => {
    joined.delete(id)
    maybeConfigure()
  })
  session.on('message', (sender, bytes, { delivery }) => {
    note('message', { sender }, delivery, Buffer.from(bytes).toString('hex'))
    session.send(sender, bytes.slice().reverse())
  })
  return { lobby, seen: part.seen, by: part.by }
}

/** The client's part of a scenario, for a server that is an engine. Resolves when everything expected was seen. */
export const playLobby = (
  session: UdpSession,
  { others = 0 }: { others?: number } = {},
): LobbyPart & { readonly complete: Promise<void>; readonly missing: Set<string> } => {
  const part = newPart()
  const note = part.note
  const missing = new Set([
    'registerPlayer 1',
    'heard 1',
    'shout self',
    'moved 1',
    'status 1',
    'score 1',
    'heading 1',
    'motto 1',
    'preConfigureGame 1',
    'postConfigureGame 1',
    ...Array.from({ length: others }, (_, i) => ['registered', 'whispered', 'gossip'].map((what) => `${what} ${i + 1}`)).flat(),
  ])
  const counts: Record<string, number> = {}
  let finish: () => void = () => undefined
  const complete = new Promise<void>((resolve) => {
    finish = resolve
  })
  const got = (what: string): void => {
    missing.delete(what)
    if (missing.size === 0) finish()
  }
  const nth = (what: string): void => got(`${what} ${(counts[what] = (counts[what] ?? 0) + 1)}`)
  const lobby: LobbyNode = session.attach(Lobby, {
    registerPlayer(player, context) {
      note('registerPlayer', context, player.name)
      if (context.sender === 1) {
        got('registerPlayer 1')
        start()
      } else {
        nth('registered')
        lobby.to(context.sender).whisper(`psst ${context.sender}`)
        lobby.except(1).gossip('not for the server')
      }
    },
    say: (text, context) => note('say', context, text),
    heard(text, who, context) {
      note('heard', context, text)
      if (text === 'hello' && who === session.id) got('heard 1')
    },
    shout(text, context) {
      note('shout', context, text)
      if (context.sender === session.id && context.local) got('shout self')
    },
    move: (_sequence, _position, context) => note('move', context),
    moved(_sequence, position, context) {
      note('moved', context, position)
      if (position.x === 1.5 && position.y === -2.25) got('moved 1')
    },
    drift: (_sequence, context) => note('drift', context),
    whisper(text, context) {
      note('whisper', context, text)
      lobby.to(context.sender).whispered(text)
    },
    whispered(_text, context) {
      note('whispered', context)
      nth('whispered')
    },
    gossip(_text, context) {
      note('gossip', context)
      nth('gossip')
    },
    scoreMe: (_points, context) => note('scoreMe', context),
    leavePlease(text, context) {
      note('leavePlease', context, text)
      got('leavePlease 1')
    },
    preConfigureGame(context) {
      note('preConfigureGame', context)
      got('preConfigureGame 1')
      lobby.to(1).donePreconfiguring()
    },
    donePreconfiguring: (context) => note('donePreconfiguring', context),
    postConfigureGame(context) {
      note('postConfigureGame', context)
      got('postConfigureGame 1')
    },
    bye: (_text, context) => note('bye', context),
    status(value, context) {
      note('status', context, value)
      if (value === 'go' && context.sender === 1) got('status 1')
    },
    score(value, context) {
      note('score', context, value)
      if (value === 8 && context.sender === 1) got('score 1')
    },
    heading(value, context) {
      note('heading', context, value)
      if (value === 0.75 && context.sender === 1) got('heading 1')
    },
    motto(value, context) {
      note('motto', context, value)
      if (value === 'one for all' && context.sender === 1) got('motto 1')
    },
  })
  let started = false
  const start = (): void => {
    if (started) return
    started = true
    lobby.to(1).say('hello')
    lobby.all.shout('hi all')
    lobby.all.status = 'ready'
    lobby.to(1).score = 7
    lobby.to(1).scoreMe(100)
    lobby.all.set('heading', 0.25, { delivery: 'unreliable' })
    lobby.to(1).set('heading', 0.5, { delivery: 'unreliable' })
    let sequence = 0
    const again = setInterval(() => {
      if (session.state !== 'open' || (!missing.has('moved 1') && !missing.has('heading 1'))) return clearInterval(again)
      lobby.to(1).move(++sequence, { x: 1.5, y: -2.25 })
      lobby.all.drift(sequence)
    }, 100)
  }
  session.on('peerConnected', ({ id }) => lobby.to(id).registerPlayer(info))
  // Only a client's own signals are missed when the listener comes after `connect`: the events begin in the next turn.
  return { lobby, seen: part.seen, by: part.by, complete, missing }
}

/** What a client of the scenario `extras` sends; the server's answers are in `seen`. */
export const sendExtras = (session: UdpSession, lobby: LobbyNode): void => {
  lobby.to(1).say(LONG_TEXT)
  session.send(1, Uint8Array.of(1, 2, 0, 255), { delivery: 'unreliable' })
  session.send(1, Uint8Array.of(1, 2, 1, 255), { delivery: 'unreliableOrdered' })
  session.send(1, Uint8Array.of(1, 2, 2, 255))
}

export { LONG_TEXT }

const newPart = () => {
  const seen: string[] = []
  const by = new Map<number, Set<string>>()
  const note = (name: string, { sender }: Pick<CallContext, 'sender'>, ...values: unknown[]): void => {
    seen.push([name, sender, ...values.map((value) => JSON.stringify(value))].join(' '))
    const kinds = by.get(sender) ?? new Set()
    by.set(sender, kinds.add(name))
  }
  return { seen, by, note }
}
