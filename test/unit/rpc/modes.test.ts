import t from 'tap'
import { defineNode, nodeHandle, property, rpc, t as c } from '../../../src/rpc/index.ts'
import type { CallContext, Mode } from '../../../src/rpc/index.ts'
import { Mesh } from '../../support/rpc-wire.ts'

// The rule table, exhaustively: 3 peers × 3 masters × 9 modes × 9 kinds of target, for calls and for properties. The model below says
// in prose-like code what Godot's table says, on purpose without the tables of the implementation.

const PEERS = [1, 20, 30]
const MODES: readonly Mode[] = ['remote', 'master', 'puppet', 'remoteSync', 'masterSync', 'puppetSync', 'server', 'serverSync', 'disabled']
const METHODS = defineNode('node', { f: rpc.remote(c.u8), p: property.remote(c.u8) })

type Target = number | number[]
const targetsFor = (self: number): Target[] => {
  const [x, y] = PEERS.filter((id) => id !== self) as [number, number]
  return [0, self, x, y, -x, -self, [x], [x, self], [self]]
}

interface Expected {
  /** The call itself is refused. */
  throws: boolean
  /** Who runs it. */
  runs: number[]
}

/** What Godot's documentation says, spelled out. */
const expected = (mode: Mode, caller: number, master: number, target: Target): Expected => {
  const refused: Expected = { throws: true, runs: [] }
  if (mode === 'disabled') return refused
  if ((mode === 'server' || mode === 'serverSync') && caller !== 1) return refused
  const callerIsMaster = caller === master
  const isSync = mode === 'remoteSync' || mode === 'masterSync' || mode === 'puppetSync' || mode === 'serverSync'
  // "master: runs locally only if the caller is the master"; "puppet: only if the caller is not the master".
  const mayRunLocally = isSync || (mode === 'master' && callerIsMaster) || (mode === 'puppet' && !callerIsMaster)
  if (target === caller) return mayRunLocally ? { throws: false, runs: [caller] } : refused
  if (target === -caller) return refused
  const covers = (id: number): boolean =>
    (Array.isArray(target) ? target.includes(id) : target === 0 || target === id || (target < 0 && id !== -target))
  const runs = mayRunLocally && covers(caller) ? [caller] : []
  // "if the caller is the master it is not sent at all"
  const isSent = !((mode === 'master' || mode === 'masterSync') && callerIsMaster)
  for (const id of isSent ? PEERS : []) {
    if (id === caller || !covers(id)) continue
    const receiverIsMaster = id === master
    if (mode === 'master' || mode === 'masterSync') {
      if (!receiverIsMaster) continue
    } else if (mode === 'puppet' || mode === 'puppetSync') {
      if (receiverIsMaster || !callerIsMaster) continue
    }
    runs.push(id)
  }
  return { throws: false, runs: runs.sort((a, b) => a - b) }
}

for (const kind of ['f', 'p'] as const) {
  for (const mode of MODES) {
    const what = kind === 'f' ? 'calls' : 'properties'
    t.test(`${what} in mode ${mode} run exactly where Godot's table says, for all masters, callers and targets`, (t) => {
      let cases = 0
      for (const master of PEERS) {
        const mesh = new Mesh(PEERS)
        const ran: [peer: number, sender: number, value: number][] = []
        for (const id of PEERS) {
          const note = (value: number, { sender }: CallContext): void => void ran.push([id, sender, value])
          const { dispatcher } = mesh.peer(id)
          const handle = nodeHandle<typeof METHODS.members>(dispatcher, dispatcher.attach(METHODS, { f: note, p: note }, 0))
          handle.master = master
          handle.configure(kind, mode)
        }
        mesh.deliverAll()
        for (const caller of PEERS) {
          for (const target of targetsFor(caller)) {
            ran.length = 0
            cases++
            const label = `master ${master}, ${caller} to ${JSON.stringify(target)}`
            const want = expected(mode, caller, master, target)
            const { dispatcher } = mesh.peer(caller)
            const member = dispatcher.registry.node('node')!.members.get(kind)!
            const act = (): void =>
              (kind === 'f' ? dispatcher.call(member, target, [cases % 256]) : dispatcher.setProperty(member, target, cases % 256))
            if (want.throws) t.throws(act, { code: 'ERR_ARGUMENT' }, label)
            else {
              act()
              // A call is sent before it runs here, a property is set here before it is sent: either way at once.
              t.same(ran.map(([id]) => id), want.runs.filter((id) => id === caller), `${label}: at once, here`)
              mesh.deliverAll()
              t.same(ran.map(([id]) => id).sort((a, b) => a - b), want.runs, label)
              for (const [, sender, value] of ran) t.same([sender, value], [caller, cases % 256])
            }
          }
        }
      }
      t.equal(cases, 81)
      t.end()
    })
  }
}

t.test('the receiver goes by its own declaration, not by the sender\'s', (t) => {
  const mesh = new Mesh(PEERS)
  let ran = 0
  const member = (id: number, mode: Mode) => {
    const { dispatcher } = mesh.peer(id)
    const node = dispatcher.attach(METHODS, { f: () => ran++ }, 0)
    node.members.get('f')!.mode = mode
    return node.members.get('f')!
  }
  const sender = member(20, 'remote')
  const receiver = member(1, 'disabled')
  mesh.peer(20).dispatcher.call(sender, 1, [1])
  mesh.deliverAll()
  t.equal(ran, 0)
  receiver.mode = 'remote'
  mesh.peer(20).dispatcher.call(sender, 1, [1])
  mesh.deliverAll()
  t.equal(ran, 1)
  t.end()
})

t.test('a call is sent first and then run here; a property is set here first', (t) => {
  const mesh = new Mesh([1, 20])
  const order: string[] = []
  const { dispatcher } = mesh.peer(1)
  const note = (name: string) => () => order.push(`${name} with ${mesh.mail.length} sent`)
  const node = dispatcher.attach(defineNode('n', { f: rpc.remoteSync(), p: property.remoteSync(c.u8) }), { f: note('f'), p: note('p') }, 0)
  mesh.deliverAll()
  dispatcher.call(node.members.get('f')!, 0, [])
  mesh.deliverAll()
  dispatcher.setProperty(node.members.get('p')!, 0, 1)
  t.same(order, ['f with 1 sent', 'p with 0 sent'])
  t.end()
})
