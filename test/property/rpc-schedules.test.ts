import fc from 'fast-check'
import t from 'tap'
import { defineNode, rpc, t as c } from '../../src/rpc/index.ts'
import type { CallContext } from '../../src/rpc/index.ts'
import { holdsAsync } from '../support/holds.ts'
import { Mesh } from '../support/rpc-wire.ts'

// A schedule is a list of things that happen to three peers who call each other. Whatever happens, in whatever order: every promise
// settles exactly once, with a value only if the handler gave it, and no table holds anything that nobody waits for.

const Node = defineNode('node', { ask: rpc.remote(c.u8).returns(c.u8).unreliable() })

type Step =
  | { do: 'call'; from: number; to: number; behaviour: number; timeoutMs: number; abortable: boolean }
  | { do: 'abort'; which: number }
  | { do: 'answer'; which: number; fail: boolean }
  | { do: 'deliver'; index: number }
  | { do: 'lose'; index: number }
  | { do: 'double'; index: number }
  | { do: 'wait'; ms: number }
  | { do: 'leave'; who: number }
  | { do: 'turn' }

const peer = fc.constantFrom(1, 20, 30)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record(
      {
        do: fc.constant('call' as const),
        from: peer,
        to: peer,
        behaviour: fc.nat(3),
        timeoutMs: fc.constantFrom(5, 50, Infinity),
        abortable: fc.boolean(),
      },
    ),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), which: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('answer' as const), which: fc.nat(9), fail: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('deliver' as const), index: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), index: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('double' as const), index: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(60) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), who: fc.constantFrom(20, 30) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'turn' as const }) },
)

/** A value only if the handler gave it. */
const LEGAL_OUTCOME = /^(value (42|7)|ERR_(REMOTE|TIMEOUT|ABORTED|DISCONNECTED|NOT_CONNECTED|CLOSED))$/

const run = async (steps: readonly Step[]): Promise<void> => {
  const mesh = new Mesh([1, 20, 30])
  /** Handlers that have not answered yet. */
  const working: { finish: (value: number) => void; fail: (error: Error) => void; context: CallContext }[] = []
  for (const { dispatcher } of mesh.peers.values()) {
    dispatcher.attach(Node, {
      ask: (behaviour, context) => {
        if (behaviour === 0) return 42
        if (behaviour === 1) throw new Error('no')
        return new Promise<number>((finish, fail) => working.push({ finish, fail, context }))
      },
    }, 0)
  }
  mesh.deliverAll()
  const everybody = [...mesh.peers.values()]
  const controllers: AbortController[] = []
  const settled: string[][] = []
  for (const s of steps) {
    if (s.do === 'call') {
      const from = mesh.peers.get(s.from)
      if (from === undefined || s.from === s.to) continue
      const controller = new AbortController()
      const outcome: string[] = []
      settled.push(outcome)
      if (s.abortable) controllers.push(controller)
      const options = { timeoutMs: s.timeoutMs, ...(s.abortable ? { signal: controller.signal } : {}) }
      from.dispatcher.request(from.dispatcher.registry.node('node')!.members.get('ask')!, s.to, [s.behaviour], options).then(
        (value) => outcome.push(`value ${String(value)}`),
        (error: { code: string }) => outcome.push(error.code),
      )
    } else if (s.do === 'abort') controllers[s.which % Math.max(1, controllers.length)]?.abort()
    else if (s.do === 'answer') {
      const [work] = working.splice(s.which % Math.max(1, working.length), 1)
      if (s.fail) work?.fail(new Error('late no'))
      else work?.finish(7)
    } else if (s.do === 'deliver') mesh.deliver(s.index % Math.max(1, mesh.mail.length))
    else if (s.do === 'lose') mesh.mail.splice(s.index, 1)
    else if (s.do === 'double') {
      if (mesh.mail[s.index] !== undefined) mesh.mail.push(mesh.mail[s.index]!)
    } else if (s.do === 'wait') mesh.advance(s.ms)
    else if (s.do === 'leave') mesh.leave(s.who)
    else await Promise.resolve()
  }
  // The end: everything under way arrives, handlers that still work answer, time runs out, everybody leaves.
  mesh.deliverAll()
  mesh.advance(1000)
  for (const { dispatcher } of everybody) {
    const { pending, open } = dispatcher.tables
    // Only calls without a timeout may still wait, and every open handler has a caller that may still be waiting.
    if (pending > settled.length || open > steps.length + 10) throw new Error('a table grew beyond what was ever asked')
  }
  for (const id of [20, 30, 1]) mesh.leave(id)
  for (const work of working) {
    if (!work.context.signal.aborted) throw new Error('a handler was never told that nobody waits')
    work.finish(1)
  }
  for (let i = 0; i < 6; i++) await Promise.resolve()
  for (const outcome of settled) {
    if (outcome.length !== 1) throw new Error(`a promise settled ${outcome.length} times: ${outcome.join(', ')}`)
    if (!LEGAL_OUTCOME.test(outcome[0]!)) throw new Error(`settled as ${outcome[0]}`)
  }
  for (const { dispatcher, id } of everybody) {
    const { pending, open, running } = dispatcher.tables
    if (pending + open + running > 0) throw new Error(`peer ${id} is left with ${JSON.stringify(dispatcher.tables)}`)
  }
  if (mesh.timers.size > 0) throw new Error(`${mesh.timers.size} deadlines are left`)
}

t.test('10,000 random schedules of call, abort, timeout, loss, doubling and leaving', async (t) => {
  await holdsAsync(
    t,
    'every promise settles once, and no promise, handler, table entry or deadline is left over',
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), run),
    { numRuns: 10_000 },
  )
})
