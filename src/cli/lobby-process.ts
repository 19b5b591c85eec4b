// One process of `vaiven lobby`: the server, or a player. Started by lobby.ts with its part in the arguments; talks to it over the
// pipe that `fork` makes. The game itself is what examples/lobby shows, plus counting.

import { randomInt } from 'node:crypto'
import { connect, listen } from '../open.ts'
import { openLobbyChecks } from './lobby-count.ts'
import { Game, PASSWORD, WARNINGS, wallClock } from './lobby-contract.ts'
import type { Order, Told } from './lobby-contract.ts'
import type { UdpSession } from '../udp-session.ts'
import { VaivenError } from '../util/errors.ts'

const [part = 'server', name = 'server', portText = '0', conditionsText = '{}', wrongPassword = ''] = process.argv.slice(2)
const impair = JSON.parse(conditionsText) as Record<string, number>
const tell = (message: Told): void => void process.send?.(message)
const event = (kind: string, text: string, id?: number): void =>
  tell({ type: 'event', name, kind, text, ...(id === undefined ? {} : { id }) })

/** Quick enough for a demonstration: a crash is noticed within about four seconds. */
const timeout = { minimumMs: 2500, maximumMs: 4000 }
const SAY_EVERY_MS = 120
const MOVE_EVERY_MS = 50
const COLOR_EVERY_MS = 900
const ROLL_EVERY_MS = 500
const REPORT_EVERY_MS = 400

const open = async (): Promise<UdpSession> => {
  if (part === 'server') {
    const accept = ({ hello }: { hello: Uint8Array }): boolean | string =>
      new TextDecoder().decode(hello) === PASSWORD ? true : 'wrong password'
    const session = await listen({ host: '127.0.0.1', maxPeers: 8, timeout, accept })
    tell({ type: 'listening', port: session.address.port })
    return session
  }
  const to = { host: '127.0.0.1', port: Number(portText), impair, timeout }
  if (wrongPassword !== '') {
    try {
      await connect({ ...to, hello: wrongPassword })
    } catch (error) {
      event('refused', error instanceof VaivenError ? `${error.message} [${error.code}]` : String(error))
    }
  }
  return connect({ ...to, hello: PASSWORD })
}

const session = await open()
const own = session.id
const counts = openLobbyChecks(name, session)
const me = { name, color: randomColor() }

const lobby = session.attach(Game, {
  registerPlayer({ name: other }, { sender }) {
    counts.met(sender, other)
    event('met', `met ${other}`, sender)
  },
  say({ number, sentAt }, { sender }) {
    counts.reliable(sender, number, wallClock() - sentAt)
  },
  moved(_x, _y, { sender }) {
    counts.unreliable(sender)
  },
  color(_color, { sender }) {
    counts.color(sender)
  },
  warn() {
    counts.warnings++
  },
  roll(sides) {
    return randomInt(1, sides + 1)
  },
})

session.on('peerConnected', ({ id }) => {
  event('peer', id === 1 ? 'is in' : `sees ${id} join`, own)
  lobby.to(id).registerPlayer(me)
})
session.on('peerDisconnected', ({ id, reason, text }) => {
  event('left', `${counts.nameOf(id)} is gone: ${reason}${text && ` (${text})`}`, id)
})
session.on('serverDisconnected', ({ reason, text }) => end(reason, text))
session.on('error', (error) => event('error', error instanceof Error ? error.message : String(error)))
session.on('violation', ({ peer, kind }) => event('violation', `${counts.nameOf(peer)}: ${kind}`))

const timers: NodeJS.Timeout[] = []
let said = 0
const every = (ms: number, act: () => void): void => void timers.push(setInterval(act, ms))

const talk = (): void => {
  if (part === 'server') return
  every(SAY_EVERY_MS, () => lobby.all.say({ number: said++, sentAt: wallClock(), text: `this is ${name} speaking` }))
  every(MOVE_EVERY_MS, () => lobby.all.moved(randomInt(1000) / 10, randomInt(1000) / 10))
  every(COLOR_EVERY_MS, () => (lobby.all.color = randomColor()))
  every(ROLL_EVERY_MS, () => {
    counts.rolls++
    lobby.to(1).roll(20).then(() => counts.rollsAnswered++, () => undefined)
  })
}

const quiet = (): void => {
  for (const timer of timers.splice(0)) clearInterval(timer)
}

const report = (): void => tell(counts.report(said))
const reports = setInterval(report, REPORT_EVERY_MS)

const end = (reason: string, text: string): void => {
  quiet()
  clearInterval(reports)
  report()
  tell({ type: 'ended', name, reason, text })
  session.once('closed', () => process.disconnect?.())
}

process.on('message', (order: Order) => {
  switch (order.do) {
    case 'talk':
      return talk()
    case 'quiet':
      return quiet()
    case 'kick':
      for (let number = 0; number < WARNINGS; number++) lobby.to(order.id).warn(number)
      return session.kick(order.id, { reason: order.reason })
    case 'close':
      clearInterval(reports)
      report()
      void session.close({ reason: order.reason }).then(() => {
        tell({ type: 'ended', name, reason: 'local', text: '' })
        process.disconnect?.()
      })
  }
})
// The director is gone: nobody needs this process any more.
process.on('disconnect', () => process.exit())

function randomColor(): { r: number; g: number; b: number; a: number } {
  return { r: randomInt(256), g: randomInt(256), b: randomInt(256), a: 255 }
}
