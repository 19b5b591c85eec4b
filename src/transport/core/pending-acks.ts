// Acknowledgements that wait for the next datagram: in order of arrival, each echoing the sent time that came with it.

export class PendingAcks {
  // channel, sequence and echo packed into one number below 2^40: no object per acknowledgement.
  #queue: number[] = []
  #head = 0

  get length(): number {
    return this.#queue.length - this.#head
  }

  /** Places kept, used-up ones included. */
  get room(): number {
    return this.#queue.length
  }

  push(channel: number, sequence: number, echo: number): void {
    this.#queue.push(channel * 0x1_0000_0000 + sequence * 0x1_0000 + echo)
  }

  /** The oldest one, packed; see `channelOf` and the others. */
  shift(): number {
    const packed = this.#queue[this.#head++] as number
    if (this.#head === this.#queue.length) {
      // A burst must not keep its room for ever.
      if (this.#head > 1024) this.#queue = []
      else this.#queue.length = 0
      this.#head = 0
    } else if (this.#head >= 1024 && this.#head > this.length) {
      // It never runs empty while more comes than may leave.
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
    return packed
  }

  /** Takes back the newest ones: a report will say the same in fewer bytes. */
  takeBack(count: number): void {
    this.#queue.length -= count
    if (this.length === 0) this.clear()
  }

  clear(): void {
    this.#queue = []
    this.#head = 0
  }
}

export const channelOf = (packed: number): number => Math.floor(packed / 0x1_0000_0000)
export const sequenceOf = (packed: number): number => Math.floor(packed / 0x1_0000) & 0xffff
export const echoOf = (packed: number): number => packed & 0xffff
