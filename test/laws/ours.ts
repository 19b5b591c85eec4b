// Our own host under the laws.

import { Host } from '../../src/transport/core/host.ts'
import type { Implementation } from './implementation.ts'

export const ours: Implementation = {
  name: 'vaiven',
  quick: true,
  open: ({ seed, mtu, checksum, compression }) => new Host({ seed, mtu, checksum, compression, connectTimeoutMs: 60_000 }),
}
