// A program: `render RESULTS.json REPORT.html` makes the report of a run again, for whoever works on its looks.

import { readFile, writeFile } from 'node:fs/promises'
import type { Report } from '../lib/report.ts'
import { htmlReport } from './html.ts'

const [from, to] = process.argv.slice(2) as [string, string]
await writeFile(to, htmlReport(JSON.parse(await readFile(from, 'utf8')) as Report))
