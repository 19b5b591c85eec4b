// What a record must look like: the promises of the three deliveries.

import type { Delivery } from '../../src/transport/types.ts'
import type { Direction, Message, Record } from './play.ts'

const numberOf = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
const same = (x: Uint8Array, y: Uint8Array): boolean => Buffer.compare(x, y) === 0

const of = <Item extends { delivery: Delivery }>(all: readonly Item[], delivery: Delivery): Item[] =>
  all.filter((one) => one.delivery === delivery)

/** Throws unless each channel got its reliable packets once, in order, byte for byte; and all of them, if `all`. */
export const reliableInOrder = ({ sent, received }: Direction, all: boolean): void => {
  for (let channel = 0; channel < 4; channel++) {
    const wanted = of(sent, 'reliable').filter((one) => one.channel === channel)
    const got = of(received, 'reliable').filter((one) => one.channel === channel)
    got.forEach(({ bytes }, i) => {
      const expected = wanted[i]
      if (expected === undefined) throw new Error(`channel ${channel}: one reliable packet too many`)
      if (!same(bytes, expected.bytes)) {
        throw new Error(`channel ${channel}: packet ${numberOf(bytes)} (${bytes.length} bytes) instead of ` +
          `${expected.number} (${expected.bytes.length})`)
      }
    })
    if (all && got.length < wanted.length) {
      throw new Error(`channel ${channel}: ${wanted.length - got.length} of ${wanted.length} reliable packets never came`)
    }
  }
}

/** The message that such a packet is, or an error. */
const original = (direction: Direction, channel: number, delivery: Delivery, bytes: Uint8Array): Message => {
  const number = bytes.length < 4 ? -1 : numberOf(bytes)
  const message = direction.sent.find((one) => one.number === number)
  const what = `${delivery} packet ${number} of ${bytes.length} bytes on channel ${channel}`
  if (message === undefined || message.channel !== channel || message.delivery !== delivery) {
    throw new Error(`${what} was not sent like that`)
  }
  if (!same(message.bytes, bytes)) throw new Error(`${what} has other bytes than were sent`)
  return message
}

/** Throws unless each channel got its unreliable packets whole, each at most once, and never an older one after a newer one. */
export const unreliableRises = (direction: Direction): void => {
  const newest = new Map<number, number>()
  for (const { channel, bytes } of of(direction.received, 'unreliable')) {
    const { number } = original(direction, channel, 'unreliable', bytes)
    const last = newest.get(channel) ?? -1
    if (number <= last) throw new Error(`channel ${channel}: unreliable packet ${number} after ${last}`)
    newest.set(channel, number)
  }
}

/** Throws unless an unreliable packet came only after all reliable ones that were sent before it on its channel. */
export const unreliableFollows = (direction: Direction): void => {
  const seen = new Map<number, number>()
  for (const { channel, delivery, bytes } of direction.received) {
    if (delivery === 'reliable') seen.set(channel, (seen.get(channel) ?? 0) + 1)
    if (delivery !== 'unreliable') continue
    const { number } = original(direction, channel, delivery, bytes)
    const before = direction.sent.filter((one) => one.channel === channel && one.delivery === 'reliable' && one.number < number).length
    if ((seen.get(channel) ?? 0) < before) {
      throw new Error(`channel ${channel}: unreliable packet ${number} came before reliable ones that it follows`)
    }
  }
}

/** Throws unless unsequenced packets came whole, and each at most once. */
export const unsequencedOnce = (direction: Direction): void => {
  const seen = new Set<number>()
  for (const { channel, bytes } of of(direction.received, 'unsequenced')) {
    const { number } = original(direction, channel, 'unsequenced', bytes)
    if (seen.has(number)) throw new Error(`unsequenced packet ${number} came twice`)
    seen.add(number)
  }
}

/** All promises, both ways. */
export const keepsPromises = (record: Record): void => {
  for (const direction of [record.toA, record.toB]) {
    reliableInOrder(direction, !record.broke)
    unreliableRises(direction)
    unreliableFollows(direction)
    unsequencedOnce(direction)
  }
}

/**
 * Throws unless the events of a side are: one connect, packets, and one disconnect at the end.
 * @param silent whoever ends a connection at once may not be told so (C does not)
 */
export const eventsInOrder = (events: readonly string[], silent = false): void => {
  const shape = events.map((event) => event.split(' ')[0]).join(' ')
  const legal = silent ? /^connect( receive)*( disconnect)?$/ : /^connect( receive)* disconnect$/
  if (!legal.test(shape)) throw new Error(`events: ${events.join(', ')}`)
}
