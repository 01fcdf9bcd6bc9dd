"""What has to be trained before an objective."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sakd.data import BatchStream
from sakd.objectives import Objective
from sakd.training.fit import Callback, fit
from sakd.training.optimisation import Optimisation


def pretrain(
    objective: Objective,
    stream: BatchStream,
    watch: Callable[[str], Iterable[Callback]] = lambda _name: (),
) -> bool:
    """Train the modules that ``objective`` needs beforehand, on ``stream``, and freeze them.

    `fit` refuses an objective for which this has not been done. The result is part of the
    objective's progress: a training that resumes does not repeat it.

    Args:
        objective: The problem to be trained next.
        stream: The batches of every epoch.
        watch: Gives the callbacks for the pretraining of a name.

    Returns:
        Whether there was something to train.
    """
    pretrainings = objective.pretrainings()
    for name, problem in pretrainings.items():
        plan = problem.pretraining
        recipe = Optimisation(plan.lr, plan.momentum, plan.weight_decay, milestones=())
        problem.module.requires_grad_(True)
        try:
            fit(
                problem,
                stream,
                epochs=plan.epochs,
                optimisation={"pretraining": recipe},
                callbacks=watch(name),
            )
        finally:
            problem.module.requires_grad_(False)
        plan.done.fill_(True)
    return bool(pretrainings)
