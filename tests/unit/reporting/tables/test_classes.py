"""Classes that distillation hurts: by hand, and how often chance alone names one."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sakd.reporting.tables.classes import class_rows

Line = dict[str, object]


def study(cell: Callable[..., Line], seeds: int) -> pd.DataFrame:
    methods = [("none", "none"), ("kd", "always")]
    return pd.DataFrame([cell(*method, seed, 0.5) for method in methods for seed in range(seeds)])


def answers(results: pd.DataFrame, labels: list[int], right: np.ndarray) -> pd.DataFrame:
    """Give each cell, in order, a row of ``right`` (cells, images)."""
    tables = [
        pd.DataFrame(
            {
                "cell": name,
                "image": range(len(labels)),
                "content": [f"{k:02x}" for k in range(len(labels))],
                "label": labels,
                "right": row.astype(bool),
            }
        )
        for name, row in zip(results["cell"], right, strict=True)
    ]
    return pd.concat(tables, ignore_index=True)


def test_the_comparison_is_that_by_hand(cell: Callable[..., Line]) -> None:
    results = study(cell, 2)
    right = np.array([[1, 1, 0, 1], [1, 0, 1, 1], [1, 0, 0, 0], [0, 0, 1, 1]])
    rows = class_rows(results, answers(results, [0, 0, 0, 1], right)).set_index("label")
    first = rows.loc[0]
    assert (first["distiller"], first["policy"], first["images"], first["seeds"]) == (
        *("kd", "always", 3, 2),
    )
    assert first["alone"] == pytest.approx(4 / 6)
    assert first["distilled"] == pytest.approx(2 / 6)
    by_image, by_seed = [-0.5, -0.5, 0.0, -1, 1], [-1 / 3, -1 / 3]
    error = math.hypot(stats.sem(by_image), stats.sem(by_seed))
    half = stats.t.ppf(0.975, 1) * error
    assert first["difference"] == pytest.approx(-1 / 3)
    assert (first["low"], first["high"]) == pytest.approx((-1 / 3 - half, -1 / 3 + half))
    assert not first["hurt"]
    assert rows.loc[1, "difference"] == pytest.approx(-0.5)


@pytest.mark.parametrize(("images", "named"), [(2, False), (40, True)])
def test_a_loss_of_every_image_is_named_unless_they_are_few(
    cell: Callable[..., Line], images: int, named: bool
) -> None:
    results = study(cell, 3)
    right = np.repeat([[True], [False]], 3, axis=0).repeat(images, axis=1)
    (row,) = class_rows(results, answers(results, [0] * images, right)).to_dict("records")
    assert row["difference"] == -1
    assert row["low"] < -1 < row["high"]
    assert row["hurt"] == named


def test_one_seed_names_nothing(cell: Callable[..., Line]) -> None:
    results = study(cell, 1)
    right = np.array([[True] * 50, [False] * 50])
    (row,) = class_rows(results, answers(results, [0] * 50, right)).to_dict("records")
    assert math.isnan(row["low"])
    assert not row["hurt"]


def test_seeds_count_where_both_finished_and_both_have_answers(cell: Callable[..., Line]) -> None:
    results = study(cell, 4)
    given = answers(results, [0, 0], np.ones((8, 2)))
    results.loc[results["cell"].str.endswith("none-none-s0"), "status"] = "failed"
    given = given[given["cell"] != "digits-t-s-kd-always-s1"]
    (row,) = class_rows(results, given).to_dict("records")
    assert row["seeds"] == 2
    assert class_rows(results[results["distiller"] == "kd"], given).empty


def test_images_that_are_there_twice_are_two(cell: Callable[..., Line]) -> None:
    results = study(cell, 2)
    given = answers(results, [0, 0, 0], np.ones((4, 3))).assign(content="00")
    assert list(class_rows(results, given)["images"]) == [3]


@pytest.mark.parametrize("drift", [0.0, 0.1])
def test_chance_names_at_most_as_many_as_it_should(cell: Callable[..., Line], drift: float) -> None:
    """Students of equal merit, whose accuracy on a class drifts from training to training."""
    source, results = np.random.default_rng(0), study(cell, 3)
    classes, images, hurt, total = 60, 36, 0, 0
    for _ in range(6):
        ease = source.uniform(0.2, 1.0, classes * images)
        moved = drift * source.standard_normal((6, classes)).repeat(images, axis=1)
        right = source.uniform(size=(6, classes * images)) < ease + moved
        labels = list(np.arange(classes).repeat(images))
        rows = class_rows(results, answers(results, labels, right))
        hurt, total = hurt + int(rows["hurt"].sum()), total + len(rows)
    assert total == 360
    assert hurt / total <= 0.035
