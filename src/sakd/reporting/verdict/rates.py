"""How many samples the policies let distil, epoch by epoch, and which went on choosing."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from sakd.reporting.tables import formats
from sakd.reporting.tables.frames import PAIR, by_method, distilled
from sakd.reporting.tables.kinds import may_collapse
from sakd.reporting.tables.routers import Tally
from sakd.reporting.verdict.part import Part
from sakd.routing.rates import EFFECTIVE_SHARE, GATE_RATE

CLOSED, OPEN = 0.05, 0.95
"""A policy that decides goes on choosing where the rate of a spot is between these."""

METHOD = [*PAIR, "distiller", "policy"]


def epoch_rates(part: Part) -> pd.DataFrame:
    """List the rates of all cells: of a policy that weighs, the effective shares.

    Returns:
        ``dataset, teacher, student, distiller, policy, seed, epoch, spot, rate``; only cells with
        rates have lines.
    """
    history = part.history
    spots = [name.removeprefix(GATE_RATE) for name in history if name.startswith(GATE_RATE)]
    known = part.cells.loc[part.cells["finished"], ["cell", *METHOD, "seed"]]
    epochs = known.merge(history[["cell", "epoch"]].join(_rates(history, spots)), on="cell")
    long = epochs.melt([*METHOD, "seed", "epoch"], spots, var_name="spot", value_name="rate")
    return long.dropna(subset="rate").astype({"epoch": int}).reset_index(drop=True)


def _rates(history: pd.DataFrame, spots: list[str]) -> pd.DataFrame:
    found = {}
    for spot in spots:
        rate = history[f"{GATE_RATE}{spot}"]
        share = f"{EFFECTIVE_SHARE}{spot}"
        found[spot] = history[share].fillna(rate) if share in history else rate
    return pd.DataFrame(found, index=history.index)


def moments(rates: pd.DataFrame) -> tuple[int, ...]:
    """Choose the epochs that a table shows: the first, those after a sixth and a half, the last."""
    last = int(rates["epoch"].max())
    return tuple(dict.fromkeys(max(1, epoch) for epoch in (1, last // 6, last // 2, last)))


def chose(rates: pd.DataFrame) -> pd.Series:
    """Tell for each cell whether it went on choosing: at some spot, in its last epoch."""
    last = rates[rates["epoch"] == rates["epoch"].max()]
    between = last["rate"].gt(CLOSED) & last["rate"].lt(OPEN)
    return between.groupby([last[name] for name in (*METHOD, "seed")], sort=False).any()


def router_table(part: Part) -> pd.DataFrame:
    """Show the mean rate at a few epochs, and how many cells went on choosing, of every policy.

    The rate is the mean over seeds and spots; the policies are those that may stop choosing.
    """
    return pd.DataFrame(list(_routers(part)))


def _routers(part: Part) -> Iterator[dict[str, str]]:
    rates = epoch_rates(part)
    if rates.empty:
        return
    shown = moments(rates)
    for named, cells in by_method(distilled(part.cells)):
        own = rates[(rates[METHOD] == pd.Series(named)[METHOD]).all(axis=1)]
        if own.empty or not may_collapse(named["policy"]):
            continue
        means = own.groupby("epoch")["rate"].mean()
        chosen = chose(own)
        yield {
            **{name: named[name] for name in ("teacher", "distiller", "policy")},
            **{f"epoch {epoch}": formats.number(float(means[epoch])) for epoch in shown},
            "chose to the end": f"{int(chosen.sum())} of {len(chosen)}",
            "collapsed": Tally.of(part.outcomes.routers, cells["cell"]).mark or "none",
        }


def spot_table(part: Part, policy: str) -> pd.DataFrame:
    """Show the rates of ``policy`` at each spot in the last epoch: mean, lowest and highest."""
    rates = epoch_rates(part)
    rates = rates[(rates["policy"] == policy) & (rates["epoch"] == rates["epoch"].max())]
    order = {teacher: rank for rank, (_, teacher, _) in enumerate(part.pairs)}
    rates = rates.sort_values("teacher", key=lambda names: names.map(order), kind="stable")
    lines = []
    for (teacher, distiller), cells in rates.groupby(["teacher", "distiller"], sort=False):
        for spot, group in cells.groupby("spot", sort=False):
            mean, low, high = map(formats.number, _extent(group["rate"]))
            inside = group["rate"].gt(CLOSED) & group["rate"].lt(OPEN)
            lines.append(
                {
                    "teacher": teacher,
                    "distiller": distiller,
                    "spot": spot,
                    "rate": f"{mean} ({low} to {high})",
                    "between 5 and 95 %": f"{int(inside.sum())} of {len(inside)}",
                }
            )
    return pd.DataFrame(lines)


def _extent(values: pd.Series) -> tuple[float, float, float]:
    return float(values.mean()), float(values.min()), float(values.max())
