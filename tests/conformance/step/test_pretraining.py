"""The paraphraser of factor transfer is pretrained as in the reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from sakd.data import Batch
from sakd.training import Callback, pretrain
from sakd.training.fit import Run

Case = dict[str, Any]


class TwoBatches:
    """The batches of all cases, as an epoch."""

    def __init__(self, common: Case) -> None:
        """Keep them."""
        labels = common["target1"], common["target2"]
        images = common["x1"], common["x2"]
        self.batches = [
            Batch(x, y, torch.arange(8), 0) for x, y in zip(images, labels, strict=True)
        ]

    def __len__(self) -> int:
        return len(self.batches)

    def epoch(self, _number: int) -> Iterator[Batch]:
        """Yield them in their order."""
        yield from self.batches


class Epochs(Callback):
    """Remembers the history."""

    def on_start(self, run: Run) -> None:
        """Keep it; it grows."""
        self.history = run.history


def test_fts_paraphraser_is_pretrained_as_the_references(
    cases: Any, compare: Callable[[str], Any]
) -> None:
    case, common, objective = cases.start("ft_fixed", pretrain_epochs=2)
    state = {k.removeprefix("init/pretrain/"): v for k, v in case.items() if "/pretrain/" in k}
    paraphraser = objective.get_submodule("distillers.ft.paraphraser")
    prefix = "before/paraphraser."
    before = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
    paraphraser.load_state_dict(before)
    teacher = {k: v.clone() for k, v in objective.teacher.state_dict().items()}
    epochs, report = Epochs(), compare("pretraining ft_fixed")
    assert pretrain(objective, TwoBatches(common), lambda _name: (epochs,))
    expected = state["losses"].view(2, 2).mean(dim=1)
    for record, loss in zip(epochs.history, expected, strict=True):
        report.check("loss", f"epoch {record['epoch']}", record["pretraining"], loss, 1e-5)
    for name, value in paraphraser.state_dict().items():
        report.check("weights", name, value, state[f"after/paraphraser.{name}"], 1e-5)
    assert not report.failures
    assert not any(p.requires_grad for p in paraphraser.parameters())
    assert all(torch.equal(teacher[k], v) for k, v in objective.teacher.state_dict().items())
