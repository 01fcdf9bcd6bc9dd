"""What has to be trained before an objective."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sakd.data import BatchStream
from sakd.objectives import Objective
from sakd.training.fit import Callback, fit
from sakd.training.optimisation import Optimisation


def prepare(
    objective: Objective,
    stream: BatchStream,
    watch: Callable[[str], Iterable[Callback]] = lambda _name: (),
) -> bool:
    """Train what ``objective`` needs beforehand, on ``stream``, and freeze it.

    `fit` refuses an objective for which this has not been done. The result is part of the
    objective's progress: a training that resumes does not repeat it.

    Args:
        objective: to be trained next.
        stream: the batches of every epoch.
        watch: callbacks for the preparation of that name.

    Returns:
        Whether there was something to train.
    """
    preparations = objective.preparations()
    for name, preparation in preparations.items():
        plan = preparation.pretraining
        recipe = Optimisation(plan.lr, plan.momentum, plan.weight_decay, milestones=())
        preparation.module.requires_grad_(True)
        try:
            fit(
                preparation,
                stream,
                epochs=plan.epochs,
                optimisation={"preparation": recipe},
                callbacks=watch(name),
            )
        finally:
            preparation.module.requires_grad_(False)
        plan.done.fill_(True)
    return bool(preparations)
