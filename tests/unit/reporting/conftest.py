"""Small results and histories with numbers one can check by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from sakd.data import DataCard
from sakd.foundation.vocabulary import NONE
from sakd.reporting import Origin, report
from sakd.reporting.pages.sections import Report
from sakd.reporting.tables.columns import MEASURES, OF_TEACHERS
from sakd.routing import POLICIES

ROUTED = [name for name, kind in POLICIES.items() if kind.trained]

Line = dict[str, object]


CARD = DataCard(
    name="folder_pets",
    classes=("ant", "bee"),
    channels=3,
    height=32,
    width=24,
    mean=(0.12345,),
    std=(0.25,),
    counts={"train": (9, 7), "val": (2, 2), "test": (60, 40)},
    source="image folder",
    key="ee",
    sha256="00ff",
    imbalance=1.29,
)


@pytest.fixture(scope="session")
def data() -> Callable[..., DataCard]:
    """A data card of two even classes, with changes."""
    return partial(replace, CARD)


@pytest.fixture(scope="session")
def cell() -> Callable[..., Line]:
    """One line of the results; top1 None means that the cell failed."""

    def make(distiller: str, policy: str, seed: int, top1: float | None, **changes: object) -> Line:
        done = top1 is not None
        value = np.nan if top1 is None else top1
        line: Line = {
            "cell": f"digits-t-s-{distiller}-{policy}-s{seed}",
            "dataset": "digits",
            "teacher": "t",
            "student": "s",
            "distiller": distiller,
            "policy": policy,
            "seed": seed,
            "status": "done" if done else "failed",
            "epochs": 2,
            "val_top1": value,
            "test_top1": value,
            "test_top1_val_selected": value - 0.01,
            "test_top1_best": value + 0.02,
            "test_balanced": value / 2,
            "teacher_test_top1": np.nan,
            "teacher_test_balanced": np.nan,
            "seconds": 1.0,
            "error": None if done else "RuntimeError: the loss is NaN",
        }
        return line | changes

    return make


@pytest.fixture(scope="session")
def results(cell: Callable[..., Line]) -> pd.DataFrame:
    """kd over seeds 0, 1, 2 in both policies; at over 0, 1 with one failed cell; the baseline."""
    lines = [
        *(cell("none", "none", seed, top1) for seed, top1 in enumerate((0.70, 0.72, 0.74))),
        *(
            cell("kd", "always", seed, top1, teacher_test_top1=0.90)
            for seed, top1 in enumerate((0.80, 0.82, 0.84))
        ),
        *(cell("kd", "adaptive", seed, top1) for seed, top1 in enumerate((0.81, 0.84, 0.87))),
        *(cell("at", "always", seed, top1) for seed, top1 in enumerate((0.80, 0.81))),
        cell("at", "adaptive", 0, 0.80),
        cell("at", "adaptive", 1, None),
    ]
    return pd.DataFrame(lines)


@pytest.fixture(scope="session")
def history() -> Callable[..., pd.DataFrame]:
    """Two epochs of each cell; ``gates`` are the rates of stage1 and logits in the last one."""

    def make(results: pd.DataFrame, gates: dict[str, tuple[float, float]] | None = None):
        lines = []
        for line in results.to_dict("records"):
            last = (gates or {}).get(line["cell"], (0.4, 0.6))
            for epoch, share in ((1, 0.5), (2, 1.0)):
                entry = {"cell": line["cell"], "epoch": epoch, "val_top1": share * line["val_top1"]}
                if line["policy"] in ROUTED:
                    stage1, logits = last if epoch == 2 else (0.5, 0.5)
                    entry |= {"gate_rate/logits": logits, "gate_rate/stage1": stage1}
                lines.append(entry)
        return pd.DataFrame(lines)

    return make


@pytest.fixture(scope="session")
def predictions() -> Callable[..., pd.DataFrame]:
    """The answers of every cell on 100 images, the first of which are right."""

    def make(results: pd.DataFrame, images: int = 100) -> pd.DataFrame:
        numbers = np.arange(images)
        lines = []
        for line in results[results["status"] == "done"].to_dict("records"):
            right = numbers < round(images * line["test_top1"])
            content = [f"image {number}" for number in numbers]
            answers = {"label": numbers % 2, "predicted": (numbers + ~right) % 2, "right": right}
            frame = pd.DataFrame({"image": numbers, "content": content, **answers})
            lines.append(frame.assign(cell=line["cell"], log_probability=-0.1))
        return pd.concat(lines, ignore_index=True)

    return make


@pytest.fixture(scope="session")
def full(
    cell: Callable[..., Line],
    history: Callable[..., pd.DataFrame],
    predictions: Callable[..., pd.DataFrame],
    data: Callable[..., DataCard],
) -> Report:
    """A report with everything: two pairs, uneven classes, all measures, a published table."""
    draws = np.random.default_rng(0)
    methods = [(NONE, NONE), *((name, each) for name in ("kd", "at") for each in _POLICIES)]
    lines = [
        cell(*method, seed, draws.uniform(0.6, 0.8) if (*method, seed) != _FAILED else None)
        | dict(zip(("teacher", "student"), pair, strict=True))
        for pair in (("vgg13", "vgg8"), ("resnet56", "resnet20"))
        for method in methods
        for seed in range(3)
    ]
    results = pd.DataFrame(lines).assign(dataset="cifar100", teacher_test_top1=0.75, network="s")
    results["cell"] = results["teacher"] + results["cell"]
    measures = [*MEASURES, *(f"teacher_{name}" for name in OF_TEACHERS if name != "test_top1")]
    results[measures] = draws.uniform(size=(len(results), len(measures)))
    recipe = {"epochs": 2, "batch_size": 8}
    origin = Origin(
        settings={
            **{"data": {"name": "cifar100"}, "teacher": recipe, "student": recipe},
            "report": {"published": "sakd-cifar100"},
        },
        base={"student": {"epochs": 240}},
    )
    card = data(counts={"train": (90, 10), "val": (2, 2), "test": (90, 10)})
    answers = predictions(results)
    return report(results, history(results), predictions=answers, origin=origin, data=card)


_POLICIES = ("always", "adaptive", "random_matched")
_FAILED = ("at", "adaptive", 2)
