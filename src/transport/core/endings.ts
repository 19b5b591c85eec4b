// The 32 bits that travel with a DISCONNECT, where we choose them. SPEC §9.

/** Codes that vaiven itself sends as disconnect data. Applications may send any other number. */
export const EndCode = {
  /** No reason given. */
  none: 0,
  /** The host takes no new connections at the moment. */
  refusing: 1,
  /** All slots are taken. */
  full: 2,
  /** The host is closing. */
  closing: 3,
} as const

/** A code in words, for messages to people. */
export const describeEndCode = (data: number): string => {
  switch (data) {
    case EndCode.none:
      return 'no reason given'
    case EndCode.refusing:
      return 'not taking new connections'
    case EndCode.full:
      return 'server full'
    case EndCode.closing:
      return 'server closing'
    default:
      return `data 0x${data.toString(16).padStart(8, '0')}`
  }
}
