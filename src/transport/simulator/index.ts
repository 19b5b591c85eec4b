// Public face of the simulator: `vaiven/simulator`.

export type { TraceEvent } from './carrier.ts'
export type {
  Blackout, BurstLoss, Conditions, ConditionsOverTime, PathConditions, Timeline, TimelineStep, TwoWay,
} from './conditions.ts'
export { ImpairedEndpoint } from './impaired-endpoint.ts'
export { Link } from './link.ts'
export type { Arrival, DropCause, LinkLedger, LinkOptions } from './link.ts'
export { Network } from './network.ts'
export type { NetworkOptions, NodeRef } from './network.ts'
export type { NetworkNode, NodeOptions } from './node.ts'
export { profiles } from './profiles.ts'
export type { Profile, ProfileName } from './profiles.ts'
