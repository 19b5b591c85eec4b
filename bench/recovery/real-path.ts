// The bad network between two programs of the real-time comparison: the impairment relay, and, where the programs find each other
// by WebRTC's offers and candidates, a signalling connection in between that gives away the relay's address instead of theirs.

import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { once } from 'node:events'
import type { ImpairRelay } from '../../src/cli/impair-relay.ts'
import { openLoopbackRelay } from '../lib/loopback-relay.ts'
import type { LoopbackRelaySettings } from '../lib/loopback-relay.ts'

/** A path that stands. */
export interface RealPath {
  /** Where the client must go instead of to the server. */
  readonly port: number
  close(): Promise<void>
}

/** How the path treats datagrams, the same both ways. */
export type RelaySettings = Omit<LoopbackRelaySettings, 'maxClients'>

const openRelay = (port: number, settings: RelaySettings): Promise<ImpairRelay> => openLoopbackRelay(port, { ...settings, maxClients: 4 })

/** A path to a server's UDP port. */
export const udpPath = async (port: number, settings: RelaySettings): Promise<RealPath> => {
  const relay = await openRelay(port, settings)
  return { port: relay.address.port, close: () => relay.close() }
}

/** `candidate:… UDP 2114977791 127.0.0.1 41234 typ host`: the port. */
const CANDIDATE = /(candidate:\S+ \d+ UDP \d+ 127\.0\.0\.1) (\d+) (typ host)/gi

/**
 * A path to a server that signals over TCP with JSON lines of `sdp` and `candidate` (bench/peers/contestants/datachannel.js). The
 * client hears of the relay only, the server of no candidate at all: it learns the relay's address from the datagrams that come.
 */
export const signalledPath = async (port: number, settings: RelaySettings): Promise<RealPath> => {
  let relay: Promise<ImpairRelay> | null = null
  const sockets: Socket[] = []
  const disguised = async (line: string): Promise<string> => {
    for (const [, , own] of line.matchAll(CANDIDATE)) relay ??= openRelay(Number(own), settings)
    if (relay === null) return line
    const { address } = await relay
    return line.replace(CANDIDATE, (_all, before: string, _port, after: string) => `${before} ${address.port} ${after}`)
  }
  const server = createServer((client) => {
    const target = connect(port, '127.0.0.1')
    sockets.push(client, target)
    for (const socket of [client, target]) socket.on('error', () => {})
    createInterface({ input: client }).on('line', (line) => {
      const { candidate, sdp } = JSON.parse(line) as { candidate?: string; sdp?: string }
      // Candidates within the offer are taken out as well.
      if (candidate === undefined) target.write(`${JSON.stringify({ ...JSON.parse(line), sdp: sdp?.replace(/a=candidate.*\r?\n/g, '') })}\n`)
    })
    // One after the other: an answer must not be overtaken by its candidates.
    let last = Promise.resolve()
    createInterface({ input: target }).on('line', (line) => {
      last = last.then(async () => void client.write(`${await disguised(line)}\n`))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await (await relay)?.close()
    },
  }
}
