// Why somebody is gone: the reasons that programs see, and the table of 32-bit codes that travel. SPEC §13.6.

import type { EndReason } from '../transport/types.ts'

/** Why a peer left a session, or why our own session ended. */
export type LeaveReason =
  /** It said goodbye. */
  | 'left'
  /** The server removed it. */
  | 'kicked'
  /** It stopped answering. */
  | 'timeout'
  /** The server closed the session. */
  | 'closed'
  /** It (or the server) broke the protocol. */
  | 'protocol-error'
  /** The server never let us in. */
  | 'refused'

/** The order is the wire's: a REMOVE carries the index. */
export const LEAVE_REASONS: readonly LeaveReason[] = ['left', 'kicked', 'timeout', 'closed', 'protocol-error', 'refused']

/** How something ended: the kind, the 32-bit code behind it, and words where there were any. */
export interface Ending {
  readonly reason: LeaveReason
  /** One of `EndCode`, or a number of the application's own from 256 on. */
  readonly data: number
  /** What the other side said about it; may be empty. At most 256 bytes of UTF-8. */
  readonly text: string
}

/** The 32-bit data of a DISCONNECT between sessions. 0 to 255 are ours; 256 and above belong to applications. */
export const EndCode = {
  /** Nothing was said. Godot's kick, and C programs that say no more. */
  none: 0,
  /** The server takes no newcomers at the moment. As the transport's own code; a Godot server that closes says 1 as well. */
  refusing: 1,
  /** No free place. As the transport's own code. */
  full: 2,
  /** The server closed the session. As the transport's own code. */
  closed: 3,
  /** `accept` said no. */
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

const WORDS: Record<number, string> = {
  [EndCode.none]: 'no reason given',
  [EndCode.closed]: 'server closed',
  [EndCode.full]: 'server full',
  [EndCode.refusing]: 'server takes no new connections',
  [EndCode.refused]: 'refused',
  [EndCode.badId]: 'id invalid or taken',
  [EndCode.kicked]: 'kicked',
  [EndCode.dialect]: 'another protocol or version',
  [EndCode.violations]: 'too many violations',
  [EndCode.helloTimeout]: 'no hello in time',
  [EndCode.draining]: 'server is closing soon',
  [EndCode.left]: 'left',
}

/** The code of an ending in words. */
export const describeEndCode = (data: number): string => WORDS[data] ?? `code ${data}`

/**
 * What the end of a transport connection means to the session that stays.
 * @param data what the other side said, if it did
 * @param server the other side is the server: it does not leave, it closes
 */
export const endingOf = (transport: EndReason, data: number, text: string, server: boolean): Ending => {
  switch (transport) {
    case 'timeout':
    case 'connect-timeout':
      return { reason: 'timeout', data, text }
    case 'refused':
      return { reason: 'refused', data, text: text || describeEndCode(data) }
    case 'protocol-error':
      return { reason: 'protocol-error', data, text }
    case 'local':
    case 'host-closed':
    case 'remote':
      break
  }
  if (data === EndCode.kicked || data === EndCode.violations) return { reason: 'kicked', data, text: text || describeEndCode(data) }
  if (data === EndCode.refused) return { reason: 'refused', data, text: text || describeEndCode(data) }
  if (data === EndCode.dialect || data === EndCode.helloTimeout) {
    return { reason: 'protocol-error', data, text: text || describeEndCode(data) }
  }
  return { reason: server ? 'closed' : 'left', data, text }
}
