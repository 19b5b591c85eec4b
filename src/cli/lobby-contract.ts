// What the processes of `vaiven lobby` share: the game's contract, and what a process tells the director over its pipe.

import { defineNode, property, rpc, t } from '../rpc/index.ts'

/** The lobby of Godot's documentation, with chat, colours and movement. */
export const Game = defineNode('lobby', {
  registerPlayer: rpc.remote(t.record({ name: t.string, color: t.rgba8 })),
  say: rpc.remote(t.record({ number: t.varint, sentAt: t.f64, text: t.string })),
  moved: rpc.remote(t.f32, t.f32).unreliable(),
  color: property.remote(t.rgba8),
  roll: rpc.remote(t.range(2, 100)).returns(t.u8),
  /** The server's last words to somebody whom it is about to kick. */
  warn: rpc.server(t.varint),
})

/** What `accept` wants to hear. */
export const PASSWORD = 'friend'
/** How many warnings the server sends right before a kick; all must arrive. */
export const WARNINGS = 20
/** Milliseconds since 1970 with fractions: the same clock in every process of this machine. */
export const wallClock = (): number => performance.timeOrigin + performance.now()

/** What one process has heard of another. */
export interface Heard {
  readonly name: string
  /** Reliable calls, and how many of them were not the next one expected. */
  reliable: number
  outOfOrder: number
  twice: number
  /** The highest number heard, plus one. */
  next: number
  unreliable: number
  colors: number
}

/** A process about itself. */
export interface Report {
  readonly type: 'report'
  readonly name: string
  readonly id: number
  readonly state: string
  readonly peers: number
  readonly roundTripMs: number
  readonly lossRatio: number
  readonly said: number
  readonly warnings: number
  readonly rolls: number
  readonly rollsAnswered: number
  /** One-way times of reliable calls heard since the last report, ms. */
  readonly latencies: readonly number[]
  readonly clockErrorMs: number
  readonly bytesSent: number
  readonly repaired: number
  readonly heard: Readonly<Record<string, Heard>>
}

/** From a process to the director. */
export type Told =
  | Report
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'event'; readonly name: string; readonly text: string; readonly kind: string; readonly id?: number }
  | { readonly type: 'ended'; readonly name: string; readonly reason: string; readonly text: string }

/** From the director to a process. */
export type Order =
  | { readonly do: 'talk' }
  | { readonly do: 'quiet' }
  | { readonly do: 'kick'; readonly id: number; readonly reason: string }
  | { readonly do: 'close'; readonly reason: string }
