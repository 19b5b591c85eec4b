import fc from 'fast-check'
import t from 'tap'
import { decodeMessage, defineNode, encodeMessage, property, rpc, t as c } from '../../src/rpc/index.ts'
import type { RpcMessage } from '../../src/rpc/index.ts'
import { ClientClock, ServerClock } from '../../src/session/clock.ts'
import { LEAVE_REASONS } from '../../src/session/endings.ts'
import { covers, SERVER_ID } from '../../src/session/ids.ts'
import { Introductions } from '../../src/session/introductions.ts'
import { nativeFraming } from '../../src/session/native-framing.ts'
import type { SystemMessage } from '../../src/session/system-messages.ts'
import { clipText } from '../../src/session/system-messages.ts'
import { ByteReader, ByteWriter } from '../../src/util/bytes.ts'
import { Timers } from '../../src/util/timers.ts'
import type { Timer } from '../../src/util/timers.ts'
import { holds } from '../support/holds.ts'
import { GameBench } from '../support/game-bench.ts'

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a, plain) === JSON.stringify(b, plain)
const plain = (_: string, value: unknown): unknown => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value)

const text = (max: number) => fc.string({ unit: 'grapheme', maxLength: max })
const u32 = fc.nat(0xffffffff)
const clientId = fc.integer({ min: 2, max: 0x7fffffff })
const bytes = fc.uint8Array({ maxLength: 40 })

t.test('bytes', (t) => {
  const field = fc.oneof(
    fc.record({ kind: fc.constant('u8' as const), value: fc.nat(0xff) }),
    fc.record({ kind: fc.constant('u24' as const), value: fc.nat(0xffffff) }),
    fc.record({ kind: fc.constant('u32' as const), value: u32 }),
    fc.record({ kind: fc.constant('varint' as const), value: fc.oneof(fc.nat(300), u32) }),
    fc.record({ kind: fc.constant('f64' as const), value: fc.double({ noNaN: true }) }),
    fc.record({ kind: fc.constant('text' as const), value: text(30) }),
  )
  holds(t, 'what was written is read, and nothing is left', fc.property(fc.array(field), (fields) => {
    const writer = new ByteWriter(1)
    for (const { kind, value } of fields) (writer[kind] as (v: unknown) => ByteWriter)(value)
    const reader = new ByteReader(writer.take())
    return fields.every(({ kind, value }) => Object.is(kind === 'text' ? reader.text(1000) : reader[kind](), value)) && reader.finished
  }))
  holds(t, 'a reader never reads past the end, whatever it is asked', fc.property(bytes, fc.array(
    fc.constantFrom('u8', 'u24', 'u32', 'varint', 'f64', 'text', 'rest'),
  ), (input, asks) => {
    const reader = new ByteReader(input)
    for (const ask of asks) {
      if (ask === 'text') reader.text(20)
      else (reader[ask as 'u8'] as () => unknown)()
    }
    return reader.position <= input.length
  }))
  holds(t, 'a number has one encoding only: what a reader accepts, the writer would have written', fc.property(bytes, (input) => {
    const reader = new ByteReader(input)
    const value = reader.varint()
    return reader.failed || same(new ByteWriter().varint(value).take(), input.subarray(0, reader.position))
  }))
  holds(t, 'a clipped text fits, is a beginning of the text, and is whole characters', fc.property(text(200), fc.nat(100), (long, max) => {
    const short = clipText(long, max)
    return Buffer.byteLength(short) <= max && long.startsWith(short) && Buffer.from(short).toString() === short
  }))
  t.end()
})

t.test('deadlines', (t) => {
  holds(t, 'a heap of deadlines runs what a sorted list would run', fc.property(fc.array(
    fc.oneof(fc.record({ set: fc.nat(50) }), fc.record({ cancel: fc.nat(20) }), fc.record({ advance: fc.nat(60) })),
  ), (steps) => {
    const timers = new Timers()
    const made: Timer[] = []
    const model = new Map<Timer, number>()
    let ran: Timer[] = []
    for (const step of steps) {
      if ('set' in step) {
        const timer: Timer = timers.set(step.set, () => ran.push(timer))
        made.push(timer)
        model.set(timer, step.set)
      } else if ('cancel' in step) {
        const timer = made[step.cancel]
        if (timer !== undefined) {
          timers.cancel(timer)
          model.delete(timer)
        }
      } else {
        ran = []
        timers.advance(step.advance)
        const due = [...model].filter(([, at]) => at <= step.advance).map(([timer]) => timer)
        for (const timer of due) model.delete(timer)
        if (ran.length !== due.length || due.some((timer) => !ran.includes(timer))) return false
        if (ran.some((timer, i) => i > 0 && timer.at < ran[i - 1]!.at)) return false
      }
      if (timers.size !== model.size || timers.deadline() !== Math.min(Infinity, ...model.values())) return false
    }
    return true
  }))
  t.end()
})

const system: fc.Arbitrary<SystemMessage> = fc.oneof(
  fc.record({ kind: fc.constant('hello' as const), version: fc.nat(255), data: bytes }),
  fc.record({ kind: fc.constant('welcome' as const), version: fc.nat(255), seat: u32, relay: fc.boolean() }),
  fc.record({ kind: fc.constant('add' as const), id: clientId, seat: fc.integer({ min: 2, max: 0xffffffff }) }),
  fc.record(
    {
      kind: fc.constant('remove' as const),
      id: fc.constant(0),
      seat: u32,
      reason: fc.constantFrom(...LEAVE_REASONS),
      data: u32,
      text: text(60),
    },
  ),
  fc.record({ kind: fc.constant('bye' as const), code: u32, text: text(60) }),
  fc.record({ kind: fc.constant('drain' as const), withinMs: u32, text: text(60) }),
  fc.record({ kind: fc.constant('roomJoined' as const), name: text(10) }),
  fc.record({ kind: fc.constant('roomLeft' as const), text: text(60) }),
  fc.record({ kind: fc.constant('seen' as const), count: u32 }),
  fc.record({ kind: fc.constant('clockAsk' as const), token: u32 }),
  fc.record({ kind: fc.constant('clockAnswer' as const), token: u32, timeMs: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }) }),
)

const ids = [7, 900, 70_000]
const seats = {
  seatOf: (id: number) => (id === 1 ? 1 : ids.indexOf(id) + 2),
  idOf: (seat: number) => (seat === 1 ? 1 : (ids[seat - 2] ?? 0)),
}
const context = (ownId: number, linkId: number) => ({ ownId, linkId, seatsOf: () => seats })

t.test('framing', (t) => {
  holds(t, 'system messages come back as they were written', fc.property(system, fc.nat(0xffffffff), (message, scope) => {
    const packet = nativeFraming.decode(1, nativeFraming.encodeSystem(message, scope, true)!, context(1, 7))
    return packet !== null && packet.scope === scope && same(packet.system, message)
  }))
  const target = fc.oneof(
    fc.constantFrom(0, 1, ...ids.slice(1), -1, ...ids.slice(1).map((id) => -id)),
    fc.uniqueArray(fc.constantFrom(1, ...ids.slice(1))),
  )
  holds(t, 'a client\'s packet arrives with its target, and with the source that owns the connection', fc.property(fc.constantFrom(
    'message' as const,
    'rpc' as const,
  ), fc.nat(300), target, bytes, (lane, scope, to, payload) => {
    const sent = nativeFraming.encode({ lane, scope, source: 7, target: to, payload, system: null }, true, seats)
    const got = nativeFraming.decode(1, sent, context(1, 7))
    return same(got, { lane, scope, source: 7, target: to, payload, system: null })
  }))
  const sources = fc.constantFrom(1, 900, 70_000)
  holds(t, 'a server\'s packet arrives with its source', fc.property(sources, fc.nat(300), bytes, (source, scope, payload) => {
    const sent = nativeFraming.encode({ lane: 'rpc', scope, source, target: 0, payload, system: null }, false, seats)
    return same(nativeFraming.decode(1, sent, context(7, 1)), { lane: 'rpc', scope, source, target: 7, payload, system: null })
  }))
  holds(t, 'between a client and its server the header is one byte', fc.property(bytes, (payload) => {
    const packet = { lane: 'rpc' as const, scope: 0, payload, system: null }
    return nativeFraming.encode({ ...packet, source: 7, target: 1 }, true, seats).length === payload.length + 1
      && nativeFraming.encode({ ...packet, source: 1, target: 7 }, false, seats).length === payload.length + 1
  }))
  const anything = fc.uint8Array({ maxLength: 80 })
  holds(t, 'any bytes at all are a packet or null, never an exception', fc.property(anything, fc.boolean(), (input, atServer) => {
    nativeFraming.decode(1, input, atServer ? context(1, 7) : context(7, 1))
    return true
  }), { numRuns: 5000 })
  holds(t, 'targets cover whom they say', fc.property(fc.constantFrom(...ids), fc.constantFrom(1, ...ids), (source, id) =>
    covers(0, source, id) === (id !== source) && covers(id, source, id) === (id !== source) && !covers(-id, source, id)
      && covers([id], source, id) === (id !== source)
      && covers(SERVER_ID, source, id) === (id === 1)))
  t.end()
})

const member = fc.oneof(
  fc.record({ key: fc.nat(0xffffff), instance: u32 }),
  fc.record({ path: text(20), name: text(20) }),
)
const message: fc.Arbitrary<RpcMessage> = fc.oneof(
  fc.record({ kind: fc.constantFrom('call' as const, 'set' as const), member, values: bytes }),
  fc.record({ kind: fc.constant('request' as const), member, id: u32, values: bytes }),
  fc.record({ kind: fc.constant('reply' as const), named: fc.boolean(), id: u32, values: bytes }),
  fc.record({ kind: fc.constant('failure' as const), id: u32, code: fc.nat(255), text: text(40), details: bytes }),
  fc.record({ kind: fc.constant('cancel' as const), id: u32 }),
  fc.record({ kind: fc.constant('offer' as const), contracts: fc.array(fc.record({ name: text(20), fingerprint: u32 })) }),
  fc.record(
    {
      kind: fc.constant('details' as const),
      node: text(20),
      members: fc.array(fc.record({ key: fc.nat(0xffffff), name: text(10), signature: text(40) })),
    },
  ),
)

/** With keys in one order, so that only values count. */
const sorted = (m: unknown): unknown =>
  JSON.parse(JSON.stringify(m, (_, v: unknown) => {
    if (v instanceof Uint8Array) return Buffer.from(v).toString('hex')
    if (typeof v !== 'object' || v === null || Array.isArray(v)) return v
    return Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
  }))

t.test('rpc messages', (t) => {
  holds(t, 'messages come back as they were written', fc.property(message, (m) => same(sorted(decodeMessage(encodeMessage(m))), sorted(m))))
  holds(t, 'any bytes at all are a message or null, never an exception', fc.property(fc.uint8Array({ maxLength: 80 }), (input) => {
    decodeMessage(input)
    return true
  }), { numRuns: 5000 })
  t.end()
})

t.test('introductions', (t) => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('begin' as const), id: fc.nat(2) }),
    fc.record({ do: fc.constant('hold' as const), id: fc.nat(2) }),
    fc.record({ do: fc.constant('ack' as const), number: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ do: fc.constant('seen' as const), number: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ do: fc.constant('cancel' as const), id: fc.nat(2) }),
  )
  const law = 'what was held comes out once, in order, and only when everything introduced before it is settled'
  holds(t, law, fc.property(fc.boolean(), fc.array(step, { maxLength: 30 }), (native, steps) => {
    const introductions = new Introductions()
    const acknowledged = new Set<number>()
    /** Of each subject's latest introduction: its number. */
    const latest = new Map<number, number>()
    /** What waits: number of the packet → [subject, number of the introduction]. */
    const held = new Map<number, [id: number, number: number]>()
    let packets = 0
    const settledThrough = (): number => {
      let n = 0
      while (acknowledged.has(n + 1)) n++
      return n
    }
    const isPending = (id: number): boolean => latest.has(id) && latest.get(id)! > settledThrough()
    for (const s of steps) {
      if (s.do === 'begin') latest.set(s.id, introductions.begin(0, s.id))
      else if (s.do === 'hold' && isPending(s.id)) {
        const packet = { channel: 2, bytes: Uint8Array.of(packets), delivery: 'unsequenced' as const }
        if (introductions.hold(0, s.id, packet, true) !== 'held') return false
        held.set(packets++, [s.id, latest.get(s.id)!])
      } else if (s.do === 'ack' || s.do === 'seen') {
        // A connection knows one kind of answer only.
        if (s.number > introductions.made || native !== (s.do === 'seen')) continue
        if (s.do === 'ack') acknowledged.add(s.number)
        else for (let n = 1; n <= s.number; n++) acknowledged.add(n)
        const released = (s.do === 'ack' ? introductions.acknowledge(s.number) : introductions.seen(s.number)).map(({ bytes: [n] }) => n!)
        const free = [...held].filter(([, [, number]]) => number <= settledThrough())
        const expected = free.sort(([a, [, x]], [b, [, y]]) => x - y || a - b).map(([n]) => n)
        if (String(released) !== String(expected)) return false
        for (const n of released) held.delete(n)
      } else if (s.do === 'cancel' && latest.has(s.id)) {
        introductions.cancel(0, s.id)
        for (const [n, [, number]] of held) if (number === latest.get(s.id)) held.delete(n)
        latest.delete(s.id)
      }
      for (const id of [0, 1, 2]) if (introductions.isPending(0, id) !== isPending(id)) return false
    }
    return true
  }), { numRuns: 3000 })
  t.end()
})

t.test('clock', (t) => {
  const trip = fc.record(
    {
      gap: fc.double({ min: 1, max: 3000, noNaN: true }),
      out: fc.double({ min: 0.1, max: 500, noNaN: true }),
      back: fc.double({ min: 0.1, max: 500, noNaN: true }),
      lost: fc.boolean(),
    },
  )
  holds(t, 'whatever the delays both ways and a drift of 100 ppm, the error is within the bound and time never runs backwards', fc.property(
    fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.double({ min: -99e-6, max: 99e-6, noNaN: true }), fc.array(
      trip,
      { minLength: 1, maxLength: 40 },
    ),
    (offset, drift, trips) => {
      let real = 0
      const server = new ServerClock(() => real)
      const client = new ClientClock(() => real * (1 + drift) + offset)
      let latest = 0
      let bounded = true
      const look = (): void => {
        const shown = client.now()
        if (shown < latest) bounded = false
        latest = shown
        // The start of the session is never before 0, and a bound needs an answer.
        if (client.synchronised && Math.abs(shown - server.now()) > client.errorMs + 1e-6) bounded = false
      }
      for (const { gap, out, back, lost } of trips) {
        real += gap
        look()
        const token = client.ask()
        real += out
        const time = server.now()
        real += back
        if (!lost) client.answer(token, time)
        look()
      }
      return bounded
    }), { numRuns: 2000 })
  holds(t, 'answers that were never asked for, or come twice, change nothing', fc.property(u32, fc.double({
    min: 0,
    max: 1e9,
    noNaN: true,
  }), (token, time) => {
    let local = 5
    const client = new ClientClock(() => local)
    const asked = client.ask()
    local = 15
    client.answer(asked, 100)
    const before = [client.now(), client.errorMs]
    client.answer(token === asked ? token + 1 : token, time)
    client.answer(asked, time)
    return same([client.now(), client.errorMs], before)
  }))
  t.end()
})

t.test('hostile bytes cost their sender only', (t) => {
  const Node = defineNode(
    'node',
    { f: rpc.remote(c.record({ a: c.u8, b: c.array(c.string) })), g: rpc.remote(c.u8).returns(c.u8), p: property.remote(c.any) },
    { dynamic: true },
  )
  const bench = new GameBench({ server: { kickAfter: false, channels: 5 } })
  const [attacker, victim] = bench.join(2, { channels: 5 })
  let ran = 0
  const errors: unknown[] = []
  for (const { session } of [bench.server, victim!]) {
    session.on('error', (error) => errors.push(error))
    session.attach(
      Node,
      { f: ({ a, b }) => void (ran += Number.isInteger(a) && b.every((x) => typeof x === 'string') ? 1 : NaN), g: (n) => n },
    )
  }
  const key = Node.list[0]!.key
  // Random bytes, and beginnings that lead into every part of the code.
  const start = fc.constantFrom(
    [],
    [0],
    [1],
    [2],
    [5],
    [9],
    [0x0d, 0, key & 255, (key >> 8) & 255, key >> 16],
    [0x01, 1, key & 255],
    [0x11, 3, 1, 2],
    [0x21, 1],
    [2, 1, 1],
    [2, 11],
    [2, 3],
    [2, 7, 1],
    [1, 6, 1],
    [1, 0x10, 4, 110, 111, 100, 101, 1, 102],
  )
  holds(t, 'no exception, no error, no handler with data outside its schema, nobody disconnected', fc.property(
    fc.array(
      fc.record(
        {
          start,
          rest: fc.uint8Array({ maxLength: 60 }),
          channel: fc.nat(4),
          delivery: fc.constantFrom('reliable' as const, 'unsequenced' as const),
        },
      ),
      { minLength: 1, maxLength: 10 },
    ),
    (packets) => {
      const [peer] = [...attacker!.host.peers]
      for (const { start: head, rest, channel, delivery } of packets) peer!.send(channel, Uint8Array.from([...head, ...rest]), delivery)
      bench.network.runFor(20)
      // A goodbye in the bytes is a legal wish.
      return errors.length === 0 && !Number.isNaN(ran) && victim!.session.state === 'open'
        && bench.server.session.peers.has(attacker!.session.id)
    }), { numRuns: 1500 })
  t.same(bench.server.session.calls.dispatcher.tables.pending, 0)
  t.end()
})
