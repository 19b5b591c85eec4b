// Rules of loss recovery, each pinned between two hosts: when what was lost leaves again, seen on the wire.

import t from 'tap'
import { describeDatagram } from '../../../src/transport/core/describe.ts'
import type { Conditions } from '../../../src/transport/simulator/index.ts'
import { Network } from '../../../src/transport/simulator/index.ts'
import { Host } from '../../../src/transport/core/host.ts'
import type { HostOptions } from '../../../src/transport/core/options.ts'
import type { HostEvent, Peer } from '../../../src/transport/types.ts'
import { Flight } from '../../support/flight.ts'

interface Scene {
  readonly network: Network
  readonly peer: Peer
  /** Datagrams of the sender since it was connected, with what becomes of them. */
  readonly sent: { at: number; bytes: Uint8Array }[]
  readonly received: { at: number; first: number }[]
  /** Decides: false loses the datagram with that number, counted from `reset`. */
  fate: (index: number) => boolean
}

/** A sender that knows its round trip of 100 ms well, and a receiver with plain acknowledgements unless said otherwise. */
const scene = (options: HostOptions = {}, path: Conditions = { latencyMs: 50 }, receiver: HostOptions = { extension: false }): Scene => {
  const network = new Network({ seed: 5, path, hash: false, trace: (event) => {
    if (event.type === 'sent' && event.from === 'sender') result.sent.push({ at: event.atMs, bytes: event.bytes.slice() })
  } })
  const sender = new Host({ seed: 1, ...options })
  network.add<HostEvent>('sender', sender)
  const far = network.add<HostEvent>('receiver', new Host({ seed: 2, ...receiver }), {
    onEvent: (event) => {
      if (event.type === 'receive') result.received.push({ at: network.now, first: event.bytes[0] ?? -1 })
    },
  })
  const result: Scene = { network, peer: sender.connect(far.address, { channels: 4 }), sent: [], received: [], fate: () => true }
  network.runFor(1000)
  for (let i = 0; i < 40; i++) {
    result.peer.send(0, new Uint8Array(20))
    network.runFor(150)
  }
  result.sent.length = result.received.length = 0
  let index = 0
  network.link('sender', 'receiver').filter = () => result.fate(index++)
  return result
}

const send = ({ peer, network }: Scene, first: number, bytes = 64, channel = 0): number => {
  const packet = new Uint8Array(bytes)
  packet[0] = first
  peer.send(channel, packet)
  return network.now
}

t.test('a single lost message leaves again 100 to 104 ms later, and copies of that follow 5 to 25 ms behind each other', (t) => {
  const one = scene()
  one.fate = (index) => index > 0
  const at = send(one, 1)
  one.network.runFor(90)
  t.equal(one.sent.length, 1)
  one.network.runFor(200)
  const times = one.sent.map((datagram) => datagram.at - at)
  t.ok(times.length >= 4 && times.length <= 6, 'once, again, and copies until something comes back')
  t.ok(times[1]! >= 100 && times[1]! <= 104, `again after ${times[1]} ms`)
  for (const i of [2, 3]) {
    const gap = times[i]! - times[i - 1]!
    t.ok(gap >= 5 && gap <= 25.5, `a copy ${gap} ms behind`)
  }
  t.same(one.received.map(({ first }) => first), [1], 'delivered once')
  t.end()
})

t.test('a message whose repetition is lost, too, arrives within 26 ms of it by a copy', (t) => {
  const one = scene()
  one.fate = (index) => index > 1
  send(one, 1)
  one.network.runFor(400)
  t.equal(one.received.length, 1)
  t.ok(one.received[0]!.at - 50 - one.sent[1]!.at <= 26)
  t.end()
})

t.test('the first later acknowledgement has what was lost sent again in the same turn', (t) => {
  const one = scene()
  one.fate = (index) => index !== 0
  send(one, 1)
  one.network.runFor(0.5)
  const second = send(one, 2)
  one.network.runFor(99.9)
  t.equal(one.sent.length, 2)
  one.network.runFor(0.2)
  t.equal(one.sent.length, 3, 'when the second was acknowledged')
  t.equal(one.sent[2]!.at, second + 100)
  t.end()
})

t.test('acknowledgements in one datagram are judged together, whatever their order', (t) => {
  const flight = new Flight()
  const [five, six, seven] = [flight.leave(), flight.leave(), flight.leave()]
  flight.now += 40
  flight.acknowledge([seven, seven.commands[0]!], [five, five.commands[0]!], [six, six.commands[0]!])
  t.equal(flight.recovery.again.any, false)
  t.same(flight.repeat(), [])
  t.equal(flight.released.length, 3)
  t.end()
})

t.test('a full window of dead bytes does not keep a small message from leaving', (t) => {
  const one = scene()
  one.peer.send(1, new Uint8Array(400_000))
  one.network.runFor(30)
  one.network.link('sender', 'receiver').up = false
  one.network.link('receiver', 'sender').up = false
  one.network.runFor(600)
  const before = one.sent.length
  const at = send(one, 7, 64, 0)
  one.network.runFor(60)
  t.ok(one.sent.length > before, 'it leaves into the dead path')
  one.network.link('sender', 'receiver').up = true
  one.network.link('receiver', 'sender').up = true
  one.network.runFor(3_000)
  const arrived = one.received.find(({ first }) => first === 7)
  t.ok(arrived !== undefined && arrived.at - at < 400, `after ${arrived === undefined ? '-' : arrived.at - at} ms`)
  t.end()
})

t.test('no packet travels in a single fragment, at any size around the border', (t) => {
  const one = scene()
  for (let bytes = 1140; bytes <= 1210; bytes++) {
    one.peer.send(0, new Uint8Array(bytes))
    one.peer.send(1, new Uint8Array(bytes), 'unreliable')
    one.network.runFor(20)
  }
  one.network.runFor(500)
  let fragments = 0
  for (const { bytes } of one.sent) {
    for (const command of describeDatagram(bytes).commands) {
      const { fragmentCount } = command.fields as { fragmentCount?: number }
      if (fragmentCount === undefined) continue
      fragments++
      t.not(fragmentCount, 1)
    }
  }
  t.ok(fragments > 50)
  t.equal(one.received.length, 142)
  t.end()
})

t.test('on a round trip that grows by half a millisecond a tick few repetitions are wrong', (t) => {
  const network = new Network({ seed: 3, path: { latencyMs: 25 }, hash: false })
  const sender = new Host({ seed: 1 })
  network.add<HostEvent>('sender', sender)
  const far = network.add<HostEvent>('receiver', new Host({ seed: 2, extension: false }))
  const peer = sender.connect(far.address, { channels: 1 })
  network.runFor(1000)
  let ticks = 0
  const stop = network.every(1000 / 60, () => {
    network.link('sender', 'receiver').conditions = { latencyMs: 25 + 0.5 * ticks++ }
    for (let i = 0; i < 2; i++) peer.send(0, new Uint8Array(40))
  })
  network.runFor(16_000)
  stop()
  network.runFor(1_000)
  t.ok(peer.stats.retransmissions / (2 * ticks) <= 0.03, `${peer.stats.retransmissions} of ${2 * ticks}`)
  t.end()
})

t.test('an outage is no reason to send much: a dead path gets some dozens of datagrams', (t) => {
  const one = scene()
  one.network.link('sender', 'receiver').up = false
  send(one, 1)
  one.network.runFor(4_900)
  t.ok(one.sent.length >= 10 && one.sent.length <= 110, `${one.sent.length} datagrams in 4.9 s`)
  t.end()
})
