// Rings, queues and heaps against the containers that everybody knows.

import t from 'tap'
import { Fifo, MinHeap, SequenceRing } from '../../../src/transport/core/ring.ts'
import { SeededRandom } from '../../../src/util/random.ts'

interface Item { readonly sequence: number; readonly tag: number }

t.test('a ring is a map from 16-bit numbers, for any window of them', (t) => {
  for (const seed of [1, 2, 3, 4]) {
    const random = new SeededRandom(seed)
    const ring = new SequenceRing<Item>(4)
    const model = new Map<number, Item>()
    let low = random.below(65536)
    for (let i = 0; i < 5_000; i++) {
      const sequence = (low + random.below(seed * 300)) & 0xffff
      if (random.chance(0.55)) {
        const item = { sequence, tag: i }
        // What would share a place must have more room first, and the ring says how much.
        const needed = ring.capacityFor(sequence)
        ring.set(item)
        model.set(sequence, item)
        if (ring.capacity !== needed) t.equal(ring.capacity, needed)
      } else {
        ring.delete(sequence)
        model.delete(sequence)
      }
      if (random.chance(0.02)) low = (low + 50) & 0xffff
      if (ring.count !== model.size) t.equal(ring.count, model.size, `count after ${i} steps`)
      const probe = (low + random.below(seed * 300)) & 0xffff
      if (ring.get(probe) !== model.get(probe)) t.equal(ring.get(probe), model.get(probe), `number ${probe} after ${i} steps`)
    }
    t.same([...ring].map(({ tag }) => tag).sort((x, y) => x - y), [...model.values()].map(({ tag }) => tag).sort((x, y) => x - y))
  }
  t.end()
})

t.test('a ring with two numbers half the space apart holds both', (t) => {
  const ring = new SequenceRing<Item>(4)
  for (const sequence of [5, 5 + 32768]) ring.set({ sequence, tag: sequence })
  t.equal(ring.get(5)?.tag, 5)
  t.equal(ring.get(5 + 32768)?.tag, 5 + 32768)
  t.equal(ring.count, 2)
  t.equal(ring.get(5 + 16384), undefined)
  t.end()
})

t.test('putting a number again replaces it; taking out one that is not there changes nothing', (t) => {
  const ring = new SequenceRing<Item>(4)
  ring.set({ sequence: 7, tag: 1 })
  ring.set({ sequence: 7, tag: 2 })
  ring.delete(7 + 4)
  t.equal(ring.count, 1)
  t.equal(ring.get(7)?.tag, 2)
  t.end()
})

t.test('an empty ring gives back the room that a burst needed', (t) => {
  const ring = new SequenceRing<Item>(4)
  for (let sequence = 0; sequence < 3000; sequence++) ring.set({ sequence, tag: 0 })
  t.equal(ring.capacity, 4096)
  for (let sequence = 0; sequence < 3000; sequence++) ring.delete(sequence)
  t.equal(ring.capacity, 16)
  ring.set({ sequence: 65535, tag: 3 })
  t.equal(ring.get(65535)?.tag, 3)
  t.end()
})

t.test('a queue gives out what was put in, in that order, through many rounds', (t) => {
  const random = new SeededRandom(9)
  const fifo = new Fifo<number>()
  const model: number[] = []
  for (let i = 0; i < 20_000; i++) {
    // Long phases of growing and of shrinking.
    if (random.chance((i >> 11) % 2 === 0 ? 0.7 : 0.3)) {
      fifo.push(i)
      model.push(i)
    } else if (fifo.shift() !== model.shift()) t.fail(`step ${i}`)
    if (fifo.length !== model.length || fifo.peek() !== model[0]) t.fail(`step ${i}`)
    const index = random.below(model.length + 2)
    if (fifo.at(index) !== model[index]) t.fail(`index ${index} of ${model.length} at step ${i}`)
  }
  t.same([...fifo], model)
  fifo.clear()
  t.same([fifo.length, fifo.peek(), fifo.shift(), fifo.at(0)], [0, undefined, undefined, undefined])
  t.end()
})

t.test('a heap gives out the smallest key first', (t) => {
  const random = new SeededRandom(3)
  const heap = new MinHeap<string>()
  const model: { key: number; item: string }[] = []
  for (let i = 0; i < 5_000; i++) {
    if (random.chance(0.55)) {
      const key = random.below(200)
      heap.push(key, `${key}`)
      model.push({ key, item: `${key}` })
    } else {
      model.sort((x, y) => x.key - y.key)
      if (heap.pop() !== model.shift()?.item) t.fail(`step ${i}`)
    }
    if (heap.length !== model.length || heap.minKey !== model.reduce((least, { key }) => Math.min(least, key), Infinity)) {
      t.fail(`step ${i}`)
    }
    if (heap.peek() !== (model.length === 0 ? undefined : `${heap.minKey}`)) t.fail(`step ${i}`)
  }
  heap.clear()
  t.same([heap.length, heap.minKey, heap.pop(), heap.peek()], [0, Infinity, undefined, undefined])
  t.end()
})
