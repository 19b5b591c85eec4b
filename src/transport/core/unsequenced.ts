// Which unsequenced groups have arrived: a window of the last 1,024, sliding. C ENet moves in blocks of 1,024 and loses
// what arrives late across a border (SPEC §5.5); this one accepts strictly more.

const WINDOW = 1024
/** Groups further ahead than this count as behind. */
const REACH = 0x8000

export const Group = { fresh: 0, duplicate: 1, stale: 2 } as const
export type Group = (typeof Group)[keyof typeof Group]

export class UnsequencedWindow {
  #highest = 0
  // Made when first needed: most connections never receive one.
  #bits: Uint32Array | null = null

  /** Notes the arrival of a group. */
  accept(group: number): Group {
    const bits = (this.#bits ??= seen0())
    const lead = (group - this.#highest) & 0xffff
    if (lead !== 0 && lead < REACH) {
      if (lead >= WINDOW) bits.fill(0)
      else for (let i = 1; i < lead; i++) clear(bits, this.#highest + i)
      this.#highest = group
      set(bits, group)
      return Group.fresh
    }
    if (lead !== 0 && 0x10000 - lead >= WINDOW) return Group.stale
    if (has(bits, group)) return Group.duplicate
    set(bits, group)
    return Group.fresh
  }
}

// Groups begin at 1: group 0 counts as seen at the start.
const seen0 = (): Uint32Array => {
  const bits = new Uint32Array(WINDOW / 32)
  bits[0] = 1
  return bits
}

const set = (bits: Uint32Array, group: number): void => {
  const i = group & (WINDOW - 1)
  bits[i >> 5] = (bits[i >> 5] as number) | (1 << (i & 31))
}
const clear = (bits: Uint32Array, group: number): void => {
  const i = group & (WINDOW - 1)
  bits[i >> 5] = (bits[i >> 5] as number) & ~(1 << (i & 31))
}
const has = (bits: Uint32Array, group: number): boolean => {
  const i = group & (WINDOW - 1)
  return (((bits[i >> 5] as number) >>> (i & 31)) & 1) !== 0
}
