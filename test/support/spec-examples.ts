// The examples in a chapter of SPEC: fenced blocks of hex lines, each with what it means (`=>` and JSON) or with `=x`.

import { readFileSync } from 'node:fs'

export interface SpecExample {
  readonly hex: string
  /** What stands behind `=>`, parsed; undefined for bytes that must be refused. */
  readonly value: any
  /** What stands behind `=x`. */
  readonly refused: string | undefined
  readonly line: number
}

/** The text of a chapter of SPEC.md. */
export const chapter = (number: number): string => {
  const text = readFileSync(new URL('../../../SPEC.md', import.meta.url), 'utf8')
  const at = text.search(new RegExp(`^## ${number}\\. `, 'm'))
  if (at >= 0) return text.slice(at).split(/^## (?!\d+\.\d)/m).slice(0, 2).join('## ')
  throw new Error(`chapter ${number} is nowhere`)
}

/** Blocks of one kind, as lines without comments. */
const blocks = (text: string, kind: string): { line: number; lines: string[] }[] =>
  [...text.matchAll(/^```([a-z-]+)\n([^]*?)^```$/gm)]
    .filter((match) => match[1] === kind)
    .map((match) => ({ line: text.slice(0, match.index).split('\n').length, lines: (match[2] ?? '').trimEnd().split('\n') }))

export const specExamples = (text: string, kind: string): SpecExample[] => {
  const found: SpecExample[] = []
  for (const { line, lines } of blocks(text, kind)) {
    let hex = ''
    lines.forEach((raw, i) => {
      const content = raw.startsWith('=>') ? raw : raw.replace(/#.*$/, '').trim()
      if (content.startsWith('=>')) found.push({ hex, value: JSON.parse(content.slice(2)), refused: undefined, line: line + i })
      else if (content.startsWith('=x')) found.push({ hex, value: undefined, refused: content.slice(2).trim(), line: line + i })
      else hex = content.replaceAll(' ', '')
    })
  }
  return found
}

/** Lines `left => right`. */
export const specPairs = (text: string, kind: string): [string, string][] =>
  blocks(text, kind).flatMap(({ lines }) => lines.map((line) => line.replace(/#.*$/, '').trim())).filter(Boolean).map((line) => {
    const at = line.lastIndexOf(' => ')
    return [line.slice(0, at), line.slice(at + 4)]
  })

/** Rows of the tables in a text, as cells; headings left out. */
export const tableRows = (text: string): string[][] =>
  [...text.matchAll(/^\|(.*)\|$/gm)]
    .map((match) => (match[1] ?? '').split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .filter((cells, i, all) => !cells.every((cell) => /^-+$/.test(cell)) && !all[i + 1]?.every((cell) => /^-+$/.test(cell)))

/** A section by its number. */
export const specSection = (text: string, number: string): string =>
  (text.split(new RegExp(`^### ${number.replace('.', '\\.')} `, 'm'))[1] ?? '').split(/^### /m)[0] ?? ''

/** JSON with bytes as hex, for comparing. */
export const asJson = (value: unknown): any =>
  JSON.parse(JSON.stringify(value, (_, v: unknown) => (v instanceof Uint8Array ? Buffer.from(v).toString('hex') : v)) ?? 'null')
