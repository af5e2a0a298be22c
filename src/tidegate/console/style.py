"""How a report looks: on a screen by day and by night, on a phone, and on paper."""

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --card: #f6f7f9; --ink: #1b1f24; --soft: #57606a;
  --rule: #d8dee4; --before: #b6c0cc; --now: #0b62c4; --ok: #1a7f37; --drift: #b42318;
  --insufficient: #8a5a00; --line-0: #b42318; --line-1: #0b62c4; --line-2: #7a3e9d; }
@media (prefers-color-scheme: dark) { :root { --paper: #0e1116; --card: #171c23; --ink: #e8ecf1;
  --soft: #a3adb8; --rule: #2c333d; --before: #4a5563; --now: #6cb2ff; --ok: #4ac26b; --drift: #ff7b72;
  --insufficient: #e3a33c; --line-0: #ff7b72; --line-1: #6cb2ff; --line-2: #c297e8; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 1.5rem 1rem 4rem; background: var(--paper);
  color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.35rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.75rem 0 .5rem; } h4 { font-size: .95rem; margin: 0; overflow-wrap: anywhere; }
p { margin: .35rem 0; } .soft { color: var(--soft); font-size: .9rem; }
.verdict { display: flex; gap: .75rem; align-items: baseline; flex-wrap: wrap; border-left: .4rem solid;
  padding: .6rem 1rem; margin: 1rem 0; background: var(--card); border-radius: .3rem; }
.verdict strong { font-size: 1.5rem; } .verdict p { flex: 1 1 20rem; }
.ok { border-color: var(--ok); } .ok strong, .word-ok { color: var(--ok); }
.drift { border-color: var(--drift); } .drift strong, .word-drift { color: var(--drift); }
.bad-data { border-color: var(--insufficient); }
.bad-data strong, .word-bad-data { color: var(--insufficient); }
.insufficient { border-color: var(--insufficient); }
.insufficient strong, .word-insufficient { color: var(--insufficient); }
.grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: .5rem; padding: .75rem .9rem; }
.card.moved { border-color: var(--drift); border-width: 2px; }
.card p { font-size: .88rem; } .card header { display: flex; justify-content: space-between; gap: .5rem; }
svg { display: block; width: 100%; height: auto; margin: .5rem 0 .25rem; }
.trend { max-width: 40rem; } svg text { font-size: 11px; fill: var(--soft); } .axis { stroke: var(--rule); }
.before { fill: var(--before); } .now { fill: none; stroke: var(--now); stroke-width: 2.2; }
.now-bar { fill: var(--now); } .limit { stroke: var(--soft); stroke-dasharray: 5 4; }
.line { fill: none; stroke-width: 2; } .line-0 { stroke: var(--line-0); } .line-1 { stroke: var(--line-1); }
.line-2 { stroke: var(--line-2); } .dot.line-0 { fill: var(--line-0); } .dot.line-1 { fill: var(--line-1); }
.dot.line-2 { fill: var(--line-2); }
.key { display: inline-block; width: 1.1rem; height: .7rem; margin: 0 .35rem 0 .9rem; vertical-align: -1px; }
.key.b { background: var(--before); } .key.n { border-top: 3px solid var(--now); height: .35rem; }
.key.k0 { border-top: 3px solid var(--line-0); } .key.k1 { border-top: 3px solid var(--line-1); }
.key.k2 { border-top: 3px solid var(--line-2); } .key.k0, .key.k1, .key.k2 { height: .35rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .4rem .6rem .4rem 0; border-bottom: 1px solid var(--rule);
  vertical-align: top; }
td:last-child { overflow-wrap: anywhere; } thead th { white-space: nowrap; } .wide table { min-width: 34rem; }
th { font-weight: 600; color: var(--soft); }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
footer { margin-top: 3rem; border-top: 1px solid var(--rule); padding-top: .75rem; }
@media print { body { max-width: none; padding: 0; font-size: 11pt; }
  .card, tr, .verdict { break-inside: avoid; }
  h2, h3, h3 + p, .trend, .trend + p { break-after: avoid; }
  .wide { overflow: visible; } .wide table { min-width: 0; }
  .grid { grid-template-columns: repeat(3, 1fr); gap: .5rem; }
  :root { --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --rule: #bbb; --before: #c5ccd4;
  --now: #0b62c4; --ok: #1a7f37; --drift: #b42318; --insufficient: #8a5a00; --line-0: #b42318;
  --line-1: #0b62c4; --line-2: #7a3e9d; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
