// A report as one HTML file that needs nothing else: no fonts, scripts or pictures from anywhere. Light and dark, wide and narrow.

import type { Report, Row, Table } from '../lib/report.ts'
import { median, spread } from '../lib/statistics.ts'
import { digits, drawPlot, escape } from './svg.ts'
import { STYLE } from './style.ts'

/** The whole document. */
export const htmlReport = (report: Report): string => {
  const names = order(report)
  const colour = (name: string): number => {
    // "vaiven, eight channels" has the colour of vaiven.
    const known = COLOURS.indexOf(name.split(',')[0] as string)
    return known >= 0 ? known : 4 + (names.filter((other) => !COLOURS.includes(other)).indexOf(name) % 5)
  }
  const { machine, settings, noise } = report
  const groups = GROUPS.map(({ title, about, fits }) => ({ title, about, tables: report.tables.filter(fits) })).filter(({ tables }) =>
    tables.length > 0)
  const facts = [`Node ${machine.node.slice(1)}`, `${machine.cores} × ${machine.cpu}`, machine.system, `commit ${machine.commit}`,
    machine.date, `seed ${settings.seed}`,
    ...(settings.quick ? ['quick run'] : [])]
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>vaiven bench, ${escape(machine.date)}</title><style>${STYLE}</style></head><body>
<header><div class="bar-top"><h1>vaiven <span>bench</span></h1><button id="theme" aria-label="light or dark">◐</button></div>
<p class="facts">${facts.map((fact) => `<span>${escape(fact)}</span>`).join('')}</p>
${noise === null ? '' : `<p class="noise ${noise.quiet ? 'quiet' : 'busy'}"><b>${noise.quiet ? 'Quiet machine.' : 'Busy machine.'}</b> ${escape(noise.verdict)}</p>`}
${cards(report)}
<nav>${groups.map(({ title, tables }) => `<a href="#${tables[0]?.id}">${escape(title)}</a>`).join('')}</nav></header>
<main>${groups.map(({ title, about, tables }) => `<div class="group"><h2>${escape(title)}</h2><p>${escape(about)}</p></div>${tables.map((table) => section(table, names, colour)).join('')}`).join('')}
${contestants(report, colour)}</main>
<footer>Median of interleaved rounds, with the lowest and highest round under it. The best of a row stands out. Exact tables are the same on every machine.</footer>
<script>${SCRIPT}</script></body></html>
`
}

/** Who has a colour of their own; twins and plug-ins share the later ones. */
const COLOURS: readonly string[] = ['vaiven', 'vaiven +copies', 'enet', 'tcp', 'dgram', 'utp', 'udx', 'ws', 'datachannel', 'kcp', 'raknet']

const GROUPS: readonly { title: string; about: string; fits: (table: Table) => boolean }[] = [
  { title: 'Bad networks', about: 'In virtual time: exact, and the same on every machine.', fits: ({ kind }) => kind === 'exact' },
  { title: 'Real sockets', about: 'On loopback of this machine: clocks, kernels and neighbours take part.', fits: ({ id, kind }) =>
    kind === 'clock' && !id.startsWith('micro') && !id.endsWith('-cpu') },
  { title: 'Parts', about: 'Single operations, beside the naive way to write them or Node\'s own.', fits: ({ id }) =>
    id.startsWith('micro') || id.endsWith('-cpu') },
]

/** Ours first, then the others by how often they appear: a name has one colour in all plots. */
const order = (report: Report): string[] => {
  const count = new Map<string, number>()
  for (const { rows } of report.tables) for (const { values } of rows) for (const name of Object.keys(values)) count.set(name,
    (count.get(name) ?? 0) + 1)
  const rank = (name: string): number => (name === 'vaiven' ? -2 : name.startsWith('vaiven') ? -1
    : ['enet', 'tcp', 'dgram'].indexOf(name) >= 0 ? ['enet', 'tcp', 'dgram'].indexOf(name) : 9)
  return [...count.keys()].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b))
}

// -- the figures that people quote

/** The same whoever is ahead: where a rival is, the figure loses its colour and says so. */
const CARDS: readonly { table: string; row: string; text: string; unit: string }[] = [
  { table: 'latency-loss-100', row: '5-p99', text: 'p99 of ordered messages at 5 % loss, 100 ms round trip', unit: 'ms' },
  { table: 'bottleneck', row: 'loss-1', text: 'bulk through 20 Mbit/s at 1 % loss', unit: 'Mbit/s' },
  { table: 'connecting', row: '20-max', text: 'slowest of many connects at 20 % loss, 50 ms round trip', unit: 'ms' },
  { table: 'rpc', row: '5-p99', text: 'p99 of calls with an answer at 5 % loss, 50 ms round trip', unit: 'ms' },
  { table: 'echo', row: 'p50', text: 'echo round trip on loopback', unit: 'µs' },
  { table: 'small', row: 'rate', text: 'small messages a second', unit: 'k/s' },
]

const cards = (report: Report): string => {
  const made = CARDS.flatMap(({ table, row, text, unit }) => {
    const found = report.tables.find(({ id }) => id === table)?.rows.find(({ id }) => id === row)
    const ours = found?.values['vaiven']
    if (found === undefined || ours === undefined) return []
    const rivals = Object.entries(found.values).filter(([name]) => name === 'enet' || name === 'tcp' || name === 'dgram').slice(0, 2)
    const behind = rivals.some(([name, rounds]) => name !== 'dgram'
      && (found.better === 'lower' ? median(rounds) < median(ours) * 0.95 : median(rounds) > median(ours) * 1.05))
    return `<div class="card${behind ? ' behind' : ''}"><div ` +
      `class="big">${digits(median(ours))}<small>${escape(unit)}</small></div><div class="what">${escape(text)}</div>` +
      `<div class="versus">${rivals.map(([name, rounds]) => `${escape(name)} ${digits(median(rounds))}`).join(' · ')}${behind ? ' · ' +
        'ahead of ours' : ''}</div></div>`
  })
  return made.length === 0 ? '' : `<div class="cards">${made.join('')}</div>`
}

// -- sections

const section = (table: Table, names: readonly string[], colour: (name: string) => number): string => {
  const columns = names.filter((name) => table.rows.some(({ values }) => values[name] !== undefined))
  const legend = columns.length < 2 ? ''
    : `<div class="legend">${columns.map((name) => `<span data-legend="${escape(name)}"><i ` +
    `class="c${colour(name)}"></i>${escape(name)}</span>`).join('')}</div>`
  const plots = table.plots.map((plot) =>
    `<figure><figcaption>${escape(plot.title)} <small>${escape(plot.yLabel)}</small></figcaption>${drawPlot(plot, colour)}</figure>`).join('')
  const head = `<tr><th></th>${columns.map((name) => `<th><i class="c${colour(name)}"></i>${escape(name)}</th>`).join('')}<th ` +
    `class="unit"></th></tr>`
  const body = table.rows.map((row) => tableRow(row, columns)).join('')
  const rows = `<div class="scroll"><table><thead>${head}</thead><tbody>${body}</tbody></table></div>`
  const side = table.plots.length === 1 && columns.length <= 6
  return `<section id="${escape(table.id)}"><h3>${escape(table.title)}<span class="kind ` +
    `${table.kind}">${table.kind === 'exact' ? 'exact' : 'this machine'}</span></h3>` +
    `<p class="about">${escape(table.about)}</p>${plots === '' ? '' : legend}<div${side ? ' ' +
      'class="side"' : ''}>${plots === '' ? '' : `<div class="plots">${plots}</div>`}` +
    (plots !== '' && table.rows.length > 8 && !side ? `<details><summary>all ${table.rows.length} rows</summary>${rows}</details>`
      : rows) + '</div></section>'
}

const tableRow = (row: Row, columns: readonly string[]): string => {
  const medians = columns.map((name) => (row.values[name] === undefined ? NaN : median(row.values[name] ?? [])))
  const present = medians.filter((value) => !Number.isNaN(value))
  const best = row.better === 'neither' || present.length < 2 ? NaN : row.better === 'lower' ? Math.min(...present) : Math.max(...present)
  const cells = columns.map((name, i) => {
    const rounds = row.values[name]
    if (rounds === undefined) return '<td class="none">–</td>'
    const { low, high } = spread(rounds)
    const range = rounds.length < 2 ? '' : `<small>${digits(low)} – ${digits(high)}</small>`
    return `<td${medians[i] === best && present.some((value) => value !== best) ? ' ' +
      'class="best"' : ''}>${digits(medians[i] as number)}${range}</td>`
  })
  return `<tr><th>${escape(row.label)}</th>${cells.join('')}<td class="unit">${escape(row.unit)}</td></tr>`
}

const contestants = (report: Report, colour: (name: string) => number): string =>
  report.contestants.length === 0 ? '' : `<section id="contestants"><h3>Who took part</h3><ul class="who">${report.contestants
    .map(({ name, about, missing }) => {
      const failures = (report.failures ?? []).filter(({ contestant }) => contestant === name).map(({ what, why }) => `failed at ${what}: ${why}`)
      const remarks = [...(missing === null ? [] : [`not measured: ${missing}`]), ...failures]
      const said = remarks.map((remark) => ` <em>${escape(remark)}</em>`).join('')
      return `<li><i class="c${colour(name)}"></i><b>${escape(name)}</b> ${escape(about)}${said}</li>`
    })
    .join('')}</ul></section>`

/** Switches light and dark; a name in a legend hides and shows its lines. */
const SCRIPT = `(()=>{const r=document.documentElement,k='vaiven-theme';let s=null;try{s=localStorage.getItem(k)}catch{}if(s)r.dataset.theme=s;
document.getElementById('theme').onclick=()=>{const d=r.dataset.theme?r.dataset.theme==='dark':matchMedia('(prefers-color-scheme: dark)').matches;
r.dataset.theme=d?'light':'dark';try{localStorage.setItem(k,r.dataset.theme)}catch{}};
document.querySelectorAll('[data-legend]').forEach(e=>e.onclick=()=>{e.classList.toggle('off');const n=e.dataset.legend;
e.closest('section').querySelectorAll('[data-series]').forEach(g=>{if(g.dataset.series.split(',')[0]===n)g.style.display=e.classList.contains('off')?'none':''})})})()`
