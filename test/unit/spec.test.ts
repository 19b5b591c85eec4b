// SPEC.md is executed: its examples are decoded, its tables compared with the code, its references followed.

import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import * as constants from '../../src/transport/core/constants.ts'
import { describeDatagram } from '../../src/transport/core/describe.ts'
import { COMMAND_NAMES } from '../../src/transport/core/describe-command.ts'
import { grantedWindow, offeredWindow, sendingWindow } from '../../src/transport/core/flow.ts'
import { createLedger } from '../../src/transport/core/ledger.ts'
import { RangeCoder } from '../../src/transport/core/range-coder.ts'
import { Place, placeOf } from '../../src/transport/core/sequence.ts'
import type { EndReason, PeerState } from '../../src/transport/types.ts'
import { EndCode } from '../../src/util/end-codes.ts'
import { fromHex } from '../support/captures.ts'

const root = new URL('../../../', import.meta.url)
const spec = readFileSync(new URL('SPEC.md', root), 'utf8')

/** The text below the heading that begins with this number, up to the next heading of the same or a higher level. */
const section = (number: string): string => {
  const heading = new RegExp(`^(#+) ${number.replace('.', '\\.')}[. ]`, 'm').exec(spec)
  if (heading === null) throw new Error(`SPEC.md has no section ${number}`)
  const level = heading[1]?.length ?? 0
  const rest = spec.slice(heading.index + heading[0].length)
  const end = new RegExp(`^#{1,${level}} `, 'm').exec(rest)
  return end === null ? rest : rest.slice(0, end.index)
}

/** Rows of the tables in a text, as cells; headings and rules left out. */
const rows = (text: string): string[][] =>
  [...text.matchAll(/^\|(.*)\|$/gm)]
    .map((match) => (match[1] ?? '').split('|').map((cell) => cell.trim()))
    .filter((cells, i, all) => !cells.every((cell) => /^-+$/.test(cell)) && !all[i + 1]?.every((cell) => /^-+$/.test(cell)))

const firstCells = (number: string): string[] => rows(section(number)).map(([cell = '']) => cell.replaceAll('`', ''))

interface Block {
  readonly kind: string
  readonly info: string
  readonly lines: readonly string[]
  /** Line number in SPEC.md. */
  readonly line: number
}

const blocks = (kind: string): Block[] =>
  [...spec.matchAll(/^```([a-z-]+)([^\n]*)\n([^]*?)^```$/gm)]
    .map((match) => ({
      kind: match[1] ?? '',
      info: match[2] ?? '',
      lines: (match[3] ?? '').trimEnd().split('\n'),
      line: spec.slice(0, match.index).split('\n').length,
    }))
    .filter((block) => block.kind === kind)

t.test('every example datagram decodes to the lines that stand below it', (t) => {
  let examples = 0
  for (const { info, lines, line } of blocks('enet')) {
    const connectIds = [...info.matchAll(/connectId=([0-9a-f]{8})/g)].map((match) => Number.parseInt(match[1] ?? '', 16))
    let hex = ''
    let expected: string[] = []
    const check = (): void => {
      if (expected.length === 0) return
      examples++
      const description = describeDatagram(fromHex(hex), { connectIds })
      t.same(description.lines, expected, `SPEC.md:${line}: ${hex.slice(0, 24)}`)
      t.equal(description.problem, null, 'and is a datagram')
      t.equal(description.header?.checksum?.verdict ?? 'correct', 'correct', 'with a correct checksum, if any')
      hex = ''
      expected = []
    }
    for (const text of lines) {
      if (text.startsWith('=> ')) expected.push(text.slice(3))
      else if (text.startsWith('.. ')) expected.push(`${expected.pop() ?? ''} ${text.slice(3)}`)
      else {
        check()
        hex += text.replace(/#.*/, '').replace(/\s/g, '')
      }
    }
    t.ok(expected.length > 0 && hex !== '', `SPEC.md:${line}: the block ends with what it decodes to`)
    check()
  }
  t.ok(examples >= 20, `${examples} examples`)
  t.end()
})

t.test('the range coder turns each example into the other side, both ways', (t) => {
  const coder = new RangeCoder()
  let examples = 0
  for (const { lines } of blocks('range-coder')) {
    for (const line of lines) {
      const [plain = '', packed = ''] = line.split(' -> ')
      const out = new Uint8Array(4096)
      t.equal(Buffer.from(out.subarray(0, coder.compress(fromHex(plain), out))).toString('hex'), packed, `${plain} compressed`)
      t.equal(Buffer.from(out.subarray(0, coder.decompress(fromHex(packed), out))).toString('hex'), plain, `${packed} decompressed`)
      examples++
    }
  }
  t.ok(examples >= 3, `${examples} examples`)
  t.end()
})

t.test('the computed values are what the code computes', (t) => {
  const places = Object.entries(Place)
  const functions: Readonly<Record<string, (...args: number[]) => string>> = {
    placeOf: (sequence = 0, reference = 0) => places.find(([, place]) => place === placeOf(sequence, reference))?.[0] ?? '',
    offeredWindow: (outgoing = 0) => String(offeredWindow(outgoing)),
    grantedWindow: (incoming = 0, offered = 0) => String(grantedWindow(incoming, offered)),
    sendingWindow: (outgoing = 0, peerIncoming = 0) => String(sendingWindow(outgoing, peerIncoming)),
  }
  const used = new Set<string>()
  for (const { lines } of blocks('computed')) {
    for (const line of lines) {
      const [, name = '', args = '', result = ''] = /^(\w+)\(([\d, ]*)\) = (\w+)$/.exec(line) ?? []
      used.add(name)
      t.equal(functions[name]?.(...args.split(',').map(Number)), result, line)
    }
  }
  t.same(used, new Set(Object.keys(functions)), 'each function has an example')
  t.end()
})

t.test('the table of commands is that of the code', (t) => {
  const table = rows(section('3.2'))
  t.equal(table.length, 12)
  const names = new Set<string>()
  for (const [number, name = '', bytes, payload, byte = ''] of table) {
    names.add(name)
    t.equal(COMMAND_NAMES[Number(number)], name)
    t.equal(constants.COMMAND_BYTES[Number(number)], Number(bytes), `${name}: fixed bytes`)
    const first = fromHex(byte.slice(0, 2))[0] ?? 0
    t.equal(first & 0x0f, Number(number), `${name}: the command byte has its number`)
    const example = Uint8Array.from([0x80, 0, 0, 1, first, ...new Uint8Array(Number(bytes) - 1)])
    const described = describeDatagram(example, { checksum: false })
    t.equal(described.commands[0]?.payload !== null, payload === 'yes', `${name}: payload`)
  }
  t.equal(names.size, 12)
  t.end()
})

t.test('every byte table names the fields that the decoder finds there', (t) => {
  let commands = 0
  const header = rows(section('3.1')).filter((cells) => /^\d+$/.test(cells[0] ?? '') && cells.length === 4 && !/^0x/.test(cells[1] ?? ''))
  for (const [, title = ''] of spec.matchAll(/^### (3\.\d+ .*\(\d+\).*)$/gm)) {
    const text = section(/^[\d.]+/.exec(title)?.[0] ?? '')
    for (const [, name = '', number = ''] of title.matchAll(/([A-Z_]+) \((\d+)\)/g)) {
      commands++
      const table = [...header, ...rows(text)].filter((cells) => /^\d+$/.test(cells[0] ?? ''))
      const fixed = constants.COMMAND_BYTES[Number(number)] ?? 0
      // Every byte has a value of its own, so that a field at another place would read another number.
      const bytes = Uint8Array.from({ length: fixed + 3 }, (_, i) => 0x40 + i)
      bytes[0] = Number(number)
      const at = (field: string): number => Number(table.find((cells) => cells[2] === field)?.[0])
      const carries = table.some((cells) => cells[2] === 'payload')
      if (carries) bytes.set([0, 3], at('`length`'))
      const body = carries ? bytes : bytes.subarray(0, fixed)
      const command = describeDatagram(Uint8Array.from([0, 0, ...body]), { checksum: false }).commands[0]
      t.equal(command?.name, name, title)
      let end = 0
      const seen = new Set<string>()
      for (const [offset, size = '', field = ''] of table) {
        t.equal(Number(offset), end, `${title}: ${field} follows what is in front of it`)
        if (size === 'n') {
          t.equal(end, fixed, `${title}: the payload begins behind the fixed part`)
          continue
        }
        end += Number(size)
        const key = field.replaceAll('`', '')
        if (key === 'command byte') continue
        seen.add(key)
        const value = [...body.subarray(Number(offset), end)].reduce((sum, byte) => sum * 256 + byte, 0)
        const found = command?.fields[key]
        t.equal(typeof found === 'string' ? Number.parseInt(found, 16) : found, value, `${title}: ${field}`)
      }
      t.equal(end, fixed, `${title}: the fixed part is complete`)
      t.same(seen, new Set(Object.keys(command?.fields ?? {})), `${title}: no field is missing`)
    }
    t.match(text, /^```enet/m, `${title}: has an example`)
  }
  t.equal(commands, 12)
  t.end()
})

t.test('the table of constants is that of the code', (t) => {
  const numbers = Object.entries(constants).filter((entry): entry is [string, number] => typeof entry[1] === 'number')
  const table = Object.fromEntries(rows(section('12')).map(([name = '', value = '']) => [name.replaceAll('`', ''), Number(value)]))
  t.same(table, Object.fromEntries(numbers))
  t.end()
})

t.test('every counter of the ledger is defined, and no other', (t) => {
  t.same(rows(section('10')).map(([name = '']) => name.replaceAll('`', '')), Object.keys(createLedger()))
  t.end()
})

t.test('the counters that the rules name exist', (t) => {
  const counters = new Set(Object.keys(createLedger()))
  const named = [...(section('8') + section('5')).matchAll(/(?:drop|stop)[^|\n]*?[(,:] ?`([a-zA-Z]+)`/g)].map((match) => match[1] ?? '')
  t.ok(named.length >= 15, `${named.length} rules name one`)
  for (const name of named) t.ok(counters.has(name), name)
  t.end()
})

t.test('reasons, codes and states are those of the code', (t) => {
  const reasons = {
    local: true, remote: true, timeout: true, refused: true, 'connect-timeout': true, 'host-closed': true,
  } satisfies Record<EndReason, true>
  t.same(new Set(firstCells('9.1')), new Set(Object.keys(reasons)))
  // The codes of sessions, from 4 on, are in §13.6.
  const ofHosts = Object.entries(EndCode).filter(([, code]) => code < 4)
  t.same(rows(section('9.2')).map(([data, name]) => [name, Number(data)]), ofHosts)
  const states = {
    connecting: true, connected: true, 'disconnect-later': true, disconnecting: true, disconnected: true,
  } satisfies Record<PeerState, true>
  t.same(firstCells('4.5'), Object.keys(states))
  t.end()
})

t.test('references lead somewhere', (t) => {
  const headings = new Set([...spec.matchAll(/^#+ (\d+(?:\.\d+)?)/gm)].map((match) => match[1] ?? ''))
  const chapters = Math.max(...[...headings].map((heading) => Math.floor(Number(heading))))
  for (const [, target = ''] of spec.matchAll(/(?<!RFC \d+ )§(\d+(?:\.\d+)?)/g)) {
    if (!headings.has(target)) t.fail(`SPEC.md refers to §${target}`)
  }
  let references = 0
  for (const file of readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))) {
    const text = readFileSync(new URL(file, new URL('src/', root)), 'utf8')
    for (const [, list = ''] of text.matchAll(/SPEC ((?:§\d+(?:\.\d+)?(?:, | and | to )?)+)/g)) {
      for (const [, target = ''] of list.matchAll(/§(\d+(?:\.\d+)?)/g)) {
        references++
        // Chapters that are still to be written are not wrong yet.
        if (!headings.has(target) && Number(target) < chapters + 1) t.fail(`src/${file} refers to SPEC §${target}`)
      }
    }
  }
  t.ok(references >= 20, `${references} references from the code`)
  for (const [, anchor = ''] of spec.matchAll(/\]\(#([^)]+)\)/g)) {
    const titles = [...spec.matchAll(/^#+ (.*)$/gm)]
      .map((match) => (match[1] ?? '').toLowerCase().replace(/[^\p{L}\d -]/gu, '').replaceAll(' ', '-'))
    t.ok(titles.includes(anchor), `#${anchor}`)
  }
  t.end()
})
