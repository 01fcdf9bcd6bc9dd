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

const FILES = ["record", "weights"];

/** Link a cell to its files, whose addresses begin as those of all cells of its method. */
const link = cell => {
  cell.dataset.to.split(" ").forEach((rest, file) => {
    if (rest) {
      const place = document.createElement("a");
      place.href = cell.parentElement.dataset.at + rest;
      place.textContent = FILES[file];
      cell.append(" ", place);
    }
  });
};

/** Open what is folded around the place that the address names. */
const unfold = () => {
  let place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const target = place;
  for (; place; place = place.parentElement) {
    if (place instanceof HTMLDetailsElement) {
      place.open = true;
    }
  }
  target?.scrollIntoView();
};

addEventListener("hashchange", unfold);

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
  document.querySelectorAll("[data-to]").forEach(link);
  document.addEventListener("toggle", reach, true);
  reach();
  unfold();
});
addEventListener("resize", reach);
