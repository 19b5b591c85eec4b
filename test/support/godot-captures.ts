// The captured datagrams of Godot engines, taken apart down to the packets of the MultiplayerAPI; and those packets in the
// words in which the recording described them.

import { readFileSync } from 'node:fs'
import { Command, HEADER_COMPRESSED, HEADER_SENT_TIME } from '../../src/transport/core/constants.ts'
import { CommandRecord, decodeCommand, u16 } from '../../src/transport/core/wire.ts'
import type { Compressor } from '../../src/transport/types.ts'
import { decodeHeader, decodeSystemMessage } from '../../src/godot/header.ts'
import { decodePacket, decodeValues } from '../../src/godot/packets.ts'
import { Color, Float, Vector2 } from '../../src/godot/variant.ts'
import type { Variant } from '../../src/godot/variant.ts'
import { fromHex } from './captures.ts'

const folder = new URL('../../../test/fixtures/godot/', import.meta.url)

/** Names of the captures, without those of the compressed sessions. */
export const PLAIN_CAPTURES = ['talk', 'trio', 'extras', 'kick', 'shutdown', 'refuse', 'connect-fail'] as const

/** One UDP payload that an engine sent. */
export interface GodotDatagram {
  /** File and position. */
  readonly where: string
  readonly timeMs: number
  /** `c1>s`, `s>c1`, … */
  readonly direction: string
  readonly bytes: Uint8Array
  /** The recorded rendering. */
  readonly decoded: string
  /** Bytes of the commands on the wire and in the clear; null when the datagram is not compressed. */
  readonly compressed: { readonly wireBytes: number; readonly plainBytes: number } | null
}

/** All datagrams of one capture (`talk`, `fastlz`, …), in order. */
export const readGodotCapture = (name: string): GodotDatagram[] => {
  const entries = JSON.parse(readFileSync(new URL(`godot3-${name}.json`, folder), 'utf8')) as {
    t_ms: number
    dir: string
    hex: string
    decoded: string
  }[]
  return entries.map(({ t_ms, dir, hex, decoded }, index) => {
    const sizes = /COMPRESSED\((\d+)->(\d+)\)/.exec(decoded)
    return {
      where: `godot3-${name} #${index}`,
      timeMs: t_ms,
      direction: dir,
      bytes: fromHex(hex),
      decoded,
      compressed: sizes === null ? null : { wireBytes: Number(sizes[1]), plainBytes: Number(sizes[2]) },
    }
  })
}

/** The commands of a datagram without its header, in the clear; null when it is compressed and the compressor cannot undo it. */
export const commandBytes = (bytes: Uint8Array, compressor: Compressor | null): Uint8Array | null => {
  const head = u16(bytes, 0)
  const body = bytes.subarray(head & HEADER_SENT_TIME ? 4 : 2)
  if ((head & HEADER_COMPRESSED) === 0) return body
  const output = new Uint8Array(4096)
  const size = compressor?.decompress(body, output) ?? 0
  return size === 0 ? null : output.subarray(0, size)
}

/** A packet of an ENet channel, put together from its fragments. */
export interface ChannelPacket {
  readonly channel: number
  readonly delivery: 'reliable' | 'unreliable' | 'unsequenced'
  readonly bytes: Uint8Array
}

/** The packets that end in each datagram, in order; an array for each datagram. */
export const channelPackets = (datagrams: readonly GodotDatagram[], compressor: Compressor | null = null): ChannelPacket[][] => {
  const parts = new Map<string, Map<number, Uint8Array>>()
  return datagrams.map(({ direction, bytes }) => {
    const body = commandBytes(bytes, compressor)
    if (body === null) throw new Error('cannot decompress')
    const packets: ChannelPacket[] = []
    const command = new CommandRecord()
    for (let at = 0; at < body.length;) {
      const size = decodeCommand(body, at, body.length, command)
      if (size <= 0) break
      at += size
      const payload = body.slice(command.payloadStart, command.payloadEnd)
      const { channel } = command
      if (command.number === Command.sendReliable) packets.push({ channel, delivery: 'reliable', bytes: payload })
      if (command.number === Command.sendUnreliable) packets.push({ channel, delivery: 'unreliable', bytes: payload })
      if (command.number === Command.sendUnsequenced) packets.push({ channel, delivery: 'unsequenced', bytes: payload })
      if (command.number === Command.sendFragment) {
        const key = `${direction} ${channel} ${command.second}`
        const known = parts.get(key) ?? new Map<number, Uint8Array>()
        parts.set(key, known.set(command.fragmentNumber, payload))
        if (known.size === command.fragmentCount) {
          packets.push({
            channel,
            delivery: 'reliable',
            bytes: Buffer.concat([...known].sort(([a], [b]) => a - b).map(([, part]) => part)),
          })
        }
      }
    }
    return packets
  })
}

/** The packets that the recording names in its rendering, as it words them. */
export const recordedPackets = (decoded: string): string[] =>
  decoded.split(' ; ').flatMap((command) => /\{((?:src|SYS).*)\}$/.exec(command)?.[1] ?? [])

/** A packet in the recording's words. */
export const describePacket = ({ channel, bytes }: ChannelPacket): string => {
  if (channel === 0) {
    const system = decodeSystemMessage(bytes)
    return system === null ? 'not a system message' : `SYS ${system.kind === 'add' ? 'ADD' : 'REMOVE'}_PEER peer=${system.id}`
  }
  const header = decodeHeader(bytes)
  const result = decodePacket(bytes.subarray(8))
  if (header === null || !result.ok) return 'not a packet'
  const { packet } = result
  const from = `src=${header.source} dst=${header.target}`
  switch (packet.type) {
    case 'raw':
      return `${from} RAW ${Buffer.from(packet.bytes).toString('hex')}`
    case 'simplifyPath':
      return `${from} SIMPLIFY_PATH id=${packet.id} ${JSON.stringify(packet.path)}`
    case 'confirmPath':
      return `${from} CONFIRM_PATH ${JSON.stringify(packet.path)}`
    default: {
      const offset = new DataView(bytes.buffer, bytes.byteOffset).getUint32(9, true) & 0x7fffffff
      const node = typeof packet.node === 'number' ? `id=${packet.node}` : `path@${offset}=${JSON.stringify(packet.node)}`
      const values = decodeValues(packet, { keepFloats: true })
      const words = values.ok ? values.values.map(describe) : [values.reason]
      return packet.type === 'call'
        ? `${from} REMOTE_CALL ${node} ${packet.method}(${words.join(', ')})`
        : `${from} REMOTE_SET ${node} ${packet.property} = ${words.join()}`
    }
  }
}

const describe = (value: Variant): string => {
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : `${value}f`
  if (value instanceof Float) return `${value.value}f`
  if (value instanceof Vector2) return `Vector2(${value.x},${value.y})`
  if (value instanceof Color) return `Color(${value.r},${value.g},${value.b},${value.a})`
  if (Array.isArray(value)) return `[${value.map(describe).join(', ')}]`
  if (value !== null && typeof value === 'object')
    return `{${Object.entries(value)
      .map(([key, item]) => `${JSON.stringify(key)}: ${describe(item as Variant)}`)
      .join(', ')}}`
  return JSON.stringify(value)
}
