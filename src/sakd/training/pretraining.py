"""The trainings that come before that of an objective."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sakd.data import BatchStream
from sakd.foundation.errors import require
from sakd.objectives import Objective
from sakd.training.callback import Callback
from sakd.training.fit import fit
from sakd.training.resuming import check_tensors, foreign_states


def pretrain(
    objective: Objective,
    stream: BatchStream,
    watch: Callable[[str], Iterable[Callback]] = lambda _name: (),
    *,
    graph: bool = False,
    resume: Mapping[str, Any] | None = None,
) -> bool:
    """Train the modules that ``objective`` needs first, on ``stream``, and freeze them.

    `fit` refuses an objective that still needs it. The result is part of the objective's progress,
    so a resumed training does not repeat it.

    Args:
        objective: The problem to be trained next.
        stream: The batches of every epoch.
        watch: Gives the callbacks of a pretraining, by its name.
        graph: Whether a GPU may repeat recorded steps, see `sakd.training.train`.
        resume: Where to go on: ``pretraining``, the name of one; ``run``, the state of its run; and
            ``objective``, the progress of ``objective`` then. None to start afresh.

    Returns:
        Whether anything had to be trained.

    Raises:
        StateError: The state to ``resume`` is of another training.
    """
    begun: Mapping[str, Any] = {}
    if resume is not None:
        begun = _restored(objective, resume)
    problems = objective.pretrainings()
    for name, problem in problems.items():
        with problem.thawed():
            fit(
                problem,
                stream,
                epochs=problem.epochs,
                callbacks=watch(name),
                graph=graph,
                resume=begun.get(name),
            )
    return bool(problems)


@foreign_states()
def _restored(objective: Objective, state: Mapping[str, Any]) -> Mapping[str, Any]:
    """Have ``objective`` go on from a state; give the state of its pretraining by its name."""
    check_tensors(state["objective"], objective.state_dict())
    objective.restore(state["objective"])
    name = state["pretraining"]
    require(name in objective.pretrainings(), f"nothing is trained as {name!r} beforehand")
    return {name: state["run"]}
