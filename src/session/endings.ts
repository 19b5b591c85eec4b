// Why somebody is gone: the reasons that programs see, and what they follow from. SPEC §13.6.

import type { EndReason } from '../transport/types.ts'
import { describeEndCode, EndCode } from '../util/end-codes.ts'

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
