"""Compare the pretraining of factor transfer's paraphraser with the published code's."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from conformance.comparison import Comparison, Golden, below
from conformance.steps.start import start
from sakd.data import Batch
from sakd.training import Callback, Run, pretrain


class TwoBatches:
    """The batches of all cases, as an epoch."""

    device = "cpu"

    def __init__(self, common: Golden) -> None:
        """Keep them."""
        stored = [(common[f"x{k}"], common[f"target{k}"]) for k in (1, 2)]
        self.batches = [Batch(x, y, torch.arange(8), 0) for x, y in stored]

    def __len__(self) -> int:
        return len(self.batches)

    def epoch(self, _number: int, start: int = 0) -> Iterator[Batch]:
        """Yield them in their order, from the step ``start`` on."""
        yield from self.batches[start:]


class Epochs(Callback):
    """Remembers the history."""

    def on_start(self, run: Run) -> None:
        """Keep it; it grows."""
        self.history = run.history


def compare_pretraining() -> Comparison:
    """Compare the losses and the weights of two epochs; nothing else may change."""
    case, common, objective = start("ft_fixed", pretrain_epochs=2)
    stored, found = below("init/pretrain/", case), Comparison("pretraining ft_fixed")
    paraphraser = objective.get_submodule("distillers.ft.paraphraser")
    paraphraser.load_state_dict(below("before/paraphraser.", stored))
    teacher = {k: v.clone() for k, v in objective.teacher.state_dict().items()}
    epochs = Epochs()
    assert pretrain(objective, TwoBatches(common), lambda _name: (epochs,))
    expected = stored["losses"].view(2, 2).mean(dim=1)
    for record, loss in zip(epochs.history, expected, strict=True):
        found.check("loss", f"epoch {record['epoch']}", torch.tensor(record["pretraining"]), loss)
    for name, value in paraphraser.state_dict().items():
        found.check("weights", name, value, stored[f"after/paraphraser.{name}"])
    assert not any(p.requires_grad for p in paraphraser.parameters())
    assert all(torch.equal(teacher[k], v) for k, v in objective.teacher.state_dict().items())
    return found
