// `vaiven decode`: datagrams in hex, out as readable commands. Needs no socket and no connection.

import { readFile } from 'node:fs/promises'
import { addAbortSignal } from 'node:stream'
import { parseArgs } from 'node:util'
import { describeDatagram } from '../transport/index.ts'
import type { DatagramDescription } from '../transport/index.ts'
import { Exit } from './io.ts'
import type { Io } from './io.ts'

export const help = `usage: vaiven decode [HEX ...] [--file PATH] [--json] [--checksum | --no-checksum] [--connect-id HEX]

Explains ENet datagrams (UDP payloads). Each argument is one datagram in hex; arguments of one byte each
are joined to one. Without arguments the datagrams are read from --file, or from standard input: one in each
line, '#' begins a comment, or JSON objects with a "hex" field (a list, or one in each line).

  --file PATH        read the datagrams from a file
  --json             one JSON object per datagram
  --checksum         every datagram carries a checksum       (default: find out)
  --no-checksum      none does
  --connect-id HEX   the connect id of the connection, 8 digits as in CONNECT: verifies its checksums. Those of
                     the CONNECTs that were decoded before are tried by themselves

In the output +A marks a command that wants an acknowledgement, +U one that is unsequenced.
Exit code: 0 everything was explained, 1 something was not, 2 wrong usage or input that is not hex.

example: vaiven decode 8000cd3586000001000568656c6c6f
         vaiven decode 80 00 cd 35 86 00 00 01 00 05 68 65 6c 6c 6f
`

/** Runs the command. @returns 0 all explained, 1 something was not, 2 usage */
export const run = async (args: string[], io: Io): Promise<number> => {
  const fail = (message: string): number => {
    io.stderr.write(`vaiven decode: ${message}\n`)
    return Exit.usage
  }
  let parsed
  try {
    parsed = parseArgs({ args, options: OPTIONS, allowPositionals: true })
  } catch (error) {
    return fail(`${(error as Error).message}\n\n${help}`)
  }
  const { values, positionals } = parsed
  if (values.help === true) {
    io.stdout.write(help)
    return Exit.ok
  }
  if (values.checksum === true && values['no-checksum'] === true) return fail('--checksum and --no-checksum exclude each other')
  const connectIds = new Set<number>()
  for (const text of values['connect-id'] ?? []) {
    if (!/^(0x)?[0-9a-f]{8}$/i.test(text)) return fail(`--connect-id ${text}: eight hex digits, as they appear in CONNECT`)
    connectIds.add(Number.parseInt(text.replace(/^0x/i, ''), 16))
  }
  if (positionals.length > 0 && values.file !== undefined) return fail('give datagrams as arguments or in --file, not both')

  let texts: string[]
  try {
    texts = positionals.length > 0 ? joinBytes(positionals) : datagramTexts(await readInput(values.file, io))
  } catch (error) {
    if (io.signal.aborted) return Exit.failed
    return fail((error as Error).message)
  }
  if (texts.length === 0) return fail(`no datagram given\n\n${help}`)

  let complete = true
  for (const [index, text] of texts.entries()) {
    if (io.signal.aborted) return Exit.failed
    const bytes = parseHex(text)
    if (bytes === null) return fail(`datagram ${index + 1} is not hex, two digits for each byte: ${text.slice(0, 60)}`)
    const description = describeDatagram(bytes, {
      checksum: values.checksum === true ? true : values['no-checksum'] === true ? false : 'auto',
      connectIds,
    })
    for (const command of description.commands) {
      if (command.name === 'CONNECT') connectIds.add(Number.parseInt(String(command.fields['connectId']), 16))
    }
    complete &&= description.problem === null && description.rest === null && description.header?.checksum?.verdict !== 'wrong'
    io.stdout.write(values.json === true ? `${JSON.stringify(plainObject(description))}\n` : `${description.lines.join('\n  ')}\n`)
  }
  return complete ? Exit.ok : Exit.failed
}

/** The same under the name that tells what it does, for programs that embed it. */
export const decodeCommand: typeof run = run

const OPTIONS = {
  file: { type: 'string' },
  json: { type: 'boolean' },
  checksum: { type: 'boolean' },
  'no-checksum': { type: 'boolean' },
  'connect-id': { type: 'string', multiple: true },
  help: { type: 'boolean', short: 'h' },
} as const

const readInput = async (file: string | undefined, io: Io): Promise<string> => {
  if (file !== undefined) {
    return readFile(file, { encoding: 'utf8', signal: io.signal }).catch((error: unknown) => {
      throw new Error(`cannot read ${file}: ${(error as Error).message}`)
    })
  }
  if ((io.stdin as { isTTY?: boolean }).isTTY === true) io.stderr.write('datagrams in hex, one in each line; Ctrl-D ends:\n')
  let text = ''
  io.stdin.setEncoding('utf8')
  for await (const chunk of addAbortSignal(io.signal, io.stdin)) text += String(chunk)
  return text
}

// `vaiven decode 80 00 cd 35 …` means one datagram: no datagram is a single byte.
const joinBytes = (args: readonly string[]): string[] =>
  args.every((arg) => /^(0x)?[0-9a-f]{2}$/i.test(arg)) ? [args.map((arg) => arg.slice(-2)).join('')] : [...args]

/** Datagrams in a text: JSON with `hex` fields, or lines of hex. @throws Error when it looks like JSON and is not */
const datagramTexts = (text: string): string[] => {
  const trimmed = text.trim()
  if (trimmed.startsWith('[')) return hexFields(JSON.parse(trimmed))
  const texts: string[] = []
  for (const line of trimmed.split('\n')) {
    const content = line.startsWith('{') ? line : line.replace(/#.*/, '').trim()
    if (content.startsWith('{')) texts.push(...hexFields(JSON.parse(content)))
    else if (content !== '') texts.push(content)
  }
  return texts
}

const hexFields = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).map((item: unknown) => {
    const hex = typeof item === 'object' && item !== null ? (item as { hex?: unknown }).hex : item
    if (typeof hex !== 'string') throw new Error('JSON input: a list of objects with a "hex" field, or of strings')
    return hex
  })

/** Bytes of a hex text; blanks, colons and 0x are decoration. Null when it is not hex. */
const parseHex = (text: string): Uint8Array | null => {
  const digits = text.replace(/0x|[\s:,|]/gi, '')
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) return null
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16))
}

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

// Bytes become hex; `lines` stay away, since the fields say the same.
const plainObject = ({ bytes, header, commands, rest, problem, remarks }: DatagramDescription): unknown => ({
  bytes,
  header,
  commands: commands.map(({ name, flags, fields, payload }) => ({
    name, flags, ...fields, ...(payload === null ? {} : { payload: toHex(payload) }),
  })),
  rest: rest === null ? null : { hex: toHex(rest.bytes), reason: rest.reason },
  problem,
  remarks,
})
