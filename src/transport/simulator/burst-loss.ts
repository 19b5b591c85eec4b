// Loss in bursts (Gilbert 1960, Elliott 1963): a link that is either well or in a burst. The states last for
// exponential times, or for geometric numbers of datagrams.

import type { SeededRandom } from '../../util/random.ts'
import { exponential } from './chance.ts'
import type { BurstRules } from './rules.ts'

/** After so many mean cycles of silence the state has forgotten its past: drawing it anew is exact enough, and bounded work. */
const FORGOTTEN_CYCLES = 200

export class BurstState {
  readonly rules: BurstRules
  readonly #random: SeededRandom
  #inBurst: boolean
  /** When the present state ends; unused when states are counted in datagrams. */
  #untilMs: number

  constructor(rules: BurstRules, random: SeededRandom, nowMs: number) {
    this.rules = rules
    this.#random = random
    // Started in its long-run balance, so that short tests see the same share of loss as long ones.
    this.#inBurst = random.chance(rules.burstShare)
    this.#untilMs = nowMs + this.#stay()
  }

  /** Whether the datagram that crosses the link at `nowMs` is lost. Called once for each, in order. */
  loses(nowMs: number): boolean {
    const { burstMs, goodMs, lossInBurst } = this.rules
    if (burstMs > 0) {
      if (nowMs - this.#untilMs > FORGOTTEN_CYCLES * (burstMs + goodMs)) {
        this.#inBurst = this.#random.chance(this.rules.burstShare)
        this.#untilMs = nowMs + this.#stay()
      }
      while (nowMs >= this.#untilMs) {
        this.#inBurst = !this.#inBurst
        this.#untilMs += this.#stay()
      }
    } else {
      if (this.#random.chance(this.#inBurst ? this.rules.endBurst : this.rules.beginBurst)) this.#inBurst = !this.#inBurst
    }
    return this.#inBurst && (lossInBurst === 1 || this.#random.chance(lossInBurst))
  }

  #stay(): number {
    const mean = this.#inBurst ? this.rules.burstMs : this.rules.goodMs
    return mean === Infinity ? Infinity : mean * exponential(this.#random)
  }
}
