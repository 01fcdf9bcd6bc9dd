"""Accuracy class by class, and the classes that distillation hurts."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.api.typing import SeriesGroupBy
from scipy.special import stdtrit

from sakd.foundation.vocabulary import NONE
from sakd.reporting.tables.frames import PAIR, distilled, prepared

CHANCE = 0.025
"""The share of comparisons without a difference of which the 95 % interval is below zero."""

FEW = 30
"""A class with fewer test images is small: each is worth more than three points."""


def class_rows(results: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """Compare every method with the student alone of the same seed, class by class.

    The 95 % interval of a difference takes images and seeds for samples: its standard error is
    sqrt(var(images) / N + var(seeds) / S), of the N differences of images averaged over seeds and
    the S differences of seeds averaged over images, times Student's quantile for S - 1. Two
    imagined images, one won and one lost, are among the N, so that images that agree are no proof.
    Part of the noise of images is in both terms, so the interval is rather too wide.

    Args:
        results: One line per cell.
        predictions: One line per (cell, test image).

    Returns:
        ``dataset, teacher, student, distiller, policy``; ``label``, the position of the class;
        ``images`` of it; ``alone`` and ``distilled``, accuracies averaged over ``seeds``; their
        ``difference`` with its 95 % interval ``low`` to ``high``, NaN for one seed; and ``hurt``:
        whether the interval is below zero.
    """
    cells = prepared(results)
    finished = cells[cells["finished"]]
    numbered = predictions.assign(content=pd.factorize(predictions["content"])[0])
    answers = dict(iter(numbered.groupby("cell", observed=True)))
    alone = {
        (*(line[name] for name in PAIR), line["seed"]): answers[line["cell"]]
        for line in finished[finished["distiller"] == NONE].to_dict("records")
        if line["cell"] in answers
    }
    tables = []
    for key, group in distilled(finished).groupby([*PAIR, "distiller", "policy"], sort=False):
        pairs = [
            (alone[(*key[:3], seed)], answers[cell])
            for cell, seed in zip(group["cell"], group["seed"], strict=True)
            if (*key[:3], seed) in alone and cell in answers
        ]
        if pairs:
            named = dict(zip([*PAIR, "distiller", "policy"], key, strict=True))
            tables.append(_classes(pairs).assign(**named, seeds=len(pairs)))
    columns = [*PAIR, "distiller", "policy", *_COLUMNS, "seeds"]
    return (
        pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)
    )


_COLUMNS = ["label", "images", "alone", "distilled", "difference", "low", "high", "hurt"]


def _classes(pairs: list[tuple[pd.DataFrame, pd.DataFrame]]) -> pd.DataFrame:
    """Average pairs of answers, of the student alone and of a distilled one, over each class."""
    each = [
        pd.DataFrame(
            {
                "label": own["label"].to_numpy(),
                "content": own["content"].to_numpy(),
                "alone": own["right"].to_numpy(dtype=float),
                "distilled": other["right"].to_numpy(dtype=float),
            }
        )
        for own, other in pairs
    ]
    for frame in each:
        frame["copy"] = frame.groupby("content").cumcount()  # of images that are there twice
    answers = pd.concat(each, keys=range(len(each)), names=["seed"]).reset_index("seed")
    answers["difference"] = answers["distilled"] - answers["alone"]
    images = answers.groupby(["label", "content", "copy"])["difference"].mean().groupby("label")
    seeds = answers.groupby(["label", "seed"])["difference"].mean().groupby("label")
    table = answers.groupby("label")[["alone", "distilled", "difference"]].mean()
    table["images"] = images.size()
    quantile = stdtrit(np.maximum(seeds.size() - 1, 1), 1 - CHANCE)
    half = quantile * np.hypot(_error(images), seeds.sem())
    table["low"], table["high"] = table["difference"] - half, table["difference"] + half
    table["hurt"] = table["high"] < 0
    return table.reset_index()


def _error(images: SeriesGroupBy) -> pd.Series:
    """Compute the standard errors of means, with two more images whose differences are -1 and 1."""
    size, total = images.size() + 2, images.sum()
    squares = images.agg(lambda found: (found**2).sum()) + 2
    return np.sqrt((squares - total**2 / size) / (size - 1) / size)
