// The smallest adapter: `npm run properties -- --with build/test/laws/example.js`. Replace `Host` by your own.

import { Host } from '../../src/transport/core/host.ts'
import type { Implementation } from './implementation.ts'

const example: Implementation = {
  name: 'example',
  quick: true,
  open: ({ seed, mtu, checksum, compression }) => new Host({ seed, mtu, checksum, compression, connectTimeoutMs: 60_000 }),
}

export default example
