"""The errors that end trainings."""

from __future__ import annotations

from sakd.foundation import determinism
from sakd.foundation.errors import UserError
from sakd.foundation.machine import out_of_memory
from sakd.training import Run

ONE_VALUE = "Expected more than 1 value per channel"
"""How torch begins to say that a batch norm has one value of each channel."""


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
    return error and (determinism.refusal(error) or of_one_image(error) or error)


def of_one_image(error: BaseException) -> UserError | None:
    """Say in one line, with the remedy, that a batch norm has one value, if that is the error."""
    if ONE_VALUE not in str(error):
        return None
    return UserError("a batch norm has one value of each channel: set batch_size to 2 or more")
