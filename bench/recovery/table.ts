// The table of loss recovery: every bar beside what is measured, in virtual time, exact on every machine.

import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { asMarkdown, asText, measured } from './bars.ts'
import type { MeasuredRow } from './bars.ts'
import { bulkRows, FULL_BULK, QUICK_BULK } from './bulk-rows.ts'
import { stockEnet } from './c-host.ts'
import { cRows } from './c-rows.ts'
import { FULL, gameRows, QUICK } from './game-rows.ts'

export const help = `usage: npm run bench -- recovery [OPTIONS]

Loss recovery, redundancy and congestion control against their bars, in virtual time.
All rows take about a quarter of an hour; --quick measures a corner of the field in a minute or two.

  --quick          fewer round trips, losses and seeds, shorter runs
  --only WORDS     rows whose keys contain one of these words, separated by commas
  --all            list every cell, not only those that fall short
  --no-c           leave out the C library
  --json FILE      write all cells there
  --markdown FILE  write the table there
`

export const run = async (args: string[]): Promise<number> => {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      all: { type: 'boolean', default: false },
      'no-c': { type: 'boolean', default: false },
      only: { type: 'string' },
      json: { type: 'string' },
      markdown: { type: 'string' },
    },
  })
  const scale = values.quick ? QUICK : FULL
  const stock = values['no-c'] ? null : await stockEnet()
  if (stock === null) process.stdout.write('without the C library (not installed, or --no-c)\n\n')
  const bulk = bulkRows(values.quick ? QUICK_BULK : FULL_BULK, stock)
  const rows = [...gameRows(scale), ...bulk, ...(stock === null ? [] : cRows(scale, stock))]
  const words = values.only?.split(',')
  const done: MeasuredRow[] = []
  for (const row of rows) {
    if (words !== undefined && !words.some((word) => row.key.includes(word))) continue
    const result = measured(row)
    done.push(result)
    process.stdout.write(`${asText(result, values.all)}\n`)
  }
  const short = done.filter((row) => row.short.length > 0)
  process.stdout.write(`\n${done.length - short.length} of ${done.length} rows hold.\n`)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(done, null, 2)}\n`)
  if (values.markdown !== undefined) writeFileSync(values.markdown, `${asMarkdown(done)}\n`)
  return short.length === 0 ? 0 : 1
}
