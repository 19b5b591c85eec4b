// The largest delivery rate of the last few rounds: what the path has shown that it can carry.
// A windowed maximum, as in BBR (Cardwell et al., 2016): old values leave by age, smaller ones behind a larger one never
// matter.

export class DeliveryRate {
  readonly #rounds: number[] = []
  readonly #values: number[] = []

  /** Bytes per ms; 0 before the first sample. */
  get best(): number {
    return this.#values[0] ?? 0
  }

  /** A rate measured in this round. */
  add(round: number, value: number): void {
    const values = this.#values
    while (values.length > 0 && (values[values.length - 1] as number) <= value) {
      values.pop()
      this.#rounds.pop()
    }
    values.push(value)
    this.#rounds.push(round)
  }

  /** Forgets what is older than so many rounds, but never the last sample. */
  expire(round: number, keep: number): void {
    while (this.#values.length > 1 && (this.#rounds[0] as number) < round - keep) {
      this.#values.shift()
      this.#rounds.shift()
    }
  }

  reset(round: number, value: number): void {
    this.#rounds.length = this.#values.length = 0
    if (value > 0) this.add(round, value)
  }
}
