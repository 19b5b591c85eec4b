// Rules that lose datagrams by the ENet commands in them: `channel=2`, `command=ack,direction=from,ratio=50%`. A datagram is lost
// whole, as on any network: a network that cut single commands out would break promises that no real one breaks.

import { randomInt } from 'node:crypto'
import { describeDatagram } from '../transport/index.ts'
import { UsageError } from './arguments.ts'
import { ratio } from './impair-settings.ts'

export const DROPS_HELP = `RULE names what a datagram must carry to be lost, as NAME=VALUE joined by commas:
  channel=N        a command on this channel (255: the connection itself)
  command=NAME     ack, connect, verify, disconnect, ping, reliable, unreliable, fragment, unreliable-fragment,
                   unsequenced, bandwidth, throttle
  only             every command of the datagram, not just one
  direction=to|from   only towards the target, or only back
  ratio=PERCENT    not always                       count=N   only the first N`

/** Losing by content. One rule for all clients of a relay. */
export interface DropRule {
  /** As it was written. */
  readonly text: string
  /** Datagrams that it has taken so far. */
  readonly dropped: number
  /** Whether this datagram is to be lost. Counts it. */
  takes(bytes: Uint8Array, direction: 'to' | 'from'): boolean
}

/** Short names, beside the full ones of `describeDatagram`. */
const COMMANDS: Readonly<Record<string, string>> = {
  ack: 'ACKNOWLEDGE', acknowledge: 'ACKNOWLEDGE', connect: 'CONNECT', verify: 'VERIFY_CONNECT', verifyconnect: 'VERIFY_CONNECT',
  disconnect: 'DISCONNECT', ping: 'PING', reliable: 'SEND_RELIABLE', unreliable: 'SEND_UNRELIABLE', fragment: 'SEND_FRAGMENT',
  unreliablefragment: 'SEND_UNRELIABLE_FRAGMENT', unsequenced: 'SEND_UNSEQUENCED',
  bandwidth: 'BANDWIDTH_LIMIT', throttle: 'THROTTLE_CONFIGURE',
}

/** @param unit a number from 0 to less than 1 for each datagram that fits @throws UsageError */
export const dropRule = (text: string, unit: () => number = () => randomInt(2 ** 32) / 2 ** 32): DropRule => {
  let channel: number | null = null
  let command: string | null = null
  let only = false
  let direction: string | null = null
  let share = 1
  let left = Infinity
  for (const part of text.split(',')) {
    const [name = '', value = ''] = part.trim().split('=')
    if (name === 'channel') channel = whole(name, value, 0, 255)
    else if (name === 'command') command = commandNamed(value)
    else if (name === 'only' && value === '') only = true
    else if (name === 'direction' && (value === 'to' || value === 'from')) direction = value
    else if (name === 'ratio') share = ratio(value)
    else if (name === 'count') left = whole(name, value, 1, 1e9)
    else throw new UsageError(`"${part}" in --drop ${text} makes no sense; a rule looks like channel=2 or ` +
      `command=ack,direction=from,ratio=50%`)
  }
  if (channel === null && command === null) throw new UsageError(`--drop ${text} names neither channel= nor command=; for plain loss ` +
    `there is loss=`)
  let dropped = 0
  return {
    text,
    get dropped() {
      return dropped
    },
    takes(bytes, way) {
      if (left === 0 || (direction !== null && direction !== way)) return false
      const { commands } = describeDatagram(bytes)
      const fits = (each: (typeof commands)[number]): boolean =>
        (channel === null || each.fields['channel'] === channel) && (command === null || each.name === command)
      if (commands.length === 0 || !(only ? commands.every(fits) : commands.some(fits))) return false
      if (share < 1 && unit() >= share) return false
      left -= 1
      dropped += 1
      return true
    },
  }
}

const commandNamed = (value: string): string => {
  const found = COMMANDS[value.toLowerCase().replaceAll(/[-_]/g, '').replace(/^send/, '')]
  if (found === undefined) throw new UsageError(`there is no command "${value}"; there are ${Object.keys(COMMANDS).join(', ')}`)
  return found
}

const whole = (name: string, text: string, min: number, max: number): number => {
  const value = /^\d+$/.test(text) ? Number(text) : NaN
  if (!(value >= min && value <= max)) throw new UsageError(`${name}= in a --drop rule must be an integer from ${min} to ${max}`)
  return value
}
