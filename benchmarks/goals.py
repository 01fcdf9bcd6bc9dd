"""The goals for a GPU, beside what was measured."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from statistics import median
from typing import Any

GRAPH, COMPILED = "fast graph", "fast compiled graph"
EPOCHS, STEPS, MS_AN_HOUR = 240, 50_000 / 64, 3_600_000
PAPER_PAIRS, PAPER_PACK = 10, 20


def shown_goals(results: Sequence[dict[str, Any]], pairs: Collection[str]) -> Iterator[str]:
    """Yield a line for each goal that can be compared."""
    one = {(r["distiller"], r["setting"]): r["step_ms"] for r in results if r["members"] == 1}
    graphs = {d: ms for (d, setting), ms in one.items() if setting == GRAPH}
    for setting in (GRAPH, COMPILED):
        times = {d: ms for (d, its), ms in one.items() if its == setting}
        if times:
            slowest = max(times, key=lambda name: times[name])
            yield (
                f"an adaptive step, {setting}: {median(times.values()):.2f} ms in the median, "
                f"{slowest} {times[slowest]:.2f} ms; goal for wrn_40_2/wrn_16_2: 3 ms"
            )
    gains = [one[d, "fast"] / ms for d, ms in graphs.items() if (d, "fast") in one]
    if gains:
        yield f"a graph is {min(gains):.1f} to {max(gains):.1f} times as fast; goal: 5 times"
    packs = [result for result in results if result["distiller"] == "pack"]
    hours = sum(EPOCHS * STEPS * pack["step_ms"] / MS_AN_HOUR for pack in packs)
    whole = len(packs) == PAPER_PAIRS and all(p["members"] == PAPER_PACK for p in packs)
    goal = "; goal: 24" if whole else ""
    if packs:
        yield (
            f"{EPOCHS} epochs of {packs[0]['members']} students at {len(packs)} of "
            f"{len(pairs)} pairs: {hours:.1f} GPU hours{goal}"
        )
