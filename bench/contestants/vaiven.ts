// Ours, with the options of a fair comparison: the MTU of C ENet. Everything else is the default.

import { createHost } from '../../src/transport/index.ts'
import type { Contestant } from '../lib/contestant.ts'

const OPTIONS = { host: '127.0.0.1', mtu: 1400 } as const

export default {
  name: 'vaiven',
  about: 'this package, MTU 1400, otherwise default options',
  async listen({ peers }, onMessage) {
    const host = await createHost({ ...OPTIONS, maxPeers: peers })
    host.on('receive', (peer, _channel, bytes) => onMessage(bytes, (answer) => void peer.send(0, answer, 'reliable')))
    return {
      port: host.address.port,
      peers: () => [...host.peers].length,
      datagrams: () => ({ sent: host.stats.datagramsSent, received: host.stats.datagramsReceived }),
      close: () => host.close(),
    }
  },
  async connect(port, onMessage) {
    const host = await createHost({ ...OPTIONS, client: true, maxPeers: 1 })
    const peer = await host.connect({ host: '127.0.0.1', port, channels: 2 })
    host.on('receive', (_peer, _channel, bytes) => onMessage(bytes))
    return {
      send: (bytes) => void peer.send(0, bytes, 'reliable'),
      flush: () => host.flush(),
      datagrams: () => ({ sent: host.stats.datagramsSent, received: host.stats.datagramsReceived }),
      close: () => host.close({ timeoutMs: 500 }),
    }
  },
} satisfies Contestant
