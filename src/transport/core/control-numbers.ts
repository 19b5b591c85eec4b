// Which numbers of the other side's peer channel have been seen. They count up one by one, so a forged command rarely fits,
// and a repeated one is known. SPEC §4.9.

/** How far ahead of the last one seen a number may be. */
const REACH = 1024

export class ControlNumbers {
  /** The highest number seen. */
  highest = 0
  // Bit i: highest - 1 - i has been seen. What came before the first one counts as seen.
  #behind = 0xffffffff
  // By command number; made when first needed.
  #newestOfKind: (number | undefined)[] | null = null

  /** Notes a number; true when it is plausible and new. One that was overtaken is as good as the others, but none counts twice. */
  accept(sequence: number): boolean {
    const lead = (sequence - this.highest) & 0xffff
    if (lead === 0) return false
    if (lead <= REACH) {
      this.#behind = lead > 32 ? 0 : lead === 32 ? 0x80000000 : ((this.#behind << lead) | (1 << (lead - 1))) >>> 0
      this.highest = sequence
      return true
    }
    const behind = 0x10000 - lead
    if (behind > 32 || (this.#behind & (1 << (behind - 1))) !== 0) return false
    this.#behind = (this.#behind | (1 << (behind - 1))) >>> 0
    return true
  }

  /** Is it later than every command of its kind before it? An overtaken limit is out of date. */
  isNewest(command: number, sequence: number): boolean {
    const newest = (this.#newestOfKind ??= [])
    const last = newest[command]
    if (last !== undefined && ((sequence - last) & 0xffff) >= 0x8000) return false
    newest[command] = sequence
    return true
  }
}
