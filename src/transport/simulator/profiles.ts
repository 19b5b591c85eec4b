// Bad networks by name. Each says where its numbers come from; what no source gives is marked as chosen, with the reason.
// Latencies are one way: half of a measured round trip.

import type { Conditions, TwoWay } from './conditions.ts'

/** A named path: `to` is from the player to the server, `from` the way back. */
export interface Profile extends TwoWay {
  readonly name: string
  /** One line for people. */
  readonly summary: string
  /** Where the numbers come from, and which were chosen. */
  readonly source: string
  readonly to: Conditions
  readonly from: Conditions
}

/** A profile as it is written below: `both` and, over that, what is special to a direction. */
interface Written { summary: string; source: string; both: Conditions; to?: Conditions; from?: Conditions }

/** Megabits per second as bytes per second. */
const mbit = (megabits: number): number => megabits * 125_000

// Apple's Network Link Conditioner, WebPageTest and the carriers' contracts give latency, rate and loss, never jitter; a
// path without any is as unlike a real one as a path without latency, so each profile has some.

const list = {
  lan: {
    summary: 'Cable and switch, one house',
    source: 'Rule of thumb for one switch: ping 0.2 to 0.5 ms. Rate: gigabit Ethernet.',
    both: { latencyMs: 0.15, jitterMs: 0.05, jitterShape: 'exponential', rateBytesPerSecond: mbit(1000) },
  },
  goodWifi: {
    summary: 'Home wifi, near the access point, nobody else busy',
    source: 'Latency and rates: Network Link Conditioner (Apple), "Wi-Fi" (40/33 Mbit/s, 1 ms each way). ' +
      'Chosen: jitter of a few milliseconds and 0.1 % loss, for retransmissions on the air.',
    both: { latencyMs: 1, jitterMs: 1.5, jitterShape: 'exponential', spikeRatio: 0.01, spikeMs: 15, lossRatio: 0.001 },
    to: { rateBytesPerSecond: mbit(33) },
    from: { rateBytesPerSecond: mbit(40) },
  },
  busyWifi: {
    summary: 'Crowded wifi: a campus, a flat among thirty others',
    source: 'Pei and others, "WiFi can be the weakest link of round trip network latency in the wild" (INFOCOM 2016), 47 access ' +
      'points for two months: the wifi hop takes more than 20 ms for half of the packets, more than 100 ms for a tenth. Delays ' +
      'fitted to that. Chosen: rate, and 1 % loss in bursts of 30 ms (another sender, a microwave oven).',
    both: {
      latencyMs: 1, jitterMs: 7, jitterShape: 'exponential', spikeRatio: 0.055, spikeMs: 60,
      burstLoss: { lossRatio: 0.01, meanBurstMs: 30 }, rateBytesPerSecond: mbit(10),
    },
  },
  hotelWifi: {
    summary: 'Hotel wifi in the evening: throttled, overloaded, a long queue',
    source: 'Rate: P. Bogard\'s log of United States hotels 2010 to 2012 (pbogard.com), most throttled near 1 Mbit/s downstream, ' +
      'worst in the evening. Delays of the air as in busyWifi. Chosen: half the rate upstream, half a second of queue, 2 % loss ' +
      'in bursts of 60 ms, and the 15 ms to a server in the region.',
    both: {
      latencyMs: 16, jitterMs: 7, jitterShape: 'exponential', spikeRatio: 0.055, spikeMs: 60,
      burstLoss: { lossRatio: 0.02, meanBurstMs: 60 },
    },
    to: { rateBytesPerSecond: mbit(0.5), queueBytes: 31_250 },
    from: { rateBytesPerSecond: mbit(1), queueBytes: 62_500 },
  },
  fibre: {
    summary: 'Fibre to the home, by cable to the router',
    source: 'Latency: FCC, "Measuring Broadband America" 2016, Fios 15/15 to 75/75: round trips of 11.5 to 14.8 ms. Chosen: ' +
      '100 Mbit/s, jitter 0.5 ms, loss 0.01 %.',
    both: { latencyMs: 6, jitterMs: 0.5, jitterShape: 'exponential', lossRatio: 0.0001, rateBytesPerSecond: mbit(100) },
  },
  cable: {
    summary: 'Cable modem, by cable to the router',
    source: 'Latency and rates: WebPageTest "Cable" (5/1 Mbit/s, round trip 28 ms). Chosen: jitter 2 ms (upstream slots), loss 0.05 %.',
    both: { latencyMs: 12, jitterMs: 2, jitterShape: 'exponential', lossRatio: 0.0005 },
    to: { rateBytesPerSecond: mbit(1) },
    from: { rateBytesPerSecond: mbit(5) },
  },
  dsl: {
    summary: 'Slow DSL',
    source: 'Latency and rates: WebPageTest "DSL" (1.5 Mbit/s down, 384 kbit/s up, round trip 50 ms). Chosen: jitter 1 ms, loss 0.1 %.',
    both: { latencyMs: 22.5, jitterMs: 1, jitterShape: 'exponential', lossRatio: 0.001 },
    to: { rateBytesPerSecond: mbit(0.384) },
    from: { rateBytesPerSecond: mbit(1.5) },
  },
  lte: {
    summary: 'Phone on LTE, standing still',
    source: 'Latency and rates: WebPageTest "LTE" (12/12 Mbit/s, round trip 70 ms). Spikes: a radio retransmission takes 8 ms ' +
      '(HARQ round trip, 3GPP TS 36.321), a tenth of first transmissions fails by design. Chosen: the rest of the jitter, loss 0.1 %.',
    both: {
      latencyMs: 32, jitterMs: 3, jitterShape: 'exponential', spikeRatio: 0.1, spikeMs: 8, lossRatio: 0.001,
      rateBytesPerSecond: mbit(12),
    },
  },
  lteTrain: {
    summary: 'Phone on LTE in a fast train: handovers, holes',
    source: 'Baltrūnas and others, "Investigating Packet Loss in Mobile Broadband Networks under Mobility" (IFIP Networking 2016), ' +
      'trains in Norway: 70 % of the loss falls into changes of radio technology and holes in the coverage; Wang and others, "An ' +
      'Active-Passive Measurement Study of TCP Performance over LTE on High-speed Rails" (MobiCom 2019): frequent handovers, ' +
      'longer and far more variable round trips. Base as in lte. Chosen: 3 % loss in all, 70 % of it in holes of 1.5 s; a ' +
      'handover every 12 s that holds the traffic for 250 ms; jitter.',
    both: {
      latencyMs: 40, jitterMs: 12, jitterShape: 'exponential', spikeRatio: 0.1, spikeMs: 30, lossRatio: 0.009,
      burstLoss: { lossRatio: 0.021, meanBurstMs: 1500 },
      blackouts: [{ atMs: 9_000, everyMs: 12_000, durationMs: 250, hold: true }],
    },
    to: { rateBytesPerSecond: mbit(2) },
    from: { rateBytesPerSecond: mbit(6) },
  },
  umts: {
    summary: 'Phone on 3G',
    source: 'Latency and rates: Network Link Conditioner (Apple), "3G" (780/330 kbit/s, 100 ms each way). Chosen: jitter, loss 0.5 %.',
    both: { latencyMs: 87, jitterMs: 10, jitterShape: 'exponential', spikeRatio: 0.02, spikeMs: 100, lossRatio: 0.005 },
    to: { rateBytesPerSecond: mbit(0.33) },
    from: { rateBytesPerSecond: mbit(0.78) },
  },
  leoSatellite: {
    summary: 'Satellites in low orbit (Starlink)',
    source: 'Michel and others, "A First Look at Starlink Performance" (IMC 2022) and the APNIC blog of 28 November 2022: round trips ' +
      'to European servers 40 / 50 / 60 ms (quartiles), 20 at least; 100 to 200 Mbit/s. A new satellite every 15 s (Huston, ' +
      'NANOG 92), losses of up to half of the packets around that (Kassem and others, IMC 2022). Chosen: a 100 ms hole every ' +
      '15 s, 0.5 % loss in bursts of 20 ms, 15 Mbit/s upstream.',
    both: {
      latencyMs: 16, jitterMs: 9, jitterShape: 'exponential', burstLoss: { lossRatio: 0.005, meanBurstMs: 20 },
      blackouts: [{ atMs: 12_000, everyMs: 15_000, durationMs: 100 }],
    },
    to: { rateBytesPerSecond: mbit(15) },
    from: { rateBytesPerSecond: mbit(100) },
  },
  geoSatellite: {
    summary: 'A satellite in geostationary orbit',
    source: 'Michel and others (IMC 2022): at least about 600 ms, 100/10 Mbit/s; four times 35,786 km at the speed of light are 477 ms. ' +
      'Chosen: jitter 10 ms, loss 0.1 %.',
    both: { latencyMs: 295, jitterMs: 10, jitterShape: 'exponential', lossRatio: 0.001 },
    to: { rateBytesPerSecond: mbit(10) },
    from: { rateBytesPerSecond: mbit(100) },
  },
  acrossEurope: {
    summary: 'Backbone within Europe',
    source: 'The worst that Verizon\'s service levels allow: round trip 30 ms, 99.5 % delivered. Chosen: jitter 0.5 ms.',
    both: { latencyMs: 14.5, jitterMs: 0.5, jitterShape: 'exponential', lossRatio: 0.0025 },
  },
  acrossNorthAmerica: {
    summary: 'Backbone within North America',
    source: 'The worst that Verizon\'s service levels allow: round trip 45 ms, 99.5 % delivered. Chosen: jitter 0.5 ms.',
    both: { latencyMs: 22, jitterMs: 0.5, jitterShape: 'exponential', lossRatio: 0.0025 },
  },
  transatlantic: {
    summary: 'Backbone between London and New York',
    source: 'The worst that Verizon\'s service levels allow: round trip 90 ms, 99.5 % delivered. Chosen: jitter 0.5 ms.',
    both: { latencyMs: 44.5, jitterMs: 0.5, jitterShape: 'exponential', lossRatio: 0.0025 },
  },
  transpacific: {
    summary: 'Backbone between Los Angeles and Tokyo',
    source: 'The worst that Verizon\'s service levels allow: round trip 160 ms; 99.5 % delivered as on its other routes. ' +
      'Chosen: jitter 1 ms.',
    both: { latencyMs: 79, jitterMs: 1, jitterShape: 'exponential', lossRatio: 0.0025 },
  },
  vpn: {
    summary: 'Through a tunnel that cuts off large datagrams',
    source: 'WireGuard\'s standard MTU of 1420 leaves 1392 bytes of UDP payload (less 28 for IPv4 and UDP). Chosen: 10 ms detour.',
    both: { latencyMs: 10, jitterMs: 1, jitterShape: 'exponential', mtuBytes: 1392 },
  },
  veryBad: {
    summary: 'As bad as test tools get',
    source: 'Network Link Conditioner (Apple), "Very Bad Network": 1 Mbit/s, 500 ms and 10 % loss each way. Chosen: jitter 20 ms.',
    both: { latencyMs: 480, jitterMs: 20, jitterShape: 'exponential', lossRatio: 0.1, rateBytesPerSecond: mbit(1) },
  },
} as const satisfies Record<string, Written>

/** A name in `profiles`. */
export type ProfileName = keyof typeof list

const deepFreeze = <T extends object>(value: T): T => {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) deepFreeze(inner)
  return Object.freeze(value)
}

/**
 * Named networks, for `network.path`, `ImpairedEndpoint` and `impair`. Frozen; build your own from them:
 * `{ to: { ...profiles.lte.to, latencyMs: 60 }, from: profiles.lte.from }`.
 */
export const profiles: Readonly<Record<ProfileName, Profile>> = deepFreeze(
  Object.fromEntries(Object.entries(list).map(([name, profile]) => {
    const { summary, source, both, to = {}, from = {} }: Written = profile
    return [name, { name, summary, source, to: { ...both, ...to }, from: { ...both, ...from } }]
  })) as Record<ProfileName, Profile>)
