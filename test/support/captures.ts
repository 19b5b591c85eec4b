// The captured datagrams of C ENet, and the rendering that was recorded with them, taken apart.

import { readdirSync, readFileSync } from 'node:fs'

/** One UDP payload that a C program sent. */
export interface CapturedDatagram {
  /** File and position: says in a failure which datagram it was. */
  readonly where: string
  readonly bytes: Uint8Array
  readonly direction: 'client->server' | 'server->client'
  /** When it was seen, ms after the first of the file. */
  readonly at: number
  /** When each copy reached the other side: a relay may have lost, delayed or doubled it. */
  readonly arrivals: readonly number[]
  readonly decoded: DecodedText
}

/** The recorded rendering as numbers and strings. */
export interface DecodedText {
  /** `peer` (or 'none'), `sess`, `sent`, `crc`. */
  readonly header: Readonly<Record<string, string>>
  /** Sizes of the datagram in the clear and on the wire; null when it was not compressed. */
  readonly compressed: { readonly plainBytes: number; readonly wireBytes: number } | null
  readonly commands: readonly { readonly name: string; readonly flags: string; readonly fields: Readonly<Record<string, string>> }[]
}

const folder = new URL('../../../test/fixtures/captures/', import.meta.url)

/** Names of the capture files, sorted. */
export const captureFiles = (): string[] => readdirSync(folder).filter((name) => /^enet-.*\.json$/.test(name)).sort()

/** All datagrams of one file, in order. */
export const readCapture = (file: string): CapturedDatagram[] => {
  const entries = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Entry[]
  return entries.map(({ hex, dir, decoded, t_ms: at, fate }, index) => ({
    where: `${file} #${index}`,
    bytes: fromHex(hex),
    direction: dir as CapturedDatagram['direction'],
    at,
    arrivals: arrivalsOf(at, fate ?? 'delivered'),
    decoded: parseDecoded(decoded),
  }))
}

/** The path of a capture file, for programs that read it themselves. */
export const capturePath = (file: string): URL => new URL(file, folder)

/** Bytes of a hex string; blanks are ignored. */
export const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replace(/\s/g, ''), 'hex'))

interface Entry {
  readonly t_ms: number
  readonly dir: string
  readonly hex: string
  readonly decoded: string
  readonly fate?: string
}

const arrivalsOf = (at: number, fate: string): number[] => {
  if (fate === 'dropped') return []
  const delay = Number(/delayed (\d+) ms/.exec(fate)?.[1] ?? 0)
  const copies = Number(/delivered (\d+) times/.exec(fate)?.[1] ?? 1)
  return new Array<number>(copies).fill(at + delay)
}

// "peer=none sess=0 sent=1 crc=00000000 compressed 56->42 | NAME+A key=value …; NAME key=value …"
const parseDecoded = (text: string): DecodedText => {
  const [head = '', body = ''] = text.split(' | ')
  const sizes = /compressed (\d+)->(\d+)/.exec(head)
  return {
    header: keyValues(head.replace(/compressed .*/, '').trim().split(' ')),
    compressed: sizes === null ? null : { plainBytes: Number(sizes[1]), wireBytes: Number(sizes[2]) },
    commands: body.split('; ').map((command) => {
      const [label = '', ...rest] = command.split(' ')
      const [name = '', ...flags] = label.split('+')
      return { name, flags: flags.map((flag) => `+${flag}`).join(''), fields: keyValues(rest) }
    }),
  }
}

const keyValues = (parts: readonly string[]): Record<string, string> =>
  Object.fromEntries(parts.map((part) => part.split('=') as [string, string]))
