// ENet's range coder a second time, for comparison: written from the text of the protocol reference alone, with plain objects,
// search trees in order of arrival and one function per rule. Slow, and close to the words. Throws on damaged input.

/** Where a byte stands in a context (its frequency there), and the context that one is in after it. */
interface Node {
  value: number
  count: number
  /** Counts of this node and of everything in its left subtree. */
  under: number
  left: Node | null
  right: Node | null
  parent: Node | null
  tree: Node | null
  escapes: number
  total: number
}

const newNode = (value: number, count: number): Node =>
  ({ value, count, under: count, left: null, right: null, parent: null, tree: null, escapes: 0, total: 0 })

/** What `Model.update` found before it added anything. */
interface Found { node: Node, under: number, count: number }

class Model {
  root!: Node
  predicted!: Node
  order!: number
  poolSize!: number

  constructor() {
    this.reset()
  }

  reset(): void {
    this.root = newNode(0, 0)
    this.root.escapes = 1
    this.root.total = 257
    this.predicted = this.root
    this.order = 0
    this.poolSize = 1
  }

  /** Least frequency of every byte, and what an occurrence adds. */
  minimum(context: Node): number {
    return context === this.root ? 1 : 0
  }

  increment(context: Node): number {
    return context === this.root ? 3 : 2
  }

  create(value: number, count: number): Node {
    this.poolSize++
    const node = newNode(value, count)
    node.parent = this.root
    return node
  }

  update(context: Node, value: number): Found {
    const d = this.increment(context)
    let under = value * this.minimum(context)
    let count = this.minimum(context)
    if (context.tree === null) {
      context.tree = this.create(value, d)
      return { node: context.tree, under, count }
    }
    let node = context.tree
    while (node.value !== value) {
      if (value < node.value) {
        node.under += d
        if (node.left === null) return { node: (node.left = this.create(value, d)), under, count }
        node = node.left
      } else {
        under += node.under
        if (node.right === null) return { node: (node.right = this.create(value, d)), under, count }
        node = node.right
      }
    }
    count += node.count
    under += node.under - node.count
    node.under += d
    node.count += d
    return { node, under, count }
  }

  rescaleIfNeeded(context: Node, count: number): void {
    const most = context === this.root ? 250 : 251
    if (count <= most && context.total <= 65280) return
    context.escapes -= Math.floor(context.escapes / 2)
    context.total = halve(context.tree) + context.escapes + 256 * this.minimum(context)
  }

  /** After a byte was found below the root: the next context, and a new start when the pool is nearly full. */
  advance(): void {
    if (this.order >= 2) this.predicted = this.predicted.parent!
    else this.order++
    if (this.poolSize >= 4094) this.reset()
  }

  /** The smallest value whose interval ends behind `k`, by trying all of them. */
  locate(context: Node, k: number): number {
    let end = 0
    for (let value = 0; value < 256; value++) {
      end += this.minimum(context) + countOf(context.tree, value)
      if (k < end) return value
    }
    throw new RangeError('damaged: no symbol there')
  }
}

const countOf = (node: Node | null, value: number): number =>
  node === null ? 0 : node.value === value ? node.count : countOf(value < node.value ? node.left : node.right, value)

const halve = (node: Node | null): number => {
  if (node === null) return 0
  node.count -= Math.floor(node.count / 2)
  node.under = node.count + halve(node.left)
  return node.under + halve(node.right)
}

// Everything unsigned and modulo 2^32, in ordinary numbers.
const WORD = 2 ** 32
const wrap = (n: number): number => ((n % WORD) + WORD) % WORD
const topByte = (n: number): number => Math.floor(n / 2 ** 24)

/** An interval that is narrowed; calls `settled` for each top byte that can no longer change. */
class Interval {
  low = 0
  range = WORD - 1
  readonly settled: (byte: number) => void

  constructor(settled: (byte: number) => void) {
    this.settled = settled
  }

  narrow(cumulative: number, frequency: number, total: number): void {
    this.divide(total)
    this.take(cumulative, frequency)
  }

  divide(total: number): void {
    this.range = Math.floor(this.range / total)
  }

  take(cumulative: number, frequency: number): void {
    this.low = wrap(this.low + cumulative * this.range)
    this.range *= frequency
    for (;;) {
      if (topByte(this.low) !== topByte(wrap(this.low + this.range))) {
        if (this.range >= 2 ** 16) return
        this.range = wrap(-this.low) % 2 ** 16
      }
      this.settled(topByte(this.low))
      this.range = wrap(this.range * 256)
      this.low = wrap(this.low * 256)
    }
  }
}

/** Compresses, without a limit. */
export const compress = (input: Iterable<number>): number[] => {
  const output: number[] = []
  const model = new Model()
  const interval = new Interval((byte) => output.push(byte))
  let some = false
  for (const value of input) {
    some = true
    encodeByte(model, interval, value)
  }
  if (!some) return []
  for (; interval.low !== 0; interval.low = wrap(interval.low * 256)) output.push(topByte(interval.low))
  return output
}

const encodeByte = (model: Model, interval: Interval, value: number): void => {
  let link = (node: Node): void => { model.predicted = node }
  for (let c = model.predicted; c !== model.root; c = c.parent!) {
    const { node, under, count } = model.update(c, value)
    link(node)
    link = (next) => { node.parent = next }
    if (count > 0) {
      interval.narrow(c.escapes + under, count, c.total)
    } else {
      if (c.escapes > 0 && c.escapes < c.total) interval.narrow(0, c.escapes, c.total)
      c.escapes += 5
      c.total += 5
    }
    c.total += 2
    model.rescaleIfNeeded(c, count)
    if (count > 0) return model.advance()
  }
  const root = model.root
  const { node, under, count } = model.update(root, value)
  link(node)
  interval.narrow(root.escapes + under, count, root.total)
  root.total += 3
  model.rescaleIfNeeded(root, count)
  model.advance()
}

/** Decompresses; throws a RangeError when the input is damaged or stands for more than `limit` bytes. */
export const decompress = (input: readonly number[], limit: number): number[] => {
  const output: number[] = []
  const model = new Model()
  const rest = input[Symbol.iterator]()
  const nextByte = (): number => {
    const { done, value } = rest.next()
    return done === true ? 0 : value
  }
  let code = 0
  for (let i = 0; i < 4; i++) code = code * 256 + nextByte()
  const interval = new Interval(() => { code = wrap(code * 256 + nextByte()) })
  const peek = (total: number): number => {
    interval.divide(total)
    return Math.floor(wrap(code - interval.low) / interval.range)
  }

  for (;;) {
    let c = model.predicted
    let k = -1
    for (; c !== model.root; c = c.parent!) {
      if (c.escapes === 0 || c.escapes >= c.total) continue
      k = peek(c.total)
      if (k >= c.escapes) break
      interval.take(0, c.escapes)
    }
    if (c === model.root) {
      k = peek(c.total)
      if (k < c.escapes) return output
    }
    const value = model.locate(c, k - c.escapes)
    const found = model.update(c, value)
    interval.take(c.escapes + found.under, found.count)
    c.total += model.increment(c)
    model.rescaleIfNeeded(c, found.count)

    if (output.length === limit) throw new RangeError('more than fits')
    output.push(value)

    let link = (node: Node): void => { model.predicted = node }
    for (let p = model.predicted; p !== c; p = p.parent!) {
      const { node, count } = model.update(p, value)
      link(node)
      link = (next) => { node.parent = next }
      if (count === 0) {
        p.escapes += 5
        p.total += 5
      }
      p.total += 2
      model.rescaleIfNeeded(p, count)
    }
    link(found.node)
    model.advance()
  }
}
