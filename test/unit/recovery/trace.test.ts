// `host.trace`: why a message was late, step by step.

import t from 'tap'
import { Host } from '../../../src/transport/core/host.ts'
import { Network } from '../../../src/transport/simulator/index.ts'
import type { DeliveryTrace, HostEvent } from '../../../src/transport/types.ts'

for (const extension of [false, true]) {
  t.test(`a lost message is traced from its sending to its acknowledgement (${extension ? 'reports' : 'plain acknowledgements'})`, (t) => {
    const network = new Network({ seed: 1, path: { latencyMs: 50 }, hash: false })
    const host = new Host({ seed: 1, extension })
    network.add<HostEvent>('sender', host)
    const far = network.add<HostEvent>('receiver', new Host({ seed: 2 }))
    const peer = host.connect(far.address, { channels: 2 })
    network.runFor(1000)
    for (let i = 0; i < 30; i++) {
      peer.send(0, new Uint8Array(20))
      network.runFor(150)
    }
    const steps: DeliveryTrace[] = []
    host.trace = (step) => steps.push(step)
    let lost = 0
    network.link('sender', 'receiver').filter = () => lost++ > 0
    const start = network.now
    peer.send(1, new Uint8Array(20))
    network.runFor(400)
    const mine = steps.filter(({ channel }) => channel === 1)
    t.same(mine.slice(0, 3).map(({ what }) => what), ['sent', 'suspected', 'repeated'])
    t.ok(mine.some(({ what }) => what === 'copied'))
    t.equal(mine.filter(({ what }) => what === 'acknowledged').length, 1)
    for (const step of mine) t.same([step.peer, step.sequence, step.sentAt], [peer, 1, start])
    const [sent, suspected, repeated] = mine as [DeliveryTrace, DeliveryTrace, DeliveryTrace]
    t.equal(suspected.datagram, sent.datagram, 'it says which datagram was missed')
    t.not(repeated.datagram, sent.datagram)
    const acknowledged = mine.find(({ what }) => what === 'acknowledged') as DeliveryTrace
    t.equal(acknowledged.datagram, repeated.datagram, 'and which one arrived')
    t.ok(Math.abs(acknowledged.at - repeated.at - 100) < 1)
    t.same([sent.transmissions, repeated.transmissions], [1, 2])
    host.trace = null
    peer.send(1, new Uint8Array(20))
    network.runFor(400)
    t.equal(steps.filter(({ sequence, channel }) => channel === 1 && sequence === 2).length, 0, 'and none when it is taken away')
    t.end()
  })
}

t.test('peers that come later are traced, too', (t) => {
  const network = new Network({ seed: 1, path: { latencyMs: 5 }, hash: false })
  const host = new Host({ seed: 1 })
  const steps: DeliveryTrace[] = []
  host.trace = (step) => steps.push(step)
  const far = network.add<HostEvent>('server', host, {
    onEvent: (event) => {
      if (event.type === 'connect') event.peer.send(0, new Uint8Array(5))
    },
  })
  const client = new Host({ seed: 2 })
  network.add<HostEvent>('client', client)
  client.connect(far.address)
  network.runFor(300)
  t.same(steps.filter(({ channel }) => channel === 0).map(({ what }) => what), ['sent', 'acknowledged'])
  t.end()
})
