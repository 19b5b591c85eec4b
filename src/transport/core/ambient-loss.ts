// Loss that is not ours: the share of datagrams lost while no queue was visible. A path that loses at random goes on
// doing so whatever we send, so that share is made up for instead of being yielded to.
//
// Compensating is self-reinforcing where the loss is our own after all, so two classes are kept: what was sent at an
// ordinary pace without a visible queue, and what was sent while we surely were below the path's rate. The second one
// caps the first. Evidence: without the cap, eight flows in a shallow buffer drive each other to 60 % loss.

/** Under which circumstances a datagram was sent. */
export const Calm = {
  /** A queue may have been of our making: proves nothing. */
  no: 0,
  /** No queue was visible. */
  probably: 1,
  /** Draining, or the application had no more to send. */
  surely: 2,
} as const
export type Calm = (typeof Calm)[keyof typeof Calm]

export class AmbientLoss {
  #lost = 0
  #total = 0
  #surelyLost = 0
  #surelyTotal = 0
  /** The estimate, 0 to 1; below 0.4 % counts as none. */
  ratio = 0

  /** The fate of a datagram is known. */
  result(calm: Calm, lost: boolean): void {
    if (calm !== Calm.no) {
      this.#total = this.#total * 0.996 + 1
      this.#lost = this.#lost * 0.996 + (lost ? 1 : 0)
    }
    if (calm === Calm.surely) {
      this.#surelyTotal = this.#surelyTotal * 0.99 + 1
      this.#surelyLost = this.#surelyLost * 0.99 + (lost ? 1 : 0)
    }
    if (this.#total <= 24) return
    let ratio = this.#lost / this.#total
    if (this.#surelyTotal > 40) ratio = Math.min(ratio, (1.3 * this.#surelyLost) / this.#surelyTotal + 0.01)
    this.ratio = ratio < 0.004 ? 0 : ratio
  }

  /** Forgets everything: it was seen under a wrong idea of the path. */
  reset(): void {
    this.#lost = this.#total = this.#surelyLost = this.#surelyTotal = this.ratio = 0
  }

  /** Lost share of what was sent surely below the path's rate; 0 with little evidence. */
  get surelyRatio(): number {
    return this.#surelyTotal > 20 ? this.#surelyLost / this.#surelyTotal : 0
  }

  /** There is enough evidence to call the path clean. */
  get clean(): boolean {
    return this.ratio < 0.005 && this.#surelyTotal > 40
  }
}
