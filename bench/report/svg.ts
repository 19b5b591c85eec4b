// Plots as SVG text: curves over a logarithmic percentile axis, lines, bars. Knows nothing of pages; colours are CSS variables `--c0` … of
// the page, so that light and dark are the page's business.

import type { Plot } from '../lib/report.ts'

/** Room for a plot, in the units of its own coordinate system; the page scales it. */
const WIDTH = 560
const HEIGHT = 300
const MARGIN = { left: 58, right: 26, top: 14, bottom: 46 }
const INNER = { width: WIDTH - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom }

/** Draws a plot. @param colour the number of a series' colour, the same in every plot of a report */
export const drawPlot = (plot: Plot, colour: (name: string) => number): string =>
  plot.kind === 'bars' ? bars(plot, colour) : lines(plot, colour)

export const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>',
  '&gt;').replaceAll('"', '&quot;')

/** A number with as many digits as mean something. */
export const digits = (value: number): string => {
  const size = Math.abs(value)
  if (size === 0) return '0'
  if (size >= 10_000) return `${Number((value / 1000).toPrecision(3))}k`
  return size >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)))
}

// -- scales

interface Scale {
  /** 0 to 1. */
  readonly of: (value: number) => number
  readonly ticks: readonly number[]
}

const logScale = (low: number, high: number): Scale => {
  const from = Math.log10(low)
  const to = Math.max(Math.log10(high), from + 0.3)
  const ticks: number[] = []
  const steps = to - from > 3.2 ? [1] : to - from > 1 ? [1, 3] : to - from > 0.5 ? [1, 2, 5] : [1, 2, 3, 5, 7]
  for (let power = Math.floor(from); power <= to; power++) for (const step of steps) ticks.push(step * 10 ** power)
  return { of: (value) => (Math.log10(Math.max(value, low)) - from) / (to - from),
    ticks: ticks.filter((tick) => tick >= low * 0.999 && tick <= 10 ** to * 1.001) }
}

const linearScale = (high: number): Scale => {
  const step = niceStep(high / 5)
  const top = Math.max(step, Math.ceil((high * 1.02) / step) * step)
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step)
  return { of: (value) => value / top, ticks }
}

const niceStep = (about: number): number => {
  if (!(about > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(about))
  return [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((step) => step >= about) ?? 10 * power
}

/** 0, 90, 99, 99.9 … stand at equal distances: each step is ten times rarer. */
const rarity = (percent: number): number => -Math.log10(Math.max(1e-5, 1 - percent / 100))

// -- drawing

const x = (share: number): string => (MARGIN.left + share * INNER.width).toFixed(1)
const y = (share: number): string => (MARGIN.top + (1 - share) * INNER.height).toFixed(1)

const frame = (plot: Plot, body: string): string =>
  `<svg class="plot" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(plot.title)}">${body}</svg>`

const yAxis = (scale: Scale, label: string): string =>
  scale.ticks.map((tick) => {
    const at = y(scale.of(tick))
    return `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${at}" y2="${at}"/>` +
      `<text class="tick" x="${MARGIN.left - 8}" y="${at}" dy="0.32em" text-anchor="end">${digits(tick)}</text>`
  }).join('') + `<text class="label side-label" transform="translate(13 ${(MARGIN.top + INNER.height / 2).toFixed(0)}) rotate(-90)" ` +
    `text-anchor="middle">${escape(label)}</text>`

const xLabel = (label: string): string =>
  `<text class="label" x="${(MARGIN.left + INNER.width / 2).toFixed(0)}" y="${HEIGHT - 8}" text-anchor="middle">${escape(label)}</text>`

const lines = (plot: Plot, colour: (name: string) => number): string => {
  const all = plot.series.flatMap(({ points }) => points.map(([, value]) => value)).filter((value) => value > 0)
  if (all.length === 0) return ''
  const low = Math.min(...all)
  const high = Math.max(...all)
  const scale = plot.logY === true ? logScale(low * 0.9, high * 1.1) : linearScale(high)
  const percentiles = plot.kind === 'percentiles'
  const names = percentiles ? [] : [...new Set(plot.series.flatMap(({ points }) => points.map(([name]) => String(name))))]
  const farthest = Math.max(...plot.series.flatMap(({ points }) => points.map(([percent]) => (percentiles ? rarity(Number(percent)) : 0))))
  const place = (at: number | string): number =>
    percentiles ? rarity(Number(at)) / farthest : names.length === 1 ? 0.5 : names.indexOf(String(at)) / (names.length - 1)
  const inset = percentiles ? (share: number) => share : (share: number) => 0.05 + share * 0.9
  const ticks = percentiles ? [0, 50, 90, 99, 99.9, 99.99].filter((percent) => rarity(percent) <= farthest * 1.001) : names
  const axis = ticks.map((tick) => {
    const at = x(inset(place(tick)))
    const text = percentiles ? (tick === 0 ? '0' : `${tick}`) : String(tick)
    const parts = text.length > 10 ? wrap(text) : [text]
    return (percentiles ? `<line class="grid" x1="${at}" x2="${at}" y1="${MARGIN.top}" y2="${HEIGHT - MARGIN.bottom}"/>` : '') +
      parts.map((part, i) => `<text class="tick" x="${at}" y="${HEIGHT - MARGIN.bottom + 15 + i * 11}" ` +
        `text-anchor="${place(tick) === 1 && parts.length > 1 ? 'end' : 'middle'}">${escape(part)}</text>`).join('')
  }).join('')
  const paths = plot.series.map(({ name, points }) => {
    const number = colour(name)
    const visible = points.filter(([, value]) => value > 0)
    const path = visible.map(([at, value], i) => `${i === 0 ? 'M' : 'L'}${x(inset(place(at)))} ${y(scale.of(value))}`).join('')
    const dots = visible
      .filter(([at]) => !percentiles || ticks.includes(at as never))
      .map(([at, value]) => `<circle class="dot c${number}" cx="${x(inset(place(at)))}" cy="${y(scale.of(value))}" ` +
        `r="3.2"><title>${escape(`${name}, ${at}: ${digits(value)} ${plot.yLabel}`)}</title></circle>`)
      .join('')
    return `<g data-series="${escape(name)}"><path class="line c${number}${name.includes('eight') ? ' dashed' : ''}" ` +
      `d="${path}"/>${dots}</g>`
  }).join('')
  return frame(plot, yAxis(scale, plot.yLabel) + axis + xLabel(plot.xLabel) + paths)
}

/** A long word for an axis, on two lines. */
const wrap = (text: string): string[] => {
  const words = text.split(' ')
  const half = Math.ceil(words.length / 2)
  return [words.slice(0, half).join(' '), words.slice(half).join(' ')]
}

const BAR = { height: 26, gap: 12, label: 104 }

const bars = (plot: Plot, colour: (name: string) => number): string => {
  const rows = plot.series.map(({ name, points }) => ({ name, value: points[0]?.[1] ?? 0 }))
  const height = rows.length * (BAR.height + BAR.gap) + 30
  const high = Math.max(...rows.map(({ value }) => value))
  const room = WIDTH - BAR.label - 90
  const body = rows.map(({ name, value }, i) => {
    const top = 8 + i * (BAR.height + BAR.gap)
    const width = Math.max(2, (value / high) * room)
    return `<g data-series="${escape(name)}"><text class="name" x="${BAR.label - 10}" y="${top + BAR.height / 2}" dy="0.35em" ` +
      `text-anchor="end">${escape(name)}</text>` +
      `<rect class="bar c${colour(name)}" x="${BAR.label}" y="${top}" width="${width.toFixed(1)}" height="${BAR.height}" rx="4"/>` +
      `<text class="value" x="${(BAR.label + width + 8).toFixed(1)}" y="${top + BAR.height / 2}" dy="0.35em">${digits(value)}</text></g>`
  }).join('')
  const unit = `<text class="label" x="${BAR.label}" y="${height - 8}">${escape(plot.yLabel)}</text>`
  return `<svg class="plot" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escape(plot.title)}">${body}${unit}</svg>`
}
