// What a command of `vaiven` may touch of the process: its three streams, and the signal that Ctrl-C fires.
// Commands never reach for `process` themselves, so that a test can run them with streams of its own.

import type { Readable } from 'node:stream'

/** Somewhere to write text: `process.stdout`, or a buffer in a test. */
export interface Output {
  write(text: string): unknown
  /** A person reads it: progress and colour make sense. */
  readonly isTTY?: boolean
}

/** The world as a command sees it. */
export interface Io {
  readonly stdin: Readable
  readonly stdout: Output
  readonly stderr: Output
  /** Fires when the person wants the command to end; what it has so far is still printed. */
  readonly signal: AbortSignal
}

/** One file per command exports these two. */
export interface CliCommand {
  /** Usage text, ending in a newline. */
  readonly help: string
  /** Runs with the arguments behind the command's name; resolves to the exit code. */
  run(args: string[], io: Io): Promise<number>
}

/** Exit codes of every command. */
export const Exit = {
  /** Did what was asked. */
  ok: 0,
  /** Ran, and the answer is no: nobody there, refused, timed out, not a datagram. */
  failed: 1,
  /** The arguments make no sense; the help says what does. */
  usage: 2,
} as const
