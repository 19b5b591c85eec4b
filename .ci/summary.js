// Reads the TAP of a whole run, prints each failure with what stands below it, and ends with "N passed, N failed".
// A skipped test counts as failed: in CI nothing may be missing.

import { readFileSync } from 'node:fs'

const [, , file, status] = process.argv
const lines = readFileSync(file, 'utf8').split('\n')

lines.forEach((line, i) => {
  if (/^ *not ok |^ *ok .*# (skip|todo)/i.test(line)) console.log(lines.slice(i, i + 25).join('\n'))
})
const totals = lines.map((line) => /^# \{ (.*) \}$/.exec(line)).filter((match) => match !== null).at(-1)?.[1] ?? ''
const count = (name) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(totals)?.[1] ?? 0)
const passed = count('pass')
let failed = count('fail') + count('skip') + count('todo')
// The runner failed although no assertion did: a file that crashed, or a build that broke.
if (status !== '0' && failed === 0) {
  console.log(lines.slice(-60).join('\n'))
  failed++
}
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 && passed > 0 ? 0 : 1)
