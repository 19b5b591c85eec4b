// Which rules hold when: one set for ever, or the steps of a timeline. Asked once per datagram, with rising times, so the
// answer is remembered together with the time until which it holds.

import { VaivenError, outOfRange } from '../../util/errors.ts'
import type { ConditionsOverTime } from './conditions.ts'
import { rulesOf, within, type Rules } from './rules.ts'

interface Step { readonly atMs: number; readonly rules: Rules }

export class Course {
  readonly #steps: readonly Step[]
  readonly #repeatEveryMs: number
  #current: Rules
  #fromMs = 0
  #untilMs: number

  /** @throws VaivenError `ERR_OPTION_RANGE` */
  constructor(conditions: ConditionsOverTime) {
    if (conditions !== null && typeof conditions === 'object' && 'steps' in conditions) {
      this.#steps = conditions.steps.map((step, i) => ({
        atMs: within(`steps[${i}].atMs`, step.atMs, 0, 1e12),
        rules: rulesOf(step.conditions, `steps[${i}].conditions`),
      }))
      this.#steps.forEach((step, i) => {
        const before = this.#steps[i - 1]
        if (before === undefined ? step.atMs !== 0 : !(step.atMs > before.atMs)) {
          const legal = before === undefined ? '0 in the first step' : `more than ${before.atMs}, the step before`
          throw outOfRange(`steps[${i}].atMs`, step.atMs, legal)
        }
      })
      const last = this.#steps[this.#steps.length - 1]
      if (last === undefined) throw new VaivenError('ERR_OPTION_RANGE', 'steps is empty; a timeline needs at least one step')
      this.#repeatEveryMs = conditions.repeatEveryMs ?? Infinity
      if (!(this.#repeatEveryMs > last.atMs)) {
        throw outOfRange('repeatEveryMs', this.#repeatEveryMs, `more than ${last.atMs}, the last step`)
      }
    } else {
      this.#steps = [{ atMs: 0, rules: rulesOf(conditions) }]
      this.#repeatEveryMs = Infinity
    }
    this.#current = this.#steps[0]!.rules
    this.#untilMs = this.#steps[1]?.atMs ?? this.#repeatEveryMs
  }

  /** The rules at `elapsedMs` after the start of the link. */
  at(elapsedMs: number): Rules {
    if (elapsedMs < this.#untilMs && elapsedMs >= this.#fromMs) return this.#current
    const repeat = this.#repeatEveryMs
    const within = repeat === Infinity ? elapsedMs : elapsedMs % repeat
    const roundMs = elapsedMs - within
    let i = this.#steps.length - 1
    while (i > 0 && this.#steps[i]!.atMs > within) i--
    this.#current = this.#steps[i]!.rules
    this.#fromMs = roundMs + this.#steps[i]!.atMs
    this.#untilMs = i + 1 < this.#steps.length ? roundMs + this.#steps[i + 1]!.atMs : roundMs + repeat
    return this.#current
  }
}
