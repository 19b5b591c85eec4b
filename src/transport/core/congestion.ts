// How much may be under way, and how fast it leaves: a model of the path, its delivery rate and its propagation delay.
//
// Theory. Sending at the delivery rate with one bandwidth-delay product under way fills the path and no queue (Kleinrock;
// BBR, Cardwell et al. 2016). What differs here: delay, not loss, says that we are too fast; loss seen while no queue
// stands is the path's own and is made up for (ambient-loss.ts), but fully only while we hold proof that our own sending
// builds and removes the queue; several flows of our kind yield to a standing queue until it is gone; and where yielding
// does not make it go away, somebody fills it on purpose and we take our share by CUBIC's rules (cubic.ts).
// SPEC §7.4 · our own simulations are the evidence for the constants; each is named with its reason.

import type { Millis } from '../endpoint.ts'
import { AmbientLoss, Calm } from './ambient-loss.ts'
import { Cubic } from './cubic.ts'
import { DeliveryRate } from './delivery-rate.ts'
import { PathDelay } from './path-delay.ts'

/** Notes that go with a datagram from its sending to its acknowledgement. */
export interface FlightNotes {
  /** Bytes delivered, and when, at the time of sending; and when the first datagram of that flight left. */
  deliveredBefore: number
  deliveredAt: Millis
  firstSentAt: Millis
  /** The application had nothing more to send. */
  appLimited: boolean
  calm: Calm
  phase: Phase
}

/** The part of a probe in which a datagram was sent: its round trip shows whether our load moves the queue. */
export const Phase = { other: 0, up: 1, down: 2 } as const
export type Phase = (typeof Phase)[keyof typeof Phase]

type State = 'startup' | 'drain' | 'cruise' | 'up' | 'down' | 'compete' | 'yield'

const INITIAL_DATAGRAMS = 32
/** A round's loss stands out from the path's own when it is so many deviations above it: random loss alone must not. */
const OUTLIER = 3.5
/** 4 ln 2: the rate of delivery then doubles in every round trip, although it is measured one late. */
const STARTUP_GAIN = 2.77
/** Rounds between probes; the first few follow each other at once. */
const CRUISE_ROUNDS = 6
const EAGER_PROBES = 3
/** Queue that a probe for more may build, ms: a quarter of the round trip, but on long paths not much more than this. */
const PROBE_MS = 9
const MAX_COMPENSATED = 0.5
/** Compensated without proof, at most. */
const UNPROVED_AMBIENT = 0.04
const REFRESH_MS = 10_000
/** And even where it was seen again: we may take it for longer than it is. Twice as long after each look that found nothing. */
const FIRST_LOOK_MS = 5_000
const LOOK_MS = 15_000
const LOOK_MAX_MS = 60_000
/** Behind a queue that overflows, the way counts as longer only after so long. */
const STUBBORN_MS = 60_000
/** A queue of at most so much is borne, however long the path: who joins a standing queue takes the path for longer than it is. */
const STANDING_MAX_MS = 15
/** Rounds for which we have yielded most of our rate in vain: somebody fills the queue on purpose, and is not just starting. */
const STUCK_ROUNDS = 20
/** What is left of the estimate at the end of one yielding, at least. */
const MAX_YIELD = 0.5
/** Of what we had before we were pressed, we begin to compete with so much. */
const COMPETE_SHARE = 0.7
/** Rounds without any standing queue after which we know what the path has for us. */
const PEACE_ROUNDS = 30
/** What a round without a standing queue gives back of what was yielded; and a round with half of one. */
const YIELD_RECOVERY = 0.1
const SLOW_YIELD_RECOVERY = 0.03
/** How long we compete before we look whether it is still needed; twice as long after each time that it was. */
const COMPETE_MS = 6_000
const COMPETE_MAX_MS = 40_000
/** How long that look takes at most, in ms and in round trips. */
const COMPETE_LOOK_MS = 2_000
const COMPETE_LOOK_TRIPS = 20
/** Rounds without any queue after which competing is pointless. */
const EMPTY_ROUNDS = 40
/** Pressed again within so long: it is the same contention. */
const CONTENTION_MS = 30_000

const PACING_GAIN: Record<State, number> = { startup: STARTUP_GAIN, drain: 0.5, cruise: 1, up: 1.25, down: 0.75, compete: 1, yield: 0.6 }
const WINDOW_GAIN: Record<State, number> = { startup: 2, drain: 1.25, cruise: 1, up: 1, down: 1, compete: 1, yield: 1 }

export class Congestion {
  /** Bytes per ms at which bulk data leaves. */
  rate = Infinity
  /** Bytes that may be under way. */
  window: number
  readonly ambient = new AmbientLoss()
  readonly #mtu: number
  readonly #initial: number
  readonly #rates = new DeliveryRate()
  readonly #delay = new PathDelay()
  #state: State = 'startup'
  #since: Millis = 0
  #smoothed = 0
  // Rounds.
  #round = 0
  #roundEnds = 0
  #lost = 0
  #arrived = 0
  #lossShare = 0
  #emptyRounds = 0
  #anyLoss = false
  #excess = false
  #excessAt: Millis = -Infinity
  // Startup.
  #full = 0
  #fullRounds = 0
  #lossyRounds = 0
  /** Rounds in a row in which the application had enough to send. */
  #denseRounds = 0
  #sawEmpty = false
  // Cruise and probes.
  #cruiseRounds = 0
  #eager = EAGER_PROBES
  #upRounds = 0
  #rateBeforeUp = 0
  #refreshUntil: Millis = 0
  #refreshedAt: Millis = 0
  #refreshAfter = FIRST_LOOK_MS
  #propagationBefore = Infinity
  /** Upper bound after loss beyond the ambient one. */
  #ceiling = Infinity
  // Yielding and competing.
  #standing = 0
  /** What we had before somebody pressed us, and when we last were pressed: one contention has one memory. */
  #rateBeforePress = 0
  #pressedAt: Millis = -Infinity
  #yielded = 1
  /** What is delivered while we yield shows our yielding, not the path: one yielding costs half of the estimate at most. */
  #floor = 0
  #stuck = 0
  #cubic: Cubic | null = null
  #cutAt: Millis = -Infinity
  #competeAt: Millis = 0
  #competeEvery = COMPETE_MS
  #leftCompetingAt: Millis = -Infinity
  /** Rounds without a standing queue, and whether there were ever enough of them to know our share. */
  #peace = 0
  #hadPeace = false
  // Proof that our sending moves the queue.
  #upTrip = 0
  #upTrips = 0
  #downTrip = 0
  #downTrips = 0
  #provedUntil: Millis = 0
  #emptyUntil: Millis = 0
  #reproveAt: Millis = 0
  #reproveAfter = 2_000
  #now: Millis = 0

  constructor(mtu: number) {
    this.#mtu = mtu
    this.#initial = INITIAL_DATAGRAMS * mtu
    this.window = this.#initial
  }

  /** What the path delivers, bytes per ms; 0 while unknown. */
  get bandwidth(): number {
    return Math.max(this.#rates.best, this.#floor)
  }

  get state(): State {
    return this.#state
  }

  /** No proactive copies while others press, or right after an outage. */
  get pressed(): boolean {
    return this.#cubic !== null
  }

  /** The smallest round trip known, ms. */
  get propagationMs(): number {
    return this.#delay.propagation
  }

  /** In which part of a probe we are, for what is sent now. */
  phaseAt(now: Millis): Phase {
    const trip = this.#delay.base
    const elapsed = now - this.#since
    if (this.#state === 'up') return elapsed > 0.5 * trip ? Phase.up : Phase.other
    if (this.#state === 'down') return elapsed > 0.3 * trip ? Phase.down : Phase.other
    return Phase.other
  }

  /** What a loss of something sent now would prove. */
  calmAt(appLimited: boolean): Calm {
    const alpha = this.#delay.alpha
    if (this.#state === 'startup') {
      if (appLimited) return Calm.surely
      return this.#delay.recentMin - this.#delay.propagation < Math.max(1, alpha / 4) ? Calm.probably : Calm.no
    }
    if (this.#cubic !== null || this.#standing > 0) return Calm.no
    const queue = Math.min(this.#delay.queue, this.#delay.roundMin - this.#delay.propagation)
    if ((this.#state === 'drain' || this.#state === 'down' || appLimited) && queue < 1.5 * alpha) return Calm.surely
    return this.#state === 'cruise' && queue < 0.75 * alpha ? Calm.probably : Calm.no
  }

  /** How long each newly acknowledged datagram was under way, its acknowledgement's waiting included. */
  residence(ms: number): void {
    this.#delay.residence(ms)
  }

  /** The fate of a datagram. */
  result(calm: Calm, lost: boolean): void {
    if (lost) this.#lost++
    else this.#arrived++
    if (calm === Calm.surely) this.#emptyUntil = this.#now + Math.max(3_000, 30 * this.#delay.propagation)
    this.ambient.result(calm, lost)
  }

  /** A loss turned out to be none. */
  undoLoss(): void {
    this.#lost = Math.max(0, this.#lost - 1)
  }

  /**
   * A batch of acknowledgements.
   * @param trip round trip of the newest datagram in it
   * @param smoothed smoothed round trip after it
   * @param phase in which that datagram was sent
   * @param rate delivery rate that the batch shows, bytes per ms; 0 when it shows none
   * @param sample notes of the datagram that the rate was measured from
   * @param acked bytes newly acknowledged
   * @param delivered bytes delivered so far
   */
  acknowledged(
    trip: number,
    smoothed: number,
    phase: Phase,
    rate: number,
    sample: FlightNotes,
    acked: number,
    delivered: number,
    inFlight: number,
    now: Millis,
  ): void {
    this.#now = now
    this.#smoothed = smoothed
    this.#learnTrip(trip, phase, now)
    const newRound = sample.deliveredBefore >= this.#roundEnds
    if (newRound) this.#endRound(delivered)
    if (rate > 0 && (!sample.appLimited || rate > this.bandwidth)) this.#rates.add(this.#round, rate)
    if (newRound) this.#watchQueue()
    // A standing queue means that the old maximum is stale.
    this.#rates.expire(this.#round, this.#standing >= 2 && this.#cubic === null ? 3 : 10)
    const target = this.bandwidth * this.#delay.base * this.#compensation
    this.#move(newRound, sample.appLimited, target, acked, inFlight, now)
    if (newRound) this.#boundLoss(target, inFlight)
    this.#refresh(sample.appLimited, now)
    this.#update()
  }

  /** Nothing has come back for several probes: once per outage. */
  outage(): void {
    const half = this.bandwidth / 2
    this.#floor = 0
    this.#rates.reset(this.#round, half)
    this.#ceiling = Math.max(4 * this.#mtu, (this.#bdp || 8 * this.#mtu) / 2)
    this.#full = 0
    this.#fullRounds = 0
    this.#cubic?.outage()
    this.#update()
  }

  get #bdp(): number {
    return this.#delay.propagation === Infinity ? 0 : this.bandwidth * this.#delay.propagation
  }

  // The queue that a probe may build: small messages wait in it, too.
  get #probeMs(): number {
    const trip = this.#delay.base
    return Math.min(trip / 4, Math.max(PROBE_MS, 0.09 * trip))
  }

  get #threshold(): number {
    return Math.max(2 * this.#delay.alpha, 10, Math.min(STANDING_MAX_MS, this.#delay.propagation / 4)) + this.#delay.jitter
  }

  // The loss that is made up for.
  get #ambient(): number {
    const proved = this.#state === 'startup' || (this.#now < this.#provedUntil && this.#now < this.#emptyUntil)
    return proved ? this.ambient.ratio : Math.min(this.ambient.ratio, UNPROVED_AMBIENT)
  }

  get #compensation(): number {
    return 1 / (1 - Math.min(this.#ambient, MAX_COMPENSATED))
  }

  #learnTrip(trip: number, phase: Phase, now: Millis): void {
    // What was lost in a queue that we did not see was not the path's own loss.
    if (this.#delay.sample(trip, now)) this.ambient.reset()
    if (phase === Phase.up) {
      this.#upTrip += this.#upTrips++ === 0 ? trip : 0.1 * (trip - this.#upTrip)
    } else if (phase === Phase.down) {
      this.#downTrip += this.#downTrips++ === 0 ? trip : 0.1 * (trip - this.#downTrip)
      const moves = this.#upTrip - this.#downTrip >= Math.max(1, 0.06 * this.#delay.propagation)
      const empties = this.#downTrip < this.#delay.base + 2 * this.#delay.alpha
      if (this.#upTrips >= 6 && this.#downTrips >= 6 && moves && empties) {
        this.#provedUntil = now + Math.max(6_000, 40 * this.#delay.propagation)
      }
    }
  }

  #endRound(delivered: number): void {
    this.#round++
    this.#roundEnds = delivered
    this.#delay.endRound(this.#state === 'startup')
    const outcomes = this.#lost + this.#arrived
    this.#anyLoss = this.#lost > 0
    if (outcomes < 10 && this.#cubic === null) {
      this.#lossShare = 0
      this.#excess = false
      return
    }
    const ambient = this.#ambient
    const surplus = this.#lost - outcomes * ambient
    this.#lossShare = this.#lost / outcomes
    this.#excess =
      this.#delay.rise > Math.max(2, 0.75 * this.#delay.alpha) &&
      surplus > Math.max(3, OUTLIER * Math.sqrt(outcomes * ambient)) &&
      this.#lossShare > ambient + 0.03
    if (this.#excess) this.#excessAt = this.#now
    this.#lost = this.#arrived = 0
  }

  // Does a queue stand although we do not build one? Yield, ever more; when that does not help, somebody wants it so.
  #watchQueue(): void {
    const probing = this.#state === 'cruise' || this.#state === 'up' || this.#state === 'down'
    if (!probing) return
    const threshold = this.#threshold
    if (this.#delay.queue > threshold) {
      this.#peace = 0
      if (this.#standing++ === 0) {
        const again = this.#now - this.#pressedAt < CONTENTION_MS
        this.#rateBeforePress = Math.max(this.bandwidth, again ? this.#rateBeforePress : 0)
      }
      this.#pressedAt = this.#now
      if (this.#standing >= 2) {
        if (this.#floor === 0) this.#floor = MAX_YIELD * this.bandwidth
        this.#yielded = Math.max(0.4, this.#yielded * Math.max(0.75, (this.#delay.propagation + threshold / 2) / this.#delay.lastMin))
      }
      this.#stuck = this.#yielded <= 0.45 ? this.#stuck + 1 : 0
    } else if (this.#delay.queue < 0.6 * threshold) {
      this.#standing = this.#stuck = 0
      this.#yielded = Math.min(1, this.#yielded + YIELD_RECOVERY)
      if (this.#yielded === 1) this.#floor = 0
      if (this.#yielded === 1 && ++this.#peace >= PEACE_ROUNDS) this.#hadPeace = true
    } else {
      // Slowly back even while half a queue stays: yielding for ever to one just below the threshold would end at nothing.
      this.#yielded = Math.min(1, this.#yielded + SLOW_YIELD_RECOVERY)
    }
  }

  #move(newRound: boolean, appLimited: boolean, target: number, acked: number, inFlight: number, now: Millis): void {
    switch (this.#state) {
      case 'startup':
        return this.#startup(newRound, appLimited, inFlight, now)
      case 'drain':
        if (inFlight <= target) this.#cruise(now)
        return
      case 'up': {
        if (newRound) this.#upRounds++
        const elapsed = now - this.#since
        const trip = Math.max(this.#delay.base, 4)
        const room = 0.8 * this.bandwidth * this.#compensation * this.#probeMs
        const filled = elapsed > trip && (inFlight >= target + room || appLimited || this.#excess)
        if (filled || this.#upRounds >= 3) this.#enter('down', now)
        return
      }
      case 'down': {
        const trip = Math.max(this.#delay.base, 4)
        const elapsed = now - this.#since
        if ((inFlight <= target && elapsed > trip / 2) || elapsed > 3 * trip) this.#cruise(now)
        return
      }
      case 'yield':
        return this.#look(now)
      case 'compete':
        return this.#compete(newRound, acked, now)
      case 'cruise':
        return this.#onCruise(newRound, appLimited, inFlight, now)
    }
  }

  #startup(newRound: boolean, appLimited: boolean, inFlight: number, now: Millis): void {
    const { propagation, jitter, alpha, lastMin, recentMin } = this.#delay
    if (recentMin - propagation < Math.max(1, alpha / 2)) this.#sawEmpty = true
    // Where delays scatter and order is kept, datagrams that follow each other closely take longer than single ones, without any queue: as
    // much as the round before shows is believed, as far as the scatter explains it.
    const dense = propagation + Math.min(lastMin - propagation, Math.max(0, jitter - alpha))
    const rose = recentMin < Infinity && recentMin > dense + Math.max(4, propagation / 8) + jitter
    if (newRound) this.#denseRounds = appLimited ? 0 : this.#denseRounds + 1
    if (rose && this.#denseRounds > 1 && inFlight > 8 * this.#mtu && !appLimited) {
      this.#enter('drain', now)
      // We saw the path empty, and then full of what we had sent: proof enough.
      if (this.#sawEmpty) {
        this.#provedUntil = this.#emptyUntil = now + Math.max(3_000, 24 * this.#delay.propagation)
        this.#reproveAfter = 2_000
      }
      this.#reproveAt = now
      return
    }
    if (!newRound || appLimited) return
    if (this.bandwidth >= 1.25 * this.#full) {
      this.#full = this.bandwidth
      this.#fullRounds = 0
    } else this.#fullRounds++
    if (this.#fullRounds >= 3) this.#reproveAt = now
    // One lossy round must not end it: a lost acknowledgement datagram of a polled C peer looks like 30 % loss.
    this.#lossyRounds = this.#excess && this.#lossShare > this.ambient.ratio + 0.2 ? this.#lossyRounds + 1 : 0
    if (this.#fullRounds >= 3 || (this.#lossyRounds >= 2 && this.#fullRounds >= 2)) this.#enter('drain', now)
  }

  #onCruise(newRound: boolean, appLimited: boolean, inFlight: number, now: Millis): void {
    const unproved = now > this.#provedUntil && this.ambient.ratio > 0.03
    const calm = this.#standing === 0 && this.#delay.queue < this.#delay.alpha && !appLimited
    if (unproved && calm && now - this.#reproveAt > this.#reproveAfter) {
      // Prove again that our own load builds the queue.
      this.#reproveAt = now
      this.#reproveAfter = Math.min(8_000, 2 * this.#reproveAfter)
      this.#ceiling = Infinity
      this.#sawEmpty = false
      this.#full = this.bandwidth
      this.#fullRounds = 0
      this.#eager = EAGER_PROBES
      return this.#enter('startup', now)
    }
    if (newRound) this.#cruiseRounds++
    if (this.#stuck >= STUCK_ROUNDS && !appLimited) {
      // Peace did not last: the one who fills the queue is still there, so ask less often.
      const again = now - this.#leftCompetingAt < CONTENTION_MS
      this.#competeEvery = again ? Math.min(COMPETE_MAX_MS, 2 * this.#competeEvery) : COMPETE_MS
      const bandwidth = Math.max(this.bandwidth, COMPETE_SHARE * this.#rateBeforePress)
      this.#cubic = new Cubic(Math.max(inFlight, bandwidth * (this.#delay.lastMin + this.#delay.jitter)), this.#mtu, !again && !this.#hadPeace)
      this.#yielded = 1
      this.#floor = 0
      this.#stuck = 0
      this.#competeAt = now
      this.#emptyRounds = 0
      return this.#enter('compete', now)
    }
    if (this.#cruiseRounds < (this.#eager > 0 ? 1 : CRUISE_ROUNDS) || appLimited) return
    if (this.#eager > 0) this.#eager--
    // Somebody holds a queue already: do not add to it.
    if (this.#standing >= 2) return this.#enter('down', now)
    this.#upRounds = 0
    this.#rateBeforeUp = this.bandwidth
    this.#enter('up', now)
  }

  #compete(newRound: boolean, acked: number, now: Millis): void {
    const cubic = this.#cubic as Cubic
    cubic.acknowledged(acked, this.#smoothed, now)
    if (!newRound) return
    // Every loss is answered, as CUBIC does: whoever let the smallest share pass as the path's own would take all from the others.
    if (this.#anyLoss && now - this.#cutAt > this.#smoothed) {
      cubic.lost()
      this.#cutAt = now
    }
    this.#emptyRounds = this.#delay.queue < this.#delay.alpha ? this.#emptyRounds + 1 : 0
    if (this.#emptyRounds >= EMPTY_ROUNDS) this.#leaveCompeting(now)
    else if (now - this.#competeAt > this.#competeEvery) {
      this.#competeAt = now
      this.#enter('yield', now)
    }
  }

  // Is it still needed? Others of our kind that began to compete on the same occasion look at about the same time, so we
  // look for long enough to meet them.
  #look(now: Millis): void {
    const trip = Math.max(this.#delay.base, 4, this.#smoothed)
    const elapsed = now - this.#since
    if (elapsed < trip) return
    if (this.#delay.latelyMin - this.#delay.propagation < this.#threshold / 2 && this.ambient.surelyRatio < 0.02) {
      this.#leaveCompeting(now)
    } else if (elapsed > Math.max(1.5 * trip, Math.min(COMPETE_LOOK_MS, COMPETE_LOOK_TRIPS * trip))) {
      this.#competeEvery = Math.min(COMPETE_MAX_MS, 2 * this.#competeEvery)
      this.#competeAt = now
      this.#enter('compete', now)
    }
  }

  #leaveCompeting(now: Millis): void {
    this.#cubic = null
    this.#standing = 0
    this.#leftCompetingAt = this.#pressedAt = now
    this.#rateBeforePress = this.bandwidth
    this.#cruise(now)
  }

  // Loss beyond the ambient one, with a queue: bounded by what was under way.
  #boundLoss(target: number, inFlight: number): void {
    if (this.#excess && this.#state !== 'startup') {
      // On a lossy path the bound stays near the target: one lost acknowledgement datagram looks like many losses.
      const least = this.ambient.clean ? 0.5 : 0.9
      this.#ceiling = Math.max(4 * this.#mtu, least * target, 0.85 * Math.min(this.#ceiling, Math.max(inFlight, this.#bdp)))
    } else if (this.#ceiling < Infinity) {
      this.#ceiling += Math.max(this.#mtu, 0.05 * this.#ceiling)
      if (this.#ceiling > 2.5 * target) this.#ceiling = Infinity
    }
    if (this.#state === 'cruise' && this.#cruiseRounds === 1 && this.#rateBeforeUp > 0 && this.bandwidth > 1.1 * this.#rateBeforeUp) {
      // The last probe found room: look for more at once.
      this.#eager = Math.max(this.#eager, 2)
      this.#rateBeforeUp = 0
    }
  }

  // A propagation delay that was not seen again for long may have changed; and who joined a standing queue has never seen
  // it. Let our part of the queue run empty for a moment and look; seldom, where looking found nothing.
  #refresh(appLimited: boolean, now: Millis): void {
    const steady = this.#state === 'cruise' || this.#state === 'up' || this.#state === 'down'
    if (this.#refreshUntil === 0) {
      // Where the queue overflowed meanwhile, it is a queue that stands and no longer way.
      const stale = now - this.#delay.propagationAt > (now - this.#excessAt < REFRESH_MS ? STUBBORN_MS : REFRESH_MS)
      if ((stale || now - this.#refreshedAt > this.#refreshAfter) && steady && !appLimited) {
        this.#refreshUntil = now + Math.max(50, (stale ? 1.5 : 1.2) * this.#delay.propagation)
        this.#propagationBefore = stale ? Infinity : this.#delay.propagation
      }
      return
    }
    if (now <= this.#refreshUntil) return
    this.#refreshUntil = 0
    this.#refreshedAt = now
    if (this.#propagationBefore === Infinity) {
      this.#delay.relearn(now)
    } else if (this.#delay.propagation < this.#propagationBefore - 1) this.#refreshAfter = FIRST_LOOK_MS
    else this.#refreshAfter = Math.min(LOOK_MAX_MS, Math.max(LOOK_MS, 2 * this.#refreshAfter))
  }

  #cruise(now: Millis): void {
    this.#cruiseRounds = 0
    this.#enter('cruise', now)
  }

  #enter(state: State, now: Millis): void {
    this.#state = state
    this.#since = now
  }

  #update(): void {
    const mtu = this.#mtu
    const initialRate = this.#smoothed > 0 ? this.#initial / this.#smoothed : Infinity
    const bandwidth = this.bandwidth
    if (bandwidth === 0) {
      this.rate = 2 * initialRate
      this.window = Math.min(this.#initial, this.#ceiling)
      return
    }
    if (this.#state === 'compete') {
      const { window, slowStart } = this.#cubic as Cubic
      this.window = window
      this.rate = ((slowStart ? 2 : 1.2) * window) / this.#smoothed
      return
    }
    const compensation = this.#compensation
    const gain = PACING_GAIN[this.#state]
    let rate = gain * bandwidth * (gain < 1 ? 1 : compensation)
    const standing = this.#standing >= 2
    const trip = this.#delay.base
    let window =
      bandwidth * compensation * (WINDOW_GAIN[this.#state] * trip + (this.#state === 'up' ? this.#probeMs : 0)) +
      bandwidth * compensation * this.#delay.alpha * (standing ? 0.25 : 1) +
      (standing ? 1 : 2) * mtu
    window *= this.#yielded
    rate *= this.#yielded
    if (this.#state === 'startup') {
      window = Math.max(window, this.#initial)
      rate = Math.max(rate, 2 * initialRate)
    }
    window = Math.min(window, this.#ceiling)
    if (this.#refreshUntil > 0) {
      const share = this.#propagationBefore === Infinity ? 0.5 : 0.75
      window = Math.max(4 * mtu, share * Math.min(window, this.#bdp * compensation))
    }
    this.window = Math.max(2 * mtu, window)
    this.rate = rate
  }
}
