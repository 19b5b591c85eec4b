// A driver under a flood: whatever comes in, time passes and what is to be sent leaves.

import { EventEmitter } from 'node:events'
import t from 'tap'
import type { Endpoint } from '../../src/transport/endpoint.ts'
import { UdpDriver } from '../../src/transport/udp.ts'
import type { DriverSocket } from '../../src/transport/udp.ts'

class QuietSocket extends EventEmitter {
  send(): void {}
  close(done: () => void): void { process.nextTick(done) }
  connect(): void {}
  disconnect(): void {}
  getSendQueueCount(): number { return 0 }
  getSendQueueSize(): number { return 0 }
  unref(): this { return this }
}

t.test('a flood that begins in a stall of our own does not keep the host from running', async (t) => {
  let received = 0
  let advanced = 0
  let due = performance.now() + 5
  const endpoint: Endpoint<string> = {
    receive: () => { received++ },
    advance: (now) => {
      advanced++
      if (now >= due) due = Infinity
    },
    pollEvent: () => null,
    pollTransmit: () => false,
    deadline: () => due,
  }
  const socket = new QuietSocket()
  const driver = new UdpDriver(endpoint, socket as unknown as DriverSocket, { onEvent: () => {} })
  t.teardown(() => driver.close())
  driver.wake()
  await new Promise(setImmediate)
  t.equal(advanced, 1)
  // Our loop stands still beyond the deadline.
  for (const until = performance.now() + 320; performance.now() < until;);
  for (let turn = 0; turn < 3_000 && advanced === 1; turn++) {
    for (let i = 0; i < 40; i++) socket.emit('message', Buffer.from('x'), { address: '192.0.2.1', port: 9, family: 'IPv4', size: 1 })
    await new Promise(setImmediate)
  }
  t.ok(advanced > 1, `${received} datagrams`)
  t.ok(received >= 512 * 32, 'a whole buffer was read before time passed')
})
