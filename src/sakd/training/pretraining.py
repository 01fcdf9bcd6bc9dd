"""The trainings that come before that of an objective."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sakd.data import BatchStream
from sakd.objectives import Objective
from sakd.training.callback import Callback
from sakd.training.fit import fit


def pretrain(
    objective: Objective,
    stream: BatchStream,
    watch: Callable[[str], Iterable[Callback]] = lambda _name: (),
    *,
    graph: bool = False,
) -> bool:
    """Train the modules that ``objective`` needs first, on ``stream``, and freeze them.

    `fit` refuses an objective that still needs it. The result is part of the objective's progress,
    so a resumed training does not repeat it.

    Args:
        objective: The problem to be trained next.
        stream: The batches of every epoch.
        watch: Gives the callbacks of a pretraining, by its name.
        graph: Whether a GPU may repeat recorded steps, see `sakd.training.train`.

    Returns:
        Whether anything had to be trained.
    """
    problems = objective.pretrainings()
    for name, problem in problems.items():
        with problem.thawed():
            fit(problem, stream, epochs=problem.epochs, callbacks=watch(name), graph=graph)
    return bool(problems)
