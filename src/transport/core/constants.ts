// Every number of the protocol, with its name in C ENet where it has one. SPEC §2 and §12.

/** ENET_PROTOCOL_MINIMUM_MTU, ENET_PROTOCOL_MAXIMUM_MTU. An MTU counts UDP payload bytes, without a checksum. */
export const MIN_MTU = 576
export const MAX_MTU = 4096
/** Ours; C ENet's ENET_HOST_DEFAULT_MTU is 1400, or 1392 since 1.3.18. Larger datagrams die in VPNs and tunnels. */
export const DEFAULT_MTU = 1200

/** ENET_PROTOCOL_MAXIMUM_PACKET_COMMANDS: what C senders put into a datagram at most. */
export const MAX_COMMANDS_SENT = 32
/** What we read from one datagram at most: bounds the work that a stranger's datagram can cause. */
export const MAX_COMMANDS_RECEIVED = 300

/** ENET_PROTOCOL_MINIMUM_WINDOW_SIZE, ENET_PROTOCOL_MAXIMUM_WINDOW_SIZE. */
export const MIN_WINDOW_BYTES = 4096
export const MAX_WINDOW_BYTES = 65536
/** ENET_PEER_WINDOW_SIZE_SCALE: bandwidth that one minimum window stands for. */
export const WINDOW_SCALE = 65536

/** ENET_PROTOCOL_MINIMUM_CHANNEL_COUNT, ENET_PROTOCOL_MAXIMUM_CHANNEL_COUNT; 0xFF is the peer itself. */
export const MIN_CHANNELS = 1
export const MAX_CHANNELS = 255
export const PEER_CHANNEL = 0xff

/** ENET_PROTOCOL_MAXIMUM_PEER_ID: "no peer" in a header. */
export const NO_PEER = 0xfff
/** Peer numbers are 0 to 0xFFE. */
export const MAX_PEERS = 4095

/** ENET_PROTOCOL_MAXIMUM_FRAGMENT_COUNT: what the format allows. */
export const MAX_FRAGMENTS_FORMAL = 1_048_576
/** What every receiver can complete (SPEC §5.6). */
export const MAX_FRAGMENTS = 24_576
/** ENET_HOST_DEFAULT_MAXIMUM_PACKET_SIZE. */
export const MAX_PACKET_BYTES = 32 * 1024 * 1024

/** ENET_PEER_RELIABLE_WINDOW_SIZE, ENET_PEER_RELIABLE_WINDOWS, ENET_PEER_FREE_RELIABLE_WINDOWS - 1. */
export const RELIABLE_WINDOW = 4096
export const RELIABLE_WINDOWS = 16
export const ACCEPTED_WINDOWS = 7

/** Header word. */
export const HEADER_SENT_TIME = 0x8000
export const HEADER_COMPRESSED = 0x4000
export const HEADER_SESSION_SHIFT = 12

/** Command byte. */
export const FLAG_ACKNOWLEDGE = 0x80
export const FLAG_UNSEQUENCED = 0x40

/** Command numbers: the low four bits of the command byte. */
export const Command = {
  acknowledge: 1,
  connect: 2,
  verifyConnect: 3,
  disconnect: 4,
  ping: 5,
  sendReliable: 6,
  sendUnreliable: 7,
  sendFragment: 8,
  sendUnsequenced: 9,
  bandwidthLimit: 10,
  throttleConfigure: 11,
  sendUnreliableFragment: 12,
} as const

/** Fixed bytes of each command by number; 0 for what is not a command. */
export const COMMAND_BYTES: readonly number[] = [0, 8, 48, 44, 8, 4, 6, 8, 24, 8, 12, 16, 24, 0, 0, 0]

/** ENET_PEER_DEFAULT_ROUND_TRIP_TIME. */
export const DEFAULT_ROUND_TRIP_MS = 500
/** ENET_PEER_PING_INTERVAL. */
export const DEFAULT_PING_INTERVAL_MS = 500
/** ENET_PEER_TIMEOUT_LIMIT, ENET_PEER_TIMEOUT_MINIMUM, ENET_PEER_TIMEOUT_MAXIMUM. */
export const DEFAULT_TIMEOUT_LIMIT = 32
export const DEFAULT_TIMEOUT_MINIMUM_MS = 5_000
export const DEFAULT_TIMEOUT_MAXIMUM_MS = 30_000

/** ENET_PEER_PACKET_THROTTLE_SCALE, _COUNTER, _ACCELERATION, _DECELERATION, _INTERVAL. */
export const THROTTLE_SCALE = 32
export const THROTTLE_COUNTER = 7
export const DEFAULT_THROTTLE_ACCELERATION = 2
export const DEFAULT_THROTTLE_DECELERATION = 2
export const DEFAULT_THROTTLE_INTERVAL_MS = 5_000

/** ENET_HOST_BANDWIDTH_THROTTLE_INTERVAL. */
export const BANDWIDTH_INTERVAL_MS = 1_000
