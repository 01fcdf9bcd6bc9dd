"""The arguments of a run, and its record of every epoch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Required, TypedDict

from sakd.objectives import Optimisation
from sakd.training.callback import Callback
from sakd.training.measuring import Evaluate
from sakd.training.precision import Precision

EpochRecord = dict[str, float]
"""The record of an epoch: ``epoch`` (from 1), the mean of every term, and the measures."""


class RunOptions(TypedDict, total=False):
    """The keyword arguments of `sakd.training.Run`."""

    epochs: Required[int]
    optimisation: Mapping[str, Optimisation] | None
    evaluate: Evaluate
    callbacks: Iterable[Callback]
    precision: Precision
    resume: Mapping[str, Any] | None
