// `vaiven echo`: an ENet server that sends each packet back as it came.

import { createHost, displayAddress, VaivenError } from '../transport/index.ts'
import type { Delivery, Peer } from '../transport/index.ts'
import { integer, noPositionals, runCommand } from './arguments.ts'
import { Exit } from './io.ts'
import type { Io } from './io.ts'
import { aborted, bytes, plural, Printer } from './output.ts'

export const help = `usage: vaiven echo [OPTIONS]

An ENet server that sends every packet back on its channel, with the delivery that it came with. Clients with
and without CRC-32 checksum and range coder are served side by side. Ends with Ctrl-C: peers are told.

  --host ADDRESS   bind to this address            (default: all, IPv4 and IPv6)
  --port N         UDP port, 0 for any free one    (default: 7777)
  --peers N        most peers at once, 1 to 4095   (default: 64)
  --channels N     most channels, 1 to 255         (default: 255)
  --mtu N          largest datagram, 576 to 4096   (default: 1200)
  --json           one JSON object per line: listening, connect, disconnect, diagnostic, summary

Exit code: 0 ended by Ctrl-C, 1 the socket could not be opened, 2 wrong usage.

example: vaiven echo --port 7777
`

const OPTIONS = {
  host: { type: 'string' },
  port: { type: 'string' },
  peers: { type: 'string' },
  channels: { type: 'string' },
  mtu: { type: 'string' },
  json: { type: 'boolean' },
} as const

/** Runs until the signal fires. @returns the exit code */
export const run = (args: string[], io: Io): Promise<number> =>
  runCommand('echo', help, OPTIONS, args, io, async ({ values, positionals }) => {
    noPositionals(positionals)
    const out = new Printer(io, values.json)
    const host = await createHost({
      ...(values.host === undefined ? {} : { host: values.host }),
      port: integer('port', values.port, 0, 65_535, 7777),
      maxPeers: integer('peers', values.peers, 1, 4095, 64),
      channels: integer('channels', values.channels, 1, 255, 255),
      mtu: integer('mtu', values.mtu, 576, 4096, 1200),
    })
    const startedAt = performance.now()
    const packets: Record<Delivery, number> = { reliable: 0, unreliable: 0, unsequenced: 0 }
    let connections = 0
    let packetBytes = 0
    let notEchoed = 0
    let retransmissions = 0

    host.on('connect', (peer, data) => {
      connections += 1
      const channels = peer.channelCount
      out.line('connect', { ...who(peer), channels, data }, `${name(peer)} connected: ${plural(channels, 'channel')}, data ${data}`)
    })
    host.on('receive', (peer, channel, packet, delivery) => {
      packets[delivery] += 1
      packetBytes += packet.length
      try {
        peer.send(channel, packet, delivery)
      } catch (error) {
        // A peer that sends without ever acknowledging fills its queue; one that is leaving takes nothing more.
        if (!(error instanceof VaivenError)) throw error
        notEchoed += 1
      }
    })
    host.on('disconnect', (peer, { reason, data }) => {
      retransmissions += peer.stats.retransmissions
      out.line('disconnect', { ...who(peer), reason, data }, `${name(peer)} left: ${reason}, data ${data}`)
    })
    host.on('diagnostic', ({ code, message }) => out.line('diagnostic', { code, message }, `note: ${message}`))

    const { address, port } = host.address
    out.line('listening', { host: address, port }, `listening on ${displayAddress(address, port)}`)
    await aborted(io.signal)
    await host.close({ timeoutMs: 1_000 })

    const { datagramsSent, datagramsReceived, bytesSent, bytesReceived, stalledMs } = host.stats
    const traffic = { datagramsSent, datagramsReceived, bytesSent, bytesReceived, retransmissions, stalledMs }
    const total = packets.reliable + packets.unreliable + packets.unsequenced
    const seconds = Math.round(performance.now() - startedAt) / 1000
    out.line(
      'summary',
      { seconds, connections, packets: total, ...packets, packetBytes, notEchoed, ...traffic },
      `\n${plural(connections, 'connection')} and ${plural(total, 'packet')} (${bytes(packetBytes)}) in ${seconds} s: ` +
        `${packets.reliable} reliable, ${packets.unreliable} unreliable, ${packets.unsequenced} unsequenced\n` +
        `received ${bytes(bytesReceived)} in ${plural(datagramsReceived, 'datagram')}, sent ${bytes(bytesSent)} in ${datagramsSent}; ` +
        `${retransmissions} repeated`,
    )
    return Exit.ok
  })

const name = (peer: Peer): string => displayAddress(peer.address, peer.port)

const who = (peer: Peer) => ({ peer: peer.id, host: displayAddress(peer.address), port: peer.port })
