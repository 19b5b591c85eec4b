// What a bad network is, in words and numbers that a person can write down. No behaviour: `rules.ts` checks these numbers,
// `link.ts` acts on them.

/**
 * What happens to datagrams on their way in one direction. Everything is optional; `{}` is a perfect network.
 *
 * A datagram meets them in this order: too large for the path → the queue before the bottleneck → blackout → loss →
 * damage → delay → duplication. What becomes of it is decided when it is sent, so changed conditions hold for the
 * datagrams that are sent after the change.
 */
export interface Conditions {
  /** Time on the way, one direction, ms, 0 to 600,000. @default 0 */
  latencyMs?: number
  /**
   * Extra time on the way, drawn anew for each datagram, ms, 0 to 600,000: evenly from 0 to `jitterMs`, or, when
   * `jitterShape` is `'exponential'`, `jitterMs` on average, mostly less and now and then several times as much.
   * @default 0
   */
  jitterMs?: number
  /** @default 'uniform' */
  jitterShape?: 'uniform' | 'exponential'
  /** Share of datagrams that take `spikeMs` longer (radio retransmissions, a scan for access points), 0 to 1. @default 0 */
  spikeRatio?: number
  /** Length of such a spike on average (exponential), ms, 0 to 600,000. @default 50 */
  spikeMs?: number
  /**
   * `true`: a delayed datagram holds up the ones behind it, as a queue does. `false`: they overtake it, so jitter and
   * spikes reorder.
   * @default true
   */
  keepOrder?: boolean
  /** Share of datagrams that leave the row and arrive `reorderByMs` later than they would, 0 to 1. @default 0 */
  reorderRatio?: number
  /** How much later: ms, or the two ends of a range, 0 to 600,000. @default [5, 25] */
  reorderByMs?: number | readonly [min: number, max: number]

  /** Share of datagrams lost one by one, independently, 0 to 1. @default 0 */
  lossRatio?: number
  /** Loss that comes in bursts, on top of `lossRatio`. @default none */
  burstLoss?: BurstLoss
  /** Times in which nothing gets through, or nothing leaves. @default [] */
  blackouts?: readonly Blackout[]

  /** Share of datagrams that arrive twice, 0 to 1. @default 0 */
  duplicateRatio?: number
  /** How long after the first the second one arrives: ms, or the two ends of a range, 0 to 600,000. @default [0, 20] */
  duplicateByMs?: number | readonly [min: number, max: number]
  /**
   * Share of datagrams after which an old one, one of the last 1,000, arrives once more, 0 to 1: what an attacker who can
   * listen and send does. @default 0
   */
  replayRatio?: number
  /**
   * Share of datagrams in which one to three random bits are wrong, 0 to 1. (On real networks most of them never pass UDP's
   * own checksum.) @default 0
   */
  corruptRatio?: number
  /** Share of datagrams that lose their end, 0 to 1; what remains is 0 bytes to all but one. @default 0 */
  truncateRatio?: number
  /** Share of datagrams that gain 1 to 64 random bytes at the end, 0 to 1. @default 0 */
  extendRatio?: number

  /** How much the narrowest place lets through, bytes per second, 1 to 1e12; headers (`overheadBytes`) included. @default no limit */
  rateBytesPerSecond?: number
  /** Bytes of IP and UDP headers that the rate and the queue count for each datagram, 0 to 200. @default 28 (IPv4) */
  overheadBytes?: number
  /**
   * How much may wait before the narrowest place, bytes with headers, 1 to 1e12; what comes when it is full is dropped
   * (drop-tail). An empty queue takes any datagram.
   * @default what the rate lets through in 200 ms, at least 15,000; 262,144 when there is no rate
   */
  queueBytes?: number
  /** The same limit in datagrams, the one being sent included, 1 to 1e9. @default no limit of this kind */
  queueDatagrams?: number
  /** Largest UDP payload that gets through, bytes, 1 to 65,507; larger datagrams vanish without a word. @default no limit */
  mtuBytes?: number
}

/**
 * Two-state loss after Gilbert and Elliott: the link is well, or in a burst; in a burst most or all is lost. Give the
 * length of bursts in time (`meanBurstMs`: radio, interference; a burst takes what is sent while it lasts) or in datagrams
 * (`meanBurstDatagrams`: the model in the textbooks), not both.
 */
export interface BurstLoss {
  /** Share of all datagrams lost to bursts in the long run, 0 to less than 1, and less than `lossInBurstRatio`. */
  lossRatio: number
  /** Mean length of a burst (exponential), ms, 0.1 to 3,600,000. */
  meanBurstMs?: number
  /** Mean length of a burst (geometric), datagrams, 1 to 1e6. */
  meanBurstDatagrams?: number
  /** Share of datagrams lost within a burst, more than 0 to 1. @default 1 */
  lossInBurstRatio?: number
}

/** A time in which nothing gets through. Times count from the start of the link (in a `Network`: of virtual time). */
export interface Blackout {
  /** When it begins, ms, 0 or more. */
  atMs: number
  /** How long it lasts, ms, more than 0. */
  durationMs: number
  /** Again every so many milliseconds, more than `durationMs`. @default once */
  everyMs?: number
  /**
   * `false`: what is sent meanwhile is lost. `true`: it waits (as far as the queue reaches) and leaves at the end in one
   * go, as radio networks do while they hand a phone over. @default false
   */
  hold?: boolean
}

/** Conditions that change at given times. */
export interface Timeline {
  /** In order of time; the first one at 0. */
  readonly steps: readonly TimelineStep[]
  /** Begin again after so many milliseconds, more than the last `atMs`. @default the last step stays */
  readonly repeatEveryMs?: number
}

/** From `atMs` after the start of the link on, `conditions` hold: all of them, none stays from the step before. */
export interface TimelineStep {
  readonly atMs: number
  readonly conditions: Conditions
}

/** One direction: fixed, or changing by itself. */
export type ConditionsOverTime = Conditions | Timeline

/** Both directions of a path, seen from its first end (the client): `to` the other end, and `from` it. */
export interface TwoWay {
  readonly to?: ConditionsOverTime
  readonly from?: ConditionsOverTime
}

/** A path between two places: the same in both directions, or each direction by itself. Profiles are of the second kind. */
export type PathConditions = ConditionsOverTime | TwoWay

/** The two directions of a path; a direction that is not given is perfect. */
export const directions = (path: PathConditions): { to: ConditionsOverTime; from: ConditionsOverTime } =>
  'to' in path || 'from' in path ? { to: path.to ?? {}, from: path.from ?? {} }
    : { to: path as ConditionsOverTime, from: path as ConditionsOverTime }
