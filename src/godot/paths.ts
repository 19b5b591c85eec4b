// Node paths shortened to numbers, on both sides of "simplify path" and "confirm path". Pure bookkeeping: sends nothing.
// SPEC §16.4.
//
//   we ──simplify 1 = "lobby"──► peer      PathNumbers: which number we gave to a path, who was told it, who confirmed
//   we ◄──confirm "lobby"─────── peer
//   we ◄──simplify 1 = "lobby"── peer      PathTable: what each peer's numbers mean to that peer
//
// Numbers are the sender's own and have nothing to do with anybody else's.

/** What a packet to some peers may use for a path, and what has to be said first. */
export interface PathPlan {
  /** Our number for the path; 0 when it has none, since too many are in use. */
  readonly id: number
  /** Peers that have to be told the number now (reliably, each alone); noted as told. */
  readonly tell: readonly number[]
  /** Peers that have confirmed the number: a packet to them may use it. */
  readonly confirmed: readonly number[]
  /** Peers that have not: a packet to them has to carry the path. */
  readonly unconfirmed: readonly number[]
}

/** The sending side: our numbers for paths, and who knows them. */
export class PathNumbers {
  readonly #ids = new Map<string, number>()
  /** Peer → path → whether it confirmed. */
  readonly #told = new Map<number, Map<string, boolean>>()
  readonly #maxPaths: number

  /** @param maxPaths how many paths get numbers; beyond, paths are always written out. @default 65536 */
  constructor(maxPaths = 65_536) {
    this.#maxPaths = maxPaths
  }

  /** What to do for a packet about `path` that goes to `peers`. */
  plan(path: string, peers: Iterable<number>): PathPlan {
    const tell: number[] = []
    const confirmed: number[] = []
    const unconfirmed: number[] = []
    const id = this.#idOf(path)
    for (const peer of peers) {
      const known = this.#told.get(peer)
      const state = known?.get(path)
      if (state === true) confirmed.push(peer)
      else {
        unconfirmed.push(peer)
        if (state !== undefined || id === 0) continue
        tell.push(peer)
        if (known === undefined) this.#told.set(peer, new Map([[path, false]]))
        else known.set(path, false)
      }
    }
    return { id, tell, confirmed, unconfirmed }
  }

  /** Takes a confirmation. False when `peer` was never told this path: nonsense, or from before it reconnected. */
  confirm(peer: number, path: string): boolean {
    const known = this.#told.get(peer)
    if (known === undefined || !known.has(path)) return false
    known.set(path, true)
    return true
  }

  /** The peer has left: whoever has its id next knows nothing. */
  forget(peer: number): void {
    this.#told.delete(peer)
  }

  #idOf(path: string): number {
    let id = this.#ids.get(path)
    if (id === undefined) {
      if (this.#ids.size >= this.#maxPaths) return 0
      // From 1, never given twice: an old number that is still on its way must not mean something else.
      id = this.#ids.size + 1
      this.#ids.set(path, id)
    }
    return id
  }
}

/** How much one peer may make us remember. */
export interface PathTableLimits {
  /** Numbers. @default 4096 */
  readonly maxPaths?: number
  /** Characters of all its paths together. @default 262144 */
  readonly maxCharacters?: number
}

/** The receiving side: what the numbers of others mean. */
export class PathTable {
  readonly #peers = new Map<number, { readonly paths: Map<number, string>; characters: number }>()
  readonly #maxPaths: number
  readonly #maxCharacters: number

  constructor({ maxPaths = 4096, maxCharacters = 262_144 }: PathTableLimits = {}) {
    this.#maxPaths = maxPaths
    this.#maxCharacters = maxCharacters
  }

  /**
   * Takes an announcement: from now on `id` of `peer` means `path`, whatever it meant before.
   * @returns true when it has to be confirmed. False when the peer has used up its share: without a confirmation it goes on
   *   writing its paths out, so that nothing is lost but bytes.
   */
  learn(peer: number, id: number, path: string): boolean {
    let known = this.#peers.get(peer)
    if (known === undefined) this.#peers.set(peer, (known = { paths: new Map(), characters: 0 }))
    const old = known.paths.get(id)
    const characters = known.characters + path.length - (old?.length ?? 0)
    if (characters > this.#maxCharacters || (old === undefined && known.paths.size >= this.#maxPaths)) {
      // An old meaning that was to be replaced must not be used any longer.
      if (old !== undefined) known.paths.delete(id)
      known.characters -= old?.length ?? 0
      return false
    }
    known.paths.set(id, path)
    known.characters = characters
    return true
  }

  /** The path that a packet of `peer` is about; null for a number that was never announced. */
  resolve(peer: number, node: number | string): string | null {
    return typeof node === 'string' ? node : (this.#peers.get(peer)?.paths.get(node) ?? null)
  }

  /** The peer has left. */
  forget(peer: number): void {
    this.#peers.delete(peer)
  }
}

/**
 * A node's path in the form in which it travels: relative to the root of the tree, without doubled slashes. `/root/lobby`,
 * `lobby` and `lobby/` are all `lobby`; `/root`, `.` and the empty path are `.`, the root itself.
 */
export const wirePath = (path: string): string => {
  const names: string[] = []
  const parts = path.split('/').filter((name) => name !== '' && name !== '.')
  if (path.startsWith('/') && parts[0] === 'root') parts.shift()
  for (const name of parts) {
    if (name === '..' && names.length > 0 && names.at(-1) !== '..') names.pop()
    else names.push(name)
  }
  return names.join('/') || '.'
}
