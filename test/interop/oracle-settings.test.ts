// The scenarios with the C library in virtual time once more, under the other settings that decide how our sender repairs losses:
// hosts of ours that double small packets (redundancy), C programs that serve their host every 33 ms, as a game of 30 frames a second
// does, and both. The settings reach the scenarios as environment variables (support/ours.ts, support/oracle.ts), so nothing is written
// twice; each file runs as a program of its own.

import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { skipReason } from './support/native.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))
const scenarios = readdirSync(folder).filter((name) => /^oracle-.*\.test\.js$/.test(name) && name !== 'oracle-settings.test.js')

const SETTINGS: readonly { readonly title: string; readonly env: Readonly<Record<string, string>> }[] = [
  { title: 'redundant', env: { VAIVEN_REDUNDANCY: 'auto' } },
  { title: 'C programs that look every 33 ms', env: { VAIVEN_C_POLL_MS: '33' } },
  { title: 'redundant, and C programs that look every 33 ms', env: { VAIVEN_REDUNDANCY: 'auto', VAIVEN_C_POLL_MS: '33' } },
]

t.setTimeout(600_000)
t.ok(scenarios.length >= 7, 'the scenarios are there')
for (const { title, env } of SETTINGS) {
  for (const file of scenarios) {
    t.spawn(process.execPath, [`${folder}${file}`], { cwd: process.cwd(), env: { ...process.env, ...env }, skip: skipReason, timeout: 300_000 },
      `${title}: ${file.replace('.test.js', '')}`)
  }
}
