"""The errors that end trainings."""

from __future__ import annotations

from sakd.foundation import determinism
from sakd.study import single
from sakd.study.memory import out_of_memory
from sakd.training import Run


def ends_trainings(error: Exception) -> bool:
    """Tell whether an ``error`` of what trainings share ends them, and not the whole run."""
    return out_of_memory(error) or determinism.refusal(error) is not None


def failure_of(member: Run | Exception, shared: Exception | None) -> Exception | None:
    """Give what ended a training, in one line where its user can mend it.

    Args:
        member: The training, or the error that kept it from starting.
        shared: An error of what it shares with others, which has ended it before its last epoch.
    """
    if isinstance(member, Run):
        error = member.failure or (shared if len(member.history) < member.epochs else None)
    else:
        error = member
    return error and (determinism.refusal(error) or single.refusal(error) or error)
