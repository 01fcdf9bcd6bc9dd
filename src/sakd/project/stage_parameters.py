"""The parameters on which the stages of ``dvc.yaml`` depend, by the file that sets them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from sakd.networks.paths import members, taught_by
from sakd.study.grid import Grid
from sakd.study.parameters import Parameters

PARAMETERS, GLOBALS = "conf/{}/parameters.yml", "conf/{}/globals.yml"

Files = Mapping[str, Mapping[str, str]]
"""The names that each file sets, with their values as text."""

UNCOUNTED = frozenset({"pack", "graph", "trackers"})
"""Parameters on which no result depends."""

OF_TRAINING = frozenset({"device", "threads", "deterministic"})
OF_TEACHERS = "teacher"
"""Begins the names of the parameters of teachers."""

OF_EDUCATION = frozenset({"assistants", "distillation", "systems"})
"""Those of teachers that are taught themselves."""

AXES_OF_ROWS = ("pairs", "seeds")
"""On these a row does not depend: others are other rows."""

REFERRED = re.compile(r"\$\{globals:\s*(\w+)")

ALL = tuple(field.name for field in fields(Parameters) if field.name not in UNCOUNTED)
EVALUATED = tuple(name for name in ALL if name != "report")


def of_teachers(parameters: Parameters) -> tuple[str, ...]:
    """Name the parameters of the training of teachers."""
    partners = (one for name in parameters.grid.teachers() for one in members(name))
    educated = OF_EDUCATION if any(map(taught_by, partners)) else frozenset[str]()
    own = OF_TRAINING | educated
    return tuple(name for name in ALL if name in own or name.startswith(OF_TEACHERS))


def of_students(parameters: Parameters) -> tuple[str, ...]:
    """Name the parameters of the training of a row: those of other rows are left out.

    The pairs are among them if there are systems, as ``all`` stands for those that suit the pairs.
    """
    axes = AXES_OF_ROWS[1:] if parameters.grid.systems else AXES_OF_ROWS
    grid = [f"grid.{field.name}" for field in fields(Grid) if field.name not in axes]
    trained = (name for name in EVALUATED if name != "corruptions")
    return tuple(one for name in trained for one in (grid if name == "grid" else [name]))


def files_of(root: Path, *environments: str) -> Files:
    """Read what the files of the ``environments`` set, in the project in ``root``."""
    kinds = [kind.format(each) for kind in (PARAMETERS, GLOBALS) for each in environments]
    return {file: dict(_set_in(root / file)) for file in dict.fromkeys(kinds)}


def files_for(parameters: Parameters, environment: str) -> Files:
    """Name, where there are no files, the parameters that differ from their defaults."""
    usual = Parameters()
    named = [name for name in ALL if getattr(parameters, name) != getattr(usual, name)]
    axes = [each.name for each in fields(Grid)]
    here, there = parameters.grid, usual.grid
    named += [f"grid.{name}" for name in axes if getattr(here, name) != getattr(there, name)]
    return {PARAMETERS.format(environment): dict.fromkeys(named, "")}


def listed(names: Iterable[str], files: Files) -> list[dict[str, list[str]]]:
    """List those of ``names`` that ``files`` set, and the globals to which they refer."""
    wanted = list(names)
    values = [content.get(name, "") for content in files.values() for name in wanted]
    wanted += sorted({name for value in values for name in REFERRED.findall(value)})
    found = {file: [n for n in wanted if n in content] for file, content in files.items()}
    return [{file: some} for file, some in found.items() if some]


def _set_in(file: Path) -> Iterable[tuple[str, str]]:
    content: dict[str, Any] = yaml.safe_load(file.read_text("utf-8")) or {} if file.exists() else {}
    for name, value in content.items():
        yield name, yaml.safe_dump(value)
        if name == "grid" and isinstance(value, dict):
            yield from ((f"{name}.{axis}", yaml.safe_dump(axes)) for axis, axes in value.items())
