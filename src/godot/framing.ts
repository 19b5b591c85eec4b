// Godot's way of saying who speaks, who is meant and who is there, as a Framing of the session: the session's manager,
// roster and relay serve Godot games as they serve our own. No state. SPEC §16.2.

import { isClientId, SERVER_ID } from '../session/ids.ts'
import type { Framing, FramingContext, Packet } from '../session/framing.ts'
import { decodeHeader, decodeSystemMessage, encodeSystemMessage, encodeWithHeader, HEADER_BYTES } from './header.ts'
import { decodePacket, decodeValues, PacketType } from './packets.ts'
import { resolveVariantLimits } from './variant-limits.ts'
import type { ResolvedVariantLimits } from './variant-limits.ts'

/** The name of the dialect, in `JoinRequest.dialect` and wherever else dialects are told apart. */
export const GODOT3 = 'godot3'

/** What may differ from game to game. */
export interface GodotFramingOptions {
  /** The game's `channel_count`, 3 to 255. @default 3 */
  minChannels?: number
  /** Bounds for the values in calls that a server passes on. */
  limits?: ResolvedVariantLimits
}

/**
 * The framing of Godot 3 (3.2 to 3.6).
 *
 * A server passes on only what is whole and within the limits: an engine dies of a value that is nested too deeply, and one
 * with `allow_object_decoding` runs whatever code comes in an object. No client may do that to another.
 */
export const makeGodotFraming = ({ minChannels = 3, limits = resolveVariantLimits() }: GodotFramingOptions = {}): Framing => ({
  name: GODOT3,
  minChannels,
  // Channel 0 belongs to "add peer" and "remove peer"; a server that gets anything else there ignores it.
  systemChannel: 0,
  reliableChannel: 1,
  unreliableChannel: 2,
  firstFreeChannel: 3,
  // A Godot client has joined when ENet says "connected": there are no other words for it.
  handshake: false,
  sets: false,
  // A game throws away what it has not looked at when the goodbye comes in the same poll: six frames apart they are safe.
  goodbyeDelayMs: 100,

  prepare(peer) {
    // ENet lets a client drop unreliable packets by itself when round trips vary, as they do on any WiFi and at a server that
    // answers faster than once per frame. Without deceleration it does not.
    if (peer.state === 'connected') peer.throttleConfigure(THROTTLE_INTERVAL_MS, THROTTLE_ACCELERATION, 0)
  },

  connectData: (id) => id,

  // Our own clients set the highest bit, so that each kind of client is told from the other before anything is promised.
  claimedId: (data) => (isClientId(data) ? data : 0),

  encode({ lane, source, target, payload }, _toServer, _seats) {
    // Lists come only from a server; a game does not look at the target there, so 0 will do.
    const meant = typeof target === 'number' ? target : 0
    return encodeWithHeader(source, meant, lane === 'message' ? rawPacket(payload) : payload)
  },

  encodeSystem(message) {
    return message.kind === 'add' || message.kind === 'remove' ? encodeSystemMessage(message) : null
  },

  decode(channel, bytes, context) {
    return channel === 0 ? decodeSystem(bytes, context) : decodeData(bytes, context, limits)
  },
})

/** The framing with its defaults. */
export const godotFraming: Framing = makeGodotFraming()

/** ENet's own values. */
const THROTTLE_INTERVAL_MS = 5000
const THROTTLE_ACCELERATION = 2

const EMPTY = new Uint8Array(0)

/** Channel 0 speaks from the server to its clients only. */
const decodeSystem = (bytes: Uint8Array, { ownId, linkId }: FramingContext): Packet | null => {
  const message = linkId === SERVER_ID ? decodeSystemMessage(bytes) : null
  if (message === null || !isClientId(message.id)) return null
  const { kind, id } = message
  // There are no seats in Godot: an id stands for itself. Nor are there reasons for leaving.
  const system = kind === 'add' ? { kind, id, seat: id } : { kind, id, seat: id, reason: 'left' as const, data: 0, text: '' }
  return { lane: 'system', scope: 0, source: SERVER_ID, target: ownId, payload: EMPTY, system }
}

const decodeData = (bytes: Uint8Array, { ownId, linkId }: FramingContext, limits: ResolvedVariantLimits): Packet | null => {
  const header = decodeHeader(bytes)
  // Behind the header comes a packet of at least one byte, or two if it is a raw one.
  if (header === null || bytes.length < HEADER_BYTES + 1) return null
  const raw = bytes[HEADER_BYTES] === PacketType.raw
  if (raw && bytes.length < HEADER_BYTES + 2) return null
  const { source } = header
  const fromServer = linkId === SERVER_ID
  // Whoever is connected to us speaks for itself only; our server speaks for everybody.
  if (fromServer ? source !== SERVER_ID && !isClientId(source) : source !== linkId) return null
  const packet = bytes.subarray(HEADER_BYTES)
  // What is for us alone is looked at where it is used, after asking who may call.
  if (!fromServer && !raw && header.target !== SERVER_ID && !isHarmless(packet, limits)) return null
  return {
    lane: raw ? 'message' : 'rpc',
    scope: 0,
    source,
    target: fromServer ? ownId : header.target,
    payload: raw ? packet.subarray(1) : packet,
    system: null,
  }
}

/** Whether a packet may be passed on to a game: whole, of a known kind, its values within bounds and without objects. */
const isHarmless = (bytes: Uint8Array, limits: ResolvedVariantLimits): boolean => {
  const result = decodePacket(bytes)
  if (!result.ok) return false
  const { packet } = result
  return (packet.type !== 'call' && packet.type !== 'set') || decodeValues(packet, limits).ok
}

/** Also for no bytes at all, which a Godot game drops: a relay cannot ask the sender to say something else. */
const rawPacket = (payload: Uint8Array): Uint8Array => {
  const packet = new Uint8Array(payload.length + 1)
  packet[0] = PacketType.raw
  packet.set(payload, 1)
  return packet
}
