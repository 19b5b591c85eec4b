// A datagram in words, for `vaiven decode`, traces and the examples of SPEC.md. Knows bytes only: no connection, no state.
// Where the bytes alone do not tell the dialect (checksum, compressor), it takes the reading that explains them best.

import type { Compressor } from '../types.ts'
import { MAX_DATAGRAM_BYTES } from '../endpoint.ts'
import { Command, COMMAND_BYTES, HEADER_COMPRESSED, HEADER_SENT_TIME, HEADER_SESSION_SHIFT, NO_PEER, PEER_CHANNEL } from './constants.ts'
import { crc32 } from './crc32.ts'
import { COMMAND_NAMES, describeCommand, hex32, previewBytes } from './describe-command.ts'
import type { CommandDescription } from './describe-command.ts'
import { RangeCoder } from './range-coder.ts'
import { looksLikeFork } from './dialect.ts'
import { ANNOUNCE_BYTES, decodeReport, isAnnounce, Report } from './extension.ts'
import { CommandRecord, decodeCommand, DecodeEnd, put32, u16, u32 } from './wire.ts'

export type { CommandDescription } from './describe-command.ts'

/** How to read a datagram; the defaults find out by themselves. */
export interface DescribeOptions {
  /** Whether four bytes of checksum follow the header; `'auto'` decides by what can be read. @default 'auto' */
  readonly checksum?: boolean | 'auto'
  /** Tried in order when the body is compressed. @default the range coder */
  readonly compressors?: readonly Compressor[]
  /** Connect ids of connections that this datagram may belong to: a checksum can only be verified with the right one. */
  readonly connectIds?: Iterable<number>
}

/** What a datagram says. */
export interface DatagramDescription {
  /** Length of the UDP payload. */
  readonly bytes: number
  /** Null when there are not even two bytes. */
  readonly header: HeaderDescription | null
  readonly commands: readonly CommandDescription[]
  /** What follows the last command that could be read, and why it could not. */
  readonly rest: { readonly bytes: Uint8Array; readonly reason: string } | null
  /** Why nothing behind the header could be read; null when it could. */
  readonly problem: string | null
  /** Oddities that do not stop a reader: things a correct sender does not do. */
  readonly remarks: readonly string[]
  /** One line for the datagram, then one for each command, the rest, the problem and the remarks. */
  readonly lines: readonly string[]
}

/** The fields in front of the commands. */
export interface HeaderDescription {
  /** The receiver's number for the connection; 4095: none. */
  readonly peerId: number
  readonly session: number
  readonly sentTime: number | null
  /** `unverified`: computed with a connect id that is not among the known ones, or damaged. */
  readonly checksum: { readonly value: number; readonly verdict: 'correct' | 'wrong' | 'unverified' } | null
  readonly compression: { readonly name: string; readonly compressedBytes: number; readonly plainBytes: number } | null
}

/** Describes any bytes at all; never throws, and reads nothing outside them. */
export const describeDatagram = (bytes: Uint8Array, options: DescribeOptions = {}): DatagramDescription => {
  if (bytes.length < 2) return finish(bytes, null, NOTHING, `a datagram has at least 2 bytes; this has ${bytes.length}`)
  const word = u16(bytes, 0)
  const bodyAt = (word & HEADER_SENT_TIME) !== 0 ? 4 : 2
  if (bytes.length < bodyAt) return finish(bytes, null, NOTHING, 'ends inside its header: the sent time is missing')

  const choice = options.checksum ?? 'auto'
  const checksums = choice === 'auto' ? [false, true] : [choice]
  const connectIds = [...(options.connectIds ?? [])]
  let best: Reading | null = null
  for (const withChecksum of checksums) {
    const at = bodyAt + (withChecksum ? 4 : 0)
    if (bytes.length < at) continue
    for (const plain of plainBodies(bytes, word, at, options.compressors)) {
      const reading = read(bytes, word, bodyAt, withChecksum, plain, connectIds)
      // The wrong decompressor mostly yields noise rather than failing.
      if (plain.compression !== null && reading.score < 2) continue
      if (best === null || reading.score > best.score) best = reading
    }
  }
  const header: HeaderDescription = {
    peerId: word & NO_PEER,
    session: (word >> HEADER_SESSION_SHIFT) & 3,
    sentTime: bodyAt === 4 ? u16(bytes, 2) : null,
    checksum: best?.checksum ?? null,
    compression: best?.compression ?? null,
  }
  if (best !== null) return finish(bytes, header, best, null)
  const problem = (word & HEADER_COMPRESSED) === 0
    ? 'ends inside its header: the checksum is missing'
    : looksLikeFork(bytes)
      ? 'an incompatible fork of ENet: the flags for "compressed" and "sent time" have changed places'
      : 'the body is compressed, and no compressor given here undoes it'
  return finish(bytes, header, NOTHING, problem)
}

/** A body in the clear: where it is, and what was undone to get there. */
interface PlainBody {
  readonly body: Uint8Array
  readonly start: number
  readonly compression: HeaderDescription['compression']
}

/** One way to understand the datagram. */
interface Reading {
  readonly commands: readonly CommandDescription[]
  readonly rest: DatagramDescription['rest']
  readonly checksum: HeaderDescription['checksum']
  readonly compression: HeaderDescription['compression']
  /** Higher explains more; a tie goes to the simpler dialect, which is tried first. */
  readonly score: number
}

const NOTHING: Omit<Reading, 'score'> = { commands: [], rest: null, checksum: null, compression: null }

const plainBodies = function* (
  bytes: Uint8Array, word: number, at: number, compressors: readonly Compressor[] | undefined,
): Generator<PlainBody> {
  if ((word & HEADER_COMPRESSED) === 0) {
    yield { body: bytes, start: at, compression: null }
    return
  }
  const packed = bytes.subarray(at)
  for (const compressor of compressors ?? [new RangeCoder()]) {
    const output = new Uint8Array(MAX_DATAGRAM_BYTES - at)
    const size = compressor.decompress(packed, output)
    if (size === 0) continue
    const compression = { name: compressor.name, compressedBytes: packed.length, plainBytes: size }
    yield { body: output.subarray(0, size), start: 0, compression }
  }
}

const read = (
  bytes: Uint8Array, word: number, bodyAt: number, withChecksum: boolean, plain: PlainBody, connectIds: readonly number[],
): Reading => {
  const { body, start, compression } = plain
  const record = new CommandRecord()
  const commands: CommandDescription[] = []
  let at = start
  let size = 0
  let plausible = true
  while (at < body.length && (size = decodeCommand(body, at, body.length, record)) > 0) {
    plausible &&= isPlausible(body[at] ?? 0, record, word)
    commands.push(describeCommand(body, start, at, size, record))
    at += size
  }
  const rest = at === body.length ? null : { bytes: body.subarray(at), reason: restReason(size, body, at) }
  const checksum = withChecksum ? verify(bytes, bodyAt, word, body.subarray(start), commands[0], connectIds) : null
  let score = commands.length === 0 ? 0 : plausible ? 2 : 1
  if (rest === null && commands.length > 0) score += plausible ? 4 : 1
  if (checksum?.verdict === 'correct') score += 16
  return { commands, rest, checksum, compression, score }
}

// What correct senders put together, whatever the fields say. Only to tell dialects apart: receivers are more lenient.
const isPlausible = (byte: number, record: CommandRecord, word: number): boolean => {
  const { number } = record
  if (!(PLAUSIBLE_BYTES[number] ?? NO_BYTES).includes(byte)) return false
  if ((byte & 0x80) !== 0 && (word & HEADER_SENT_TIME) === 0) return false
  if ((word & NO_PEER) === NO_PEER) return number === Command.connect || number === Command.disconnect
  const aboutPeer = number === Command.bandwidthLimit || number === Command.throttleConfigure || number <= Command.ping
  return number === Command.acknowledge || aboutPeer === (record.channel === PEER_CHANNEL)
}

const NO_BYTES: readonly number[] = []
const PLAUSIBLE_BYTES: readonly (readonly number[])[] = [
  NO_BYTES, [0x01], [0x82], [0x83], [0x84, 0x44, 0x04], [0x85], [0x86], [0x07], [0x88], [0x49], [0x8a], [0x8b], [0x0c],
]

const restReason = (end: number, body: Uint8Array, at: number): string => {
  const byte = body[at] ?? 0
  const ours = describeExtension(body, at)
  if (end === DecodeEnd.unknown && ours !== null) return ours
  if (end === DecodeEnd.unknown) return `command ${byte & 0x0f} does not exist in ENet 1.3: an extension, or nonsense`
  if (end === DecodeEnd.short) return 'too short for a command'
  const number = byte & 0x0f
  return `${COMMAND_NAMES[number]} needs ${COMMAND_BYTES[number]} bytes and its payload: goes beyond the end`
}

/** Blocks of our own extension (SPEC §6.11) in words, or `null` when there are others. */
const describeExtension = (body: Uint8Array, start: number): string | null => {
  if (isAnnounce(body, start, body.length) && start + ANNOUNCE_BYTES === body.length) return 'vaiven: announces its extension'
  const report = new Report()
  const words: string[] = []
  let at = start
  for (let size = decodeReport(body, at, body.length, report); size > 0; size = decodeReport(body, at, body.length, report)) {
    const holes = report.mapLow === 0xffffffff && report.mapHigh === 0xffffffff ? '' : ` map=${hex32(report.mapHigh)}${hex32(report.mapLow)}`
    const newest = report.newest === report.largest ? '' : ` newest=${report.newest}`
    words.push(`largest=${report.largest}${newest} delayMs=${report.delayMs} arrivedMs=${report.arrivedMs}${holes}`)
    at += size
  }
  return at === body.length && words.length > 0 ? `vaiven: report ${words.join('; ')}` : null
}

const verify = (
  bytes: Uint8Array, at: number, word: number, body: Uint8Array, first: CommandDescription | undefined, connectIds: readonly number[],
): HeaderDescription['checksum'] => {
  const value = u32(bytes, at)
  // Without a peer the seed is zero, and a VERIFY_CONNECT names the connect id itself; others need one from outside.
  const known = (word & NO_PEER) === NO_PEER
    ? 0
    : first?.name === 'VERIFY_CONNECT' ? Number.parseInt(String(first.fields['connectId']), 16) : null
  const seeds = known === null ? connectIds : [known]
  const covered = new Uint8Array(at + 4 + body.length)
  covered.set(bytes.subarray(0, at))
  covered.set(body, at + 4)
  for (const seed of seeds) {
    put32(covered, at, seed)
    if (crc32(covered) === value) return { value, verdict: 'correct' }
  }
  return { value, verdict: known === null ? 'unverified' : 'wrong' }
}

const finish = (
  bytes: Uint8Array, header: HeaderDescription | null, reading: Omit<Reading, 'score'>, problem: string | null,
): DatagramDescription => {
  const { commands, rest } = reading
  const remarks = header === null ? [] : remarksOn(bytes.length, header, commands)
  const lines = [`datagram of ${count(bytes)}${header === null ? '' : `: ${headerText(header)}`}`]
  for (const command of commands) lines.push(command.text)
  if (rest !== null) lines.push(`rest of ${count(rest.bytes)}: ${previewBytes(rest.bytes)} (${rest.reason})`)
  if (problem !== null) lines.push(`unreadable: ${problem}`)
  for (const remark of remarks) lines.push(`note: ${remark}`)
  return { bytes: bytes.length, header, commands, rest, problem, remarks, lines }
}

const count = (bytes: Uint8Array): string => `${bytes.length} ${bytes.length === 1 ? 'byte' : 'bytes'}`

const headerText = ({ peerId, session, sentTime, checksum, compression }: HeaderDescription): string =>
  `peerId=${peerId === NO_PEER ? 'none' : peerId} session=${session}` +
  (sentTime === null ? '' : ` sentTime=${sentTime}`) +
  (checksum === null ? '' : ` checksum=${hex32(checksum.value)} (${checksum.verdict})`) +
  (compression === null ? '' : ` ${compression.name} ${compression.plainBytes}->${compression.compressedBytes}`)

const remarksOn = (length: number, header: HeaderDescription, commands: readonly CommandDescription[]): string[] => {
  const remarks: string[] = []
  if (header.checksum?.verdict === 'wrong') remarks.push('the checksum is wrong: receivers drop the datagram')
  if (length > MAX_DATAGRAM_BYTES) remarks.push(`longer than the ${MAX_DATAGRAM_BYTES} bytes that any host takes`)
  const first = commands.find((command) => (command.byte & 0x80) !== 0)
  if (first !== undefined && header.sentTime === null) {
    remarks.push(`${first.name} wants an acknowledgement, but there is no sent time: receivers stop there`)
  }
  if (header.peerId === NO_PEER && commands.length > 0 && commands[0]?.name !== 'CONNECT') {
    remarks.push('peer id none: receivers ignore all but CONNECT')
  }
  if (commands.some((command) => command.fields['fragmentCount'] === 1)) {
    remarks.push('a message of one single fragment cannot be acknowledged again after its delivery (SPEC §5.6)')
  }
  return remarks
}
