// The store of old datagrams from which replays are taken: the last 1,000, and any of them with the same chance.

import type { SeededRandom } from '../../util/random.ts'

const REMEMBERED = 1000

export class Replays<Tag> {
  readonly #ring: { bytes: Uint8Array; tag: Tag }[] = []
  #next = 0

  /** Keeps a datagram in the place of the oldest one; `bytes` must be the store's own. */
  remember(bytes: Uint8Array, tag: Tag): void {
    this.#ring[this.#next] = { bytes, tag }
    this.#next = (this.#next + 1) % REMEMBERED
  }

  /** One of the remembered datagrams; the caller copies the bytes. */
  any(random: SeededRandom): { bytes: Uint8Array; tag: Tag } | undefined {
    return this.#ring.length === 0 ? undefined : this.#ring[random.below(this.#ring.length)]
  }
}
