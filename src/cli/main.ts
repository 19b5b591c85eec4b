#!/usr/bin/env node
// The `vaiven` program: finds the command, gives it the process's streams, and turns Ctrl-C into a signal.

import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Exit } from './io.ts'
import type { CliCommand, Io } from './io.ts'

/** Each command is loaded only when it is called. */
const COMMANDS: Readonly<Record<string, { readonly summary: string; load(): Promise<CliCommand> }>> = {
  echo: { summary: 'an ENet server that sends every packet back', load: () => import('./echo.ts') },
  ping: { summary: 'measure round trips to any ENet server', load: () => import('./ping.ts') },
  cat: { summary: 'netcat for ENet: print packets that arrive, send lines', load: () => import('./cat.ts') },
  decode: { summary: 'ENet datagrams in hex as readable commands', load: () => import('./decode.ts') },
  impair: { summary: 'a relay that makes the network worse on purpose', load: () => import('./impair.ts') },
  lobby: { summary: 'the main job: a lobby with players on a bad network, played to the end', load: () => import('./lobby.ts') },
  demo: { summary: 'a server and clients on real sockets, on a good and a bad network', load: () => import('./demo.ts') },
}

const help = `usage: vaiven COMMAND [OPTIONS]

${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(8)} ${summary}`)
  .join('\n')}

'vaiven COMMAND --help' explains each. --version prints the version.
Exit codes: 0 done, 1 failed or lost, 2 wrong usage.
`

const main = async (args: readonly string[], io: Io): Promise<number> => {
  const [name, ...rest] = args
  if (name === undefined) {
    io.stderr.write(help)
    return Exit.usage
  }
  if (name === 'help' || name === '--help' || name === '-h') {
    const topic = rest[0]
    const command = topic === undefined ? undefined : COMMANDS[topic]
    io.stdout.write(command === undefined ? help : (await command.load()).help)
    return topic === undefined || command !== undefined ? Exit.ok : Exit.usage
  }
  if (name === '--version' || name === '-v') {
    io.stdout.write(`${await version()}\n`)
    return Exit.ok
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command === undefined) {
    io.stderr.write(`vaiven: there is no command "${name}"\n\n${help}`)
    return Exit.usage
  }
  return (await command.load()).run(rest, io)
}

const version = async (): Promise<string> => {
  // Two folders up in the package; further where tests are compiled.
  for (let folder = new URL('../../', import.meta.url); ; folder = new URL('../', folder)) {
    try {
      return (JSON.parse(await readFile(fileURLToPath(new URL('package.json', folder)), 'utf8')) as { version: string }).version
    } catch (error) {
      if (new URL('../', folder).href === folder.href) throw error
    }
  }
}

const controller = new AbortController()
const stop = (): void => {
  // The second time means it.
  if (controller.signal.aborted) process.exit(130)
  controller.abort()
}
process.on('SIGINT', stop)
process.on('SIGTERM', stop)
// Whoever read our output has left (`vaiven … | head`): end as with Ctrl-C.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  if (!controller.signal.aborted) controller.abort()
})

process.exitCode = await main(process.argv.slice(2), {
  // Touched only by those who read it: an open standard input keeps the process alive.
  get stdin() {
    return process.stdin
  },
  stdout: process.stdout,
  stderr: process.stderr,
  signal: controller.signal,
})
process.off('SIGINT', stop)
process.off('SIGTERM', stop)
