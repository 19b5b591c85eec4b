// Godot's way of saying who speaks, who is meant and who is there, as a Framing of the session: the session's manager,
// roster and relay serve Godot games as they serve our own. No state. SPEC §16.2.

import { isClientId, SERVER_ID } from '../session/ids.ts'
import type { Framing, FramingContext, Packet } from '../session/framing.ts'
import { decodeHeader, decodeSystemMessage, encodeSystemMessage, encodeWithHeader, HEADER_BYTES } from './header.ts'
import { PacketType } from './packets.ts'

/** The name of the dialect, in `JoinRequest.dialect` and wherever else dialects are told apart. */
export const GODOT3 = 'godot3'

/** The framing of Godot 3 (3.2 to 3.6). */
export const godotFraming: Framing = {
  name: GODOT3,
  minChannels: 3,
  // Channel 0 belongs to "add peer" and "remove peer"; a server that gets anything else there ignores it.
  systemChannel: 0,
  reliableChannel: 1,
  unreliableChannel: 2,
  firstFreeChannel: 3,
  // A Godot client has joined when ENet says "connected": there are no other words for it.
  handshake: false,

  connectData: (id) => id,

  // Our own clients set the highest bit, so that each kind of client is told from the other before anything is promised.
  claimedId: (data) => (isClientId(data) ? data : 0),

  encode({ lane, source, target, payload }, _toServer, _seats) {
    // A client of Godot does not look at the target, and a set has no number: 0 will do there.
    const meant = typeof target === 'number' ? target : 0
    return encodeWithHeader(source, meant, lane === 'message' ? rawPacket(payload) : payload)
  },

  encodeSystem(message) {
    return message.kind === 'add' || message.kind === 'remove' ? encodeSystemMessage(message) : null
  },

  decode(channel, bytes, context) {
    return channel === 0 ? decodeSystem(bytes, context) : decodeData(bytes, context)
  },
}

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

const decodeData = (bytes: Uint8Array, { ownId, linkId }: FramingContext): Packet | null => {
  const header = decodeHeader(bytes)
  // Behind the header comes a packet of at least one byte, or two if it is a raw one.
  if (header === null || bytes.length < HEADER_BYTES + 1) return null
  const raw = bytes[HEADER_BYTES] === PacketType.raw
  if (raw && bytes.length < HEADER_BYTES + 2) return null
  const { source } = header
  const fromServer = linkId === SERVER_ID
  // Whoever is connected to us speaks for itself only; our server speaks for everybody.
  if (fromServer ? source !== SERVER_ID && !isClientId(source) : source !== linkId) return null
  return {
    lane: raw ? 'message' : 'rpc',
    scope: 0,
    source,
    target: fromServer ? ownId : header.target,
    payload: bytes.subarray(HEADER_BYTES + (raw ? 1 : 0)),
    system: null,
  }
}

/** Also for no bytes at all, which a Godot game drops: a relay cannot ask the sender to say something else. */
const rawPacket = (payload: Uint8Array): Uint8Array => {
  const packet = new Uint8Array(payload.length + 1)
  packet[0] = PacketType.raw
  packet.set(payload, 1)
  return packet
}
