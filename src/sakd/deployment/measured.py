"""The measures of a model on the test images of its study."""

from __future__ import annotations

from collections.abc import Mapping

from sakd.deployment.finding import Found
from sakd.deployment.model import Model
from sakd.foundation.options import require_type
from sakd.measures.names import teacher_id

SELECTED, OPTIMISTIC = "_val_selected", "_best"
"""Endings of measures after the epoch that was best on validation, and after that on test."""

TEACHERS = "teachers"
"""The folder of a store with the trainings of teachers."""


def measured(found: Found, model: Model) -> Mapping[str, float]:
    """Look up the measures of a model, by name; empty before the evaluation of its study.

    An exported model has them in its card.

    Raises:
        UserError: The file of measures, or the card, is damaged.
    """
    if found.record is None or found.cells is None:
        kept: Mapping[str, float] = model.weights.card.get("measures", {})
        require_type(f"measures of {found.path.with_suffix('.json')}", kept, Mapping[str, float])
        return kept
    name, key = found.record.id, found.record.key
    if found.path.parents[2].name == TEACHERS:
        name, key = teacher_id(model.data.name, model.name), model.weights.sha256()
    every = found.cells.evaluations.measures(name, key)
    if found.path.stem == "best":
        ends = SELECTED
        return {n.removesuffix(ends): value for n, value in every.items() if n.endswith(ends)}
    return {n: v for n, v in every.items() if not n.endswith((SELECTED, OPTIMISTIC))}
