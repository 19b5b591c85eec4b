// May this call run? Who calls, how large it is, how often: asked in this order before a single argument is decoded.

import { TokenBucket } from '../util/token-bucket.ts'
import type { MemberEntry } from './registry.ts'
import { MODES } from './modes.ts'

/** Limits for methods that declare none, where strangers call: at a server. */
export interface DefaultLimit {
  readonly perSecond: number
  readonly burst: number
  readonly maxBytes: number
}

/** Generous: what a game sends 60 times a second for 16 objects passes; a flood does not. */
export const DEFAULT_LIMIT: DefaultLimit = { perSecond: 1000, burst: 2000, maxBytes: 65_536 }

/** Why not. `mode`: the rule table says no, which is ordinary in Godot's style (everybody is asked, only the master runs it). */
export type Refusal = 'mode' | 'caller' | 'size' | 'rate'

/** Checks one arriving call. Null: it may run. */
export const refusalOf = (
  entry: MemberEntry,
  sender: number,
  ownId: number,
  argumentBytes: number,
  now: number,
  fallback: DefaultLimit | null,
): Refusal | null => {
  const { master } = entry.node
  if (!MODES[entry.mode].allows(sender, ownId, master)) return entry.mode === 'server' || entry.mode === 'serverSync' ? 'caller' : 'mode'
  const { caller, limit } = entry.member.declaration.traits
  if (caller !== null) {
    const allowed = caller === 'server' ? sender === 1 : caller === 'master' ? sender === master : caller(sender)
    if (!allowed) return 'caller'
  }
  const maxBytes = limit.maxBytes ?? fallback?.maxBytes
  if (maxBytes !== undefined && argumentBytes > maxBytes) return 'size'
  const perSecond = limit.perSecond ?? fallback?.perSecond
  if (perSecond === undefined) return null
  let bucket = entry.buckets.get(sender)
  if (bucket === undefined) {
    bucket = new TokenBucket(perSecond, limit.burst ?? (limit.perSecond === undefined ? fallback!.burst : Math.max(1, 2 * perSecond)), now)
    entry.buckets.set(sender, bucket)
  }
  return bucket.take(now) ? null : 'rate'
}
