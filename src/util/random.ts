/** Where bytes of chance come from: fills `bytes`. The driver passes a cryptographic source, tests a seeded one. */
export type RandomBytes = (bytes: Uint8Array) => void

/** A seeded generator (xorshift128 with a splitmix seed): for simulations and tests, never for secrets. */
export class SeededRandom {
  #a: number
  #b: number
  #c: number
  #d: number

  /** @param seed any integer; equal seeds give equal sequences on every platform */
  constructor(seed: number) {
    let state = seed >>> 0
    const next = (): number => {
      state = (state + 0x9e3779b9) >>> 0
      let z = state
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
      return (z ^ (z >>> 16)) >>> 0
    }
    this.#a = next()
    this.#b = next()
    this.#c = next()
    this.#d = next() | 1
  }

  /** The next 32 bits, 0 to 4294967295. */
  uint32(): number {
    let t = this.#d
    const s = this.#a
    this.#d = this.#c
    this.#c = this.#b
    this.#b = s
    t ^= t << 11
    t ^= t >>> 8
    this.#a = (t ^ s ^ (s >>> 19)) >>> 0
    return this.#a
  }

  /** A number in [0, 1). */
  unit(): number {
    return this.uint32() / 4294967296
  }

  /** An integer in [0, bound); `bound` 1 to 2^32. */
  below(bound: number): number {
    return Math.floor(this.unit() * bound)
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return probability > 0 && this.unit() < probability
  }

  /** Fills bytes; has the shape of `RandomBytes`. */
  readonly bytes: RandomBytes = (bytes) => {
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.uint32() & 0xff
  }

  /** An independent generator, for a part that must not disturb the others. */
  fork(): SeededRandom {
    return new SeededRandom(this.uint32())
  }
}
