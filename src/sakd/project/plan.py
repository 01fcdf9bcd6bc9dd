"""Plan the trainings of a pipeline, with the catalog of its run."""

from __future__ import annotations

from functools import partial
from typing import Any

from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from sakd.data import Parts, noise
from sakd.foundation.errors import UserError
from sakd.networks.outside.names import slug
from sakd.pipelines.plan import Scope, make_plan
from sakd.study.parameters import Parameters
from sakd.study.plan import Plan

Catalog = CatalogProtocol[str, Any]


def plan_run(pipeline: Pipeline, catalog: Catalog, parameters: Parameters, limit: float) -> Plan:
    """Plan the trainings of ``pipeline``; write nothing.

    Args:
        pipeline: The nodes of the run.
        catalog: Its data; noise takes the place of images that are not prepared yet.
        parameters: Of the run.
        limit: See `sakd.pipelines.plan.make_plan`.

    Raises:
        UserError: The run would stop at once, or only preparing the data would show its size.
    """
    cells = catalog.load(f"{parameters.data.slug}-cells")
    development, card = _data(catalog, parameters)
    scope = scope_of(pipeline, catalog, parameters)
    return make_plan(development, card, cells, parameters, scope, limit)


def scope_of(pipeline: Pipeline, catalog: Catalog, parameters: Parameters) -> Scope:
    """Find the rows and the teachers that ``pipeline`` trains, and read its other teachers."""
    data, grid = parameters.data.slug, parameters.grid
    students = pipeline.only_nodes_with_tags("students").inputs()
    rows = [row for row in grid.rows(data) if f"params:rows.{row.id}" in students]
    taught = pipeline.only_nodes_with_tags("teacher").inputs()
    teachers = [name for name in grid.teachers() if f"params:teachers.{slug(name)}" in taught]
    earlier = {row.teacher for row in rows} - set(teachers)
    made = {name: catalog.load(f"{data}-{slug(name)}-teacher") for name in earlier}
    return Scope(rows, teachers, made)


def _data(catalog: Catalog, parameters: Parameters) -> tuple[Parts, dict[str, Any]]:
    """Give the development images and the card, or noise of the size that they will have."""
    data = parameters.data
    names = f"{data.slug}-development", f"{data.slug}-card"
    if all(map(catalog.exists, names)):
        development, card = map(catalog.load, names)
        return development, card
    if (outline := data.dataset().outline()) is None:
        found = f"{data.slug} is not prepared, and only that shows how many images there are"
        raise UserError(f"{found}: run --pipelines data_preparation with the same options first")
    made = noise(outline, data.splitting(), name=data.slug)
    parts = {name: part for name, part in made.parts.items() if name != "test"}
    return {name: partial(vars, part) for name, part in parts.items()}, made.card.to_json()
