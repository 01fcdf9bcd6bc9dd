"""Plan the trainings of a pipeline, with the catalog of its run."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from sakd.data import Parts, noise
from sakd.foundation.errors import UserError
from sakd.networks.variants import slug
from sakd.pipelines.plan import Scope, make_plan
from sakd.study.parameters import Parameters
from sakd.study.plan import Plan
from sakd.study.splits import StudySplit, splits_of
from sakd.study.store import CellStore
from sakd.study.sweeps import rows_of

Catalog = CatalogProtocol[str, Any]


def plan_run(
    pipeline: Pipeline, catalog: Catalog, parameters: Parameters, cells: CellStore, limit: float
) -> Plan:
    """Plan the trainings of ``pipeline``; write nothing.

    Args:
        pipeline: The nodes of the run.
        catalog: Its data; noise takes the place of images that are not prepared yet.
        parameters: Of the run.
        cells: The store of its results.
        limit: See `sakd.pipelines.plan.make_plan`.

    Raises:
        UserError: The run would stop at once, or only preparing the data would show its size.
    """
    scopes = [scope_of(pipeline, catalog, split) for split in splits_of(parameters)]
    return make_plan(scopes, cells, limit)


def is_prepared(catalog: Catalog, split: StudySplit) -> bool:
    """Tell whether the images of a split are there, prepared by its parameters."""
    names = _names(split)
    if not all(map(catalog.exists, names)):
        return False
    asked: bool = catalog.load(names[1]).get("asked") == split.parameters.data.asked
    return asked


def whole_scope(catalog: Catalog, split: StudySplit) -> Scope:
    """Name all rows and teachers of a study; no pipeline is built."""
    rows, teachers = rows_of(split.parameters), split.parameters.grid.teachers()
    return Scope(*_data(catalog, split), split.parameters, rows, teachers)


def scope_of(pipeline: Pipeline, catalog: Catalog, split: StudySplit) -> Scope:
    """Find the rows and the teachers that ``pipeline`` trains, and read its other teachers."""
    grid = split.parameters.grid
    students = pipeline.only_nodes_with_tags("students").inputs()
    rows = [row for row in rows_of(split.parameters) if split.given(f"rows.{row.id}") in students]
    taught = pipeline.only_nodes_with_tags("teacher").inputs()
    teachers = [name for name in grid.teachers() if split.given(f"teachers.{slug(name)}") in taught]
    earlier = {row.teacher for row in rows if row.taught} - set(teachers)
    made = {name: catalog.load(f"{split.data}-{slug(name)}-teacher") for name in earlier}
    return Scope(*_data(catalog, split), split.parameters, rows, teachers, made)


def _names(split: StudySplit) -> tuple[str, str]:
    return f"{split.data}-development", f"{split.data}-card"


def _data(catalog: Catalog, split: StudySplit) -> tuple[Parts, dict[str, Any]]:
    """Give the development images and the card, or noise of the size that they will have.

    Noise takes the place also of images that were prepared by other parameters.
    """
    data = split.parameters.data
    if is_prepared(catalog, split):
        development, card = map(catalog.load, _names(split))
        return development, card
    if (outline := data.dataset().outline()) is None:
        found = f"{data.slug} is not prepared, and only that shows how many images there are"
        raise UserError(f"{found}: run --pipelines data_preparation with the same options first")
    made = noise(outline, data.splitting(), name=data.slug)
    card = replace(made.card, asked=data.asked)
    parts = {name: part for name, part in made.parts.items() if name != "test"}
    return {name: partial(vars, part) for name, part in parts.items()}, card.to_json()
