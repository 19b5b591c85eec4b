// The window of CUBIC (RFC 9438: C = 0.4, beta = 0.7, with the Reno-friendly estimate), for the time in which a flow that
// fills queues shares the path: then a share can only be had by its own rules.

import type { Millis } from '../endpoint.ts'

const C = 0.4
const BETA = 0.7

export class Cubic {
  window: number
  readonly #mtu: number
  #before: number
  #origin: number
  #estimate: number
  #k = 0
  #epoch: Millis = -1
  /** Doubling per round trip until the first loss. */
  slowStart: boolean

  /** @param slowStart nothing is known of what a share may be: begins as every newcomer does */
  constructor(window: number, mtu: number, slowStart = false) {
    this.window = this.#before = this.#origin = this.#estimate = window
    this.#mtu = mtu
    this.slowStart = slowStart
  }

  acknowledged(bytes: number, roundTripMs: number, now: Millis): void {
    const mtu = this.#mtu
    if (this.slowStart) {
      this.window += bytes
      return
    }
    if (this.#epoch < 0) {
      this.#epoch = now
      this.#k = this.window < this.#before ? cubeRoot((this.#before - this.window) / mtu / C) : 0
      this.#origin = Math.max(this.window, this.window < this.#before ? this.#before : this.window)
      this.#estimate = this.window
    }
    const t = (now - this.#epoch + roundTripMs) / 1000 - this.#k
    const target = this.#origin + C * t * t * t * mtu
    this.#estimate += (bytes * ((3 * (1 - BETA)) / (1 + BETA)) * mtu) / this.window
    const goal = Math.min(Math.max(target, this.#estimate), 1.5 * this.window)
    if (goal > this.window) this.window += ((goal - this.window) * bytes) / this.window
  }

  lost(): void {
    this.#epoch = -1
    this.slowStart = false
    // Fast convergence: a window that did not reach the last maximum leaves room for others.
    this.#before = this.window < this.#before ? this.window * 0.85 : this.window
    this.window = Math.max(4 * this.#mtu, this.window * BETA)
  }

  /** The path was gone for a while. */
  outage(): void {
    this.window = Math.max(4 * this.#mtu, this.window * 0.3)
  }
}

/** By Newton's method: basic arithmetic gives the same result on every engine. */
export const cubeRoot = (value: number): number => {
  if (value <= 0) return 0
  let root = value > 1 ? value / 3 + 0.7 : 1
  for (let i = 0; i < 40; i++) {
    const better = (2 * root + value / (root * root)) / 3
    if (Math.abs(better - root) <= 1e-9 * root) return better
    root = better
  }
  return root
}
