// Opens hosts of either kind with the same options, and connects two of them in a world of their own.

import type { PathConditions } from '../../../src/transport/simulator/conditions.ts'
import { openOurs } from './ours.ts'
import type { AnyHost, AnyOptions, AnyPeer, Kind } from './any.ts'
import { OracleHost } from './oracle.ts'
import { World } from './world.ts'
import type { Station } from './world.ts'

/** Who plays the client, who the server. */
export interface Roles {
  readonly client: Kind
  readonly server: Kind
  /** For test names: "our client, C server". */
  readonly title: string
}

/**
 * The two ways to meet the C library. With VAIVEN_INTEROP=c every scenario runs C against C instead: a scenario that fails
 * then says something about the scenario, not about us.
 */
export const bothWays: readonly Roles[] =
  process.env['VAIVEN_INTEROP'] === 'c'
    ? [{ client: 'c', server: 'c', title: 'C client, C server' }]
    : [
        { client: 'ours', server: 'c', title: 'our client, C server' },
        { client: 'c', server: 'ours', title: 'C client, our server' },
      ]

const open: OracleHost[] = []

/** A host of the kind asked for. C hosts live until `closeHosts`. */
export const openHost = (kind: Kind, options: AnyOptions = {}): AnyHost => {
  if (kind === 'ours') return openOurs(options)
  const host = new OracleHost(options)
  open.push(host)
  return host
}

/** Ends the processes of all C hosts: for `t.afterEach`. */
export const closeHosts = (): void => {
  for (const host of open.splice(0)) host.close()
}

/** What two hosts and the way between them should be like. */
export interface PairOptions {
  conditions?: PathConditions
  seed?: number
  both?: AnyOptions
  clientOptions?: AnyOptions
  serverOptions?: AnyOptions
  /** Asked for in the connect. @default 4 */
  channels?: number
  data?: number
  /** When the world's clock begins, ms. */
  startMs?: number
}

/** Two hosts that are connected. */
export interface Pair {
  readonly world: World
  readonly client: Station
  readonly server: Station
  /** The connection as the client sees it. */
  readonly clientPeer: AnyPeer
  readonly serverPeer: AnyPeer
}

/** Two hosts in a world, not connected yet. */
export const unconnectedPair = (roles: Roles, options: PairOptions = {}): { world: World; client: Station; server: Station } => {
  const { seed = 1, conditions = { latencyMs: 10 }, both = {} } = options
  const world = new World(seed, conditions, options.startMs)
  const client = world.add('client', openHost(roles.client, { seed: seed + 1, ...both, ...options.clientOptions }))
  const server = world.add('server', openHost(roles.server, { seed: seed + 2, ...both, ...options.serverOptions }))
  return { world, client, server }
}

/** Two hosts that both know of their connection. */
export const connectedPair = (roles: Roles, options: PairOptions = {}): Pair => {
  const { world, client, server } = unconnectedPair(roles, options)
  const clientPeer = client.host.connect(server.address, { channels: options.channels ?? 4, data: options.data ?? 0 })
  const isUp = (): boolean => client.of('connect').length > 0 && server.of('connect').length > 0
  if (!world.runUntil(isUp, 40_000)) {
    throw new Error(`no connection after 40 s: client ${client.events.map((e) => e.type)}, server ${server.events.map((e) => e.type)}`)
  }
  return { world, client, server, clientPeer, serverPeer: server.peer }
}
