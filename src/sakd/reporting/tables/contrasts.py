"""Two policies, or plain distillation and the student alone, seed by seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from sakd.evidence import Estimate, components, of_seeds, units_needed
from sakd.foundation.vocabulary import NONE
from sakd.networks.variants import network_of
from sakd.reporting.tables.columns import TEST
from sakd.reporting.tables.frames import PAIR, distilled, of_distillers
from sakd.reporting.tables.kinds import stands_alone
from sakd.reporting.tables.outcomes import Outcomes

SEVERAL = 3
"""So many pairs, or seeds, are a sample of more; fewer pairs are those that they are."""

METHOD = [*PAIR, "distiller"]
"""The columns that name a method of a pair."""


class Contrast(NamedTuple):
    """Two policies, the second of which is subtracted; ``none`` is the student alone."""

    first: str
    second: str


def duels(cells: pd.DataFrame, contrast: Contrast) -> pd.DataFrame:
    """Pair the finished cells of both sides of a contrast by pair, distiller and seed.

    Systems that no policy routes are left out, see `sakd.reporting.tables.methods`.

    Returns:
        ``dataset, teacher, student, distiller, seed``, the cells ``first`` and ``second``, and the
        ``difference`` of their test accuracies, as a fraction.
    """
    finished = of_distillers(cells[cells["finished"]])
    sides = [finished[finished["policy"] == policy] for policy in contrast]
    keys = [*PAIR, "seed"] if contrast.second == NONE else [*METHOD, "seed"]
    second = sides[1][[*keys, "cell", TEST]]
    both = distilled(sides[0])[[*METHOD, "seed", "cell", TEST]].merge(
        second, on=keys, suffixes=("", "_second")
    )
    both = both.rename(columns={"cell": "first", "cell_second": "second"})
    both["difference"] = both[TEST] - both[f"{TEST}_second"]
    return both[[*METHOD, "seed", "first", "second", "difference"]]


def pooled(cells: pd.DataFrame) -> pd.DataFrame:
    """Select the distilling cells, or duels, whose differences are pooled.

    Distillers that stand alone are left out, unless there is no other. A sample that the policy
    leaves out does not train their student at all, so their differences are of another kind.
    """
    cells = distilled(cells)
    others = ~cells["distiller"].map(stands_alone).astype(bool)
    return cells[others] if others.any() else cells


@dataclass(frozen=True)
class Difference:
    """A mean difference over seeds, and distillers and pairs where there are several.

    Attributes:
        estimate: The mean with its error.
        seeds: Number of seeds, over all pairs.
        images: Number of different test images; 0 where it is not known.
        pairs: Number of pairs.
        sd: Standard deviation between seeds.
        needed: Seeds (of three pairs and more: pairs) that would settle the question; None where
            these images cannot, or where it cannot be said.
    """

    estimate: Estimate
    seeds: int
    images: int
    pairs: int
    sd: float
    needed: int | None

    @property
    def several(self) -> bool:
        """Tell whether the pairs are a sample of more; else the seeds are."""
        return self.pairs >= SEVERAL

    @property
    def enough(self) -> bool:
        """Tell whether there are enough pairs or seeds to judge by."""
        return self.several or self.seeds >= SEVERAL

    @property
    def per_image(self) -> bool:
        """Tell whether the images are in the estimate."""
        return self.images > 0


def difference(outcomes: Outcomes, found: pd.DataFrame) -> Difference:
    """Estimate the mean of the duels that were ``found``.

    Its units are seeds, and pairs where there are three or more. What a unit has more of, such as
    distillers or variants of a teacher, is averaged first: they share start and images, and are no
    replications.
    """
    found = found.assign(teacher=found["teacher"].map(network_of))
    seeds = found.groupby([*PAIR, "seed"], sort=False)["difference"].mean()
    pairs = len(found.drop_duplicates(PAIR))
    unit = PAIR if pairs >= SEVERAL else [*PAIR, "seed"]
    by_unit = seeds.groupby(unit, sort=False).mean()
    sd = float(seeds.std(ddof=1)) if len(seeds) > 1 else np.nan
    answers = outcomes.answers
    if answers is None or found.empty or not answers.holds([*found["first"], *found["second"]]):
        estimate = of_seeds(by_unit.to_numpy(dtype=float))
        return Difference(estimate, len(seeds), 0, pairs, sd, None)
    units = [
        list(zip(group["first"], group["second"], strict=True))
        for _, group in found.groupby(unit, sort=False)
    ]
    parts = components(*answers.differences(units))
    needed = units_needed(parts, outcomes.margin) if len(units) > 1 else None
    images = int(parts.design.images)
    return Difference(parts.estimate(), len(seeds), images, pairs, sd, needed)
