// A packet that arrives in fragments. Memory follows what was received, never what a fragment claims. SPEC §5.6.

/** Bytes charged for each piece of anything held, on top of its payload. */
export const PIECE_CHARGE = 128

/** What adding a fragment did. */
export const FragmentFit = {
  /** Contradicts the geometry: lengths, counts or an earlier fragment of the same packet. */
  contradiction: 0,
  /** Already there. */
  duplicate: 1,
  added: 2,
  /** Was the last one missing. */
  complete: 3,
} as const
export type FragmentFit = (typeof FragmentFit)[keyof typeof FragmentFit]

export class Reassembly {
  readonly totalBytes: number
  readonly count: number
  #missing: number
  /** Length of every piece but the last; 0 until known. */
  #pieceBytes = 0
  readonly #pieces: (Uint8Array | undefined)[] = []

  constructor(totalBytes: number, count: number) {
    this.totalBytes = totalBytes
    this.count = count
    this.#missing = count
  }

  /** Is this a fragment of the same packet? */
  matches(totalBytes: number, count: number): boolean {
    return this.totalBytes === totalBytes && this.count === count
  }

  /** Would the piece fit, and is it new? Does not keep it. */
  fit(number: number, offset: number, length: number): FragmentFit {
    const { count, totalBytes } = this
    const last = number === count - 1
    // Every sender cuts into equal pieces, so one piece tells the size of all. The last one alone tells it by its offset.
    const pieceBytes = last ? (count === 1 ? length : offset / (count - 1)) : length
    if (!Number.isInteger(pieceBytes) || pieceBytes < 1 || (this.#pieceBytes !== 0 && pieceBytes !== this.#pieceBytes)) {
      // A packet of no bytes in one fragment has no piece length at all.
      if (!(count === 1 && totalBytes === 0 && length === 0)) return FragmentFit.contradiction
    }
    if (offset !== number * pieceBytes) return FragmentFit.contradiction
    const rest = totalBytes - (count - 1) * pieceBytes
    if (rest < (count === 1 ? 0 : 1) || rest > pieceBytes || (last && length !== rest)) return FragmentFit.contradiction
    if (this.#pieces[number] !== undefined) return FragmentFit.duplicate
    return this.#missing === 1 ? FragmentFit.complete : FragmentFit.added
  }

  /** Keeps a piece that `fit` called `added` or `complete`. */
  add(number: number, offset: number, piece: Uint8Array): void {
    this.#pieceBytes = number === this.count - 1 ? (this.count === 1 ? piece.length : offset / (this.count - 1)) : piece.length
    this.#pieces[number] = piece
    this.#missing--
  }

  get complete(): boolean {
    return this.#missing === 0
  }

  /** Bytes held so far, with the charge for each piece. */
  get charge(): number {
    let bytes = PIECE_CHARGE
    for (const piece of this.#pieces) if (piece !== undefined) bytes += piece.length + PIECE_CHARGE
    return bytes
  }

  /** The whole packet. */
  join(): Uint8Array {
    if (this.count === 1) return this.#pieces[0] as Uint8Array
    const whole = new Uint8Array(this.totalBytes)
    let at = 0
    for (const piece of this.#pieces) {
      whole.set(piece as Uint8Array, at)
      at += (piece as Uint8Array).length
    }
    return whole
  }
}
