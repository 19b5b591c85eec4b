// `vaiven cat`: netcat for ENet. Prints the packets that arrive, sends the lines that it reads.

import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { createHost, displayAddress } from '../transport/index.ts'
import type { Delivery, EndReason, Peer } from '../transport/index.ts'
import { choice, dialect, DIALECT_HELP, DIALECT_OPTIONS, integer, runCommand, target, UsageError } from './arguments.ts'
import { Exit } from './io.ts'
import type { Io } from './io.ts'
import { aborted, plural, Printer } from './output.ts'

export const help = `usage: vaiven cat HOST:PORT [OPTIONS]

Connects to an ENet server, prints every packet that arrives (channel, delivery, size, bytes), and sends each line of
standard input as one packet, without its newline. At the end of the input it waits until nothing has arrived for
a while, says goodbye and ends; what was sent is delivered first. Packets go to standard output, the rest to standard error.

  --channels N     channels to ask for, 1 to 255                     (default: 3)
  --data N         32 bits for the server to see                     (default: 0)
  --channel N      channel to send on                                (default: 0)
  --delivery WORD  reliable, unreliable or unsequenced               (default: reliable)
  --hex            packets are printed, and lines are read, as hexadecimal bytes
  --linger MS      how long to wait for more at the end of the input (default: 1000)
  --no-stdin       read nothing: print until the connection ends or Ctrl-C
  --timeout MS     how long to wait for a connection                 (default: 5000)
${DIALECT_HELP}
  --json           one JSON object per line: connect, receive, diagnostic, disconnect, failed, summary

Exit code: 0 ended by us or by the server's goodbye, 1 no connection, it was lost, or a line was not hex, 2 wrong usage.

example: echo hello | vaiven cat 127.0.0.1:7777
`

const OPTIONS = {
  channels: { type: 'string' },
  data: { type: 'string' },
  channel: { type: 'string' },
  delivery: { type: 'string' },
  hex: { type: 'boolean' },
  linger: { type: 'string' },
  'no-stdin': { type: 'boolean' },
  timeout: { type: 'string' },
  json: { type: 'boolean' },
  ...DIALECT_OPTIONS,
} as const

const DELIVERIES: readonly Delivery[] = ['reliable', 'unreliable', 'unsequenced']

/** Runs until the input, the connection or the signal ends it. @returns the exit code */
export const run = (args: string[], io: Io): Promise<number> =>
  runCommand('cat', help, OPTIONS, args, io, async ({ values, positionals }) => {
    const { host: name, port } = target(positionals)
    const channels = integer('channels', values.channels, 1, 255, 3)
    const channel = integer('channel', values.channel, 0, channels - 1, 0)
    const data = integer('data', values.data, 0, 0xffffffff, 0)
    const delivery = choice('delivery', values.delivery, DELIVERIES, 'reliable')
    const lingerMs = integer('linger', values.linger, 0, 86_400_000, 1000)
    const timeoutMs = integer('timeout', values.timeout, 1, 3_600_000, 5000)
    const out = new Printer(io, values.json)
    const note = (event: string, fields: Record<string, unknown>, text: string): void => {
      if (out.json) out.line(event, fields, '')
      else io.stderr.write(`${text}\n`)
    }
    await using host = await createHost({ client: true, ...dialect(values) })
    host.on('diagnostic', ({ code, message }) => note('diagnostic', { code, message }, `note: ${message}`))

    const peer = await host.connect({ host: name, port, channels, data, timeoutMs, signal: io.signal })
    const granted = peer.channelCount
    if (channel >= granted) throw new UsageError(`--channel is ${channel}, but the server granted ${plural(granted, 'channel')}`)
    const fields = { host: displayAddress(peer.address), port, channels: granted, mtu: peer.stats.mtu }
    note('connect', fields, `connected to ${displayAddress(peer.address, peer.port)}: ${plural(granted, 'channel')}`)

    let received = 0
    let lastAt = performance.now()
    host.on('receive', (_, from, packet, how) => {
      received += 1
      lastAt = performance.now()
      const hex = Buffer.from(packet.buffer, packet.byteOffset, packet.length).toString('hex')
      const text = printable(packet)
      out.line(
        'receive',
        { channel: from, delivery: how, length: packet.length, hex, ...(text === null ? {} : { text }) },
        `#${from} ${how} ${packet.length} B  ${values.hex === true ? hex : (text ?? escaped(packet))}`,
      )
    })
    let ending: { reason: EndReason; data: number } | null = null
    const over = new Promise<void>((resolve) => {
      host.on('disconnect', (_, how) => {
        ending = how
        resolve()
      })
      void aborted(io.signal).then(resolve)
    })

    const input = values['no-stdin'] === true ? null : sendLines(io, peer, { channel, delivery, hex: values.hex === true }, over)
    const sent = input === null ? (await over, { packets: 0, bad: 0 }) : await input
    // Answers to the last line may still be under way.
    while (ending === null && !io.signal.aborted) {
      const restMs = lastAt + lingerMs - performance.now()
      if (restMs <= 0 && peer.queuedBytes === 0) break
      await Promise.race([over, new Promise((resolve) => setTimeout(resolve, Math.max(restMs, 10)))])
    }

    const ended = ending as { reason: EndReason; data: number } | null
    if (ended !== null) note('disconnect', ended, `the connection ended: ${ended.reason}, data ${ended.data}`)
    await host.close({ timeoutMs: io.signal.aborted ? 1_000 : 10_000 })
    note('summary', { sent: sent.packets, received, notHex: sent.bad }, `${plural(sent.packets, 'packet')} sent, ${received} received`)
    return (ended === null || ended.reason === 'remote') && sent.bad === 0 ? Exit.ok : Exit.failed
  })

/** Sends one packet per line until the input ends or `over` resolves. */
const sendLines = async (
  io: Io,
  peer: Peer,
  how: { channel: number; delivery: Delivery; hex: boolean },
  over: Promise<void>,
): Promise<{ packets: number; bad: number }> => {
  const lines = createInterface({ input: io.stdin, crlfDelay: Infinity })
  const sent = { packets: 0, bad: 0 }
  lines.on('line', (line) => {
    if (peer.state !== 'connected') return
    const packet = how.hex ? fromHex(line) : Buffer.from(line)
    if (packet === null) {
      sent.bad += 1
      io.stderr.write(`vaiven cat: not hexadecimal, not sent: ${line}\n`)
      return
    }
    sent.packets += 1
    if (peer.send(how.channel, packet, how.delivery)) return
    // The queue is full enough; reading goes on when it has shrunk.
    lines.pause()
    peer.drained().then(() => lines.resume(), () => lines.close())
  })
  await Promise.race([over, once(lines, 'close')])
  lines.close()
  io.stdin.destroy()
  return sent
}

const fromHex = (line: string): Buffer | null => {
  const digits = line.replace(/\s+/g, '')
  return digits.length % 2 === 0 && /^[0-9a-f]*$/i.test(digits) ? Buffer.from(digits, 'hex') : null
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The packet as text, or `null` when it is not printable UTF-8. */
const printable = (packet: Uint8Array): string | null => {
  try {
    const text = decoder.decode(packet)
    // A terminal obeys control characters; tabs and newlines do no harm, but would break the line.
    return /\p{Cc}/u.test(text) ? null : text
  } catch {
    return null
  }
}

const escaped = (packet: Uint8Array): string => {
  let text = ''
  for (const byte of packet) {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x5c
    text += plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`
  }
  return text
}
