// Containers for what the core does per packet: constant time, no garbage, bounded by what is really in them.

/** Items by their 16-bit sequence number. Grows when two living numbers would share a place. */
export class SequenceRing<T extends { readonly sequence: number }> {
  #items: (T | undefined)[]
  #mask: number
  /** Items in the ring. */
  count = 0

  /** @param capacity initial places, a power of two */
  constructor(capacity = 16) {
    this.#items = new Array<T | undefined>(capacity).fill(undefined)
    this.#mask = capacity - 1
  }

  get capacity(): number {
    return this.#mask + 1
  }

  get(sequence: number): T | undefined {
    const item = this.#items[sequence & this.#mask]
    return item !== undefined && item.sequence === sequence ? item : undefined
  }

  /** The capacity that `set` would need for this number: the present one, or a larger power of two. */
  capacityFor(sequence: number): number {
    const other = this.#items[sequence & this.#mask]
    let capacity = this.capacity
    if (other === undefined || other.sequence === sequence) return capacity
    while (((other.sequence ^ sequence) & (capacity - 1)) === 0) capacity *= 2
    return capacity
  }

  /** Puts an item under its number; one that is there already is replaced. */
  set(item: T): void {
    const other = this.#items[item.sequence & this.#mask]
    if (other !== undefined && other.sequence !== item.sequence) this.#grow(this.capacityFor(item.sequence))
    const at = item.sequence & this.#mask
    if (this.#items[at] === undefined) this.count++
    this.#items[at] = item
  }

  delete(sequence: number): void {
    const at = sequence & this.#mask
    const item = this.#items[at]
    if (item === undefined || item.sequence !== sequence) return
    this.#items[at] = undefined
    this.count--
    // An empty ring gives back what a burst made it grow to.
    if (this.count === 0 && this.#mask >= 1024) {
      this.#items = new Array<T | undefined>(16).fill(undefined)
      this.#mask = 15
    }
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (const item of this.#items) if (item !== undefined) yield item
  }

  // Items that did not collide under the smaller mask cannot collide under the larger one.
  #grow(capacity: number): void {
    const items = new Array<T | undefined>(capacity).fill(undefined)
    for (const item of this.#items) if (item !== undefined) items[item.sequence & (capacity - 1)] = item
    this.#items = items
    this.#mask = capacity - 1
  }
}

/** First in, first out, in a growing circle of places. */
export class Fifo<T> {
  #items: (T | undefined)[] = []
  #mask = -1
  #head = 0
  length = 0

  push(item: T): void {
    if (this.length > this.#mask) this.#grow()
    this.#items[(this.#head + this.length) & this.#mask] = item
    this.length++
  }

  peek(): T | undefined {
    return this.length === 0 ? undefined : this.#items[this.#head]
  }

  /** The item `index` places behind the head. */
  at(index: number): T | undefined {
    return index < this.length ? this.#items[(this.#head + index) & this.#mask] : undefined
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head] = undefined
    this.#head = (this.#head + 1) & this.#mask
    this.length--
    // A queue that was long once must not stay large for ever.
    if (this.length === 0 && this.#mask >= 1024) this.clear()
    return item
  }

  clear(): void {
    this.#items = []
    this.#mask = -1
    this.#head = this.length = 0
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = 0; i < this.length; i++) yield this.#items[(this.#head + i) & this.#mask] as T
  }

  #grow(): void {
    const capacity = Math.max(4, (this.#mask + 1) * 2)
    const items = new Array<T | undefined>(capacity).fill(undefined)
    for (let i = 0; i < this.length; i++) items[i] = this.#items[(this.#head + i) & this.#mask]
    this.#items = items
    this.#mask = capacity - 1
    this.#head = 0
  }
}

/** Smallest key first. Equal keys leave in any, but always the same, order. */
export class MinHeap<T> {
  readonly #keys: number[] = []
  readonly #items: T[] = []

  get length(): number {
    return this.#keys.length
  }

  /** The smallest key, or `Infinity` when empty. */
  get minKey(): number {
    return this.#keys.length === 0 ? Infinity : (this.#keys[0] as number)
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  push(key: number, item: T): void {
    const keys = this.#keys
    const items = this.#items
    let at = keys.length
    keys.push(key)
    items.push(item)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if ((keys[parent] as number) <= key) break
      keys[at] = keys[parent] as number
      items[at] = items[parent] as T
      at = parent
    }
    keys[at] = key
    items[at] = item
  }

  pop(): T | undefined {
    const keys = this.#keys
    const items = this.#items
    if (keys.length === 0) return undefined
    const top = items[0]
    const key = keys.pop() as number
    const item = items.pop() as T
    const size = keys.length
    if (size === 0) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= size) break
      if (child + 1 < size && (keys[child + 1] as number) < (keys[child] as number)) child++
      if ((keys[child] as number) >= key) break
      keys[at] = keys[child] as number
      items[at] = items[child] as T
      at = child
    }
    keys[at] = key
    items[at] = item
    return top
  }

  /** Throws out what `keep` does not want. Takes as long as filling the heap anew. */
  retain(keep: (item: T, key: number) => boolean): void {
    const keys = this.#keys.splice(0)
    const items = this.#items.splice(0)
    for (const [i, item] of items.entries()) if (keep(item, keys[i] as number)) this.push(keys[i] as number, item)
  }

  clear(): void {
    this.#keys.length = this.#items.length = 0
  }
}
