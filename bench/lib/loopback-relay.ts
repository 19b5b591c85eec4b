// The impairment relay before a program of this machine, the same conditions both ways: for benches and interoperability tests.

import { ImpairRelay } from '../../src/cli/impair-relay.ts'
import type { RelayOptions } from '../../src/cli/impair-relay.ts'
import type { Conditions } from '../../src/transport/simulator/index.ts'

/** How the relay treats datagrams, in either direction. */
export interface LoopbackRelaySettings extends Pick<RelayOptions, 'seed' | 'maxClients' | 'precise'> {
  readonly conditions: Conditions
}

/** Opens a relay to 127.0.0.1:`port`, on a port of its own. */
export const openLoopbackRelay = (port: number, { conditions, ...settings }: LoopbackRelaySettings): Promise<ImpairRelay> =>
  ImpairRelay.open({
    ...settings, listen: { host: '127.0.0.1', port: 0 }, to: { address: '127.0.0.1', port }, conditions: { to: conditions, from: conditions },
  })
