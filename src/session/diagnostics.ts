// What happens, for tools: one diagnostics channel per kind of happening. Free while nobody listens.

import { channel } from 'node:diagnostics_channel'
import type { Channel } from 'node:diagnostics_channel'

/**
 * The channels of a session: `vaiven:session.<name>`.
 *
 * | name | message |
 * |---|---|
 * | `joined`, `left` | client: `{ session, id, reason?, data?, text? }` |
 * | `peer-joined`, `peer-left` | server: `{ session, id, … }` |
 * | `peer-refused` | server: `{ session, id, data, text }` |
 * | `violation` | `{ session, peer, kind, node?, method?, count }` |
 */
const channels = {
  joined: channel('vaiven:session.joined'),
  left: channel('vaiven:session.left'),
  'peer-joined': channel('vaiven:session.peer-joined'),
  'peer-left': channel('vaiven:session.peer-left'),
  'peer-refused': channel('vaiven:session.peer-refused'),
  violation: channel('vaiven:session.violation'),
} satisfies Record<string, Channel>

/** Publishes a happening if anybody listens. */
export const observe = (name: keyof typeof channels, message: Readonly<Record<string, unknown>>): void => {
  const target: Channel = channels[name]
  if (target.hasSubscribers) target.publish(message)
}
