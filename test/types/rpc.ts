// What typed calls must and must not let through. Checked by `tsc -p test/types`; nothing here runs.

import { joinLobby, openLobby } from '../../src/game/index.ts'
import type { GameSession } from '../../src/game/index.ts'
import { connect, listen } from '../../src/open.ts'
import { arg, defineNode, property, rpc, t } from '../../src/rpc/index.ts'
import type { CallContext, HandleFor, HandlersFor, HandlersOf, NodeHandle, PropertiesOf } from '../../src/rpc/index.ts'

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends (<X>() => X extends B ? 1 : 2) ? true : false
const same = <A, B>(_same: Same<A, B>): void => {}

const Lobby = defineNode('lobby', {
  registerPlayer: rpc.remote(t.record({ name: t.string, favoriteColor: t.rgba8 })),
  moved: rpc.remote(arg('x', t.f32), arg('y', t.f32)).unreliable(),
  roll: rpc.remote(t.range(2, 100)).returns(t.u8).limit({ perSecond: 20 }),
  start: rpc.server(),
  fuel: property.master(t.f32),
  team: property.remoteSync(t.enum('red', 'blue')),
  anything: rpc.untyped(),
})
type M = (typeof Lobby)['members']

declare const session: GameSession
declare const me: { name: string; favoriteColor: { r: number; g: number; b: number; a: number } }

// --- handlers: arguments, context and results follow from the contract ------------------------------------------------------------

const lobby = session.attach(Lobby, {
  registerPlayer(info, { sender, signal, local }) {
    same<typeof info.name, string>(true)
    same<typeof sender, number>(true)
    same<typeof signal, AbortSignal>(true)
    same<typeof local, boolean>(true)
    return new Map() // whatever a fire-and-forget handler returns is its own business
  },
  moved: (x, y) => x + y,
  roll: async (sides) => sides,
  start: () => undefined,
  fuel: (value, context: CallContext) => void [value, context],
  team: 'red',
})
// Left out: fine. An object, a class instance, nothing at all.
session.attach(Lobby)
session.attach(Lobby, {})
class Game {
  score = 0
  roll(sides: number): number {
    return sides
  }
}
session.attach(Lobby, new Game(), { instance: 7 })

class Served implements HandlersFor<typeof Lobby> {
  readonly handle: HandleFor<typeof Lobby> = lobby
  roll(sides: number, { sender }: CallContext): number {
    return sides + sender
  }
}
session.attach(Lobby, new Served())
same<HandleFor<typeof Lobby>, NodeHandle<M>>(true)

// @ts-expect-error the reply is a number
session.attach(Lobby, { roll: () => 'six' })
// @ts-expect-error the promise of the reply is of a number
session.attach(Lobby, { roll: async () => 'six' })
// @ts-expect-error the argument is a number
session.attach(Lobby, { roll: (sides: string) => sides.length })
// @ts-expect-error no such method
session.attach(Lobby, { rol: () => 1 })
// @ts-expect-error not one of the teams
session.attach(Lobby, { team: 'green' })
// @ts-expect-error a contract, not its name
session.attach('lobby', {})

// --- calls ------------------------------------------------------------------------------------------------------------------------

lobby.all.registerPlayer(me)
lobby.all.moved(1, 2)
lobby.except(7).moved(1, 2)
lobby.to([1, 2]).moved(1, 2)
lobby.to(new Set([1])).start()
lobby.all.with({ delivery: 'unreliableOrdered', channel: 3 }).moved(1, 2)
lobby.all.anything(1, 'two', [3])
same<ReturnType<typeof lobby.all.moved>, void>(true)

const reply = lobby.to(1).roll(20)
same<typeof reply, Promise<number>>(true)
void lobby.to(1).roll(20, { timeoutMs: 500, signal: new AbortController().signal })
// A group cannot answer: the call is fire and forget.
same<ReturnType<typeof lobby.all.roll>, void>(true)
same<ReturnType<ReturnType<typeof lobby.to>['moved']>, void>(true)

// @ts-expect-error one argument is missing
lobby.all.moved(1)
// @ts-expect-error one too many
lobby.all.moved(1, 2, 3)
// @ts-expect-error not a number
lobby.all.moved('1', 2)
// @ts-expect-error a field is missing
lobby.all.registerPlayer({ name: 'x' })
// @ts-expect-error no such method
lobby.all.rol(20)
// @ts-expect-error options only where there is an answer to wait for
lobby.all.roll(20, { timeoutMs: 500 })
// @ts-expect-error not an option
void lobby.to(1).roll(20, { timeout: 500 })
// @ts-expect-error not a delivery
lobby.all.with({ delivery: 'fast' })
// @ts-expect-error a call, not a value
lobby.all.start = 5

// --- properties -------------------------------------------------------------------------------------------------------------------

lobby.all.fuel = 0.7
lobby.to(5).team = 'blue'
lobby.all.set('fuel', 0.7, { delivery: 'unreliable' })
same<typeof lobby.all.fuel, number>(true)
same<typeof lobby.values.team, 'red' | 'blue' | undefined>(true)
same<PropertiesOf<M>, { fuel: number; team: 'red' | 'blue' }>(true)
// @ts-expect-error not a number
lobby.all.fuel = 'full'
// @ts-expect-error not one of the teams
lobby.all.set('team', 'green')
// @ts-expect-error a method is not set
lobby.all.set('roll', 5)
// @ts-expect-error values are read, not written
lobby.values.fuel = 1

// --- handles and contracts --------------------------------------------------------------------------------------------------------

lobby.master = 5
lobby.configure('moved', 'puppet')
// @ts-expect-error no such method
lobby.configure('fly', 'puppet')
// @ts-expect-error no such mode
lobby.configure('moved', 'anyone')
// @ts-expect-error types, not values
rpc.remote(5)
// @ts-expect-error a declaration is needed
defineNode('x', { f: () => 1 })
// @ts-expect-error not a limit
rpc.remote().limit({ perMinute: 5 })
// @ts-expect-error a property takes exactly one type
property.remote(t.f32, t.f32)

const handlers: HandlersOf<M> = { roll: (sides, { sender }) => sides + sender }
void handlers

// --- sessions ---------------------------------------------------------------------------------------------------------------------

session.on('peerConnected', ({ id, address }) => void [id + 1, address.length])
session.on('peerDisconnected', ({ id, reason, data, text }) => void [id + data, reason === 'kicked', text.length])
session.on('message', (sender, bytes, { delivery }) => void [sender + bytes.length, delivery === 'reliable'])
session.on('roomJoined', (room) => room.attach(Lobby).all.start())
session.send(0, new Uint8Array(1), { delivery: 'unreliable', channel: 3 })
session.send([1, 2], new Uint8Array(1))
session.rpc('lobby', 'register_player', { name: 'x' })
void listen({ accept: async ({ hello }) => (hello.length > 0 ? true : 'say something') })
void connect({ host: 'localhost', port: 7777, hello: 'token', impair: { latencyMs: 40 } })
// @ts-expect-error no such event
session.on('peerJoined', () => {})
// @ts-expect-error bytes, not text
session.send(0, 'text')
// @ts-expect-error a number does not decide
void listen({ accept: () => 5 })
// @ts-expect-error where to?
void connect({ port: 7777 })
// @ts-expect-error the server does not connect
void listen({ hello: 'x' })

// --- lobby ------------------------------------------------------------------------------------------------------------------------

const Info = t.record({ name: t.string })
const served = openLobby(session, { info: Info, check: ({ name }) => (name === '' ? 'a name, please' : undefined) })
served.on('playerJoined', ({ info }) => void info.name.length)
void joinLobby(
  session,
  { info: Info, me: { name: 'x' }, prepare: async (signal) => void signal.aborted },
).then((joined) => joined.update({ name: 'y' }))
// @ts-expect-error what players tell has the type that info says
void joinLobby(session, { info: Info, me: { nam: 'x' } })
// @ts-expect-error no such event
served.on('playerCame', () => {})
