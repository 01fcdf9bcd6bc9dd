"use strict";

const TOOLBAR = {
  displaylogo: false,
  displayModeBar: true,
  plotlyServerURL: "",
  responsive: false,
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
};
const NARROWEST = 240;  // pixels of a panel without what is to its left
const GAP = {right: 16, down: 95, top: 46};  // pixels around the panels
const PAPER = 660;
const SPOKEN = 700;  // characters of a figure in words

const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const places = () => [...document.querySelectorAll(".plot")];

const drawn = () => places().filter(place => place.data);

/** Give the number of an axis, from zero: "x" is 0, "y3" is 2. */
const panelOf = trace => Number(/\d*$/.exec(trace.xaxis ?? "x")[0] || 1) - 1;

const axis = (letter, panel) => `${letter}axis${panel ? panel + 1 : ""}`;

const titlesOf = layout => (layout.annotations ?? []).map(each => plain(each.text));

/** Strip the tags and escapes of a label. */
const plain = text =>
  new DOMParser().parseFromString(String(text).replace("<br>", ": "), "text/html").body.textContent;

/** Shorten a number to the digits that matter. */
const short = value => typeof value === "number" ? Number(value.toPrecision(6)) : value;

/** Put the panels of a layout side by side, as many as a width takes. */
const arranged = (layout, width) => {
  if (!layout.meta) {
    return {...layout, width};
  }
  const {panel_height: tall, panels: number, left: gap} = layout.meta;
  const columns = Math.max(1, Math.min(number, Math.floor(width / (NARROWEST + gap))));
  const rows = Math.ceil(number / columns);
  const changed = {...layout, width, height: rows * tall + GAP.top};
  changed.margin = {...layout.margin, l: gap, r: GAP.right, t: GAP.top, b: 0};
  const inner = width - gap - GAP.right;
  const [across, down] = [(inner + gap) / columns, 1 / rows];
  changed.annotations = (layout.annotations ?? []).map(each => ({...each}));
  for (let panel = 0; panel < number; panel++) {
    const [row, column] = [Math.floor(panel / columns), panel % columns];
    const left = column * across / inner;
    const right = left + (across - gap) / inner;
    const [top, bottom] = [1 - row * down, 1 - (row + 1) * down + GAP.down / tall * down];
    changed[axis("x", panel)] = {...layout[axis("x", panel)], domain: [left, Math.min(right, 1)]};
    changed[axis("y", panel)] = {...layout[axis("y", panel)], domain: [bottom, top]};
    Object.assign(changed.annotations[panel], {x: (left + right) / 2, y: top});
  }
  for (let rest = number; layout[axis("x", rest)]; rest++) {  // of a last row that is not full
    delete changed[axis("x", rest)];
    delete changed[axis("y", rest)];
  }
  return changed;
};

/** Give a layout the colours of the page. */
const dressed = layout => {
  const [ink, line, card] = ["--ink", "--line", "--card"].map(colour);
  const changed = {
    ...layout,
    template: JSON.parse(document.getElementById("look").textContent),
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: {...layout.font, color: ink},
    hoverlabel: {...layout.hoverlabel, bgcolor: card, bordercolor: line, font: {color: ink}},
    modebar: {bgcolor: "rgba(0,0,0,0)", color: colour("--soft"), activecolor: colour("--accent")},
  };
  for (const key of Object.keys(layout).filter(name => /^[xy]axis/.test(name))) {
    const lines = {gridcolor: line, linecolor: line, zerolinecolor: colour("--soft")};
    changed[key] = {...changed[key], ...lines};
  }
  return changed;
};

const width = place => Math.floor(place.clientWidth) || PAPER;

/** Draw a figure, or draw it again for another width or other colours. */
const draw = (place, wide = width(place)) => {
  const figure = JSON.parse(document.querySelector(`[data-of="${place.id}"]`).textContent);
  const traces = figure.traces.map(([shared, own]) => {
    const yaxis = (own.xaxis ?? "x").replace("x", "y");
    return {...figure.shared[shared], ...own, yaxis};
  });
  const layout = dressed(arranged(figure.layout, wide));
  place.dataset.width = wide;
  Plotly.react(place, traces, layout, TOOLBAR);
  describe(place);
  return place;
};

/** Name a figure by what is seen in it, and give its tools to the keyboard. */
const describe = place => {
  place.setAttribute("aria-label", inWords(place));
  place.querySelectorAll(".main-svg").forEach(layer => layer.setAttribute("aria-hidden", "true"));
  for (const tool of place.querySelectorAll(".modebar-btn")) {
    tool.tabIndex = 0;
    tool.setAttribute("role", "button");
    tool.setAttribute("aria-label", tool.dataset.title);
    tool.onkeydown = event => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        tool.click();
      }
    };
  }
};

const isLine = trace => (trace.mode ?? "").includes("lines");

/** List the lines and the points of a figure that say something, by panel. */
const series = place => {
  const titles = titlesOf(place.layout);
  return place.data.filter(trace => trace.hoverinfo !== "skip").map(trace => {
    const panel = panelOf(trace);
    const ticks = place.layout[axis("y", panel)]?.ticktext;
    return {trace, title: titles[panel] ?? "", name: plain(trace.name ?? ""), ticks};
  });
};

/** Say where the lines of a figure end, and where its points are. */
const inWords = place => {
  const caption = place.closest("figure").querySelector("figcaption").textContent;
  const [what] = caption.split(/[:.] /);
  const titles = titlesOf(place.layout);
  if (!place.data.length) {
    return titles.join(" ");
  }
  const found = series(place).flatMap(({trace, title, name, ticks}) => isLine(trace)
    ? [`${title}: ${name} ends at ${trace.y.at(-1)}`]
    : rows({trace, title, name, ticks}).filter(row => row[3]).map(row => row.slice(0, 4).join(" ")));
  const said = found.join("; ");
  const cut = said.length > SPOKEN ? `${said.slice(0, SPOKEN)} ...` : said;
  return `${what}. ${cut}. The numbers are in the table below the figure.`;
};

/** Give a line for each point: panel, name, value, half of its interval, and what is said of it. */
const rows = ({trace, title, name, ticks}) => [...trace.x].map((x, k) => {
  const half = trace.error_x?.array?.[k];
  const said = Array.isArray(trace.text) ? trace.text[k] : "";
  const row = ticks ? plain(ticks[Math.round(trace.y[k])] ?? "") : `${name} ${short(trace.y[k])}`;
  return [title, row, short(x), half ? `± ${half}` : "", plain(said)];
});

/** Write the numbers of a figure as a table, when its fold is opened. */
const tabulate = fold => {
  const place = fold.closest("figure").querySelector(".plot");
  if (fold.querySelector("table") || !fold.open) {
    return;
  }
  const all = series(place.data ? place : draw(place));
  const lines = all.filter(({trace}) => isLine(trace));
  const steps = [...new Set(lines.flatMap(({trace}) => [...trace.x]))].sort((a, b) => a - b);
  const ofLine = ({trace, title, name}) => {
    const values = new Map([...trace.x].map((x, k) => [x, trace.y[k]]));
    return [title, name, ...steps.map(step => short(values.get(step) ?? ""))];
  };
  const points = all.filter(({trace}) => !isLine(trace)).flatMap(rows);
  if (lines.length) {
    fold.append(table(["panel", "line", ...steps], lines.map(ofLine)));
  }
  if (points.length) {
    fold.append(table(["panel", "row", "value", "95 % interval", "of"], points));
  }
};

const table = (heads, lines) => {
  const frame = document.createElement("div");
  Object.assign(frame, {className: "table", tabIndex: 0, role: "group"});
  frame.setAttribute("aria-label", "The numbers of the figure");
  const body = frame.appendChild(document.createElement("table"));
  const row = (values, tag) => {
    const line = document.createElement("tr");
    values.forEach(value => { line.appendChild(document.createElement(tag)).textContent = value; });
    return line;
  };
  body.createTHead().append(row(heads, "th"));
  body.createTBody().append(...lines.map(values => row(values, "td")));
  return frame;
};

const redraw = () => drawn().forEach(place => draw(place));

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

/** Print on white, with all that is folded, and figures as wide as the paper. */
const print = paper => {
  document.documentElement.classList.toggle("paper", paper);
  for (const fold of document.querySelectorAll("details:not(.numbers)")) {
    if (paper) {
      fold.dataset.was = fold.open;
    }
    fold.open = paper || fold.dataset.was === "true";
  }
  (paper ? places() : drawn()).forEach(place => draw(place, paper ? PAPER : undefined));
};

addEventListener("beforeprint", () => print(true));
addEventListener("afterprint", () => print(false));

addEventListener("resize", () => {
  drawn().filter(place => width(place) !== Number(place.dataset.width)).forEach(place => draw(place));
});

/** Draw figures when they come into sight. */
addEventListener("DOMContentLoaded", () => {
  const seen = new IntersectionObserver(entries => entries
    .filter(entry => entry.isIntersecting)
    .forEach(entry => { seen.unobserve(entry.target); draw(entry.target); }), {rootMargin: "400px"});
  places().forEach(place => seen.observe(place));
  document.querySelectorAll("details.numbers").forEach(fold => {
    fold.addEventListener("toggle", () => tabulate(fold));
  });
});
