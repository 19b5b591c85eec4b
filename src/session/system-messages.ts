// What sessions tell each other about themselves: joining, roster, rooms, goodbye, draining, clock. Values only; the bytes
// are the framing's.

import type { Ending } from './endings.ts'

/** A message between sessions. SPEC §13.4 has each byte by byte. */
export type SystemMessage =
  /** Client → server, first of all: which version, and what the application wants `accept` to see. */
  | { readonly kind: 'hello'; readonly version: number; readonly data: Uint8Array }
  /** Server → client: you are in. `seat` is your short number, `relay` whether clients reach each other. */
  | { readonly kind: 'welcome'; readonly version: number; readonly seat: number; readonly relay: boolean }
  /** Server → client: somebody is in this scope. */
  | { readonly kind: 'add'; readonly id: number; readonly seat: number }
  /** Server → client: somebody is no longer in this scope, and why. */
  | ({ readonly kind: 'remove'; readonly id: number; readonly seat: number } & Ending)
  /** Either way, right before a graceful end: why. */
  | { readonly kind: 'bye'; readonly code: number; readonly text: string }
  /** Server → client: I am going to close in about so many milliseconds; finish what you are doing. */
  | { readonly kind: 'drain'; readonly withinMs: number; readonly text: string }
  /** Server → client: you are now in the room with this scope number and name. */
  | { readonly kind: 'roomJoined'; readonly name: string }
  /** Server → client: you are no longer in this room, and why. */
  | { readonly kind: 'roomLeft'; readonly text: string }
  /** Client → server: I have taken so many introductions (welcome, add, roomJoined), counted from the first. */
  | { readonly kind: 'seen'; readonly count: number }
  /** Client → server: what time is it? */
  | { readonly kind: 'clockAsk'; readonly token: number }
  /** Server → client: it is so many milliseconds of session time. */
  | { readonly kind: 'clockAnswer'; readonly token: number; readonly timeMs: number }

/** Texts of goodbyes are for people: at most so many bytes. */
export const MAX_TEXT_BYTES = 256
/** Room names. */
export const MAX_NAME_BYTES = 64
/** What a client may tell `accept`. */
export const MAX_HELLO_BYTES = 1024

/** Cuts a text to what a goodbye may carry, at a character's edge. */
export const clipText = (text: string, maxBytes = MAX_TEXT_BYTES): string => {
  // A character takes at most 3 bytes per UTF-16 unit, so short texts need no encoder.
  if (text.length * 3 <= maxBytes) return text
  let bytes = 0
  let end = 0
  for (const character of text) {
    const code = character.codePointAt(0)!
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
    if (bytes > maxBytes) break
    end += character.length
  }
  return text.slice(0, end)
}
