"""Studies that nobody trained: accuracies, curves, rates and answers by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sakd.distillers import DISTILLERS
from sakd.reporting.tables.columns import COST, FIDELITY, QUALITY, ROBUSTNESS
from sakd.reporting.tables.kinds import may_collapse
from sakd.routing import POLICIES
from sakd.routing.rates import GATE_RATE

SPOTS = ("stage1", "stage2", "stage3", "logits")


@dataclass(frozen=True)
class Simulated:
    """The tables of a study of so many methods."""

    distillers: int = 25
    policies: int = 8
    pairs: int = 4
    seeds: int = 3
    epochs: int = 60
    images: int = 100

    def tables(self) -> dict[str, pd.DataFrame]:
        """Make results, history and predictions, always the same."""
        rng = np.random.default_rng(0)
        results = self._results(rng)
        predictions = self._predictions(results, rng)
        counted = predictions.groupby("cell", sort=False)["right"].mean()
        results = results.assign(test_top1=results["cell"].map(counted))
        history = self._history(results, rng)
        return {"results": results, "history": history, "predictions": predictions}

    def _results(self, rng: np.random.Generator) -> pd.DataFrame:
        alone = [("none", "none")]
        policies = list(dict.fromkeys(["always", *POLICIES]))[: self.policies]
        methods = [
            (name, each) for name in list(DISTILLERS)[: self.distillers] for each in policies
        ]
        keys = [
            ("set", f"teacher{pair}", f"student{pair}", distiller, policy, seed)
            for pair in range(self.pairs)
            for distiller, policy in alone + methods
            for seed in range(self.seeds)
        ]
        columns = ["dataset", "teacher", "student", "distiller", "policy", "seed"]
        cells = pd.DataFrame(keys, columns=columns)
        names = cells[columns].astype(str).agg("-".join, axis=1)
        ends = pd.Series([f"8f1c{number:06x}" for number in range(len(cells))])
        gain = cells["distiller"].map(share).to_numpy() * (cells["distiller"] != "none")
        level = 0.70 + 0.03 * gain + rng.normal(0, 0.008, len(cells))
        measures = {
            name: rng.uniform(0.1, 0.9, len(cells))
            for name in (*QUALITY, *FIDELITY, *ROBUSTNESS, *COST)
        }
        return cells.assign(
            cell=names,
            status="done",
            epochs=self.epochs,
            val_top1=level + 0.01,
            test_top1=level,
            test_top1_val_selected=level - 0.002,
            test_top1_best=level + 0.01,
            teacher_test_top1=0.80,
            seconds=60.0,
            error=None,
            record="data/06_models/students/" + names + "/" + ends + "/record.json",
            weights="data/06_models/students/" + names + "/" + ends + "/weights.pt",
            **measures,
        )

    def _history(self, results: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        epochs = np.arange(1, self.epochs + 1)
        share = 1 - np.exp(-4 * epochs / self.epochs)
        curves = results["val_top1"].to_numpy()[:, None] * share
        curves += rng.normal(0, 0.01, curves.shape)
        history = pd.DataFrame(
            {
                "cell": np.repeat(results["cell"].to_numpy(), self.epochs),
                "epoch": np.tile(epochs, len(results)),
                "val_top1": curves.ravel(),
            }
        )
        routed = np.repeat(results["policy"].map(may_collapse).to_numpy(dtype=bool), self.epochs)
        rates = {f"{GATE_RATE}{spot}": rng.uniform(0.2, 0.8, len(history)) for spot in SPOTS}
        return history.assign(**{name: np.where(routed, v, np.nan) for name, v in rates.items()})

    def _predictions(self, results: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        images = np.tile(np.arange(self.images), len(results))
        level = np.repeat(results["test_top1"].to_numpy(), self.images)
        right = rng.uniform(size=len(images)) < level
        label = images % 10
        return pd.DataFrame(
            {
                "cell": np.repeat(results["cell"].to_numpy(), self.images),
                "image": images,
                "content": [f"image {number}" for number in images],
                "label": label,
                "predicted": np.where(right, label, (label + 1) % 10),
                "right": right,
                "log_probability": -0.1,
            }
        )


def share(name: str) -> float:
    """Give a name a number between 0 and 1 that is the same on every machine."""
    return (sum(map(ord, name)) % 11) / 10
