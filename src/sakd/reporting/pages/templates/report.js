"use strict";

const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Give a drawn figure the colours of the page. */
const dress = id => {
  const figure = document.getElementById(id);
  const [ink, line, card] = ["--ink", "--line", "--card"].map(colour);
  const changes = {
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "font.color": ink,
    "hoverlabel.bgcolor": card,
    "hoverlabel.bordercolor": line,
    "hoverlabel.font.color": ink,
    "modebar.bgcolor": "rgba(0,0,0,0)",
    "modebar.color": line,
    "modebar.activecolor": colour("--accent"),
  };
  for (const axis of Object.keys(figure.layout).filter(key => /^[xy]axis/.test(key))) {
    changes[`${axis}.gridcolor`] = changes[`${axis}.linecolor`] = line;
    changes[`${axis}.zerolinecolor`] = colour("--soft");
  }
  return Plotly.relayout(figure, changes);
};

/** Name the drawing of a figure by its caption; its other layers say nothing. */
const describe = figure => {
  const caption = figure.closest("figure").querySelector("figcaption").textContent;
  figure.querySelectorAll(".main-svg").forEach((layer, number) => {
    if (number) {
      layer.setAttribute("aria-hidden", "true");
    } else {
      layer.setAttribute("role", "img");
      layer.setAttribute("aria-label", caption);
    }
  });
};

const figures = () => [...document.querySelectorAll(".plotly-graph-div")];

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  figures().forEach(figure => dress(figure.id));
});

const PAPER_WIDTH = 660;

/** Print on white, with figures as wide as the paper. */
const print = paper => {
  document.documentElement.classList.toggle("paper", paper);
  for (const figure of figures()) {
    dress(figure.id);
    Plotly.relayout(figure, paper ? {width: PAPER_WIDTH} : {width: null, autosize: true});
  }
};

addEventListener("beforeprint", () => print(true));
addEventListener("afterprint", () => print(false));

/** Read the number that a cell begins with; null for words. */
const number = text => {
  const found = /^[[(]?([+-]?[\d,]*\.?\d+)/.exec(text);
  return found ? Number(found[1].replaceAll(",", "")) : null;
};

const compared = (a, b) => {
  const [x, y] = [number(a), number(b)];
  if (x !== null && y !== null) {
    return x - y;
  }
  return x === null && y === null ? a.localeCompare(b) : (x === null) - (y === null);
};

const ORDERS = ["none", "ascending", "descending"];

/** Sort a table by a column: upwards, downwards, as it was. */
const sort = (table, heads, column) => {
  const head = heads[column];
  const order = ORDERS[(ORDERS.indexOf(head.ariaSort ?? "none") + 1) % ORDERS.length];
  heads.forEach(each => each.setAttribute("aria-sort", "none"));
  head.setAttribute("aria-sort", order);
  const sign = {none: 0, ascending: 1, descending: -1}[order];
  const rows = [...table.tBodies[0].rows].sort((a, b) => a.dataset.place - b.dataset.place);
  const text = row => row.cells[column].textContent.trim();
  rows.sort((a, b) => sign * compared(text(a), text(b)));
  table.tBodies[0].append(...rows);
};

/** Make every heading a button that sorts; a table of one line has nothing to sort. */
const sortable = table => {
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...table.tBodies[0].rows];
  if (rows.length < 2) {
    return;
  }
  rows.forEach((row, place) => { row.dataset.place = place; });
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(table, heads, column));
    head.append(button);
    head.setAttribute("aria-sort", "none");
  });
};

/** Let the keyboard scroll what is wider than the page. */
const reach = () => {
  for (const frame of document.querySelectorAll(".table")) {
    frame.toggleAttribute("tabindex", frame.scrollWidth > frame.clientWidth);
    if (frame.hasAttribute("tabindex")) {
      frame.tabIndex = 0;
    }
  }
};

addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".table table").forEach(sortable);
  figures().forEach(describe);
  reach();
});
addEventListener("resize", reach);
