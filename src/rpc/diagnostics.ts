// Calls, for tools: diagnostics channels that are free while nobody listens.

import { channel } from 'node:diagnostics_channel'
import type { Channel } from 'node:diagnostics_channel'

/** `vaiven:rpc.call` and `vaiven:rpc.set`: a handler is about to run, `{ sender, node, method | property, local }`. */
const channels = {
  call: channel('vaiven:rpc.call'),
  set: channel('vaiven:rpc.set'),
} satisfies Record<string, Channel>

/** Publishes a happening if anybody listens. */
export const observe = (name: keyof typeof channels, message: Readonly<Record<string, unknown>>): void => {
  const target: Channel = channels[name]
  if (target.hasSubscribers) target.publish(message)
}
