// Node paths and their numbers, step by step.

import t from 'tap'
import { PathNumbers, PathTable, wirePath } from '../../../src/godot/paths.ts'

t.test('a path is announced once to each peer, and used by number once that peer has confirmed', (t) => {
  const numbers = new PathNumbers()
  t.same(numbers.plan('lobby', [2, 3]), { id: 1, tell: [2, 3], confirmed: [], unconfirmed: [2, 3] })
  t.same(numbers.plan('lobby', [2, 3]), { id: 1, tell: [], confirmed: [], unconfirmed: [2, 3] })
  t.equal(numbers.confirm(3, 'lobby'), true)
  t.same(numbers.plan('lobby', [2, 3, 4]), { id: 1, tell: [4], confirmed: [3], unconfirmed: [2, 4] })
  t.same(numbers.plan('lobby/table', [3]), { id: 2, tell: [3], confirmed: [], unconfirmed: [3] })
  t.end()
})

t.test('a confirmation counts only for what that peer was told', (t) => {
  const numbers = new PathNumbers()
  numbers.plan('lobby', [2])
  t.equal(numbers.confirm(3, 'lobby'), false)
  t.equal(numbers.confirm(2, 'table'), false)
  t.same(numbers.plan('table', [3]).confirmed, [])
  t.end()
})

t.test('a peer that comes back has to be told again, with the same number', (t) => {
  const numbers = new PathNumbers()
  numbers.plan('lobby', [2])
  numbers.confirm(2, 'lobby')
  numbers.forget(2)
  t.equal(numbers.confirm(2, 'lobby'), false, 'a late confirmation of the old connection')
  t.same(numbers.plan('lobby', [2]), { id: 1, tell: [2], confirmed: [], unconfirmed: [2] })
  t.end()
})

t.test('when all numbers are given away, paths are written out for ever', (t) => {
  const numbers = new PathNumbers(2)
  t.equal(numbers.plan('a', [2]).id, 1)
  t.equal(numbers.plan('b', [2]).id, 2)
  t.same(numbers.plan('c', [2]), { id: 0, tell: [], confirmed: [], unconfirmed: [2] })
  t.equal(numbers.plan('a', []).id, 1)
  t.end()
})

t.test('numbers mean what their own sender said, the latest time it said it', (t) => {
  const table = new PathTable()
  t.equal(table.learn(2, 1, 'lobby'), true)
  t.equal(table.learn(3, 1, 'world'), true)
  t.equal(table.resolve(2, 1), 'lobby')
  t.equal(table.resolve(3, 1), 'world')
  t.equal(table.learn(2, 1, 'other'), true)
  t.equal(table.resolve(2, 1), 'other')
  t.equal(table.resolve(2, 9), null)
  t.equal(table.resolve(4, 1), null)
  t.equal(table.resolve(4, 'in words'), 'in words')
  table.forget(2)
  t.equal(table.resolve(2, 1), null)
  t.equal(table.resolve(3, 1), 'world')
  t.end()
})

t.test('what a peer makes us remember is bounded, and what is over is not confirmed', (t) => {
  const table = new PathTable({ maxPaths: 3, maxCharacters: 20 })
  t.equal(table.learn(2, 1, 'aaaaa'), true)
  t.equal(table.learn(2, 2, 'bbbbb'), true)
  t.equal(table.learn(2, 3, 'c'.repeat(11)), false, 'too many characters')
  t.equal(table.learn(2, 3, 'ccccc'), true)
  t.equal(table.learn(2, 4, 'd'), false, 'too many paths')
  t.equal(table.learn(2, 1, 'e'.repeat(10)), true, 'replacing gives its room back')
  t.equal(table.learn(2, 2, 'f'.repeat(6)), false)
  t.equal(table.resolve(2, 2), null, 'what was to be replaced is gone')
  t.equal(table.learn(2, 2, 'f'.repeat(5)), true)
  t.equal(table.learn(3, 1, 'g'.repeat(20)), true, 'another peer has a share of its own')
  t.end()
})

t.test('a path travels relative to the root', (t) => {
  for (const [path, wire] of [
    ['/root/lobby', 'lobby'],
    ['lobby', 'lobby'],
    ['lobby/', 'lobby'],
    ['/root', '.'],
    ['.', '.'],
    ['', '.'],
    ['/root/world/a b/ä', 'world/a b/ä'],
    ['world//x', 'world/x'],
    ['world/../lobby', 'lobby'],
    ['../outside', '../outside'],
    ['root/lobby', 'root/lobby'],
  ] as const)
    t.equal(wirePath(path), wire, path)
  t.end()
})
