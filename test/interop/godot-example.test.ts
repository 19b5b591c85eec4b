// examples/godot as a new user runs it: the server, two games with the real engine, a player without one.

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Test } from 'tap'
import { freePort, withoutGodot } from './support/godot.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const engine = process.env['GODOT'] ?? 'godot3-server'

/** A program whose lines are waited for. */
const run = (t: Test, command: string, args: readonly string[]) => {
  const home = mkdtempSync(join(tmpdir(), 'vaiven-example-'))
  const child: ChildProcess = spawn(command, args, {
    cwd: root,
    env: { ...process.env, XDG_DATA_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  let errors = ''
  let look: () => void = () => undefined
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    lines.push(...text.split('\n').filter((line) => line.trim() !== ''))
    look()
  })
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (errors += text))
  t.teardown(() => {
    child.kill('SIGKILL')
    rmSync(home, { recursive: true, force: true })
  })
  const says = (what: RegExp, limitMs = 15_000): Promise<string> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${command} ${args.join(' ')} did not say ${what}:\n${lines.join('\n')}\n${errors}`)),
        limitMs,
      )
      look = () => {
        const found = lines.find((line) => what.test(line))
        if (found === undefined) return
        clearTimeout(timer)
        resolve(found)
      }
      look()
    })
  return { child, says }
}

t.test('the lobby of the documentation: Ann and Bob in the engine, a robot without one', { skip: withoutGodot }, async (t) => {
  t.ok(existsSync(join(root, 'dist/index.js')), 'npm run build comes first')
  const port = String(await freePort())
  const server = run(t, process.execPath, ['examples/godot/server.mjs', port])
  await server.says(/the lobby is open/)
  const ann = run(t, engine, ['--path', 'examples/godot/game', '--name=Ann', `--port=${port}`])
  await server.says(/Ann joined/)
  const robot = run(t, process.execPath, ['examples/godot/client.mjs', 'Robot', '127.0.0.1', port])
  await server.says(/Robot joined/)
  const bob = run(t, engine, ['--path', 'examples/godot/game', '--name=Bob', `--port=${port}`, '--start=3'])
  t.equal(await ann.says(/begins/), 'the game begins, with Ann, Bob, Robot')
  t.equal(await bob.says(/begins/), 'the game begins, with Ann, Bob, Robot')
  t.match(await robot.says(/begins/), /^the game begins, with Robot, (Ann, Bob|Bob, Ann)$/)

  robot.child.kill('SIGINT')
  await server.says(/Robot is gone \(left\)/)
  await ann.says(/^Ann, Bob$/)
  server.child.kill('SIGINT')
  await ann.says(/the server is gone/)
  await bob.says(/the server is gone/)
})
