// Order among 16-bit numbers that wrap, and ENet's window of acceptable reliable numbers. SPEC §5.1, §5.2.

import { ACCEPTED_WINDOWS, RELIABLE_WINDOW, RELIABLE_WINDOWS } from './constants.ts'

/** How far `to` lies ahead of `from`, 0 to 65535. */
export const ahead = (from: number, to: number): number => (to - from) & 0xffff

/** The number after `sequence`. */
export const next = (sequence: number): number => (sequence + 1) & 0xffff

/** Where a reliable number lies relative to the last one delivered in order. */
export const Place = {
  /** In one of the seven windows that are accepted (the number itself may still be a duplicate). */
  acceptable: 0,
  /** In the two windows that are neither accepted nor acknowledged. */
  deadZone: 1,
  /** Taken for something received long ago: not accepted, but acknowledged. */
  old: 2,
} as const
export type Place = (typeof Place)[keyof typeof Place]

/** SPEC §5.2: the windows are aligned to multiples of 4,096, so the place depends on both numbers, not on their distance. */
export const placeOf = (sequence: number, reference: number): Place => {
  const current = Math.floor(reference / RELIABLE_WINDOW)
  const window = Math.floor(sequence / RELIABLE_WINDOW) + (sequence < reference ? RELIABLE_WINDOWS : 0)
  const lead = window - current
  if (lead < ACCEPTED_WINDOWS) return Place.acceptable
  return lead < ACCEPTED_WINDOWS + 2 ? Place.deadZone : Place.old
}
