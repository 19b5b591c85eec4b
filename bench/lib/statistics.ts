// Numbers out of samples: percentiles, medians, ratios with their spread. Pure.

/** The value below which `percent` of the samples lie (nearest rank); 0 without samples. Does not need sorted input. */
export const percentile = (samples: readonly number[], percent: number): number => at([...samples].sort((a, b) => a - b), percent)

/** The same of samples that are sorted. */
export const at = (sorted: readonly number[], percent: number): number =>
  sorted.length === 0 ? 0 : (sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1))] as number)

/** Middle value, the mean of the two middle ones of an even count. */
export const median = (samples: readonly number[]): number => {
  const sorted = [...samples].sort((a, b) => a - b)
  const half = sorted.length >> 1
  if (sorted.length === 0) return 0
  return sorted.length % 2 === 1 ? (sorted[half] as number) : ((sorted[half - 1] as number) + (sorted[half] as number)) / 2
}

/** Median and how far rounds lie apart. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
  readonly rounds: number
}

/** Median with the quartiles of the rounds (of few rounds: their extremes). */
export const spread = (samples: readonly number[]): Spread => {
  const sorted = [...samples].sort((a, b) => a - b)
  const few = sorted.length < 8
  return {
    median: median(sorted),
    low: few ? (sorted[0] ?? 0) : at(sorted, 25),
    high: few ? (sorted[sorted.length - 1] ?? 0) : at(sorted, 75),
    rounds: sorted.length,
  }
}

/** Ratios of two contestants, round by round, so that what disturbed a round disturbed both. */
export const ratios = (ours: readonly number[], theirs: readonly number[]): Spread =>
  spread(ours.map((value, round) => value / (theirs[round] as number)).filter((ratio) => Number.isFinite(ratio)))
