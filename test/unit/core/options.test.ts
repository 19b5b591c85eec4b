// HostOptions: every option has a default, a legal range, and an error that names both.

import t from 'tap'
import { Host } from '../../../src/transport/core/host.ts'
import { resolveHostOptions } from '../../../src/transport/core/options.ts'
import type { HostOptions } from '../../../src/transport/core/options.ts'

const integers: readonly (readonly [string, number, number])[] = [
  ['maxPeers', 1, 4095], ['channels', 1, 255], ['mtu', 576, 4096], ['incomingBandwidthBytesPerSecond', 0, 4294967295],
  ['outgoingBandwidthBytesPerSecond', 0, 4294967295], ['connectTimeoutMs', 100, 86_400_000], ['pingIntervalMs', 50, 3_600_000],
  ['maxPacketBytes', 1, 33_554_432], ['redundancyBytes', 0, 1_200], ['maxHalfOpen', 16, 65_536], ['stallMs', 10, 86_400_000],
  ['maxInFlightBytes', 65_536, 67_108_864], ['sendHighMarkBytes', 1, 2 ** 40], ['receiveBudgetBytes', 65_536, 2 ** 40],
  ['hostReceiveBudgetBytes', 65_536, 2 ** 40],
]

t.test('integers: both ends of the range are legal, one step beyond is not, and neither is half a step', (t) => {
  for (const [name, min, max] of integers) {
    for (const legal of [min, max]) t.doesNotThrow(() => resolveHostOptions({ [name]: legal }), `${name} ${legal}`)
    for (const illegal of [min - 1, max + 1, min + 0.5, NaN, Infinity, '5' as unknown as number]) {
      t.throws(() => resolveHostOptions({ [name]: illegal }), {
        code: 'ERR_OPTION_RANGE', message: new RegExp(`^options\\.${name} is ${illegal}; it must be an integer from ${min} to ${max}`),
      })
    }
  }
  t.end()
})

t.test('timeouts: three numbers that fit together', (t) => {
  for (const [name, min, max] of [['limit', 2, 1 << 20], ['minimumMs', 100, 86_400_000], ['maximumMs', 100, 86_400_000]] as const) {
    for (const illegal of [min - 1, max + 1]) {
      t.throws(() => new Host({ timeout: { [name]: illegal } }),
        { code: 'ERR_OPTION_RANGE', message: new RegExp(`options\\.timeout\\.${name} is ${illegal}`) })
    }
  }
  t.throws(() => new Host({ timeout: { minimumMs: 5_000, maximumMs: 4_000 } }),
    { message: /timeout\.maximumMs is 4000; it must be at least options\.timeout\.minimumMs \(5000\)/ })
  t.match(resolveHostOptions({ timeout: { minimumMs: 60_000 } }), { timeoutMinimumMs: 60_000, timeoutMaximumMs: 60_000 })
  t.end()
})

t.test('marks: the low one is at most the high one, the cap at least', (t) => {
  t.throws(() => new Host({ sendHighMarkBytes: 1_000, sendLowMarkBytes: 1_001 }), { code: 'ERR_OPTION_RANGE', message: /from 0 to 1000/ })
  t.throws(() => new Host({ sendHighMarkBytes: 1_000, sendCapBytes: 999 }), { code: 'ERR_OPTION_RANGE', message: /from 1000 to/ })
  t.match(resolveHostOptions({ sendHighMarkBytes: 1_001 }), { sendLowMarkBytes: 500 })
  t.match(resolveHostOptions({ sendHighMarkBytes: 2 ** 30 }), { sendCapBytes: 2 ** 30 })
  t.end()
})

t.test('choices name what can be chosen', (t) => {
  const wrong: readonly (readonly [HostOptions, RegExp])[] = [
    [{ throttle: 'often' as 'enet' }, /options\.throttle is often; it must be one of none, enet/],
    [{ sentTime: 'sundial' as 'clock' }, /options\.sentTime is sundial; it must be one of unique, clock/],
    [{ redundancy: 4 as 3 }, /options\.redundancy is 4; it must be 'off', 'auto', or 0 to 3/],
    [{ checksum: 'md5' as 'crc32' }, /options\.checksum is md5; it must be 'none', 'crc32', a function, or/],
    [{ compression: 'zip' as 'rangeCoder' }, /options\.compression is zip; it must be 'none', 'rangeCoder' or a Compressor/],
    [{ channelPriorities: { 255: {} } }, /a key of options\.channelPriorities is 255; it must be a channel number from 0 to 254/],
    [{ channelPriorities: { 3: { level: 8 } } }, /options\.channelPriorities\[3\]\.level is 8; it must be an integer from 0 to 7/],
    [{ channelPriorities: { 3: { weight: 0 } } }, /options\.channelPriorities\[3\]\.weight is 0; it must be an integer from 1 to 100/],
  ]
  for (const [options, message] of wrong) t.throws(() => new Host(options), { code: 'ERR_OPTION_RANGE', message })
  t.end()
})

t.test('a checksum leaves four bytes less for the MTU', (t) => {
  t.doesNotThrow(() => new Host({ checksum: 'crc32', mtu: 4_092 }))
  t.throws(() => new Host({ checksum: 'crc32', mtu: 4_093 }), { code: 'ERR_OPTION_RANGE', message: /from 576 to 4092/ })
  t.end()
})

t.test('options are read once: what is done to the object afterwards changes nothing', (t) => {
  const options: HostOptions = { maxPeers: 3, channelPriorities: { 1: { level: 2 } } }
  const host = new Host(options)
  options.maxPeers = 0
  t.equal(host.options.maxPeers, 3)
  t.throws(() => { (host.options as { maxPeers: number }).maxPeers = 5 }, TypeError)
  t.end()
})

t.test('the clock in the sent time excludes the extension, which needs datagram numbers', (t) => {
  t.equal(resolveHostOptions({ sentTime: 'clock', extension: true }).extension, false)
  t.equal(resolveHostOptions({}).extension, true)
  t.end()
})

t.test('a misspelt option is an error, not its default', (t) => {
  t.throws(() => resolveHostOptions({ maxPeer: 3 } as HostOptions), { code: 'ERR_OPTION_RANGE', message: /options\.maxPeer is no option/ })
  t.end()
})
