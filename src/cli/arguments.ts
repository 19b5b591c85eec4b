// Arguments that several commands share, and what happens when they make no sense: a sentence, a pointer to the help, exit code 2.

import { parseArgs } from 'node:util'
import type { ParseArgsConfig } from 'node:util'
import { VaivenError } from '../util/errors.ts'
import type { HostOptions } from '../transport/index.ts'
import { Exit } from './io.ts'
import type { Io } from './io.ts'

/** The arguments make no sense; the message says which. */
export class UsageError extends Error {}

/** Options of one command, as `util.parseArgs` takes them. */
export type OptionTable = NonNullable<ParseArgsConfig['options']>

/** `--checksum` and `--compression` of the commands that connect. */
export const DIALECT_OPTIONS = {
  checksum: { type: 'string' },
  compression: { type: 'string' },
} as const satisfies OptionTable

/** The lines of a help text for `DIALECT_OPTIONS`. */
export const DIALECT_HELP = `  --checksum crc32           the server wants ENet's CRC-32 checksum
  --compression rangeCoder   compress with ENet's range coder`

/**
 * Runs a command's body with its parsed arguments. Prints the help for `--help`, turns arguments that make no sense into exit
 * code 2, and errors of vaiven into a sentence (or a JSON line) and exit code 1.
 */
export const runCommand = async <Options extends OptionTable>(
  name: string,
  help: string,
  options: Options,
  args: string[],
  io: Io,
  body: (parsed: ReturnType<typeof parseArgs<{ options: Options; allowPositionals: true }>>) => Promise<number>,
): Promise<number> => {
  let json = false
  try {
    if (args.includes('--help') || args.includes('-h')) {
      io.stdout.write(help)
      return Exit.ok
    }
    json = args.includes('--json')
    return await body(parseArgs({ args, options, allowPositionals: true }))
  } catch (error) {
    if (error instanceof UsageError || isParseError(error)) {
      io.stderr.write(`vaiven ${name}: ${error.message}\n'vaiven ${name} --help' explains the options.\n`)
      return Exit.usage
    }
    if (!(error instanceof VaivenError)) throw error
    if (error.code === 'ERR_ABORTED' && io.signal.aborted) return Exit.failed
    if (json) io.stdout.write(`${JSON.stringify({ event: 'failed', code: error.code, message: error.message, data: error.data })}\n`)
    else io.stderr.write(`vaiven ${name}: ${error.message} [${error.code}]\n`)
    return error.code === 'ERR_OPTION_RANGE' ? Exit.usage : Exit.failed
  }
}

const isParseError = (error: unknown): error is Error =>
  error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')

/** An integer option, decimal or 0x…; `fallback` when it is not given. @throws UsageError */
export const integer = (name: string, text: string | undefined, min: number, max: number, fallback: number): number => {
  if (text === undefined) return fallback
  const value = /^(\d+|0x[0-9a-f]+)$/i.test(text) ? Number(text) : NaN
  if (!(value >= min && value <= max)) throw new UsageError(`--${name} is "${text}"; it must be an integer from ${min} to ${max}`)
  return value
}

/** One of several words. @throws UsageError */
export const choice = <Word extends string>(name: string, text: string | undefined, words: readonly Word[], fallback: Word): Word => {
  if (text === undefined) return fallback
  const found = words.find((word) => word.toLowerCase() === text.replaceAll('-', '').toLowerCase())
  if (found === undefined) throw new UsageError(`--${name} is "${text}"; it must be ${words.join(' or ')}`)
  return found
}

/** The only positional argument, `HOST:PORT`; IPv6 addresses in brackets. @throws UsageError */
export const target = (positionals: readonly string[]): { host: string; port: number } => {
  const [text, second] = positionals
  if (text === undefined) throw new UsageError('HOST:PORT is missing')
  if (second !== undefined) throw new UsageError(`one HOST:PORT is enough; what is "${second}"?`)
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (match === null || port < 1 || port > 65_535) {
    const advice = /^[^[].*:.*:/.test(text) ? '; an IPv6 address needs brackets: [::1]:7777' : ', for example 127.0.0.1:7777'
    throw new UsageError(`"${text}" is not HOST:PORT with a port from 1 to 65535${advice}`)
  }
  return { host: (match[1] ?? match[2]) as string, port }
}

/** No positional arguments at all. @throws UsageError */
export const noPositionals = (positionals: readonly string[]): void => {
  if (positionals.length > 0) throw new UsageError(`"${positionals[0]}" is not an option`)
}

/** Host options out of `DIALECT_OPTIONS`. @throws UsageError */
export const dialect = (values: { checksum?: string; compression?: string }): Pick<HostOptions, 'checksum' | 'compression'> => ({
  checksum: choice<'none' | 'crc32'>('checksum', values.checksum, ['none', 'crc32'], 'none'),
  compression: choice<'none' | 'rangeCoder'>('compression', values.compression, ['none', 'rangeCoder'], 'none'),
})
