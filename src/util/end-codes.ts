// The 32 bits that travel with a DISCONNECT, where we choose them: one table for hosts and sessions. SPEC §9.2, §13.6.

/**
 * Codes that vaiven itself sends as the data of a disconnect. 0 to 255 are vaiven's, 256 and above are yours. Hosts send 0 to 3,
 * sessions all of them. A Godot or C program knows no such table: its 0 says nothing, and its other numbers are its own.
 */
export const EndCode = {
  /** Nothing was said. Godot's kick, and C programs that say no more. */
  none: 0,
  /** No new connections at the moment. A Godot server that closes says 1 as well. */
  refusing: 1,
  /** No free place. */
  full: 2,
  /** The host or the session is closing. */
  closing: 3,
  /** `accept` of the session said no. */
  refused: 4,
  /** The id in the CONNECT is not one, or is taken. */
  badId: 5,
  /** Kicked. */
  kicked: 6,
  /** Not the protocol of this session, or another version of it. */
  dialect: 7,
  /** Too many violations, or a flood. */
  violations: 8,
  /** Connected, but never said hello. */
  helloTimeout: 9,
  /** The server is about to close and only lets its players finish. */
  draining: 10,
  /** The client left by itself. */
  left: 11,
} as const

const WORDS: Readonly<Record<number, string>> = {
  [EndCode.none]: 'no reason given',
  [EndCode.refusing]: 'server takes no new connections',
  [EndCode.full]: 'server full',
  [EndCode.closing]: 'server closing',
  [EndCode.refused]: 'refused',
  [EndCode.badId]: 'id invalid or taken',
  [EndCode.kicked]: 'kicked',
  [EndCode.dialect]: 'another protocol or version',
  [EndCode.violations]: 'too many violations',
  [EndCode.helloTimeout]: 'no hello in time',
  [EndCode.draining]: 'server is closing soon',
  [EndCode.left]: 'left',
}

/** The 32 bits as people read them in messages: `data 0x00000002`. */
export const endCodeAsHex = (data: number): string => `data 0x${data.toString(16).padStart(8, '0')}`

/** A code in words; numbers that are not ours as `data 0x000001f4`. */
export const describeEndCode = (data: number): string => WORDS[data] ?? endCodeAsHex(data)

/** "… refused the connection", with what the other side said (or what its number means), and the number. */
export const refusalInWords = (where: string, data: number, words: string = describeEndCode(data)): string => {
  const bits = endCodeAsHex(data)
  return words === bits || words === '' ? `${where} refused the connection (${bits})` : `${where} refused the connection: "${words}" (${bits})`
}
