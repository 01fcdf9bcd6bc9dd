"""Trainings that go on from changed checkpoints: other numbers, tensors and entries."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import torch
from fuzz_archives import other_state
from fuzz_changes import Draw, one_of
from fuzz_json import other_value
from fuzz_samples import state, toys
from fuzz_tables import TENSORS
from fuzz_trial import Passed
from torch import Tensor, nn

from sakd.data import Prepared
from sakd.foundation.errors import UserError
from sakd.foundation.tensors import tensors_sha256
from sakd.foundation.vocabulary import DONE
from sakd.objectives import Optimisation
from sakd.objectives.parameters import Distillation, Routing
from sakd.study.bench import Bench
from sakd.study.grid import Cell
from sakd.study.lessons import Lessons
from sakd.study.recipe import Recipe
from sakd.study.store import CellStore
from sakd.study.train import run_training
from sakd.study.trainings import Training, cell_training
from sakd.training import Callback, Run
from sakd.training.progress import Progress
from sakd.weights.saved import Weights, load_weights

NUMBERS = (-1, 0, 1, 7, 2**40, 0.0, 1e-9, 1e30, -0.5, float("nan"), float("inf"), True, None)

EPOCHS = 2

DECLARED = ("UserError", "NotFiniteError")


class Stopped(Progress):
    """Stops a training in its last epoch."""

    def of(self, name: str, number: int = 0) -> tuple[Callback, ...]:
        """Give what stops it after two steps."""

        class Key(Callback):
            def on_step(self, run: Run) -> None:
                if len(run.history) == EPOCHS - 1 and run.taken > 1:
                    raise KeyboardInterrupt

        return (Key(),)


class Counting(Bench):
    """A place that counts the epochs that are trained there."""

    def validate(self, training: Training, network: nn.Module) -> Mapping[str, float]:
        """Measure a network, and count."""
        vars(self)["epochs"] = vars(self).get("epochs", 0) + 1
        return super().validate(training, network)


@cache
def training() -> Training:
    """Make a training with a policy and a teacher."""
    recipe = Recipe(
        epochs=EPOCHS,
        batch_size=12,
        optimisation=Optimisation(lr=0.05),
        keep_epochs=0,
        checkpoint_seconds=0,
    )
    cell = Cell("toys", "resnet14", "resnet8", "kd", "adaptive", 0)
    images = Lessons(Prepared(toys().train, toys().card))
    means = {"distillation": Distillation(), "routing": Routing(same_family_bias=0)}
    return cell_training(cell, Weights(state("resnet14")), images, recipe, **means)


def stopped(folder: Path) -> None:
    """Write the checkpoints of a training that was stopped."""
    with suppress(KeyboardInterrupt):
        run_training(training(), _bench(folder), Stopped("toys", 1))
    for path in folder.rglob("previous.pt"):
        path.unlink()


def resumed(folder: Path) -> object:
    """Let the training go on; give its weights, unless it had to begin again."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as place:
        shutil.copytree(folder, place, dirs_exist_ok=True)
        bench = _bench(Path(place))
        record = run_training(training(), bench, Progress("toys", 1))
        if record.status != DONE:
            said = str(record.error)
            raise (UserError if said.startswith(DECLARED) else RuntimeError)(said)
        if vars(bench)["epochs"] == EPOCHS:
            raise Passed
        return tensors_sha256(load_weights(bench.entry(training()).last).state)


def _bench(folder: Path) -> Counting:
    return Counting(Prepared(toys().val, toys().card), CellStore(folder), torch.device("cpu"))


def other_progress(content: bytes, draw: Draw) -> bytes:
    """Change numbers, tensors or entries of a checkpoint; its checksum fits."""
    return other_state(content, draw, _other)


def _other(value: Any, draw: Draw) -> Any:  # noqa: ANN401 - of a state
    """Change a part of ``value`` at any depth: what has many parts no oftener than others."""
    if isinstance(value, Tensor):
        return one_of(draw, TENSORS)(value)
    if isinstance(value, int | float):
        return one_of(draw, NUMBERS)
    if not value or not isinstance(value, dict | list | tuple) or draw.random() < 0.1:  # noqa: PLR2004
        return other_value(value, draw)
    if isinstance(value, dict):
        name = one_of(draw, list(value))
        return {**value, name: _other(value[name], draw)}
    at = int(draw.integers(len(value)))
    return type(value)([*value[:at], _other(value[at], draw), *value[at + 1 :]])
