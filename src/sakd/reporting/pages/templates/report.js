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
  Plotly.relayout(figure, changes);
};

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  document.querySelectorAll(".plotly-graph-div").forEach(figure => dress(figure.id));
});
