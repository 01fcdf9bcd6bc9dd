"""The style and the script of the HTML page, and the policy that keeps it offline."""

from __future__ import annotations

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'"
)
"""The page may run what it carries and load nothing."""

STYLE = """
:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --card: #ffffff; --ink: #1b2430; --soft: #5b6675; --line: #dfe4ea;
  --stripe: #f8fafc; --accent: #2563c9; --warn: #8a5a00; --warn-ground: #fff7e3;
  --warn-line: #efd28a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #10151c; --card: #18202a; --ink: #e3e8ef; --soft: #9aa7b6; --line: #2b3643;
    --stripe: #1c2530; --accent: #78aaf5; --warn: #f0c766; --warn-ground: #2a2415;
    --warn-line: #5c4a1c;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
header, main { max-width: 1080px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 40px; }
h1 { margin: 0; font-size: 30px; line-height: 1.2; letter-spacing: -0.01em; }
header p { margin: 6px 0 18px; color: var(--soft); font-size: 17px; }
nav {
  display: flex; flex-wrap: wrap; gap: 6px 20px;
  border-bottom: 1px solid var(--line); padding-bottom: 14px;
}
nav a { color: var(--accent); text-decoration: none; }
nav a:hover { text-decoration: underline; }
main { padding-bottom: 64px; }
h2 { margin: 36px 0 12px; font-size: 21px; }
h3 { margin: 26px 0 10px; font-size: 17px; }
.tiles {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(185px, 1fr)); gap: 12px;
  list-style: none; margin: 0; padding: 0;
}
.tiles li, .table, figure, dl {
  background: var(--card); border: 1px solid var(--line); border-radius: 10px;
}
.tiles li { padding: 14px 16px; display: flex; flex-direction: column; gap: 2px; }
.tiles span, .tiles small { color: var(--soft); font-size: 13px; }
.tiles strong { font-size: 24px; font-weight: 650; font-variant-numeric: tabular-nums; }
aside {
  margin: 16px 0 0; padding: 14px 18px; border-radius: 10px;
  background: var(--warn-ground); border: 1px solid var(--warn-line);
}
aside strong { color: var(--warn); }
aside ul { margin: 6px 0 0; padding-left: 20px; }
aside li { overflow-wrap: anywhere; }
.table { overflow-x: auto; margin: 12px 0; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; padding: 12px 16px 8px; font-weight: 600; }
th, td { padding: 7px 16px; text-align: left; border-top: 1px solid var(--line); }
th { color: var(--soft); font-size: 13px; font-weight: 600; white-space: nowrap; }
tbody tr:nth-child(even) { background: var(--stripe); }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.name { overflow-wrap: break-word; white-space: pre-line; }
.note { margin: 4px 2px 18px; color: var(--soft); font-size: 13px; }
figure { margin: 12px 0; padding: 8px 12px 14px; }
figcaption { color: var(--soft); font-size: 13px; padding: 6px 6px 0; }
dl {
  display: grid; grid-template-columns: minmax(150px, 220px) 1fr; margin: 12px 0;
  padding: 8px 18px;
}
dt, dd { margin: 0; padding: 8px 0; overflow-wrap: anywhere; }
dt { font-weight: 600; padding-right: 18px; }
dt:not(:first-of-type), dd:not(:first-of-type) { border-top: 1px solid var(--line); }
@media (max-width: 640px) {
  dl { grid-template-columns: 1fr; }
  dd { padding-top: 0; }
  dd:not(:first-of-type) { border-top: 0; }
}
@media print { nav { display: none; } figure, .table { break-inside: avoid; } }
"""

SCRIPT = """
(() => {
  "use strict";
  const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const themed = layout => {
    const ink = colour("--ink"), line = colour("--line"), card = colour("--card");
    layout.paper_bgcolor = layout.plot_bgcolor = "rgba(0,0,0,0)";
    layout.font = {...layout.font, color: ink};
    layout.hoverlabel = {bgcolor: card, bordercolor: line, font: {color: ink}};
    layout.modebar = {bgcolor: "rgba(0,0,0,0)", color: line, activecolor: colour("--accent")};
    for (const key of Object.keys(layout)) {
      if (/^[xy]axis/.test(key)) {
        Object.assign(layout[key], {
          gridcolor: line, linecolor: line, zerolinecolor: colour("--soft"),
        });
      }
    }
    return layout;
  };
  const draw = () => document.querySelectorAll("script[data-figure]").forEach(source => {
    const figure = JSON.parse(source.textContent);
    Plotly.react(source.dataset.figure, figure.data, themed(figure.layout), {
      responsive: true, displaylogo: false, plotlyServerURL: "",
      modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
    });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
})();
"""
