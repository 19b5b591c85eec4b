// The look of the HTML report. Colours of series are chosen to stay apart for people who do not see red and green apart.

const LIGHT = `--bg:#f6f5f2;--paper:#fff;--ink:#1d1c1a;--soft:#6c6a64;--line:#e3e0d9;--grid:#ece9e3;--accent:#c2410c;--good:#0f766e;--goodbg:#e6f4f1;--warn:#92400e;--warnbg:#fdf0d9;
--c0:#d9480f;--c1:#f59f00;--c2:#1864ab;--c3:#2b8a3e;--c4:#868e96;--c5:#862e9c;--c6:#0b7285;--c7:#a61e4d;--c8:#7f5539;--c9:#5c7c0a;--c10:#4c6ef5`
const DARK = `--bg:#121315;--paper:#1b1d20;--ink:#e9e7e2;--soft:#9b9a94;--line:#2d3035;--grid:#282b30;--accent:#ff8a4c;--good:#5eead4;--goodbg:#12302d;--warn:#fbbf69;--warnbg:#332713;
--c0:#ff7a3d;--c1:#ffd166;--c2:#6db3f2;--c3:#6fcf7c;--c4:#9aa0a6;--c5:#d59bf6;--c6:#5fd3e6;--c7:#f783ac;--c8:#d4a373;--c9:#c0d860;--c10:#9db2ff`

const series = Array.from({ length: 11 }, (_, i) => `i.c${i}{background:var(--c${i})}.line.c${i}{stroke:var(--c${i})}.dot.c${i},.bar.c${i}{fill:var(--c${i})}`).join('')

export const STYLE = `:root{${LIGHT}}@media(prefers-color-scheme:dark){:root{${DARK}}}:root[data-theme=light]{${LIGHT}}:root[data-theme=dark]{${DARK}}
*{box-sizing:border-box}html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
header,main,footer{max-width:1180px;margin:0 auto;padding:0 24px}
.bar-top{display:flex;justify-content:space-between;align-items:center;padding-top:28px}
h1{font-size:34px;letter-spacing:-.02em;margin:0}h1 span{color:var(--accent);font-weight:400}
#theme{border:1px solid var(--line);background:var(--paper);color:var(--ink);border-radius:999px;width:38px;height:38px;font-size:18px;cursor:pointer}
.facts{display:flex;flex-wrap:wrap;gap:4px 16px;color:var(--soft);font-size:14px;margin:6px 0 16px}
.noise{border-radius:10px;padding:10px 14px;font-size:14px;margin:0 0 18px}.quiet{background:var(--goodbg);color:var(--good)}.busy{background:var(--warnbg);color:var(--warn)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:14px;margin:0 0 22px}
.card{background:var(--paper);border:1px solid var(--line);border-radius:14px;padding:16px 18px}
.big{font-size:32px;font-weight:650;letter-spacing:-.02em;line-height:1.1;color:var(--accent)}.big small{font-size:15px;font-weight:500;margin-left:5px}

.behind .big{color:var(--soft)}.what{font-size:13.5px;margin-top:6px}.versus{font-size:13px;color:var(--soft);margin-top:4px}
nav{display:flex;gap:8px;flex-wrap:wrap}nav a{color:var(--ink);text-decoration:none;border:1px solid var(--line);border-radius:999px;padding:5px 14px;font-size:14px;background:var(--paper)}
.group{margin:44px 0 14px}.group h2{font-size:24px;margin:0;letter-spacing:-.01em}.group p{margin:2px 0 0;color:var(--soft)}
section{background:var(--paper);border:1px solid var(--line);border-radius:16px;padding:22px 24px;margin:0 0 18px}
h3{margin:0;font-size:18px;display:flex;gap:10px;align-items:baseline;flex-wrap:wrap}
.kind{font-size:11.5px;font-weight:600;border-radius:999px;padding:2px 9px;background:var(--grid);color:var(--soft)}.kind.exact{background:var(--goodbg);color:var(--good)}
.about{color:var(--soft);font-size:14.5px;margin:6px 0 14px;max-width:78ch}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:14px;margin:0 0 8px}.legend span{cursor:pointer;user-select:none}.legend .off{opacity:.35}
i{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:6px}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:18px;margin:0 0 14px}
@media(min-width:900px){.side{display:grid;grid-template-columns:minmax(0,1.05fr) minmax(0,1fr);gap:28px;align-items:center}}
figure{margin:0}figcaption{font-size:14px;font-weight:600;margin:0 0 4px}figcaption small{font-weight:400;color:var(--soft)}
.plot{width:100%;height:auto;display:block;max-width:640px}.grid{stroke:var(--grid);stroke-width:1}.tick,.name,.value{fill:var(--soft);font-size:12px}.value{fill:var(--ink);font-weight:600}.name{fill:var(--ink)}.label{fill:var(--soft);font-size:12px}
.line{fill:none;stroke-width:2.4;stroke-linejoin:round}.dashed{stroke-dasharray:6 4}${series}
.scroll{overflow-x:auto;margin:0 -8px;padding:0 8px}table{border-collapse:collapse;font-size:14px;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:6px 10px;border-bottom:1px solid var(--line);vertical-align:top;white-space:nowrap}
tbody th{text-align:left;font-weight:500;white-space:normal;min-width:130px}thead th{font-weight:600;color:var(--soft)}tbody tr:last-child>*{border-bottom:0}
td small{display:block;font-size:11.5px;color:var(--soft);font-weight:400}td.best{font-weight:700;color:var(--good)}.none,.unit{color:var(--soft)}.unit{text-align:left}
summary{cursor:pointer;color:var(--soft);font-size:14px;padding:4px 0}.who{padding:0;list-style:none;margin:10px 0 0;font-size:14.5px}.who li{margin:4px 0}.who em{color:var(--warn)}
footer{color:var(--soft);font-size:13.5px;padding-top:14px;padding-bottom:48px}
@media(max-width:640px){header,main,footer{padding-left:14px;padding-right:14px}section{padding:18px 14px;border-radius:14px}h1{font-size:28px}.cards{grid-template-columns:1fr 1fr;gap:10px}.card{padding:12px 14px}.big{font-size:25px}th,td{padding:6px 7px}.tick,.label,.name,.value{font-size:19px}.side-label{display:none}}
@media print{#theme,nav{display:none}section{break-inside:avoid}}`
