// examples/enet-peers as a new user runs it: the vaiven host of the example and the C client, compiled from the example.

import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { freePort } from './support/godot.ts'
import { skipReason } from './support/native.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

t.test('a C program with the range coder on says hello, hears itself, and leaves', { skip: skipReason }, async (t) => {
  t.ok(existsSync(join(root, 'dist/index.js')), 'npm run build comes first')
  const folder = mkdtempSync(join(tmpdir(), 'vaiven-enet-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const client = join(folder, 'client')
  execFileSync('cc', ['-Wall', '-Wextra', '-Werror', '-o', client, join(root, 'examples/enet-peers/c/client.c'), '-lenet'])

  const port = String(await freePort())
  const server = spawn(process.execPath, ['examples/enet-peers/server.mjs', port], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => server.kill('SIGKILL'))
  let output = ''
  const until = (what: RegExp): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (what.test(output)) resolve()
      }
      server.stdout.on('data', look)
      look()
    })
  server.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  await until(/listening/)
  const heard = execFileSync(client, [port], { encoding: 'utf8', timeout: 10_000 })
  await until(/is gone/)
  t.same(heard.trim().split('\n').sort(), [
    'connected',
    'disconnected',
    'heard "hello from C" on channel 0',
    'heard "welcome" on channel 0',
    'heard "x=10" on channel 1',
    'heard "x=20" on channel 1',
  ])
  t.match(output, /says "hello from C" \(channel 0, reliable\)/)
  t.match(output, /says "x=10" \(channel 1, unreliable\)/)
  t.match(output, /says "x=20" \(channel 1, unsequenced\)/)
  t.match(output, /is gone \(remote, data 7\)/)
})
