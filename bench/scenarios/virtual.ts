// All scenarios of virtual time in a row.

import type { Settings, Table } from '../lib/report.ts'
import { enetInVirtualTime, ours } from '../lib/virtual.ts'
import type { VirtualContestant } from '../lib/virtual.ts'
import { bottleneck } from './bottleneck.ts'
import { calls } from './calls.ts'
import { connecting, idlePeers } from './connections.ts'
import { gameTick } from './game-tick.ts'
import { bytesOnWire, headOfLine, latencyAgainstLoss } from './latency-loss.ts'

export const OURS: VirtualContestant = ours('vaiven', 'default options')
const REDUNDANT: VirtualContestant = ours('vaiven +copies', "redundancy: 'auto'", { redundancy: 'auto' })

export const virtual = async (settings: Settings): Promise<{ tables: Table[]; missing: string | null }> => {
  const enet = await enetInVirtualTime()
  const both = enet === null ? [OURS] : [OURS, enet]
  const all = enet === null ? [OURS, REDUNDANT] : [OURS, REDUNDANT, enet]
  const tables = [
    ...latencyAgainstLoss(all, settings),
    headOfLine(both, settings),
    bottleneck(both, settings),
    ...gameTick([OURS], settings),
    connecting(both, settings),
    await calls(settings),
    bytesOnWire(all, settings),
    idlePeers(settings),
  ]
  return { tables, missing: enet === null ? 'C ENet is not installed (libenet-dev, a C compiler, Linux)' : null }
}
