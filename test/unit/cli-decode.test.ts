// `vaiven decode` as its users call it: arguments, files and standard input in, text or JSON lines and an exit code out.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { help, run } from '../../src/cli/decode.ts'
import { captureFiles, capturePath, readCapture } from '../support/captures.ts'

const decode = async (args: string[], input: Readable | string = '', signal = new AbortController().signal):
Promise<{ code: number; out: string; err: string }> => {
  let out = ''
  let err = ''
  const code = await run(args, {
    stdin: typeof input === 'string' ? Readable.from([input]) : input,
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    signal,
  })
  return { code, out, err }
}

t.test('a datagram given as an argument is explained', async (t) => {
  t.same(await decode(['8000cd358600000100056865 6c6c6f']), {
    code: 0,
    out: 'datagram of 15 bytes: peerId=0 session=0 sentTime=52533\n  SEND_RELIABLE+A channel=0 sequence=1 length=5 "hello"\n',
    err: '',
  })
})

t.test('each argument is a datagram, but single bytes are one together', async (t) => {
  const two = await decode(['8000000185ff0001', '0x80:00:00:02 85ff0002'])
  t.equal(two.code, 0)
  t.equal(two.out.match(/^datagram/gm)?.length, 2)
  const one = await decode('80 00 0x00 01 85 ff 00 01'.split(' '))
  t.equal(one.out, 'datagram of 8 bytes: peerId=0 session=0 sentTime=1\n  PING+A channel=255 sequence=1\n')
})

t.test('the exit code tells whether everything was explained', async (t) => {
  t.equal((await decode(['8000000185ff0001'])).code, 0)
  t.equal((await decode(['8000000185ff0001ffff'])).code, 1, 'bytes are left over')
  t.equal((await decode(['8000'])).code, 1, 'no complete header')
  const wrong = 'cffffcb072333d3b837b88b1fdf1df576b999b36fcbc3cfb8a54df98ab2be6c9a76edb48f48294916db0'
  t.equal((await decode([wrong])).code, 1, 'wrong checksum')
})

t.test('lines of standard input are datagrams; # begins a comment', async (t) => {
  const { code, out } = await decode([], '# two pings\n80 00 00 01 85 ff 00 01  # the first\n\n80000002 85ff0002\n')
  t.equal(code, 0)
  t.equal(out.match(/PING/g)?.length, 2)
})

t.test('a file may hold lines of hex, JSON lines or a JSON list', async (t) => {
  const file = join(t.testdir({}), 'datagrams')
  for (const text of [
    '8000000185ff0001\n8000000285ff0002',
    '{"hex":"8000000185ff0001","note":1}\n{"hex":"8000000285ff0002"}\n',
    '[{"hex":"8000000185ff0001"},"8000000285ff0002"]',
  ]) {
    writeFileSync(file, text)
    const { code, out } = await decode(['--file', file])
    t.equal(code, 0)
    t.equal(out.match(/PING/g)?.length, 2, text)
  }
})

t.test('captures are read as they are, and their checksums verified with the connect ids seen', async (t) => {
  for (const name of captureFiles()) {
    const { code, out } = await decode(['--json', '--file', fileURLToPath(capturePath(name))])
    const objects = out.trimEnd().split('\n').map((line) => JSON.parse(line) as { header: { checksum: { verdict: string } | null } })
    t.equal(code, 0, name)
    t.equal(objects.length, readCapture(name).length)
    const withChecksum = objects.filter(({ header }) => header.checksum !== null)
    t.equal(withChecksum.length, name.includes('crc32') ? objects.length : 0)
    t.ok(withChecksum.every(({ header }) => header.checksum?.verdict === 'correct'), `${name}: all checksums are right`)
  }
})

t.test('--json has numbers, payloads in hex, and one object in a line', async (t) => {
  const { out } = await decode(['--json', 'a003 1234 86 00 0001 0002 6869 0f'])
  t.same(JSON.parse(out), {
    bytes: 13,
    header: { peerId: 3, session: 2, sentTime: 0x1234, checksum: null, compression: null },
    commands: [{ name: 'SEND_RELIABLE', flags: '+A', channel: 0, sequence: 1, length: 2, payload: '6869' }],
    rest: { hex: '0f', reason: 'too short for a command' },
    problem: null,
    remarks: [],
  })
})

t.test('the dialect can be given', async (t) => {
  const data = '8000dc8b23e02d0701ff00010001dc8b86000001000500070e151c'
  t.match((await decode([data, '--checksum'])).out, 'checksum=23e02d07 (unverified)')
  t.match((await decode([data, '--connect-id', 'a1503c2e'])).out, 'checksum=23e02d07 (correct)')
  const without = await decode([data, '--no-checksum'])
  t.notMatch(without.out, 'checksum=')
  t.equal(without.code, 1)
})

t.test('wrong usage is told on standard error, with exit code 2', async (t) => {
  const cases: [string[], RegExp, string?][] = [
    [['--nonsense'], /Unknown option '--nonsense'[^]*usage: vaiven decode/],
    [['xyz'], /datagram 1 is not hex.*xyz/],
    [['8000000185ff0001', '123'], /datagram 2 is not hex.*123/],
    [[], /no datagram given/],
    [['--file', '/nonexistent/datagrams'], /cannot read \/nonexistent\/datagrams/],
    [['8000', '--file', 'x'], /not both/],
    [['8000', '--checksum', '--no-checksum'], /exclude each other/],
    [['8000', '--connect-id', '12'], /--connect-id 12: eight hex digits/],
    [[], /JSON/, '[{"hex":'],
    [[], /"hex" field/, '[{"bytes":"8000"}]'],
  ]
  for (const [args, expected, input] of cases) {
    const { code, err } = await decode(args, input)
    t.equal(code, 2, args.join(' '))
    t.match(err, expected)
  }
})

t.test('help is on standard output, and shows every option', async (t) => {
  const { code, out, err } = await decode(['--help'])
  t.same({ code, out, err }, { code: 0, out: help, err: '' })
  for (const option of ['--file', '--json', '--checksum', '--no-checksum', '--connect-id']) t.match(help, option)
})

t.test('the examples of the help work', async (t) => {
  const examples = [...help.matchAll(/^(?:example:)? +vaiven decode (.*?)(?: {2,}.*)?$/gm)].map((match) => match[1] ?? '')
  t.equal(examples.length, 2)
  for (const example of examples) t.match(await decode(example.split(' ')), { code: 0, out: /"hello"/ }, example)
})

t.test('Ctrl-C ends the wait for standard input', async (t) => {
  const abort = new AbortController()
  const ended = decode([], new PassThrough(), abort.signal)
  abort.abort()
  t.same(await ended, { code: 1, out: '', err: '' })
})
