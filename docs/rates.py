"""Draw the gate rates of every policy over epochs, of two studies side by side.

    python docs/rates.py "good teacher=FOLDER" "teacher of two epochs=FOLDER" > docs/rates.svg

A folder is the `data` of a study with the distillers kd and at, one seed. Behind a comma may follow
that of another one: a policy is drawn from the first that has it. The policies stand in the order
of `sakd list policies`; of weights the line is the effective share.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

import pandas as pd

from sakd.routing import POLICIES
from sakd.routing.rates import EFFECTIVE_SHARE, GATE_RATE

WIDTH, HEIGHT, GAP_X, GAP_Y, LEFT, TOP = 190, 84, 40, 62, 44, 92
POLICIES_A_ROW = 2
SPOTS = {
    ("kd", "logits"): "kd",
    ("at", "stage1"): "one",
    ("at", "stage2"): "two",
    ("at", "stage3"): "three",
    ("at", "logits"): "last",
}
STYLE = """
    svg { --ink: #1c2733; --soft: #5a6977; --page: #ffffff; --line: #c3ccd4;
          --kd: #1c2733; --one: #86b6e3; --two: #1f6fb5; --three: #b86e0a; --last: #c23b5a; }
    @media (prefers-color-scheme: dark) {
      svg { --ink: #e8edf2; --soft: #a5b2be; --page: #14191f; --line: #3c4650;
            --kd: #e8edf2; --one: #2f6ea8; --two: #62abe8; --three: #e0a04c; --last: #ee7d97; }
    }
    text { font: 13px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: var(--ink); }
    .name { font-weight: 600; font-size: 15px; } .small { font-size: 11px; fill: var(--soft); }
    .end { text-anchor: end; } .page { fill: var(--page); }
    .frame { fill: none; stroke: var(--line); }
    polyline { fill: none; stroke-width: 1.8; }
    .kd { stroke: var(--kd); stroke-dasharray: 5 3; } .one { stroke: var(--one); }
    .two { stroke: var(--two); } .three { stroke: var(--three); } .last { stroke: var(--last); }
"""


def read(folder: Path) -> pd.DataFrame:
    """Read the epochs of all cells, with their distillers and policies; shares for weights."""
    (history,), (results,) = (
        list(folder.glob(f"{part}/*/{name}.csv"))
        for part, name in (("07_model_output", "history"), ("08_reporting", "results"))
    )
    keys = pd.read_csv(results)[["cell", "distiller", "policy"]]
    epochs = pd.read_csv(history)
    epochs = keys.merge(epochs.drop(columns=["distiller", "policy"], errors="ignore"), on="cell")
    for share in (name for name in epochs if name.startswith(EFFECTIVE_SHARE)):
        gate = share.replace(EFFECTIVE_SHARE, GATE_RATE)
        epochs[gate] = epochs[share].fillna(epochs[gate])
    return epochs


def joined(folders: str) -> pd.DataFrame:
    """Read the studies in ``folders``; of a policy that several have, the first counts."""
    studies = [read(Path(folder)) for folder in folders.split(",")]
    first = {policy: study for study in studies[::-1] for policy in study["policy"].unique()}
    return pd.concat([study[study["policy"] == policy] for policy, study in first.items()])


def lines(epochs: pd.DataFrame, x: float, y: float) -> Iterator[str]:
    """Yield the lines of one panel whose upper left corner is at (x, y)."""
    for (distiller, spot), style in SPOTS.items():
        of_cell = epochs[epochs["distiller"] == distiller].sort_values("epoch")
        rates = of_cell.get(f"{GATE_RATE}{spot}", pd.Series(dtype=float)).clip(0, 1).tolist()
        across = max(len(rates) - 1, 1)
        points = " ".join(
            f"{x + WIDTH * k / across:.0f},{y + HEIGHT * (1 - rate):.1f}"
            for k, rate in enumerate(rates)
        )
        yield f'<polyline class="{style}" points="{points}"/>'


def panel(epochs: pd.DataFrame, title: str, x: float, y: float) -> Iterator[str]:
    """Yield the frame, the scale and the lines of one policy with one teacher."""
    last = int(epochs["epoch"].max()) if len(epochs) else 0
    yield f'<rect class="frame" x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}"/>'
    yield f'<text class="small" x="{x}" y="{y - 6}">{escape(title)}</text>'
    for value in (0, 1):
        up = y + HEIGHT * (1 - value) + 4
        yield f'<text class="small end" x="{x - 5}" y="{up}">{value}</text>'
    yield f'<text class="small" x="{x}" y="{y + HEIGHT + 14}">1</text>'
    yield f'<text class="small end" x="{x + WIDTH}" y="{y + HEIGHT + 14}">{last}</text>'
    yield from lines(epochs, x, y)


def drawing(studies: dict[str, pd.DataFrame]) -> Iterator[str]:
    """Yield the lines of the picture."""
    present = {name for epochs in studies.values() for name in epochs["policy"].unique()}
    names = [name for name in POLICIES if name in present]
    rows = -(-len(names) // POLICIES_A_ROW)
    step_x, step_y = WIDTH + GAP_X, HEIGHT + GAP_Y
    width, height = LEFT + POLICIES_A_ROW * len(studies) * step_x, TOP + rows * step_y
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'aria-labelledby="title desc">'
    )
    yield '<title id="title">Gate rates over epochs</title>'
    yield (
        '<desc id="desc">The share of the samples that distil at each spot, per epoch, under every '
        f"policy: {escape(', '.join(names))}. One panel each for {escape(' and '.join(studies))}."
        "</desc>"
    )
    yield f'<style>{STYLE}</style><rect class="page" width="{width}" height="{height}"/>'
    for k, ((distiller, spot), style) in enumerate(SPOTS.items()):
        x = LEFT + 130 * k
        yield f'<polyline class="{style}" points="{x},26 {x + 24},26"/>'
        yield f'<text x="{x + 30}" y="30">{distiller}, {spot}</text>'
    for number, name in enumerate(names):
        row, column = divmod(number, POLICIES_A_ROW)
        x, y = LEFT + column * len(studies) * step_x, TOP + row * step_y
        yield f'<text class="name" x="{x}" y="{y - 22}">{name}</text>'
        for k, (title, epochs) in enumerate(studies.items()):
            yield from panel(epochs[epochs["policy"] == name], title, x + k * step_x, y)
    yield "</svg>"


if __name__ == "__main__":
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    studies = {title: joined(folders) for title, folders in given.items()}
    sys.stdout.write("\n".join(drawing(studies)) + "\n")
