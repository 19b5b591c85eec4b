// The plug-in that docs/performance.md shows is one: it is taken out of the page and measured, as a new user would do.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { packageRoot } from '../../bench/lib/package-root.ts'

const program = fileURLToPath(new URL('../../bench/lib/contestant-process.js', import.meta.url))
const page = readFileSync(join(packageRoot, 'docs', 'performance.md'), 'utf8')

t.test('the plug-in of the page exchanges messages', async (t) => {
  const code = /```js\n(\/\/ mine\.mjs[\s\S]*?)```/.exec(page)?.[1]
  t.ok(code, 'the page shows one')
  const file = join(t.testdir({ 'mine.mjs': code ?? '' }), 'mine.mjs')

  const server = spawn(process.execPath, [program, file, 'server'])
  t.teardown(() => server.kill())
  const [line] = (await once(createInterface({ input: server.stdout }), 'line')) as [string]
  const { port } = JSON.parse(line) as { port: number }
  const client = spawn(process.execPath, [program, file, 'client', String(port), 'stream', '--count', '2000', '--window', '200',
    '--every', '20'])
  const [result] = (await once(createInterface({ input: client.stdout }), 'line')) as [string]
  t.match(JSON.parse(result), { event: 'result', messages: 2000 })
  client.kill()
})
